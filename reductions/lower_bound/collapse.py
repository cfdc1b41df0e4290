"""Start token only, no positions: every token map is constant, and the model collapses to K vectors.

Interpolation keeps constants, feed-forward layers work token by token, and equal queries that see the
same keys give equal outputs. So a scale of h w equal tokens can be replaced by one token that counts
h w times. A stack of zero-padded 3 x 3 convolutions then sees nothing but the border.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reductions.layers.arrays import Floats
from reductions.layers.convolution import Doubling, convolve
from reductions.problems.var_model import FeedForward, VarModel


def collapsed_run(model: VarModel, start_token: Floats) -> Floats:
    """Return one token a scale, shape (K, channels): the constant values of the token maps.

    Time O(K^2) per layer in the number of scales, independent of n.

    Raises
    ------
    ValueError
        If the model has positions: then maps need not be constant. Or if it cannot draw, because its
        tokens change their length.
    """
    if any(table is not None for table in model.position_table):
        raise ValueError("Argument 'model' must have no position table.")
    outgoing = model.layers[-1].channels[1]
    if len(model.schedule) > 1 and outgoing != model.channels:
        raise ValueError(
            f"Argument 'model' must draw tokens of {model.channels} channels, not of {outgoing}."
        )
    counts = np.array([height * width for height, width in model.schedule], dtype=np.float64)
    return weighted_run(model, start_token, counts)


def weighted_run(model: VarModel, start_token: Floats, multiplicities: Floats) -> Floats:
    """Run the model on one token a scale; attention counts that of scale k ``multiplicities[k]`` times."""
    caches: list[tuple[list[Floats], list[Floats]]] = [([], []) for _ in model.layers]
    token = np.asarray(start_token, dtype=np.float64)
    maps = []
    for scale in range(len(model.schedule)):
        for layer, (keys, values) in zip(model.layers, caches, strict=True):
            if isinstance(layer, FeedForward):
                token = layer(token)
                continue
            keys.append(token @ layer.key_weights)
            values.append(token @ layer.value_weights)
            logits = np.stack(keys) @ (token @ layer.query_weights) / layer.temperature
            weights = multiplicities[: scale + 1] * np.exp(logits - logits.max())
            token = weights @ np.stack(values) / weights.sum() @ layer.output_weights
        maps.append(token)
    return np.stack(maps)


ImageLayer = NDArray[np.float64] | Doubling
"""The filters of a convolution, shape (3, 3, channels in, channels out), or a doubling."""


def border_depth(layers: Sequence[ImageLayer]) -> int:
    """Return how far from the border a stack of layers can tell pixels apart.

    A convolution carries the border one pixel inward, a doubling twice as far.
    """
    depth = 0
    for layer in layers:
        depth = 2 * depth if isinstance(layer, Doubling) else depth + 1
    return depth


def border_pattern(n: int, depth: int, side: int | None = None) -> NDArray[np.int64]:
    """Return, for each of n pixels on an axis, the pixel of an axis of ``side`` that it behaves like.

    Pixels closer than ``depth`` to an end keep their distance to it; all others are alike.

    Parameters
    ----------
    n
        At least 2 depth + 1.
    side
        At least 2 depth + 1, which is the default.

    >>> border_pattern(8, 2).tolist()
    [0, 1, 2, 2, 2, 2, 3, 4]
    """
    side = 2 * depth + 1 if side is None else side
    for argument, pixels in (("n", n), ("side", side)):
        if pixels < 2 * depth + 1:
            raise ValueError(f"Argument {argument!r} must be at least {2 * depth + 1}, not {pixels}.")
    index = np.arange(n)
    return np.where(index < depth, index, np.where(index >= n - depth, index - n + side, depth))


def collapsed_image(value: Floats, layers: Sequence[ImageLayer], n: int) -> Floats:
    """Return what a stack of layers makes of a constant n x n map, from a small map only.

    With border depth D and u doublings, the stack is run on a constant map of side
    ceil((2 D + 1) / 2^u); its pixels are then copied to where they belong.

    Parameters
    ----------
    value
        The constant, shape (channels,).
    layers
        As in :func:`full_image`.
    n
        The side of the constant map.
    """
    depth = border_depth(layers)
    factor = 2 ** sum(isinstance(layer, Doubling) for layer in layers)
    small = -(-(2 * depth + 1) // factor)
    if n <= small:
        return full_image(value, layers, n)
    pattern = border_pattern(factor * n, depth, factor * small)
    image: Floats = full_image(value, layers, small)[np.ix_(pattern, pattern)]
    return image


def full_image(value: Floats, layers: Sequence[ImageLayer], n: int) -> Floats:
    """Return what convolutions, with ReLU between them, and doublings make of a constant n x n map.

    Parameters
    ----------
    value
        The constant, shape (channels,).
    layers
        Filters and doublings, in order.
    n
        The side of the constant map.

    Returns
    -------
    numpy.ndarray
        Shape (2^u n, 2^u n, channels out) for u doublings. All pixels are computed.
    """
    image: Floats = np.broadcast_to(np.asarray(value, dtype=np.float64), (n, n, len(value)))
    convolved = False
    for layer in layers:
        if isinstance(layer, Doubling):
            image = layer(image)
        else:
            image = convolve(np.maximum(image, 0.0) if convolved else image, layer)
            convolved = True
    return image
