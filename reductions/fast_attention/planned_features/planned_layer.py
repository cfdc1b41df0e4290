"""Attention within a tolerance by planned features: fewer than the total degree needs, where data allow it.

Queries and keys are recentred, turned to their principal axes and given degrees by groups
(:mod:`reductions.fast_attention.planned_features.plan_search`); the certificate is of the same kind as that
of :func:`~reductions.fast_attention.approximate_attention.approximate_attention`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from reductions.fast_attention.certificate import AttentionCertificate, Method
from reductions.fast_attention.choice import Refusal
from reductions.fast_attention.inputs import Inputs, checked_inputs
from reductions.fast_attention.planned_features.feature_plan import FeaturePlan
from reductions.fast_attention.planned_features.plan_search import LARGEST_NUMBER, plan_features, spread_rows
from reductions.fast_attention.planned_features.planned_attention import planned_attention, rounding_bound
from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import sum_up

_UNIT = 2.0**-53
_LARGEST_EPSILON = 0.9

REASON = "features were planned for the data"
SLOWER = Refusal("planned features are estimated to be slower", final=True)
ABOVE_ROUNDING = Refusal("the tolerance is below the rounding error")
_SAMPLE = 1024


class PlannedLayer(NamedTuple):
    """Output of shape (L_q, d_v), float64; its certificate; and the plan."""

    output: Floats
    certificate: AttentionCertificate
    plan: FeaturePlan


def attention_by_plan(
    queries: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    *,
    temperature: float,
    tolerance: float,
    threads: int | None = None,
) -> PlannedLayer:
    """Return Att(Q, K, V; tau), each entry within the tolerance, by the cheapest features found.

    Parameters
    ----------
    queries, keys, values
        Shapes (L_q, d), (L_k, d), (L_k, d_v), at least one row and one column each.
    temperature
        tau > 0.
    tolerance
        The additive error that is allowed on every entry.
    threads
        How many the kernels use; None for one a processor.

    Raises
    ------
    TypeError
        If an argument is not of real numbers.
    ValueError
        If shapes do not fit, a number is out of range, or no plan meets the tolerance.
    """
    inputs = checked_inputs(queries, keys, values, temperature, tolerance)
    layer = planned_layer(inputs, threads)
    if isinstance(layer, Refusal):
        raise ValueError(
            f"Argument 'tolerance' must be such that a plan of features meets it: {layer.reason}."
        )
    return layer


def planned_layer(
    inputs: Inputs, threads: int | None, *, largest_rank: float = math.inf
) -> PlannedLayer | Refusal:
    """Return attention by the cheapest plan, or why there is none.

    Parameters
    ----------
    inputs
        Checked arguments.
    threads
        For the kernels.
    largest_rank
        More features than that are not worth their time.
    """
    queries, keys, values = (
        array.astype(np.float64, copy=False) for array in (inputs.queries, inputs.keys, inputs.values)
    )
    numbers = (queries, keys, values, np.array([inputs.temperature, 1 / inputs.temperature]))
    if not all(array.size for array in numbers):
        return Refusal("there is nothing to plan", final=True)
    # A NaN fails every comparison.
    if not all(max(array.max(), -array.min()) <= LARGEST_NUMBER for array in numbers):
        return Refusal("a number is not finite, or out of the range of plans", final=True)
    origin = values.min(axis=0) / 2 + values.max(axis=0) / 2
    moved = values - origin
    bound = float(np.abs(moved).max())
    # A moved value is off by one rounding, and so is the sum of output and origin.
    conversion = 4 * _UNIT * (bound + float(np.abs(origin).max()))
    found = _plan_within(inputs, queries, keys, bound, conversion, largest_rank)
    if isinstance(found, Refusal):
        return found
    plan, dtype = found
    result = planned_attention(plan, moved, dtype=dtype, threads=threads)
    rounding = sum_up(result.rounding_error, conversion)
    lows, highs = zip(*plan.intervals, strict=True)
    certificate = AttentionCertificate(
        method=Method.LOW_RANK,
        reason=REASON,
        tolerance=inputs.tolerance,
        degree=plan.degree,
        rank=plan.rank,
        epsilon=plan.epsilon,
        low=math.fsum(lows),
        high=math.fsum(highs),
        approximation_error=result.approximation_error,
        rounding_error=rounding,
        error_bound=sum_up(result.approximation_error, rounding),
        operations=_operations(plan, len(queries), len(keys), values.shape[1]),
        dtype=str(dtype),
        queries=len(queries),
        keys=len(keys),
    )
    return PlannedLayer(result.output + origin, certificate, plan)


def _plan_within(
    inputs: Inputs, queries: Floats, keys: Floats, bound: float, conversion: float, largest_rank: float
) -> tuple[FeaturePlan, np.dtype[Any]] | Refusal:
    """Return a plan and the type to compute in, such that all errors together meet the tolerance."""
    refusal = Refusal("no plan meets the tolerance")
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        target = inputs.tolerance * (1 - 2.0**-6) - conversion
        for _ in range(2):
            if not target > 0:
                refusal = ABOVE_ROUNDING
                break
            epsilon = _epsilon(target, bound)
            if not _is_promising(queries, keys, inputs.temperature, epsilon, largest_rank):
                return SLOWER
            plan = plan_features(queries, keys, inputs.temperature, epsilon)
            if plan is None:
                break
            if plan.rank > largest_rank:
                return SLOWER
            rounding = rounding_bound(plan, bound, dtype=dtype)
            if sum_up(plan.output_error(bound), rounding, conversion) <= inputs.tolerance:
                return plan, dtype
            refusal = ABOVE_ROUNDING
            target = inputs.tolerance - 1.25 * rounding - conversion
    return refusal


def _is_promising(
    queries: Floats, keys: Floats, temperature: float, epsilon: float, largest_rank: float
) -> bool:
    """Tell whether a plan for some of the rows is cheap enough: for all of them it will hardly be cheaper."""
    if largest_rank == math.inf:
        return True
    some = [spread_rows(rows, _SAMPLE) for rows in (queries, keys)]
    plan = plan_features(some[0], some[1], temperature, epsilon)
    return plan is not None and plan.rank <= largest_rank


def _epsilon(target: float, bound: float) -> float:
    """Return an epsilon with 2 v tanh(artanh(epsilon)/2) <= target, to rounding."""
    share = target / (2 * bound) if bound else 1.0
    return _LARGEST_EPSILON if share >= 0.5 else min(2 * share / (1 + share * share), _LARGEST_EPSILON)


def _operations(plan: FeaturePlan, queries: int, keys: int, value_dimension: int) -> int:
    """Return the multiply-adds: new coordinates and key weights, monomials, and sums over them."""
    d, r = sum(plan.sizes), plan.rank
    features = max(r - 1 - d, 0) + r * (value_dimension + 1)
    return (queries + keys) * (features + d * d) + keys * (d + value_dimension)
