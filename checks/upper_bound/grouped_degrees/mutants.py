"""The mutants of ``lem-grouped-degrees``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.grouped_degrees", "lem-grouped-degrees")

MUTANTS = (
    room.index(
        "slices", "(max(rest, default=-1) + 1)", "(max(rest, default=-1))", "the last slice is left out"
    ),
    room.index("staircase_error", "own[len(steps) - 1]", "own[0]", "one group has the error of its constant"),
    room.index(
        "staircase_error",
        "values[steps[0]] + own",
        "values[steps[top]] + own",
        "the last slice stands for the first",
    ),
    room.formula(
        "staircase_error",
        "(1 + values[steps[top]])",
        "values[steps[top]]",
        "the error of the own polynomial is dropped",
    ),
    room.index(
        "staircase_error",
        "total += own[degree]",
        "total += own[degree + 1]",
        "a step is weighted by the error of the next degree",
    ),
    room.formula(
        "staircase_error",
        "(values[here] + values[after])",
        "(values[here] - values[after])",
        "the errors of two slices cancel",
    ),
    room.threshold("staircase_error", "here != after", "True", "equal slices count as a step"),
    room.coefficient("rounded_up", "(1 + 2.0**-32)", "(1 + 2.0**-34)", "only 2^18 roundings are covered"),
    room.coefficient("rounded_up", " + 2.0**-1000", "", "products that underflow are not covered"),
    room.index(
        "rank", "math.comb(d + g - 1, g)", "math.comb(d + g, g)", "all degrees up to g count, not g itself"
    ),
    room.formula(
        "monomial_set", "members.degrees == g", "members.degrees <= g", "lower degrees are listed twice"
    ),
    room.index(
        "staircase_coefficients",
        "max(degrees) + 1",
        "max(degrees) + 2",
        "a power that does not occur has a place",
    ),
    room.index(
        "staircase_coefficients",
        "np.zeros((count + 1, count))",
        "np.ones((count + 1, count))",
        "R_(-1) is 1 + x + ..., not 0",
    ),
    room.formula("staircase_coefficients", "np.abs(steps)", "steps", "roundings may cancel"),
    room.coefficient("staircase_coefficients", "2 * roundings * _UNIT", "_UNIT", "one rounding is counted"),
    room.coefficient(
        "staircase_coefficients",
        "roundings = 2 * size + sum(shape) + 2",
        "roundings = 2 * size + sum(shape)",
        "two roundings less are counted",
        equivalent="Twice 2m plus the number of terms is still more than the 2m roundings of a product and "
        "one a term: the distance is a bound as before.",
    ),
    room.formula(
        "staircase_weights",
        " / factorials[monomials.degrees]",
        "",
        "the orders in which groups alternate count",
    ),
    room.coefficient("staircase_weights", "** -np.arange", "** np.arange", "the temperature multiplies"),
    room.index(
        "staircase_weights", "end - size : end", "end - 1 : end", "only the last axis of a group counts"
    ),
    room.coefficient(
        "rounding_error",
        "distances + (12 + 2",
        "distances + (0 * 2",
        "the roundings of a weight are counted too low",
    ),
    room.formula(
        "rounding_error", "moved = distances + ", "moved = ", "what the coefficients are off by is dropped"
    ),
    room.index(
        "rounding_error", "** np.arange(count)", "** np.arange(1, count + 1)", "all powers are one too high"
    ),
    room.formula(
        "rounding_error", "math.exp(reach)", "math.exp(-reach)", "divided by e^x where it is largest"
    ),
    room.index("all_degrees", "range(g + 1)", "range(g)", "the largest degree is left out"),
)

UNTOUCHED: dict[str, str] = {}
