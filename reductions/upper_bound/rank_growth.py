"""How the degree and the rank of the low-rank construction grow with the number of tokens (lem-rank-growth).

With d = c ln N, logits in an interval of half-width b = ρ ln N and the tolerance ε = N^-κ, the least degree
is (γ + o(1)) ln N and the rank C(d + g, g) is N^(δ + o(1)), where

    γ arcosh(γ/ρ) - √(γ² - ρ²) = κ, γ >= ρ,    and    δ = (c + γ) ln(c + γ) - c ln c - γ ln γ.

Written with γ = ρ cosh a the first equation is ρ (a cosh a - sinh a) = κ. Rates are floats; what is named an
enclosure is a pair of fractions that provably hold the number between them.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from reductions.polynomials.bessel import bessel_error_balls
from reductions.polynomials.precision import working_precision

if TYPE_CHECKING:
    from collections.abc import Callable

Number = int | float | Fraction
Enclosure = tuple[Fraction, Fraction]

PRECISION = 160
"""Bits of the rigorous evaluations."""

_STEPS = 200  # of bisections: more than a float has bits
_SERIES = 0.5  # below it a cosh a - sinh a cancels
_LARGE = 40.0  # from here on cosh a = sinh a = e^a/2 in floats


def _require(name: str, value: Number, positive: bool = False) -> None:
    wanted = "positive" if positive else "at least 0"
    if not (value > 0 if positive else value >= 0) or not math.isfinite(value):
        raise ValueError(f"Argument {name!r} must be a finite number, {wanted}, not {value}.")


def bisect(function: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Return where an increasing function reaches ``target`` between ``low`` and ``high``."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if function(middle) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def decay(angle: float) -> float:
    """Return a cosh a - sinh a for a >= 0: with γ = ρ cosh a, κ/ρ."""
    if angle < _SERIES:
        term, total = angle, 0.0
        for k in range(1, 12):
            term *= angle * angle / ((2 * k) * (2 * k + 1))
            total += 2 * k * term
        return total
    return angle * math.cosh(angle) - math.sinh(angle)


def degree_rate(rho: float, kappa: float) -> float:
    """Return γ: the least degree is (γ + o(1)) ln N.

    Parameters
    ----------
    rho
        ρ >= 0, the half-width of the logits' interval divided by ln N.
    kappa
        κ >= 0, the tolerance being N^-κ.

    Raises
    ------
    ValueError
        If one of them is negative or not finite.
    """
    _require("rho", rho)
    _require("kappa", kappa)
    if rho == 0 or kappa == 0:
        return float(rho)
    high = 1.0
    while _decay_at(rho, high) < kappa:
        high *= 2
    angle = bisect(lambda a: _decay_at(rho, a), kappa, 0.0, high)
    return rho * math.cosh(angle) if angle < _LARGE else math.exp(math.log(rho) - math.log(2) + angle)


def _decay_at(rho: float, angle: float) -> float:
    """Return ρ (a cosh a - sinh a), infinity where it is large; ρ may be so small that cosh a overflows."""
    if angle < _LARGE:
        return rho * decay(angle)
    exponent = math.log(rho) - math.log(2) + angle
    return math.exp(exponent) * (angle - 1) if exponent < 700 else math.inf


def rank_rate(c: float, gamma: float) -> float:
    """Return H(c, γ) = (c + γ) ln(c + γ) - c ln c - γ ln γ: C(d + g, g) = N^(H + o(1)) at these rates.

    Raises
    ------
    ValueError
        If one of them is negative or not finite.
    """
    _require("c", c)
    _require("gamma", gamma)
    if c == 0 or gamma == 0:
        return 0.0
    ratio = c / gamma
    return c * math.log1p(gamma / c) + gamma * (
        math.log1p(ratio) if ratio < math.inf else math.log(c) - math.log(gamma)
    )


def rank_exponent(c: float, rho: float, kappa: float) -> float:
    """Return δ = H(c, γ(ρ, κ)): the rank is N^(δ + o(1)); see :func:`degree_rate` for the arguments."""
    return rank_rate(c, degree_rate(rho, kappa))


# ---- rigorous ------------------------------------------------------------------------------------------


def ball(number: Number) -> Any:
    """Return the ball of an exact number, at the precision of the context."""
    from flint import arb, fmpq

    exact = Fraction(number)
    return arb(fmpq(exact.numerator, exact.denominator))


def fraction(point: Any) -> Fraction:
    """Return the exact value of a ball without radius."""
    mantissa, exponent = (int(part) for part in point.man_exp())
    return Fraction(mantissa) * Fraction(2) ** exponent


def enclosure(value: Any) -> Enclosure:
    """Return the end points of a ball."""
    return fraction(value.lower()), fraction(value.upper())


def _ball_of(bounds: Enclosure) -> Any:
    return ball(bounds[0]).union(ball(bounds[1]))


def degree_rate_enclosure(rho: Number, kappa: Number, bits: int = 60) -> Enclosure:
    """Return fractions γ1 <= γ <= γ2 with an angle known to ``bits`` bits; arguments as for degree_rate."""
    _require("rho", rho)
    _require("kappa", kappa)
    if rho == 0 or kappa == 0:
        return Fraction(rho), Fraction(rho)
    with working_precision(PRECISION):
        target = ball(Fraction(kappa) / Fraction(rho))

        def below(angle: Fraction) -> bool:
            a = ball(angle)
            return bool(a * a.cosh() - a.sinh() < target)

        def above(angle: Fraction) -> bool:
            a = ball(angle)
            return bool(a * a.cosh() - a.sinh() > target)

        low, high = Fraction(0), Fraction(1)
        while not above(high):
            high *= 2
        step = high / 2**bits
        while high - low > step:
            middle = (low + high) / 2
            if below(middle):
                low = middle
            elif above(middle):
                high = middle
            else:
                break
        return enclosure(ball(rho) * _ball_of((low, high)).cosh())


def rank_rate_enclosure(c: Number, gamma: Enclosure) -> Enclosure:
    """Enclose H(c, γ) for all γ of an enclosure; H increases in γ."""
    _require("c", c)
    ends = []
    with working_precision(PRECISION):
        for end in gamma:
            if c == 0 or end == 0:
                ends.append((Fraction(0), Fraction(0)))
                continue
            x, y = ball(c), ball(end)
            ends.append(enclosure(x * (1 + y / x).log() + y * (1 + x / y).log()))
    return ends[0][0], ends[1][1]


def rank_exponent_enclosure(c: Number, rho: Number, kappa: Number, bits: int = 60) -> Enclosure:
    """Return fractions δ1 <= δ <= δ2."""
    return rank_rate_enclosure(c, degree_rate_enclosure(rho, kappa, bits))


def elementary_error_bounds(half_width: Number, degree: int) -> Enclosure:
    """Return bounds on E_g(b), the least max|P(x) e^-x - 1| over [-b, b] of all P of degree <= g.

    Those of lem-bessel-error without Bessel functions: part 3 where g + 1 > b, part 4 where g < b.

    Raises
    ------
    ValueError
        If ``half_width`` is not positive or ``degree`` negative.
    """
    _require("half_width", half_width, positive=True)
    if degree < 0:
        raise ValueError(f"Argument 'degree' must be at least 0, not {degree}.")
    b, nu = Fraction(half_width), degree + 1
    low, high = Fraction(0), Fraction(1)
    with working_precision(PRECISION):
        if degree < b:
            rate = ball(b * (b - degree)).sqrt()
            if degree:
                rate -= degree * ball(b / degree).sqrt().acosh()
            low = enclosure(rate.tanh())[0]
        if nu <= b:
            low = max(low, enclosure(1 / (ball(1).exp() * ball(nu).sqrt()))[0])
        else:
            angle = ball(nu / b).acosh()
            size = (ball(b) * angle.sinh() - nu * angle).exp()  # e^(-F(ν))
            low = max(low, enclosure(size / (ball(1).exp() * ball(nu).sqrt()))[0])
            room = 1 - (-angle).exp() - size * size / ball(2).sqrt()
            if room > 0:
                high = min(high, enclosure(ball(2).sqrt() * size / room)[1])
    return max(low, Fraction(0)), high


def error_bounds(half_width: Number, degree: int) -> Enclosure:
    """Return the better of the elementary bounds and those by Bessel functions, all of lem-bessel-error."""
    low, high = elementary_error_bounds(half_width, degree)
    b = Fraction(half_width)
    # The series of the Bessel functions loses up to 2b/ln 2 bits to cancellation.
    with working_precision(PRECISION + 4 * min(math.floor(b), degree) + 4):
        below, above = bessel_error_balls(b, degree)
        return max(low, enclosure(below)[0]), min(high, enclosure(above)[1])


def power_enclosure(log_inverse: Number) -> Enclosure:
    """Enclose e^-t."""
    with working_precision(PRECISION):
        return enclosure((-ball(log_inverse)).exp())


def degree_window(
    half_width: Number,
    tolerance: Number | Enclosure,
    bounds: Callable[[Number, int], tuple[Number, Number]] = elementary_error_bounds,
) -> tuple[int, int]:
    """Return (g1, g2): the least degree g with E_g(b) <= ε is at least g1 and at most g2.

    Parameters
    ----------
    half_width
        b > 0.
    tolerance
        ε in (0, 1), or fractions that hold it between them.
    bounds
        Takes b and a degree and returns proved bounds on E_g(b), the upper one decreasing in g.

    Raises
    ------
    ValueError
        If ε is not in (0, 1).
    """
    small, large = tolerance if isinstance(tolerance, tuple) else (tolerance, tolerance)
    if not 0 < small <= large < 1:
        raise ValueError(f"Argument 'tolerance' must be above 0 and below 1, not {tolerance}.")
    low, high = 0, 1
    while elementary_error_bounds(half_width, high)[1] > small:
        low, high = high, 2 * high
    if bounds is not elementary_error_bounds:  # these are quickly had, and never better by much
        low, high = degree_window(half_width, tolerance)
    while low < high:
        middle = (low + high) // 2
        if bounds(half_width, middle)[1] > small:
            low = middle + 1
        else:
            high = middle
    least = high
    while least and not bounds(half_width, least - 1)[0] > large:
        least -= 1
    return least, high
