"""The mutants of ``lem-weight-perturbation``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.weight_perturbation", "lem-weight-perturbation")

MUTANTS = (
    room.coefficient("", "_UP = 1 + 2.0**-50", "_UP = 1.0", "nothing makes up for the roundings"),
    room.coefficient("", "_UP = 1 + 2.0**-50", "_UP = 1 + 2.0**-48", "four times too much makes up for them"),
    room.coefficient("", "_LEAST = 2.0**-1073", "_LEAST = 0.0", "a product that underflows counts as exact"),
    room.coefficient(
        "",
        "_LEAST = 2.0**-1073",
        "_LEAST = 2.0**-1074",
        "one unit of the smallest subnormal is added, not two",
        equivalent="Where a product underflows, it and the next one are off by half a unit each: one unit "
        "is enough, and the second one is a margin.",
    ),
    room.formula("weighted_mean_error", "(1 - epsilon)", "(1 + epsilon)", "1 - eps^2 turns into (1 + eps)^2"),
    room.formula(
        "weighted_mean_error", "math.sqrt((1 - epsilon)", "((1 - epsilon)", "the square root is forgotten"
    ),
    room.formula(
        "weighted_mean_error", "* share * _UP + _LEAST", "* share", "the bound is rounded to nearest, not up"
    ),
    room.threshold(
        "logit_error", "2.0**-27", "2.0**-20", "eta stands for 2 tanh(eta/2) where they differ by 2^-46"
    ),
    room.threshold(
        "logit_error",
        "2.0**-27",
        "2.0**-26",
        "eta stands for 2 tanh(eta/2) up to 2^-26",
        equivalent="Below 2^-26, eta is above 2 tanh(eta/2) by a factor of at most 1 + eta^2/12 < 1 + 2^-55: "
        "with _UP and the roundings that is still below the promised 1 + 2^-49.",
    ),
    room.threshold("logit_error", "eta > 40", "eta > 20", "2v stands for the bound where it is 2^-28 above"),
    room.coefficient(
        "logit_error", "_tanh_up(eta / 2)", "_tanh_up(eta)", "tanh(eta) in place of tanh(eta/2)"
    ),
    room.threshold("ratio_error", "2.0**120", "2.0**60", "2v stands for the bound where it is 2^-29 above"),
    room.formula("ratio_error", "** 2", "", "sqrt(kappa) + 1 is not squared: kappa - 1 in place of its root"),
    room.coefficient("ratio_error", "(1 + 2.0**-49)", "1", "nothing makes up for eight roundings"),
    room.formula("compose", "(1 + total * Fraction(epsilon))", "1", "the eps are added, not their artanhs"),
    room.threshold(
        "compose",
        "Fraction(_round_up(total))",
        "Fraction(float(total))",
        "the composed eps is rounded to nearest",
    ),
    room.coefficient("epsilon_of", "1 + t * t", "1 - t * t", "eps = 2t/(1 - t^2), as for tan"),
    room.index(
        "equality_case", "(1 + epsilon, 1 - epsilon)", "(1 - epsilon, 1 + epsilon)", "the heavier token gains"
    ),
    room.formula("weighted_mean", " / sum(weights)", "", "the mean is not divided by the total weight"),
    room.formula("_tanh_up", ".tanh()", ".sinh()", "sinh in place of tanh"),
    room.threshold(
        "_tanh_up",
        ".upper()",
        ".lower()",
        "tanh is rounded down at 80 bits",
        equivalent="The ends of the ball are 2^-70 of themselves apart: _UP, 2^-50, makes up for it.",
    ),
    room.threshold(
        "_round_up", ">= number", "<= number", "what was rounded down stays, what was rounded up goes further"
    ),
)

UNTOUCHED: dict[str, str] = {
    "_require_value_bound": "refuses a bad argument",
}
