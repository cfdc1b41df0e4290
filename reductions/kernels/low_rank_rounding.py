"""How far floating point takes the fused kernels from the real numbers (lem-low-rank-rounding).

Every term w_alpha q^alpha k^alpha v of the two sums that an output is a quotient of passes a number of
roundings that is known before the kernels run. Together they multiply it by a factor within 1 ± theta,
theta = s/(1 - s), s = (number of roundings) x (unit roundoff). So each sum is off by at most theta times
the sum of the terms' absolute values, which is at most L v P~(b~) where P~ has the coefficients |c_p| and
b~ bounds sum_i |q_i k_i| / tau. The denominator is at least L (1 - epsilon) e^m where m is the query's mean
logit: the geometric mean of the weights e^x is at most their mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reductions.kernels.tiles import CHUNK, TILE
from reductions.layers.directed_rounding import UNIT_ROUNDOFF, compounded, inflated

UNDERFLOW = 2.0**-126
"""What an operation may lose to underflow in either type, even where tiny numbers are flushed to zero."""

# A sum of 32 products, started from 0, passes 32 roundings; then three additions of such sums.
TILE_ROUNDINGS = CHUNK + TILE // CHUNK - 1

# Float64: four of a weight, one of its product with the state; two of the division.
_WEIGHT_ROUNDINGS = 5
_DIVISION_ROUNDINGS = 2

# Where exponents stay below it, nothing overflows, and float64 loses less to underflow than UNDERFLOW.
_EXPONENT_RANGE = 900


class Polynomial(Protocol):
    """What the bound needs of :class:`~reductions.polynomials.exponential.ExpPolynomial`."""

    @property
    def coefficients(self) -> Sequence[float]:
        """c_0, ..., c_g."""

    @property
    def low(self) -> float:
        """The least logit."""

    @property
    def error(self) -> float:
        """epsilon, a bound on |P(x) e^-x - 1| at every logit."""


@dataclass(frozen=True)
class LowRankMagnitudes:
    """The sizes of the numbers of a layer, all rounded up.

    Attributes
    ----------
    dimension
        d.
    absolute_logit
        A bound on sum_i |q_i k_i| / tau over all queries and keys.
    box_logit
        A bound on sum_i max|q_i| max|k_i| / tau. It only counts what underflows.
    value_bound
        A bound on the entries of V.
    binary_exponent
        A bound on |log2| of tau and of every column's largest entry in Q, K and V (columns of zeros apart).
    """

    dimension: int
    absolute_logit: float
    box_logit: float
    value_bound: float
    binary_exponent: float

    @classmethod
    def of(
        cls, queries: ArrayLike, keys: ArrayLike, values: ArrayLike, temperature: float
    ) -> LowRankMagnitudes:
        """Measure the arrays, in O(L d) operations.

        The absolute logit is the smaller of max||q|| max||k|| / tau and the box logit. Where the largest
        entries are known, or a sharper bound is, :meth:`from_columns` does without the arrays.
        """
        tables = [np.abs(np.asarray(array, np.float64)) for array in (queries, keys, values)]
        largest = [table.max(axis=0, initial=0) for table in tables]
        with np.errstate(over="ignore"):
            norms = [float(np.sqrt((table * table).sum(axis=1)).max(initial=0)) for table in tables[:2]]
        cauchy_schwarz = inflated(norms[0] * norms[1] / temperature)
        return cls.from_columns(largest[0], largest[1], largest[2], temperature, cauchy_schwarz)

    @classmethod
    def from_columns(
        cls,
        queries: NDArray[Any],
        keys: NDArray[Any],
        values: NDArray[Any],
        temperature: float,
        absolute_logit: float = math.inf,
    ) -> LowRankMagnitudes:
        """Take each column's largest absolute entry, and a bound on the absolute logit where there is one."""
        columns = [np.asarray(column, np.float64) for column in (queries, keys, values)]
        box = inflated(float(columns[0] @ columns[1]) / temperature)
        sizes = np.concatenate([*columns, [temperature]])
        exponent = float(np.abs(np.log2(sizes[sizes > 0])).max()) + 1
        # Where squares of entries may underflow, norms are not to be trusted.
        sharper = min(absolute_logit, box) if exponent < _EXPONENT_RANGE / 2 else box
        return cls(len(columns[0]), sharper, box, float(columns[2].max(initial=0)), exponent)


def low_rank_rounding_bound(
    polynomial: Polynomial,
    magnitudes: LowRankMagnitudes,
    *,
    keys: int,
    features: int,
    dtype: Any,
    mean_logit: float = -math.inf,
    absorptions: int = 1,
    input_roundings: int = 0,
) -> float:
    """Bound |computed - real-number low-rank output| over all entries of the output.

    Both refer to the same polynomial; lem-low-rank-attention bounds the distance of the real-number output
    from exact attention.

    Parameters
    ----------
    polynomial
        P, its interval and its error there.
    magnitudes
        Bounds on the numbers of the layer.
    keys
        L, how many keys the state has absorbed.
    features
        r, the number of monomials.
    dtype
        numpy.float32 or numpy.float64: the dtype of both kernels.
    mean_logit
        At most the mean over the keys of every query's logits, <q, mean of the keys>/tau: 0 for keys that are
        centred on their mean. Without it the interval's lower end serves.
    absorptions
        How many calls of :func:`~reductions.kernels.fused_kernels.key_state` made the state.
    input_roundings
        How many roundings of ``dtype`` each entry of Q, K and V has behind it when the kernels get it,
        relative to the numbers meant (one for ``keys - center`` computed in that type, for instance).

    Returns
    -------
    float
        The bound, rounded up; infinity where the analysis gives none.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    kind = np.dtype(dtype)
    if kind not in UNIT_ROUNDOFF:
        raise ValueError(f"Argument 'dtype' must be float32 or float64, not {kind}.")
    for name, count, least in (
        ("keys", keys, 1),
        ("features", features, 1),
        ("absorptions", absorptions, 1),
        ("input_roundings", input_roundings, 0),
    ):
        if count < least:
            raise ValueError(f"Argument {name!r} must be at least {least}, not {count}.")
    if math.isnan(mean_logit):
        raise ValueError("Argument 'mean_logit' must be a number, not nan.")
    if not 0 <= polynomial.error < 1 or not _in_range(polynomial, magnitudes, keys):
        return math.inf
    unit, double = UNIT_ROUNDOFF[kind], UNIT_ROUNDOFF[np.dtype(np.float64)]
    degree = len(polynomial.coefficients) - 1
    theta = compounded(
        term_roundings(degree, input_roundings) * unit
        + double_roundings(keys, features, absorptions) * double
    )
    least_mean = max(mean_logit, polynomial.low)
    least_weight = (1 - polynomial.error) * math.exp(least_mean)
    lost = 2 * UNDERFLOW * (2 * features + 1) * (2 * degree + 6)
    deviation = theta * _absolute_value(polynomial, magnitudes.absolute_logit)
    deviation += lost * (1 + theta) * _absolute_value(polynomial, 4 * magnitudes.box_logit)
    share = inflated(deviation / least_weight)  # fewer than a thousand roundings, nothing cancels
    if not share < 0.5:
        return math.inf
    division = compounded(unit + _DIVISION_ROUNDINGS * double)
    relative = 2 * share / (1 - share) * (1 + division) + division
    return inflated(magnitudes.value_bound * relative, lost=UNDERFLOW)


def term_roundings(degree: int, input_roundings: int = 0) -> int:
    """Return how many roundings of the kernels' type one term passes before the division.

    Each of the two monomials: an entry's conversion, per factor, and the products. The value's
    conversion, and that of the weighted state. Two sums, over a tile of tokens and a segment of monomials.
    """
    monomial = degree * (1 + input_roundings) + max(degree - 1, 0)
    return 2 * monomial + (1 + input_roundings) + 1 + 2 * TILE_ROUNDINGS


def double_roundings(keys: int, features: int, absorptions: int = 1) -> int:
    """Return how many roundings of float64 one term passes before the division.

    There are at most L/128 + (absorptions) tiles, and the sum of n numbers has n - 1 additions, in any
    order. A chunk has 32 monomials, but the last of a run may have fewer: four have 64 or more, on average.
    """
    tiles = -(-keys // TILE) + absorptions
    segments = -(-features // (TILE // 2)) + 2
    return tiles + segments + _WEIGHT_ROUNDINGS


def _absolute_value(polynomial: Polynomial, x: float) -> float:
    """Return P~(x) = sum of |c_p| x^p, up to relative rounding."""
    total = 0.0
    for coefficient in reversed(polynomial.coefficients):
        total = total * x + abs(coefficient)
    return total


def _in_range(polynomial: Polynomial, magnitudes: LowRankMagnitudes, keys: int) -> bool:
    """Tell whether nothing overflows, and float64 loses nothing that counts to underflow."""
    coefficients = [abs(c) for c in polynomial.coefficients if c]
    if not coefficients or not all(map(math.isfinite, coefficients)):
        return False
    degree = len(polynomial.coefficients) - 1
    exponent = (
        (3 * degree + 2) * magnitudes.binary_exponent
        + degree * math.log2(magnitudes.dimension)
        + max(abs(math.log2(c)) for c in coefficients)
        + math.log2(keys)
    )
    return bool(
        exponent < _EXPONENT_RANGE
        and magnitudes.value_bound < 2.0**126
        and magnitudes.box_logit < math.inf
        and polynomial.low > -500
    )
