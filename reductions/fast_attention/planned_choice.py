"""Planned features as a choice: fewer than the total degree needs, where the data allow it.

Queries and keys are recentred, turned to their principal axes and given degrees by groups
(:mod:`reductions.fast_attention.planned_features.plan_search`).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from reductions.fast_attention.attend import attend, certificate, worker_count
from reductions.fast_attention.certificate import AttentionCertificate
from reductions.fast_attention.choice import PlannedChoice, Refusal, by_precision, sufficient_epsilon
from reductions.fast_attention.inputs import checked_inputs
from reductions.fast_attention.planned_features.feature_plan import FeaturePlan
from reductions.fast_attention.planned_features.plan_search import LARGEST_NUMBER, plan_features, spread_rows
from reductions.fast_attention.planned_features.planned_attention import rounding_bound
from reductions.fast_attention.prepared_layer import Block, PreparedLayer, prepare
from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import sum_up

REASON = "features were planned for the data"
EMPTY = Refusal("there is nothing to plan", final=True)
OUT_OF_RANGE = Refusal("a number is out of the range of plans", final=True)
SLOWER = Refusal("planned features are estimated to be slower", final=True)
NO_PLAN = Refusal("no plan meets the tolerance")
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
    block = Block(0, len(inputs.queries), len(inputs.keys))
    layer = prepare(inputs, [block], move=False).with_centred_values()
    choice = planned_choice(layer)
    if isinstance(choice, Refusal):
        raise ValueError(
            f"Argument 'tolerance' must be such that a plan of features meets it: {choice.reason}."
        )
    output = attend(layer, [choice], worker_count(threads))
    return PlannedLayer(output, certificate(layer, choice), choice.plan)


def planned_choice(layer: PreparedLayer, *, largest_rank: float = math.inf) -> PlannedChoice | Refusal:
    """Return the cheapest plan that meets the tolerance, or why there is none.

    Parameters
    ----------
    layer
        One block, with centred values. The plan moves queries and keys itself, as they were given.
    largest_rank
        More features than that are not worth their time.
    """
    inputs = layer.inputs
    numbers = (inputs.queries, inputs.keys, inputs.values, np.array([inputs.temperature]))
    if not all(array.size for array in numbers):
        return EMPTY
    largest = max(float(max(array.max(), -array.min())) for array in numbers)
    if max(largest, 1 / inputs.temperature) > LARGEST_NUMBER:
        return OUT_OF_RANGE
    queries, keys = (array.astype(np.float64, copy=False) for array in (inputs.queries, inputs.keys))
    return by_precision(lambda dtype: [_plan_in(layer, dtype, queries, keys, largest_rank)])[-1][0]


def _plan_in(
    layer: PreparedLayer, dtype: np.dtype[Any], queries: Floats, keys: Floats, largest_rank: float
) -> PlannedChoice | Refusal:
    """Return a plan whose errors in a dtype together meet the tolerance, or why there is none."""
    temperature, tolerance = layer.inputs.temperature, layer.inputs.tolerance
    bound, conversion = layer.value_bound, layer.value_conversion_error
    target, refusal = tolerance * (1 - 2.0**-6) - conversion, NO_PLAN
    for _ in range(2):
        if not target > 0:
            return ABOVE_ROUNDING
        epsilon = sufficient_epsilon(target, bound)
        if not _is_promising(queries, keys, temperature, epsilon, largest_rank):
            return SLOWER
        plan = plan_features(queries, keys, temperature, epsilon)
        if plan is None:
            return refusal
        if plan.rank > largest_rank:
            return SLOWER
        low, high = map(math.fsum, zip(*plan.intervals, strict=True))
        rounding = rounding_bound(plan, bound, dtype=dtype)
        errors = plan.output_error(bound), sum_up(rounding, conversion)
        choice = PlannedChoice(layer.blocks[0], REASON, dtype, low, high, *errors, plan)
        if choice.error_bound <= tolerance:
            return choice
        refusal = ABOVE_ROUNDING
        target = tolerance - 1.25 * rounding - conversion
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
