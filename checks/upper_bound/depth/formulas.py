"""Enclosures of the formulas of ``rem-depth`` that are computed in float64."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

from checks.evidence import Claims
from checks.exact.intervals import precision
from reductions.upper_bound.depth import degree_slope, degree_window, error_window, local_precision


def _close(name: str, computed: float, exact: Any) -> Claims:
    """Yield that a float is within 2^-40 of an interval's points, relatively from 1 on."""
    yield name, abs(exact - computed), "<=", (1 + abs(exact)) / 2**40


def formula_claims() -> Claims:
    """Yield that local errors, windows and slopes are what part 2 and inequality (b) say."""
    with precision() as iv:
        for scales, log_constant, tolerance in product((1, 2, 3, 7), (0.0, 0.5, 2.0), (0.0, 3.0)):
            total = sum(iv.exp(iv.mpf(log_constant) * k) for k in range(scales))
            computed = local_precision(tolerance, scales, log_constant)
            name = f"1/eps for K = {scales}, ln Lambda = {log_constant}, kappa ln n = {tolerance}"
            yield from _close(name, computed, iv.log(total) + tolerance)
        for b, degree in product((0.25, 1.0, 4.0, 16.0), (0, 1, 4, 16, 40, 64)):
            low, high = error_window(b, degree)
            nu = iv.mpf(degree + 1)
            yield from _close(f"(b) left, b = {b}, g = {degree}", low, nu * (iv.log(nu / b) - 1) - 2 * b)
            yield from _close(f"(b) right, b = {b}, g = {degree}", high, nu * iv.log(2 * nu / b) + 2 * b)
        for b, needed in product((0.25, 1.0, 4.0), (10.0, 100.0, 1e6)):
            least, enough = degree_window(b, needed)
            name = f"the degrees around b = {b}, ln(1/eps) = {needed}"
            yield from _close(f"{name}: too few", error_window(b, least)[1], iv.mpf(needed))
            yield from _close(f"{name}: enough", error_window(b, enough)[0], iv.mpf(needed))
        for rho, layers in product((Fraction(0), Fraction(1, 10), Fraction(1, 4), Fraction(2, 5)), (1, 3)):
            slope = 2 * rho / (1 - 2 * rho) * layers
            name = f"slope for rho = {rho}, mu = {layers}"
            yield from _close(
                name, degree_slope(float(rho), layers), iv.mpf(slope.numerator) / slope.denominator
            )
