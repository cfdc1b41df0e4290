from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from reductions.layers.streamed_attention import EXP_ULPS
from reductions.polynomials.exponential import (
    MAX_DEGREE,
    ExpPolynomial,
    _certified,
    _minimax,
    certified_degree,
    minimax_polynomial,
    provably_least,
)
from reductions.polynomials.remez import best_approximation, best_error_bounds
from tests.forward_error import gamma

REFERENCE = {  # best errors for degrees 2, 3, 4, 6, to the figures in which they are commonly quoted
    0.25: (6.5e-4, 2.0e-5, 5.1e-7, 1.9e-10),
    1: (4.0e-2, 5.0e-3, 5.0e-4, 3.0e-6),
    2: (2.7e-1, 7.1e-2, 1.45e-2, 3.6e-4),
    4: (8.9e-1, 6.1e-1, 3.0e-1, 3.3e-2),
}


def true_error(polynomial: ExpPolynomial, points: int = 2001) -> float:
    """The largest |P(x) e^-x - 1| on a fine grid, in 50 digits."""
    with mpmath.workdps(50):
        low, high = mpmath.mpf(polynomial.low), mpmath.mpf(polynomial.high)
        coefficients = [mpmath.mpf(c) for c in polynomial.coefficients[::-1]]
        grid = [
            low + (high - low) * (1 - mpmath.cos(mpmath.pi * i / (points - 1))) / 2 for i in range(points)
        ]
        return float(max(abs(mpmath.polyval(coefficients, x) * mpmath.exp(-x) - 1) for x in grid))


def linear_programme(degree: int, b: float) -> float:
    """The best error on a fine grid: a lower bound of E_g(b), from a solver that knows no Remez."""
    grid = b * np.cos(np.linspace(0, math.pi, 600))
    basis = np.polynomial.chebyshev.chebvander(grid / b, degree) * np.exp(-grid)[:, None]
    rows = np.block([[basis, -np.ones((600, 1))], [-basis, -np.ones((600, 1))]])
    bounds = np.concatenate([np.ones(600), -np.ones(600)])
    cost = np.zeros(degree + 2)
    cost[-1] = 1
    return linprog(cost, A_ub=rows, b_ub=bounds, bounds=(None, None), method="highs").fun


@pytest.mark.parametrize("b", REFERENCE)
def test_reference_values(b):
    for degree, expected in zip((2, 3, 4, 6), REFERENCE[b], strict=True):
        assert minimax_polynomial(degree, -b, b).error == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("degree", "b"), [(1, 0.5), (3, 2), (6, 4), (5, 8), (12, 8)])
def test_best_error_agrees_with_a_linear_programme(degree, b):
    lower, upper = best_error_bounds(degree, b)
    assert 0 < lower <= upper <= lower * (1 + 1e-11)
    assert linear_programme(degree, b) == pytest.approx(lower, rel=2e-4)


@pytest.mark.parametrize(
    ("degree", "low", "high"), [(0, -2, 2), (4, -1, 1), (7, -3, 1.5), (12, -0.25, 0.25), (20, -8, 8)]
)
def test_the_error_is_proved_and_tight(degree, low, high):
    polynomial = minimax_polynomial(degree, low, high)
    measured = true_error(polynomial)
    assert measured <= polynomial.error <= measured * (1 + 1e-4)


@settings(max_examples=25, deadline=None)
@given(st.floats(-20, 20), st.floats(1e-6, 4), st.integers(0, 12))
def test_translation_leaves_the_best_error(centre, b, degree):
    polynomial = minimax_polynomial(degree, centre - b, centre + b)
    lower, _ = best_error_bounds(degree, (Fraction(centre + b) - Fraction(centre - b)) / 2)
    assert polynomial.error >= lower
    assert true_error(polynomial, 101) <= polynomial.error
    if abs(centre) < 1:
        assert polynomial.error <= lower * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("tolerance", [0.5, 1e-2, 1e-4, 1e-7, 1e-10, 1e-12])
@pytest.mark.parametrize("b", [0.1, 0.7, 2, 4.5])
def test_certified_degree_is_least(b, tolerance):
    polynomial = certified_degree(-b, b, tolerance)
    assert polynomial.error <= tolerance
    assert polynomial.degree == 0 or best_error_bounds(polynomial.degree - 1, b)[0] > tolerance
    assert provably_least(polynomial, tolerance)
    assert not provably_least(minimax_polynomial(polynomial.degree + 1, -b, b), tolerance)
    assert polynomial is certified_degree(-b, b, tolerance)
    if polynomial.degree:
        assert certified_degree(-b, b, tolerance, polynomial.degree - 1) is None


def test_a_point_and_tiny_intervals():
    for low, high in [(0, 0), (3, 3), (3, 3 + 2**-50), (0, 5e-324), (-1e-300, 1e-300)]:
        polynomial = certified_degree(low, high, 1e-6)
        assert polynomial.degree == 0
        assert polynomial.error < 2e-16 + (high - low)
        assert minimax_polynomial(3, low, high).degree == 3


def test_what_rounded_coefficients_cannot_reach_is_none():
    assert certified_degree(-8, 8, 1e-14) is None
    assert certified_degree(-30, 30, 0.5) is None
    assert certified_degree(-900, 900, 0.5) is None
    assert certified_degree(-16, 16, 2).degree == 0


def test_evaluation_is_horner_of_arrays():
    polynomial = minimax_polynomial(3, -1, 1)
    x = np.linspace(-1, 1, 7).reshape(7, 1)
    # Horner's rule, six roundings (Higham, 5.3), and NumPy's exp.
    sizes = np.polynomial.polynomial.polyval(np.abs(x), np.abs(polynomial.coefficients))
    rounding = gamma(6, 2.0**-53) * sizes + EXP_ULPS * np.spacing(np.exp(x))
    assert (np.abs(polynomial(x) - np.exp(x)) <= polynomial.error * np.exp(x) + rounding).all()
    assert polynomial(x).shape == (7, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((math.nan, 1, 0.1), "Argument 'low' must be a finite number, not nan"),
        ((0, math.inf, 0.1), "Argument 'high' must be a finite number, not inf"),
        ((1, 0, 0.1), "Argument 'high' must be at least 'low' = 1.0, not 0.0"),
        ((0, 1, 0), "Argument 'tolerance' must be a positive number, not 0"),
        ((0, 1, math.nan), "Argument 'tolerance' must be a positive number, not nan"),
        ((0, 1, 0.1, -1), "Argument 'max_degree' must be between 0 and 64, not -1"),
        ((0, 1, 0.1, MAX_DEGREE + 1), "Argument 'max_degree' must be between 0 and 64, not 65"),
    ],
)
def test_bad_arguments_of_certified_degree(arguments, message):
    with pytest.raises(ValueError, match=message):
        certified_degree(*arguments)


def test_bad_arguments_of_minimax_polynomial():
    with pytest.raises(ValueError, match="'degree' must be between 0 and 64, not -1"):
        minimax_polynomial(-1, 0, 1)
    with pytest.raises(TypeError):
        minimax_polynomial(1.5, 0, 1)
    with pytest.raises(ValueError, match="at most 700"):
        minimax_polynomial(1, 0, 701)
    with pytest.raises(ValueError, match="Argument 'high' must be at most 'low'"):
        minimax_polynomial(1, -65, 65)
    with pytest.raises(ValueError, match="Argument 'half_width' must be a nonnegative number"):
        best_error_bounds(1, -1)
    with pytest.raises(ValueError, match="Argument 'degree' must be a nonnegative integer"):
        best_error_bounds(-1, 1)


def test_threads_get_what_one_thread_gets():
    intervals = [(-b, b + 0.5) for b in np.linspace(0.3, 5.1, 12).tolist()]

    def certify_one(interval):
        return certified_degree(*interval, 1e-7)

    alone = [certify_one(interval) for interval in intervals]
    best_approximation.cache_clear()
    _certified.cache_clear()
    _minimax.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(certify_one, intervals)) == alone
