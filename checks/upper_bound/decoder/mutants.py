"""The mutants of ``lem-decoder`` and ``lem-decoder-identity``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.decoder", "lem-decoder")
identity = Room("reductions.upper_bound.decoder", "lem-decoder-identity")

MUTANTS = (
    room.index(
        "Decoder.channels",
        "layer.channels[0]",
        "layer.channels[1]",
        "the channels that leave the first layer are asked of the feature map",
    ),
    identity.formula("Decoder.factor", "2 ** sum", "2 * sum", "u doublings lengthen sides 2u times"),
    room.formula(
        "Decoder.__call__",
        "layer(image, attend) if isinstance(layer, AttentionBlock)",
        "layer(image) if isinstance(layer, AttentionBlock)",
        "attention is exact whatever way of attending is asked for",
    ),
    room.coefficient(
        "Decoder.stages",
        "2 * height, 2 * width",
        "2 * height, width",
        "a doubling is taken to double the height only",
    ),
    room.index(
        "Decoder.stages",
        "yield layer, (height, width)\n            if isinstance(layer, Doubling):\n"
        "                height, width = 2 * height, 2 * width",
        "if isinstance(layer, Doubling):\n                height, width = 2 * height, 2 * width\n"
        "            yield layer, (height, width)",
        "a doubling is shown the image that leaves it",
        equivalent="Nobody reads a doubling's shape: it costs no multiplication and has the factor 1. "
        "All other layers are given the same shape, for only doublings change it.",
    ),
    room.formula(
        "Decoder.multiplications",
        "layer.multiplications(pixels) + attention_cost",
        "attention_cost",
        "projections to queries, keys and values cost nothing",
    ),
    room.formula(
        "Decoder.multiplications",
        "height * width",
        "height + width",
        "sides are added where pixels are counted",
    ),
    room.index(
        "Decoder.multiplications",
        "weights.value_weights.shape[1]",
        "weights.value_weights.shape[0]",
        "d_v is read off the wrong axis",
    ),
    room.index(
        "Decoder.lipschitz",
        "shape or (3, 3)",
        "shape or (2, 2)",
        "without a shape, maps are taken to be too small to show all taps",
    ),
    room.coefficient(
        "Decoder.lipschitz",
        "shape or (3, 3)",
        "shape or (3, 4)",
        "without a shape, maps of 3 x 4 are taken",
        equivalent="On an axis of 3 pixels or more the middle ones see all three taps, so the "
        "norm of a convolution is the same for all such shapes; doublings keep them so.",
    ),
    room.index(
        "Decoder.error_bound",
        "error += column_norm(layer.weights.output_weights) * next(remaining)",
        "error += next(remaining)",
        "an error of attention passes W_O unchanged",
    ),
    room.formula(
        "Decoder.error_bound", "error = factor * error", "error = factor + error", "factors are added up"
    ),
    identity.index(
        "ImageModel.image_of",
        "zip(outputs, self.model.schedule, strict=True)",
        "zip(outputs[::-1], self.model.schedule[::-1], strict=True)",
        "the maps are given to the reconstruction in the opposite order",
    ),
    identity.index(
        "identity_image_model",
        "(*[nothing] * (scales - 1), one)",
        "(one, *[nothing] * (scales - 1))",
        "the first scale is shown in place of the last",
    ),
    identity.formula(
        "identity_image_model",
        "ResidualBlock(one, nothing)",
        "ResidualBlock(one, one)",
        "the ResNet block's branch is not silent: positive pixels are doubled",
    ),
    identity.index(
        "identity_image_model", "read_out[channel] = 1", "read_out[channel, 0] = 1", "the image is red only"
    ),
    identity.index(
        "identity_image_model",
        "channel: int = 0",
        "channel: int = 1",
        "channel 1 is shown where none is asked for",
    ),
    room.index(
        "textbook_layers",
        "for pixel in row for _ in range(2)] for row in image for _ in range(2)]",
        "for _ in range(2) for pixel in row] for row in image for _ in range(2)]",
        "the textbook repeats rows of pixels in place of pixels",
    ),
    room.formula(
        "textbook_layers",
        "textbook_convolution(_rectified(branch), layer.second)",
        "textbook_convolution(branch, layer.second)",
        "the textbook's second ReLU is left out",
    ),
    room.threshold("_rectified", "x > 0", "x > -1", "numbers just below 0 pass the ReLU"),
    room.formula("_sum", "x + y", "x - y", "branches are subtracted"),
    room.index(
        "_times",
        "np.asarray(weights, dtype=np.float64).T.tolist()",
        "np.asarray(weights, dtype=np.float64).tolist()",
        "weights act from the wrong side",
    ),
    room.formula(
        "_attended",
        "_times(attended, layer.output_weights)",
        "attended",
        "the textbook's attention leaves W_O out",
    ),
    room.index(
        "_attended",
        "rows[i * width : (i + 1) * width] for i in range(height)",
        "rows[i::height] for i in range(height)",
        "pixels come back column by column",
    ),
    room.formula(
        "textbook_decoder", "decoder.layers,", "decoder.layers[1:],", "the textbook forgets the first layer"
    ),
)

UNTOUCHED = {
    "Decoder.__post_init__": "It only refuses arguments.",
    "Decoder.attention_blocks": "It only lists layers, for plans and tests.",
    "ImageModel.__post_init__": "It only refuses arguments.",
}
