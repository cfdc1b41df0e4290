"""Plans of features: what they hold is true, what they cost is no more than plain features, and messages."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from checks.upper_bound.principal_axes.feature_plan_cases import FAMILIES, draw_vectors, temperature_for
from reductions.fast_attention.planned_features.feature_plan import group_extents, remaining_error
from reductions.fast_attention.planned_features.plan_search import plan_features
from reductions.fast_attention.planned_features.planned_attention import planned_attention
from reductions.fast_attention.planned_features.staircase_search import GroupErrors, best_staircase
from reductions.polynomials.exponential import minimax_polynomial
from reductions.problems.attention import attention
from reductions.upper_bound.grouped_degrees import staircase_error
from reductions.upper_bound.monomial_features import feature_count, monomials


def layer(family, count=300, dimension=8, bound=1.0, seed=0):
    rng = np.random.default_rng(seed)
    queries, keys = (draw_vectors(family, count, dimension, rng) for _ in range(2))
    return queries, keys, temperature_for(queries, keys, bound)


@pytest.mark.parametrize("family", FAMILIES)
def test_plans_are_certified(family):
    queries, keys, temperature = layer(family)
    for epsilon in (1e-1, 1e-3):
        plan = plan_features(queries, keys, temperature, epsilon)
        plain = plan_features(queries, keys, temperature, epsilon, plain=True)
        assert plan.epsilon <= epsilon
        assert plan.rank == len(plan.monomials) == len(plan.weights) <= plain.rank
        assert plain.rank == feature_count(8, plain.degree)
        arrays = plan.arrays
        kernel = (monomials(arrays.queries, plan.monomials) * plan.weights) @ monomials(
            arrays.keys, plan.monomials
        ).T
        logits = arrays.queries @ arrays.keys.T / temperature
        assert np.abs(kernel * np.exp(-logits) - 1).max() <= plan.kernel_error + 1e-13
        start = 0
        for size, (low, high), magnitude in zip(plan.sizes, plan.intervals, plan.magnitudes, strict=True):
            part = slice(start, start + size)
            shares = arrays.queries[:, part] @ arrays.keys[:, part].T / temperature
            sizes = np.abs(arrays.queries[:, part]) @ np.abs(arrays.keys[:, part]).T / temperature
            assert low <= shares.min() <= shares.max() <= high
            assert sizes.max() <= magnitude
            start += size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("family", FAMILIES)
def test_outputs_are_within_their_bound(family, dtype):
    queries, keys, temperature = layer(family, seed=1)
    values = np.random.default_rng(2).uniform(-3, 3, (300, 4))
    plan = plan_features(queries, keys, temperature, 1e-3)
    result = planned_attention(plan, values, dtype=dtype, threads=1)
    exact = attention(queries, keys, values, temperature)
    assert np.abs(result.output - exact).max() <= result.error_bound + 1e-13
    assert result.approximation_error <= 3.001e-3
    assert result.rounding_error < (1e-3 if dtype == "float32" else 1e-11)


@pytest.mark.parametrize(
    ("family", "at_least"), [("offset", 5), ("decaying", 3), ("few axes", 5), ("clustered", 1.2)]
)
def test_where_it_pays(family, at_least):
    queries, keys, temperature = layer(family, count=2000, dimension=12)
    plan = plan_features(queries, keys, temperature, 1e-3)
    plain = plan_features(queries, keys, temperature, 1e-3, plain=True)
    assert plain.rank >= at_least * plan.rank


def test_one_token_of_one_axis():
    queries, keys, temperature = layer("offset", count=1, dimension=1)
    plan = plan_features(queries, keys, temperature, 1e-6)
    result = planned_attention(plan, np.array([[2.0]]), dtype="float64")
    assert result.output.item() == pytest.approx(2.0, abs=1e-12)


def test_wide_logits_have_no_plan():
    queries, keys, temperature = layer("sphere", bound=50.0)
    assert plan_features(queries, keys, temperature, 1e-3) is None


def test_constant_logits_need_one_feature():
    keys = np.ones((40, 5))
    queries = np.random.default_rng(0).normal(size=(30, 5))
    assert plan_features(queries, keys, 1.0, 1e-6).rank == 1


def test_searched_staircases_meet_the_tolerance():
    widths, sizes = (1.0, 0.4, 0.1), (2, 3, 4)
    for tolerance in (1e-1, 1e-2, 1e-4):
        groups = [GroupErrors(b) for b in widths]
        staircase = best_staircase(sizes, groups, tolerance)
        errors = [[group[g] for g in range(20)] for group in groups]
        assert staircase_error(staircase, errors) <= tolerance


def test_guessed_errors_are_near_the_certified_ones():
    for b, degree in itertools.product((0.1, 0.5, 1.0, 2.0), range(7)):
        guess, error = GroupErrors(b)[degree], minimax_polynomial(degree, -b, b).error
        assert error == pytest.approx(guess, rel=0.4)


def test_extents_of_groups():
    rows = np.random.default_rng(0).normal(size=(37, 5))
    extents = group_extents(rows, (0, 2, 5))
    for extent, part in zip(extents, (rows[:, :2], rows[:, 2:]), strict=True):
        assert (extent.low == part.min(axis=0)).all()
        assert (extent.high == part.max(axis=0)).all()
        assert extent.norm >= np.linalg.norm(part.astype(np.longdouble), axis=1).max()
        assert extent.norm == pytest.approx(np.linalg.norm(part, axis=1).max())


def test_what_is_left_of_a_tolerance():
    assert remaining_error(0.5, 0.1) == pytest.approx(np.tanh(np.arctanh(0.5) - 0.1), rel=1e-5)
    assert remaining_error(0.1, 1.0) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"queries": np.ones((2, 2), np.float32)}, "Argument 'queries' must be a float64 matrix"),
        ({"keys": np.full((2, 2), np.nan)}, "Argument 'keys' must have finite entries up to 2"),
        ({"keys": np.ones((2, 3))}, "Argument 'keys' must have 2 columns as the queries, not 3"),
        ({"temperature": 0.0}, "Argument 'temperature' must be between"),
        ({"epsilon": 1.0}, "Argument 'epsilon' must be above 0 and below 1, not 1.0"),
    ],
)
def test_argument_errors(change, message):
    arguments = {"queries": np.ones((2, 2)), "keys": np.ones((2, 2)), "temperature": 1.0, "epsilon": 0.1}
    with pytest.raises(ValueError, match=message):
        plan_features(**{**arguments, **change})


def test_values_must_match_the_keys():
    plan = plan_features(np.ones((2, 2)), np.ones((3, 2)), 1.0, 0.1)
    with pytest.raises(ValueError, match="Argument 'values' must be a matrix with one row for each of the 3"):
        planned_attention(plan, np.ones((2, 1)))
