"""Two-sided bounds on E_g(b) by Bessel functions: the best relative error of degree g for exp on [-b, b].

The statements and their proofs are lem-bessel-error. Everything is evaluated in balls and rounded outward.
"""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import Any

from reductions.layers.directed_rounding import float_above, float_below
from reductions.polynomials.precision import working_precision

_NEGLIGIBLE = 2.0**-70


def decay(nu: float, x: float) -> float:
    """Return psi(nu, x) = nu arcosh(nu/x) - sqrt(nu^2 - x^2) for 0 < x <= nu.

    It is homogeneous of degree 1, and J_nu(x) and E_{nu-1}(x) are e^-psi up to factors polynomial in nu.

    Raises
    ------
    ValueError
        If 0 < x <= nu does not hold.
    """
    if not 0 < x <= nu < math.inf:
        raise ValueError(f"Argument 'x' must be positive and at most 'nu' = {nu}, not {x}.")
    # 1 - (x/nu)^2 as a product, so that it keeps its digits near x = nu.
    slope = math.sqrt((nu - x) / nu * ((nu + x) / nu))
    return nu * (math.asinh(slope * nu / x) - slope) if slope > 0.1 else nu * _atanh_excess(slope)


def _atanh_excess(slope: float) -> float:
    """Return artanh(s) - s = s^3/3 + s^5/5 + ... for small s, without cancellation."""
    return math.fsum(slope**k / k for k in range(3, 25, 2))


def bessel_sum(first: int, x: Any) -> Any:
    """Return a ball around the sum of J_m(x) over m >= first, for a ball 0 < x < first.

    The ratios J_{m+1}/J_m decrease (lem-bessel-error), so a geometric series bounds what is left out.
    """
    from flint import arb

    total = arb(0)
    order, term = first, x.bessel_j(first)
    while True:
        following = x.bessel_j(order + 1)
        tail = term / (1 - following / term)
        if not tail.is_finite():
            raise ArithmeticError(f"The working precision is too small for J_{order}({x}).")
        if tail < total * _NEGLIGIBLE:
            return total + tail.union(arb(0))
        total += term
        order, term = order + 1, following


def decay_rate(gamma: float, rho: float) -> float:
    """Return the limit of -ln E_g(b)/s for b = rho s, g = gamma s and s -> infinity (lem-bessel-error).

    It is gamma arcosh(gamma/rho) - sqrt(gamma^2 - rho^2) for gamma >= rho, and 0 below.

    Raises
    ------
    ValueError
        If rho is not positive or gamma is negative.
    """
    if not 0 < rho < math.inf:
        raise ValueError(f"Argument 'rho' must be a positive number, not {rho}.")
    if not 0 <= gamma < math.inf:
        raise ValueError(f"Argument 'gamma' must be a nonnegative number, not {gamma}.")
    return decay(gamma, rho) if gamma > rho else 0.0


def bessel_error_balls(b: Fraction, degree: int) -> tuple[Any, Any]:
    """Return balls below and above which E_g(b) cannot be: the working form of :func:`bessel_error_bounds`.

    To be called within a working precision; b > 0.
    """
    from flint import arb, fmpq

    order = degree + 1
    half_width = arb(fmpq(b.numerator, b.denominator))
    upper = half_width.tanh()
    if order <= b:
        # E grows with b, and J_nu increases up to nu.
        lower = arb(order).bessel_j(order)
        slope = 1 - arb(degree) / half_width
        rate = half_width * slope.sqrt()
        if degree:
            rate -= degree * (half_width / degree).sqrt().acosh()
        return max(lower, rate.tanh(), key=lambda ball: ball.lower()), upper
    first = half_width.bessel_j(order)
    size = 2 * bessel_sum(order, half_width)
    ratio = half_width.bessel_j(order + 1) / first
    contraction = bessel_sum(2 * order, 2 * half_width)
    lower = first
    if contraction < 1:
        sharper = size * ((1 - ratio) / (1 + ratio) - contraction / (1 - contraction))
        lower = max(lower, sharper, key=lambda ball: ball.lower())
        upper = min(upper, size / (1 - contraction), key=lambda ball: ball.upper())
    return lower, upper


def _arguments(b: float | Fraction, degree: int) -> tuple[Fraction, int]:
    if not 0 < b < math.inf:
        raise ValueError(f"Argument 'b' must be a positive number, not {b}.")
    number = operator.index(degree)
    if number < 0:
        raise ValueError(f"Argument 'degree' must be a nonnegative integer, not {number}.")
    return Fraction(b), number


def bessel_error_bounds(b: float | Fraction, degree: int) -> tuple[float, float]:
    """Return floats (lower, upper) with lower <= E_g(b) <= upper.

    For g + 1 > b these are, with A = 2 sum_{k>g} J_k(b), kappa = sum_{m>=2g+2} J_m(2b) and
    t = J_{g+2}(b)/J_{g+1}(b): above A/(1 - kappa), and below the larger of J_{g+1}(b) and
    A ((1-t)/(1+t) - kappa/(1-kappa)). For g + 1 <= b the lower bound is the larger of
    tanh(sqrt(b(b-g)) - g arcosh sqrt(b/g)) and J_{g+1}(g+1), the upper one tanh(b) = E_0(b).

    Parameters
    ----------
    b
        The half-width, positive.
    degree
        g >= 0.

    Raises
    ------
    ValueError
        If b is not a positive number or the degree is negative.
    """
    exact, number = _arguments(b, degree)
    with working_precision(_bits(exact, number)):
        lower, upper = bessel_error_balls(exact, number)
        return max(0.0, float_below(lower)), float_above(upper)


def log_bessel_error_bounds(b: float | Fraction, degree: int) -> tuple[float, float]:
    """Return floats around ln E_g(b), from the same bounds: where E_g(b) itself leaves the range of float64.

    Raises
    ------
    ValueError
        If b is not a positive number or the degree is negative.
    """
    exact, number = _arguments(b, degree)
    with working_precision(_bits(exact, number)):
        lower, upper = (ball.log() for ball in bessel_error_balls(exact, number))
        return float_below(lower), float_above(upper)


def _bits(b: Fraction, degree: int) -> int:
    """Return the working precision: the series of J loses up to about 2 b / ln 2 bits to cancellation."""
    return 192 + 4 * math.floor(min(b, Fraction(degree + 1)))
