"""The released VAR model and the criterion (rem-released-model).

Its attention normalises every query and key and multiplies queries by a learned scale of at most 100, one a
head, with temperature 1 (TJY24: ``attn_l2_norm``, ``scale_mul`` clamped to ln 100). So logits are bounded by
the scale, whatever the dimension, and R = √scale after the scale is shared between queries and keys.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reductions.problems.attention import attention
from reductions.problems.schedule import RELEASED_SIDES, geometric_sides, square_schedule
from reductions.upper_bound.released_model.criterion import Criterion, model_criterion

HEAD_DIMENSION = 64
"""The length of queries, keys and values of each head."""

LARGEST_SCALE = 100.0
"""The clamp of the learned scale."""

INITIAL_SCALE = 4.0
"""Where its training starts."""

SIDES = {256: RELEASED_SIDES, 512: (1, 2, 3, 4, 6, 9, 13, 18, 24, 32)}
"""The sides of the released models' token maps, by the pixels of their images."""

MOST_DOUBLINGS = 400
"""How far :func:`paying_side` looks: n = 2^400."""


def attention_scale(learned_logarithm: float) -> float:
    """Return exp(min(learned, ln 100)).

    Raises
    ------
    ValueError
        If the argument is not a number.
    """
    if math.isnan(learned_logarithm):
        raise ValueError("Argument 'learned_logarithm' must be a number, not nan.")
    return LARGEST_SCALE if learned_logarithm >= math.log(LARGEST_SCALE) else math.exp(learned_logarithm)


def normalised(vectors: ArrayLike) -> NDArray[np.float64]:
    """Divide rows by their lengths; zero rows stay."""
    rows = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    result: NDArray[np.float64] = rows / np.where(lengths > 0, lengths, 1.0)
    return result


def cosine_attention(queries: ArrayLike, keys: ArrayLike, values: ArrayLike, scale: float) -> Any:
    """Return attention of normalised queries and keys at temperature 1/scale, shape (L_q, d_v)."""
    return attention(normalised(queries), normalised(keys), values, 1 / scale)


def released_criterion(pixels: int, scale: float, tolerance: float) -> Criterion:
    """Return degree, rank and operations of one head of the released model.

    Parameters
    ----------
    pixels
        256 or 512, the side of the image.
    scale
        The learned scale, at most 100: the logit bound.
    tolerance
        The error that is allowed, in units of the bound on the values.

    Raises
    ------
    ValueError
        If there is no such model or scale.
    """
    if pixels not in SIDES:
        raise ValueError(f"Argument 'pixels' must be one of {sorted(SIDES)}, not {pixels}.")
    if not 0 < scale <= LARGEST_SCALE:
        raise ValueError(f"Argument 'scale' must be above 0 and at most {LARGEST_SCALE:g}, not {scale}.")
    return model_criterion(square_schedule(SIDES[pixels]), HEAD_DIMENSION, scale, tolerance)


def paying_side(criterion: Criterion) -> int | None:
    """Return the least power of two n at which the scales 1, 2, ..., n would pay; None beyond 2^400.

    The logit bound, the tolerance and the dimension stay; only the map grows. It pays when the cheapest
    pass uses the state for the last scale or more.
    """
    from reductions.upper_bound.released_model.criterion import plan_pass

    def pays(exponent: int) -> bool:
        schedule = square_schedule(geometric_sides(2**exponent))
        return plan_pass(schedule, criterion.head_dim, criterion.value_dim, criterion.rank).pays

    if not pays(MOST_DOUBLINGS):
        return None
    low, high = 0, MOST_DOUBLINGS
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if pays(middle) else (middle + 1, high)
    return 1 << low
