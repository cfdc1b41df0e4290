from __future__ import annotations

import math

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import jv

from reductions.polynomials.bessel import bessel_error_bounds, bessel_sum, decay, log_bessel_error_bounds
from reductions.polynomials.precision import working_precision
from reductions.polynomials.remez import best_error_bounds


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 16), st.integers(0, 24))
def test_the_best_error_lies_between_the_bounds(b, degree):
    lower, upper = bessel_error_bounds(b, degree)
    best_lower, best_upper = best_error_bounds(degree, b)
    assert lower <= best_upper
    assert best_lower <= upper


@pytest.mark.parametrize(("b", "degree"), [(0.25, 2), (1, 4), (4, 6), (8, 12), (20, 30)])
def test_the_bounds_are_what_scipy_evaluates(b, degree):
    size = 2 * sum(jv(k, b) for k in range(degree + 1, degree + 80))
    kappa = sum(jv(m, 2 * b) for m in range(2 * degree + 2, 2 * degree + 120))
    t = jv(degree + 2, b) / jv(degree + 1, b)
    lower, upper = bessel_error_bounds(b, degree)
    assert upper == pytest.approx(size / (1 - kappa), rel=1e-9)
    sharper = size * ((1 - t) / (1 + t) - kappa / (1 - kappa))
    assert lower == pytest.approx(max(sharper, jv(degree + 1, b)), rel=1e-9)


def test_sums_contain_the_sum():
    from flint import arb

    for first, x in [(1, 0.5), (5, 4.9), (40, 39)]:
        with working_precision(200):
            ball = bessel_sum(first, arb(x))
        with mpmath.workdps(30):
            total = mpmath.nsum(lambda m, x=x: mpmath.besselj(m, x), [first, first + 200])
            assert abs(mpmath.mpf(str(ball.mid().str(25, radius=False))) - total) < 1e-18


def test_low_degrees_and_points_of_equality():
    assert bessel_error_bounds(3, 0) == pytest.approx((math.tanh(3), math.tanh(3)), rel=1e-14)
    lower, upper = bessel_error_bounds(8, 4)
    assert lower == pytest.approx(math.tanh(math.sqrt(32) - 4 * math.acosh(math.sqrt(2))), rel=1e-12)
    assert upper == pytest.approx(math.tanh(8), rel=1e-14)


def test_logarithms_reach_beyond_floats():
    lower, upper = log_bessel_error_bounds(100, 2000)
    assert lower <= upper < -1000
    assert bessel_error_bounds(100, 2000)[0] == 0
    assert -upper / decay(2001, 100) == pytest.approx(1, rel=1e-3)


def test_decay():
    assert decay(3, 3) == 0
    for nu, x in [(2, 1), (5, 4.99), (1, 1 - 1e-9), (1e4, 3)]:
        with mpmath.workdps(40):
            exact = nu * mpmath.acosh(mpmath.mpf(nu) / x) - mpmath.sqrt(
                mpmath.mpf(nu) ** 2 - mpmath.mpf(x) ** 2
            )
        assert decay(nu, x) == pytest.approx(float(exact), rel=1e-7 if x > 0.999 * nu else 1e-12)
    with pytest.raises(ValueError, match="Argument 'x' must be positive and at most 'nu' = 1"):
        decay(1, 2)


@pytest.mark.parametrize("bounds", [bessel_error_bounds, log_bessel_error_bounds])
def test_bad_arguments(bounds):
    for b in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="Argument 'b' must be a positive number"):
            bounds(b, 1)
    with pytest.raises(ValueError, match="Argument 'degree' must be a nonnegative integer, not -1"):
        bounds(1, -1)
