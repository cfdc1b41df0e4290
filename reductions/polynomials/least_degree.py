"""The least degree with which exp is approximated to a relative error, over all real polynomials."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

from reductions.polynomials.bessel import bessel_error_bounds
from reductions.polynomials.remez import best_error_bounds


@lru_cache(maxsize=4096)
def least_degree(half_width: float | Fraction, tolerance: float, max_degree: int) -> int | None:
    """Return the least g with E_g(b) <= tolerance, or None where E_g(b) > tolerance up to ``max_degree``.

    E_{g-1}(b) > tolerance is proved. E_g(b) <= tolerance is proved unless the tolerance lies between the two
    bounds on E_g(b), which are apart by a factor of about 1 + 2^-40.

    Parameters
    ----------
    half_width
        b >= 0.
    tolerance
        A positive number.
    max_degree
        The largest degree to consider.
    """
    b = Fraction(half_width)

    def excluded(degree: int) -> bool:
        if b and bessel_error_bounds(b, degree)[0] > tolerance:  # cheaper, and often enough
            return True
        return best_error_bounds(degree, b)[0] > tolerance

    if not excluded(0):
        return 0
    guess = _guess(float(b), tolerance, max_degree)
    if guess > max_degree:
        if max_degree == 0 or excluded(max_degree):
            return None
        guess = max_degree
    degree = max(guess, 1)
    if excluded(degree):
        while excluded(degree):
            degree += 1
            if degree > max_degree:
                return None
        return degree
    while not excluded(degree - 1):
        degree -= 1
    return degree


def _guess(b: float, tolerance: float, max_degree: int) -> int:
    """Return a degree near the least one, from the leading term of 2 J_{g+1}(b), which E_g(b) is near."""
    for degree in range(max(int(b), 1), max_degree + 1):
        nu = degree + 1
        alpha = math.acosh(nu / b)
        slope = math.tanh(alpha)
        exponent = nu * (alpha - slope) + math.log(math.pi * nu * max(slope, 0.3) / 2) / 2
        if exponent >= -math.log(tolerance):
            return degree
    return max_degree + 1
