"""Check of lem-rank-growth: how degree and rank grow with the number of tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import comb
from typing import Any

from checks.evidence import Evidence, certified, exhaustive, symbolic
from checks.evidence.registry import Run, lemma
from checks.upper_bound.rank_growth.cases import (
    Entropy,
    Rate,
    entropy_bounds_count,
    equation_identities,
    error_claims,
    float_claims,
    growth_cases,
    rate_claims,
    window_claims,
)
from reductions.polynomials.precision import working_precision
from reductions.upper_bound.rank_growth import (
    PRECISION,
    Enclosure,
    ball,
    bisect,
    degree_rate_enclosure,
    enclosure,
    error_bounds,
    rank_rate_enclosure,
)

RANK = "(1) the rank between e^H/(d + g + 1) and e^H"
EQUATION = "(2) the equation of γ"
ENTROPY = "(2), (3) H and its limit"
ERROR = "(3) the bounds that least degrees are computed with"
RATE = "(4) g/ln N and ln r/ln N within O(ln ln N/ln N) of γ and δ"

WINDOW = "(3) the window of the least degree"
FLOATS = "(2), (3) γ and δ in float64"

LOGS = (30, 100, 400)


@lemma(
    "lem-rank-growth",
    title="Growth of degree and rank",
    statement_uses=("lem-monomial-features", "lem-exp-polynomial"),
    proof_uses=("lem-bessel-error",),
)
def rank_growth(run: Run) -> Iterator[Evidence]:
    """Integers, algebra, and balls: bounds against best polynomials, rates against least degrees."""
    largest = run.pick(quick=40, full=150)
    pairs = product(range(1, largest + 1), range(1, largest + 1))
    scope = f"all d, g from 1 to {largest}, in integers"
    yield exhaustive(RANK, scope, pairs, largest**2, lambda pair: entropy_bounds_count(pair))
    equation, entropy = equation_identities()
    yield symbolic(EQUATION, "all γ > ρ > 0", equation)
    yield symbolic(ENTROPY, "all c, γ > 0", entropy)
    yield certified(
        ERROR, "b from 1/4 to 12, degrees up to 4b + 8, best polynomials computed", error_claims()
    )
    scope = "the same, with the bounds by Bessel functions"
    yield certified(ERROR, scope, error_claims(error_bounds))
    scope = "b = 1/4, 1, 5, 30, tolerances 1/2, 1e-3, 1e-20; both kinds of bounds"
    yield certified(WINDOW, scope, window_claims())
    logs = run.pick(quick=LOGS, full=(*LOGS, 1000))
    cases = growth_cases(logs)
    scope = (
        f"4 triples (c, ρ, κ), ln N = {', '.join(map(str, logs))}, constants 2 and 6: least degrees certified"
    )
    yield certified(RATE, scope, rate_claims(cases))
    scope = "82 triples (c, ρ, κ), numbers from 1e-40 to 3, against balls; within 2^-40"
    yield certified(FLOATS, scope, float_claims())


# ---- controls ------------------------------------------------------------------------------------------


def _wrong_rates(rate: Rate = degree_rate_enclosure, entropy: Entropy = rank_rate_enclosure) -> Evidence:
    return certified(RATE, "four triples, ln N = 400", rate_claims(growth_cases((400,)), rate, entropy))


def _root(equation: Any, rho: Fraction, kappa: Fraction) -> Enclosure:
    """Solve an increasing equation in γ by bisection, in floats, for a control."""
    gamma = Fraction(bisect(lambda x: equation(x, float(rho)), float(kappa), float(rho), 1e6))
    return gamma, gamma


@rank_growth.control("Taylor's degree: γ ln(γ/ρ) - γ - ρ = κ")
def taylor_degree(run: Run) -> Evidence:
    """The remainder b^(g+1)/(g+1)!, relative to e^-b: the right rate of a worse polynomial."""
    return _wrong_rates(lambda rho, kappa: _root(lambda x, r: x * math.log(x / r) - x - r, rho, kappa))


@rank_growth.control("ln(γ/ρ) in the place of arcosh(γ/ρ)")
def without_factor_two(run: Run) -> Evidence:
    """Off by up to γ ln 2."""

    def equation(x: float, r: float) -> float:
        return x * math.log(x / r) - math.sqrt(max(0.0, x * x - r * r))

    return _wrong_rates(lambda rho, kappa: _root(equation, rho, kappa))


@rank_growth.control("the exponent without - γ ln γ")
def without_degree_entropy(run: Run) -> Evidence:
    """(c + γ) ln(c + γ) - c ln c."""

    def entropy(c: Fraction, gamma: Enclosure) -> Enclosure:
        low, high = rank_rate_enclosure(c, gamma)
        with working_precision(PRECISION):
            terms = [enclosure(ball(end) * ball(end).log()) for end in gamma]
        return low + terms[0][0], high + terms[1][1]

    return _wrong_rates(entropy=entropy)


@rank_growth.control("φ = ψ without signs: C(2(d + g), 2g) features")
def doubled_rank(run: Run) -> Evidence:
    """The count of AS23, beside which e^H is no bound."""
    return exhaustive(
        RANK,
        "d = g = 1",
        [(1, 1)],
        1,
        lambda pair: entropy_bounds_count(pair, lambda d, g: comb(2 * (d + g), 2 * g)),
    )


@rank_growth.control("e^(-F(g + 1)) itself for the lower bound, without the square root")
def without_square_root(run: Run) -> Evidence:
    """The Bessel function is smaller, by a factor of about √(2π ν tanh α)."""

    def bounds(b: Fraction, degree: int) -> Enclosure:
        if degree + 1 <= b:
            return Fraction(0), Fraction(1)
        with working_precision(PRECISION):
            angle = ball((degree + 1) / b).acosh()
            return enclosure((ball(b) * angle.sinh() - (degree + 1) * angle).exp())[0], Fraction(1)

    return certified(ERROR, "b from 1/4 to 12", error_claims(bounds))
