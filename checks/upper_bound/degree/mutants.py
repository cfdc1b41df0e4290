"""The mutants of ``lem-bessel-error`` and ``lem-degree``, most of them in :mod:`reductions.polynomials`."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.degree", "lem-degree")
bessel = Room("reductions.polynomials.bessel", "lem-bessel-error")
least = Room("reductions.polynomials.least_degree", "lem-degree")

MUTANTS = (
    room.coefficient("", "LOWER_CONSTANT = 0.3", "LOWER_CONSTANT = 0.4", "0.4 G <= g + 1 is claimed"),
    room.coefficient("", "UPPER_CONSTANT = 3", "UPPER_CONSTANT = 2", "g < 2 G is claimed"),
    room.formula("degree_order", "math.e + digits / b", "1 + digits / b", "1 in place of e in the logarithm"),
    room.formula("degree_order", "digits / b)", "digits)", "ln(1/eps) is not divided by b"),
    room.threshold("degree_bounds", "math.ceil(LOWER", "math.floor(LOWER", "the lower bound is rounded down"),
    room.index("degree_bounds", "order * rounding) - 1", "order * rounding)", "g <= 3 G in place of g < 3 G"),
    room.index("degree_bounds", "/ rounding) - 1)", "/ rounding))", "0.3 G <= g in place of 0.3 G <= g + 1"),
    bessel.threshold("decay", "slope > 0.1", "slope > 0.0001", "psi cancels where x is near nu"),
    bessel.threshold("decay", "slope > 0.1", "slope > 0.5", "the series of psi is used too far"),
    bessel.formula("decay", "((nu + x) / nu)", "(nu / (nu + x))", "1 - (x/nu)^2 is computed wrongly"),
    bessel.coefficient("_atanh_excess", "slope**k / k", "slope**k", "the series of artanh without divisors"),
    bessel.index("_atanh_excess", "range(3,", "range(5,", "the series of artanh without its cube"),
    bessel.threshold("decay_rate", "gamma > rho", "gamma >= 0", "below rho, too, a rate is looked for"),
    bessel.formula(
        "bessel_sum", "1 - following / term", "1 + following / term", "the rest is summed with signs"
    ),
    bessel.index(
        "bessel_sum", "order, term = order + 1", "order, term = order + 2", "every other term is left out"
    ),
    bessel.coefficient("", "2.0**-70", "2.0**-20", "the sums end 50 bits early"),
    bessel.threshold("bessel_error_balls", "order <= b", "order < b", "g + 1 = b is treated as if g + 1 > b"),
    bessel.index(
        "bessel_error_balls",
        "bessel_sum(order, half_width)",
        "bessel_sum(order + 1, half_width)",
        "A begins at k = g + 2",
    ),
    bessel.index(
        "bessel_error_balls",
        "bessel_sum(2 * order,",
        "bessel_sum(2 * order + 1,",
        "kappa begins at m = 2g + 3",
    ),
    bessel.coefficient("bessel_error_balls", "2 * bessel_sum", "bessel_sum", "A is not doubled"),
    bessel.formula(
        "bessel_error_balls",
        "(1 - ratio) / (1 + ratio)",
        "(1 - ratio)",
        "the lower bound without the divisor 1 + t",
    ),
    bessel.formula(
        "bessel_error_balls",
        "- contraction / (1 - contraction))",
        "- contraction)",
        "the lower bound without the divisor 1 - kappa",
    ),
    bessel.formula(
        "bessel_error_balls",
        "size / (1 - contraction)",
        "size / (1 + contraction)",
        "the upper bound with 1 + kappa",
    ),
    bessel.formula(
        "bessel_error_balls", "upper = half_width.tanh()", "upper = half_width", "b in place of tanh b"
    ),
    bessel.coefficient(
        "bessel_error_balls",
        "slope = 1 - arb(degree)",
        "slope = 1 - arb(order)",
        "b - g - 1 in place of b - g",
    ),
    bessel.threshold(
        "bessel_error_bounds", "float_above(upper)", "float_below(upper)", "the upper bound is rounded down"
    ),
    bessel.threshold(
        "log_bessel_error_bounds",
        "float_below(lower)",
        "float_above(lower)",
        "the logarithm of the lower bound is rounded up",
    ),
    bessel.coefficient(
        "_bits",
        "4 * math.floor",
        "0 * math.floor",
        "no bits for what the series cancels",
    ),
    least.threshold(
        "least_degree",
        "if b and bessel_error_bounds(b, degree)[0]",
        "if b and bessel_error_bounds(b, degree)[1]",
        "a degree is ruled out by an upper bound",
    ),
    least.index(
        "least_degree",
        "return best_error_bounds(degree, b)[0]",
        "return best_error_bounds(degree + 1, b)[0]",
        "the error of the next degree decides",
    ),
    least.index(
        "least_degree", "excluded(degree - 1)", "excluded(degree)", "degrees below the guess are not tried"
    ),
    least.threshold(
        "least_degree",
        "or excluded(max_degree)",
        "or not excluded(max_degree)",
        "the largest degree is refused where it is enough",
    ),
    least.index("least_degree", "degree += 1", "degree += 2", "degrees above the guess are passed over"),
    least.index(
        "_guess",
        "nu = degree + 1",
        "nu = degree + 3",
        "the guess is two degrees low",
        equivalent="The guess is where the search begins: from it the degree goes up past all that are ruled "
        "out, or down to the first below which one is.",
    ),
)

UNTOUCHED: dict[str, str] = {}
