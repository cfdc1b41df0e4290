"""The mutants of ``rem-released-model``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.released_model", "rem-released-model")

MUTANTS = (
    room.coefficient("", "HEAD_DIMENSION = 64", "HEAD_DIMENSION = 32", "heads are half as wide"),
    room.coefficient("", "LARGEST_SCALE = 100.0", "LARGEST_SCALE = 50.0", "the clamp is lower"),
    room.coefficient("", "13, 18, 24, 32)", "13, 18, 24, 31)", "the larger model ends one row short"),
    room.threshold(
        "attention_scale",
        ">= math.log",
        "<= math.log",
        "small scales are raised to the clamp and large ones kept",
    ),
    room.formula(
        "attention_scale",
        "else math.exp(learned_logarithm)",
        "else learned_logarithm",
        "the logarithm is taken for the scale",
    ),
    room.index("normalised", "axis=-1", "axis=0", "columns are normalised, not rows"),
    room.threshold("normalised", "lengths > 0", "lengths > 9", "short rows stay as they are"),
    room.formula("cosine_attention", "1 / scale", "scale", "the scale divides the logits"),
    room.index("cosine_attention", "normalised(keys)", "keys", "keys keep their lengths"),
    room.index("released_criterion", "SIDES[pixels]", "SIDES[256]", "every model is the smaller one"),
    room.coefficient(
        "released_criterion",
        "HEAD_DIMENSION, scale",
        "HEAD_DIMENSION, 2 * scale",
        "logits are bounded by twice the scale",
    ),
    room.index(
        "paying_side.pays", "criterion.rank", "criterion.head_dim", "the rank is taken for the dimension"
    ),
    room.threshold(
        "paying_side", "(low, middle) if pays", "(middle + 1, high) if pays", "the search goes the wrong way"
    ),
    room.index("paying_side", "return 1 << low", "return 1 << low + 1", "the next size is returned"),
)

UNTOUCHED: dict[str, str] = {}
