"""Instances and algebra of lem-rank-growth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import Any

from checks.evidence import Claims
from reductions.polynomials.precision import working_precision
from reductions.polynomials.remez import best_error_bounds
from reductions.upper_bound.rank_growth import (
    PRECISION,
    Enclosure,
    ball,
    decay,
    degree_rate,
    degree_rate_enclosure,
    degree_window,
    elementary_error_bounds,
    enclosure,
    error_bounds,
    power_enclosure,
    rank_exponent,
    rank_exponent_enclosure,
    rank_rate_enclosure,
)


def entropy_bounds_count(pair: tuple[int, int], count: Callable[[int, int], int] | None = None) -> bool:
    """r <= e^H <= (d + g + 1) r in integers, e^H = n^n / (d^d g^g) with n = d + g."""
    d, g = pair
    n = d + g
    rank = (count or (lambda d, g: comb(d + g, g)))(d, g)
    product = rank * d**d * g**g
    return bool(product <= n**n <= (n + 1) * product)


def equation_identities() -> tuple[dict[str, Any], dict[str, Any]]:
    """Part 2: derivatives of F and of H, homogeneity, and the form with γ = ρ cosh a."""
    import sympy

    gamma, rho, c, s, a, x = sympy.symbols("gamma rho c s a x", positive=True)
    grown = rho + x  # γ > ρ
    root = sympy.sqrt(grown**2 - rho**2)
    rate = gamma * sympy.acosh(gamma / rho) - sympy.sqrt(gamma**2 - rho**2)
    entropy = (c + gamma) * sympy.log(c + gamma) - c * sympy.log(c) - gamma * sympy.log(gamma)
    angle_form = a * sympy.cosh(a) - sympy.sinh(a)
    # √(γ/ρ - 1) √(γ/ρ + 1) = √(γ² - ρ²)/ρ, which SymPy writes the derivative of arcosh with
    slope = sympy.diff(rate, gamma).subs(gamma, grown) - sympy.acosh(grown / rho)
    in_rho = sympy.diff(rate, rho).subs(gamma, grown) + root / rho
    return {
        "dF/dγ = arcosh(γ/ρ)": sympy.simplify(slope),
        "dF/dρ = -√(γ² - ρ²)/ρ": sympy.simplify(in_rho),
        "F(ρ) = 0": rate.subs(gamma, rho),
        "F_sρ(sγ) = s F_ρ(γ)": sympy.simplify(rate.subs({gamma: s * gamma, rho: s * rho}) - s * rate),
        "κ = ρ (a cosh a - sinh a), increasing": sympy.diff(angle_form, a) - a * sympy.sinh(a),
        "near a = 0, κ = ρ a³/3": sympy.limit(angle_form / a**3, a, 0) - sympy.Rational(1, 3),
        "and γ - ρ = ρ a²/2": sympy.limit((sympy.cosh(a) - 1) / a**2, a, 0) - sympy.Rational(1, 2),
    }, {
        "dH/dγ = ln(1 + c/γ)": sympy.expand_log(sympy.diff(entropy, gamma))
        - sympy.expand_log(sympy.log((c + gamma) / gamma)),
        "H(sc, sγ) = s H(c, γ)": sympy.expand(
            sympy.expand_log(
                entropy.subs({c: s * c, gamma: s * gamma}, simultaneous=True).subs(
                    s * c + s * gamma, s * (c + gamma)
                )
                - s * entropy
            )
        ),
        "H(c, γ) tends to 0 with γ": sympy.limit(
            c * sympy.log(1 + gamma / c) + gamma * sympy.log(1 + c / gamma), gamma, 0, "+"
        ),
    }


ERROR_CASES = [
    (Fraction(b), degree)
    for b in (Fraction(1, 4), 1, 2, 4, 8, 12)
    for degree in range(0, 25)
    if degree <= 4 * b + 8
]

Bounds = Callable[[Fraction, int], Enclosure]


def error_claims(bounds: Bounds = elementary_error_bounds) -> Claims:
    """The bounds that degrees are computed with against enclosures of E_g(b) from best polynomials."""
    for b, degree in ERROR_CASES:
        low, high = bounds(b, degree)
        least, most = (Fraction(x) for x in best_error_bounds(degree, b))
        words = f"E_{degree}({b}) = {float(least):.4g} and the stated bound"
        yield f"{words} {float(low):.4g} below", low, "<=", most
        yield f"{words} {float(high):.4g} above", high, ">=", least


def window_claims() -> Claims:
    """The window of the least degree begins at the first one allowed and ends at the first one proved."""
    for b in (Fraction(1, 4), Fraction(1), Fraction(5), Fraction(30)):
        for tolerance in (Fraction(1, 2), Fraction(1, 1000), Fraction(1, 10**20)):
            for bounds in (elementary_error_bounds, error_bounds):
                least, most = degree_window(b, tolerance, bounds)
                name = f"b = {b}, ε = {float(tolerance)}, degrees {least} to {most}"
                yield f"{name}: proved", bounds(b, most)[1], "<=", tolerance
                yield f"{name}: allowed", bounds(b, least)[0], "<=", tolerance
                if most:
                    yield f"{name}: not proved before", bounds(b, most - 1)[1], ">", tolerance
                if least:
                    yield f"{name}: not allowed before", bounds(b, least - 1)[0], ">", tolerance


@dataclass(frozen=True)
class Growth:
    """N with x = ln N: d = ⌊c x⌋, b = ρ x, ε = e^(-κx)."""

    c: Fraction
    rho: Fraction
    kappa: Fraction
    x: int

    @classmethod
    def of_units(cls, x: int) -> Growth:
        """Return the case c = ρ = κ = 1."""
        return cls(Fraction(1), Fraction(1), Fraction(1), x)

    @property
    def name(self) -> str:
        """In words."""
        return f"c = {self.c}, ρ = {self.rho}, κ = {self.kappa}, ln N = {self.x}"

    @property
    def dimension(self) -> int:
        """d."""
        return math.floor(self.c * self.x)

    def degrees(self) -> tuple[int, int]:
        """The least degree lies between these."""
        return degree_window(self.rho * self.x, power_enclosure(self.kappa * self.x), error_bounds)


TRIPLES = [
    (Fraction(c), Fraction(rho), Fraction(kappa))
    for c, rho, kappa in ((1, 1, 1), ("1/2", "1/4", "1/2"), (2, "1/10", 2), ("1/2", 2, "1/4"))
]


def growth_cases(logs: tuple[int, ...]) -> list[Growth]:
    """All triples of constants with all ln N."""
    return [Growth(*triple, x) for triple in TRIPLES for x in logs]


Rate = Callable[[Fraction, Fraction], Enclosure]
Entropy = Callable[[Fraction, Enclosure], Enclosure]


def rate_claims(
    cases: list[Growth], rate: Rate = degree_rate_enclosure, entropy: Entropy = rank_rate_enclosure
) -> Claims:
    """|g/x - γ| <= 2 (ln x)/x and |ln r / x - δ| <= 6 (ln x)/x for certified least degrees g."""
    for case in cases:
        gamma = rate(case.rho, case.kappa)
        delta = rounded_outward(entropy(case.c, gamma))
        gamma = rounded_outward(gamma)
        with working_precision(PRECISION):
            unit = rounded_outward(enclosure(ball(case.x).log() / case.x))[0]
        for degree in case.degrees():
            ratio = Fraction(degree, case.x)
            name = f"{case.name}: g = {degree}, g/ln N = {float(ratio):.4f}, γ = {float(gamma[0]):.4f}"
            yield name, ratio, "<=", gamma[0] + 2 * unit
            yield name, ratio, ">=", gamma[1] - 2 * unit
            low, high = log_over(comb(case.dimension + degree, degree), case.x)
            name = f"{case.name}: g = {degree}, ln r/ln N = {float(low):.4f}, δ = {float(delta[0]):.4f}"
            yield name, high, "<=", delta[0] + 6 * unit
            yield name, low, ">=", delta[1] - 6 * unit


def rate_equation(gamma: Any, rho: Any) -> Any:
    """Return γ arcosh(γ/ρ) - √(γ² - ρ²), in balls."""
    return gamma * (gamma / rho).acosh() - (gamma**2 - rho**2).sqrt()


def entropy(c: Any, gamma: Any) -> Any:
    """Return H(c, γ), in balls."""
    return (c + gamma) * (c + gamma).log() - c * c.log() - gamma * gamma.log()


def float_claims() -> Claims:
    """The rates in float64 within 2^-40 of their enclosures, and these against the equations."""
    near = Fraction(1, 2**40)
    rates = (1e-3, 0.5, 1.0, 3.0)
    cases = [(c, rho, kappa) for c in rates for rho in rates for kappa in (1e-9, *rates)]
    for c, rho, kappa in [*cases, (1.0, 1e-40, 1.0), (1e-20, 1.0, 1.0)]:
        low, high = degree_rate_enclosure(rho, kappa)
        gamma = Fraction(degree_rate(rho, kappa))
        name = f"c = {c}, ρ = {rho}, κ = {kappa}"
        yield f"{name}: γ from below", gamma, ">=", low * (1 - near)
        yield f"{name}: γ from above", gamma, "<=", high * (1 + near)
        yield f"{name}: γ enclosed narrowly", high, "<=", low * (1 + near)
        ends = low, high
        with working_precision(3 * PRECISION):
            solved = [enclosure(rate_equation(ball(end), ball(rho))) for end in ends]
            sizes = [enclosure(entropy(ball(c), ball(end))) for end in ends]
        yield f"{name}: γ is not less", solved[0][1], "<=", Fraction(kappa)
        yield f"{name}: γ is not more", solved[1][0], ">=", Fraction(kappa)
        low, high = rank_exponent_enclosure(c, rho, kappa)
        delta = Fraction(rank_exponent(c, rho, kappa))
        yield f"{name}: δ from below", delta, ">=", low * (1 - near)
        yield f"{name}: δ from above", delta, "<=", high * (1 + near)
        yield f"{name}: δ enclosed narrowly", high, "<=", low * (1 + near)
        yield f"{name}: δ is not less", low, "<=", sizes[0][0]
        yield f"{name}: δ is not more", high, ">=", sizes[1][1]
    for k in range(-12, 7):
        angle = 2.0**k
        with working_precision(PRECISION):
            a = ball(angle)
            low, high = enclosure(a * a.cosh() - a.sinh())
        yield f"decay at {angle}", abs(Fraction(decay(angle)) - low), "<=", low * near + high - low


def log_over(number: int, x: int) -> Enclosure:
    """Enclose ln(number)/x."""
    with working_precision(PRECISION):
        return rounded_outward(enclosure(ball(number).log() / x))


def rounded_outward(bounds: Enclosure, decimals: int = 9) -> Enclosure:
    """Round an enclosure outwards to so many decimals, so that counterexamples can be read."""
    scale = 10**decimals
    return Fraction(math.floor(bounds[0] * scale), scale), Fraction(math.ceil(bounds[1] * scale), scale)
