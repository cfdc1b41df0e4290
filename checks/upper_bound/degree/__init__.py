"""Checks of lem-bessel-error and lem-degree: how well, and with which degree, polynomials follow exp."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

from checks.evidence import Claim, Claims, Evidence, certified, symbolic
from checks.evidence.registry import Run, lemma
from checks.upper_bound.degree.bessel_claims import (
    BITS,
    asymptotic_claims,
    ball_ends,
    bessel_size_claims,
    bessel_sum_claims,
    computed_bound_claims,
    decay_claims,
    enclosure_claims,
    proof_identities,
)
from reductions.polynomials.exponential import certified_degree, minimax_polynomial, provably_least
from reductions.polynomials.precision import working_precision
from reductions.polynomials.remez import best_error_bounds
from reductions.upper_bound.degree import bessel_error_bounds, degree_bounds, least_degree

HALF_WIDTHS = (0.01, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
FIRST_TERMS = ((1, 0.125), (1, 0.875), (2, 1.0), (4, 3.5), (10, 8.0), (20, 16.0))
RATES = ((Fraction(3, 2), Fraction(1)), (Fraction(2), Fraction(1)), (Fraction(3), Fraction(1, 2)))


@lemma(
    "lem-bessel-error",
    title="Bessel bounds on the best error",
    statement_uses=("lem-exp-polynomial",),
    proof_uses=("lem-exp-polynomial",),
)
def bessel_error(run: Run) -> Iterator[Evidence]:
    """Check the bounds, the facts about Bessel functions behind them, and the rate."""
    yield symbolic("identities of the proof", "all parameters", proof_identities())
    degrees = (*range(13), 16, 20, 24, 32)
    pairs = [(b, g) for b in HALF_WIDTHS for g in degrees if run.effort == "full" or g < 20 or b <= 4]
    scope = f"{len(pairs)} pairs: b = .01, 1/4, ..., 16 and g up to 32"
    yield certified("(1), (2), (4) the best error lies between the bounds", scope, enclosure_claims(pairs))
    few = [(b, g) for b in (0.25, 1.0, 4.0, 16.0) for g in (0, 1, 2, 3, 4, 5, 8, 12, 15, 16, 18, 24)]
    yield certified(
        "(1), (2), (4) the bounds that are computed are the stated ones",
        f"{len(few)} pairs: b = 1/4, 1, 4, 16 and g up to 24; sums of Bessel functions term by term",
        computed_bound_claims(few),
    )
    yield certified(
        "(1) sums of Bessel functions", "first terms J_1(1/8) to J_20(16)", bessel_sum_claims(FIRST_TERMS)
    )
    orders = run.pick(quick=(1, 2, 3, 5, 8, 13, 34, 100), full=(*range(1, 60), 100, 150, 200))
    yield certified(
        "(3) sizes of Bessel functions",
        f"{len(orders)} orders up to {orders[-1]}, x = nu/8, 2 nu/8, ..., nu",
        bessel_size_claims([(order, Fraction(k, 8)) for order in orders for k in range(1, 9)]),
    )
    yield certified("(5) psi in float64", "nu = 1, 7, 100, nine x/nu from 2^-20 to 1", decay_claims())
    scales = run.pick(quick=(10, 100, 1000), full=(10, 30, 100, 300, 1000, 3000))
    yield certified(
        "(5) the rate, with its distance",
        f"gamma/rho = 3/2, 2, 6; s up to {scales[-1]}",
        asymptotic_claims([(*rate, s) for rate in RATES for s in scales]),
    )


def broken_bound(bound: Callable[[Any, int], Any], upper: bool) -> Evidence:
    """Claim a wrong bound on E_6(4)."""
    from flint import arb

    with working_precision(BITS):
        low, high = ball_ends(bound(arb(4), 6))
    best = [Fraction(error) for error in best_error_bounds(6, 4.0)]
    claim: Claim
    claim = ("b = 4, g = 6", best[1], "<=", high) if upper else ("b = 4, g = 6", low, "<=", best[0])
    return certified("(1), (2), (4) the best error lies between the bounds", "b = 4, g = 6", iter([claim]))


@bessel_error.control("the sum of Bessel functions begins one index late")
def _(run: Run) -> Evidence:
    return broken_bound(
        lambda b, g: 2 * sum((b.bessel_j(k) for k in range(g + 2, g + 60)), start=b * 0), True
    )


@bessel_error.control("the factor 2 is forgotten in the upper bound")
def _(run: Run) -> Evidence:
    return broken_bound(lambda b, g: sum((b.bessel_j(k) for k in range(g + 1, g + 60)), start=b * 0), True)


@bessel_error.control("the first term of the series of 2 J is taken for a lower bound")
def _(run: Run) -> Evidence:
    return broken_bound(lambda b, g: 2 * (b / 2) ** (g + 1) / type(b)(g + 1).gamma() / (g + 1), False)


@bessel_error.control("J_nu(x) >= exp(-psi), without Stirling's factor")
def _(run: Run) -> Evidence:
    from flint import arb

    with working_precision(BITS):
        x, order = arb(4), 7
        alpha = (order / x).acosh()
        low = ball_ends(x.bessel_j(order) * (order * alpha - (order**2 - x * x).sqrt()).exp())[0]
    return certified("(3) sizes of Bessel functions", "nu = 7, x = 4", [("from below", low, ">=", 1)])


Case = tuple[float, float]

GUESSED_WRONG = ((0.25, 2.05e-5), (4.42, 1e-3))
"""Here the first guess is degree 4, which is one too high, and degree 9, which is one too low."""


def order_ends(b: float, tolerance: float) -> tuple[Fraction, Fraction]:
    """Return fractions around G = b + ln(1/eps)/ln(e + ln(1/eps)/b)."""
    from flint import arb

    with working_precision(BITS):
        digits = -arb(tolerance).log()
        return ball_ends(b + digits / (arb(1).exp() + digits / b).log())


def least_degrees(cases: Iterable[Case]) -> Claims:
    """Claim 3/10 G <= g + 1 and g < 3 G for the least degree g, which proved bounds on E_g(b) give."""
    for b, tolerance in cases:
        degree = least_degree(b, tolerance, 400)
        assert degree is not None
        low, high = order_ends(b, tolerance)
        name = f"b = {b}, eps = {tolerance}"
        if degree:
            yield (
                f"{name}: degree {degree - 1}",
                Fraction(best_error_bounds(degree - 1, b)[0]),
                ">",
                Fraction(tolerance),
            )
        yield f"{name}: degree {degree}", Fraction(best_error_bounds(degree, b)[1]), "<=", Fraction(tolerance)
        yield f"{name}: from below", Fraction(3, 10) * high, "<=", degree + 1
        yield f"{name}: from above", degree, "<", 3 * low
        least, largest = degree_bounds(b, tolerance)
        near = 1 + Fraction(1, 2**39)
        yield f"{name}: computed bounds", max(0, least - degree), "==", max(0, degree - largest)
        yield f"{name}: g >= {least}, no less", Fraction(3, 10) * low, "<=", (least + 1) * near
        yield f"{name}: g >= {least}, no more", least, "<=", Fraction(3, 10) * high
        yield f"{name}: g <= {largest}, no less", largest + 1, ">=", 3 * low
        yield f"{name}: g <= {largest}, no more", largest, "<", 3 * high * near
        yield f"{name}: degrees up to {degree}", found(least_degree(b, tolerance, degree)), "==", degree
        if degree:
            yield f"{name}: lower degrees", found(least_degree(b, tolerance, degree - 1)), "==", -1


def found(degree: int | None) -> int:
    """Return the degree, or -1 for none."""
    return -1 if degree is None else degree


def offered(cases: Iterable[Case]) -> Claims:
    """Claim that the polynomials offered for a tolerance meet it, and that one degree less does not."""
    for b, tolerance in cases:
        name = f"b = {b}, eps = {tolerance}"
        polynomial = certified_degree(-b, b, tolerance)
        degree = found(least_degree(b, tolerance, 64))
        assert polynomial is not None
        yield f"{name}: degree {polynomial.degree}", polynomial.degree, ">=", degree
        yield f"{name}: error", Fraction(polynomial.error), "<=", Fraction(tolerance)
        if polynomial.degree:
            below = Fraction(minimax_polynomial(polynomial.degree - 1, -b, b).error)
            yield f"{name}: degree {polynomial.degree - 1}", below, ">", Fraction(tolerance)
        least = provably_least(polynomial, tolerance)
        yield f"{name}: said to be least", int(least), "==", int(polynomial.degree == degree)


def far_degrees(cases: Iterable[Case]) -> Claims:
    """Claim the same by Bessel bounds: degree 3 G suffices, and degrees below 3/10 G do not."""
    for b, tolerance in cases:
        least, largest = degree_bounds(b, tolerance)
        name = f"b = {b}, eps = {tolerance}"
        yield (
            f"{name}: degree {largest}",
            Fraction(bessel_error_bounds(b, largest)[1]),
            "<=",
            Fraction(tolerance),
        )
        if least:
            below = Fraction(bessel_error_bounds(b, least - 1)[0])
            yield f"{name}: degree {least - 1}", below, ">", Fraction(tolerance)


@lemma(
    "lem-degree",
    title="Order of the least degree",
    statement_uses=("lem-exp-polynomial",),
    proof_uses=("lem-bessel-error",),
    source="AA22",
)
def degree(run: Run) -> Iterator[Evidence]:
    """Compare the least degrees with the lemma's order and constants."""
    half_widths = run.pick(quick=(0.01, 0.25, 1.0, 4.0, 8.0), full=(*HALF_WIDTHS, 32.0))
    tolerances = run.pick(quick=(0.5, 1e-2, 1e-6, 1e-12), full=(0.5, 0.1, 1e-2, 1e-4, 1e-8, 1e-16, 1e-24))
    yield certified(
        "3/10 G <= g + 1 and g < 3 G for the least degree",
        f"{len(half_widths)} half-widths up to {half_widths[-1]:g}, tolerances 1/2 to {tolerances[-1]:g}, "
        "and b = 1/4, eps = 2.05e-5; b = 4.42, eps = 1e-3",
        least_degrees([*product(half_widths, tolerances), *GUESSED_WRONG]),
    )
    exact = [(b, best_error_bounds(g, b)[1]) for b, g in ((1.0, 3), (4.0, 6))]
    yield certified(
        "polynomials offered for a tolerance",
        "half-widths 1/4, 1, 4; tolerances 1/2, 1/100, 1e-6, and E_3(1), E_6(4), which rounding exceeds",
        offered([*product((0.25, 1.0, 4.0), (0.5, 1e-2, 1e-6)), *exact]),
    )
    wide = run.pick(quick=(1e-3, 1.0, 30.0, 200.0), full=(1e-6, 1e-3, 1.0, 30.0, 200.0, 1000.0))
    small = (0.5, 1e-3, 1e-10, 1e-50, 1e-200)
    yield certified(
        "degree 3 G suffices, and degrees below 3/10 G do not",
        f"half-widths from {wide[0]:g} to {wide[-1]:g}, tolerances from 1/2 to 1e-200",
        far_degrees(product(wide, small)),
    )


def wrong_order(order: Callable[[Any, Any], Any], b: float, tolerance: float) -> Evidence:
    """Claim the constants of the lemma for another order."""
    from flint import arb

    with working_precision(BITS):
        low, high = ball_ends(order(arb(b), -arb(tolerance).log()))
    least = least_degree(b, tolerance, 400)
    assert least is not None
    return certified(
        "3/10 G <= g + 1 and g < 3 G for the least degree",
        f"b = {b:g}, eps = {tolerance:g}",
        [("from below", Fraction(3, 10) * high, "<=", least + 1), ("from above", least, "<", 3 * low)],
    )


@degree.control("the order b + ln(1/eps), without the logarithm")
def _(run: Run) -> Evidence:
    return wrong_order(lambda b, digits: b + digits, 0.01, 1e-20)


@degree.control("the order ln(1/eps)/ln(e + ln(1/eps)/b), without b")
def _(run: Run) -> Evidence:
    return wrong_order(lambda b, digits: digits / ((digits * 0 + 1).exp() + digits / b).log(), 16.0, 0.5)


@degree.control("the order sqrt(b ln(1/eps)) + ln(1/eps) of approximation to an absolute error")
def _(run: Run) -> Evidence:
    return wrong_order(lambda b, digits: (b * digits).sqrt() + digits, 24.0, 0.5)
