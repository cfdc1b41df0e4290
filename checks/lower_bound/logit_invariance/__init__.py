"""Check of lem-logit-invariance: entries mean nothing without the temperature."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Evidence, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from reductions.lower_bound.logit_invariance import (
    at_temperature,
    cancelling_instance,
    equivalent_entry_bound,
    half_spread,
    largest_logit,
    rescale,
    saturating_instance,
)
from reductions.problems.attention import AttentionInstance

SAME = "(1) scaling entries and temperature together changes no logit and no output"
MODULO = "(2) two layers agree for all values iff their logits differ by a number a row"
BOUND = "(3) b <= d R_Q R_K / tau, attained, and no bound from below"
TRANSLATION = "(4) what a bound on R says depends on the temperature"

SCALES = ((2.0, 2.0), (0.5, 8.0), (-4.0, -1.0), (-0.5, -0.25))
SIGNS = (-1.0, 0.0, 1.0)
VALUES = np.array([[1.0, 0.0, -3.0], [0.25, 1.0, 5.0]])

Scaled = Callable[[AttentionInstance, float, float], AttentionInstance]


def small_layers() -> Iterator[AttentionInstance]:
    """One query and two keys in two dimensions with entries -1, 0, 1, at temperature 3/2."""
    for entries in product(SIGNS, repeat=6):
        rows = np.array(entries).reshape(3, 2)
        yield AttentionInstance(rows[:1], rows[1:], VALUES, 1.5)


SMALL = "all 729 layers with one query, two keys, d = 2 and entries -1, 0, 1 at temperature 3/2"


def is_same(case: tuple[AttentionInstance, tuple[float, float]], scaled: Scaled = rescale) -> bool:
    """Tell whether logits and outputs are equal bit by bit (the factors are powers of two)."""
    layer, factors = case
    other = scaled(layer, *factors)
    return bool((other.logits() == layer.logits()).all() and (other.output() == layer.output()).all())


def draw_layer(generator: np.random.Generator) -> tuple[AttentionInstance, float, float]:
    """Draw a normal layer and two positive factors between 1/100 and 100."""
    queries, keys, d = generator.integers(1, 9, size=3).tolist()
    layer = AttentionInstance(
        generator.standard_normal((queries, d)),
        generator.standard_normal((keys, d)),
        generator.uniform(-1, 1, (keys, 2)),
        float(np.exp(generator.uniform(-2, 2))),
    )
    alpha, gamma = np.exp(generator.uniform(-np.log(100), np.log(100), 2)).tolist()
    return layer, alpha, gamma


def is_same_up_to_rounding(case: tuple[AttentionInstance, float, float]) -> bool:
    """Compare logits and outputs; each logit is off by (2d + 12) roundings of its largest possible size."""
    layer, alpha, gamma = case
    d = layer.queries.shape[1]
    size = np.abs(layer.queries) @ np.abs(layer.keys).T / layer.temperature
    moved = (2 * d + 12) * 2.0**-53 * size
    for other in (rescale(layer, alpha, gamma), at_temperature(layer, alpha * gamma)):
        if (np.abs(other.logits() - layer.logits()) > moved).any():
            return False
        # Logits moved by eta move a mean of values in [-1, 1] by less than eta; softmax adds its own.
        if np.abs(other.output() - layer.output()).max() > moved.max() + 2.0**-46:
            return False
    return True


def draw_shift(generator: np.random.Generator) -> tuple[AttentionInstance, AttentionInstance]:
    """Draw a layer with several keys, and the same with one vector added to all keys."""
    d, count = generator.integers(1, 7, size=2).tolist()
    queries, keys = generator.standard_normal((2, count + 1, d))
    shift = generator.standard_normal(d)
    values = generator.uniform(-1, 1, (count + 1, 2))
    return AttentionInstance(queries, keys, values, 1.0), AttentionInstance(
        queries, keys + shift, values, 1.0
    )


def shift_is_unseen(case: tuple[AttentionInstance, AttentionInstance]) -> bool:
    """Other logits, another b in general, but the same outputs and the same half spread."""
    layer, shifted = case
    same = np.abs(layer.output() - shifted.output()).max() < 2.0**-40
    spread = abs(half_spread(layer) - half_spread(shifted)) < 2.0**-40
    return bool(same and spread and half_spread(layer) <= layer.logit_bound + 2.0**-40)


def keeps_bound(layer: AttentionInstance) -> bool:
    """Compare b with d R_Q R_K / tau and d R^2 / tau; the entries are whole numbers."""
    queries, keys = (side.astype(np.int64) for side in (layer.queries, layer.keys))
    logit = np.abs(queries @ keys.T).max()
    largest_query, largest_key = np.abs(queries).max(), np.abs(keys).max()
    d = queries.shape[1]
    return bool(logit <= d * largest_query * largest_key <= d * max(largest_query, largest_key) ** 2)


def spread_is_exact(layer: AttentionInstance) -> bool:
    """Half the difference of the two logits, at temperature 1, whichever of two queries has it."""
    for queries in ([layer.queries, 0 * layer.queries], [0 * layer.queries, layer.queries]):
        whole = AttentionInstance(np.concatenate(queries), layer.keys, layer.values, 1.0)
        first, second = (layer.queries @ layer.keys.T)[0].tolist()
        if half_spread(whole) != abs(first - second) / 2:
            return False
    return True


def widest_of_two_blocks(queries: tuple[float, float]) -> bool:
    """The first key is 1, the others are 0, so a query's spread is its only entry."""
    keys = np.zeros((1 << 22, 1))
    keys[0] = 1.0
    layer = AttentionInstance(np.array(queries)[:, None], keys, keys, 1.0)
    return len(list(layer.logit_blocks())) == 2 and half_spread(layer) == max(queries) / 2


EXTREMES = tuple(product(range(2, 14), (0.25, 1.0, 3.0), (0.5, 1.0, 8.0)))


def extremes_are_attained(case: tuple[int, float, float]) -> bool:
    """The two extremal layers have the same d, R and tau, and b = d R^2 / tau and b = 0."""
    d, entry_bound, _ = case
    layers = (saturating_instance(*case), cancelling_instance(*case))
    same = all(layer.entry_bound == entry_bound and layer.queries.shape[1] == d for layer in layers)
    attained = [largest_logit(*case), 0.0]
    return same and attained == [layer.logit_bound for layer in layers] == [*map(half_spread, layers)]


def logit_identities() -> dict[str, Any]:
    """The logits after scaling, for every dimension."""
    import sympy

    alpha, gamma, tau = sympy.symbols("alpha gamma tau", positive=True)
    d, c = sympy.Symbol("d", positive=True, integer=True), sympy.Symbol("c", integer=True)
    q, k = sympy.IndexedBase("q"), sympy.IndexedBase("k")
    logit = sympy.Sum(q[c] * k[c], (c, 1, d)) / tau

    def scaled(a: Any, g: Any) -> Any:
        return sympy.Sum(a * q[c] * g * k[c], (c, 1, d)) / (a * g * tau)

    return {
        "positive factors": scaled(alpha, gamma) - logit,
        "negative factors": scaled(-alpha, -gamma) - logit,
    }


def weight_identities() -> dict[str, Any]:
    """Weights determine differences of logits, and these determine the weights; three keys."""
    import sympy

    logits = sympy.symbols("l1:4", real=True)
    shift = sympy.Symbol("s", real=True)
    total = sum(map(sympy.exp, logits))
    weights = [sympy.exp(x) / total for x in logits]
    shifted = [sympy.exp(x + shift) / sum(sympy.exp(y + shift) for y in logits) for x in logits]
    identities = {
        f"weight {j + 1} after a shift": u - w for j, (u, w) in enumerate(zip(shifted, weights, strict=True))
    }
    identities |= {
        f"ratio of weights {i + 1} and {j + 1}": weights[i] / weights[j] - sympy.exp(logits[i] - logits[j])
        for i, j in ((0, 1), (0, 2), (1, 2))
    }
    return identities


def growth_identities() -> dict[str, Any]:
    """With l = log n, d = c l and R = l^(1/2 - k): the largest b, and the equivalent R at tau = d."""
    import sympy

    size, c, k, tau, other, bound = sympy.symbols("l c k tau tau' R", positive=True)
    d = c * size
    entry = size ** (sympy.Rational(1, 2) - k)
    moved = bound * sympy.sqrt(other / tau)
    return {
        "R sqrt(tau'/tau) admits the same b": d * moved**2 / other - d * bound**2 / tau,
        "tau = d": sympy.powsimp(d * entry**2 / d) - size ** (1 - 2 * k),
        "tau = sqrt d": sympy.powsimp(d * entry**2 / sympy.sqrt(d), force=True)
        - sympy.sqrt(c) * size ** (sympy.Rational(3, 2) - 2 * k),
        "tau = 1": sympy.powsimp(d * entry**2) - c * size ** (2 - 2 * k),
        "R = 1 at tau = 1 is R = sqrt(c l) at tau = d": moved.subs({bound: 1, tau: 1, other: d})
        - sympy.sqrt(c) * sympy.sqrt(size),
    }


def translates(case: tuple[float, float, float]) -> bool:
    """Rescaling to another temperature moves R as stated and leaves b; powers of four are exact."""
    entry_bound, temperature, other = case
    layer = saturating_instance(3, entry_bound, temperature)
    moved = at_temperature(layer, other)
    return moved.entry_bound == equivalent_entry_bound(
        entry_bound, temperature, other
    ) and moved.logit_bound == layer.logit_bound == largest_logit(3, moved.entry_bound, other)


@lemma("lem-logit-invariance", title="Entries and temperature", statement_uses=("def-attention",))
def logit_invariance(run: Run) -> Iterator[Evidence]:
    """Part by part: by algebra for all dimensions, exactly on small layers, in floats on random ones."""
    yield symbolic(SAME, "logits of every d, all factors of one sign", logit_identities())
    yield exhaustive(
        SAME,
        f"{SMALL}; factors {SCALES}, bit by bit",
        product(small_layers(), SCALES),
        729 * len(SCALES),
        is_same,
    )
    draws = run.pick(quick=300, full=5000)
    words = "random normal layers, factors between 1/100 and 100, float64"
    yield sampled(SAME, words, run.seed, draws, draw_layer, is_same_up_to_rounding)
    yield symbolic(MODULO, "the weights of three keys, all logits", weight_identities())
    words = "random layers, one vector added to all keys, float64"
    yield sampled(MODULO, words, run.seed, draws, draw_shift, shift_is_unseen)
    words = f"{SMALL}, and a query 0 beside it: the half spread, exact at temperature 1"
    yield exhaustive(MODULO, words, small_layers(), 729, spread_is_exact)
    words = "2^22 keys and two queries, whose logits are not held at once: each of them has the larger spread"
    yield exhaustive(MODULO, words, [(1.0, 2.0), (2.0, 1.0)], 2, widest_of_two_blocks)
    yield exhaustive(BOUND, f"{SMALL}, exact", small_layers(), 729, keeps_bound)
    scope = "extremal layers with d = 2, ..., 13, three R and three temperatures"
    yield exhaustive(BOUND, scope, EXTREMES, 12 * 9, extremes_are_attained)
    yield symbolic(TRANSLATION, "d = c log n, R = (log n)^(1/2 - k), all c and k", growth_identities())
    powers = (0.25, 1.0, 4.0, 16.0)
    yield exhaustive(
        TRANSLATION,
        "R, tau and tau' powers of four",
        product(powers, powers, powers),
        len(powers) ** 3,
        translates,
    )


def _scaled_wrongly(scaled: Scaled) -> Evidence:
    def same_output(layer: AttentionInstance) -> bool:
        change = np.abs(scaled(layer, 2.0, 4.0).output() - layer.output()).max()
        return bool(change < 2.0**-40)

    return exhaustive(SAME, f"{SMALL}; factors 2 and 4", small_layers(), 729, same_output)


@logit_invariance.control("the temperature is left as it was")
def unscaled_temperature(run: Run) -> Evidence:
    """Then the logits are multiplied by 8."""
    return _scaled_wrongly(
        lambda layer, alpha, gamma: AttentionInstance(
            alpha * layer.queries, gamma * layer.keys, layer.values, layer.temperature
        )
    )


@logit_invariance.control("the temperature is multiplied by the square of the queries' factor")
def squared_factor(run: Run) -> Evidence:
    """Right only where queries and keys take the same factor."""
    return _scaled_wrongly(
        lambda layer, alpha, gamma: AttentionInstance(
            alpha * layer.queries, gamma * layer.keys, layer.values, alpha**2 * layer.temperature
        )
    )


@logit_invariance.control("factors of opposite signs, temperature |alpha gamma| tau")
def opposite_signs(run: Run) -> Evidence:
    """Every logit then changes its sign."""
    return _scaled_wrongly(
        lambda layer, alpha, gamma: AttentionInstance(
            -alpha * layer.queries, gamma * layer.keys, layer.values, alpha * gamma * layer.temperature
        )
    )


@logit_invariance.control("b is bounded by sqrt(d) R^2 / tau")
def square_root_of_the_dimension(run: Run) -> Evidence:
    """Vectors with equal entries have products d R^2."""
    return exhaustive(
        BOUND,
        "extremal layers with d = 2, ..., 13, three R and three temperatures",
        EXTREMES,
        108,
        lambda case: saturating_instance(*case).logit_bound <= largest_logit(*case) / math.sqrt(case[0]),
    )


@logit_invariance.control("a bound on R is read as a value of b")
def bound_as_value(run: Run) -> Evidence:
    """Large entries that cancel have b = 0."""
    return exhaustive(
        BOUND,
        "layers with large entries that cancel, d = 2, ..., 13",
        EXTREMES,
        108,
        lambda case: cancelling_instance(*case).logit_bound == largest_logit(*case),
    )


@logit_invariance.control("R <= sqrt(ln n) is taken to bound b by ln n at temperature 1")
def criterion_without_temperature(run: Run) -> Evidence:
    """With d = ceil(ln n) the largest logit is about ln^2 n."""

    def holds(exponent: int) -> bool:
        size = exponent * math.log(2)
        layer = saturating_instance(math.ceil(size), math.sqrt(size), 1.0)
        return layer.logit_bound <= size * (1 + 2.0**-40)

    return exhaustive(TRANSLATION, "n = 4, 8, ..., 2^20, d = ceil(ln n)", range(2, 21), 19, holds)
