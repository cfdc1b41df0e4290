"""Weights, factors and floats on which lem-weight-perturbation is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Claims
from checks.exact.intervals import precision
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


def sharp_bound(value_bound: Fraction, t: Fraction) -> Fraction:
    """The lemma's bound 2v t."""
    return 2 * value_bound * t


def maximisation_identities() -> dict[str, Any]:
    """The share moved to a set of mass p, with factors 1 outside and r^2 inside, against (r - 1)/(r + 1)."""
    import sympy

    p, r = sympy.symbols("p r", positive=True)
    moved = (r**2 - 1) * p * (1 - p) / (1 + (r**2 - 1) * p)
    gap = (r - 1) * ((r + 1) * p - 1) ** 2 / ((r + 1) * (1 + (r**2 - 1) * p))
    a = sympy.Symbol("a", positive=True)
    return {
        "mass of the set after the change": r**2 * p / (r**2 * p + 1 - p) - p - moved,
        "the bound less the share, a square": (r - 1) / (r + 1) - moved - gap,
        "(r - 1)/(r + 1) = tanh(ln(r^2)/4)": ((r - 1) / (r + 1)).subs(r, sympy.exp(2 * a))
        - sympy.tanh(a).rewrite(sympy.exp),
        "grows with the ratio": sympy.diff((r - 1) / (r + 1), r) - 2 / (r + 1) ** 2,
    }


def factor_identities() -> dict[str, Any]:
    """The bound of part 1 at the ratio (1 + eps)/(1 - eps), with t = tanh(artanh(eps)/2)."""
    import sympy

    v, t = sympy.symbols("v t", positive=True)
    root = (1 - t**2) / (1 + t**2)
    return {
        "artanh eps = 2 artanh t": (1 + epsilon_of(t)) / (1 - epsilon_of(t)) - ((1 + t) / (1 - t)) ** 2,
        "the bound of part 1": ((1 + t) / (1 - t) - 1) / ((1 + t) / (1 - t) + 1) - t,
        "2t = 2(1 - sqrt(1 - eps^2))/eps": (1 - root) / epsilon_of(t) - t,
        "t = eps/(1 + sqrt(1 - eps^2))": epsilon_of(t) / (1 + root) - t,
        "1 - eps^2 is the square of (1 - t^2)/(1 + t^2)": 1 - epsilon_of(t) ** 2 - root**2,
        "between v eps and 2 v eps": 2 * v * t - v * epsilon_of(t) * (1 + t**2),
    }


def composition_identities() -> dict[str, Any]:
    """The numbers t of two perturbations, and their eps, compose as tanh does."""
    import sympy

    t, u = sympy.symbols("t u", positive=True)
    together = (t + u) / (1 + t * u)
    ratio = ((1 + t) / (1 - t)) ** 2
    return {
        "eps": epsilon_of(together) - (epsilon_of(t) + epsilon_of(u)) / (1 + epsilon_of(t) * epsilon_of(u)),
        "ratios multiply": ratio * ratio.subs(t, u) - ratio.subs(t, together),
    }


def logit_claims(seed: int, count: int) -> Claims:
    """Random logits in eighths, moved by -eta, 0 or eta, and values -1, 0, 1, in interval arithmetic."""
    generator = np.random.default_rng(seed)
    for index in range(count):
        tokens = int(generator.integers(2, 9))
        logits = generator.integers(-24, 25, tokens).tolist()
        signs, values = generator.integers(-1, 2, (2, tokens)).tolist()
        eta = float(2.0 ** generator.integers(-8, 3))
        with precision(80) as iv:
            before = [iv.exp(iv.mpf(logit) / 8) for logit in logits]
            after = [
                iv.exp(iv.mpf(logit) / 8 + sign * eta) for logit, sign in zip(logits, signs, strict=True)
            ]
            moved = weighted_mean(after, values) - weighted_mean(before, values)
            yield f"case {index}", iv.mpf(abs(moved).b), "<=", Fraction(logit_error(1.0, eta))


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


def all_grids(weights: range, tokens: int = 3) -> tuple[Iterator[Grid], int]:
    """All t, weights, signs of factors (1 + sign * eps) and values, and how many there are."""
    signs = (-1, 0, 1)
    cases = product(
        SHARES,
        product(weights, repeat=tokens),
        product(signs, repeat=tokens),
        product(signs, repeat=tokens),
    )
    return cases, len(SHARES) * (len(weights) * 9) ** tokens


def moves_at_most(case: Grid, bound: Bound = sharp_bound) -> bool:
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


def ratio_claims(values: Iterable[int] = (1, 2, 5)) -> Claims:
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
) -> Claims:
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


def tanh_claims(error: Callable[[float, float], float] = logit_error) -> Claims:
    """Compare the floats for logits with an enclosure of 2v tanh(eta/2) = 2v (1 - 2/(e^eta + 1))."""
    with precision(1400) as iv:
        for v, eta in product(VALUE_BOUNDS, (*EPSILONS, 2.0**-21, 1.0, 4.0, 25.0, 39.9, 41.0, 700.0)):
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


def ratio_float_claims() -> Claims:
    """Compare the floats for a ratio with an enclosure of 2v (r - 1)/(r + 1), r^2 the ratio."""
    with precision(300) as iv:
        for v, ratio in product((1.0, 1 / 3, 1e4), (1 + 2.0**-52, 1.001, 1.5, 4.0, 1e6, 1e20, 1e40, 1e308)):
            root = iv.sqrt(iv.mpf(ratio))
            bound = 2 * iv.mpf(v) * (root - 1) / (root + 1)
            yield f"v = {v}, ratio = {ratio}: above", iv.mpf(ratio_error(v, ratio)), ">=", bound
            yield (
                f"v = {v}, ratio = {ratio}: hardly above",
                iv.mpf(ratio_error(v, ratio)),
                "<=",
                bound * (1 + iv.mpf(2) ** -48),
            )


def compose_claims() -> Claims:
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
