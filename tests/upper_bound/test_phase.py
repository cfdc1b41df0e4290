"""The phase diagram: rigorous values as an oracle, and the limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.upper_bound.phase.cases import cube_points, frobenius_rank
from reductions.upper_bound.phase import (
    Growth,
    barrier_exponent,
    cube_rank,
    direct_route_logit_bound,
    entry_criterion,
    exact_exponent,
    fast_exponent,
    forced_dimension,
    pcp_route_logit_bound,
    rank_growth_exponent,
    subquartic_criterion,
)
from reductions.upper_bound.rank_growth import rank_exponent

dimensions = st.floats(0.2, 10)
accuracies = st.floats(0, 8)
sigmas = st.sampled_from((2.0, 3.0))


@settings(deadline=None, max_examples=60)
@given(dimensions, accuracies, sigmas)
def test_the_criterion_is_where_the_exponent_reaches_the_exact_one(c, kappa, sigma):
    limit = subquartic_criterion(c, kappa, sigma)
    assert fast_exponent(c, limit * (1 - 1e-7), kappa, sigma) < exact_exponent(sigma)
    assert fast_exponent(c, limit * (1 + 1e-7), kappa, sigma) == exact_exponent(sigma)
    assert entry_criterion(c, kappa, sigma) == math.sqrt(limit)


@settings(deadline=None, max_examples=40)
@given(dimensions, st.just(0.0) | st.floats(1e-300, 10), st.just(0.0) | st.floats(1e-300, 8))
def test_units_of_tokens_and_of_sides(c, beta, kappa):
    expected = min(4, 2 + 2 * rank_exponent(c / 2, beta / 2, kappa / 2))
    assert fast_exponent(c, beta, kappa) == pytest.approx(expected, rel=1e-10)


@settings(deadline=None, max_examples=40)
@given(dimensions, st.floats(0.01, 10), sigmas)
def test_the_barrier_is_below_the_construction(c, beta, sigma):
    assert 0 <= barrier_exponent(c, beta, sigma) <= rank_growth_exponent(c, beta, 0) + 1e-12
    assert barrier_exponent(c, beta, sigma) <= sigma + 1e-12


def test_limits():
    assert fast_exponent(1, 0, 3) == 2
    assert fast_exponent(1, 0, 3, 3) == 3
    assert fast_exponent(1, 100, 0, 3) == 6
    assert fast_exponent(0, 5, 1) == 2
    assert subquartic_criterion(0, 1) == math.inf
    assert subquartic_criterion(1, 0) == pytest.approx(2.2336362214, rel=1e-9)
    assert subquartic_criterion(50, 1e6) == 0
    assert barrier_exponent(1, 0) == barrier_exponent(0, 1) == 0
    assert barrier_exponent(3, 200) == pytest.approx(2)
    assert [growth.schedule_factor for growth in Growth] == [2, 2, 3]
    assert forced_dimension(1) == pytest.approx(0.26756, abs=1e-5)
    assert forced_dimension(1e-9) == pytest.approx(0.7113, abs=1e-3)


@pytest.mark.parametrize("dimension", [1, 4, 8])
@pytest.mark.parametrize("epsilon", [0.7, 0.1, 1e-3])
def test_the_rank_on_the_cube(dimension, epsilon):
    points = cube_points(dimension, 2.0)
    assert frobenius_rank(np.exp(points @ points.T), epsilon) == cube_rank(dimension, 2.0, epsilon)


def test_the_rank_of_a_large_cube_grows_with_the_barrier():
    exponents = [math.log(cube_rank(d, d, 0.5)) / d for d in (50, 200, 800)]
    limit = barrier_exponent(1, 1)
    assert abs(exponents[-1] - limit) < abs(exponents[0] - limit)
    assert exponents[-1] == pytest.approx(limit, abs=0.03)


def test_hard_logits():
    assert pcp_route_logit_bound(2**400) / (400 * math.log(2)) == pytest.approx(8, abs=0.05)
    assert direct_route_logit_bound(4, 6) == pytest.approx(12 * math.log(16 * 21))


def test_argument_errors():
    with pytest.raises(ValueError, match="Argument 'schedule_factor' must be positive and finite, not 0"):
        fast_exponent(1, 1, 1, 0)
    with pytest.raises(ValueError, match="Argument 'kappa' must be"):
        subquartic_criterion(1, -1)
    with pytest.raises(ValueError, match="Argument 'saving' must be above 0 and at most 1, not 2"):
        forced_dimension(2)
    with pytest.raises(ValueError, match="Argument 'half_width_rate' must be positive"):
        forced_dimension(1, 0)
    with pytest.raises(ValueError, match="Argument 'n' must be a power of two, not 3"):
        pcp_route_logit_bound(3)
    with pytest.raises(ValueError, match="Argument 'coordinates' must be at least 2"):
        direct_route_logit_bound(4, 1)
    for arguments, name in (((0, 1, 0.5), "dimension"), ((1, 0, 0.5), "logit_bound"), ((1, 1, 1), "epsilon")):
        with pytest.raises(ValueError, match=f"Argument '{name}'"):
            cube_rank(*arguments)
