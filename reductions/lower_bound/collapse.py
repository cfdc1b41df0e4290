"""Start token only, no positions: every token map is constant, and the model collapses to K vectors.

Interpolation keeps constants, feed-forward layers work token by token, and equal queries that see the
same keys give equal outputs. So a scale of h w equal tokens can be replaced by one token that counts
h w times. A stack of zero-padded 3 x 3 convolutions then sees nothing but the border.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reductions.problems.var_model import FeedForward, Floats, VarModel


def collapsed_run(model: VarModel, start_token: Floats) -> Floats:
    """Return one token a scale, shape (K, channels): the constant values of the token maps.

    Time O(K^2) per layer in the number of scales, independent of n.

    Raises
    ------
    ValueError
        If the model has positions: then maps need not be constant.
    """
    if any(table is not None for table in model.position_table):
        raise ValueError("Argument 'model' must have no position table.")
    caches: list[tuple[list[Floats], list[Floats]]] = [([], []) for _ in model.layers]
    multiplicities = np.array([height * width for height, width in model.schedule], dtype=np.float64)
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


def convolve(image: Floats, filters: Floats) -> Floats:
    """Return the zero-padded 3 x 3 convolution (cross-correlation, as in torch) of an image.

    Parameters
    ----------
    image
        Shape (h, w, channels in).
    filters
        Shape (3, 3, channels in, channels out).
    """
    height, width, _ = image.shape
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    convolved: Floats = np.zeros((height, width, filters.shape[3]))
    for row in range(3):
        for column in range(3):
            convolved += padded[row : row + height, column : column + width] @ filters[row, column]
    return convolved


def border_pattern(n: int, depth: int) -> NDArray[np.int64]:
    """Return, for each of n pixels on an axis, the pixel of a side of 2 depth + 1 that it behaves like.

    Pixels closer than ``depth`` to an end keep their distance to it; all others are the middle one.

    >>> border_pattern(8, 2).tolist()
    [0, 1, 2, 2, 2, 2, 3, 4]
    """
    if n < 2 * depth + 1:
        raise ValueError(f"Argument 'n' must be at least {2 * depth + 1} for {depth} convolutions, not {n}.")
    index = np.arange(n)
    return np.minimum(index, depth) + np.maximum(index - (n - 1 - depth), 0)


def collapsed_image(value: Floats, layers: list[Floats], n: int) -> Floats:
    """Return what D zero-padded 3 x 3 convolutions, with ReLU between them, make of a constant n x n map.

    They are run on a (2 D + 1) x (2 D + 1) map only; its pixels are then copied to where they belong.

    Parameters
    ----------
    value
        The constant, shape (channels,).
    layers
        D filters as in :func:`convolve`.
    n
        At least 2 D + 1.
    """
    pattern = border_pattern(n, len(layers))
    small = full_image(value, layers, 2 * len(layers) + 1)
    image: Floats = small[np.ix_(pattern, pattern)]
    return image


def full_image(value: Floats, layers: list[Floats], n: int) -> Floats:
    """Return the same as :func:`collapsed_image`, computed on all n x n pixels."""
    image: Floats = np.broadcast_to(np.asarray(value, dtype=np.float64), (n, n, len(value)))
    for depth, filters in enumerate(layers):
        image = convolve(image if depth == 0 else np.maximum(image, 0.0), filters)
    return image
