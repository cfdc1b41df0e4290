"""Choose between exact and low-rank attention for every block of queries, and bound its error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reductions.fast_attention.certificate import Method
from reductions.fast_attention.cost_model import (
    FLOAT32,
    FLOAT64,
    LEAST_GAIN,
    PLANNING,
    exact_seconds,
    largest_degree,
    likely_degree,
    low_rank_seconds,
)
from reductions.fast_attention.logit_bounds import LogitBounds
from reductions.fast_attention.prepared_layer import Block, PreparedLayer
from reductions.kernels.exact_kernel import exact_kernel_rounding_bound
from reductions.kernels.rounding import LowRankMagnitudes, low_rank_rounding_bound
from reductions.layers.directed_rounding import SMALLEST_NORMAL, UNIT_ROUNDOFF, sum_up
from reductions.layers.streamed_attention import AttentionMagnitudes, rounding_bound
from reductions.polynomials.exponential import MAX_DEGREE, ExpPolynomial, certified_degree
from reductions.upper_bound.monomial_features import feature_count
from reductions.upper_bound.weight_perturbation import weighted_mean_error

# Near 1 the denominators of the low-rank output lose digits, and rounding outweighs what a degree less saves.
_LARGEST_EPSILON = 0.9
_TRIALS = 4

# By how much an interval may be widened so that blocks share a polynomial.
_LITTLE_WIDER = 1.03

# Narrower intervals are left as they are: their step would leave the range of float64.
_NARROWEST = 2.0**-1000

MEETS = "it meets the tolerance"


@dataclass(frozen=True)
class Refusal:
    """Why a way to compute attention is not taken.

    Attributes
    ----------
    reason
        In words, for certificates and messages.
    final
        Whether float64 cannot help where float32 was refused.
    """

    reason: str
    final: bool = False


ABOVE_ROUNDING = Refusal("the tolerance is below the rounding error of low rank")
SLOWER = Refusal("low rank is estimated to be slower")
NO_POLYNOMIAL = Refusal("no polynomial meets the tolerance")
SMALL = Refusal("the layer is small", final=True)


@dataclass(frozen=True)
class Choice:
    """How a block is computed, in which dtype, and the two parts of its error.

    ``polynomial`` is None for exact attention, which is ``compiled`` or NumPy's; ``seconds`` is an estimate.
    """

    block: Block
    reason: str
    dtype: np.dtype[Any]
    bounds: LogitBounds
    polynomial: ExpPolynomial | None
    approximation_error: float
    rounding_error: float
    seconds: float
    compiled: bool = True

    @property
    def method(self) -> Method:
        """Exact or low-rank."""
        return Method.EXACT if self.polynomial is None else Method.LOW_RANK

    @property
    def error_bound(self) -> float:
        """The sum of both errors, rounded up."""
        return sum_up(self.approximation_error, self.rounding_error)


def exact_choice(
    layer: PreparedLayer, index: int, tolerance: float, reason: str, *, compiled: bool
) -> Choice:
    """Return exact attention of a block: in float32 where that meets the tolerance, else in float64.

    Parameters
    ----------
    layer, index
        The block.
    tolerance
        For the whole error of an output.
    reason
        Why it is exact.
    compiled
        Whether the compiled kernel may be used. Where its bound is infinite, or queries are few, it is
        not.

    Raises
    ------
    ValueError
        If a sum may exceed the range of float64.
    """
    block, bounds = layer.blocks[index], layer.bounds(index)
    d, value_dimension = layer.sizes
    by_numpy, by_kernel = (
        exact_seconds(block.queries, block.keys, d, value_dimension, FLOAT32, compiled=way)
        for way in (False, True)
    )
    ways: list[tuple[np.dtype[Any], bool]] = [(FLOAT32, False), (FLOAT64, False)]
    if compiled and by_kernel <= by_numpy:  # not so where few queries leave most lanes empty
        ways = [(FLOAT32, True), (FLOAT64, True), (FLOAT64, False)]
    for dtype, way in ways:
        rounding = _exact_rounding(layer, index, bounds, dtype, compiled=way)
        if rounding <= tolerance or (rounding < math.inf and dtype == FLOAT64):
            break
    if rounding == math.inf:
        raise ValueError("The logits or the sums of values exceed the range of float64.")
    seconds = exact_seconds(block.queries, block.keys, d, value_dimension, dtype, compiled=way)
    return Choice(block, reason, dtype, bounds, None, 0.0, rounding, seconds, way)


def _exact_rounding(
    layer: PreparedLayer, index: int, bounds: LogitBounds, dtype: np.dtype[Any], *, compiled: bool
) -> float:
    """Bound the rounding of exact attention of a block, conversions included."""
    unit, smallest = UNIT_ROUNDOFF[dtype], SMALLEST_NORMAL[dtype]
    queries, keys = layer.query_extents[index], layer.key_extents[index]
    block, value_bound = layer.blocks[index], layer.value_bound
    largest = max(
        float(queries.entries.max(initial=0.0)) / layer.temperature,
        float(keys.entries.max(initial=0.0)),
        value_bound * block.keys,
    )
    if not largest * smallest < 0.5:  # an entry or a sum may overflow
        return math.inf
    # The bound is for entries that are zero or normal numbers of the dtype. Others are off by the smallest
    # normal number at most, and what that does to a logit is added where at least 8 units act on it.
    lost = smallest * (queries.absolute_sum / layer.temperature + keys.absolute_sum + layer.sizes[0])
    magnitudes = AttentionMagnitudes(
        dimension=layer.sizes[0],
        keys=block.keys,
        absolute_logit_bound=bounds.absolute + lost / (8 * unit),
        value_bound=value_bound + smallest / (4 * unit),
        entry_error=0.0,
    )
    bound = exact_kernel_rounding_bound if compiled else rounding_bound
    rounding = bound(magnitudes, dtype)
    if not value_bound and layer.origin is None and rounding < math.inf:
        return 0.0  # every output is a sum of zeros with finite weights
    return sum_up(rounding, layer.conversion_error(bounds))


def low_rank_choice(
    layer: PreparedLayer, index: int, dtype: np.dtype[Any], tolerance: float, affordable: float
) -> Choice | Refusal:
    """Return low-rank attention with the least degree that meets the tolerance, or why there is none.

    Parameters
    ----------
    layer, index
        The block.
    dtype
        What the kernels are to compute in.
    tolerance
        For the whole error of an output.
    affordable
        Seconds that the block's queries and the keys that only it and later blocks see may take; infinity:
        any degree will do.
    """
    bounds = layer.bounds(index)
    d, value_dimension = layer.sizes
    limit = largest_degree(d, value_dimension, MAX_DEGREE) if d else -1
    refusal = NO_POLYNOMIAL
    while limit >= 0 and _seconds(layer, index, limit, dtype) > affordable:
        limit, refusal = limit - 1, SLOWER
    conversion = layer.conversion_error(bounds)
    low, high = quantised(*_common_interval(layer, index))
    if _rounding_is_hopeless(layer, index, dtype, bounds, tolerance):
        return ABOVE_ROUNDING
    target = tolerance - conversion
    for _ in range(_TRIALS):
        if not target > 0:
            return ABOVE_ROUNDING
        epsilon = _epsilon(target, layer.half_range)
        if limit < 0 or likely_degree((high - low) / 2, epsilon) > limit:
            return refusal
        polynomial = certified_degree(low, high, epsilon, limit)
        if polynomial is None:
            return refusal
        choice = with_polynomial(layer, index, dtype, polynomial)
        if choice.error_bound <= tolerance:
            return choice
        target = min(target / 2, tolerance - choice.rounding_error * (1 + 2.0**-20))
    return ABOVE_ROUNDING


def with_polynomial(
    layer: PreparedLayer, index: int, dtype: np.dtype[Any], polynomial: ExpPolynomial
) -> Choice:
    """Return low-rank attention of a block by a given polynomial, with its error.

    The polynomial's interval must hold the logits.
    """
    block, bounds = layer.blocks[index], layer.bounds(index)
    if not polynomial.low <= bounds.low <= bounds.high <= polynomial.high:
        raise ValueError("Argument 'polynomial' must be one whose interval holds the block's logits.")
    rounding = _low_rank_rounding(layer, index, dtype, polynomial)
    return Choice(
        block,
        MEETS,
        dtype,
        bounds,
        polynomial,
        weighted_mean_error(layer.half_range, polynomial.error),
        sum_up(rounding, layer.conversion_error(bounds)),
        low_rank_seconds(block.queries, *layer.sizes, polynomial.degree, dtype),
    )


def shared_choice(
    layer: PreparedLayer,
    index: int,
    dtype: np.dtype[Any],
    tolerance: float,
    planned: Sequence[Choice | Refusal],
) -> Choice | None:
    """Return low-rank attention of a block by the cheapest polynomial of another block that will do."""
    bounds = layer.bounds(index)
    polynomials = {
        choice.polynomial
        for choice in planned
        if isinstance(choice, Choice) and choice.polynomial is not None
    }
    for polynomial in sorted(polynomials, key=lambda polynomial: polynomial.degree):
        if polynomial.low <= bounds.low and bounds.high <= polynomial.high:
            choice = with_polynomial(layer, index, dtype, polynomial)
            if choice.error_bound <= tolerance:
                return choice
    return None


def _low_rank_rounding(
    layer: PreparedLayer, index: int, dtype: np.dtype[Any], polynomial: ExpPolynomial
) -> float:
    block, bounds = layer.blocks[index], layer.bounds(index)
    magnitudes = LowRankMagnitudes.from_columns(
        layer.query_extents[index].entries,
        layer.key_extents[index].entries,
        layer.value_entries,
        layer.temperature,
        bounds.absolute,
    )
    return low_rank_rounding_bound(
        polynomial,
        magnitudes,
        keys=block.keys,
        features=feature_count(layer.sizes[0], polynomial.degree),
        dtype=dtype,
        mean_logit=layer.mean_logit(index),
        absorptions=index + 1,
    )


def _rounding_is_hopeless(
    layer: PreparedLayer, index: int, dtype: np.dtype[Any], bounds: LogitBounds, tolerance: float
) -> bool:
    """Tell early that the rounding bound will exceed the tolerance.

    Each term passes 70 roundings or more, and the terms' absolute values add up to about e^b' times the
    number of keys, against e to the mean logit in the denominator.
    """
    if tolerance <= 0:
        return True
    exponent = min(bounds.absolute - max(bounds.low, layer.mean_logit(index)), 700.0)
    return 70 * UNIT_ROUNDOFF[dtype] * layer.value_bound * math.exp(exponent) > 4 * tolerance


def choose(
    layer: PreparedLayer, exact: Sequence[Choice], low_rank: Sequence[Choice | Refusal]
) -> list[Choice]:
    """Return the choice of every block: low rank where its queries gain, if all gains pay for the state.

    Parameters
    ----------
    layer
        The layer.
    exact, low_rank
        The two choices for each block, or why low rank is none.
    """
    d, value_dimension = layer.sizes
    taken = [
        other if isinstance(choice, Refusal) or choice.seconds >= other.seconds else choice
        for choice, other in zip(low_rank, exact, strict=True)
    ]
    used = [choice for choice in taken if choice.polynomial is not None]
    if used:
        degree = max(choice.polynomial.degree for choice in used if choice.polynomial)
        seconds = low_rank_seconds(used[-1].block.keys, d, value_dimension, degree, used[-1].dtype)
        seconds += sum(choice.seconds for choice in used) + PLANNING
        saved = sum(other.seconds for choice, other in zip(taken, exact, strict=True) if choice is not other)
        if seconds > LEAST_GAIN * saved:
            return list(exact)
    return taken


def total_seconds(layer: PreparedLayer, choices: Sequence[Choice]) -> float:
    """Return about how long all blocks take, the state included."""
    d, value_dimension = layer.sizes
    used = [choice for choice in choices if choice.polynomial is not None]
    seconds = sum(choice.seconds for choice in choices)
    if used:
        degree = max(choice.polynomial.degree for choice in used if choice.polynomial)
        seconds += low_rank_seconds(used[-1].block.keys, d, value_dimension, degree, used[-1].dtype)
    return seconds


def quantised(low: float, high: float) -> tuple[float, float]:
    """Return an interval that holds [low, high], at most 4% wider, with end points of few digits.

    Certified polynomials are kept by interval: nearby intervals then share one.
    """
    half = (high - low) / 2
    if not _NARROWEST < half < math.inf:
        return low, high
    step = 2.0 ** (math.frexp(half)[1] - 7)
    below, above = math.floor(low / step) * step, math.ceil(high / step) * step
    # A quotient may underflow to 0.
    return below if below <= low else -step, above if above >= high else step


def _common_interval(layer: PreparedLayer, index: int) -> tuple[float, float]:
    """Return the interval of a block's logits, widened to hold those of other blocks where that is little."""
    bounds = layer.bounds(index)
    low, high = bounds.low, bounds.high
    for other in map(layer.bounds, range(len(layer.blocks))):
        wider = min(low, other.low), max(high, other.high)
        if wider[1] - wider[0] <= _LITTLE_WIDER * (bounds.high - bounds.low):
            low, high = wider
    return low, high


def _epsilon(target: float, half_range: float) -> float:
    """Return an epsilon with 2 h tanh(artanh(epsilon)/2) <= target, to rounding."""
    share = target / (2 * half_range) if half_range else 1.0
    return _LARGEST_EPSILON if share >= 0.5 else min(2 * share / (1 + share * share), _LARGEST_EPSILON)


def _seconds(layer: PreparedLayer, index: int, degree: int, dtype: np.dtype[Any]) -> float:
    """Return about how long a block's queries take, and the keys that the block before did not see."""
    block, (d, value_dimension) = layer.blocks[index], layer.sizes
    seen = layer.blocks[index - 1].keys if index else 0
    return low_rank_seconds(block.queries, d, value_dimension, degree, dtype) + low_rank_seconds(
        block.keys - seen, d, value_dimension, degree, dtype
    )
