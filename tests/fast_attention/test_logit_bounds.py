"""Bounds on all logits: rigorous against exact rationals, tight where they should be."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reductions.fast_attention.logit_bounds import Extent, exact_logit_range, logit_bounds

DTYPES = (np.float32, np.float64)


def rational_logits(queries, keys, temperature) -> tuple[list[Fraction], list[Fraction]]:
    """All logits, and all sums of |q_i k_i|/tau, exactly."""
    logits, absolutes = [], []
    for query in queries.tolist():
        for key in keys.tolist():
            products = [Fraction(x) * Fraction(y) for x, y in zip(query, key, strict=True)]
            logits.append(sum(products, Fraction(0)) / Fraction(temperature))
            absolutes.append(sum(map(abs, products), Fraction(0)) / Fraction(temperature))
    return logits, absolutes


def entries(dtype) -> st.SearchStrategy[float]:
    width = np.dtype(dtype).itemsize * 8
    return st.one_of(
        st.floats(-3, 3, width=width),
        st.floats(-(2.0**50), 2.0**50, width=width),
        st.sampled_from([0.0, 1.0, -1.0, 0.1 if width == 64 else 0.125, 1e-30 if width == 64 else 2.0**-100]),
    )


@st.composite
def layers(draw):
    dtype = draw(st.sampled_from(DTYPES))
    d = draw(st.integers(0, 5))
    arrays = [
        draw(hnp.arrays(dtype, (draw(st.integers(1, 20)), d), elements=entries(dtype))) for _ in range(2)
    ]
    return (*arrays, draw(st.sampled_from([1.0, 0.3, 7.0, 1e-3])))


@given(layers())
def test_every_logit_is_within(layer):
    queries, keys, temperature = layer
    logits, absolutes = rational_logits(queries, keys, temperature)
    bounds = logit_bounds(Extent.of(queries), Extent.of(keys), temperature)
    assert Fraction(bounds.low) <= min(logits)
    assert max(logits) <= Fraction(bounds.high)
    assert max(absolutes) <= Fraction(bounds.absolute)
    sharp = exact_logit_range(queries, keys, temperature)
    assert bounds.low <= sharp.low <= min(logits)
    assert max(logits) <= sharp.high <= bounds.high


@given(layers(), st.integers(1, 19))
def test_a_union_bounds_both_parts(layer, cut):
    vectors = layer[0]
    if cut < len(vectors):
        parts = Extent.of(vectors[:cut]) | Extent.of(vectors[cut:])
        whole = Extent.of(vectors)
        assert (parts.low == whole.low).all()
        assert (parts.high == whole.high).all()
        assert parts.norm == pytest.approx(whole.norm, rel=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 15, 16, 17, 40, 20_000])
def test_extents_of_many_rows(dtype, count):
    vectors = np.random.default_rng(count).standard_normal((count, 5)).astype(dtype)
    extent = Extent.of(vectors)
    wide = vectors.astype(np.float64)
    assert (extent.low == wide.min(axis=0)).all()
    assert (extent.high == wide.max(axis=0)).all()
    norm, total = np.linalg.norm(wide, axis=1).max(), np.abs(wide).sum(axis=1).max()
    assert norm <= extent.norm <= norm * (1 + 1e-5)
    assert total <= extent.absolute_sum <= total * (1 + 1e-5)


def test_the_interval_need_not_be_symmetric():
    generator = np.random.default_rng(0)
    queries, keys = generator.uniform(0, 1, (2, 50, 4))
    bounds = logit_bounds(Extent.of(queries), Extent.of(keys), 1.0)
    assert 0 < bounds.low < bounds.high < 4


def test_cauchy_schwarz_and_hoelder_are_attained():
    corners = np.array([[1.0, -1.0, 1.0], [-1.0, 1.0, -1.0]])
    bounds = logit_bounds(Extent.of(corners), Extent.of(corners), 3.0)
    assert bounds.low == pytest.approx(-1, rel=1e-14)
    assert bounds.high == pytest.approx(1, rel=1e-14)
    # One-hot queries: Hölder gives max |k|_inf where Cauchy-Schwarz gives max |k|.
    one_hot = logit_bounds(Extent.of(np.eye(3)), Extent.of(corners), 1.0)
    assert one_hot.high == pytest.approx(1, rel=1e-14)


def test_numbers_that_leave_the_range():
    huge = np.array([[1e200, 1e200]])
    assert logit_bounds(Extent.of(huge), Extent.of(huge), 1.0).absolute == math.inf
    assert not exact_logit_range(huge, huge, 1.0).absolute < math.inf
    wide = np.array([[3e38, -3e38]], np.float32)  # squares overflow float32
    assert 4e38 < Extent.of(wide).norm < 5e38
    tiny = np.array([[1e-200, 1e-200]])
    bounds = logit_bounds(Extent.of(tiny), Extent.of(tiny), 1.0)
    assert 0 < bounds.high < 1e-300


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("row", [0, 17, 39])
def test_an_entry_that_is_no_number_is_seen(bad, row):
    for dtype in DTYPES:
        vectors = np.ones((40, 3), dtype)
        vectors[row, 1] = bad
        assert not Extent.of(vectors).finite
    assert Extent.of(np.ones((40, 3))).finite
