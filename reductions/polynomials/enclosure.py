"""How far a polynomial with float64 coefficients is from exp: a two-sided enclosure of max |P(x) e^-x - 1|.

The maximum is attained at an end point or at a root of P' - P. These polynomials have rational
coefficients, so their real roots are isolated exactly and the error is evaluated there in balls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from reductions.layers.directed_rounding import float_above, float_below
from reductions.polynomials.precision import working_precision


class ErrorEnclosure(NamedTuple):
    """Two-sided enclosure of max |P(x) e^-x - 1| over an interval.

    Attributes
    ----------
    lower, upper
        Floats around the maximum.
    critical
        Floats next to the real roots of P' - P in the interval, increasing.
    """

    lower: float
    upper: float
    critical: tuple[float, ...]


def rational(number: float) -> Any:
    """Return the exact value of a float as an fmpq."""
    from flint import fmpq

    return fmpq(*float(number).as_integer_ratio())


def slope_polynomial(coefficients: Sequence[float]) -> Any:
    """Return P' - P with exact coefficients; h' = (P' - P) e^-x for h = P e^-x - 1."""
    from flint import fmpq_poly

    polynomial = fmpq_poly([rational(c) for c in coefficients])
    return polynomial.derivative() - polynomial


def enclose_error(coefficients: Sequence[float], low: float, high: float) -> ErrorEnclosure:
    """Enclose max |P(x) e^-x - 1| over [low, high] for exactly these coefficients, lowest first."""
    from flint import arb, arb_poly

    with working_precision(192 + int(3 * (high - low))):
        polynomial = arb_poly([arb(c) for c in coefficients])
        ends = [arb(low), arb(high)]
        candidates = list(ends)
        critical = []
        for root, _ in slope_polynomial(coefficients).numer().complex_roots():
            if root.imag.contains(0) and root.real >= ends[0] and root.real <= ends[1]:
                critical.append(root.real)
            elif root.imag.contains(0) and any(root.real.overlaps(end) for end in ends):
                candidates.append(root.real)
        errors = [abs(polynomial(x) * (-x).exp() - 1) for x in candidates + critical]
        lower = max(float_below(error) for error in errors)
        upper = max(float_above(error) for error in errors)
        return ErrorEnclosure(max(lower, 0.0), upper, tuple(sorted(float(x) for x in critical)))
