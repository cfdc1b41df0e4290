"""Best weighted approximation of exp by polynomials: Remez exchange with full critical sets.

E_g(b) is the least eps for which some real polynomial P of degree at most g has
|P(x) e^-x - 1| <= eps on [-b, b]. The critical points of h = P e^-x - 1 are the roots of P' - P, at
most g of them; if h alternates g + 2 times they are real, simple and g in number, and the next
reference is exactly these roots and the two end points (lem-exp-polynomial). So no search on a grid
is needed: one exchange is one interpolation and one set of roots, both in ball arithmetic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from reductions.layers.directed_rounding import float_above, float_below, round_up
from reductions.polynomials.precision import working_precision

_EXCHANGES = 60
_NEWTON_STEPS = 12
_LEVELLED = 2.0**-40
"""The exchange ends when the largest and the levelled error differ by this factor less 1."""


@dataclass(frozen=True)
class BestApproximation:
    """A nearly best polynomial on [-b, b] in the variable u = x/b, with two-sided bounds on E_g(b).

    Attributes
    ----------
    degree, half_width
        g and b.
    scaled
        Coefficients of P(b u) in u, lowest first: exact Arb numbers.
    points
        g + 2 floats in [-1, 1], increasing: where the error alternates, in the variable u.
    lower, upper
        lower <= E_g(b) <= max |P e^-x - 1| <= upper.
    """

    degree: int
    half_width: Fraction
    scaled: tuple[Any, ...]
    points: tuple[float, ...]
    lower: float
    upper: float


def initial_points(degree: int, half_width: float) -> list[float]:
    """Return g + 2 increasing points of [-1, 1] near which the best error alternates.

    With x = b cos(theta), the error of the nearly best polynomial of lem-bessel-error has the phase
    (g + 1) theta - b sin(theta), up to a slowly varying part: the points have phase k pi. For b > g + 1
    that is not monotone. Then the same is done on the left part of the interval, of half-width g + 1,
    and the right-most point is moved to the end.
    """
    m = degree + 1
    b = min(half_width, float(m))
    points = []
    for k in range(m + 1):
        low, high = 0.0, math.pi
        for _ in range(50):
            theta = (low + high) / 2
            if m * theta - b * math.sin(theta) < k * math.pi:
                low = theta
            else:
                high = theta
        points.append(1.0 if k == 0 else -1 + b / half_width * (1 + math.cos(low)))
    points[-1] = -1.0
    return points[::-1]


def levelled_error(points: list[Any], half_width: Any) -> Any:
    """Return the ball of lambda with sum w_i e^{x_i} (1 + (-1)^i lambda) = 0, w_i = prod 1/(u_i - u_j).

    On the g + 2 points x_i = b u_i some polynomial of degree at most g has P e^-x - 1 = (-1)^i lambda,
    and none has a smaller error: |lambda| <= E_g(b), by de la Vallée Poussin's theorem, for *any* points.
    """
    from flint import arb

    plain, alternating = arb(0), arb(0)
    for i, u in enumerate(points):
        weight = arb(1)
        for j, v in enumerate(points):
            if i != j:
                weight *= u - v
        term = (half_width * u).exp() / weight
        plain += term
        alternating += term if i % 2 == 0 else -term
    return -plain / alternating


def _bits(degree: int, half_width: float) -> int:
    """Return bits that leave an accuracy of some 60 after all cancellations."""
    smallest = math.lgamma(degree + 2) / math.log(2) + (degree + 1) * math.log2(2 / half_width)
    return 160 + int(6 * half_width) + 4 * degree + max(0, int(smallest))


@lru_cache(maxsize=1024)
def best_approximation(degree: int, half_width: Fraction) -> BestApproximation:
    """Return a polynomial whose error is within a factor 1 + 2^-40 of E_g(b), and bounds on E_g(b).

    Parameters
    ----------
    degree
        g >= 0.
    half_width
        b > 0.

    Raises
    ------
    ArithmeticError
        If the exchange does not settle (not observed).
    """
    bits = _bits(degree, float(half_width))
    for attempt in range(4):
        try:
            with working_precision(bits << attempt):
                return _exchange(degree, half_width)
        except (ValueError, ZeroDivisionError):  # Arb could not isolate the roots at this precision
            continue
    raise ArithmeticError(f"No best polynomial of degree {degree} was found on half-width {half_width}.")


def _exchange(degree: int, half_width: Fraction) -> BestApproximation:
    from flint import acb_poly, arb, arb_poly, fmpq

    b = arb(fmpq(half_width.numerator, half_width.denominator))
    points = [arb(u) for u in initial_points(degree, float(half_width))]
    for _ in range(_EXCHANGES):
        level = levelled_error(points, b).mid()
        heights = [(b * u).exp() * (1 + (-1) ** i * level) for i, u in enumerate(points[:-1])]
        balls = arb_poly.interpolate(points[:-1], heights, "newton").coeffs()
        scaled = arb_poly([c.mid() for c in balls])
        fine = abs(level) * _LEVELLED**2 * (-3 * b).exp()  # evaluation in balls widens them by up to e^(2b)
        slope = scaled.derivative() - b * scaled
        critical = _roots_nearby(slope, points[1:-1], fine)
        if critical is None:
            roots = acb_poly(slope).roots(tol=fine)
            critical = sorted((z.real for z in roots if z.imag.contains(0)), key=float)
        points = [arb(-1), *(root.mid() for root in critical), arb(1)]
        if len(points) != degree + 2 or not all(abs(root) < 1 for root in critical):
            raise ValueError("the error does not alternate: more bits are needed")
        errors = [abs(scaled(u) * (-b * u).exp() - 1) for u in (arb(-1), *critical, arb(1))]
        largest = max(error.upper() for error in errors)
        if largest <= abs(level) * (1 + _LEVELLED):
            break
    else:
        raise ArithmeticError(f"The exchange did not settle at degree {degree}, half-width {half_width}.")
    rounded = tuple(float(u) for u in points)
    certified = (
        abs(levelled_error([arb(u) for u in rounded], b)) if len(set(rounded)) == len(rounded) else arb(0)
    )
    return BestApproximation(
        degree,
        half_width,
        tuple(scaled[i] for i in range(degree + 1)),
        rounded,
        max(0.0, float_below(certified)),
        float_above(largest),
    )


def _roots_nearby(slope: Any, guesses: list[Any], radius: Any) -> list[Any] | None:
    """Return disjoint balls around as many roots as there are guesses, or None where Newton's method strays.

    The polynomial changes its sign on every ball; if its degree is the number of guesses, they hold all
    roots.
    """
    from flint import arb

    derivative = slope.derivative()
    balls: list[Any] = []
    for guess in guesses:
        x = guess
        for _ in range(_NEWTON_STEPS):
            ratio = slope(x) / derivative(x)
            if not ratio.is_finite():
                return None
            x = (x - ratio).mid()
            if abs(ratio) < radius:
                break
        else:
            return None
        if not slope(x - radius) * slope(x + radius) < 0:
            return None
        ball = arb(x, radius)
        if balls and not balls[-1] < ball:
            return None
        balls.append(ball)
    return balls


def best_error_bounds(degree: int, half_width: float | Fraction) -> tuple[float, float]:
    """Return floats (lower, upper) with lower <= E_g(b) <= upper, apart by a factor of about 1 + 2^-40.

    Parameters
    ----------
    degree
        g >= 0.
    half_width
        b >= 0; E_g(0) = 0.

    Raises
    ------
    ValueError
        If an argument is negative, or the half-width is not finite.
    """
    if degree < 0:
        raise ValueError(f"Argument 'degree' must be a nonnegative integer, not {degree}.")
    if not 0 <= half_width < math.inf:
        raise ValueError(f"Argument 'half_width' must be a nonnegative number, not {half_width}.")
    if half_width < 2.0**-100:  # a constant does it: E_g(b) <= E_0(b) = tanh b <= b
        return 0.0, round_up(Fraction(half_width))
    best = best_approximation(int(degree), Fraction(half_width))
    return best.lower, best.upper
