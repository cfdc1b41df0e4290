"""Growth of degree and rank: mpmath as an oracle, and the edges."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reductions.upper_bound.rank_growth import (
    decay,
    degree_rate,
    degree_rate_enclosure,
    degree_window,
    elementary_error_bounds,
    power_enclosure,
    rank_exponent,
    rank_exponent_enclosure,
    rank_rate,
    rank_rate_enclosure,
)

rates = st.floats(0.01, 20, allow_nan=False)


@settings(deadline=None, max_examples=50)
@given(rates, rates)
def test_the_rate_solves_its_equation(rho, kappa):
    gamma = degree_rate(rho, kappa)
    with mpmath.workdps(40):
        exact = mpmath.findroot(
            lambda a: rho * (a * mpmath.cosh(a) - mpmath.sinh(a)) - kappa, math.acosh(gamma / rho)
        )
        expected = rho * mpmath.cosh(exact)
    assert gamma == pytest.approx(float(expected), rel=1e-12)
    low, high = degree_rate_enclosure(rho, kappa)
    assert low <= Fraction(str(mpmath.nstr(expected, 38))) <= high
    assert high - low < 1e-12 * low


@settings(deadline=None, max_examples=30)
@given(rates, rates, rates, st.floats(1.01, 3))
def test_rates_are_monotone_and_homogeneous(c, rho, kappa, scale):
    delta = rank_exponent(c, rho, kappa)
    assert rank_exponent(c * scale, rho, kappa) > delta
    assert rank_exponent(c, rho * scale, kappa) > delta
    assert rank_exponent(c, rho, kappa * scale) > delta
    assert rank_exponent(c * scale, rho * scale, kappa * scale) == pytest.approx(scale * delta, rel=1e-9)
    low, high = rank_exponent_enclosure(c, rho, kappa)
    assert float(low) * (1 - 1e-9) <= delta <= float(high) * (1 + 1e-9)


def test_small_and_vanishing_rates():
    assert degree_rate(0, 5) == 0
    assert rank_exponent(1, 0, 5) == 0
    assert degree_rate(3, 0) == 3
    assert degree_rate_enclosure(Fraction(1, 3), 0) == (Fraction(1, 3), Fraction(1, 3))
    assert rank_rate(0, 1) == rank_rate(1, 0) == 0
    for kappa in (1e-3, 1e-6, 1e-12):
        assert (degree_rate(2, kappa) - 2) / (0.5 * (9 * 2 * kappa**2) ** (1 / 3)) == pytest.approx(
            1, abs=kappa**0.5
        )
    assert degree_rate(1e-6, 1) < 0.1
    for angle in (1e-8, 0.1, 0.49999, 0.5, 3.0):
        with mpmath.workdps(40):
            expected = float(angle * mpmath.cosh(angle) - mpmath.sinh(angle))
        assert decay(angle) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(("b", "degree", "error"), [(4, 6, 0.03258), (1, 4, 5.03e-4), (8, 12, 7.23e-3)])
def test_known_errors_lie_between_the_bounds(b, degree, error):
    low, high = elementary_error_bounds(b, degree)
    assert 0 < low < error < high < 1


@pytest.mark.parametrize("logarithm", [5, 20, 80])
def test_windows_narrow_towards_the_rate(logarithm):
    low, high = degree_window(logarithm, power_enclosure(logarithm))
    assert low < high
    assert high <= degree_rate(1, 1) * logarithm + 2
    assert low >= degree_rate(1, 1) * logarithm - 2.5 * math.log(logarithm) - 2


def test_below_the_interval_no_degree_is_enough():
    assert elementary_error_bounds(400, 200)[0] > 1 - 1e-6
    assert elementary_error_bounds(400, 360)[0] > 0.9
    assert elementary_error_bounds(400, 0)[0] > 1 - Fraction(1, 10**40)


@pytest.mark.parametrize(
    ("b", "degree"), [(0.25, 0), (1, 1), (1, 5), (4, 6), (4, 4), (8, 30), (3, 1), (12, 11), (9, 0)]
)
def test_elementary_bounds_are_the_stated_formulas(b, degree):
    nu, low, high = degree + 1, 0.0, 1.0
    if nu > b:
        alpha = math.acosh(nu / b)
        psi = nu * alpha - math.sqrt(nu**2 - b**2)
        low = math.exp(-psi) / (math.e * math.sqrt(nu))
        room = 1 - math.exp(-alpha) - math.exp(-2 * psi) / math.sqrt(2)
        high = min(1.0, math.sqrt(2) * math.exp(-psi) / room) if room > 0 else 1.0
    else:
        low = 1 / (math.e * math.sqrt(nu))
    if degree < b:
        inside = degree * math.acosh(math.sqrt(b / degree)) if degree else 0.0
        low = max(low, math.tanh(math.sqrt(b * (b - degree)) - inside))
    assert elementary_error_bounds(b, degree) == pytest.approx((low, high), rel=1e-9)


def test_a_window_for_several_tolerances_holds_theirs():
    small, large = Fraction(1, 10**6), Fraction(1, 100)
    first, last = degree_window(4, large), degree_window(4, small)
    assert degree_window(4, (small, large)) == (first[0], last[1])
    assert first[1] < last[0]


def test_the_rank_of_an_enclosure_holds_that_of_its_ends():
    low, high = rank_rate_enclosure(1, (Fraction(1), Fraction(2)))
    assert low <= rank_rate(1, 1) * (1 + 1e-15)
    assert high >= rank_rate(1, 2) * (1 - 1e-15)
    assert (low, high) == pytest.approx((rank_rate(1, 1), rank_rate(1, 2)), rel=1e-12)


def test_argument_errors():
    with pytest.raises(ValueError, match="Argument 'rho' must be a finite number, at least 0, not -1"):
        degree_rate(-1, 1)
    with pytest.raises(ValueError, match="Argument 'kappa' must be"):
        degree_rate(1, math.inf)
    with pytest.raises(ValueError, match="Argument 'half_width' must be a finite number, positive, not 0"):
        elementary_error_bounds(0, 1)
    with pytest.raises(ValueError, match="Argument 'degree' must be at least 0, not -1"):
        elementary_error_bounds(1, -1)
    with pytest.raises(ValueError, match="Argument 'tolerance' must be above 0 and below 1"):
        degree_window(1, 1)
