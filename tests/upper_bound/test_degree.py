from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import jv

from reductions.upper_bound.degree import (
    bessel_error_bounds,
    decay,
    decay_rate,
    degree_bounds,
    degree_order,
    least_degree,
    log_bessel_error_bounds,
)
from reductions.upper_bound.exp_polynomial import best_error_bounds, minimax_polynomial


@pytest.mark.parametrize(("b", "degree"), [(1, 2), (4, 3), (4, 6), (9, 2)])
def test_the_measure_of_the_lower_bound_annihilates_polynomials(b, degree):
    # Part 1 with an actual polynomial: the integral of h_P times the weight is -2 pi J_{g+1}(b).
    polynomial = minimax_polynomial(degree, -b, b)

    def integrand(theta):
        x = b * math.cos(theta)
        return (float(polynomial(x)) * math.exp(-x) - 1) * math.cos(
            (degree + 1) * theta - b * math.sin(theta)
        )

    value = quad(integrand, -math.pi, math.pi, limit=200)[0]
    assert value == pytest.approx(-2 * math.pi * jv(degree + 1, b), rel=1e-6)
    assert abs(jv(degree + 1, b)) <= polynomial.error


@pytest.mark.parametrize(("b", "degree"), [(0.5, 1), (2, 4), (4, 6), (8, 12)])
def test_the_multiplier_of_the_upper_bound_is_a_polynomial(b, degree):
    # Solve the linear equations of the proof, cut off; e^x (1 + h) must be a polynomial of that degree.
    size = 80
    orders = degree + 1 + np.arange(size)
    matrix = np.eye(size) + jv(orders[:, None] + orders[None, :], 2 * b)
    q = np.linalg.solve(matrix, 2 * jv(orders, b))
    theta = 2 * np.pi * np.arange(512) / 512
    h = -np.real(
        np.exp(1j * (orders[0] * theta - b * np.sin(theta))) * np.polyval(q[::-1], np.exp(1j * theta))
    )
    coefficients = np.fft.rfft(np.exp(b * np.cos(theta)) * (1 + h)) / 512
    assert np.abs(coefficients[degree + 1 :]).max() < 1e-12 * math.exp(b)
    lower, upper = bessel_error_bounds(b, degree)
    assert best_error_bounds(degree, b)[0] <= np.abs(h).max() * (1 + 1e-12)
    assert np.abs(h).max() <= np.abs(q).sum() <= upper * (1 + 1e-12)
    assert lower <= np.abs(np.polyval(q[::-1], np.exp(1j * theta))).min() * (1 + 1e-12)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60), st.floats(0.02, 1))
def test_sizes_of_bessel_functions(order, part):
    x = part * order
    scaled = jv(order, x) * math.exp(decay(order, x))
    stirling = math.exp(order * math.log(order) - order - math.lgamma(order + 1))
    assert stirling * (1 - 1e-9) <= scaled <= jv(order, order) * (1 + 1e-9)
    assert 1 / (math.e * math.sqrt(order)) <= stirling * (1 + 1e-12)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 6), st.floats(1e-12, 0.5))
def test_least_degrees_obey_the_order(b, tolerance):
    degree = least_degree(b, tolerance, 200)
    order = degree_order(b, tolerance)
    assert 0.3 * order <= degree + 1
    assert degree < 3 * order
    least, largest = degree_bounds(b, tolerance)
    assert least <= degree <= largest
    assert best_error_bounds(degree, b)[0] <= tolerance
    assert degree == 0 or best_error_bounds(degree - 1, b)[0] > tolerance


def test_least_degree_stops_at_the_largest():
    assert least_degree(8.0, 1e-6, 19) == 19
    assert least_degree(8.0, 1e-6, 18) is None
    assert least_degree(8.0, 1e-6, 0) is None
    assert least_degree(8.0, 0.999999999, 64) == 0
    assert least_degree(0.0, 1e-9, 64) == 0


def test_the_rate_is_approached():
    for gamma, rho in [(1.5, 1.0), (1.0, 0.25)]:
        distances = []
        for s in (20, 200, 2000):
            lower, upper = log_bessel_error_bounds(rho * s, round(gamma * s))
            assert lower <= upper
            distances.append(max(abs(-bound / s - decay_rate(gamma, rho)) for bound in (lower, upper)))
        assert distances[0] > 5 * distances[1] > 25 * distances[2]
    assert decay_rate(0.5, 1) == decay_rate(1, 1) == 0
    lower, _ = log_bessel_error_bounds(1000, 1000)
    assert lower > -7


def test_bad_arguments():
    for b in (0, -1, math.nan):
        with pytest.raises(ValueError, match="Argument 'b' must be a positive number"):
            degree_order(b, 0.1)
    for tolerance in (0, 0.6, math.nan):
        with pytest.raises(ValueError, match="Argument 'tolerance' must be positive and at most 1/2"):
            degree_bounds(1, tolerance)
    with pytest.raises(ValueError, match="Argument 'rho' must be a positive number"):
        decay_rate(1, 0)
    with pytest.raises(ValueError, match="Argument 'gamma' must be a nonnegative number"):
        decay_rate(-1, 1)
