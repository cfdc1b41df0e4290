"""What exact and low-rank attention cost: counted operations, times measured constants.

The constants are from one core of a Zen 4 machine; only their ratios matter, for which method is taken.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reductions.upper_bound.monomial_features import feature_count

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

# Seconds a pair of query and key: maximum, subtraction, exponential; and a multiply-add of the products.
# In NumPy, tile by tile, and by the compiled kernel.
_PAIR = {FLOAT32: 1.5e-9, FLOAT64: 2.2e-9}
_PAIR_PRODUCT = {FLOAT32: 0.03e-9, FLOAT64: 0.05e-9}
_COMPILED_PAIR = {FLOAT32: 0.2e-9, FLOAT64: 0.5e-9}
_COMPILED_PAIR_PRODUCT = {FLOAT32: 0.019e-9, FLOAT64: 0.038e-9}
_COMPILED_TILE = 64

# Seconds a token and axis; and a token and number of the state, on either side.
_TOKEN = 2.5e-9
_TOKEN_PRODUCT = {FLOAT32: 0.033e-9, FLOAT64: 0.058e-9}
# Seconds a number of the state, when it is weighted for a block of queries.
_STATE = 25e-9
# Seconds a call of a kernel.
_CALL = 0.6e-4

PLANNING = 1.5e-3
"""Seconds to certify a polynomial for a new interval."""

WORTH_COMPILED = 2.5e-3
"""Seconds of exact attention in NumPy below which no kernel is loaded: that takes half a second."""

WORTH_PLANNING = 2e-3
"""Seconds of exact attention by the compiled kernel below which nothing else is considered."""

WORTH_FEATURE_PLAN = 0.02
"""Seconds, for each axis and thread, below which no features are planned for the data.

A look at a sample takes about 2 ms an axis, in one thread: then no more than a tenth of the other way's time.
"""

LEAST_GAIN = 0.85
"""Low rank is taken where it is estimated to need at most this share of the time of exact attention."""

LARGEST_STATE = 1 << 22
"""Numbers in the largest state that is considered: 32 MiB."""


def exact_operations(queries: int, keys: int, d: int, value_dimension: int) -> int:
    """Return the multiply-adds of exact attention: L_q L_k (d + d_v + 1)."""
    return queries * keys * (d + value_dimension + 1)


def exact_seconds(
    queries: int, keys: int, d: int, value_dimension: int, dtype: np.dtype[Any], *, compiled: bool
) -> float:
    """Return about how long exact attention takes, by the compiled kernel or without it."""
    columns = d + value_dimension + 1
    if not compiled:
        return queries * keys * (_PAIR[dtype] + _PAIR_PRODUCT[dtype] * columns)
    # Queries are taken by the tile.
    pairs = -(-queries // _COMPILED_TILE) * _COMPILED_TILE * keys
    return pairs * (_COMPILED_PAIR[dtype] + _COMPILED_PAIR_PRODUCT[dtype] * columns) + _CALL


def low_rank_operations(tokens: int, d: int, value_dimension: int, degree: int) -> int:
    """Return the multiply-adds of one side: its monomials (r - 1 - d for g >= 1) and r (d_v + 1) sums."""
    return feature_operations(tokens, d, value_dimension, feature_count(d, degree))


def feature_operations(tokens: int, d: int, value_dimension: int, rank: int) -> int:
    """Return the multiply-adds of so many tokens' features and of the sums over them."""
    return tokens * (max(rank - 1 - d, 0) + rank * (value_dimension + 1))


def low_rank_seconds(tokens: int, d: int, value_dimension: int, degree: int, dtype: np.dtype[Any]) -> float:
    """Return about how long one side of low-rank attention takes for a block of tokens."""
    numbers = feature_count(d, degree) * (value_dimension + 1)
    return tokens * (_TOKEN * (1 + d) + numbers * _TOKEN_PRODUCT[dtype]) + numbers * _STATE + _CALL


def affordable_features(seconds: float, tokens: int, d: int, value_dimension: int) -> float:
    """Return how many features planning and low rank in float32 can take in a time, both sides together.

    Planning passes over the tokens some ten times.
    """
    left = seconds - 10 * _TOKEN * tokens * d - 2 * _CALL
    return left / ((value_dimension + 1) * (tokens * _TOKEN_PRODUCT[FLOAT32] + _STATE))


def largest_degree(d: int, value_dimension: int, limit: int) -> int:
    """Return the largest degree up to a limit whose state is small enough to be considered, -1 if none is."""
    degree = -1
    while degree < limit and feature_count(d, degree + 1) * (value_dimension + 1) <= LARGEST_STATE:
        degree += 1
    return degree


def likely_degree(half_width: float, epsilon: float) -> int:
    """Return about the degree at which the error 2 J_{g+1}(b) of the best polynomial falls to epsilon.

    An estimate from the first terms of the Bessel function; nothing is proved from it.
    """
    log_half = math.log(max(half_width / 2, 2.0**-1000))
    for degree in range(65):
        nu = degree + 1
        log_j = nu * log_half - math.lgamma(nu + 1) - half_width * half_width / (4 * (nu + 1))
        if math.log(2) + log_j <= math.log(epsilon) and nu > 0.7 * half_width:
            return degree
    return 65
