"""Arithmetic that lem-exp-polynomial relies on: enclosures of exp, Horner's rule, intervals of one point."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.evidence import Claims
from reductions.polynomials.checker import exponential_bounds
from reductions.polynomials.exponential import half_width
from reductions.polynomials.precision import working_precision
from reductions.upper_bound.exp_polynomial import (
    Certificate,
    best_error_bounds,
    certify,
    minimax_polynomial,
    proved_error,
    taylor_polynomial,
    taylor_root,
)

POINTS = tuple(Fraction(x) for x in ("0", "1/3", "1/2", "9/16", "1", "7/3", "8", "2801/4"))


def ball_ends(x: Fraction) -> tuple[Fraction, Fraction]:
    """Return fractions around e^x, by ball arithmetic with 500 bits."""
    from flint import arb, fmpq

    with working_precision(500):
        ball = arb(fmpq(x.numerator, x.denominator)).exp()
        ends = []
        for point in (ball.lower(), ball.upper()):
            mantissa, exponent = point.man_exp()
            ends.append(Fraction(int(mantissa)) * Fraction(2) ** int(exponent))
    return ends[0], ends[1]


def exponential_enclosures() -> Claims:
    """Claim that the checker's fractions hold e^x, which ball arithmetic knows to 500 bits, and are close."""
    for x in (*POINTS, *(-x for x in POINTS)):
        low, high = exponential_bounds(x)
        ends = ball_ends(x)
        yield f"e^({x}), from below", low, "<=", ends[0] if x else 1
        yield f"e^({x}), from above", high, ">=", ends[1] if x else 1
        yield f"e^({x}), close", high - low, "<=", low / 2**230


def offered_polynomials() -> Claims:
    """Claim what is computed from a polynomial in float64, and what is offered where low = high."""
    for low, high in ((-1.0, 1.0), (0.5, 3.0)):
        polynomial = minimax_polynomial(7, low, high)
        yield f"coefficients on [{low}, {high}]", polynomial.degree + 1, "==", len(polynomial.coefficients)
        yield (
            f"half-width of [{low}, {high}]",
            2 * half_width(low, high),
            "==",
            Fraction(high) - Fraction(low),
        )
        for x in np.linspace(low, high, 9).tolist():
            terms = [Fraction(c) * Fraction(x) ** i for i, c in enumerate(polynomial.coefficients)]
            off = abs(Fraction(float(polynomial(x))) - sum(terms))
            yield f"P({x}) by Horner's rule", off, "<=", sum(map(abs, terms)) / 2**49
    for x in (0.0, 1.5, -20.0):
        polynomial = minimax_polynomial(2, x, x)
        yield f"on [{x}, {x}]", proved_error(certify(polynomial)), "<=", Fraction(polynomial.error)
        yield f"on [{x}, {x}], near 0", Fraction(polynomial.error), "<=", Fraction(1, 2**52)
    for x in (0.5, 1.5, -2.25):
        proved = proved_error(Certificate((1.0, 0.75), x, x, 0.0, ((x, x),)))
        error = min(abs((1 + Fraction(3, 4) * Fraction(x)) * end - 1) for end in ball_ends(-Fraction(x)))
        yield f"1 + 3x/4 at {x}, proved error", proved, ">=", error
    for b in (0.0, 2.0**-101, 2.0**-90):
        lower, upper = (Fraction(bound) for bound in best_error_bounds(1, b))
        yield f"E_1({b}), from below", lower, "<=", Fraction(b) ** 2
        yield f"E_1({b}), from above", upper, "<=", Fraction(b) * (1 + Fraction(1, 2**50))
        yield f"E_1({b}), enough", upper, ">=", Fraction(b) ** 2 / 4
        if b >= 2.0**-100:
            yield f"E_1({b}), close", upper, "<=", lower * (1 + Fraction(1, 2**30))


def taylor_coefficients() -> Claims:
    """Claim that T_g is 1 at 0 and has T_(g-1) for its derivative, and how close the root's bounds are."""
    for degree in range(1, 16):
        coefficients = taylor_polynomial(degree)
        yield f"T_{degree}(0)", coefficients[0], "==", 1
        slope = [(i + 1) * c for i, c in enumerate(coefficients[1:])]
        for i, (left, right) in enumerate(zip(slope, taylor_polynomial(degree - 1), strict=True)):
            yield f"T_{degree}', power {i}", left, "==", right
        if degree % 2:
            below, above = taylor_root(degree)
            yield f"root of T_{degree}", above - below, "<=", Fraction(1, 2**40)
