"""Attention within a tolerance by planned features: the certificate against exact attention, and messages."""

from __future__ import annotations

import numpy as np
import pytest

from checks.upper_bound.principal_axes.feature_plan_cases import FAMILIES, draw_vectors, temperature_for
from reductions.fast_attention import approximate_attention, method_choice
from reductions.fast_attention.inputs import checked_inputs
from reductions.fast_attention.planned_choice import (
    REASON,
    SLOWER,
    attention_by_plan,
    planned_choice,
)
from reductions.fast_attention.planned_features.plan_search import spread_rows
from reductions.fast_attention.prepared_layer import Block, prepare
from reductions.problems.attention import attention


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tolerance", [1e-1, 1e-3, 1e-7])
def test_certificates_hold(family, tolerance):
    rng = np.random.default_rng(0)
    queries, keys = (draw_vectors(family, count, 6, rng) for count in (150, 200))
    values = rng.normal(size=(200, 3)) + 5
    temperature = temperature_for(queries, keys, 1.0)
    output, certificate, plan = attention_by_plan(
        queries, keys, values, temperature=temperature, tolerance=tolerance, threads=1
    )
    exact = attention(queries, keys, values, temperature)
    assert np.abs(output - exact).max() <= certificate.error_bound + 1e-13
    assert certificate.within_tolerance
    assert certificate.rank == plan.rank
    assert certificate.dtype == ("float64" if tolerance < 1e-5 else "float32")
    assert str(plan.rank) in str(certificate).replace(",", "")


def test_float32_inputs_are_exact_numbers():
    rng = np.random.default_rng(1)
    queries, keys, values = (rng.normal(size=(50, 4)).astype(np.float32) for _ in range(3))
    output, certificate, _ = attention_by_plan(queries, keys, values, temperature=8.0, tolerance=1e-4)
    exact = attention(*(array.astype(float) for array in (queries, keys, values)), 8.0)
    assert np.abs(output - exact).max() <= certificate.error_bound
    assert output.dtype == np.float64


def test_equal_values_are_found_exactly():
    rng = np.random.default_rng(2)
    queries, keys = rng.normal(size=(2, 30, 3))
    output, certificate, _ = attention_by_plan(
        queries, keys, np.full((30, 2), 0.1), temperature=5.0, tolerance=1e-9
    )
    assert np.abs(output - 0.1).max() <= certificate.error_bound <= 1e-9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tolerance": 1e-15}, "no plan meets the tolerance"),
        ({"temperature": 1e-3}, "no plan meets the tolerance"),
        ({"keys": np.full((3, 2), np.inf)}, "Argument 'keys' must have finite entries"),
        ({"keys": np.full((3, 2), 1e40)}, "a number is out of the range of plans"),
        ({"queries": np.ones((0, 2))}, "there is nothing to plan"),
        ({"keys": np.ones((3, 4))}, "Argument 'keys' must"),
    ],
)
def test_argument_errors(change, message):
    rng = np.random.default_rng(3)
    arguments = {
        "queries": rng.normal(size=(3, 2)),
        "keys": rng.normal(size=(3, 2)),
        "values": rng.normal(size=(3, 1)),
        "temperature": 2.0,
        "tolerance": 1e-2,
    }
    with pytest.raises(ValueError, match=message):
        attention_by_plan(**{**arguments, **change})


def draw_layer(family, tokens=1500, dimension=12):
    rng = np.random.default_rng(0)
    queries, keys = (draw_vectors(family, tokens, dimension, rng) for _ in range(2))
    return queries, keys, rng.uniform(-1, 1, (tokens, 8)), temperature_for(queries, keys, 1.0)


def test_the_dispatcher_plans_features_where_that_is_faster(monkeypatch):
    # As if planning took no time, so that a small layer will do.
    monkeypatch.setattr(method_choice, "WORTH_FEATURE_PLAN", 1e-4)
    *arrays, temperature = draw_layer("decaying", tokens=3500)
    output, certificate = approximate_attention.approximate_attention(
        *arrays, temperature=temperature, tolerance=1e-3, threads=1
    )
    assert certificate.reason == REASON
    assert np.abs(output - attention(*arrays, temperature)).max() <= certificate.error_bound <= 1e-3


def test_more_features_than_are_worth_their_time_are_refused():
    *arrays, temperature = draw_layer("sphere")
    inputs = checked_inputs(*arrays, temperature, 1e-3)
    layer = prepare(inputs, [Block(0, 1500, 1500)], move=False).with_centred_values()
    assert planned_choice(layer, largest_rank=300) == SLOWER


def test_a_sample_meets_no_period():
    rows = np.arange(8192.0)[:, None]
    for period in (2, 3, 4, 8, 16):
        shares = np.bincount(spread_rows(rows, 1024)[:, 0].astype(int) % period) / 1024
        assert np.abs(shares * period - 1).max() < 0.1
    assert len(np.unique(spread_rows(rows, 1024))) == 1024
    assert len(spread_rows(rows[:10], 1024)) == 10
    assert len(spread_rows(rows[:1025], 1024)) == 1024
