"""The mutants of ``lem-collapse``."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.collapse", "lem-collapse")

MUTANTS = (
    room.threshold(
        "collapsed_run",
        "any(table is not None",
        "all(table is not None",
        "a model with positions on some scales only is taken to collapse",
    ),
    room.threshold(
        "collapsed_run",
        "len(model.schedule) > 1 and",
        "len(model.schedule) > 2 and",
        "a model of two scales that cannot draw is run",
    ),
    room.formula(
        "collapsed_run",
        "height * width for",
        "height + width for",
        "a scale counts its sides in place of its tokens",
    ),
    room.index(
        "weighted_run",
        "multiplicities[: scale + 1]",
        "multiplicities[scale]",
        "older scales count as often as the newest",
    ),
    room.formula(
        "weighted_run",
        "token @ layer.query_weights",
        "token @ layer.key_weights",
        "keys ask in place of queries",
    ),
    room.formula("weighted_run", " / layer.temperature", "", "logits are not divided by the temperature"),
    room.index("weighted_run", "maps.append(token)", "maps.insert(0, token)", "scales come out in reverse"),
    room.formula(
        "weighted_run",
        "np.exp(logits - logits.max())",
        "np.exp(logits - logits.min())",
        "the smallest logit is subtracted in place of the largest",
        equivalent="A common factor of all weights cancels in their quotient. Only the range of "
        "float64 would tell the two apart, for logits hundreds apart, which no checked model has.",
    ),
    room.coefficient(
        "border_depth",
        "2 * depth if",
        "2 * depth - 1 if",
        "a doubling carries the border one pixel less than twice as far",
    ),
    room.coefficient("border_depth", "depth + 1", "depth + 2", "a convolution carries the border two pixels"),
    room.threshold(
        "border_pattern", "index >= n - depth", "index > n - depth", "the far border is one pixel thinner"
    ),
    room.threshold(
        "border_pattern", "index < depth", "index < depth - 1", "the near border is one pixel thinner"
    ),
    room.index(
        "border_pattern",
        "index - n + side",
        "index - n + side - 1",
        "the far border is copied from one pixel too near",
    ),
    room.threshold(
        "collapsed_image",
        "-(-(2 * depth + 1) // factor)",
        "(2 * depth + 1) // factor",
        "the small map is rounded down and has no middle",
    ),
    room.threshold(
        "collapsed_image",
        "n <= small",
        "n < small",
        "a map that is small already is collapsed, too",
        equivalent="For n = small the pattern maps every border pixel to itself and the middle "
        "to its first pixel. All middle pixels are equal by part 3, so the image is the same.",
    ),
    room.coefficient(
        "collapsed_image",
        "-(-(2 * depth + 1)",
        "-(-(2 * depth + 2)",
        "the small map may have a pixel more than it needs",
        equivalent="Any map of side 2 D + 1 or more shows every border pattern, and pixels with the same "
        "pattern are equal by part 3: a larger one costs time and changes no pixel.",
    ),
    room.threshold(
        "border_pattern",
        "side = 2 * depth + 1 if",
        "side = 2 * depth + 2 if",
        "the axis that stands for all others is one pixel longer than it must be",
    ),
    room.index(
        "collapsed_image",
        "factor * n, depth, factor * small",
        "n, depth, small",
        "the pattern is that of the map, not of the doubled image",
    ),
    room.formula(
        "full_image",
        "np.maximum(image, 0.0) if convolved else image",
        "np.maximum(image, 0.0)",
        "the constant itself goes through a ReLU",
    ),
    room.formula(
        "full_image",
        "np.maximum(image, 0.0) if convolved else image",
        "image",
        "there is no ReLU between convolutions",
    ),
)

UNTOUCHED: dict[str, str] = {}
