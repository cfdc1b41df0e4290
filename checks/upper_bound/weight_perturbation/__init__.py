"""Check of lem-weight-perturbation: how far a weighted mean moves when its weights are perturbed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from checks.evidence import Claims, Evidence, certified, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from checks.upper_bound.weight_perturbation.perturbed_weights import (
    SHARES,
    Bound,
    Grid,
    all_grids,
    attention_moves_at_most,
    compose_claims,
    composes_sharply,
    composition_identities,
    draw_layer,
    equality_identities,
    factor_identities,
    float_claims,
    logit_claims,
    maximisation_identities,
    moves_at_most,
    ratio_claims,
    ratio_float_claims,
    sharp_bound,
    tanh_claims,
)
from reductions.upper_bound.weight_perturbation import (
    epsilon_of,
    equality_case,
    logit_error,
    ratio_error,
    weighted_mean,
)

RATIO = "(1) the bound by the ratio of the factors"
FACTORS = "(2) factors in [1 - eps, 1 + eps]"
LOGITS = "(3) logits moved by at most eta"
COMPOSED = "(4) perturbations one after the other"
EQUALITY = "(5) equality with two values"
FLOATS = "(6) the floats that are returned"


def _grid_evidence(bound: Bound, largest: int = 3, claim: str = FACTORS) -> Evidence:
    cases, count = all_grids(range(1, largest + 1))
    return exhaustive(
        claim,
        f"three tokens: weights 1 ... {largest}, factors 1 and 1 -+ eps, values -1, 0, 1, six eps; exact",
        cases,
        count,
        lambda case: moves_at_most(case, bound),
    )


@lemma("lem-weight-perturbation", title="Perturbed weights", statement_uses=("def-attention",))
def weight_perturbation(run: Run) -> Iterator[Evidence]:
    """The maximisation by algebra, small cases exactly, the floats in rational and interval arithmetic."""
    yield symbolic(RATIO, "all masses p and all ratios r^2 of the factors", maximisation_identities())
    yield symbolic(FACTORS, "all v > 0 and all eps in (0, 1)", factor_identities())
    yield certified(RATIO, "three tokens, weights 1, 2, 5, factors 1, 2, 3, 4, 9, 16; exact", ratio_claims())
    yield _grid_evidence(sharp_bound, run.pick(quick=3, full=5))
    draws = run.pick(quick=400, full=10_000)
    words = f"{draws} layers with 2 to 8 keys, logits moved by 0 or +-eta up to 4, interval arithmetic"
    yield certified(LOGITS, words, logit_claims(run.seed, draws))
    words = "random layers with 2 to 29 keys, eta between e^-8 and e^2, float64"
    yield sampled(LOGITS, words, run.seed, draws, draw_layer, attention_moves_at_most)
    yield symbolic(COMPOSED, "all pairs of eps in (0, 1)", composition_identities())
    yield exhaustive(
        COMPOSED, "all pairs of six eps, attained; exact", product(SHARES, repeat=2), 36, composes_sharply
    )
    yield symbolic(EQUALITY, "every v > 0 and every eps in (0, 1)", equality_identities())
    scope = "14 eps from 5e-324 to 1 - 2^-53, six v from 5e-324 to 1e300; rational arithmetic"
    yield certified(FLOATS, scope, float_claims())
    yield certified(FLOATS, "21 eta up to 700 and six v, interval arithmetic", tanh_claims())
    yield certified(FLOATS, "ratios from 1 + 2^-52 to 1e308, interval arithmetic", ratio_float_claims())
    yield certified(FLOATS, "composition, all pairs of 13 eps, rational arithmetic", compose_claims())


@weight_perturbation.control("the first-order bound v eps")
def first_order(run: Run) -> Evidence:
    """It is the limit for small eps, and below the truth for every eps > 0."""

    def claims() -> Claims:
        for t in (Fraction(1, 1000), *SHARES):
            yield f"eps = {epsilon_of(t)}", _moved(t), "<=", epsilon_of(t)

    return certified(EQUALITY, "the case of equality, v = 1; exact", claims())


def _moved(t: Fraction) -> Fraction:
    case = equality_case(Fraction(1), t)
    after = [w * f for w, f in zip(case.weights, case.factors, strict=True)]
    return Fraction(weighted_mean(after, case.values) - weighted_mean(case.weights, case.values))


@weight_perturbation.control("eps (1 - eps) in place of eps / (1 + sqrt(1 - eps^2))")
def too_small_at_large_eps(run: Run) -> Evidence:
    """Below the sharp bound as soon as eps > 0.47."""
    return _grid_evidence(lambda v, t: 2 * v * epsilon_of(t) * (1 - epsilon_of(t)))


@weight_perturbation.control("the ratio of the factors is taken to be 1 + eps, that of one factor to 1")
def one_sided_ratio(run: Run) -> Evidence:
    """One weight may grow while another one shrinks: the ratio is (1 + eps)/(1 - eps)."""

    def holds(case: Grid) -> bool:
        ratio = 1 + epsilon_of(case[0])
        return moves_at_most(case, lambda v, t: 2 * v * Fraction(ratio_error(1.0, float(ratio))) / 2)

    cases, count = all_grids(range(1, 4))
    return exhaustive(FACTORS, "three tokens, the exact grid", cases, count, holds)


@weight_perturbation.control("values in [-v, v] are taken to spread by v")
def half_the_spread(run: Run) -> Evidence:
    """Then the bound is v t."""
    return _grid_evidence(lambda v, t: v * t)


@weight_perturbation.control("2v tanh(eta/4) for logits moved by at most eta")
def quarter_angle(run: Run) -> Evidence:
    """eta up for some keys and down for others makes a ratio e^(2 eta)."""
    return sampled(
        LOGITS,
        "random layers",
        run.seed,
        400,
        draw_layer,
        lambda layer: attention_moves_at_most(layer, lambda v, eta: logit_error(v, eta / 2)),
    )


@weight_perturbation.control("weights of both signs")
def signed_weights(run: Run) -> Evidence:
    """Where a polynomial stands in for exp and turns negative, no bound of this kind is left."""
    cases = product(SHARES, product((-2, -1, 1, 2, 4), repeat=3), product((-1, 0, 1), repeat=3))
    size = 6 * 5**3 * 3**3

    def holds(case: tuple[Fraction, tuple[int, ...], tuple[int, ...]]) -> bool:
        t, weights, signs = case
        factors = [1 + sign * epsilon_of(t) for sign in signs]
        totals = sum(weights), sum(w * f for w, f in zip(weights, factors, strict=True))
        return 0 in totals or moves_at_most((t, weights, signs, (1, -1, 1)))

    return exhaustive(FACTORS, "three tokens with weights -2, -1, 1, 2, 4", cases, size, holds)


@weight_perturbation.control("of two perturbations the larger one counts")
def larger_one(run: Run) -> Evidence:
    """Their artanhs add."""
    return exhaustive(
        COMPOSED,
        "all pairs of six eps",
        product(SHARES, repeat=2),
        36,
        lambda case: composes_sharply(case, lambda t, u: max(t, u)),
    )


@weight_perturbation.control("the textbook form 2v (1 - sqrt(1 - eps^2)) / eps in float64")
def cancelling_form(run: Run) -> Evidence:
    """For eps below 2^-27 it returns 0."""
    return certified(
        FLOATS,
        "14 eps from 5e-324 to 1 - 2^-53, six v",
        float_claims(lambda v, epsilon: 2 * v * (1 - math.sqrt(1 - epsilon * epsilon)) / epsilon),
    )


@weight_perturbation.control("rounded to nearest, not up")
def rounded_to_nearest(run: Run) -> Evidence:
    """Some of the results are then below the bound."""

    def nearest(v: float, epsilon: float) -> float:
        return v * (2 * epsilon / (1 + math.sqrt((1 - epsilon) * (1 + epsilon))))

    scope = "14 eps from 5e-324 to 1 - 2^-53, v = 1, 1/3 and 10,000"
    return certified(FLOATS, scope, float_claims(nearest, (1.0, 1 / 3, 1e4)))
