"""Rigorous bounds on all logits of an attention layer, from O(L d) work instead of O(L^2 d).

Which degree a polynomial needs depends on the interval of the logits, half of whose width counts. Three
bounds are cheap, and the best of them is taken: Cauchy-Schwarz, Hölder, and interval arithmetic axis by
axis, which alone gives intervals that are not symmetric. Extents of sets of vectors can be united, so that
a pyramid needs one pass for the intervals of all its scales. Everything is rounded outward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import (
    ROUNDING,
    SMALLEST_NORMAL,
    UNIT_ROUNDOFF,
    quotient_down,
    quotient_up,
)

Matrix = NDArray[np.floating[Any]]

_BLOCK = 1 << 14  # rows looked at together, so that they stay in the cache
_FOLD = 16  # rows laid side by side for reductions along the rows, whose inner loops would be short

_SMALLEST = SMALLEST_NORMAL[np.dtype(np.float64)]


@dataclass(frozen=True, eq=False)
class Extent:
    """What the bounds need to know of a set of vectors of length d.

    Attributes
    ----------
    low, high
        Shape (d,), float64: the least and largest entry of each axis.
    norm, absolute_sum
        Upper bounds on the Euclidean norms and on the sums of absolute values.
    """

    low: Floats
    high: Floats
    norm: float
    absolute_sum: float

    @classmethod
    def of(cls, vectors: Matrix) -> Extent:
        """Measure the rows of an array of shape (L, d), float32 or float64; no rows are like the zero vector.

        NaN or infinite entries make ``low`` or ``high`` not finite.
        """
        count, length = vectors.shape
        if not count:
            return cls(np.zeros(length), np.zeros(length), 0.0, 0.0)
        low, high = (_along_rows(extreme, vectors) for extreme in (np.minimum, np.maximum))
        squares, sums = _largest(vectors)
        unit, smallest = UNIT_ROUNDOFF[vectors.dtype], SMALLEST_NORMAL[vectors.dtype]
        if vectors.dtype == np.float32 and not squares < math.inf:
            squares, sums = _largest(vectors.astype(np.float64))
        # A sum of d terms, each rounded once or not, is off by less than d + 1 roundings; the root by one.
        # Squares that underflow lose at most the smallest normal number each.
        up = 1 + 2 * (length + 4) * unit
        return cls(low, high, math.sqrt(squares * up + length * smallest) * up, sums * up)

    def __or__(self, other: Extent) -> Extent:
        """Return an extent of the union."""
        return Extent(
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            max(self.norm, other.norm),
            max(self.absolute_sum, other.absolute_sum),
        )

    @property
    def finite(self) -> bool:
        """Whether every entry is a number."""
        return bool(np.isfinite(self.low).all() and np.isfinite(self.high).all())

    @property
    def entries(self) -> Floats:
        """Shape (d,): the largest absolute entry of each axis."""
        largest: Floats = np.maximum(np.abs(self.low), np.abs(self.high))
        return largest


@dataclass(frozen=True)
class LogitBounds:
    """What is known of all logits <q, k>/tau of a layer.

    Attributes
    ----------
    low, high
        Every logit lies in [low, high].
    absolute
        Bounds sum_i |q_i k_i|/tau, which governs rounding, for every query and key.
    """

    low: float
    high: float
    absolute: float

    @property
    def half_width(self) -> float:
        """b, on which the degree depends (a translation of the logits costs nothing)."""
        return (self.high - self.low) / 2


def logit_bounds(queries: Extent, keys: Extent, temperature: float) -> LogitBounds:
    """Bound every logit of queries and keys of the given extents.

    Parameters
    ----------
    queries, keys
        Extents of vectors of one length d.
    temperature
        tau > 0.

    Returns
    -------
    LogitBounds
        Infinite where float64 cannot hold the bounds.

    Notes
    -----
    With boxes q_i in [a_i, A_i] and k_i in [c_i, C_i], every inner product lies between the sums of the
    smallest and the largest of a_i c_i, a_i C_i, A_i c_i, A_i C_i; by Cauchy-Schwarz within
    +- max |q| max |k|; by Hölder within +- max |q|_1 max |k|_inf and +- max |q|_inf max |k|_1.
    """
    length = len(queries.low)
    if not length:
        return LogitBounds(0.0, 0.0, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        corners = np.stack([a * c for a in (queries.low, queries.high) for c in (keys.low, keys.high)])
        largest = float(np.abs(corners).max(axis=0).sum())
        # d products and a sum of d terms, each within d + 1 roundings; underflows lose little.
        slack = 2 * (length + 2) * ROUNDING * largest + length * _SMALLEST
        box_low, box_high = float(corners.min(axis=0).sum()), float(corners.max(axis=0).sum())
        norms = queries.norm * keys.norm
        sums = min(
            queries.absolute_sum * float(keys.entries.max()),
            float(queries.entries.max()) * keys.absolute_sum,
        )
    # NaN stands for infinity times zero, after an overflow: nothing is known.
    symmetric = min((x * (1 + 8 * ROUNDING) + _SMALLEST for x in (norms, sums) if x == x), default=math.inf)
    low, high = max(-symmetric, box_low - slack), min(symmetric, box_high + slack)
    absolute = min(symmetric, largest + slack)
    if not all(map(math.isfinite, (low, high, absolute))):
        return LogitBounds(-math.inf, math.inf, math.inf)
    return LogitBounds(
        quotient_down(low, temperature),
        quotient_up(high, temperature),
        quotient_up(absolute, temperature),
    )


def _along_rows(extreme: np.ufunc, vectors: Matrix) -> Floats:
    """Return the least or largest entry of each axis."""
    count, length = vectors.shape
    if not length:
        return np.zeros(0)
    whole = count - count % _FOLD
    reduced = vectors[whole:]
    if whole:
        folded = extreme.reduce(np.ascontiguousarray(vectors[:whole]).reshape(-1, _FOLD * length), axis=0)
        reduced = np.concatenate([reduced, folded.reshape(_FOLD, length)])
    result: Floats = extreme.reduce(reduced, axis=0).astype(np.float64)
    return result


def _largest(vectors: Matrix) -> tuple[float, float]:
    """Return the largest sum of squares and sum of absolute values of a row, as computed."""
    squares = sums = 0.0
    ones = np.ones(vectors.shape[1], vectors.dtype)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for start in range(0, len(vectors), _BLOCK):
            block = vectors[start : start + _BLOCK]
            squares = max(squares, float(np.einsum("ij,ij->i", block, block).max(initial=0.0)))
            sums = max(sums, float((np.abs(block) @ ones).max(initial=0.0)))
    return squares, sums


def exact_logit_range(queries: Matrix, keys: Matrix, temperature: float) -> LogitBounds:
    """Return the range of the logits from all pairs, with room for their rounding: time O(L_q L_k d).

    Parameters
    ----------
    queries, keys
        Shapes (L_q, d) and (L_k, d), at least one row each.
    temperature
        tau > 0.
    """
    bounds = logit_bounds(Extent.of(queries), Extent.of(keys), temperature)
    if not math.isfinite(bounds.absolute):
        return bounds
    transposed = keys.T.astype(np.float64)
    rows = max(1, (1 << 20) // len(keys))
    low, high = math.inf, -math.inf
    for start in range(0, len(queries), rows):
        products = queries[start : start + rows].astype(np.float64) @ transposed
        low, high = min(low, float(products.min())), max(high, float(products.max()))
    length = queries.shape[1]
    slack = 2 * (length + 1) * ROUNDING * bounds.absolute + 2 * length * _SMALLEST / temperature
    return LogitBounds(
        max(bounds.low, quotient_down(low, temperature) - 2 * slack),
        min(bounds.high, quotient_up(high, temperature) + 2 * slack),
        bounds.absolute,
    )
