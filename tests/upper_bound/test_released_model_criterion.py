"""What the upper bound says of a layer: degrees, plans and crossovers against brute force."""

from __future__ import annotations

import math
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reductions.lower_bound.token_count import multiplications
from reductions.problems.schedule import square_schedule
from reductions.upper_bound import block_causal_state
from reductions.upper_bound.monomial_features import feature_count
from reductions.upper_bound.released_model.criterion import (
    crossover_tokens,
    key_cost,
    least_degree,
    model_criterion,
    plan_pass,
    query_cost,
    relative_tolerance,
)
from reductions.upper_bound.weight_perturbation import weighted_mean_error

schedules = st.sets(st.integers(1, 40), min_size=1, max_size=7).map(sorted).map(square_schedule)
sizes = st.integers(1, 20)


@settings(deadline=None)
@given(schedules, sizes, sizes, st.integers(1, 3000))
def test_the_plan_is_the_cheapest(schedule, d, d_v, rank):
    plan = plan_pass(schedule, d, d_v, rank)
    areas = [h * w for h, w in schedule]
    exact = [a * p * (d + d_v) for a, p in zip(areas, accumulate(areas), strict=True)]
    low = [a * query_cost(d, d_v, rank) + rank * (d_v + 1) for a in areas]
    state = sum(areas) * key_cost(d, d_v, rank)
    every_choice = (
        sum(low[k] if chosen >> k & 1 else exact[k] for k in range(len(areas))) + (state if chosen else 0)
        for chosen in range(2 ** len(areas))
    )
    assert plan.planned == min(every_choice)
    assert plan.exact == multiplications(schedule, d, d_v)


@pytest.mark.parametrize("degree", [0, 1, 2, 4])
def test_operations_are_those_of_the_state(degree):
    schedule = square_schedule((1, 2, 4))
    plan = plan_pass(schedule, 3, 2, feature_count(3, degree))
    assert plan.low_rank == block_causal_state.multiplications(schedule, 3, 2, degree)


@settings(deadline=None)
@given(sizes, sizes, st.integers(1, 10**5))
def test_the_crossover_is_the_least(d, d_v, rank):
    tokens = crossover_tokens(d, d_v, rank)

    def saves(count):
        fast = count * (query_cost(d, d_v, rank) + key_cost(d, d_v, rank)) + rank * (d_v + 1)
        return fast < (d + d_v) * count * count

    assert saves(tokens)
    assert tokens == 1 or not saves(tokens - 1)


@given(st.floats(1e-12, 1.999))
def test_the_relative_tolerance_keeps_the_error(tolerance):
    assert weighted_mean_error(1.0, relative_tolerance(tolerance)) <= tolerance * (1 + 1e-14)


def test_degrees():
    assert least_degree(4, 0.04).sufficient == 6
    assert least_degree(0, 1e-9).sufficient == 0
    enclosed = least_degree(90, 1e-3)
    assert not enclosed.coefficients
    assert 90 < enclosed.least <= enclosed.sufficient < 112
    assert enclosed.error <= 1e-3


def test_regimes_and_verdicts():
    easy = model_criterion(square_schedule((1, 2, 4, 8, 16, 32, 64, 128, 256)), 8, 1.0, 1e-3)
    assert easy.degree.sufficient == 4
    assert easy.plan.pays
    assert easy.exponent < 4
    assert easy.regime.startswith("easy")
    assert easy.verdict.startswith("low rank on the last 5 of 9 scales")
    released = model_criterion(square_schedule((1, 2, 3, 4, 5, 6, 8, 10, 13, 16)), 64, 4.0, 1e-3)
    assert (released.tokens, released.exponent) == (680, 4)
    assert released.regime.startswith("open")
    assert released.verdict.startswith("exact attention on every scale")
    assert released.logit_rate == pytest.approx(4 / math.log(16))
    hard = model_criterion(square_schedule((1, 2, 4)), 64, 100.0, 1e-3)
    assert hard.regime.startswith("hard logits")
    single = model_criterion(((1, 1),), 2, 1.0, 0.1)
    assert (single.exponent, single.logit_rate, single.dimension_rate) == (None, None, None)
    assert single.regime == "a single token has no phase"


def test_argument_errors():
    with pytest.raises(ValueError, match="Argument 'tolerance' must be above 0 and below 2, not 2"):
        relative_tolerance(2)
    with pytest.raises(ValueError, match="Argument 'logit_bound' must be between 0 and 10000, not -1"):
        least_degree(-1, 0.1)
    with pytest.raises(ValueError, match="Argument 'epsilon' must be above 0 and below 1, not 1"):
        least_degree(1, 1)
    with pytest.raises(ValueError, match="Argument 'rank' must be at least 1, not 0"):
        plan_pass(((1, 1),), 1, 1, 0)
