"""What the check of lem-exp-polynomial claims: alternation, bounds from both sides, certificates, Taylor."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import comb

import numpy as np

from checks.evidence import Claims
from reductions.polynomials.checker import Certificate, exponential_bounds
from reductions.polynomials.enclosure import enclose_error
from reductions.upper_bound.exp_polynomial import (
    alternation_points,
    best_error_bounds,
    certify,
    minimax_polynomial,
    proved_error,
    proved_lower_bound,
    taylor_polynomial,
    taylor_root,
)

HALF_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
DEGREES = range(1, 13)
REFERENCE = {
    0.25: ("6.5e-4", "2e-5", "5e-7", "2e-10"),
    1.0: ("4e-2", "5e-3", "5e-4", "3e-6"),
    2.0: ("2.7e-1", "7e-2", "1.4e-2", "4e-4"),
    4.0: ("8.9e-1", "6.1e-1", "3.0e-1", "3e-2"),
}
"""E_g(b) for g = 2, 3, 4, 6 to the digits shown."""

Pairs = Sequence[tuple[float, int]]


def certificate_of(b: float, degree: int) -> Certificate:
    """Return the certificate of the minimax polynomial on [-b, b]."""
    return certify(minimax_polynomial(degree, -b, b))


def alternation_claims(pairs: Pairs) -> Claims:
    """Claim that (-1)^i h(x_i) has one sign and nearly the same size at the g + 2 points, in intervals."""
    for b, degree in pairs:
        points = alternation_points(degree, -b, b)
        coefficients = [Fraction(c) for c in minimax_polynomial(degree, -b, b).coefficients]
        best = Fraction(best_error_bounds(degree, b)[0])
        # Rounding moves each coefficient by 2^-53 of itself at most: so much the error may change.
        size = sum((abs(c) * Fraction(b) ** i for i, c in enumerate(coefficients)), start=Fraction(0))
        moved = size * exponential_bounds(Fraction(b))[1] / 2**52
        signs = []
        for i, x in enumerate(points):
            value = sum((c * Fraction(x) ** k for k, c in enumerate(coefficients)), start=Fraction(0))
            error = min((value * bound - 1 for bound in exponential_bounds(-Fraction(x))), key=abs)
            signs.append(error > 0)
            name = f"b = {b}, g = {degree}, point {i}"
            yield name, abs(error), ">=", best * (1 - Fraction(1, 2**30)) - moved
            if best > 2 * moved:
                yield f"{name}, sign", int(signs[0] ^ signs[i]), "==", i % 2


def lower_bounds(pairs: Pairs) -> Claims:
    """Claim the lower bounds on E_g(b) from g + 2 points, and that they meet the upper ones."""
    for b, degree in pairs:
        lower, upper = (Fraction(bound) for bound in best_error_bounds(degree, b))
        name = f"b = {b}, g = {degree}"
        proved = proved_lower_bound(alternation_points(degree, -b, b))
        yield name, proved, ">=", lower * (1 - Fraction(1, 2**40))
        yield name, proved, "<=", upper
        yield name, upper, "<=", lower * (1 + Fraction(1, 2**30))


def reference_values() -> Claims:
    """Claim that E_g(b) lies within half a unit of the last digit of its reference value."""
    for b, values in REFERENCE.items():
        for degree, text in zip((2, 3, 4, 6), values, strict=True):
            mantissa, exponent = text.split("e")
            unit = Fraction(10) ** (int(exponent) - len(mantissa.partition(".")[2]))
            lower = proved_lower_bound(alternation_points(degree, -b, b))
            upper = proved_error(certificate_of(b, degree))
            yield f"b = {b}, g = {degree}", lower, ">=", Fraction(text) - unit / 2
            yield f"b = {b}, g = {degree}", upper, "<=", Fraction(text) + unit / 2


def positivity_claims(pairs: Pairs) -> Claims:
    """Claim (1 - error) e^x <= P(x) <= (1 + error) e^x at 33 points where the certified error is below 1."""
    for b, degree in pairs:
        polynomial = minimax_polynomial(degree, -b, b)
        if polynomial.error < 1:
            coefficients = [Fraction(c) for c in polynomial.coefficients]
            for i in range(-16, 17):
                x = Fraction(b) * i / 16
                value = sum((c * x**k for k, c in enumerate(coefficients)), start=Fraction(0))
                error = Fraction(polynomial.error)
                below, above = exponential_bounds(x)
                yield f"b = {b}, g = {degree}, x = {x}", value, ">=", (1 - error) * above
                yield f"b = {b}, g = {degree}, x = {x}", value, "<=", (1 + error) * below


def certificate_claims(pairs: Pairs) -> Claims:
    """Claim that the pieces prove the stated errors, which are near the best where float64 allows it."""
    for b, degree in pairs:
        candidate = certificate_of(b, degree)
        proved, error = proved_error(candidate), Fraction(candidate.error)
        yield f"b = {b}, g = {degree}", proved, "<=", error
        rounding = Fraction(float(np.exp(2 * b))) / 2**53
        upper = Fraction(best_error_bounds(degree, b)[1])
        yield f"b = {b}, g = {degree}, tight", error, "<=", upper * (1 + Fraction(1, 10**6)) + rounding


def chord(b: float) -> tuple[float, ...]:
    """Return the line through the ends of exp on [-b, b]: the error is near 0 there, and large in between."""
    return float(np.cosh(b)), float(np.sinh(b) / b)


def tent(width: Fraction) -> tuple[float, ...]:
    """Return P of degree 3 whose error on [-width, width] is near 0 at the ends and shaped like a tent.

    P' - P is a multiple of y^3 - 3y, y = x/width: the error's slope is large on most of the interval.
    """
    return from_slope([Fraction(0), -3 / width, Fraction(0), 1 / width**3], width)


def skewed(width: Fraction, mirrored: bool) -> tuple[float, ...]:
    """Return P of degree 5 whose error on [-width, width] is near 0 at the ends, with slopes 5 and -1.

    P' - P is a multiple of 6 y^5 - 1 (mirrored: of 6 (1 - y)^5 - 1) with y from 0 to 1, whose Bernstein
    coefficients are -1 and 5: the steep part is short, and the error comes back slowly.
    """
    sign = -1 if mirrored else 1
    slope = [6 * Fraction(comb(5, i), 2**5) * (sign / width) ** i for i in range(6)]
    slope[0] -= 1
    return from_slope(slope, width)


def bump(width: Fraction) -> tuple[float, ...]:
    """Return P of degree 4 with error near 0 at the ends: only the middle Bernstein coefficient is positive.

    P' - P is a multiple of (1 - y^2)^2 - 8/15 with y = x/width.
    """
    return from_slope([Fraction(7, 15), Fraction(0), -2 / width**2, Fraction(0), 1 / width**4], width)


def from_slope(slope: list[Fraction], width: Fraction) -> tuple[float, ...]:
    """Return P with P(width) near e^width for which P' - P is a multiple of a polynomial."""
    # If P' - P = q, then P is less the sum of q and all its derivatives.
    total = [Fraction(0)] * len(slope)
    for _ in range(len(slope)):
        total = [t - c for t, c in zip(total, slope, strict=True)]
        slope = [(i + 1) * c for i, c in enumerate(slope[1:])] + [Fraction(0)]
    end = sum((c * width**i for i, c in enumerate(total)), start=Fraction(0))
    scale = exponential_bounds(width)[0] / end
    return tuple(float(scale * c) for c in total)


def whatever_the_pieces() -> Claims:
    """Claim that few pieces never prove less than the error inside of them."""
    cases = [(f"chord, b = {b}", chord(b), Fraction(b)) for b in (0.5, 1.0, 2.0, 4.0)]
    cases += [(f"tent, b = 1/{n}", tent(Fraction(1, n)), Fraction(1, n)) for n in (4, 16, 64)]
    cases += [("skewed", skewed(Fraction(1, 64), False), Fraction(1, 64))]
    cases += [("skewed the other way", skewed(Fraction(1, 64), True), Fraction(1, 64))]
    cases += [("bump", bump(Fraction(1, 16)), Fraction(1, 16))]
    # Right at one end, and nowhere else.
    cases += [(f"the constant {c}", (c,), Fraction(1)) for c in np.exp([-1.0, 1.0]).tolist()]
    for name, coefficients, b in cases:
        for count in (1, 2, 4):
            ends = [float(-b + 2 * b * Fraction(i, count)) for i in range(count + 1)]
            pieces = tuple(pairwise(ends))
            proved = proved_error(Certificate(coefficients, ends[0], ends[-1], 0.0, pieces))
            for i in range(-15, 16):
                x = b * i / 16
                value = sum((Fraction(c) * x**k for k, c in enumerate(coefficients)), start=Fraction(0))
                error = min(abs(value * bound - 1) for bound in exponential_bounds(-x))
                yield f"{name}, {count} pieces, x = {x}", proved, ">=", error


def draw_polynomial(generator: np.random.Generator) -> tuple[tuple[float, ...], float, float]:
    """Draw coefficients and an interval."""
    coefficients = generator.standard_normal(generator.integers(1, 10))
    low, high = np.sort(generator.uniform(-4, 4, 2)).tolist()
    return tuple(coefficients.tolist()), low, high


def largest_at_critical_points(case: tuple[tuple[float, ...], float, float]) -> bool:
    """Tell whether the enclosure from the ends and the roots of P' - P is the maximum over a fine grid."""
    coefficients, low, high = case
    found = enclose_error(coefficients, low, high)
    x = np.linspace(low, high, 2001)
    measured = np.abs(np.polyval(coefficients[::-1], x) * np.exp(-x) - 1).max()
    return bool(measured <= found.upper * (1 + 1e-9) and found.lower <= measured * (1 + 1e-3))


def draw_interval(generator: np.random.Generator) -> tuple[int, float, float]:
    """Draw a degree, a centre and a half-width with exact sums."""
    centre, b = (
        float(round(x * 1024) / 1024) for x in (generator.uniform(-4, 4), generator.uniform(0.05, 3))
    )
    return int(generator.integers(0, 13)), centre, b


def translation_holds(case: tuple[int, float, float]) -> bool:
    """Tell whether the proved error on [c - b, c + b] is E_g(b) up to the rounding of coefficients."""
    degree, centre, b = case
    proved = proved_error(certify(minimax_polynomial(degree, centre - b, centre + b)))
    lower, upper = best_error_bounds(degree, b)
    rounding = 2.0**-52 * np.exp(2 * (abs(centre) + b))
    return bool(lower <= proved <= upper * (1 + 1e-6) + rounding)


def taylor_claims() -> Claims:
    """Claim where Taylor's polynomials of odd degree are negative, and that the best ones beat Taylor's."""
    yield "the root of degree 3", taylor_root(3)[1], "<", Fraction(-1596, 1000)
    yield "the root of degree 3", taylor_root(3)[0], ">", Fraction(-15961, 10000)
    for degree in range(1, 16):
        if degree % 2:
            below, above = taylor_root(degree)
            yield f"T_{degree} left of its root", taylor_value(degree, below - Fraction(1, 2**30)), "<", 0
            yield f"T_{degree} right of its root", taylor_value(degree, above + Fraction(1, 2**30)), ">", 0
        else:
            # T_g at a minimum is x^g/g!, since T_g' = T_g - x^g/g!.
            for i in range(4 * degree):
                yield f"T_{degree} at -{i}/4", taylor_value(degree, Fraction(-i, 4)), ">", 0
    for b in HALF_WIDTHS:
        for degree in DEGREES:
            # Taylor's error at the left end.
            left = abs(taylor_value(degree, Fraction(-b)) * exponential_bounds(Fraction(b))[0] - 1)
            best = Fraction(best_error_bounds(degree, b)[1])
            yield f"Taylor's error, b = {b}, g = {degree}", left, ">", best


def taylor_value(degree: int, x: Fraction) -> Fraction:
    """Return T_g(x)."""
    return sum((c * x**i for i, c in enumerate(taylor_polynomial(degree))), start=Fraction(0))
