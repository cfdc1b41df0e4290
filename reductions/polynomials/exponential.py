"""Polynomials in place of exp, with a certified relative error.

``minimax_polynomial`` gives the best one of a degree on an interval, rounded to float64 coefficients;
``certified_degree`` the one of least degree that meets a tolerance. The error that they state is a
proved bound for exactly the coefficients that they hold (lem-exp-polynomial). Only the half-width of
the interval matters for the best error: P(x) = e^c P_b(x - c) is best on [c - b, c + b].
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from reductions.layers.directed_rounding import sum_up
from reductions.polynomials.enclosure import ErrorEnclosure, enclose_error, rational
from reductions.polynomials.least_degree import least_degree
from reductions.polynomials.precision import working_precision
from reductions.polynomials.remez import best_approximation, best_error_bounds

MAX_DEGREE = 64
"""The largest degree that is offered."""

LARGEST_LOGIT = 700.0
"""The largest absolute value of an end point: beyond, exp leaves the range of float64."""

MAX_HALF_WIDTH = 64
"""The largest half-width of an interval."""

_WIDEST_SEARCH = 24
"""Where the rounding of the coefficients, about 2^-53 e^(2b), exceeds 1 for sure, no degree is looked for."""

_ROOM = 1 + 2.0**-50
"""A stated error is this factor above the enclosure's, so that a short certificate proves it."""
_ROOM_NEAR_ZERO = 2.0**-96

_ROUNDING_DOMINATES = 16


@dataclass(frozen=True)
class ExpPolynomial:
    """A polynomial P with |P(x) e^-x - 1| <= error for all x in [low, high].

    Attributes
    ----------
    coefficients
        Float64 coefficients in the monomial basis of the logit x, lowest first.
    low, high
        The interval.
    error
        A proved upper bound for exactly these coefficients, in real arithmetic.
    """

    coefficients: tuple[float, ...]
    low: float
    high: float
    error: float

    @property
    def degree(self) -> int:
        """The number of coefficients less 1."""
        return len(self.coefficients) - 1

    def __call__(self, x: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return P(x) by Horner's rule in float64."""
        argument = np.asarray(x, dtype=np.float64)
        value = np.full_like(argument, self.coefficients[-1])
        for coefficient in self.coefficients[-2::-1]:
            value = value * argument + coefficient
        return value


def _interval(low: float, high: float) -> tuple[float, float]:
    low, high = float(low), float(high)
    for name, end in (("low", low), ("high", high)):
        if not math.isfinite(end):
            raise ValueError(f"Argument {name!r} must be a finite number, not {end}.")
    if low > high:
        raise ValueError(f"Argument 'high' must be at least 'low' = {low}, not {high}.")
    return low + 0.0, high + 0.0


def _degree(name: str, degree: int) -> int:
    number = operator.index(degree)
    if not 0 <= number <= MAX_DEGREE:
        raise ValueError(f"Argument {name!r} must be between 0 and {MAX_DEGREE}, not {number}.")
    return number


def half_width(low: float, high: float) -> Fraction:
    """Return (high - low)/2 exactly."""
    return (Fraction(high) - Fraction(low)) / 2


def minimax_polynomial(degree: int, low: float, high: float) -> ExpPolynomial:
    """Return the best polynomial for exp in relative error on [low, high], with float64 coefficients.

    Parameters
    ----------
    degree
        g between 0 and ``MAX_DEGREE``.
    low, high
        The interval; a single point is allowed.

    Returns
    -------
    ExpPolynomial
        ``error`` is proved for the rounded coefficients. Rounding them costs up to about
        2^-53 max_x sum_i |c_i x^i| e^-x, which is below 2^-53 e^(2b) on [-b, b] and more off centre: high
        degrees on wide intervals are limited by it, not by the degree.

    Raises
    ------
    ValueError
        If the degree is out of range, an end point is not finite or exceeds ``LARGEST_LOGIT`` in absolute
        value, low > high, or the half-width exceeds ``MAX_HALF_WIDTH``.
    """
    low, high = _interval(low, high)
    if max(-low, high) > LARGEST_LOGIT:
        raise ValueError(
            f"Arguments 'low' and 'high' must be at most {LARGEST_LOGIT} in absolute value, "
            f"where exp stays in the range of float64, not {low} and {high}."
        )
    if high - low > 2 * MAX_HALF_WIDTH:
        raise ValueError(
            f"Argument 'high' must be at most 'low' + {2 * MAX_HALF_WIDTH}, not {high} at low = {low}."
        )
    return _minimax(_degree("degree", degree), low, high)[0]


@lru_cache(maxsize=4096)
def _minimax(degree: int, low: float, high: float) -> tuple[ExpPolynomial, ErrorEnclosure]:
    coefficients = _rounded_coefficients(degree, low, high)
    enclosure = enclose_error(coefficients, low, high)
    error = sum_up(enclosure.upper * _ROOM, _ROOM_NEAR_ZERO)
    return ExpPolynomial(coefficients, low, high, error), enclosure


def _rounded_coefficients(degree: int, low: float, high: float) -> tuple[float, ...]:
    """Return the coefficients of e^c P_b(x - c), rounded to float64."""
    from flint import arb, arb_poly

    b = half_width(low, high)
    with working_precision(256 + 16 * degree + int(6 * b)):
        centre = arb((rational(low) + rational(high)) / 2)
        if b < Fraction(1, 2**100):
            return (float(centre.exp().mid()), *[0.0] * degree)
        scaled = best_approximation(degree, b).scaled
        stretch = 2 / arb(rational(high) - rational(low))
        argument = arb_poly([-centre * stretch, stretch])
        shifted = arb_poly(list(scaled))(argument) * centre.exp()
        return tuple(float(shifted[i].mid()) for i in range(degree + 1))


def certified_degree(
    low: float, high: float, tolerance: float, max_degree: int = MAX_DEGREE
) -> ExpPolynomial | None:
    """Return the minimax polynomial of least degree whose proved error is at most the tolerance.

    Parameters
    ----------
    low, high
        The interval of logits; a single point is allowed.
    tolerance
        The relative error that is wanted, positive.
    max_degree
        The largest degree to try, at most ``MAX_DEGREE``.

    Returns
    -------
    ExpPolynomial or None
        Degrees for which E_g > tolerance are skipped: no polynomial of such a degree meets it. None where no
        degree up to ``max_degree`` does with coefficients rounded to float64; trying ends when the best error
        is a sixteenth of the tolerance, because from there on the rounding decides, not the degree. None as
        well where exp leaves the range of float64, and at half-widths above 24 for tolerances below 1, where
        the rounding alone costs more.

    Raises
    ------
    ValueError
        If an end point is not finite, low > high, the tolerance is not a positive number, or the degree is
        out of range.
    """
    low, high = _interval(low, high)
    tolerance = float(tolerance)
    if not 0 < tolerance < math.inf:
        raise ValueError(f"Argument 'tolerance' must be a positive number, not {tolerance}.")
    largest = _degree("max_degree", max_degree)
    if max(-low, high) > LARGEST_LOGIT or (high - low > 2 * _WIDEST_SEARCH and tolerance < 1):
        return None
    return _certified(low, high, tolerance, largest)


def provably_least(polynomial: ExpPolynomial, tolerance: float) -> bool:
    """Tell whether it is proved that no real polynomial of a smaller degree meets the tolerance.

    Raises
    ------
    ValueError
        If the tolerance is not a positive number.
    """
    if not 0 < tolerance < math.inf:
        raise ValueError(f"Argument 'tolerance' must be a positive number, not {tolerance}.")
    b = half_width(polynomial.low, polynomial.high)
    return polynomial.degree == 0 or best_error_bounds(polynomial.degree - 1, b)[0] > tolerance


@lru_cache(maxsize=4096)
def _certified(low: float, high: float, tolerance: float, largest: int) -> ExpPolynomial | None:
    b = half_width(low, high)
    degree = least_degree(b, tolerance, largest)
    while degree is not None and degree <= largest:
        polynomial, _ = _minimax(degree, low, high)
        if polynomial.error <= tolerance:
            return polynomial
        if best_error_bounds(degree, b)[1] * _ROUNDING_DOMINATES <= tolerance:
            return None
        degree += 1
    return None
