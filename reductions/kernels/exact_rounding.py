"""How far floating point takes the exact kernel from attention over the real numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reductions.kernels.tiles import KEY_TILE
from reductions.kernels.vector_exponential import EXPONENTIALS
from reductions.layers.directed_rounding import SMALLEST_NORMAL, UNIT_ROUNDOFF
from reductions.layers.streamed_attention import AttentionMagnitudes


def exact_kernel_rounding_bound(magnitudes: AttentionMagnitudes, dtype: np.dtype[Any] | type) -> float:
    """Bound the distance of the compiled exact attention from attention over the real numbers.

    Notes
    -----
    With u the unit roundoff, gamma_k = k u / (1 - k u) and s = logit * log2(e), for entries of Q / tau, K
    and V that are zero or normal numbers of the dtype:

    1. entries carry a relative error of at most e = entry_error + 4 u (conversion; division by tau and
       multiplication by log2(e), three roundings of float64), so s is off by at most
       ((1 + e)^2 (1 + gamma_d) - 1) times its absolute bound, whether products are fused with sums or not,
       and products that underflow add at most d times the smallest normal number;
    2. s - n, for the nearest integer n, is exact; 2^(s - n) has a relative error of at most
       :meth:`~reductions.kernels.vector_exponential.Exponential.relative_error`, which acts like a
       further error of the logit; the power of two is exact. An exponent n - m that is replaced by the least
       one, where m is the reference of the query, belongs to weights, before and after, of less than 4 times
       the smallest normal number, against a row sum of at least 1/2: the reference is the integer nearest
       to the largest logit so far;
    3. logits off by at most eta move a weighted mean of values in [-v, v] by at most
       2 v tanh(eta / 2), because the weights are multiplied by factors in [e^-eta, e^eta];
    4. a term of a sum over KEY_TILE keys passes at most so many roundings, the product among them. Sums of
       tiles are added in float64, one rounding a tile; references are integers, so they are rescaled exactly,
       but for what underflows: at most the smallest normal number for each key, relative to v. The division
       rounds once. Products with values that underflow lose at most the smallest normal number each.

    Returns
    -------
    float
        The bound; infinity where d u is too large for the analysis, or a logit too large for the kernel.
    """
    kind = np.dtype(dtype)
    unit, smallest = UNIT_ROUNDOFF[kind], SMALLEST_NORMAL[kind]
    double = UNIT_ROUNDOFF[np.dtype(np.float64)]
    exponential = EXPONENTIALS[kind]
    count, v = magnitudes.keys, magnitudes.value_bound
    tiles = -(-count // KEY_TILE)
    if max(magnitudes.dimension * unit, tiles * double, count * smallest) >= 0.01:
        return math.inf
    entry = magnitudes.entry_error + 4 * unit
    dot = (1 + entry) ** 2 * (1 + _gamma(magnitudes.dimension, unit)) - 1
    b = magnitudes.absolute_logit_bound
    underflow = 2 * magnitudes.dimension * smallest
    if not 1.5 * (1 + dot) * b + underflow <= exponential.largest:
        return math.inf
    eta = dot * b + underflow - math.log1p(-exponential.relative_error(unit))
    summation = _gamma(min(KEY_TILE, count), unit) + 1.1 * (tiles + 2) * double + 16 * count * smallest
    bound = 2 * v * math.tanh(eta / 2) + 2 * v * (1 + entry) * summation / (1 - summation) + v * entry
    bound += 4 * count * smallest
    return bound * (1 + 1e-9)  # this bound's own evaluation in float64


def _gamma(terms: int, unit: float) -> float:
    return terms * unit / (1 - terms * unit)
