"""Entries and temperature: torch as the attention."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reductions.lower_bound.logit_invariance import (
    at_temperature,
    cancelling_instance,
    equivalent_entry_bound,
    half_spread,
    largest_logit,
    rescale,
    saturating_instance,
)
from reductions.problems.attention import AttentionInstance


def random_layer(seed: int, d: int = 5) -> AttentionInstance:
    generator = np.random.default_rng(seed)
    return AttentionInstance(*(generator.standard_normal((7, d)) for _ in range(3)), 1.7)


@pytest.mark.parametrize(("alpha", "gamma"), [(3.0, 0.7), (-2.0, -5.0), (1e-3, 1e3)])
def test_rescaling_is_unseen_by_torch(alpha, gamma):
    layer = random_layer(0)
    moved = rescale(layer, alpha, gamma)
    attend = torch.nn.functional.scaled_dot_product_attention
    outputs = [
        attend(*(torch.tensor(x) for x in (i.queries, i.keys, i.values)), scale=1 / i.temperature).numpy()
        for i in (layer, moved)
    ]
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-13)
    assert moved.logit_bound == pytest.approx(layer.logit_bound, rel=1e-13)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100))
def test_temperature_and_entry_bound_move_together(seed, temperature):
    layer = random_layer(seed, d=3)
    moved = at_temperature(layer, temperature)
    assert moved.temperature == temperature
    stated = equivalent_entry_bound(layer.entry_bound, layer.temperature, temperature)
    assert moved.entry_bound == pytest.approx(stated, rel=1e-14)
    np.testing.assert_allclose(moved.output(), layer.output(), rtol=0, atol=1e-12)
    bounds = [largest_logit(3, i.entry_bound, i.temperature) for i in (layer, moved)]
    assert bounds[0] == pytest.approx(bounds[1], rel=1e-13)
    assert layer.logit_bound <= bounds[0]


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_half_spread_is_the_least_logit_bound(seed):
    layer = random_layer(seed)
    logits = layer.logits()
    middle = (logits.max(axis=1) + logits.min(axis=1)) / 2
    assert np.abs(logits - middle[:, None]).max() == pytest.approx(half_spread(layer), rel=1e-12)
    assert half_spread(layer) <= layer.logit_bound


def test_named_values():
    # R = 1 at temperature 1 with d = 16 is R = 4 at temperature 16.
    layer = saturating_instance(16, 1.0, 1.0)
    assert layer.logit_bound == 16
    assert at_temperature(layer, 16.0).entry_bound == 4
    flat = cancelling_instance(16, 1000.0, 1.0)
    assert (flat.entry_bound, flat.logit_bound) == (1000, 0)
    assert flat.output().tolist() == [[0.5, 0.5]]


def test_argument_errors():
    layer = random_layer(0)
    for factors in ((1, -1), (0, 1), (math.inf, 1)):
        with pytest.raises(ValueError, match="must have a positive product, not"):
            rescale(layer, *factors)
    with pytest.raises(ValueError, match="Argument 'temperature' must be a positive number, not 0"):
        at_temperature(layer, 0)
    with pytest.raises(ValueError, match="Argument 'd' must be at least 2, not 1"):
        cancelling_instance(1, 1.0, 1.0)
