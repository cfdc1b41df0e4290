"""Perturbed weights: the bounds against optimisation and torch."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from reductions.upper_bound.weight_perturbation import (
    compose,
    epsilon_of,
    equality_case,
    logit_error,
    ratio_error,
    weighted_mean,
    weighted_mean_error,
)

below_one = st.floats(0, 1, exclude_max=True)
values = st.floats(0, 1e6)


@pytest.mark.parametrize("epsilon", [1e-3, 0.1, 0.5, 0.9, 0.999])
def test_bound_is_the_maximum_over_the_mass(epsilon):
    def loss(p: float) -> float:
        return -((1 + epsilon) * p / ((1 + epsilon) * p + (1 - epsilon) * (1 - p)) - p)

    best = minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-12})
    assert -2 * best.fun == pytest.approx(weighted_mean_error(1.0, epsilon), rel=1e-9)
    assert best.x == pytest.approx((1 - math.tanh(math.atanh(epsilon) / 2)) / 2, abs=1e-6)


@given(values, below_one)
def test_between_first_order_and_twice(v, epsilon):
    bound = weighted_mean_error(v, epsilon)
    assert v * epsilon <= bound <= 2 * v * epsilon * (1 + 2**-48) + 2.0**-1071
    assert bound == weighted_mean_error(v, epsilon)


@given(values, below_one, below_one)
def test_monotone(v, first, second):
    low, high = sorted((first, second))
    assert weighted_mean_error(v, low) <= weighted_mean_error(v, high) * (1 + 2.0**-48)


@given(st.floats(1e-9, 30))
def test_three_ways_to_say_it(eta):
    bound = logit_error(1.0, eta)
    assert bound == pytest.approx(2 * math.tanh(eta / 2), rel=1e-14)
    assert ratio_error(1.0, math.exp(2 * eta)) == pytest.approx(bound, rel=1e-6)
    if math.tanh(eta) < 1 - 1e-9:
        assert weighted_mean_error(1.0, math.tanh(eta)) == pytest.approx(bound, rel=1e-6)


def test_extremes():
    assert weighted_mean_error(3.0, 0.0) == logit_error(3.0, 0.0) == ratio_error(3.0, 1.0) == 0
    assert weighted_mean_error(0.0, 0.5) == logit_error(0.0, 1.0) == ratio_error(0.0, 2.0) == 0
    assert 2 <= logit_error(1.0, math.inf) <= 2 + 1e-14
    assert 2 <= ratio_error(1.0, 1e300) <= 2 + 1e-14
    assert compose() == 0
    assert compose(0.25) == 0.25
    assert compose(0.5, 0.5) == pytest.approx(0.8)


@given(st.fractions(0, 1).filter(lambda t: 0 < t < 1))
def test_equality_case_is_exact(t):
    case = equality_case(Fraction(3), t)
    after = [w * f for w, f in zip(case.weights, case.factors, strict=True)]
    assert weighted_mean(after, case.values) - weighted_mean(case.weights, case.values) == 6 * t
    assert all(abs(f - 1) == epsilon_of(t) < 1 for f in case.factors)


@pytest.mark.parametrize("eta", [0.01, 1.0, 5.0])
def test_equality_through_torch(eta):
    # Logits -eta, eta around a gap of their own make the two tokens' masses (1 -+ t)/2.
    gap = torch.tensor([[-eta, eta]], dtype=torch.float64)
    v = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    before = torch.softmax(gap / 2, dim=1) @ v
    after = torch.softmax(gap / 2 + torch.tensor([[eta, -eta]], dtype=torch.float64), dim=1) @ v
    assert float(after - before) == pytest.approx(logit_error(1.0, eta), rel=1e-12)


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(-1, 1)), min_size=1, max_size=12),
    st.floats(0, 0.9),
    st.data(),
)
def test_vectors_move_by_at_most_their_diameter_times_the_share(tokens, epsilon, data):
    logits = np.array([logit for logit, _ in tokens])
    angle = np.array([value for _, value in tokens])
    points = np.stack([np.cos(3 * angle), np.sin(3 * angle)], axis=1)
    signs = np.array(
        data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=len(tokens), max_size=len(tokens)))
    )
    weights = np.exp(logits)
    moved = np.average(points, axis=0, weights=weights * (1 + epsilon * signs)) - np.average(
        points, axis=0, weights=weights
    )
    diameter = np.linalg.norm(points[:, None] - points[None], axis=2).max()
    assert np.linalg.norm(moved) <= weighted_mean_error(diameter / 2, epsilon) + 1e-13


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: weighted_mean_error(-1.0, 0.1), "Argument 'value_bound' must be at least 0"),
        (lambda: weighted_mean_error(math.nan, 0.1), "Argument 'value_bound' must be at least 0"),
        (lambda: weighted_mean_error(1.0, 1.0), "Argument 'epsilon' must be at least 0 and below 1, not 1.0"),
        (lambda: weighted_mean_error(1.0, math.nan), "Argument 'epsilon' must be"),
        (lambda: logit_error(1.0, -0.5), "Argument 'eta' must be at least 0, not -0.5"),
        (lambda: ratio_error(1.0, 0.5), "Argument 'ratio' must be a number from 1 on, not 0.5"),
        (lambda: compose(0.5, 1.0), "Argument 'epsilons' must hold numbers from 0 on and below 1"),
        (lambda: compose(1 - 2**-53, 0.9), "Argument 'epsilons' must compose to"),
    ],
)
def test_argument_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
