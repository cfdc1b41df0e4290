"""Exact softmax attention over tiles, in float32 or float64, with bounded memory and a rounding bound.

The textbook formula would hold the whole L x L matrix. Here a tile of queries meets one tile of keys
after the other and keeps a running maximum, numerator and denominator, so that memory does not grow
with L. Nothing is approximated: :func:`rounding_bound` bounds the distance to the real-number result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.layers.directed_rounding import SMALLEST_NORMAL, UNIT_ROUNDOFF

QUERY_TILE = 256
KEY_TILE = 2048

# The library's exp is taken to be within 4 units in the last place (documented: < 3 for float32, < 1 for
# float64); the tests compare it with exact values over the whole range that is used.
EXP_ULPS = 4

Progress = Callable[[int, int], None]
Matrix = NDArray[np.floating[Any]]


def streamed_attention(
    queries: Matrix,
    keys: Matrix,
    values: Matrix,
    temperature: float,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """Return Att(Q, K, V; tau), computed in the dtype of ``keys``.

    Parameters
    ----------
    queries, keys, values
        Arrays of shape (L_q, d), (L_k, d), (L_k, d_v), with L_k >= 1, and keys and values of one dtype,
        float32 or float64. Queries may be of either: they are converted after they are divided by tau.
    temperature
        tau > 0.
    threads
        How many tiles of queries are worked on at a time. Each worker uses one BLAS thread.
    progress
        Called with (rows done, rows in all), from the calling thread, where there is more than one tile.

    Returns
    -------
    numpy.ndarray
        Shape (L_q, d_v), float64: sums over key tiles are combined in float64.

    Raises
    ------
    ValueError
        If there is no key.
    """
    from threadpoolctl import threadpool_limits

    if not len(keys):
        raise ValueError("Argument 'keys' must have at least one row, not none.")
    count: int = queries.shape[0]
    width: int = values.shape[1]
    outputs = np.empty((count, width))
    values_and_one = np.concatenate([values, np.ones((values.shape[0], 1), values.dtype)], axis=1)

    def tile(start: int) -> int:
        stop = min(start + QUERY_TILE, count)
        # Dividing the few queries is cheaper than dividing every logit; float64 keeps it one rounding.
        scaled = (queries[start:stop].astype(np.float64) / temperature).astype(keys.dtype)
        outputs[start:stop] = _attend(scaled, keys, values_and_one)
        return stop - start

    starts = range(0, count, QUERY_TILE)
    if len(starts) <= 1:  # nothing to share out: BLAS may use its own threads
        for start in starts:
            tile(start)
        return outputs
    done = 0
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(max_workers=threads) as pool:
        try:
            for rows in map(tile, starts) if threads == 1 else pool.map(tile, starts):
                done += rows
                if progress is not None:
                    progress(done, count)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return outputs


def _attend(scaled_queries: Matrix, keys: Matrix, values_and_one: Matrix) -> NDArray[np.float64]:
    """Attention of one tile of queries: online softmax over tiles of keys."""
    rows = scaled_queries.shape[0]
    maximum = np.full((rows, 1), -np.inf, keys.dtype)
    sums = np.zeros((rows, values_and_one.shape[1]))
    logits = np.empty((rows, min(KEY_TILE, keys.shape[0])), keys.dtype)
    for start in range(0, keys.shape[0], KEY_TILE):
        tile = keys[start : start + KEY_TILE]
        weights = logits[:, : tile.shape[0]]
        np.matmul(scaled_queries, tile.T, out=weights)
        new_maximum = np.maximum(maximum, weights.max(axis=1, keepdims=True))
        np.subtract(weights, new_maximum, out=weights)
        np.exp(weights, out=weights)
        with np.errstate(under="ignore"):
            sums *= np.exp((maximum - new_maximum).astype(np.float64))
        sums += weights @ values_and_one[start : start + KEY_TILE]
        maximum = new_maximum
    numerators: NDArray[np.float64] = sums[:, :-1] / sums[:, -1:]
    return numerators


@dataclass(frozen=True)
class AttentionMagnitudes:
    """What the rounding bound needs to know of an attention computation.

    Attributes
    ----------
    dimension
        d, the length of a query.
    keys
        L_k, the number of keys.
    absolute_logit_bound
        A bound on sum_i |q_i| |k_i| / tau for every query and key.
    value_bound
        A bound on |v|.
    entry_error
        How far the float64 entries of Q, K and V may be from the real numbers they stand for, as a
        multiple of the largest entry they are compared with (the construction's own rounding).
    """

    dimension: int
    keys: int
    absolute_logit_bound: float
    value_bound: float
    entry_error: float


def rounding_bound(magnitudes: AttentionMagnitudes, dtype: np.dtype[Any] | type) -> float:
    """Bound the distance of :func:`streamed_attention` from attention over the real numbers.

    Notes
    -----
    With u the unit roundoff and gamma_k = k u / (1 - k u), for entries of Q / tau, K and V that are zero or
    normal numbers of the dtype:

    1. entries carry a relative error of at most e = entry_error + 4 u (conversion to the dtype,
       division by tau), so a logit is off by at most ((1 + e)^2 (1 + gamma_d) - 1) b for any order of
       summation (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), and d products
       that underflow add at most d times the smallest normal number;
    2. subtracting the maximum rounds a number of size at most 2 b (1 + that);
    3. exp is off by EXP_ULPS units in the last place, which acts like a further error of the logit;
       what underflows weighs less than the smallest normal number, against a row sum of at least 1/2;
    4. logits off by at most eta move a weighted mean of values in [-v, v] by at most
       2 v tanh(eta / 2), because the weights are multiplied by factors in [e^-eta, e^eta];
    5. sums over a tile are off by gamma_tile relative to the sum of absolute values, numerator and
       denominator alike; combining tiles in float64 adds a few units of 2^-53 per tile.

    Returns
    -------
    float
        The bound; infinity where d u or tile u is too large for the analysis, or a logit may overflow.
    """
    unit, smallest = UNIT_ROUNDOFF[np.dtype(dtype)], SMALLEST_NORMAL[np.dtype(dtype)]
    tile = min(KEY_TILE, magnitudes.keys)
    tiles = math.ceil(magnitudes.keys / KEY_TILE)
    if max(magnitudes.dimension, tile) * unit >= 0.1:
        return math.inf
    b, v = magnitudes.absolute_logit_bound, magnitudes.value_bound
    if b * smallest >= 1:  # differences of logits, at most 2.5 b, stay below 4 / smallest, the overflow
        return math.inf
    entry = magnitudes.entry_error + 4 * unit
    dot = (1 + entry) ** 2 * (1 + _gamma(magnitudes.dimension, unit)) - 1
    eta = dot * b + 2 * unit * b * (1 + dot) - math.log1p(-2 * EXP_ULPS * unit)
    eta += 2 * magnitudes.dimension * smallest
    underflow = 2 * magnitudes.keys * smallest
    summation = (
        _gamma(tile, unit) + (2 * EXP_ULPS + 4) * tiles * UNIT_ROUNDOFF[np.dtype(np.float64)] + underflow
    )
    if summation >= 0.1:
        return math.inf
    bound = 2 * v * math.tanh(eta / 2) + 2 * v * summation / (1 - summation) + v * entry
    return bound * (1 + 1e-9)  # this bound's own evaluation in float64


def _gamma(terms: int, unit: float) -> float:
    return terms * unit / (1 - terms * unit)
