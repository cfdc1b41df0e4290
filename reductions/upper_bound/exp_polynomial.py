"""Polynomials in place of exp: the best ones, their certificates, and Taylor's (lem-exp-polynomial).

The machinery is in :mod:`reductions.polynomials`; this module names what the lemma speaks of.
"""

from __future__ import annotations

import math
from fractions import Fraction

from reductions.polynomials.checker import (
    Certificate,
    CertificateError,
    proved_error,
    proved_lower_bound,
    verify_certificate,
)
from reductions.polynomials.exponential import (
    ExpPolynomial,
    certified_degree,
    half_width,
    minimax_polynomial,
)
from reductions.polynomials.producer import certify
from reductions.polynomials.remez import best_approximation, best_error_bounds

__all__ = [
    "Certificate",
    "CertificateError",
    "ExpPolynomial",
    "alternation_points",
    "best_error_bounds",
    "certified_degree",
    "certify",
    "minimax_polynomial",
    "proved_error",
    "proved_lower_bound",
    "taylor_polynomial",
    "taylor_root",
    "verify_certificate",
]


def alternation_points(degree: int, low: float, high: float) -> tuple[float, ...]:
    """Return the g + 2 points at which the error of the best polynomial on [low, high] alternates, as floats.

    Raises
    ------
    ValueError
        If the interval is so short that neighbouring points fall on one float.
    """
    b = half_width(low, high)
    centre = (Fraction(low) + Fraction(high)) / 2
    if b <= 0:
        raise ValueError(f"Argument 'high' must be more than 'low' = {low}, not {high}.")
    points = tuple(float(centre + b * Fraction(u)) for u in best_approximation(degree, b).points)
    if len(set(points)) < len(points):
        raise ValueError(
            f"Argument 'high' must be farther from 'low' = {low} to tell the points apart, not {high}."
        )
    return points


def taylor_polynomial(degree: int) -> tuple[Fraction, ...]:
    """Return the coefficients 1/i! of Taylor's polynomial T_g, lowest first."""
    return tuple(Fraction(1, math.factorial(i)) for i in range(degree + 1))


def taylor_root(degree: int) -> tuple[Fraction, Fraction]:
    """Return dyadic numbers 2^-40 apart around the only real root of T_g, for odd g.

    Raises
    ------
    ValueError
        If the degree is not odd: then T_g is positive.
    """
    if degree % 2 == 0:
        raise ValueError(f"Argument 'degree' must be odd, not {degree}: even ones have no real root.")
    coefficients = taylor_polynomial(degree)
    low, high = Fraction(-degree), Fraction(0)
    while high - low > Fraction(1, 2**40):
        middle = (low + high) / 2
        negative = sum(c * middle**i for i, c in enumerate(coefficients)) < 0
        low, high = (middle, high) if negative else (low, middle)
    return low, high
