"""The mutants of ``lem-monomial-features``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.monomial_features", "lem-monomial-features")

MUTANTS = (
    room.formula("MonomialSet.degree", ".max()", ".min()", "the least degree is taken for the largest"),
    room.index("MonomialSet.degrees", "axis=1", "axis=0", "exponents are added over monomials"),
    room.index("MonomialSet.dimension", "shape[1]", "shape[0]", "monomials are counted, not variables"),
    room.formula(
        "feature_count",
        "dimension, 1) +",
        "dimension, 1) - 1 +",
        "C(d - 1 + g, g): degree g alone is counted",
    ),
    room.index(
        "total_degree",
        "np.arange(starts[i], stop)",
        "np.arange(starts[i], stop)[::-1]",
        "parents are listed backwards",
    ),
    room.index(
        "total_degree",
        "next_starts[i], row = row, row + size",
        "next_starts[i], row = row + size, row + size",
        "a variable is not raised to higher powers",
    ),
    room.index(
        "total_degree",
        "exponents[block, i] += 1",
        "exponents[block, i - 1] += 1",
        "the variable before is multiplied",
    ),
    room.threshold(
        "total_degree",
        "feature_count(dimension, degree - 1) if degree",
        "feature_count(dimension, degree) if degree",
        "leaves count as interior",
    ),
    room.index(
        "downward_closed",
        "(rows[1:] > 0).argmax(axis=1)",
        "(rows[1:] > 0)[:, ::-1].argmax(axis=1)",
        "the last variable is counted from behind",
    ),
    room.formula(
        "downward_closed", "rows.sum(axis=1)))", "-rows.sum(axis=1)))", "the largest degree comes first"
    ),
    room.index("downward_closed", "np.argsort(~is_parent", "np.argsort(is_parent", "leaves come first"),
    room.index(
        "downward_closed",
        "rank = np.argsort(order)",
        "rank = order",
        "parents are renumbered by the inverse order",
    ),
    room.index(
        "downward_closed.divisors", "axis] -= 1", "axis] -= 2", "squares of a variable are divided out"
    ),
    room.index("_words", "2 * rows.shape[1]", "2", "a monomial is looked up by its first exponent"),
    room.index(
        "exponents",
        "total_degree(dimension, degree)",
        "total_degree(dimension, degree - 1)",
        "the largest degree is left out",
    ),
    room.threshold("multinomials", "1 << 63", "1 << 80", "words overflow"),
    room.threshold(
        "multinomials",
        "< 1 << 63",
        "< 0",
        "Python's numbers count always",
        equivalent="Both count exactly and round once, to float64: words are only faster.",
    ),
    room.index(
        "multinomials",
        "monomials.axis[rows]]",
        "-1]",
        "divided by the last exponent, not the first variable's",
    ),
    room.coefficient(
        "multinomials", "* degree //", "* (degree - 1 or 1) //", "(|alpha| - 1)! in place of |alpha|!"
    ),
    room.formula(
        "weights",
        "np.float64(temperature) ** powers",
        "np.float64(temperature)",
        "every coefficient is divided by tau once",
    ),
    room.index(
        "weights",
        "scaled[monomials.degrees]",
        "scaled[monomials.degrees - 1]",
        "a monomial takes the coefficient of one degree less",
    ),
    room.index(
        "monomials",
        "xp.take(x, index(members.axis[rows]), axis=1)",
        "xp.take(x, index(members.axis[rows] * 0), axis=1)",
        "every monomial is a power of the first variable",
    ),
    room.index(
        "monomials",
        "index(np.argsort(np.concatenate(listed)))",
        "index(np.concatenate(listed))",
        "columns are put back by the inverse order",
        statements=("lem-monomial-features", "lem-grouped-degrees"),
    ),
    room.formula(
        "features",
        "monomials(queries, members) * factors",
        "monomials(queries, members)",
        "the weights are left out",
    ),
    room.index(
        "features",
        "len(coefficients) - 1)",
        "len(coefficients) - 2 or 1)",
        "the leading coefficient is ignored",
    ),
    room.formula("symmetric_features", "np.sqrt(", "np.abs(", "whole weights stand on both sides"),
    room.threshold("least_feature_count", "if c)", "if c > 0)", "negative coefficients are not counted"),
    room.index(
        "least_feature_count",
        "dimension + p - 1, p",
        "dimension + p, p",
        "monomials of degree up to p are counted",
    ),
    room.index(
        "principal_lattice",
        "exponents(dimension, degree)",
        "exponents(dimension, degree)[:-1]",
        "one point is missing",
    ),
)

UNTOUCHED: dict[str, str] = {
    "MonomialSet.__post_init__": "stores the tables in small types, read-only",
    "MonomialSet.__len__": "the number of rows of the table",
    "monomials.index": "turns row numbers into another library's array",
    "_natural": "refuses a bad argument",
}
