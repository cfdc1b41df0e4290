"""Exact attention of a block: by which kernel, in which dtype, and its rounding error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reductions.fast_attention.choice import ExactChoice
from reductions.fast_attention.cost_model import FLOAT32, FLOAT64, exact_seconds
from reductions.fast_attention.logit_bounds import LogitBounds
from reductions.fast_attention.prepared_layer import PreparedLayer
from reductions.kernels.exact_rounding import exact_kernel_rounding_bound
from reductions.layers.directed_rounding import SMALLEST_NORMAL, UNIT_ROUNDOFF, sum_up
from reductions.layers.streamed_attention import AttentionMagnitudes, rounding_bound


def exact_choice(layer: PreparedLayer, index: int, reason: str, *, compiled: bool) -> ExactChoice:
    """Return exact attention of a block: in float32 where that meets the tolerance, else in float64.

    Parameters
    ----------
    layer, index
        The block.
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
        if rounding <= layer.inputs.tolerance or (rounding < math.inf and dtype == FLOAT64):
            break
    if rounding == math.inf:
        raise ValueError("The logits or the sums of values exceed the range of float64.")
    seconds = exact_seconds(block.queries, block.keys, d, value_dimension, dtype, compiled=way)
    return ExactChoice(block, reason, dtype, bounds.low, bounds.high, 0.0, rounding, seconds, way)


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
