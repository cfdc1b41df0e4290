"""Check of lem-exp-polynomial: best polynomials for exp, and certificates that prove their errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from checks.evidence import Claims, Evidence, certified, exhaustive, sampled
from checks.evidence.registry import Run, lemma
from checks.upper_bound.exp_polynomial.arithmetic_claims import (
    exponential_enclosures,
    offered_polynomials,
    taylor_coefficients,
)
from checks.upper_bound.exp_polynomial.polynomial_claims import (
    DEGREES,
    HALF_WIDTHS,
    alternation_claims,
    certificate_claims,
    certificate_of,
    draw_interval,
    draw_polynomial,
    largest_at_critical_points,
    lower_bounds,
    positivity_claims,
    reference_values,
    taylor_claims,
    taylor_value,
    translation_holds,
    whatever_the_pieces,
)
from reductions.polynomials.checker import exponential_bounds
from reductions.upper_bound.exp_polynomial import (
    Certificate,
    CertificateError,
    alternation_points,
    proved_error,
    taylor_polynomial,
    verify_certificate,
)

POSITIVE = "(3) polynomials with an error below 1 are positive, and near exp"


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
    yield certified("(1) the error alternates g + 2 times", scope, alternation_claims(pairs))
    yield certified("(2) no polynomial is better", scope, lower_bounds(pairs))
    yield certified(
        "(2) reference values", "16 pairs, g = 2, 3, 4, 6, to the digits shown", reference_values()
    )
    yield certified(POSITIVE, f"{scope}; 33 points of each interval", positivity_claims(pairs))
    draws = run.pick(quick=40, full=400)
    yield sampled(
        "(4) the largest error is at an end or a root of P' - P",
        f"{draws} random polynomials, degrees up to 8, on random intervals in [-4, 4]; 2001 points",
        run.seed,
        draws,
        draw_polynomial,
        largest_at_critical_points,
    )
    wide = [] if run.effort == "quick" else [(b, g) for b in (8.0, 12.0, 16.0) for g in range(16, 65, 8)]
    more = "" if run.effort == "quick" else "; and b = 8, 12, 16 with g = 16, 24, ..., 64"
    yield certified("(5) certificates", scope + more, certificate_claims([*pairs, *wide]))
    yield certified(
        "(5) whatever the pieces, they do not prove less than the error",
        "chords of exp, constants, and errors shaped like tents; 1, 2 and 4 pieces, 31 points",
        whatever_the_pieces(),
    )
    scope = "16 fractions x from -2801/4 to 2801/4, against ball arithmetic"
    yield certified("(5) the fractions around e^x", scope, exponential_enclosures())
    scope = "degrees 7 and 2; Horner's rule, intervals of one point and of width 2^-100"
    yield certified("polynomials in float64", scope, offered_polynomials())
    yield certified("(6) Taylor's coefficients", "degrees up to 15", taylor_coefficients())
    yield sampled(
        "(1) translation",
        f"{draws} intervals with centres in [-4, 4], half-widths in [.05, 3], degrees up to 12",
        run.seed,
        draws,
        draw_interval,
        translation_holds,
    )
    yield certified("(6) Taylor polynomials", "degrees up to 15", taylor_claims())


def judged(claim: str, candidate: Certificate, scope: str) -> Evidence:
    """Put a broken certificate to the checker."""
    return exhaustive(claim, scope, [candidate], 1, accepted)


@exp_polynomial.control("Taylor's polynomial of degree 3, said to be positive on [-2, 2]")
def _(run: Run) -> Evidence:
    def values() -> Claims:
        for x in range(2, -3, -1):
            yield f"T_3({x})", taylor_value(3, Fraction(x)), ">", 0

    return certified(POSITIVE, "T_3 on [-2, 2]", values())


@exp_polynomial.control("one coefficient is changed by one unit in its last place")
def _(run: Run) -> Evidence:
    right = certificate_of(1.0, 4)
    changed = (
        *right.coefficients[:2],
        float(np.nextafter(right.coefficients[2], 1)),
        *right.coefficients[3:],
    )
    return judged("(5) certificates", replace(right, coefficients=changed), "b = 1, g = 4")


@exp_polynomial.control("an error smaller by one part in a million is claimed")
def _(run: Run) -> Evidence:
    right = certificate_of(1.0, 4)
    return judged("(5) certificates", replace(right, error=right.error * (1 - 1e-6)), "b = 1, g = 4")


@exp_polynomial.control("Taylor's polynomial is said to be as good as the best one")
def _(run: Run) -> Evidence:
    right = certificate_of(1.0, 4)
    taylor = tuple(float(c) for c in taylor_polynomial(4))
    return judged("(5) certificates", replace(right, coefficients=taylor), "b = 1, g = 4")


@exp_polynomial.control("a certificate that leaves out one piece")
def _(run: Run) -> Evidence:
    right = certificate_of(2.0, 6)
    return judged(
        "(5) certificates", replace(right, pieces=right.pieces[:4] + right.pieces[5:]), "b = 2, g = 6"
    )


@exp_polynomial.control("pieces are joined across a critical point")
def _(run: Run) -> Evidence:
    right = certificate_of(2.0, 6)
    joined = (right.pieces[0][0], right.pieces[2][1])
    return judged("(5) certificates", replace(right, pieces=(joined, *right.pieces[3:])), "b = 2, g = 6")


@exp_polynomial.control("the lower bound is read with weights that do not annihilate polynomials")
def _(run: Run) -> Evidence:
    points = alternation_points(4, -1.0, 1.0)
    values = [exponential_bounds(Fraction(x))[0] for x in points]
    bound = abs(sum((-1) ** i * v for i, v in enumerate(values))) / sum(values)
    upper = proved_error(certificate_of(1.0, 4))
    return certified("(2) no polynomial is better", "b = 1, g = 4", [("bound", bound, "<=", upper)])
