"""Estimates that decide what is computed: near the truth, and never part of a proof."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reductions.fast_attention.cost_model import (
    FLOAT32,
    FLOAT64,
    LARGEST_STATE,
    exact_operations,
    exact_seconds,
    largest_degree,
    likely_degree,
    low_rank_operations,
    low_rank_seconds,
)
from reductions.fast_attention.inputs import checked_inputs
from reductions.fast_attention.low_rank_choice import quantised, with_polynomial
from reductions.fast_attention.prepared_layer import Block, prepare
from reductions.polynomials.exponential import certified_degree, minimax_polynomial


@pytest.mark.parametrize("half_width", [0.1, 0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("epsilon", [0.3, 1e-2, 1e-4, 1e-8])
def test_the_likely_degree_is_the_certified_one_or_one_less(half_width, epsilon):
    certified = certified_degree(-half_width, half_width, epsilon)
    assert certified is not None
    assert certified.degree - likely_degree(half_width, epsilon) in (0, 1)


def test_the_likely_degree_ends():
    assert likely_degree(60.0, 1e-10) == 65
    assert likely_degree(1e-9, 0.5) == 0
    assert likely_degree(0.0, 1e-10) == 0


@given(st.floats(-1e3, 1e3), st.floats(0, 1e3) | st.floats(0, 1e-300))
def test_a_quantised_interval_holds_the_given_one(low, width):
    high = low + width
    wider = quantised(low, high)
    assert wider[0] <= low <= high <= wider[1]
    assert wider[1] - wider[0] <= 1.04 * (high - low)


@given(st.floats(0, 1e-300))
def test_intervals_near_zero(width):
    assert quantised(-width, width)[1] >= width


def test_operations():
    assert exact_operations(3, 5, 2, 4) == 3 * 5 * 7
    # Degree 2 in 2 variables: 3 monomials are formed, 6 rows of 5 numbers summed.
    assert low_rank_operations(10, 2, 4, 2) == 10 * (3 + 6 * 5)
    assert low_rank_operations(10, 2, 4, 0) == 10 * 5


def test_the_largest_degree_fits_the_state():
    for d in (1, 4, 16, 64):
        degree = largest_degree(d, d, 64)
        assert math.comb(d + degree, degree) * (d + 1) <= LARGEST_STATE
        assert degree == 64 or math.comb(d + degree + 1, d) * (d + 1) > LARGEST_STATE
    assert largest_degree(2, LARGEST_STATE, 64) == -1


def test_estimates_grow_with_the_work():
    for dtype in (FLOAT32, FLOAT64):
        numpy, compiled = (
            [exact_seconds(count, 1000, 8, 8, dtype, compiled=way) for count in (1, 1000, 2000)]
            for way in (False, True)
        )
        assert numpy[2] == pytest.approx(2 * numpy[1])
        assert compiled[2] == pytest.approx(2 * compiled[1], rel=0.3)
        # The kernel is faster, but for few queries.
        assert compiled[1] < numpy[1]
        assert compiled[0] > numpy[0]
        seconds = [low_rank_seconds(1000, 8, 8, degree, dtype) for degree in range(6)]
        assert seconds == sorted(seconds)
    for compiled in (False, True):
        single, double = (
            exact_seconds(100, 100, 8, 8, dtype, compiled=compiled) for dtype in (FLOAT32, FLOAT64)
        )
        assert single < double


def test_a_polynomial_must_hold_the_logits():
    arrays = np.random.default_rng(0).uniform(-1, 1, (3, 50, 2))
    layer = prepare(checked_inputs(*arrays, 2.0, 1e-3), [Block(0, 50, 50)], move=False)
    bounds = layer.bounds(0)
    choice = with_polynomial(layer, 0, FLOAT64, minimax_polynomial(3, *quantised(bounds.low, bounds.high)))
    assert 0 < choice.rounding_error < choice.approximation_error < 0.1
    with pytest.raises(ValueError, match="must be one whose interval holds the block's logits"):
        with_polynomial(layer, 0, FLOAT64, minimax_polynomial(3, bounds.low, bounds.high / 2))


def test_a_bound_on_the_mean_logit():
    generator = np.random.default_rng(0)
    for shift in (0.0, 0.3):
        queries, keys, values = generator.uniform(-1, 1, (3, 200, 3))
        keys = keys + shift
        blocks = [Block(0, 50, 50), Block(50, 200, 200)]
        layer = prepare(checked_inputs(queries, keys, values, 3.0, 1e-3), blocks, move=False)
        for index, block in enumerate(blocks):
            means = queries[block.start : block.stop] @ keys[: block.keys].mean(axis=0) / 3.0
            assert layer.bounds(index).low < layer.mean_logit(index) <= means.min()
