"""Isolated slots: the slots' properties, and torch as the interpolation."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reductions.lower_bound.isolation import (
    axis_slots,
    capacity,
    grid_slots,
    largest_weight_at_least,
    slots_per_axis_at_least,
)
from reductions.problems.interpolation import Interpolation, Kernel

rules = st.builds(Interpolation, st.sampled_from(Kernel), st.floats(-1, 0), st.booleans())
axes = st.tuples(st.integers(1, 60), st.integers(1, 60)).map(sorted)


@given(rules, axes)
def test_slots_of_an_axis(rule, axis):
    slots = axis_slots(rule, *axis)
    matrix = rule.matrix(*axis).toarray()
    chosen = matrix[:, [slot.coarse for slot in slots]]
    assert ((chosen != 0).sum(axis=1) <= 1).all()
    assert len(slots) >= slots_per_axis_at_least(rule.kernel, axis[0])
    bound = largest_weight_at_least(rule, *axis)
    assert bound >= Fraction(1, 2)
    for slot in slots:
        assert slot.weight == matrix[slot.fine, slot.coarse] == matrix[:, slot.coarse].max()
        assert slot.weight >= float(bound) - 2.0**-49
        assert -matrix[:, slot.coarse].min() <= 32 / 135 * slot.weight + 2.0**-49


@given(rules, axes, axes, st.data())
def test_slots_of_a_map(rule, rows, columns, data):
    coarse, fine = (rows[0], columns[0]), (rows[1], columns[1])
    fit = capacity(rule, coarse, fine)
    count = data.draw(st.integers(0, fit))
    slots, everything = grid_slots(rule, coarse, fine, count), grid_slots(rule, coarse, fine, fit)
    assert len(slots) == count
    assert slots.coarse.shape == slots.fine.shape == (count, 2)
    for name in ("coarse", "fine", "weight"):
        assert (getattr(slots, name) == getattr(everything, name)[:count]).all()
    order = everything.coarse @ (columns[0], 1)
    assert (np.diff(order) > 0).all()
    assert (everything.weight >= 1 / 4).all()
    with pytest.raises(ValueError, match=f"between 0 and {fit}, .* not {fit + 1}"):
        grid_slots(rule, coarse, fine, fit + 1)


@pytest.mark.parametrize("kernel", Kernel)
@pytest.mark.parametrize(("coarse", "fine"), [((13, 13), (16, 16)), ((16, 16), (32, 32)), ((5, 9), (7, 9))])
def test_tokens_arrive_unmixed_through_torch(kernel, coarse, fine):
    rule = Interpolation(kernel)
    slots = grid_slots(rule, coarse, fine, capacity(rule, coarse, fine))
    tokens = np.eye(len(slots))  # one channel a token, so that mixing would show
    grid = np.zeros((*coarse, len(slots)))
    grid[slots.coarse[:, 0], slots.coarse[:, 1]] = tokens / slots.weight[:, None]
    options = {} if kernel is Kernel.NEAREST else {"align_corners": False}
    carried = torch.nn.functional.interpolate(
        torch.from_numpy(grid).permute(2, 0, 1)[None], size=fine, mode=kernel.value, **options
    )[0].permute(1, 2, 0)
    carried = carried.numpy()
    np.testing.assert_allclose(carried[slots.fine[:, 0], slots.fine[:, 1]], tokens, rtol=0, atol=1e-14)
    present = np.abs(carried) > 1e-14
    assert present.sum(axis=2).max() == 1
    assert np.abs(carried).max() <= 1 + 1e-14


def test_numbers_of_slots():
    assert [slots_per_axis_at_least(kernel, 13) for kernel in Kernel] == [13, 7, 4]
    assert [capacity(Interpolation(kernel), (13, 13), (16, 16)) for kernel in Kernel] == [169, 49, 16]
    assert [capacity(Interpolation(kernel), (1, 2), (1, 4)) for kernel in Kernel] == [2, 1, 1]
    # Equal sizes copy the map: every pixel is a slot.
    assert capacity(Interpolation(), (5, 5), (5, 5)) == 25


def test_ties_occur():
    # Doubling samples both sides of every pixel at distance 1/4: the slot takes the first.
    slot = axis_slots(Interpolation(), 16, 32)[1]
    matrix = Interpolation().matrix(16, 32)
    assert slot.weight == matrix[slot.fine + 1, slot.coarse] == 225 / 256


def test_argument_errors():
    with pytest.raises(ValueError, match="Argument 'fine' must be at least"):
        axis_slots(Interpolation(), 5, 4)
    with pytest.raises(ValueError, match="Argument 'count' must be between 0 and 16"):
        grid_slots(Interpolation(), (13, 13), (16, 16), -1)
