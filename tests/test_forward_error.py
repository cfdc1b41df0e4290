"""The textbook bounds that other tests rest on hold in any order of summation, and are not far off."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reductions.problems.attention import attention
from tests.forward_error import UNIT, attention_error, gamma


def plain_attention(queries, keys, values, temperature, order, stored=lambda x: x):
    """Attention in float32, products and weights added one by one in the given order of the keys."""
    logits = np.zeros((len(queries), len(keys)), np.float32)
    for i in range(queries.shape[1]):
        logits += np.float32(1) * queries[:, i : i + 1].astype(np.float32) * keys[:, i].astype(np.float32)
    logits = stored(logits / np.float32(temperature))
    weights = stored(np.exp(logits - logits.max(axis=1, keepdims=True)))
    sums = np.zeros((len(queries), values.shape[1] + 1), np.float32)
    extended = np.hstack([values, np.ones((len(values), 1))]).astype(np.float32)
    for j in order:
        sums += weights[:, j : j + 1] * extended[j]
    return stored(sums[:, :-1] / sums[:, -1:]).astype(float)


def half(x):
    return x.astype(np.float16).astype(np.float32)


def draw(seed, scale, count=40):
    """Numbers of eight bits: every precision holds them."""
    generator = np.random.default_rng(seed)
    queries, keys, values = np.round(generator.uniform(-1, 1, (3, count, 5)) * 2**7) / 2**7
    return np.round(queries * scale * 2**4) / 2**4, keys, values, 2.5, generator.permutation(count)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.25, 1.0, 8.0]))
def test_attention_in_any_order_is_within_its_bound(seed, scale):
    *inputs, order = draw(seed, scale)
    exact = attention(*inputs)
    for stored, unit in ((lambda x: x, UNIT["float32"]), (half, 2.0**-11)):
        error = np.abs(plain_attention(*inputs, order, stored) - exact)
        assert (error <= attention_error(*inputs, stored=unit)).all()


def test_the_bound_is_not_vacuous():
    *inputs, order = draw(0, 8.0)
    exact = attention(*inputs)
    single, double = attention_error(*inputs), attention_error(*inputs, np.float64)
    assert (np.abs(plain_attention(*inputs, order, half) - exact) > single).any()
    assert (np.abs(plain_attention(*inputs, order) - exact) > double).any()
    assert (single < 300 * np.abs(plain_attention(*inputs, order) - exact).max()).all()


def test_gamma_bounds_products_of_factors():
    unit = 2.0**-10
    assert (1 + unit) ** 20 - 1 <= gamma(20, unit) <= 1.02 * ((1 - unit) ** -20 - 1)
