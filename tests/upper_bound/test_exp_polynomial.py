from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reductions.upper_bound.exp_polynomial import (
    Certificate,
    CertificateError,
    alternation_points,
    best_error_bounds,
    certify,
    minimax_polynomial,
    proved_error,
    proved_lower_bound,
    taylor_polynomial,
    taylor_root,
    verify_certificate,
)


@pytest.mark.parametrize("b", [0.01, 0.5, 1, 3, 9])
def test_closed_forms_of_degrees_0_and_1(b):
    assert best_error_bounds(0, b) == pytest.approx((math.tanh(b),) * 2, rel=1e-12)
    k = math.sinh(b) / b * math.exp(b / math.tanh(b) - 1)
    assert best_error_bounds(1, b) == pytest.approx(((k - 1) / (k + 1),) * 2, rel=1e-11)
    assert alternation_points(1, -b, b)[1] == pytest.approx(1 - b / math.tanh(b), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 16), st.floats(-30, 30), st.sampled_from([1e-9, 1e-3, 0.3, 1, 2.5, 6]), st.floats(0.5, 1)
)
def test_every_produced_certificate_is_accepted(degree, centre, b, factor):
    polynomial = minimax_polynomial(degree, centre - b * factor, centre + b * factor)
    certificate = certify(polynomial)
    verify_certificate(certificate)
    assert proved_error(certificate) <= Fraction(polynomial.error)
    assert proved_error(certificate) >= Fraction(polynomial.error) * Fraction(999, 1000) - Fraction(1, 2**90)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 8), st.floats(0.1, 4), st.data())
def test_what_a_certificate_proves_holds_at_every_point(degree, b, data):
    # Any pieces and any coefficients: the bound that is read off must hold.
    coefficients = tuple(
        c * data.draw(st.floats(0.9, 1.1)) for c in minimax_polynomial(degree, -b, b).coefficients
    )
    inner = sorted(data.draw(st.lists(st.floats(-b, b), max_size=6)))
    ends = [-b, *inner, b]
    pieces = tuple(pairwise(ends))
    bound = float(proved_error(Certificate(coefficients, -b, b, 1.0, pieces)))
    x = np.linspace(-b, b, 501)
    assert np.abs(np.polyval(coefficients[::-1], x) * np.exp(-x) - 1).max() <= bound * (1 + 1e-12) + 1e-12


def test_certificates_that_must_be_refused():
    right = certify(minimax_polynomial(5, -2, 2))
    verify_certificate(right)
    pieces = right.pieces
    assert len(pieces) == 11
    for i in range(len(right.coefficients)):
        coefficients = list(right.coefficients)
        coefficients[i] *= 1 + 1e-9
        with pytest.raises(CertificateError, match="the error may be"):
            verify_certificate(replace(right, coefficients=tuple(coefficients)))
    for i in range(len(pieces)):
        with pytest.raises(CertificateError, match=r"leave a gap|pieces end at"):
            verify_certificate(replace(right, pieces=pieces[:i] + pieces[i + 1 :]))
    for error in (right.error * (1 - 1e-9), 0.0, -1.0):
        with pytest.raises(CertificateError, match="the error may be"):
            verify_certificate(replace(right, error=error))
    for changed in ({"high": 2.5}, {"low": -2.5}, {"pieces": ()}):
        with pytest.raises(CertificateError, match="pieces"):
            verify_certificate(replace(right, **changed))
    for changed in ({"error": math.nan}, {"coefficients": ()}, {"coefficients": (math.inf,)}):
        with pytest.raises(CertificateError, match="must be"):
            verify_certificate(replace(right, **changed))
    with pytest.raises(CertificateError, match="gap"):
        verify_certificate(replace(right, pieces=pieces[::-1]))


def test_lower_bounds_hold_for_any_points():
    generator = np.random.default_rng(0)
    for degree, b in [(0, 1), (2, 2), (5, 3)]:
        for _ in range(10):
            points = np.sort(generator.uniform(-b, b, degree + 2)).tolist()
            assert proved_lower_bound(points) <= best_error_bounds(degree, b)[1]
        best = proved_lower_bound(alternation_points(degree, -b, b))
        assert float(best) == pytest.approx(best_error_bounds(degree, b)[0], rel=1e-12)
    for points in ([1.0], [0.0, 0.0, 1.0], [1.0, 0.0]):
        with pytest.raises(CertificateError, match="at least two points"):
            proved_lower_bound(points)


def test_alternation_points_of_a_moved_interval_move_along():
    here, there = alternation_points(6, -2, 2), alternation_points(6, 3, 7)
    np.testing.assert_allclose(np.array(there) - 5, here, atol=1e-12)
    with pytest.raises(ValueError, match="Argument 'high' must be more than 'low'"):
        alternation_points(2, 1, 1)
    with pytest.raises(ValueError, match="to tell the points apart"):
        alternation_points(20, 1, 1 + 2**-50)


def test_taylor_roots_agree_with_numpy():
    for degree in (1, 3, 5, 7, 9):
        roots = np.roots([float(c) for c in taylor_polynomial(degree)[::-1]])
        real = roots[np.abs(roots.imag) < 1e-9].real
        assert float(taylor_root(degree)[0]) == pytest.approx(real.item(), rel=1e-6)
    with pytest.raises(ValueError, match="Argument 'degree' must be odd, not 4"):
        taylor_root(4)


def test_enclosures_of_exp_agree_with_mpmath():
    from reductions.polynomials.checker import exponential_bounds

    with mpmath.workdps(120):
        for x in (0, 1, -1, 0.5, 700, -700, 1e-300, -20.1):
            low, high = (mpmath.mpf(e.numerator) / e.denominator for e in exponential_bounds(Fraction(x)))
            assert low <= mpmath.exp(mpmath.mpf(x)) <= high <= low * (1 + mpmath.mpf(2) ** -240)
