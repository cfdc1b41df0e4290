from __future__ import annotations

import dataclasses
import itertools
import math

import galois
import numpy as np
import pytest

from reductions.codes.evaluation_codes import (
    ELLIPTIC_CURVES,
    discriminant,
    elliptic,
    hermitian,
    pole_numbers,
    reed_solomon,
)
from reductions.codes.finite_field import FiniteField, row_reduce, span


def oracle_for(order):
    return galois.GF(order, compile="python-calculate")


@pytest.mark.parametrize(("order", "block"), [(2, 1), (3, 2), (4, 3), (5, 4), (8, 4), (9, 3), (11, 5)])
@pytest.mark.parametrize("infinity", [True, False])
def test_reed_solomon_encoders_are_lagrange_polynomials(order, block, infinity):
    code, field = reed_solomon(FiniteField(order), block, infinity), oracle_for(order)
    assert code.length == order + infinity
    assert code.block == block
    assert code.squared_degree == 2 * (block - 1)
    assert code.information == tuple(range(block))
    at = field([code.points[i][0] for i in code.information])
    for j, encoder in enumerate(code.encoders):
        unit = field.Zeros(block)
        unit[j] = 1
        polynomial = galois.lagrange_poly(at, unit)
        assert np.array_equal(encoder[:order], polynomial(field(np.arange(order))))
        if infinity:
            leading = polynomial.coeffs[0] if polynomial.degree == block - 1 else 0
            assert encoder[order] == leading


def test_reed_solomon_uses_every_point_at_most():
    assert reed_solomon(FiniteField(3), 4).encoders.tolist() == np.eye(4).tolist()
    for block in (0, 5):
        with pytest.raises(ValueError, match="must be from 1 to 4, the points"):
            reed_solomon(FiniteField(3), block)


@pytest.mark.parametrize("order", ELLIPTIC_CURVES)
def test_listed_curves_have_the_most_points_there_are(order):
    """The largest number of points of an elliptic curve over F_q, by Deuring and Waterhouse."""
    field = FiniteField(order)
    hasse = math.isqrt(4 * order)
    odd = field.degree >= 3 and field.degree % 2 == 1
    most = order + 1 + hasse - (1 if odd and hasse % field.characteristic == 0 else 0)
    code = elliptic(field, 0)
    assert code.length == most
    x, y = oracle_for(order)([point for point in code.points if point is not None]).T
    a1, a2, a3, a4, a6 = (oracle_for(order)(a) for a in ELLIPTIC_CURVES[order])
    assert np.array_equal(y**2 + a1 * x * y + a3 * y, x**3 + a2 * x**2 + a4 * x + a6)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_smooth_iff_no_singular_point(order):
    """A singular Weierstrass cubic over a finite field has its singular point over that field."""
    field = oracle_for(order)
    x, y = (field(c) for c in np.divmod(np.arange(order**2), order))
    smooth = 0
    for curve in itertools.product(range(order), repeat=5):
        a1, a2, a3, a4, a6 = map(field, curve)
        on = y**2 + a1 * x * y + a3 * y - x**3 - a2 * x**2 - a4 * x - a6 == 0
        by_x = a1 * y - 3 * x**2 - 2 * (a2 * x) - a4
        by_y = 2 * y + a1 * x + a3
        singular = bool((on & (by_x == 0) & (by_y == 0)).any())
        assert (discriminant(FiniteField(order), curve) == 0) is singular, curve
        smooth += not singular
    assert smooth == order**5 - order**4  # the discriminant vanishes for one in q


@pytest.mark.parametrize(("order", "points", "genus"), [(4, 9, 1), (9, 28, 3), (16, 65, 6)])
def test_hermitian_points_and_dimensions(order, points, genus):
    field = FiniteField(order)
    root = math.isqrt(order)
    numbers = pole_numbers((root, root + 1), 4 * genus + 3)
    assert sorted(set(range(4 * genus + 4)) - set(numbers)) == sorted(set(range(2 * genus)) - set(numbers))
    assert len(set(range(2 * genus)) - set(numbers)) == genus  # the gaps
    for k in numbers:
        if k < points:
            code = hermitian(field, k)
            assert code.length == points
            assert code.squared_degree == 2 * k
            assert code.block == len([n for n in numbers if n <= k])
            if k > 2 * genus - 2:
                assert code.block == k + 1 - genus  # Riemann-Roch


@pytest.mark.parametrize(
    ("make", "wrong", "near"),
    [
        (lambda k: elliptic(FiniteField(5), k), 1, "0 and 2"),
        (lambda k: elliptic(FiniteField(5), k), -1, "0"),
        (lambda k: hermitian(FiniteField(9), k), 5, "4 and 6"),
        (lambda k: hermitian(FiniteField(9), k), 2, "0 and 3"),
        (lambda k: hermitian(FiniteField(16), 11), 11, "10 and 12"),
    ],
)
def test_gaps_are_refused(make, wrong, near):
    with pytest.raises(ValueError, match=f"pole number .*, not {wrong}: the nearest are {near}\\.$"):
        make(wrong)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="'pole_order' must be at most 9, the affine points, not 10"):
        elliptic(FiniteField(5), 10)
    with pytest.raises(ValueError, match="'curve' must be smooth"):
        elliptic(FiniteField(5), 3, (0, 0, 0, 0, 0))
    with pytest.raises(ValueError, match="'curve' must hold elements 0 to 4"):
        elliptic(FiniteField(5), 3, (0, 0, 0, 0, 5))
    with pytest.raises(ValueError, match=r"'curve' must be given for GF\(17\)"):
        elliptic(FiniteField(17), 3)
    with pytest.raises(ValueError, match="square number of elements, not 8"):
        hermitian(FiniteField(8), 3)
    code = reed_solomon(FiniteField(3), 2)
    with pytest.raises(ValueError, match=r"'encoders' must have the shape \(2, 4\)"):
        dataclasses.replace(code, encoders=code.encoders[:, :3])
    with pytest.raises(ValueError, match="must be the identity on the information points"):
        dataclasses.replace(code, information=(1, 2))


def test_hermitian_and_elliptic_codes_over_f4_agree():
    """y² + y = x³ is both; the two functions build it by different equations."""
    for k in (2, 3, 4, 5):
        first, second = hermitian(FiniteField(4), k), elliptic(FiniteField(4), k)
        assert first.points == second.points
        assert np.array_equal(first.encoders, second.encoders)


@pytest.mark.parametrize(
    "code",
    [
        reed_solomon(FiniteField(3), 2),
        reed_solomon(FiniteField(5), 3),
        reed_solomon(FiniteField(8), 3, infinity=False),
        elliptic(FiniteField(4), 3),
        elliptic(FiniteField(5), 3),
        elliptic(FiniteField(7), 2),
        hermitian(FiniteField(9), 3),
        hermitian(FiniteField(9), 4),
    ],
    ids=lambda code: f"{code.name} {code.block}",
)
def test_squared_code_has_few_zeros(code):
    """All sums of products of codewords; the bound 2k is attained by each of these."""
    field = code.field
    products = field.multiply(code.encoders[:, None], code.encoders[None]).reshape(-1, code.length)
    words = span(field, row_reduce(field, products)[0])
    zeros = (words[1:] == 0).sum(axis=1)
    assert zeros.max() == code.squared_degree
