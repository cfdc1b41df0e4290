"""The mutants of ``lem-rank-growth``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.rank_growth", "lem-rank-growth")

MUTANTS = (
    room.threshold(
        "bisect", "function(middle) < target", "function(middle) > target", "the wrong half is kept"
    ),
    room.threshold("decay", "angle < _SERIES", "angle < 0", "a cosh a - sinh a cancels for small a"),
    room.coefficient(
        "decay", "2 * k * term", "term", "the series of sinh in place of that of a cosh a - sinh a"
    ),
    room.formula(
        "decay",
        "angle * math.cosh(angle) - math.sinh(angle)",
        "angle * math.cosh(angle)",
        "sinh a is not subtracted",
    ),
    room.formula(
        "degree_rate", "rho * math.cosh(angle)", "rho * math.sinh(angle)", "rho sinh a in place of rho cosh a"
    ),
    room.coefficient("degree_rate", "- math.log(2) + angle", "+ angle", "e^a in place of e^a/2 for large a"),
    room.coefficient("_decay_at", "(angle - 1)", "angle", "sinh a is not subtracted for large a"),
    room.formula(
        "rank_rate",
        "c * math.log1p(gamma / c)",
        "math.log1p(gamma / c)",
        "ln(1 + gamma/c) is not multiplied by c",
    ),
    room.formula(
        "rank_exponent",
        "rank_rate(c, degree_rate(rho, kappa))",
        "rank_rate(c, degree_rate(kappa, rho))",
        "rho and kappa are swapped",
    ),
    room.index(
        "enclosure",
        "fraction(value.lower()), fraction(value.upper())",
        "fraction(value.upper()), fraction(value.lower())",
        "the ends are swapped",
    ),
    room.coefficient("ball", "exact.denominator", "1", "the denominator is forgotten"),
    room.index("fraction", "** exponent", "** (exponent + 1)", "every number is doubled"),
    room.index("_ball_of", "ball(bounds[1])", "ball(bounds[0])", "only the lower end is held"),
    room.formula(
        "degree_rate_enclosure",
        "a * a.cosh() - a.sinh() < target",
        "a * a.cosh() < target",
        "a rate of another equation bounds from below",
    ),
    room.formula(
        "degree_rate_enclosure",
        "a * a.cosh() - a.sinh() > target",
        "a * a.cosh() > target",
        "a rate of another equation bounds from above",
    ),
    room.formula(
        "degree_rate_enclosure",
        "_ball_of((low, high)).cosh()",
        "_ball_of((low, high)).sinh()",
        "rho sinh a in place of rho cosh a",
    ),
    room.formula("rank_rate_enclosure", "(1 + x / y)", "(1 + y / x)", "ln(1 + gamma/c) stands twice"),
    room.index(
        "rank_exponent_enclosure",
        "degree_rate_enclosure(rho, kappa, bits)",
        "degree_rate_enclosure(kappa, rho, bits)",
        "rho and kappa are swapped",
    ),
    room.coefficient(
        "elementary_error_bounds",
        "nu = Fraction(half_width), degree + 1",
        "nu = Fraction(half_width), degree",
        "nu = g in place of g + 1",
    ),
    room.formula(
        "elementary_error_bounds",
        "ball(b) * angle.sinh() - nu * angle",
        "nu * angle - ball(b) * angle.sinh()",
        "e^F in place of e^-F",
    ),
    room.coefficient(
        "elementary_error_bounds",
        "high = min(high, enclosure(ball(2).sqrt() * size",
        "high = min(high, enclosure(size / 4",
        "the upper bound is too small by a factor of 4 sqrt 2",
    ),
    room.threshold(
        "error_bounds",
        "max(low, enclosure(below)[0]), min(high, enclosure(above)[1])",
        "max(low, enclosure(above)[1]), min(high, enclosure(below)[0])",
        "the bounds are swapped",
    ),
    room.formula("power_enclosure", "(-ball(log_inverse))", "ball(log_inverse)", "e^t in place of e^-t"),
    room.index("degree_window", "low = middle + 1", "low = middle + 2", "the search skips a degree"),
    room.index(
        "degree_window",
        "least - 1)[0] > large",
        "least - 1)[1] > large",
        "degrees are ruled out by an upper bound",
    ),
)

UNTOUCHED: dict[str, str] = {"_require": "refuses a bad argument"}
