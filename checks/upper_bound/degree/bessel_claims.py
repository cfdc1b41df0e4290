"""What the check of lem-bessel-error claims, and arithmetic that it shares with lem-degree."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from checks.evidence import Claims
from reductions.polynomials.bessel import (
    bessel_error_bounds,
    bessel_sum,
    decay,
    decay_rate,
    log_bessel_error_bounds,
)
from reductions.polynomials.precision import working_precision
from reductions.polynomials.remez import best_error_bounds

BITS = 512


def ball_ends(ball: Any) -> tuple[Fraction, Fraction]:
    """Return the ends of an Arb ball, rounded outward to 64 bits."""

    def exact(point: Any) -> Fraction:
        mantissa, exponent = point.man_exp()
        return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)

    with working_precision(64):
        return exact(ball.lower()), exact(ball.upper())


def proof_identities() -> dict[str, Any]:
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


def enclosure_claims(pairs: Iterable[tuple[float, int]]) -> Claims:
    """Claim lower <= E_g(b) <= upper, with E_g(b) enclosed by the exchange and by alternating points."""
    for b, degree in pairs:
        lower, upper = bessel_error_bounds(b, degree)
        best_lower, best_upper = best_error_bounds(degree, b)
        yield f"b = {b}, g = {degree}", Fraction(lower), "<=", Fraction(best_lower) * (1 + Fraction(1, 2**50))
        yield f"b = {b}, g = {degree}", Fraction(best_upper), "<=", Fraction(upper) * (1 + Fraction(1, 2**30))


def bessel_size_claims(pairs: Iterable[tuple[int, Fraction]]) -> Claims:
    """Claim the bounds on J_nu(x) and on the ratio of neighbours, for 0 < x <= nu."""
    from flint import arb, fmpq

    with working_precision(BITS):
        for order, part in pairs:
            x = arb(fmpq(part.numerator, part.denominator)) * order
            value = x.bessel_j(order)
            following = x.bessel_j(order + 1) / value
            alpha = (order / x).acosh() if part < 1 else arb(0)
            psi = order * alpha - (order**2 - x * x).sqrt() if part < 1 else arb(0)
            scaled = ball_ends(value * psi.exp())
            name = f"nu = {order}, x = {part} nu"
            stirling = arb(order) ** order * (-arb(order)).exp() / math.factorial(order)
            yield f"{name}, from below", scaled[0], ">=", ball_ends(stirling)[1] * (1 - Fraction(1, 2**50))
            least = ball_ends((-arb(1)).exp() / arb(order).sqrt())[0]
            yield f"{name}, Stirling", ball_ends(stirling)[0], ">=", least
            top = arb(order).bessel_j(order)
            yield f"{name}, from above", scaled[1], "<=", ball_ends(top)[0] * (1 + Fraction(1, 2**50))
            yield f"{name}, J_nu(nu)", ball_ends(top * top)[1], "<=", Fraction(1, 2)
            yield f"{name}, ratio", ball_ends(following * alpha.exp())[1], "<=", Fraction(1)
            later = x.bessel_j(order + 2) / x.bessel_j(order + 1)
            yield f"{name}, ratios decrease", ball_ends(later)[1], "<", ball_ends(following)[0]


def asymptotic_claims(cases: Iterable[tuple[Fraction, Fraction, int]]) -> Claims:
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
            low, high = ball_ends(limit - below / s)[0], ball_ends(limit + above / s)[1]
        name = f"gamma = {gamma}, rho = {rho}, s = {s}"
        yield name, Fraction(-log_upper) / s, ">=", low
        yield name, Fraction(-log_lower) / s, "<=", high


def bessel_tail(first: int, x: Any) -> Any:
    """Return the sum of J_m(x) over m >= first, term by term, until terms no longer count at 512 bits."""
    total, order = x * 0, first
    while True:
        term = x.bessel_j(order)
        total += term
        if order > 2 * x and abs(term) < total / 2 ** (BITS // 2):
            return total
        order += 1


def stated_bounds(b: Fraction, degree: int) -> tuple[Any, Any]:
    """Return the lemma's bounds as it writes them, with sums of Bessel functions term by term."""
    from flint import arb, fmpq

    x, g = arb(fmpq(b.numerator, b.denominator)), degree
    if g + 1 <= b:
        rate = (x * (x - g)).sqrt() - (g * (x / g).sqrt().acosh() if g else 0)
        first = arb(g + 1).bessel_j(g + 1)
        return max(first, rate.tanh(), key=lambda ball: ball.lower()), x.tanh()
    size, kappa = 2 * bessel_tail(g + 1, x), bessel_tail(2 * g + 2, 2 * x)
    t = x.bessel_j(g + 2) / x.bessel_j(g + 1)
    lower, upper = x.bessel_j(g + 1), x.tanh()
    if kappa < 1:
        sharper = size * ((1 - t) / (1 + t) - kappa / (1 - kappa))
        lower = max(lower, sharper, key=lambda ball: ball.lower())
        upper = min(upper, size / (1 - kappa), key=lambda ball: ball.upper())
    return lower, upper


def computed_bound_claims(pairs: Iterable[tuple[float, int]]) -> Claims:
    """Claim that the floats are the stated bounds, rounded outward by less than 2^-50 of them."""
    outward = 1 + Fraction(1, 2**50)
    for b, degree in pairs:
        name = f"b = {b}, g = {degree}"
        computed = [Fraction(bound) for bound in bessel_error_bounds(b, degree)]
        logarithms = [Fraction(bound) for bound in log_bessel_error_bounds(b, degree)]
        with working_precision(BITS):
            balls = stated_bounds(Fraction(b), degree)
            lower, upper = (ball_ends(ball) for ball in balls)
            log_lower, log_upper = (ball_ends(ball.log()) for ball in balls)
        yield f"{name}, lower", computed[0], "<=", lower[0]
        yield f"{name}, lower, near", computed[0] * outward, ">=", lower[1]
        yield f"{name}, upper", computed[1], ">=", upper[1]
        yield f"{name}, upper, near", computed[1], "<=", upper[0] * outward
        room = max(Fraction(1), abs(log_lower[0])) / 2**50
        yield f"{name}, ln of the lower one", logarithms[0], "<=", log_lower[0]
        yield f"{name}, ln of the lower one, near", logarithms[0] + room, ">=", log_lower[1]
        yield f"{name}, ln of the upper one", logarithms[1], ">=", log_upper[1]
        yield f"{name}, ln of the upper one, near", logarithms[1] - room, "<=", log_upper[0]


def bessel_sum_claims(cases: Iterable[tuple[int, float]]) -> Claims:
    """Claim that the ball around a sum of Bessel functions holds it, and how narrow it is."""
    from flint import arb

    for first, x in cases:
        with working_precision(BITS):
            found, exact = bessel_sum(first, arb(x)), bessel_tail(first, arb(x))
            below = ball_ends((exact - found.lower()) / exact)
            above = ball_ends((found.upper() - exact) / exact)
            width = ball_ends((found.upper() - found.lower()) / exact)[1]
        name = f"J_{first}({x}) + ..."
        yield f"{name}, from below", below[0], ">=", 0
        yield f"{name}, from above", above[0], ">=", 0
        yield f"{name}, narrow", width, "<=", Fraction(1, 2**68)


PARTS = (1.0, 1 - 2.0**-40, 1 - 2.0**-15, 0.9951, 0.9949, 0.9, 0.5, 0.125, 2.0**-20)
"""x/nu: where decay changes from its series to its closed form, and far from there."""


def decay_claims(orders: Iterable[int] = (1, 7, 100)) -> Claims:
    """Claim that the floats of psi, and of the rate, are within 2^-42 of themselves; 0 from x = nu on."""
    from flint import arb

    for order in orders:
        for part in PARTS:
            x = order * part
            with working_precision(BITS):
                psi = (
                    order * (order / arb(x)).acosh() - (order**2 - arb(x) ** 2).sqrt() if part < 1 else arb(0)
                )
                low, high = ball_ends(psi)
            name = f"nu = {order}, x = {x}"
            for value in (Fraction(decay(order, x)), Fraction(decay_rate(order, x))):
                yield f"{name}, from below", value, ">=", low * (1 - Fraction(1, 2**42))
                yield f"{name}, from above", value, "<=", high * (1 + Fraction(1, 2**42))
        yield f"nu = {order}, x = 2 nu", Fraction(decay_rate(order, 2.0 * order)), "==", 0
