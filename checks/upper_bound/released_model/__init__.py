"""Demonstration of rem-released-model: bounded logits, and what degree, rank and operations come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from checks.evidence import Evidence, Relation, certified, exhaustive, sampled
from checks.evidence.registry import Kind, Run, lemma
from reductions.layers.arrays import Floats
from reductions.polynomials.remez import best_error_bounds
from reductions.problems.attention import AttentionInstance
from reductions.problems.schedule import geometric_sides, square_schedule
from reductions.upper_bound.block_causal_state import multiplications
from reductions.upper_bound.monomial_features import feature_count
from reductions.upper_bound.released_model import (
    HEAD_DIMENSION,
    LARGEST_SCALE,
    SIDES,
    attention_scale,
    cosine_attention,
    normalised,
    paying_side,
    released_criterion,
)
from reductions.upper_bound.released_model.criterion import (
    crossover_tokens,
    plan_pass,
    relative_tolerance,
)

MODELS = "the models are the released ones"
LOGITS = "(1) logits are bounded by the scale"
DEGREES = "(2) degrees 0 and 1 pay on both models, higher ones on neither"
TOLERANCE = "(3) degree 1 is not enough from scale 1 on for a fifth of the values' bound"
SIZES = "(4) the size from which the pass pays"


@dataclass(frozen=True, repr=False)
class Layer:
    """Queries and keys, and the learned logarithm of their scale."""

    queries: Floats
    keys: Floats
    learned: float

    @property
    def scale(self) -> float:
        """The scale, after the clamp."""
        return attention_scale(self.learned)

    def instance(self, normalise: bool = True) -> AttentionInstance:
        """As attention at temperature 1/scale, with the unit vectors for values."""
        queries, keys = self.queries, self.keys
        if normalise:
            queries, keys = normalised(queries), normalised(keys)
        return AttentionInstance(queries, keys, np.eye(len(keys)), 1 / self.scale)

    def __repr__(self) -> str:
        bound = self.instance(normalise=False).logit_bound
        return f"scale {self.scale:.3f}, logits of the vectors as drawn up to {bound:.4g}"


def draw_layer(generator: np.random.Generator) -> Layer:
    """Draw clustered queries and keys of any length, and a learned logarithm of the scale."""
    centre = generator.standard_normal(HEAD_DIMENSION) * generator.uniform(0, 3)
    queries, keys = (
        (centre + generator.standard_normal((20, HEAD_DIMENSION))) * 10 ** generator.uniform(-3, 3)
        for _ in "qk"
    )
    return Layer(queries, keys, float(generator.uniform(-2, 8)))


def logits_are_bounded(layer: Layer, normalise: bool = True) -> bool:
    """Cosine attention is attention with a logit bound of the scale, which is at most 100."""
    built = layer.instance(normalise)
    stated = cosine_attention(layer.queries, layer.keys, built.values, layer.scale)
    same = np.allclose(built.output(), stated, rtol=0, atol=1e-11)
    return bool(same) and built.logit_bound <= layer.scale * (1 + 1e-12) <= LARGEST_SCALE * (1 + 1e-12)


TOKENS = {256: 680, 512: 2240}
"""How many tokens the released models draw, by the pixels of their images; 16 pixels per token at the end."""

ModelCase = tuple[int, float, float]


def model_is_released(case: ModelCase) -> bool:
    """Whether what is accounted for has the model's sizes, scale, tolerance and the rank of its degree."""
    pixels, scale, tolerance = case
    found = released_criterion(*case)
    sizes = (found.tokens, found.side, found.head_dim, found.value_dim)
    asked = (found.logit_bound, found.tolerance)
    rank = feature_count(HEAD_DIMENSION, found.degree.sufficient)
    return (
        sizes == (TOKENS[pixels], pixels / 16, 64, 64)
        and asked == (scale, tolerance)
        and found.rank == rank
        and found.crossover == crossover_tokens(HEAD_DIMENSION, HEAD_DIMENSION, rank)
        and found.plan == plan_pass(square_schedule(SIDES[pixels]), HEAD_DIMENSION, HEAD_DIMENSION, rank)
    )


DegreeCase = tuple[int, int]


def degree_pays(case: DegreeCase) -> bool:
    """Whether the cheapest pass of a model (by its pixels) uses the state of a polynomial of this degree."""
    pixels, degree = case
    rank = feature_count(HEAD_DIMENSION, degree)
    return plan_pass(square_schedule(SIDES[pixels]), HEAD_DIMENSION, HEAD_DIMENSION, rank).pays


def pass_is_cheapest(case: DegreeCase) -> bool:
    """Whether the plan is the cheapest one, by the counts of lem-block-causal-state.

    Every scale may use the state, built once, or not; and the crossover is the least L at which one scale of
    L tokens does.
    """
    pixels, degree = case
    rank = feature_count(HEAD_DIMENSION, degree)
    schedule = square_schedule(SIDES[pixels])
    plan = plan_pass(schedule, HEAD_DIMENSION, HEAD_DIMENSION, rank)
    state = plan.low_rank - sum(scale.low_rank for scale in plan.scales)
    cheapest = min(plan.exact, state + sum(min(scale.exact, scale.low_rank) for scale in plan.scales))
    chosen = sum(s.low_rank if s.method == "low-rank" else s.exact for s in plan.scales)
    least = crossover_tokens(HEAD_DIMENSION, HEAD_DIMENSION, rank)
    first = [
        tokens
        for tokens in (least - 1, least)
        if tokens and plan_pass(((1, tokens),), HEAD_DIMENSION, HEAD_DIMENSION, rank).pays
    ]
    return (
        plan.low_rank == multiplications(schedule, HEAD_DIMENSION, HEAD_DIMENSION, degree)
        and plan.planned == cheapest == chosen + (state if plan.pays else 0)
        and first == [least]
    )


def tolerance_claims(tolerance: float) -> Iterator[tuple[str, object, Relation, object]]:
    """E_1(1) > ε for the ε of a tolerance; E_1 increases with the logits' bound."""
    epsilon = Fraction(relative_tolerance(tolerance))
    least = Fraction(best_error_bounds(1, 1.0)[0])
    yield f"E_1(1) = {float(least):.4f} against ε = {float(epsilon):.4f}", least, ">", epsilon


SizeCase = tuple[float, float]
SIZE_CASES = list(product((1.0, 4.0, 20.0, 100.0), (0.1, 1e-3)))


def size_is_least(case: SizeCase) -> bool:
    """It pays there and not at half of it; and from there on operations are saved."""
    found = released_criterion(512, *case)
    side = paying_side(found)
    if side is None:
        return False

    def plan(n: int) -> bool:
        return plan_pass(
            square_schedule(geometric_sides(n)), found.head_dim, found.value_dim, found.rank
        ).pays

    tokens = (4 * side * side - 1) // 3
    return plan(side) and not plan(side // 2) and tokens >= crossover_tokens(64, 64, found.rank) // 2


@lemma(
    "rem-released-model",
    kind=Kind.REMARK,
    title="What this says of the released models",
    statement_uses=("def-attention", "thm-phase", "lem-token-count"),
    proof_uses=("lem-block-causal-state", "lem-weight-perturbation", "lem-monomial-features"),
    source="TJY24",
)
def released_model(run: Run) -> Iterator[Evidence]:
    """Random layers for the logits; counted operations for every degree; a certified error."""
    draws = run.pick(quick=100, full=3000)
    yield sampled(LOGITS, "20 clustered queries and keys", run.seed, draws, draw_layer, logits_are_bounded)
    models = list(product(TOKENS, (1.0, 4.0, 100.0), (0.1, 1e-3)))
    scope = "both models, scales 1, 4 and 100, tolerances 0.1 and 0.001"
    yield exhaustive(MODELS, scope, models, 2 * 3 * 2, model_is_released)
    cases = list(product(SIDES, range(21)))
    yield exhaustive(
        DEGREES,
        "both models, degrees up to 20",
        cases,
        2 * 21,
        lambda case: degree_pays(case) == (case[1] <= 1) and pass_is_cheapest(case),
    )
    yield certified(TOLERANCE, "scale 1, tolerance 1/5", tolerance_claims(0.2))
    scope = "scales 1, 4, 20 and 100, tolerances 0.1 and 0.001, the maps 1, 2, 4, ..., n"
    yield exhaustive(SIZES, scope, SIZE_CASES, len(SIZE_CASES), size_is_least)


@released_model.control("queries and keys are not normalised")
def without_normalisation(run: Run) -> Evidence:
    """Then nothing bounds the logits."""
    return sampled(
        LOGITS,
        "20 clustered queries and keys",
        run.seed,
        20,
        draw_layer,
        lambda layer: logits_are_bounded(layer, normalise=False),
    )


@released_model.control("degree 2 pays at 512 pixels, since its crossover is below 2,240 tokens")
def single_scale_crossover(run: Run) -> Evidence:
    """The crossover is one of a single scale; the pyramid's earlier scales see fewer keys."""
    return exhaustive(
        DEGREES,
        "512 pixels, degree 2",
        [(512, 2)],
        1,
        lambda case: (
            (crossover_tokens(HEAD_DIMENSION, HEAD_DIMENSION, feature_count(HEAD_DIMENSION, case[1])) < 2240)
            and degree_pays(case)
        ),
    )


@released_model.control("degree 1 is not enough for a quarter of the values' bound either")
def larger_tolerance(run: Run) -> Evidence:
    """At scale 1 it is."""
    return certified(TOLERANCE, "scale 1, tolerance 1/4", tolerance_claims(0.25))
