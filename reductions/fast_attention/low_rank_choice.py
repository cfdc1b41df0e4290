"""Low rank by all monomials up to a degree: the least degree that meets the tolerance, for every block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from reductions.fast_attention.choice import SLOWER, LowRankChoice, Refusal, by_precision, sufficient_epsilon
from reductions.fast_attention.cost_model import largest_degree, likely_degree, low_rank_seconds
from reductions.fast_attention.logit_bounds import LogitBounds
from reductions.fast_attention.prepared_layer import PreparedLayer
from reductions.kernels.low_rank_rounding import LowRankMagnitudes, low_rank_rounding_bound
from reductions.layers.directed_rounding import UNIT_ROUNDOFF, sum_up
from reductions.polynomials.exponential import MAX_DEGREE, ExpPolynomial, certified_degree
from reductions.upper_bound.monomial_features import feature_count
from reductions.upper_bound.weight_perturbation import weighted_mean_error

_TRIALS = 4

# By how much an interval may be widened so that blocks share a polynomial.
_LITTLE_WIDER = 1.03

# Narrower intervals are left as they are: their step would leave the range of float64.
_NARROWEST = 2.0**-1000

MEETS = "it meets the tolerance"
ABOVE_ROUNDING = Refusal("the tolerance is below the rounding error of low rank")
NO_POLYNOMIAL = Refusal("no polynomial meets the tolerance")
SMALL = Refusal("the layer is small", final=True)


def low_rank_choices(
    layer: PreparedLayer, affordable: Sequence[float | None]
) -> list[list[LowRankChoice | Refusal]]:
    """Return low rank for every block, in float32 and, where something may do better with it, in float64.

    Parameters
    ----------
    layer
        The layer.
    affordable
        For each block, seconds as for :func:`low_rank_choice`. None: the block is too small for a polynomial
        of its own, but that of another block may do.
    """

    def attempt(dtype: np.dtype[Any]) -> list[LowRankChoice | Refusal]:
        own = [
            SMALL if seconds is None else low_rank_choice(layer, index, dtype, seconds)
            for index, seconds in enumerate(affordable)
        ]
        return [
            (shared_choice(layer, index, dtype, own) or SMALL) if choice == SMALL else choice
            for index, choice in enumerate(own)
        ]

    return by_precision(attempt)


def low_rank_choice(
    layer: PreparedLayer, index: int, dtype: np.dtype[Any], affordable: float
) -> LowRankChoice | Refusal:
    """Return low-rank attention with the least degree that meets the tolerance, or why there is none.

    Parameters
    ----------
    layer, index
        The block.
    dtype
        What the kernels are to compute in.
    affordable
        Seconds that the block's queries and the keys that only it and later blocks see may take; infinity:
        any degree will do.
    """
    bounds, tolerance = layer.bounds(index), layer.inputs.tolerance
    d, value_dimension = layer.sizes
    limit = largest_degree(d, value_dimension, MAX_DEGREE) if d else -1
    refusal = NO_POLYNOMIAL
    while limit >= 0 and _seconds(layer, index, limit, dtype) > affordable:
        limit, refusal = limit - 1, SLOWER
    conversion = layer.conversion_error(bounds)
    low, high = quantised(*_common_interval(layer, index))
    if _rounding_is_hopeless(layer, index, dtype, bounds):
        return ABOVE_ROUNDING
    target = tolerance - conversion
    for _ in range(_TRIALS):
        if not target > 0:
            return ABOVE_ROUNDING
        epsilon = sufficient_epsilon(target, layer.half_range)
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
) -> LowRankChoice:
    """Return low-rank attention of a block by a given polynomial, with its error.

    The polynomial's interval must hold the logits.
    """
    block, bounds = layer.blocks[index], layer.bounds(index)
    if not polynomial.low <= bounds.low <= bounds.high <= polynomial.high:
        raise ValueError("Argument 'polynomial' must be one whose interval holds the block's logits.")
    rounding = _low_rank_rounding(layer, index, dtype, polynomial)
    return LowRankChoice(
        block,
        MEETS,
        dtype,
        bounds.low,
        bounds.high,
        weighted_mean_error(layer.half_range, polynomial.error),
        sum_up(rounding, layer.conversion_error(bounds)),
        low_rank_seconds(block.queries, *layer.sizes, polynomial.degree, dtype),
        polynomial,
    )


def shared_choice(
    layer: PreparedLayer,
    index: int,
    dtype: np.dtype[Any],
    others: Sequence[LowRankChoice | Refusal],
) -> LowRankChoice | None:
    """Return low-rank attention of a block by the cheapest polynomial of another block that will do."""
    bounds = layer.bounds(index)
    polynomials = {choice.polynomial for choice in others if not isinstance(choice, Refusal)}
    for polynomial in sorted(polynomials, key=lambda polynomial: polynomial.degree):
        if polynomial.low <= bounds.low and bounds.high <= polynomial.high:
            choice = with_polynomial(layer, index, dtype, polynomial)
            if choice.error_bound <= layer.inputs.tolerance:
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
    layer: PreparedLayer, index: int, dtype: np.dtype[Any], bounds: LogitBounds
) -> bool:
    """Tell early that the rounding bound will exceed the tolerance.

    Each term passes 70 roundings or more, and the terms' absolute values add up to about e^b' times the
    number of keys, against e to the mean logit in the denominator.
    """
    tolerance = layer.inputs.tolerance
    if tolerance <= 0:
        return True
    exponent = min(bounds.absolute - max(bounds.low, layer.mean_logit(index)), 700.0)
    return 70 * UNIT_ROUNDOFF[dtype] * layer.value_bound * math.exp(exponent) > 4 * tolerance


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


def _seconds(layer: PreparedLayer, index: int, degree: int, dtype: np.dtype[Any]) -> float:
    """Return about how long a block's queries take, and the keys that the block before did not see."""
    block, (d, value_dimension) = layer.blocks[index], layer.sizes
    seen = layer.blocks[index - 1].keys if index else 0
    return low_rank_seconds(block.queries, d, value_dimension, degree, dtype) + low_rank_seconds(
        block.keys - seen, d, value_dimension, degree, dtype
    )
