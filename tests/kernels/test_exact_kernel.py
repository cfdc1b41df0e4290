"""The compiled exact attention: within its bound, whatever the logits and the shapes."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reductions.kernels.compiled_exact import powers_of_two
from reductions.kernels.exact_kernel import exact_attention
from reductions.kernels.exact_rounding import exact_kernel_rounding_bound
from reductions.kernels.tiles import KEY_TILE
from reductions.kernels.vector_exponential import EXPONENTIALS
from reductions.layers.directed_rounding import UNIT_ROUNDOFF
from reductions.layers.streamed_attention import AttentionMagnitudes, streamed_attention

DTYPES = (np.float32, np.float64)


def magnitudes(queries, keys, values, temperature, entry_error=0.0):
    absolute = np.abs(queries.astype(float)) @ np.abs(keys.astype(float)).T / temperature
    return AttentionMagnitudes(
        dimension=keys.shape[1],
        keys=len(keys),
        absolute_logit_bound=float(absolute.max(initial=0.0)) * (1 + 1e-12),
        value_bound=float(np.abs(values).max(initial=0.0)),
        entry_error=entry_error,
    )


def in_long_double(queries, keys, values, temperature):
    queries, keys, values = (array.astype(np.longdouble) for array in (queries, keys, values))
    logits = queries @ keys.T / np.longdouble(temperature)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights @ values / weights.sum(axis=1, keepdims=True)


def error_and_bound(queries, keys, values, temperature, threads=1):
    output = exact_attention(queries, keys, values, temperature, threads=threads)
    error = float(np.abs(output - in_long_double(queries, keys, values, temperature)).max(initial=0.0))
    return error, exact_kernel_rounding_bound(magnitudes(queries, keys, values, temperature), keys.dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_polynomial_is_as_good_as_stated(dtype):
    """Its relative error, enclosed in balls: Taylor models of P(c + t) - 2^(c + t) on short intervals."""
    from flint import arb, ctx

    exponential = EXPONENTIALS[np.dtype(dtype)]
    assert all(float(dtype(c)) == c > 0 for c in exponential.coefficients)
    pieces, order = 256, 16
    radius = arb(1) / (2 * pieces)
    precision, ctx.prec = ctx.prec, 200
    largest = 0.0
    try:
        log_2 = arb(2).log()
        for piece in range(pieces):
            centre = arb(2 * piece + 1 - pieces) / (2 * pieces)
            power = arb(2) ** centre
            deviation = power * (log_2 * radius) ** order  # the rest of the series, generously
            for k in range(order):
                taylor = sum(
                    (math.comb(j, k) * arb(c) * centre ** (j - k))
                    for j, c in enumerate(exponential.coefficients)
                    if j >= k
                )
                deviation += abs(taylor - power * log_2**k / math.factorial(k)) * radius**k
            largest = max(largest, float((deviation / (power * arb(2) ** -radius)).upper()))
    finally:
        ctx.prec = precision
    assert 0.95 * exponential.error < largest * (1 + 2.0**-50) <= exponential.error


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_of_two_are_within_their_error(dtype):
    exponential, unit = EXPONENTIALS[np.dtype(dtype)], UNIT_ROUNDOFF[np.dtype(dtype)]
    lanes = 256 // np.dtype(dtype).itemsize
    generator = np.random.default_rng(0)
    near = np.linspace(-0.5, 0.5, 100 * lanes)
    far = generator.uniform(-100, 0, 100 * lanes)
    halves = np.arange(-120, 0, 0.5)
    exponents = np.concatenate([near, far, np.resize(halves, 10 * lanes)]).astype(dtype).reshape(-1, lanes)
    allowed = exponential.relative_error(unit)
    assert allowed < 13 * unit
    for m in (1, 700, -40):
        powers = np.empty_like(exponents)
        powers_of_two(exponents + dtype(m), np.full((1, lanes), exponential.magic + m, dtype), powers)
        exact = np.exp2((exponents + dtype(m)).astype(np.longdouble) - m)
        assert float(np.abs(powers / exact - 1).max()) <= allowed + 2.0**-60
    some = generator.choice(exponents.ravel(), lanes)
    powers = np.empty((1, lanes), dtype)
    powers_of_two(some[None], np.full((1, lanes), exponential.magic, dtype), powers)
    with mpmath.workdps(50):
        for s, power in zip(some, powers[0], strict=True):
            assert abs(mpmath.mpf(float(power)) / mpmath.power(2, float(s)) - 1) <= allowed
    # Far below the reference, the least power stands in; far up, the range is as wide as stated.
    ends = np.resize(np.array([-exponential.largest, exponential.largest], dtype), (1, lanes))
    powers_of_two(ends, np.full((1, lanes), exponential.magic + exponential.largest, dtype), powers)
    assert (powers[0, ::2] == 2.0**exponential.least).all()
    assert (powers[0, 1::2] == 1).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dimension(dtype):
    generator = np.random.default_rng(1)
    for d in range(1, 65):
        d_v = int(generator.integers(1, 12))
        queries, keys = generator.standard_normal((2, 70, d)).astype(dtype)
        values = generator.uniform(-1, 1, (70, d_v)).astype(dtype)
        error, bound = error_and_bound(queries, keys, values, math.sqrt(d))
        assert error <= bound < 1e6 * UNIT_ROUNDOFF[np.dtype(dtype)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("threads", [1, 3])
def test_sizes_around_the_tiles(dtype, threads):
    generator = np.random.default_rng(2)
    for count_q in (1, 31, 64, 65, 130):
        for count_k in (1, 2, 3, KEY_TILE - 1, KEY_TILE, KEY_TILE + 1, 3 * KEY_TILE + 2):
            queries, keys, values = (
                generator.standard_normal((count, 5)).astype(dtype) for count in (count_q, count_k, count_k)
            )
            error, bound = error_and_bound(queries, keys, values[:, :3], 1.7, threads)
            assert error <= bound


def test_threads_do_not_change_a_bit():
    queries, keys, values = np.random.default_rng(3).standard_normal((3, 1100, 16)).astype(np.float32)
    one, two = (exact_attention(queries, keys, values, 4.0, threads=threads) for threads in (1, 2))
    assert (one == two).all()
    reference = streamed_attention(*(a.astype(float) for a in (queries, keys, values)), 4.0)
    assert np.abs(one - reference).max() < 3e-6


def test_no_rows_no_columns():
    x = np.ones((4, 3), np.float32)
    assert exact_attention(x[:0], x, x, 1.0).shape == (0, 3)
    assert exact_attention(x, x, x[:, :0], 1.0).shape == (4, 0)
    # No coordinates: all logits are 0, so the output is the plain mean.
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.testing.assert_allclose(exact_attention(x[:, :0], x[:, :0], values, 1.0)[0], [4.5, 5.5, 6.5])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("span", [1.0, 60.0, 88.0, 400.0, 5000.0])
def test_the_maximum_may_rise_or_fall(dtype, span):
    """Weights over the whole range of exponents, in every order, with the least replaced."""
    logits = np.linspace(-span, span, 3 * KEY_TILE + 5)
    for order in (logits, logits[::-1], np.random.default_rng(0).permutation(logits)):
        keys = order[:, None].astype(dtype)
        values = np.stack([np.cos(order), np.sign(order)], axis=1).astype(dtype)
        queries = np.array([[1.0], [-1.0], [1e-3], [0.0]], dtype)
        error, bound = error_and_bound(queries, keys, values, 1.0)
        assert error <= bound


@pytest.mark.parametrize("dtype", DTYPES)
def test_near_ties_at_large_logits(dtype):
    """Two values that cancel but for a logit's last digits, near logits of several hundred."""
    generator = np.random.default_rng(4)
    for b in (5.0, 300.0, 3000.0):
        keys = generator.uniform(0.5, 1, (1, 8)) * (1 + 1e-6 * generator.standard_normal((500, 8)))
        queries = generator.uniform(0.5, 1, (20, 8)) * b / 4
        values = np.where(np.arange(500) % 2, 1.0, -1.0)[:, None]
        error, bound = error_and_bound(*(a.astype(dtype) for a in (queries, keys, values)), 1.0)
        assert 0 < error <= bound


def test_the_bound_is_of_use_and_ends_where_the_kernel_does():
    def bound(b, dtype=np.float32, keys=10**4, dimension=16):
        return exact_kernel_rounding_bound(AttentionMagnitudes(dimension, keys, b, 1.0, 0.0), dtype)

    assert 1e-6 < bound(1.0) < 3e-5
    assert 1e-15 < bound(1.0, np.float64) < 1e-13
    assert bound(2.0) > bound(1.0)
    assert bound(2.0**20) == math.inf
    assert bound(2.0**20, np.float64) < 1e-6
    assert bound(2.0**60, np.float64) == math.inf
    assert bound(1.0, dimension=10**6) == math.inf


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from(DTYPES),
    counts=st.tuples(st.integers(1, 90), st.integers(1, 2 * KEY_TILE + 9)),
    d=st.integers(1, 20),
    d_v=st.integers(1, 9),
    scale=st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 10.0, 300.0]),
    size=st.sampled_from([1e-30, 1.0, 1e20]),
)
def test_errors_are_within_the_bound(seed, dtype, counts, d, d_v, scale, size):
    generator = np.random.default_rng(seed)
    queries = generator.standard_normal((counts[0], d))
    keys = generator.standard_normal((counts[1], d)) + generator.standard_normal(d)
    values = size * generator.choice([-1.0, 1.0], (counts[1], d_v))
    if seed % 3 == 0:  # the values follow the roundings of the logits
        keys = np.repeat(keys[:1], counts[1], axis=0) * (1 + 1e-7 * generator.standard_normal((counts[1], 1)))
    queries, keys, values = ((scale * queries).astype(dtype), keys.astype(dtype), values.astype(dtype))
    error, bound = error_and_bound(queries, keys, values, 2.0)
    assert error <= bound + 2.0**-58 * size


@pytest.mark.parametrize("dtype", DTYPES)
def test_errors_in_50_digits(dtype):
    generator = np.random.default_rng(5)
    for b in (0.1, 8.0, 200.0):
        queries, keys, values = generator.uniform(-1, 1, (3, 9, 3)).astype(dtype)
        temperature = float(dtype(3 / b))
        output = exact_attention(queries, keys, values, temperature)
        bound = exact_kernel_rounding_bound(magnitudes(queries, keys, values, temperature), dtype)
        with mpmath.workdps(50):
            tables = [[[mpmath.mpf(float(x)) for x in row] for row in a] for a in (queries, keys, values)]
            for query, row in zip(tables[0], output, strict=True):
                weights = [mpmath.exp(mpmath.fdot(query, key) / temperature) for key in tables[1]]
                for c, entry in enumerate(row):
                    exact = mpmath.fdot(weights, [v[c] for v in tables[2]]) / mpmath.fsum(weights)
                    assert abs(mpmath.mpf(float(entry)) - exact) <= bound
