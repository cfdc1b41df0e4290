"""Low-rank attention against exact softmax attention, other libraries, and exact arithmetic."""

from __future__ import annotations

import math
import tracemalloc
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.upper_bound.low_rank_attention import fused_output, readable_output
from checks.upper_bound.low_rank_attention.extremes import extremal_layer
from checks.upper_bound.low_rank_attention.instances import FAMILIES, draw_layer, exact_output, largest_error
from reductions.kernels.fused_kernels import key_state
from reductions.polynomials.exponential import ExpPolynomial, minimax_polynomial
from reductions.problems.attention import attention
from reductions.upper_bound.low_rank_attention import (
    approximation_error,
    exact_operation_count,
    key_sums,
    low_rank_attention,
    operation_count,
)
from reductions.upper_bound.monomial_features import total_degree


@settings(max_examples=30, deadline=None)
@given(
    family=st.sampled_from(FAMILIES),
    dimension=st.integers(1, 4),
    value_dimension=st.integers(1, 5),
    degree=st.integers(0, 5),
    half_width=st.sampled_from([0.25, 1.0, 2.0]),
    queries=st.integers(1, 40),
    keys=st.integers(1, 200),
    seed=st.integers(0, 2**32 - 1),
)
def test_versions_agree_and_stay_within_the_bound(
    family, dimension, value_dimension, degree, half_width, queries, keys, seed
):
    layer = draw_layer(
        np.random.default_rng(seed),
        family,
        dimension=dimension,
        value_dimension=value_dimension,
        degree=degree,
        half_width=half_width,
        queries=queries,
        keys=keys,
        dtype=np.float64,
    )
    output, scale = readable_output(layer), np.abs(layer.values).max()
    np.testing.assert_allclose(fused_output(layer), output, rtol=0, atol=1e-11 * scale)
    exact = attention(layer.queries, layer.keys, layer.values, layer.temperature)
    for c, width in enumerate(np.ptp(layer.values, axis=0)):
        error = np.abs(output - exact)[:, c].max()
        assert error <= approximation_error(layer.polynomial, float(width)) + 1e-11 * scale


def test_against_fifty_digits():
    layer = draw_layer(
        np.random.default_rng(3),
        "uniform",
        dimension=2,
        value_dimension=2,
        degree=12,
        half_width=0.5,
        queries=2,
        keys=9,
        dtype=np.float64,
    )
    output = exact_output(layer)
    assert largest_error(readable_output(layer), output) < 1e-15
    with mpmath.workdps(50):
        for i, query in enumerate(layer.queries.tolist()):
            logits = [mpmath.fdot(query, key) / layer.temperature for key in layer.keys.tolist()]
            shares = [mpmath.exp(x) for x in logits]
            for c, column in enumerate(layer.values.T.tolist()):
                mean = mpmath.fdot(shares, column) / mpmath.fsum(shares)
                computed = mpmath.mpf(output[i, c].numerator) / output[i, c].denominator
                width = max(column) - min(column)
                assert abs(computed - mean) <= approximation_error(layer.polynomial, width)


def test_against_torch_attention():
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.rand((50, 8), generator=generator) - 0.5 for _ in range(3))
    polynomial = minimax_polynomial(4, -1.0, 1.0)
    assert float((q @ k.T).abs().max() / 8**0.5) < 1
    exact = torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None])[0]
    output = low_rank_attention(q, k, v, 8**0.5, polynomial)
    assert isinstance(output, torch.Tensor)
    assert output.dtype == torch.float32
    assert float((output - exact).abs().max()) <= approximation_error(polynomial, 1.0) + 1e-6


def test_any_array_library():
    strict = pytest.importorskip("array_api_strict")
    layer = draw_layer(
        np.random.default_rng(4),
        "uniform",
        dimension=3,
        value_dimension=2,
        degree=3,
        half_width=1.0,
        queries=20,
        keys=30,
        dtype=np.float64,
    )
    arrays = [strict.asarray(x) for x in (layer.queries, layer.keys, layer.values)]
    output = low_rank_attention(*arrays, layer.temperature, layer.polynomial, block=7)
    assert type(output) is type(arrays[0])
    np.testing.assert_allclose(np.asarray(output), readable_output(layer), atol=1e-14)


def test_readable_state_is_that_of_the_kernels():
    generator = np.random.default_rng(5)
    k, v, members = generator.uniform(-1, 1, (70, 4)), generator.uniform(-1, 1, (70, 3)), total_degree(4, 3)
    np.testing.assert_allclose(
        key_sums(k, v, members, 9), key_state(k, v, members, dtype=np.float64), atol=1e-13
    )


def test_the_worked_example():
    layer = extremal_layer(minimax_polynomial(2, -1.0, 1.0))
    t = math.tanh(math.atanh(layer.polynomial.error) / 2)
    assert float(layer.attention()[0]) == pytest.approx(-t, rel=1e-3)
    assert float(layer.low_rank_output()) == pytest.approx(t, rel=1e-3)
    low, high = layer.error()
    assert 0 < high - low < Fraction(1, 10**50)


def test_approximation_error():
    polynomial = ExpPolynomial((1.0,), 0.0, 1.0, 0.8)
    assert approximation_error(polynomial, 2.0) == pytest.approx(1.0, rel=1e-14)
    assert approximation_error(polynomial, 0.0) == 0
    assert approximation_error(ExpPolynomial((1.0,), 0.0, 9.0, 1.5), 3.0) == 3.0


def test_operation_counts():
    assert operation_count(2, 1, 1, 1, 1) == 2 * 2 + 3 * 3 * 2 + 1
    assert exact_operation_count(2, 1, 3, 5) == 15 * (2 + 2 + 2) + 3
    # Twice the tokens, twice the operations, but for the r (d_v + 1) products with the weights.
    once, twice = (operation_count(16, 16, 3, n, n) for n in (1000, 2000))
    assert twice == 2 * once - 969 * 17


def test_memory_does_not_grow_with_the_keys():
    layer_state = total_degree(3, 3)
    peaks = []
    for count in (2000, 8000):
        k, v = np.ones((count, 3)), np.ones((count, 2))
        key_sums(k, v, layer_state, block=3)
        tracemalloc.start()
        key_sums(k, v, layer_state, block=3)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1000
