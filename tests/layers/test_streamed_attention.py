"""Streamed attention: against torch and 50 digits, its rounding bound, its threads, its exp."""

from __future__ import annotations

import threading
from typing import NamedTuple

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reductions.layers import streamed_attention as streaming_attention
from reductions.layers.directed_rounding import SMALLEST_NORMAL
from reductions.layers.streamed_attention import (
    EXP_ULPS,
    KEY_TILE,
    QUERY_TILE,
    AttentionMagnitudes,
    rounding_bound,
    streamed_attention,
)

DTYPES = (np.float32, np.float64)


class Inputs(NamedTuple):
    queries: np.ndarray
    keys: np.ndarray
    values: np.ndarray
    temperature: float


def normal(count_q: int, count_k: int, d: int, d_v: int, temperature: float, seed: int = 0) -> Inputs:
    generator = np.random.default_rng(seed)
    shapes = ((count_q, d), (count_k, d), (count_k, d_v))
    return Inputs(*(generator.standard_normal(shape) for shape in shapes), temperature)


def streamed(inputs: Inputs, dtype=np.float64, **options) -> np.ndarray:
    queries, keys, values, temperature = inputs
    return streamed_attention(
        queries.astype(dtype), keys.astype(dtype), values.astype(dtype), temperature, **options
    )


def by_torch(inputs: Inputs) -> np.ndarray:
    tensors = (torch.from_numpy(np.ascontiguousarray(array))[None] for array in inputs[:3])
    return torch.nn.functional.scaled_dot_product_attention(*tensors, scale=1 / inputs.temperature)[0].numpy()


def in_50_digits(inputs: Inputs) -> list[list[mpmath.mpf]]:
    """Attention straight from its definition."""
    rows = []
    with mpmath.workdps(50):
        exact = [[[mpmath.mpf(float(x)) for x in row] for row in array] for array in inputs[:3]]
        queries, keys, values = exact
        temperature = mpmath.mpf(inputs.temperature)
        for query in queries:
            logits = [mpmath.fdot(query, key) / temperature for key in keys]
            weights = [mpmath.exp(logit - max(logits)) for logit in logits]
            total = mpmath.fsum(weights)
            rows.append([mpmath.fdot(weights, column) / total for column in zip(*values, strict=True)])
    return rows


def magnitudes(inputs: Inputs) -> AttentionMagnitudes:
    absolute = np.abs(inputs.queries) @ np.abs(inputs.keys).T / inputs.temperature
    return AttentionMagnitudes(
        dimension=inputs.queries.shape[1],
        keys=len(inputs.keys),
        absolute_logit_bound=float(absolute.max(initial=0.0)) * (1 + 1e-12),
        value_bound=float(np.abs(inputs.values).max(initial=0.0)),
        entry_error=0.0,
    )


def largest_error(inputs: Inputs, dtype: type) -> mpmath.mpf:
    computed = streamed(inputs, dtype)
    with mpmath.workdps(50):
        return max(
            (
                abs(mpmath.mpf(float(x)) - y)
                for row, exact in zip(computed, in_50_digits(inputs), strict=True)
                for x, y in zip(row, exact, strict=True)
            ),
            default=mpmath.mpf(0),
        )


# Sizes on both sides of the borders of tiles.
SIZES = [
    (1, 1),
    (3, 7),
    (QUERY_TILE - 1, KEY_TILE - 1),
    (QUERY_TILE, KEY_TILE),
    (QUERY_TILE + 1, KEY_TILE + 1),
    (2 * QUERY_TILE + 5, 2 * KEY_TILE + 3),
]


@pytest.mark.parametrize(("count_q", "count_k"), SIZES)
@pytest.mark.parametrize("threads", [1, 2])
def test_equals_torch(count_q, count_k, threads):
    inputs = normal(count_q, count_k, 8, 3, temperature=2.5)
    expected = by_torch(inputs)
    np.testing.assert_allclose(streamed(inputs, threads=threads), expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(streamed(inputs, np.float32, threads=threads), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_threads_do_not_change_a_bit(dtype):
    inputs = normal(5 * QUERY_TILE + 3, KEY_TILE + 9, 16, 2, temperature=1.0)
    assert (streamed(inputs, dtype, threads=1) == streamed(inputs, dtype, threads=2)).all()


def test_the_maximum_may_rise_or_fall_from_tile_to_tile():
    logits = np.linspace(-400, 400, 3 * KEY_TILE)
    for order in (logits, logits[::-1]):
        inputs = Inputs(np.ones((2, 1)), order[:, None], np.cos(order)[:, None], 1.0)
        np.testing.assert_allclose(streamed(inputs), by_torch(inputs), rtol=0, atol=1e-13)


def test_extreme_shapes():
    # No coordinates: all logits are 0, so the output is the plain mean.
    inputs = normal(3, 5, 0, 2, temperature=1.0)
    np.testing.assert_allclose(streamed(inputs), np.tile(inputs.values.mean(axis=0), (3, 1)), atol=1e-15)
    # No queries, or values of width 0.
    assert streamed(normal(0, 5, 2, 2, 1.0)).shape == (0, 2)
    assert streamed(normal(4, 5, 2, 0, 1.0)).shape == (4, 0)
    with pytest.raises(ValueError, match="Argument 'keys' must have at least one row"):
        streamed(normal(3, 0, 2, 2, 1.0))
    # One key: its value.
    inputs = normal(4, 1, 3, 2, temperature=1e-3)
    assert (streamed(inputs) == inputs.values).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_keys_give_the_mean_of_the_values(dtype):
    inputs = normal(6, 2 * KEY_TILE + 1, 4, 1, temperature=0.01)
    inputs = inputs._replace(keys=np.tile(inputs.keys[:1], (len(inputs.keys), 1)))
    error = np.abs(streamed(inputs, dtype) - inputs.values.mean()).max()
    assert error <= rounding_bound(magnitudes(inputs), dtype)


counts = st.integers(1, 9)
scales = st.sampled_from([1e-3, 1.0, 30.0, 1e3])


@st.composite
def random_inputs(draw) -> Inputs:
    count_q, count_k, d = draw(counts), draw(counts), draw(st.integers(0, 5))
    inputs = normal(count_q, count_k, d, 1, draw(st.sampled_from([0.1, 1.0, 7.0])), draw(st.integers(0, 999)))
    return inputs._replace(queries=inputs.queries * draw(scales), keys=inputs.keys * draw(scales))


@st.composite
def near_ties(draw) -> Inputs:
    """Logits that are large and nearly equal, from terms that cancel; values of opposite signs."""
    count, d = draw(st.integers(2, 9)), draw(st.integers(1, 3))
    generator = np.random.default_rng(draw(st.integers(0, 999)))
    half = generator.uniform(0.5, 2, (2, d)) * draw(scales)
    queries = np.concatenate([half, half], axis=1)
    keys = np.tile(np.concatenate([half[0], -half[0]]), (count, 1))
    keys += (
        generator.uniform(-1, 1, keys.shape) * draw(st.sampled_from([0.0, 1e-9, 1e-7, 1e-3])) * np.abs(keys)
    )
    values = np.where(np.arange(count) % 2, 1.0, -1.0)[:, None] * draw(st.sampled_from([1.0, 1e6]))
    return Inputs(queries, keys, values, 1.0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tiles", [(2, 3), (QUERY_TILE, KEY_TILE)], ids=["tiny tiles", "one tile"])
@given(inputs=st.one_of(random_inputs(), near_ties()))
@settings(max_examples=60)
def test_the_true_error_is_within_the_rounding_bound(dtype, tiles, inputs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming_attention, "QUERY_TILE", tiles[0])
        patch.setattr(streaming_attention, "KEY_TILE", tiles[1])
        assert largest_error(inputs, dtype) <= rounding_bound(magnitudes(inputs), dtype)


@pytest.mark.parametrize("temperature", [64.0, 1.0, 0.05])
def test_rounding_bound_in_float32_at_real_sizes(temperature):
    inputs = normal(40, 2 * KEY_TILE + 77, 64, 2, temperature)
    error = np.abs(streamed(inputs, np.float32) - by_torch(inputs)).max()
    reference = rounding_bound(magnitudes(inputs), np.float64)
    assert error <= rounding_bound(magnitudes(inputs), np.float32) + reference


def test_rounding_bound_is_of_use():
    # The sizes of a formula with 20 variables: float64 leaves 3/10 nearly untouched.
    typical = AttentionMagnitudes(256, 2**20, absolute_logit_bound=1000.0, value_bound=1.0, entry_error=1e-14)
    assert rounding_bound(typical, np.float64) < 1e-9
    small = AttentionMagnitudes(32, 2**12, absolute_logit_bound=100.0, value_bound=1.0, entry_error=1e-14)
    assert 1e-6 < rounding_bound(small, np.float32) < 1e-2


def test_rounding_bound_knows_where_it_ends():
    wide = AttentionMagnitudes(2**22, 10, 1.0, 1.0, 0.0)
    assert rounding_bound(wide, np.float32) == np.inf
    assert rounding_bound(wide, np.float64) < 1e-6
    # Logits that float32 cannot hold.
    huge = AttentionMagnitudes(1, 10, 1e39, 1.0, 0.0)
    assert rounding_bound(huge, np.float32) == np.inf
    assert rounding_bound(huge, np.float64) < np.inf
    for dtype in DTYPES:
        assert rounding_bound(AttentionMagnitudes(1, 10, 1e308, 1.0, 0.0), dtype) == np.inf


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_that_underflow_are_in_the_bound(dtype):
    tiny = {np.float32: 1e-30, np.float64: 1e-200}[dtype]
    inputs = normal(3, 4, 5, 1, temperature=1.0)
    inputs = inputs._replace(queries=inputs.queries * tiny, keys=inputs.keys * tiny)
    assert largest_error(inputs, dtype) <= rounding_bound(magnitudes(inputs), dtype)


def test_rounding_bound_grows_with_every_magnitude():
    base = AttentionMagnitudes(10, 1000, 5.0, 1.0, 0.0)
    for change in ({"dimension": 20}, {"keys": 5000}, {"absolute_logit_bound": 9.0}, {"value_bound": 2.0}):
        larger = AttentionMagnitudes(**{**vars(base), **change})
        for dtype in DTYPES:
            assert rounding_bound(larger, dtype) > rounding_bound(base, dtype) > 0
    assert rounding_bound(AttentionMagnitudes(10, 1000, 5.0, 1.0, 1e-3), np.float64) > 5e-3


def test_exp_in_float32_is_within_its_units_in_the_last_place():
    # Every 499th float32 between the smallest normal result and 0, in the order of their bits.
    most_negative = np.float32(-87.3)
    bits = np.arange(0, int(most_negative.view(np.uint32)) - 2**31 + 1, 499, dtype=np.uint32)
    arguments = -bits.view(np.float32)
    assert arguments.min() < -87
    exact = np.exp(arguments.astype(np.float64))  # within 1e-9 of a unit in the last place of float32
    ulps = np.abs(np.exp(arguments) - exact) / np.spacing(exact.astype(np.float32))
    assert ulps.max() <= EXP_ULPS - 0.01


def test_exp_in_float64_is_within_its_units_in_the_last_place():
    generator = np.random.default_rng(0)
    small = -np.exp2(-generator.uniform(0, 60, 1000))
    arguments = np.concatenate([generator.uniform(-708, 0, 2000), small, [-0.0, -708.0, -1.0]])
    computed = np.exp(arguments)
    spacing = np.spacing(computed)
    with mpmath.workdps(50):
        for x, y, ulp in zip(arguments.tolist(), computed.tolist(), spacing.tolist(), strict=True):
            assert abs(mpmath.exp(mpmath.mpf(x)) - y) <= EXP_ULPS * ulp


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_of_what_underflows_is_small(dtype):
    lowest = {np.float32: -87.3, np.float64: -708.3}[dtype]
    below = np.exp(np.linspace(lowest * 1.3, lowest, 1001, dtype=dtype))
    assert (np.diff(below) >= 0).all()
    assert below.max() < 4 * SMALLEST_NORMAL[np.dtype(dtype)]
    assert np.exp(dtype(-np.inf)) == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_progress_counts_rows(threads):
    seen = []
    rows = 3 * QUERY_TILE + 7
    streamed(normal(rows, 4, 2, 1, 1.0), threads=threads, progress=lambda *done: seen.append(done))
    assert seen == [(done, rows) for done in (QUERY_TILE, 2 * QUERY_TILE, 3 * QUERY_TILE, rows)]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupt_leaves_the_remaining_tiles_undone(threads, monkeypatch):
    interrupted = threading.Event()
    begun = []
    attend = streaming_attention._attend

    def counted(queries, keys, values):
        begun.append(len(queries))
        if threads > 1 and len(begun) > 3:
            assert interrupted.wait(60)  # keep the workers from running ahead of the first report
        return attend(queries, keys, values)

    def interrupt(done, rows):
        interrupted.set()
        raise KeyboardInterrupt

    monkeypatch.setattr(streaming_attention, "_attend", counted)
    monkeypatch.setattr(streaming_attention, "QUERY_TILE", 2)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        streamed(normal(2000, 500, 2, 1, 1.0), threads=threads, progress=interrupt)
    assert len(begun) < 1000 / 2
    assert threading.active_count() == before
