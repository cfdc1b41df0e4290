"""The arrays of a layer, moved to where polynomials are good, with all extents that bounds need.

Softmax does not change when one vector k0 is subtracted from all keys, for that adds the same number to all
logits of a row. Nor does the error when a column of values is moved. So keys far from 0 are centred,
which narrows the interval of the logits, and so are values, which makes rounding smaller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from reductions.fast_attention.inputs import Inputs, Matrix, require_finite
from reductions.fast_attention.logit_bounds import Extent, LogitBounds, logit_bounds
from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import ROUNDING, inflated, sum_up
from reductions.upper_bound.weight_perturbation import logit_error

# Centring costs a copy: it is done where it narrows the interval by this factor, or halves the values.
_NARROWER = 0.9


@dataclass(frozen=True)
class Block:
    """The queries of rows [start, stop), which see the keys of rows [0, keys)."""

    start: int
    stop: int
    keys: int

    @property
    def queries(self) -> int:
        """Their number."""
        return self.stop - self.start


@dataclass(frozen=True, eq=False)
class PreparedLayer:
    """A layer and its extents.

    Attributes
    ----------
    inputs
        The arrays as they were given, tau and the tolerance.
    keys, values
        The arrays to compute with.
    blocks
        In the order of the keys they see, each seeing no fewer than the one before.
    query_extents, key_extents
        Of the queries of each block, and of the keys it sees.
    value_entries
        Shape (d_v,): the largest absolute value of each column.
    half_range
        Half the largest range of a column of values, rounded up.
    origin
        Shape (d_v,): what was subtracted from the values, and must be added to the outputs; or None.
    keys_moved
        Whether a vector was subtracted from the keys.
    """

    inputs: Inputs
    keys: Matrix
    values: Matrix
    blocks: tuple[Block, ...]
    query_extents: tuple[Extent, ...]
    key_extents: tuple[Extent, ...]
    value_entries: Floats
    half_range: float
    origin: Floats | None
    keys_moved: bool

    @property
    def queries(self) -> Matrix:
        """Q, which is never moved."""
        return self.inputs.queries

    @property
    def temperature(self) -> float:
        """The tau of the inputs."""
        return self.inputs.temperature

    @property
    def sizes(self) -> tuple[int, int]:
        """d and d_v."""
        return int(self.queries.shape[1]), int(self.values.shape[1])

    @property
    def value_bound(self) -> float:
        """The largest absolute value."""
        return float(self.value_entries.max(initial=0.0))

    def bounds(self, index: int) -> LogitBounds:
        """Return the interval of the logits of a block."""
        return self._all_bounds[index]

    @cached_property
    def _all_bounds(self) -> tuple[LogitBounds, ...]:
        pairs = zip(self.query_extents, self.key_extents, strict=True)
        return tuple(logit_bounds(queries, keys, self.temperature) for queries, keys in pairs)

    @cached_property
    def key_totals(self) -> tuple[Floats, ...]:
        """For each block, the sum of the keys it sees, shape (d,), off by at most 2^-53 of the terms each."""
        totals, seen, total = [], 0, np.zeros(self.keys.shape[1])
        for block in self.blocks:
            total = total + self.keys[seen : block.keys].sum(axis=0, dtype=np.float64)
            totals.append(total)
            seen = block.keys
        return tuple(totals)

    def mean_logit(self, index: int) -> float:
        """Return a lower bound on the mean logit of every query of a block: <q, mean of its keys>/tau."""
        count, entries = self.blocks[index].keys, self.key_extents[index].entries
        # A sum of n numbers is off by at most n 2^-53 of n times the largest.
        means = np.abs(self.key_totals[index]) / count + 2 * (count + 4) * ROUNDING * entries
        products = float((self.query_extents[index].entries * means).sum())
        return -inflated(products) / self.temperature

    def conversion_error(self, bounds: LogitBounds) -> float:
        """Bound how far the arrays' exact attention, moved back and rounded, is from that of the given ones.

        A key that was moved is off by one rounding, its logits by 2^-53 of ``bounds.absolute``; a value that
        was moved likewise, and so is the sum of output and origin.
        """
        moved_logits = 0.0
        if self.keys_moved:
            moved_logits = logit_error(self.half_range, 2 * ROUNDING * bounds.absolute)
        return moved_logits if self.origin is None else sum_up(moved_logits, self.value_conversion_error)

    @property
    def value_conversion_error(self) -> float:
        """Bounds how far values that were moved, and outputs that are moved back, are off by rounding."""
        if self.origin is None:
            return 0.0
        return 4 * ROUNDING * (self.value_bound + float(np.abs(self.origin).max(initial=0.0)))

    def with_centred_values(self) -> PreparedLayer:
        """Return the layer with its values centred, also where that makes them little smaller."""
        if self.origin is not None:
            return self
        values, entries, half_range, origin = _centred_values(self.values, always=True)
        return replace(self, values=values, value_entries=entries, half_range=half_range, origin=origin)


def prepare(inputs: Inputs, blocks: Sequence[Block], *, move: bool) -> PreparedLayer:
    """Measure a layer, and centre its keys and values where that helps.

    Parameters
    ----------
    inputs
        Checked arguments; that their entries are finite is checked here.
    blocks
        At least one, in order.
    move
        Whether keys may be centred.

    Raises
    ------
    ValueError
        If an entry is not finite, or the logits or the values' range exceed float64.
    """
    temperature = inputs.temperature
    query_extents = [Extent.of(inputs.queries[block.start : block.stop]) for block in blocks]
    require_finite("queries", all(extent.finite for extent in query_extents))
    key_extents = _prefix_extents(inputs.keys, blocks)
    require_finite("keys", key_extents[-1].finite)
    keys, keys_moved = inputs.keys, False
    centre = key_extents[-1].low / 2 + key_extents[-1].high / 2
    if move and _is_far(centre, key_extents[-1]):
        with np.errstate(over="ignore", invalid="ignore"):
            moved = inputs.keys - centre
        moved_extents = _prefix_extents(moved, blocks)
        before, after = (
            logit_bounds(query_extents[-1], extents[-1], temperature)
            for extents in (key_extents, moved_extents)
        )
        if after.half_width < _NARROWER * before.half_width:
            keys, key_extents, keys_moved = moved, moved_extents, True
    for extent in query_extents:
        if not math.isfinite(logit_bounds(extent, key_extents[-1], temperature).absolute):
            raise ValueError("The logits exceed the range of float64.")
    values, entries, half_range, origin = _centred_values(inputs.values)
    return PreparedLayer(
        inputs,
        keys,
        values,
        tuple(blocks),
        tuple(query_extents),
        tuple(key_extents),
        entries,
        half_range,
        origin,
        keys_moved,
    )


def _prefix_extents(keys: Matrix, blocks: Sequence[Block]) -> list[Extent]:
    extents: list[Extent] = []
    seen = 0
    for block in blocks:
        if block.keys > seen:
            extent = Extent.of(keys[seen : block.keys])
            extents.append(extents[-1] | extent if extents else extent)
            seen = block.keys
        else:
            extents.append(extents[-1])
    return extents


def _is_far(centre: Floats, extent: Extent) -> bool:
    """Tell whether the middle of some axis is a quarter of its half-width from 0 or more."""
    return bool((np.abs(centre) * 8 > extent.high - extent.low).any())


def _centred_values(values: Matrix, *, always: bool = False) -> tuple[Matrix, Floats, float, Floats | None]:
    """Return values to compute with, each column's largest size, half the largest range, and the origin."""
    if not values.shape[1]:
        return values, np.zeros(0), 0.0, None
    low, high = _column_range(values)
    require_finite("values", bool(np.isfinite(low).all() and np.isfinite(high).all()))
    # Halves first, so that nothing overflows; they are exact but for the smallest of numbers.
    half_range = inflated(float((high / 2 - low / 2).max()), 4, lost=2.0**-1070)
    entries = np.maximum(np.abs(low), np.abs(high))
    origin = low / 2 + high / 2
    if not always and float(entries.max()) <= 2 * half_range:
        return values, entries, half_range if (low < high).any() else 0.0, None
    moved = values - origin
    low, high = _column_range(moved)
    half_range = inflated(float((high / 2 - low / 2).max()), 4, lost=2.0**-1070)
    return moved, np.maximum(np.abs(low), np.abs(high)), half_range, origin


def _column_range(values: Matrix) -> tuple[Floats, Floats]:
    extent = Extent.of(values)
    return extent.low, extent.high
