"""Degrees by groups: features against the polynomials, shapes and messages."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.upper_bound.grouped_degrees import (
    all_staircases,
    group_polynomials,
    plane_partitions,
    stated_value,
)
from reductions.upper_bound.grouped_degrees import (
    all_degrees,
    monomial_set,
    rank,
    rounded_up,
    rounding_error,
    slices,
    staircase_coefficients,
    staircase_error,
    staircase_weights,
)
from reductions.upper_bound.monomial_features import monomials, total_degree, weights


def test_all_staircases_are_listed():
    assert len(set(all_staircases((3, 3)))) == len(all_staircases((3, 3))) == math.comb(6, 3) - 1
    assert len(set(all_staircases((2, 2, 3)))) == plane_partitions(2, 2, 3) - 1


@given(st.sampled_from(all_staircases((3, 3, 2))), st.randoms(use_true_random=False))
def test_the_bound_holds_at_random_logits(staircase, random):
    widths = (0.75, 0.5, 0.25)
    polynomials = group_polynomials(widths, 2)
    logits = [random.uniform(-b, b) for b in widths]
    value = stated_value(staircase, polynomials, [Fraction(x) for x in logits])
    error = float(value) * math.exp(-sum(logits)) - 1
    stated = staircase_error(staircase, [[p.error for p in row] for row in polynomials])
    assert abs(error) <= rounded_up(stated) + 1e-14


def test_the_bound_is_attained_by_products():
    polynomials = group_polynomials((1.0, 0.5), 3)
    for degrees in ((0, 0), (3, 1), (2, 2)):
        box = all_degrees(degrees)
        ends = []
        for row, degree, width in zip(polynomials, degrees, (1.0, 0.5), strict=True):
            grid = np.linspace(-width, width, 4001)
            ends.append((row[degree](grid) * np.exp(-grid)).max())
        stated = staircase_error(box, [[p.error for p in row] for row in polynomials])
        assert math.prod(ends) - 1 == pytest.approx(stated, rel=1e-5)


def test_features_with_their_weights():
    rng = np.random.default_rng(0)
    sizes, temperature = (2, 3, 1), 1.5
    staircase = {g for g in all_degrees((4, 2, 1)) if g[0] + 2 * g[1] + 3 * g[2] <= 4}
    queries, keys = rng.uniform(-0.7, 0.7, (2, 9, 6))
    parts = [queries[:, a:b] @ keys[:, a:b].T / temperature for a, b in ((0, 2), (2, 5), (5, 6))]
    widths = [np.abs(part).max() for part in parts]
    polynomials = group_polynomials(widths, 4)
    coefficients, distances = staircase_coefficients(staircase, polynomials)
    members = monomial_set(staircase, sizes)
    factors = staircase_weights(members, sizes, coefficients, temperature)
    approximate = (monomials(queries, members) * factors) @ monomials(keys, members).T
    error = np.abs(approximate * np.exp(-sum(parts)) - 1).max()
    stated = staircase_error(staircase, [[p.error for p in row] for row in polynomials])
    extra = rounding_error(coefficients, distances, [4.0, 4.0, 4.0], sum(widths))
    assert error <= stated + extra
    assert extra < 1e-9
    assert len(members) == rank(staircase, sizes) < math.comb(10, 4)


def test_one_group_is_the_total_degree():
    [polynomials] = group_polynomials((1.0,), 3)
    coefficients, _ = staircase_coefficients(all_degrees((3,)), [polynomials])
    np.testing.assert_allclose(coefficients, polynomials[3].coefficients, rtol=1e-14)
    members = monomial_set(all_degrees((3,)), (4,))
    assert (members.exponents == total_degree(4, 3).exponents).all()
    np.testing.assert_allclose(
        staircase_weights(members, (4,), coefficients, 2.0),
        weights(members, polynomials[3].coefficients, 2.0),
    )


@pytest.mark.parametrize("broken", [set(), {(1, 0)}, {(0, 0), (2, 0)}, {(0, 0), (1, 0), (1, 1)}])
def test_what_is_no_staircase_is_refused(broken):
    with pytest.raises(ValueError, match="Argument 'staircase' must hold a tuple"):
        staircase_error(broken, [[0.5] * 3, [0.1] * 3])


def test_slices():
    assert slices({(0, 0), (0, 1), (1, 0)}) == [{(0,), (1,)}, {(0,)}]
