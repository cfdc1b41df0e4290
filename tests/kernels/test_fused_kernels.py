"""The fused kernels against NumPy in float64, on every shape that changes their path."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reductions.kernels.fused_kernels import key_state, query_outputs
from reductions.kernels.low_rank_rounding import double_roundings, term_roundings
from reductions.layers.streamed_attention import UNIT_ROUNDOFF
from reductions.upper_bound.monomial_features import downward_closed, monomials, total_degree, weights
from tests.forward_error import gamma

TYPES = (np.float32, np.float64)


def relative_rounding(degree, keys, features, dtype, kind, absorptions=1):
    """Bound the roundings of a term of the two sums (lem-low-rank-rounding), and those of NumPy's."""
    terms = term_roundings(degree, int(kind != dtype))
    doubles = double_roundings(keys, features, absorptions) + keys + features + 4 * degree + 4
    return gamma(terms, UNIT_ROUNDOFF[np.dtype(dtype)]) + 2 * gamma(doubles, 2.0**-53)


def exact_state(keys, values, members):
    ones = np.ones((len(keys), 1))
    return monomials(np.asarray(keys, float), members).T @ np.hstack([np.asarray(values, float), ones])


def exact_outputs(queries, keys, values, coefficients, temperature):
    logits = np.asarray(queries, float) @ np.asarray(keys, float).T / temperature
    factors = np.polynomial.polynomial.polyval(logits, coefficients)
    return factors @ np.asarray(values, float) / factors.sum(axis=1, keepdims=True)


def draw(seed, d, d_v, keys, queries, kind=np.float64):
    generator = np.random.default_rng(seed)
    shapes = ((queries, d), (keys, d), (keys, d_v))
    return [generator.uniform(-1, 1, shape).astype(kind) for shape in shapes]


def taylor(degree):
    return 1 / np.cumprod([1.0, *range(1, degree + 1)])


def agree(d, d_v, degree, keys, queries, dtype, kind=np.float64, seed=0, threads=1):
    q, k, v = draw(seed, d, d_v, keys, queries, kind)
    members, tau = total_degree(d, degree), 2.0 * d
    state = key_state(k, v, members, dtype=dtype, threads=threads)
    assert state.shape == (len(members), d_v + 1)
    assert state.dtype == np.float64
    absolute = exact_state(np.abs(k), np.abs(v), members)
    theta = relative_rounding(degree, keys, len(members), dtype, kind)
    assert (np.abs(state - exact_state(k, v, members)) <= theta * absolute).all()
    factors = weights(members, taylor(degree), tau)
    output = query_outputs(q, state, factors, members, dtype=dtype, threads=threads)
    assert output.dtype == dtype
    assert output.shape == (queries, d_v)
    expected = exact_outputs(q, k, v, taylor(degree), tau)
    # Numerator and denominator are off by theta times their terms' absolute values; |v| <= 1.
    logits = [np.abs(q).astype(float) @ np.abs(k).T.astype(float) / tau, q.astype(float) @ k.T / tau]
    sizes, sums = (np.polynomial.polynomial.polyval(x, taylor(degree)).sum(axis=1) for x in logits)
    share = (theta * sizes / sums)[:, None]
    assert (np.abs(output - expected) <= 2 * share / (1 - share) + UNIT_ROUNDOFF[np.dtype(dtype)]).all()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("d", "d_v", "degree", "keys", "queries"),
    [
        (1, 1, 2, 1, 1),
        (1, 1, 0, 1, 1),
        (4, 3, 0, 130, 5),
        (4, 20, 1, 129, 257),
        (3, 5, 4, 100, 7),
        (16, 16, 3, 300, 130),
        (8, 8, 4, 513, 512),
        (2, 1, 9, 128, 128),
        (16, 33, 2, 64, 64),
        (5, 64, 3, 70, 65),
    ],
)
def test_state_and_outputs(d, d_v, degree, keys, queries, dtype, kind):
    agree(d, d_v, degree, keys, queries, dtype, kind)


@settings(max_examples=40, deadline=None)
@given(
    d=st.integers(1, 6),
    d_v=st.integers(1, 40),
    degree=st.integers(0, 4),
    keys=st.integers(1, 300),
    queries=st.integers(1, 300),
    dtype=st.sampled_from(TYPES),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape(d, d_v, degree, keys, queries, dtype, seed):
    agree(d, d_v, degree, keys, queries, dtype, seed=seed)


def test_threads_share_the_tokens():
    agree(8, 8, 4, 5000, 5001, np.float32, threads=3)


def test_any_strides():
    q, k, v = draw(1, 6, 5, 200, 150)
    members = total_degree(3, 3)
    factors = weights(members, taylor(3), 4.0)
    strided = key_state(k[::-2, ::2], v[::-2, 1:4], members, dtype=np.float64)
    packed = key_state(k[::-2, ::2].copy(), v[::-2, 1:4].copy(), members, dtype=np.float64)
    np.testing.assert_array_equal(strided, packed)
    np.testing.assert_array_equal(
        query_outputs(q.T[::2].T, strided, factors, members),
        query_outputs(q[:, ::2].copy(), packed, factors, members),
    )


def test_any_set_of_monomials():
    members = downward_closed([(0, 0, 0), (0, 1, 0), (0, 2, 0), (1, 0, 0), (1, 1, 0), (0, 3, 0), (0, 0, 1)])
    _, k, v = draw(2, 3, 4, 150, 1)
    state = key_state(k, v, members, dtype=np.float64)
    theta = relative_rounding(3, len(k), len(members), np.float64, np.float64)
    assert (np.abs(state - exact_state(k, v, members)) <= theta * exact_state(abs(k), abs(v), members)).all()


def test_one_state_serves_every_polynomial_and_splits_into_parts():
    q, k, v = draw(3, 5, 4, 400, 90)
    members = total_degree(5, 3)
    state = key_state(k, v, members, dtype=np.float64)
    halves = sum(
        key_state(k[part], v[part], members, dtype=np.float64) for part in np.split(np.arange(400), 2)
    )
    theta = relative_rounding(3, len(k), len(members), np.float64, np.float64, absorptions=2)
    assert (np.abs(halves - state) <= 2 * theta * exact_state(abs(k), abs(v), members)).all()
    for coefficients, tau in ((taylor(3), 5.0), ((1.0, 0.9, 0.5, 0.0), 11.0)):
        output = query_outputs(q, state, weights(members, coefficients, tau), members, dtype=np.float64)
        np.testing.assert_allclose(output, exact_outputs(q, k, v, coefficients, tau), atol=1e-14)


def test_no_keys_leave_an_empty_state_and_no_queries_ask_nothing():
    members = total_degree(3, 2)
    state = key_state(np.empty((0, 3)), np.empty((0, 2)), members)
    np.testing.assert_array_equal(state, np.zeros((10, 3)))
    assert query_outputs(np.empty((0, 3)), state, np.ones(10), members).shape == (0, 2)


def test_huge_and_tiny_columns_neither_overflow_nor_vanish():
    q, k, v = draw(4, 4, 3, 300, 100)
    scale, columns = 2.0 ** np.array([60, -70, 90, -100]), 2.0 ** np.array([100, 0, -120])
    members = total_degree(4, 3)
    factors = weights(members, taylor(3), 4.0)
    plain = query_outputs(q, key_state(k, v, members), factors, members)
    state = key_state((k * scale).astype(np.float32), v * columns, members)
    scaled = query_outputs((q / scale).astype(np.float32), state, factors, members)
    np.testing.assert_allclose(scaled / columns, plain, atol=4e-7)


def test_numbers_are_compiled_when_first_used_only():
    code = (
        "import sys, reductions.kernels.fused_kernels; "
        "assert not {'numba', 'llvmlite', 'scipy', 'sympy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_wrong_arguments_are_named():
    members = total_degree(2, 2)
    k, v, state = np.ones((4, 2)), np.ones((4, 1)), np.ones((6, 2))
    with pytest.raises(TypeError, match="'keys' must be an array of real numbers"):
        key_state(k * 1j, v, members)
    with pytest.raises(ValueError, match="'keys' must be a matrix"):
        key_state(k[0], v, members)
    with pytest.raises(ValueError, match="'keys' must have the 2 columns"):
        key_state(np.ones((4, 3)), v, members)
    with pytest.raises(ValueError, match="'values' must have one row"):
        key_state(k, v[1:], members)
    for bad in (np.nan, np.inf, -np.inf):
        for kind in TYPES:
            with pytest.raises(ValueError, match="'keys' must have finite entries"):
                key_state(np.array([[1.0, bad]], kind), v[:1].astype(kind), members)
    with pytest.raises(ValueError, match="'dtype' must be float32 or float64"):
        key_state(k, v, members, dtype=np.float16)
    with pytest.raises(ValueError, match="'threads' must be at least 1"):
        key_state(k, v, members, threads=0)
    with pytest.raises(ValueError, match="'keys' must be such that the state"):
        key_state(k * 1e200, v, members)
    with pytest.raises(ValueError, match="'state' must be of shape"):
        query_outputs(k, state[1:], np.ones(6), members)
    with pytest.raises(ValueError, match="'weights' must be of shape"):
        query_outputs(k, state, np.ones(5), members)
    with pytest.raises(ValueError, match="'state' times the weights"):
        query_outputs(k, state, np.full(6, np.inf), members)
