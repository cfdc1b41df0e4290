"""Check of lem-exp-polynomial: best polynomials for exp, and certificates that prove their errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from checks.evidence import Evidence, certified, exhaustive, sampled
from checks.lemma import Run, lemma
from reductions.polynomials.certificate import exponential_bounds
from reductions.upper_bound.exp_polynomial import (
    Certificate,
    CertificateError,
    alternation_points,
    best_error_bounds,
    certify,
    minimax_polynomial,
    proved_error,
    proved_lower_bound,
    taylor_polynomial,
    taylor_root,
    verify_certificate,
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

Claims = Iterator[tuple[str, Any, Any, Any]]
Pairs = Sequence[tuple[float, int]]


def certificate(b: float, degree: int) -> Certificate:
    """Return the certificate of the minimax polynomial on [-b, b]."""
    return certify(minimax_polynomial(degree, -b, b))


def accepted(candidate: Certificate) -> bool:
    """Tell whether the checker accepts a certificate."""
    try:
        verify_certificate(candidate)
    except CertificateError:
        return False
    return True


@lemma("lem-exp-polynomial", title="Best polynomials for the exponential", source="AA22")
def exp_polynomial(run: Run) -> Iterator[Evidence]:
    """Check the lemma part by part."""
    pairs = [(b, g) for b in HALF_WIDTHS for g in DEGREES]
    scope = "b = 1/4, 1/2, 1, 2, 4, 8 and g = 1, ..., 12"
    yield certified("(1) the error alternates g + 2 times", scope, alternations(pairs))
    yield certified("(2) no polynomial is better", scope, lower_bounds(pairs))
    yield certified(
        "(2) reference values", "16 pairs, g = 2, 3, 4, 6, to the digits shown", reference_values()
    )
    yield certified("(3) polynomials with an error below 1 are positive", scope, positive(pairs))
    wide = [] if run.effort == "quick" else [(b, g) for b in (8.0, 12.0, 16.0) for g in range(16, 65, 8)]
    more = "" if run.effort == "quick" else "; and b = 8, 12, 16 with g = 16, 24, ..., 64"
    yield certified("(5) certificates", scope + more, certificates([*pairs, *wide]))
    draws = run.pick(quick=40, full=400)
    yield sampled(
        "(1) translation",
        f"{draws} intervals with centres in [-4, 4], half-widths in [.05, 3], degrees up to 12",
        run.seed,
        draws,
        draw_interval,
        translation_holds,
    )
    yield certified("(6) Taylor polynomials", "degrees up to 15", taylor_claims())


def alternations(pairs: Pairs) -> Claims:
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
        yield (
            name,
            proved_lower_bound(alternation_points(degree, -b, b)),
            ">=",
            lower * (1 - Fraction(1, 2**40)),
        )
        yield name, upper, "<=", lower * (1 + Fraction(1, 2**30))


def reference_values() -> Claims:
    """Claim that E_g(b) lies within half a unit of the last digit of its reference value."""
    for b, values in REFERENCE.items():
        for degree, text in zip((2, 3, 4, 6), values, strict=True):
            mantissa, exponent = text.split("e")
            unit = Fraction(10) ** (int(exponent) - len(mantissa.partition(".")[2]))
            lower = proved_lower_bound(alternation_points(degree, -b, b))
            upper = proved_error(certificate(b, degree))
            yield f"b = {b}, g = {degree}", lower, ">=", Fraction(text) - unit / 2
            yield f"b = {b}, g = {degree}", upper, "<=", Fraction(text) + unit / 2


def positive(pairs: Pairs) -> Claims:
    """Claim that P is at least (1 - error) e^-b > 0 at many points where the certified error is below 1."""
    for b, degree in pairs:
        polynomial = minimax_polynomial(degree, -b, b)
        if polynomial.error < 1:
            coefficients = [Fraction(c) for c in polynomial.coefficients]
            for i in range(-16, 17):
                x = Fraction(b) * i / 16
                value = sum((c * x**k for k, c in enumerate(coefficients)), start=Fraction(0))
                yield f"b = {b}, g = {degree}, x = {x}", value, ">", 0


def certificates(pairs: Pairs) -> Claims:
    """Claim that the pieces prove the stated errors, which are near the best where float64 allows it."""
    for b, degree in pairs:
        candidate = certificate(b, degree)
        proved, error = proved_error(candidate), Fraction(candidate.error)
        yield f"b = {b}, g = {degree}", proved, "<=", error
        rounding = Fraction(float(np.exp(2 * b))) / 2**53
        upper = Fraction(best_error_bounds(degree, b)[1])
        yield f"b = {b}, g = {degree}, tight", error, "<=", upper * (1 + Fraction(1, 10**6)) + rounding


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


def judged(claim: str, candidate: Certificate, scope: str) -> Evidence:
    """Put a broken certificate to the checker."""
    return exhaustive(claim, scope, [candidate], 1, accepted)


@exp_polynomial.control("Taylor's polynomial of degree 3, said to be positive on [-2, 2]")
def _(run: Run) -> Evidence:
    def values() -> Claims:
        for x in range(2, -3, -1):
            yield f"T_3({x})", taylor_value(3, Fraction(x)), ">", 0

    return certified("(3) polynomials with an error below 1 are positive", "T_3 on [-2, 2]", values())


@exp_polynomial.control("one coefficient is changed by one unit in its last place")
def _(run: Run) -> Evidence:
    right = certificate(1.0, 4)
    changed = (
        *right.coefficients[:2],
        float(np.nextafter(right.coefficients[2], 1)),
        *right.coefficients[3:],
    )
    return judged("(5) certificates", replace(right, coefficients=changed), "b = 1, g = 4")


@exp_polynomial.control("an error smaller by one part in a million is claimed")
def _(run: Run) -> Evidence:
    right = certificate(1.0, 4)
    return judged("(5) certificates", replace(right, error=right.error * (1 - 1e-6)), "b = 1, g = 4")


@exp_polynomial.control("Taylor's polynomial is said to be as good as the best one")
def _(run: Run) -> Evidence:
    right = certificate(1.0, 4)
    taylor = tuple(float(c) for c in taylor_polynomial(4))
    return judged("(5) certificates", replace(right, coefficients=taylor), "b = 1, g = 4")


@exp_polynomial.control("a certificate that leaves out one piece")
def _(run: Run) -> Evidence:
    right = certificate(2.0, 6)
    return judged(
        "(5) certificates", replace(right, pieces=right.pieces[:4] + right.pieces[5:]), "b = 2, g = 6"
    )


@exp_polynomial.control("pieces are joined across a critical point")
def _(run: Run) -> Evidence:
    right = certificate(2.0, 6)
    joined = (right.pieces[0][0], right.pieces[2][1])
    return judged("(5) certificates", replace(right, pieces=(joined, *right.pieces[3:])), "b = 2, g = 6")


@exp_polynomial.control("the lower bound is read with weights that do not annihilate polynomials")
def _(run: Run) -> Evidence:
    points = alternation_points(4, -1.0, 1.0)
    values = [exponential_bounds(Fraction(x))[0] for x in points]
    bound = abs(sum((-1) ** i * v for i, v in enumerate(values))) / sum(values)
    upper = proved_error(certificate(1.0, 4))
    return certified("(2) no polynomial is better", "b = 1, g = 4", [("bound", bound, "<=", upper)])
