"""The mutants of ``rem-depth``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.depth", "rem-depth")

MUTANTS = (
    room.index(
        "local_precision",
        "(scales - 1) * log_constant",
        "scales * log_constant",
        "the error passes one layer more",
    ),
    room.formula(
        "local_precision", "-scales * log_constant", "-log_constant", "the geometric sum has one term"
    ),
    room.formula(
        "local_precision",
        "+ math.log(scales)",
        "+ scales",
        "without growth, errors multiply instead of adding",
    ),
    room.coefficient(
        "error_window", "- 2 * b,", "- b,", "the error of Taylor's polynomial loses a factor e^b"
    ),
    room.coefficient(
        "error_window", "math.log(2 * nu / b)", "math.log(nu / b)", "Bernstein's ellipse is half as wide"
    ),
    room.formula("error_window", "math.e * b", "b", "Stirling's e is forgotten"),
    room.index("error_window", "degree + 1", "degree + 2", "one degree more is counted than there is"),
    room.index(
        "degree_window.least",
        "middle - 1)[end] < precision",
        "middle)[end] < precision",
        "the search is one degree off",
    ),
    room.index("degree_window", "return least(1,", "return least(0,", "both ends come from the same bound"),
    room.coefficient("degree_slope", "(1 - 2 * rho)", "(1 - rho)", "the slope stays finite at 1/2"),
    room.coefficient("degree_slope", "return 2 * rho", "return rho", "the slope is halved"),
    room.formula("entropy", "+ c * math.log1p(gamma / c)", "", "half of the count is forgotten"),
    room.formula(
        "entropy",
        "gamma * math.log1p(c / gamma)",
        "gamma * math.log(c / gamma)",
        "small dimensions make it negative",
    ),
    room.coefficient("scale_exponent", "2 * x + min(2 * x", "2 * x + min(x", "exact attention takes 3x"),
    room.formula("scale_exponent", "(1 - x) * gamma", "gamma", "the degree does not fall along the drawing"),
    room.threshold(
        "drawing_exponent",
        "if 2 * middle < entropy",
        "if middle < entropy",
        "the crossing is computed with the wrong cost",
    ),
    room.index("drawing_exponent", "else (left, b)", "else (a, right)", "the search leaves the maximum"),
    room.threshold(
        "drawing_exponent", "best = max(high", "best = min(high", "the scale that takes least time"
    ),
    room.formula(
        "amplifying_model",
        "values, outputs = np.array([[0.0], [1.0]])",
        "values, outputs = np.array([[1.0], [0.0]])",
        "values read the error instead of the sign",
    ),
    room.index(
        "amplifying_model",
        "reads_error[0] = reads_sign[1]",
        "reads_error[1] = reads_sign[1]",
        "queries read the sign",
    ),
    room.formula("amplifying_model", "float(dimension)", "1.0", "the temperature is 1 in every dimension"),
    room.formula("_signs", "= bound, -bound", "= bound, bound", "all keys have the same sign"),
    room.index("_signs", ": side // 2, 1]", ": side // 4, 1]", "fewer keys are positive than negative"),
    room.formula(
        "amplified", "bound * math.tanh(bound * error)", "bound * math.tanh(error)", "the logits lose their R"
    ),
)

UNTOUCHED: dict[str, str] = {}
