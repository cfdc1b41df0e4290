"""Tokens and exact work: torch with an explicit mask."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.lower_bound.token_count import block_causal_mask
from reductions.lower_bound.token_count import (
    least_growth,
    multiplications,
    pair_bound,
    textbook_attention,
    token_bound,
    visible_pairs,
)
from reductions.problems.schedule import RELEASED_SIDES, geometric_sides, square_schedule, token_count

schedules = st.sets(st.integers(1, 60), min_size=1, max_size=12).map(sorted)


def test_the_textbook_algorithm_is_attention_under_the_mask():
    sides, generator = (1, 2, 4), np.random.default_rng(0)
    queries, keys, values = generator.standard_normal((3, 21, 3))
    expected = torch.nn.functional.scaled_dot_product_attention(
        *(torch.tensor(x) for x in (queries, keys, values)),
        attn_mask=torch.tensor(block_causal_mask(sides)),
        scale=0.5,
    )
    found = textbook_attention(
        queries.tolist(), keys.tolist(), values.tolist(), square_schedule(sides), temperature=2.0
    )
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-14)


@settings(deadline=None)
@given(schedules)
def test_bounds(sides):
    n, schedule = sides[-1], square_schedule(sides)
    tokens, pairs = token_count(schedule), visible_pairs(schedule)
    assert n**4 <= n**2 * tokens <= pairs <= tokens**2 < 2 * pairs
    for window in (1, 2, 3):
        growth = least_growth(sides, window)
        assert growth is None or tokens < token_bound(n, growth, window)
    growth = least_growth(sides)
    assert growth is None or pairs < pair_bound(n, growth)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=6))
def test_pairs_of_maps_that_are_not_square(shapes):
    heights, widths = (np.cumsum([shape[axis] for shape in shapes]).tolist() for axis in (0, 1))
    schedule = tuple(zip(heights, widths, strict=True))
    areas = [h * w for h, w in schedule]
    assert 2 * visible_pairs(schedule) == sum(areas) ** 2 + sum(a**2 for a in areas)


def test_named_values():
    released = square_schedule(RELEASED_SIDES)
    assert (token_count(released), visible_pairs(released)) == (680, 286_434)
    assert multiplications(released, 64, 64) == 128 * 286_434
    assert least_growth(RELEASED_SIDES) == Fraction(6, 5)
    assert least_growth(RELEASED_SIDES, 2) == Fraction(3, 2)
    assert least_growth((4,)) is None
    for n in (1, 2, 4, 64, 1024):
        schedule = square_schedule(geometric_sides(n))
        assert 3 * token_count(schedule) == 4 * n**2 - 1
        assert 45 * visible_pairs(schedule) == (4 * n**2 - 1) * (16 * n**2 - 1)
    assert token_count(square_schedule((1, 2, 3, 4, 6, 9, 13, 18, 24, 32))) == 2240


def test_argument_errors():
    with pytest.raises(ValueError, match="Argument 'window' must be at least 1, not 0"):
        least_growth((1, 2), 0)
    with pytest.raises(ValueError, match="Argument 'growth' must be above 1, not 1"):
        token_bound(4, Fraction(1))
    with pytest.raises(ValueError, match="Argument 'schedule' must increase"):
        visible_pairs(((2, 2), (2, 2)))
