"""What the check of lem-bessel-error claims, and arithmetic that it shares with lem-degree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from reductions.polynomials.bessel import bessel_error_bounds, log_bessel_error_bounds
from reductions.polynomials.precision import working_precision
from reductions.polynomials.remez import best_error_bounds

Claims = Iterator[tuple[str, Any, Any, Any]]

BITS = 512


def ends(ball: Any) -> tuple[Fraction, Fraction]:
    """Return the ends of an Arb ball, rounded outward to 64 bits."""

    def exact(point: Any) -> Fraction:
        mantissa, exponent = point.man_exp()
        return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)

    with working_precision(64):
        return exact(ball.lower()), exact(ball.upper())


def identities() -> dict[str, Any]:
    """Return the identities of the proof, each an expression that vanishes."""
    import sympy

    b, x, nu, y, z = sympy.symbols("b x nu y z", positive=True)
    root = sympy.sqrt(nu**2 - x**2)
    psi = nu * sympy.log((nu + root) / x) - root
    integral = root - nu * sympy.log((nu + root) / (2 * nu))
    half = b / sympy.cosh(y) ** 2
    found: dict[str, Any] = {
        # Generating functions sum_n a_n z^n: S divides by z; that of I_n(b) is e^{b(z + 1/z)/2}, that of
        # J_n(b) is e^{b(z - 1/z)/2}, and that of b^n/n! is e^{bz}.
        "e^{-bS} turns I_n(b) into J_n(b)": b * (z + 1 / z) / 2 - b / z - b * (z - 1 / z) / 2,
        "e^{-bS} turns b^n/n! into J_n(2b)": b * z - b / z - 2 * b * (z - 1 / z) / 2,
        "Riccati equation at y": x * sympy.diff(root, x) + root**2 - (nu**2 - x**2) + x**2 / root,
        "psi decreases in x at the rate y/x": sympy.diff(psi, x) + root / x,
        "the integral from 0": sympy.diff(integral, x) - (root - nu) / x,
        "the integral and psi": integral - nu + nu * sympy.log(x / (2 * nu)) + nu + psi,
        "the left part ends where it should": (-b + half + half * sympy.cosh(2 * y) - b).rewrite(sympy.exp),
        "growth outside of the left part": (half * sympy.sinh(2 * y) - 2 * b * sympy.tanh(y)).rewrite(
            sympy.exp
        ),
    }
    return found


def enclosures(pairs: Iterable[tuple[float, int]]) -> Claims:
    """Claim lower <= E_g(b) <= upper, with E_g(b) enclosed by the exchange and by alternating points."""
    for b, degree in pairs:
        lower, upper = bessel_error_bounds(b, degree)
        best_lower, best_upper = best_error_bounds(degree, b)
        yield f"b = {b}, g = {degree}", Fraction(lower), "<=", Fraction(best_lower) * (1 + Fraction(1, 2**50))
        yield f"b = {b}, g = {degree}", Fraction(best_upper), "<=", Fraction(upper) * (1 + Fraction(1, 2**30))


def sizes(pairs: Iterable[tuple[int, Fraction]]) -> Claims:
    """Claim the bounds on J_nu(x) and on the ratio of neighbours, for 0 < x <= nu."""
    from flint import arb, fmpq

    with working_precision(BITS):
        for order, part in pairs:
            x = arb(fmpq(part.numerator, part.denominator)) * order
            value = x.bessel_j(order)
            following = x.bessel_j(order + 1) / value
            alpha = (order / x).acosh() if part < 1 else arb(0)
            psi = order * alpha - (order**2 - x * x).sqrt() if part < 1 else arb(0)
            scaled = ends(value * psi.exp())
            name = f"nu = {order}, x = {part} nu"
            stirling = arb(order) ** order * (-arb(order)).exp() / math.factorial(order)
            yield f"{name}, from below", scaled[0], ">=", ends(stirling)[1] * (1 - Fraction(1, 2**50))
            yield f"{name}, Stirling", ends(stirling)[0], ">=", ends((-arb(1)).exp() / arb(order).sqrt())[0]
            top = arb(order).bessel_j(order)
            yield f"{name}, from above", scaled[1], "<=", ends(top)[0] * (1 + Fraction(1, 2**50))
            yield f"{name}, J_nu(nu)", ends(top * top)[1], "<=", Fraction(1, 2)
            yield f"{name}, ratio", ends(following * alpha.exp())[1], "<=", Fraction(1)
            later = x.bessel_j(order + 2) / x.bessel_j(order + 1)
            yield f"{name}, ratios decrease", ends(later)[1], "<", ends(following)[0]


def asymptotics(cases: Iterable[tuple[Fraction, Fraction, int]]) -> Claims:
    """Claim that -ln E_g(b)/s is near its limit for b = rho s and g = gamma s, with the explicit distance."""
    from flint import arb, fmpq

    for gamma, rho, s in cases:
        degree = int(gamma * s)
        log_lower, log_upper = log_bessel_error_bounds(rho * s, degree)
        with working_precision(BITS):
            ratio = arb(fmpq((gamma / rho).numerator, (gamma / rho).denominator))
            limit = arb(fmpq(rho.numerator, rho.denominator)) * (
                ratio * ratio.acosh() - (ratio**2 - 1).sqrt()
            )
            alpha = arb(fmpq(degree + 1) / fmpq((rho * s).numerator, (rho * s).denominator)).acosh()
            above = alpha + 1 + arb(degree + 1).log() / 2
            psi = (degree + 1) * (alpha - alpha.tanh())
            below = (arb(2).sqrt() / (1 - (-alpha).exp() - (-2 * psi).exp() / arb(2).sqrt())).log()
            low, high = ends(limit - below / s)[0], ends(limit + above / s)[1]
        name = f"gamma = {gamma}, rho = {rho}, s = {s}"
        yield name, Fraction(-log_upper) / s, ">=", low
        yield name, Fraction(-log_lower) / s, "<=", high
