"""The mutants of ``thm-phase``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.phase", "thm-phase")

MUTANTS = (
    room.coefficient(
        "", "MAPS_GAP_LOGIT_RATE = 8", "MAPS_GAP_LOGIT_RATE = 9", "the gap route's logits grow faster"
    ),
    room.coefficient(
        "", "MAPS_GAP_LOGIT_RATE // 2", "MAPS_GAP_LOGIT_RATE", "its half-width is taken for its length"
    ),
    room.coefficient(
        "Growth.schedule_factor", "return 3 if", "return 4 if", "the linear schedule has n^4 tokens"
    ),
    room.index(
        "Growth.schedule_factor",
        "self is Growth.LINEAR",
        "self is Growth.RELEASED",
        "another schedule is cubic",
    ),
    room.index(
        "rank_growth_exponent",
        "degree_rate(b_over_log_n, kappa)",
        "degree_rate(kappa, b_over_log_n)",
        "half-width and tolerance are exchanged",
    ),
    room.coefficient("exact_exponent", "2 * _checked", "3 * _checked", "exact attention takes N^3"),
    room.formula("fast_exponent", "min(sigma", "max(sigma", "the dearer of the two passes is taken"),
    room.formula("fast_exponent", "sigma + rank", "2 * sigma + rank", "the tokens are counted twice"),
    room.coefficient("fast_exponent", "2 * sigma)", "3 * sigma)", "exact attention costs more than it does"),
    room.threshold(
        "subquartic_criterion", "rate), sigma,", "rate), 2 * sigma,", "the rank may reach n^(2 sigma)"
    ),
    room.formula(
        "subquartic_criterion", "gamma / math.cosh", "gamma * math.cosh", "the tolerance widens the window"
    ),
    room.formula(
        "subquartic_criterion", "kappa / gamma)", "gamma / kappa)", "the angle's target is upside down"
    ),
    room.formula("entry_criterion", "math.sqrt(", "abs(", "entries are compared with logits"),
    room.formula(
        "barrier_exponent", "used = min(c,", "used = max(c,", "more dimensions are used than there are"
    ),
    room.formula(
        "barrier_exponent", "/ math.log(2)", "* math.log(2)", "the cube is taken larger than the token set"
    ),
    room.formula(
        "barrier_exponent", "square / (1 + square)", "square / (1 - square)", "a share that is none"
    ),
    room.coefficient(
        "barrier_exponent",
        "math.tanh(b_over_log_n / used) ** 2",
        "math.tanh(b_over_log_n / used)",
        "singular values are taken for their squares",
    ),
    room.formula("cube_rank", "numerator**2 * sum", "numerator * sum", "the error is not squared"),
    room.threshold("cube_rank", "masses[k] > room", "masses[k] < room", "the wrong level is cut"),
    room.index("cube_rank", "reversed(levels)", "levels", "the largest singular values are dropped first"),
    room.index(
        "cube_rank",
        "upper**k * lower ** (dimension - k)",
        "lower**k * upper ** (dimension - k)",
        "the spectrum is upside down",
    ),
    room.threshold("forced_dimension", "2 - saving, 0.0", "2 + saving, 0.0", "the saving is added"),
    room.coefficient(
        "gap_route_logit_bound", "4 * math.log", "2 * math.log", "the gap route's bound is halved"
    ),
    room.coefficient("gap_route_logit_bound", "(16 *", "(8 *", "the masses of other keys are underestimated"),
    room.coefficient(
        "direct_route_logit_bound", "return 2 *", "return 4 *", "the direct route's bound is doubled"
    ),
    room.coefficient(
        "_tokens",
        "4 * n * n - 1",
        "4 * n * n + 1",
        "the pyramid has two thirds of a token more",
        equivalent="4 n^2 leaves the remainder 1 by 3 for a power of two n, so both quotients are rounded "
        "down to (4 n^2 - 1)/3.",
    ),
    room.formula(
        "_lag", "angle - math.tanh(angle)", "angle - math.sin(angle)", "another function of the angle"
    ),
    room.coefficient("_lag", "1 / 3 - square", "1 / 2 - square", "the series begins with the wrong term"),
    room.threshold("_angle", "0.0, target + 2", "0.0, target", "the bracket ends before the root"),
)

UNTOUCHED = {"_checked": "It only refuses what is no schedule factor."}
