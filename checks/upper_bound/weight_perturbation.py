"""Check of lem-weight-perturbation: how far a weighted mean moves when its weights are perturbed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Evidence, certified, exhaustive, sampled, symbolic
from checks.interval_model import precision
from checks.lemma import Run, lemma
from reductions.problems.attention import attention
from reductions.upper_bound.weight_perturbation import (
    compose,
    epsilon_of,
    equality_case,
    logit_error,
    ratio_error,
    weighted_mean,
    weighted_mean_error,
)

RATIO = "(1) the bound by the ratio of the factors"
FACTORS = "(2) factors in [1 - eps, 1 + eps]"
LOGITS = "(3) logits moved by at most eta"
COMPOSED = "(4) perturbations one after the other"
EQUALITY = "(5) equality with two values"
FLOATS = "(6) the floats that are returned"

SHARES = tuple(Fraction(n, 12) for n in (1, 3, 4, 6, 9, 11))
"""Values of t = tanh(artanh(eps)/2); eps = 2t/(1 + t^2) and sqrt((1 + eps)/(1 - eps)) are rational, too."""

EPSILONS = (
    5e-324,
    1e-300,
    2.0**-60,
    1e-16,
    2.0**-53,
    1e-9,
    2.0**-27,
    1e-4,
    0.01,
    0.3,
    0.5,
    0.75,
    0.99,
    1 - 2.0**-53,
)
VALUE_BOUNDS = (5e-324, 1e-310, 1.0, 1 / 3, 1e4, 1e300)

Bound = Callable[[Fraction, Fraction], Fraction]
"""From v and t to a bound on how far the mean moves."""


def sharp(value_bound: Fraction, t: Fraction) -> Fraction:
    """The lemma's bound 2v t."""
    return 2 * value_bound * t


def maximisation() -> dict[str, Any]:
    """The share moved to a set of mass p, with factors 1 outside and r^2 inside, against (r - 1)/(r + 1)."""
    import sympy

    p, r, v, t, u = sympy.symbols("p r v t u", positive=True)
    moved = (r**2 - 1) * p * (1 - p) / (1 + (r**2 - 1) * p)
    gap = (r - 1) * ((r + 1) * p - 1) ** 2 / ((r + 1) * (1 + (r**2 - 1) * p))
    a = sympy.Symbol("a", positive=True)
    return {
        "mass of the set after the change": r**2 * p / (r**2 * p + 1 - p) - p - moved,
        "the bound less the share, a square": (r - 1) / (r + 1) - moved - gap,
        "(r - 1)/(r + 1) = tanh(ln(r^2)/4)": ((r - 1) / (r + 1)).subs(r, sympy.exp(2 * a))
        - sympy.tanh(a).rewrite(sympy.exp),
        "grows with the ratio": sympy.diff((r - 1) / (r + 1), r) - 2 / (r + 1) ** 2,
        "artanh eps = 2 artanh t": (1 + epsilon_of(t)) / (1 - epsilon_of(t)) - ((1 + t) / (1 - t)) ** 2,
        "2t = 2(1 - sqrt(1 - eps^2))/eps": (1 - (1 - t**2) / (1 + t**2)) / epsilon_of(t) - t,
        "1 - eps^2 is the square of (1 - t^2)/(1 + t^2)": 1
        - epsilon_of(t) ** 2
        - ((1 - t**2) / (1 + t**2)) ** 2,
        "between v eps and 2 v eps": 2 * v * t - v * epsilon_of(t) * (1 + t**2),
        "two in a row": epsilon_of((t + u) / (1 + t * u))
        - (epsilon_of(t) + epsilon_of(u)) / (1 + epsilon_of(t) * epsilon_of(u)),
    }


def equality_identities() -> dict[str, Any]:
    """The mean of the equality case before and after, for every v and t."""
    import sympy

    v, t = sympy.symbols("v t", positive=True)
    case = equality_case(v, t)
    after = [w * f for w, f in zip(case.weights, case.factors, strict=True)]
    return {
        "before: -v t": weighted_mean(case.weights, case.values) + v * t,
        "after: v t": weighted_mean(after, case.values) - v * t,
        "total weight before": sum(case.weights) - 1,
    }


Grid = tuple[Fraction, tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def grid(weights: range, tokens: int = 3) -> tuple[Iterator[Grid], int]:
    """All t, weights, signs of factors (1 + sign * eps) and values, and how many there are."""
    signs = (-1, 0, 1)
    cases = product(
        SHARES,
        product(weights, repeat=tokens),
        product(signs, repeat=tokens),
        product(signs, repeat=tokens),
    )
    return cases, len(SHARES) * (len(weights) * 9) ** tokens


def moves_at_most(case: Grid, bound: Bound = sharp) -> bool:
    """Compare how far the mean moves with the bound, exactly; v = 1."""
    t, weights, signs, values = case
    # Multiplied by 1 + t^2 and by the denominator, all are integers.
    n, d = t.numerator, t.denominator
    factors = [n * n + d * d + 2 * n * d * sign for sign in signs]
    after = [w * f for w, f in zip(weights, factors, strict=True)]
    before_total, after_total = sum(weights), sum(after)
    numerator = sum(
        x * (a * before_total - w * after_total) for x, a, w in zip(values, after, weights, strict=True)
    )
    return abs(Fraction(numerator, before_total * after_total)) <= bound(Fraction(1), t)


def _grid_evidence(bound: Bound, largest: int = 3, claim: str = FACTORS) -> Evidence:
    cases, count = grid(range(1, largest + 1))
    return exhaustive(
        claim,
        f"three tokens: weights 1 ... {largest}, factors 1 and 1 -+ eps, values -1, 0, 1, six eps; exact",
        cases,
        count,
        lambda case: moves_at_most(case, bound),
    )


def ratio_claims(values: Iterable[int] = (1, 2, 5)) -> Iterator[tuple[str, Any, Any, Any]]:
    """Compare the total variation with (r - 1)/(r + 1) for factors 1 ... r^2 that are squares' ratios."""
    for weights in product(values, repeat=3):
        for factors in product((1, 2, 3, 4, 9, 16), repeat=3):
            root = Fraction(max(factors), min(factors))
            total = sum(weights)
            after = sum(w * f for w, f in zip(weights, factors, strict=True))
            moved = (
                sum(
                    (
                        abs(Fraction(w * f, after) - Fraction(w, total))
                        for w, f in zip(weights, factors, strict=True)
                    ),
                    Fraction(0),
                )
                / 2
            )
            # moved <= (r - 1)/(r + 1) with r^2 = root iff ((1 + moved)/(1 - moved))^2 <= root.
            yield f"weights {weights}, factors {factors}", ((1 + moved) / (1 - moved)) ** 2, "<=", root


def float_claims(
    error: Callable[[float, float], float] = weighted_mean_error,
    value_bounds: tuple[float, ...] = VALUE_BOUNDS,
) -> Iterator[tuple[str, Any, Any, Any]]:
    """B = 2v t(eps) with eps = 2t/(1 + t^2): the returned float is above B, and hardly above it."""
    for v, epsilon in product(value_bounds, EPSILONS):
        returned = Fraction(error(v, epsilon))
        name = f"v = {v}, eps = {epsilon}"
        yield f"{name}: above", _share_to_epsilon(returned / (2 * Fraction(v))), ">=", Fraction(epsilon)
        lowered = (returned - Fraction(2) ** -1071) / (1 + Fraction(1, 2**49)) / (2 * Fraction(v))
        yield f"{name}: hardly above", _share_to_epsilon(lowered), "<=", Fraction(epsilon)


def _share_to_epsilon(t: Fraction) -> Fraction:
    """Return 2t/(1 + t^2) for |t| <= 1, continued by its largest value 1 (or by t below 0)."""
    if t >= 1:
        return Fraction(1)
    return t if t < 0 else Fraction(epsilon_of(t))


def tanh_claims(error: Callable[[float, float], float] = logit_error) -> Iterator[tuple[str, Any, Any, Any]]:
    """Compare the floats for logits with an enclosure of 2v tanh(eta/2) = 2v (1 - 2/(e^eta + 1))."""
    with precision(1400) as iv:
        for v, eta in product(VALUE_BOUNDS, (*EPSILONS, 1.0, 4.0, 39.9, 41.0, 700.0)):
            grown = iv.exp(iv.mpf(eta))
            bound = 2 * iv.mpf(v) * (grown - 1) / (grown + 1)
            returned = iv.mpf(error(v, eta))
            yield f"v = {v}, eta = {eta}: above", returned, ">=", bound
            yield (
                f"v = {v}, eta = {eta}: hardly above",
                returned,
                "<=",
                bound * (1 + iv.mpf(2) ** -49) + (iv.mpf(2) ** -1071),
            )


def ratio_float_claims() -> Iterator[tuple[str, Any, Any, Any]]:
    """Compare the floats for a ratio with an enclosure of 2v (r - 1)/(r + 1), r^2 the ratio."""
    with precision(300) as iv:
        for v, ratio in product((1.0, 1 / 3, 1e4), (1 + 2.0**-52, 1.001, 1.5, 4.0, 1e6, 1e40, 1e308)):
            root = iv.sqrt(iv.mpf(ratio))
            bound = 2 * iv.mpf(v) * (root - 1) / (root + 1)
            yield f"v = {v}, ratio = {ratio}: above", iv.mpf(ratio_error(v, ratio)), ">=", bound
            yield (
                f"v = {v}, ratio = {ratio}: hardly above",
                iv.mpf(ratio_error(v, ratio)),
                "<=",
                bound * (1 + iv.mpf(2) ** -48),
            )


def compose_claims() -> Iterator[tuple[str, Any, Any, Any]]:
    """The composed eps is above (a + b)/(1 + ab), by at most two roundings."""
    for a, b in product(EPSILONS[:-1], repeat=2):
        exact = (Fraction(a) + Fraction(b)) / (1 + Fraction(a) * Fraction(b))
        returned = Fraction(compose(a, b))
        yield f"{a} and {b}: above", returned, ">=", exact
        yield (
            f"{a} and {b}: hardly above",
            returned,
            "<=",
            exact * (1 + Fraction(1, 2**51)) + Fraction(2) ** -1073,
        )


Layer = tuple[Any, Any, Any, Any]


def draw_layer(generator: np.random.Generator) -> Layer:
    """Draw an attention layer with d = 1 whose logits are the keys, and moves of the logits up to eta."""
    count = int(generator.integers(2, 30))
    logits = generator.normal(0, generator.uniform(0, 3), count)
    eta = float(np.exp(generator.uniform(-8, 2)))
    moves = eta * np.sign(generator.uniform(-1, 1, count)) * generator.uniform(0, 1, count) ** 0.1
    return logits, moves, generator.uniform(-1, 1, (count, 3)), eta


def attention_moves_at_most(layer: Layer, bound: Callable[[float, float], float] = logit_error) -> bool:
    """Run attention before and after; 2^-45 is for the rounding of the two runs."""
    logits, moves, values, eta = layer
    before = attention([[1.0]], logits[:, None], values, 1.0)
    after = attention([[1.0]], (logits + moves)[:, None], values, 1.0)
    return bool(np.abs(after - before).max() <= bound(1.0, eta) + 2.0**-45)


@lemma("lem-weight-perturbation", title="Perturbed weights", statement_uses=("def-attention",))
def weight_perturbation(run: Run) -> Iterator[Evidence]:
    """The maximisation by algebra, small cases exactly, the floats in rational and interval arithmetic."""
    yield symbolic(RATIO, "all masses p and all ratios r^2 of the factors", maximisation())
    yield certified(RATIO, "three tokens, weights 1, 2, 5, factors 1, 2, 3, 4, 9, 16; exact", ratio_claims())
    yield _grid_evidence(sharp, run.pick(quick=3, full=5))
    draws = run.pick(quick=400, full=10_000)
    words = "random layers with 2 to 29 keys, eta between e^-8 and e^2, float64"
    yield sampled(LOGITS, words, run.seed, draws, draw_layer, attention_moves_at_most)
    yield exhaustive(
        COMPOSED, "all pairs of six eps, attained; exact", product(SHARES, repeat=2), 36, composes_sharply
    )
    yield symbolic(EQUALITY, "every v > 0 and every eps in (0, 1)", equality_identities())
    scope = "14 eps from 5e-324 to 1 - 2^-53, six v from 5e-324 to 1e300; rational arithmetic"
    yield certified(FLOATS, scope, float_claims())
    yield certified(FLOATS, "19 eta up to 700 and six v, interval arithmetic", tanh_claims())
    yield certified(FLOATS, "ratios from 1 + 2^-52 to 1e308, interval arithmetic", ratio_float_claims())
    yield certified(FLOATS, "composition, all pairs of 13 eps, rational arithmetic", compose_claims())


def composes_sharply(
    case: tuple[Fraction, ...], rule: Callable[[Fraction, Fraction], Fraction] | None = None
) -> bool:
    """Apply the factors of two eps to the two tokens where the composed bound is met."""
    t, u = case
    together = (t + u) / (1 + t * u) if rule is None else rule(t, u)
    tokens = equality_case(Fraction(1), (t + u) / (1 + t * u))
    once, twice = equality_case(Fraction(1), t).factors, equality_case(Fraction(1), u).factors
    after = [w * f * g for w, f, g in zip(tokens.weights, once, twice, strict=True)]
    moved = weighted_mean(after, tokens.values) - weighted_mean(tokens.weights, tokens.values)
    return bool(moved == 2 * together)


@weight_perturbation.control("the first-order bound v eps")
def first_order(run: Run) -> Evidence:
    """It is the limit for small eps, and below the truth for every eps > 0."""

    def claims() -> Iterator[tuple[str, Any, Any, Any]]:
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

    cases, count = grid(range(1, 4))
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
