"""The mutants of ``lem-exp-polynomial``, most of them in :mod:`reductions.polynomials`."""

from checks.mutation.mutant import Room

LEMMA = "lem-exp-polynomial"
room = Room("reductions.upper_bound.exp_polynomial", LEMMA)
checker = Room("reductions.polynomials.checker", LEMMA)
producer = Room("reductions.polynomials.producer", LEMMA)
exchange = Room("reductions.polynomials.remez", LEMMA)
offer = Room("reductions.polynomials.exponential", LEMMA)
enclosure = Room("reductions.polynomials.enclosure", LEMMA)

MUTANTS = (
    room.formula(
        "alternation_points",
        "centre + b * Fraction(u)",
        "centre + Fraction(u)",
        "the points are not stretched",
    ),
    room.index("taylor_polynomial", "range(degree + 1)", "range(degree)", "the leading term is left out"),
    room.coefficient(
        "taylor_polynomial",
        "math.factorial(i)",
        "math.factorial(i) * (1 + i // 4)",
        "1/i! is wrong from x^4 on",
    ),
    room.threshold(
        "taylor_root", "Fraction(1, 2**40)", "Fraction(1, 2**39)", "the bisection ends one step early"
    ),
    room.index(
        "taylor_root",
        "(middle, high) if negative else (low, middle)",
        "(low, middle) if negative else (middle, high)",
        "the wrong half is kept",
    ),
    checker.coefficient(
        "_piecewise_bounds",
        "(Fraction(end) - Fraction(start)) / 2",
        "(Fraction(end) - Fraction(start)) / 4",
        "a quarter of a piece in place of half",
    ),
    checker.formula(
        "_piecewise_bounds",
        "max(-least, largest)",
        "min(-least, largest)",
        "the smaller of two slopes bounds the error",
    ),
    checker.threshold("_piecewise_bounds", "least < 0 < largest", "False", "every piece counts as monotone"),
    checker.index(
        "_piecewise_bounds",
        "max(errors[start], errors[end])",
        "errors[start]",
        "the error at the right end is not looked at",
    ),
    checker.threshold("_verify_cover", "start != reached or", "", "a gap between pieces is accepted"),
    checker.formula(
        "_bernstein_range",
        "integers[j] += s * integers[j + 1]",
        "integers[j] += integers[j + 1]",
        "the polynomial is not shifted to the piece",
    ),
    checker.formula(
        "_bernstein_range",
        "mixed[j] += mixed[j + 1]",
        "mixed[j] += 0 * mixed[j + 1]",
        "coefficients of powers stand for Bernstein coefficients",
    ),
    checker.index(
        "_bernstein_range",
        "enumerate(reversed(mixed))",
        "enumerate(mixed)",
        "the Bernstein coefficients come in the opposite order",
        equivalent="C(n, i) = C(n, n - i), and only the least and the largest of them are looked at.",
    ),
    checker.formula(
        "_error_at", "max(abs(", "min(abs(", "the better end of the enclosure of e^-x is believed"
    ),
    checker.formula(
        "proved_lower_bound",
        "max(abs(below), abs(above))",
        "abs(below + above) / 4",
        "the sum of absolute values is halved",
    ),
    checker.index(
        "proved_lower_bound", "if j != i)", "if j > i)", "the weights do not annihilate polynomials"
    ),
    checker.coefficient("", "_BITS = 256", "_BITS = 128", "e^x is enclosed to 128 bits"),
    checker.threshold(
        "exponential_bounds",
        "above = -(-above * y.numerator // (y.denominator * n))",
        "above = above * y.numerator // (y.denominator * n)",
        "terms of the upper sum are rounded down",
    ),
    checker.formula(
        "exponential_bounds",
        "return 1 / high, 1 / low",
        "return 1 / low, 1 / high",
        "the ends are swapped for negative x",
    ),
    producer.coefficient(
        "",
        "_SHORT = 2.0**-36",
        "_SHORT = 2.0**-6",
        "pieces around critical points are far too wide",
        equivalent="Pieces that do not prove the claim are halved until they do: only their number changes.",
    ),
    producer.threshold(
        "_Proof.holds_on",
        "<= self.error)",
        "<= 2 * self.error)",
        "pieces are kept that prove twice the error only",
    ),
    exchange.formula(
        "levelled_error",
        "-plain / alternating",
        "-plain / alternating / 2",
        "half of the levelled error is taken for the lower bound",
    ),
    exchange.threshold("", "_LEVELLED = 2.0**-40", "_LEVELLED = 2.0**-8", "the exchange ends 32 bits early"),
    exchange.formula("_exchange", "(1 + (-1) ** i * level)", "(1 + level)", "the heights do not alternate"),
    exchange.threshold(
        "_exchange",
        "float_above(largest)",
        "float_below(certified)",
        "the levelled error stands for the largest one",
    ),
    exchange.threshold("best_error_bounds", "2.0**-100:", "2.0**-10:", "b stands for E_g(b) up to b = 2^-10"),
    exchange.index(
        "initial_points",
        "k * math.pi",
        "(k + 0.5) * math.pi",
        "the exchange begins half a phase off",
        equivalent="The exchange only begins there; both bounds are certified from the points where it ends.",
    ),
    enclosure.formula(
        "slope_polynomial",
        "polynomial.derivative() - polynomial",
        "polynomial.derivative()",
        "roots of P' in place of P' - P",
    ),
    enclosure.index("enclose_error", "candidates + critical]", "candidates]", "only the ends are looked at"),
    offer.coefficient(
        "", "_ROOM = 1 + 2.0**-50", "_ROOM = 1 - 2.0**-30", "the stated error is below the largest one"
    ),
    offer.formula(
        "_rounded_coefficients",
        "(argument) * centre.exp()",
        "(argument)",
        "the factor e^c of a translated interval is forgotten",
    ),
    offer.index(
        "_rounded_coefficients",
        "[-centre * stretch, stretch]",
        "[centre * stretch, stretch]",
        "the interval is translated the other way",
    ),
    offer.index("ExpPolynomial.__call__", "[-2::-1]", "[-3::-1]", "Horner's rule skips a coefficient"),
    offer.index(
        "ExpPolynomial.degree",
        "len(self.coefficients) - 1",
        "len(self.coefficients)",
        "the degree is the number of coefficients",
    ),
    offer.coefficient("half_width", "/ 2", "/ 1", "the whole width is taken for half of it"),
    offer.threshold(
        "_certified",
        "polynomial.error <= tolerance",
        "polynomial.error <= 2 * tolerance",
        "twice the tolerance is accepted",
        statements=("lem-degree",),
    ),
    offer.index(
        "_certified",
        "degree = least_degree(b, tolerance, largest)",
        "degree = least_degree(b, tolerance, largest) + 1",
        "one degree too many is offered",
        statements=("lem-degree",),
    ),
    offer.index(
        "provably_least",
        "best_error_bounds(polynomial.degree - 1, b)",
        "best_error_bounds(polynomial.degree, b)",
        "the error of the same degree decides",
        statements=("lem-degree",),
    ),
)

UNTOUCHED: dict[str, str] = {}
