"""How high a degree must be: Bessel bounds on the best error (lem-bessel-error) and its order (lem-degree).

Source of the order: Aggarwal and Alman (arXiv 2205.06249). The Bessel bounds and the constants are
worked out here.
"""

from __future__ import annotations

import math

from reductions.polynomials.bessel import (
    bessel_error_bounds,
    decay,
    decay_rate,
    log_bessel_error_bounds,
)
from reductions.polynomials.least_degree import least_degree

__all__ = [
    "LOWER_CONSTANT",
    "UPPER_CONSTANT",
    "bessel_error_bounds",
    "decay",
    "decay_rate",
    "degree_bounds",
    "degree_order",
    "least_degree",
    "log_bessel_error_bounds",
]

LOWER_CONSTANT = 0.3
UPPER_CONSTANT = 3
"""The constants of lem-degree: 0.3 G <= g + 1 and g < 3 G."""


def degree_order(b: float, tolerance: float) -> float:
    """Return G = b + ln(1/eps)/ln(e + ln(1/eps)/b), the order of the least degree.

    Parameters
    ----------
    b
        Half-width, positive.
    tolerance
        eps, with 0 < eps <= 1/2.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    if not 0 < b < math.inf:
        raise ValueError(f"Argument 'b' must be a positive number, not {b}.")
    if not 0 < tolerance <= 0.5:
        raise ValueError(f"Argument 'tolerance' must be positive and at most 1/2, not {tolerance}.")
    digits = -math.log(tolerance)
    return b + digits / math.log(math.e + digits / b)


def degree_bounds(b: float, tolerance: float) -> tuple[int, int]:
    """Return (least, largest) possible values of the least degree g with E_g(b) <= eps, by lem-degree.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    order = degree_order(b, tolerance)
    rounding = 1 + 2.0**-40  # of G in float64
    least = max(0, math.ceil(LOWER_CONSTANT * order / rounding) - 1)
    return least, math.ceil(UPPER_CONSTANT * order * rounding) - 1
