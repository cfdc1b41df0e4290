"""Monomial features: three array libraries, tables and messages."""

from __future__ import annotations

import math

import array_api_strict
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reductions.upper_bound.monomial_features import (
    MonomialSet,
    downward_closed,
    exponents,
    feature_count,
    features,
    least_feature_count,
    monomials,
    multinomials,
    symmetric_features,
    total_degree,
    weights,
)

LIBRARIES = {"numpy": np, "torch": torch, "array_api_strict": array_api_strict}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_array_libraries(library, dtype):
    xp = LIBRARIES[library]
    rng = np.random.default_rng(0)
    queries, keys = rng.uniform(-1, 1, (2, 7, 4))
    coefficients, temperature = [1.0, -0.5, 0.25, 2.0], 3.0
    arrays = [xp.asarray(rows.tolist(), dtype=getattr(xp, dtype)) for rows in (queries, keys)]
    left, right = features(*arrays, coefficients, temperature)
    assert left.dtype == right.dtype == arrays[0].dtype
    assert type(left) is type(arrays[0])
    assert tuple(left.shape) == (7, math.comb(7, 3))
    products = np.from_dlpack(left @ right.T)
    expected = np.polynomial.polynomial.polyval(queries @ keys.T / temperature, coefficients)
    np.testing.assert_allclose(products, expected, rtol=0, atol=1e-5 if dtype == "float32" else 1e-14)
    # Column by column the definition: the product of the variables' powers.
    table = exponents(4, 3)
    defined = np.prod(keys[:, None, :] ** table, axis=2)
    np.testing.assert_allclose(np.from_dlpack(right), defined, rtol=0, atol=1e-6)


@given(
    st.integers(1, 3).flatmap(
        lambda d: st.lists(st.tuples(*[st.integers(0, 3)] * d), min_size=1, max_size=4).map(
            lambda tops: {divisor for top in tops for divisor in np.ndindex(*(power + 1 for power in top))}
        )
    ),
    st.randoms(use_true_random=False),
)
def test_downward_closed_sets(members, random):
    rows = sorted(members)
    random.shuffle(rows)
    ordered = downward_closed(rows)
    assert {tuple(row) for row in ordered.exponents.tolist()} == members
    assert (ordered.parent[1:] < np.arange(1, len(ordered))).all()
    assert set(ordered.parent[1:].tolist()) | {0} == set(range(ordered.interior))
    x = np.array([[2, 3, 5][: ordered.dimension]])
    assert monomials(x, ordered).tolist() == [[math.prod(x[0] ** row) for row in ordered.exponents.tolist()]]


def test_total_degree_is_a_downward_closed_set_and_a_prefix():
    for d, g in ((1, 5), (2, 4), (4, 3), (6, 2)):
        members, general = total_degree(d, g), downward_closed(exponents(d, g)[::-1])
        for name in ("exponents", "parent", "axis"):
            assert (getattr(members, name) == getattr(general, name)).all()
        assert members.interior == general.interior == feature_count(d, g - 1)
        smaller = total_degree(d, g - 1)
        assert (members.parent[: len(smaller)] == smaller.parent).all()
        assert members.degree == g


def test_sizes_of_the_tables():
    assert [feature_count(16, g) for g in (2, 3, 4, 6)] == [153, 969, 4845, 74613]
    assert least_feature_count(16, [1, 1, 1]) == 153
    assert least_feature_count(16, [1, 0, 1]) == 137
    # AS23's C(2(g + d), 2g).
    assert math.comb(2 * (4 + 16), 2 * 4) == 76_904_685


def test_multinomials_beyond_a_word():
    large = multinomials(total_degree(2, 70))
    assert large[-36] == float(math.comb(70, 35))
    assert large[total_degree(2, 70).degrees == 50].tolist() == [float(math.comb(50, k)) for k in range(51)]


def test_weights():
    members = total_degree(2, 2)
    assert weights(members, [1.0, 2.0, 3.0], 2.0).tolist() == [1, 1, 1, 0.75, 1.5, 0.75]


def test_one_map_for_queries_and_keys():
    x = np.random.default_rng(1).normal(size=(5, 3))
    rows = symmetric_features(x, [0.5, 0.0, 2.0], 1.5)
    np.testing.assert_allclose(rows @ rows.T, 0.5 + 2 * (x @ x.T / 1.5) ** 2, rtol=1e-13)
    with pytest.raises(ValueError, match="Argument 'coefficients' must not be negative, but one is -1"):
        symmetric_features(x, [0.5, -1.0, 2.0], 1.5)


def test_the_tables_are_read_only():
    members = total_degree(2, 2)
    for name in ("exponents", "parent", "axis", "degrees"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(members, name)[0] = 1
    assert isinstance(members, MonomialSet)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: total_degree(0, 2), "Argument 'dimension' must be a whole number >= 1, not 0"),
        (lambda: total_degree(2, -1), "Argument 'degree' must be a whole number >= 0, not -1"),
        (lambda: total_degree(64, 12), "Argument 'degree' must be smaller"),
        (lambda: downward_closed([[0, 0], [1, 1]]), r"divisors of its rows, but \(0, 1\) is missing"),
        (lambda: downward_closed([[0], [0]]), "Argument 'exponents' must have distinct rows"),
        (lambda: downward_closed([[0.5]]), "Argument 'exponents' must be a matrix of whole numbers"),
        (lambda: downward_closed([[1 << 15]]), "Argument 'exponents' must be below 32768"),
        (lambda: weights(total_degree(1, 1), [1, 1], 0.0), "Argument 'temperature' must be a positive"),
        (lambda: weights(total_degree(1, 1), [1], 1.0), "'coefficients' must have 2 entries or more, not 1"),
        (lambda: weights(total_degree(1, 1), [1, 1], 1e-320), "all weights are finite"),
        (lambda: monomials(np.ones((3, 2)), total_degree(3, 1)), r"'x' must be of shape \(L, 3\)"),
    ],
)
def test_argument_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
