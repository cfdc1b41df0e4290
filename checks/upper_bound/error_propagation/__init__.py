"""Checks of the Lipschitz constants of a model's layers and of lem-error-composition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Evidence, certified, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from checks.upper_bound.error_propagation.attention_constants import (
    ROUNDING,
    derivative_attained,
    derivative_within,
    draw_pair,
    draw_tokens,
    equality_claims,
    extremal_identities,
    one_norm_attained,
    pair_claims,
    pair_within,
    shared_weights_nearly_attain,
)
from checks.upper_bound.error_propagation.instances import (
    extremal_layer,
    extremal_pair,
    stage_at,
)
from checks.upper_bound.error_propagation.linear_stages import (
    KERNELS_IN_WORDS,
    convolution_cases,
    interpolation_cases,
    interpolation_is_sharp,
    kernel_is_sharp,
)
from checks.upper_bound.error_propagation.runs import (
    CHAINS,
    alternating_errors,
    chain_growth,
    composition_identities,
    draw_perturbed,
    enclosed_claims,
    errors_of_the_first_scale,
    perturbed_within,
    without_interpolation,
    without_older_scales,
)
from checks.upper_bound.error_propagation.stated_stages import (
    draw_stage,
    grows_as_stated,
    one_bound_is_stated,
)
from reductions.layers.norms import column_norm
from reductions.problems.interpolation import Interpolation
from reductions.problems.var_model import SelfAttention
from reductions.upper_bound.error_propagation import (
    AttentionMagnitudes,
    AttentionStage,
    feed_forward_lipschitz,
    interpolation_lipschitz,
)

CONSTANT = "the constant, and that it is attained"
FINITE = "(1) two inputs at any distance"
LIPSCHITZ = "(2) the Lipschitz constant"
SHARP = "(3) equality"
STATED = "(1, 2, 4) the numbers that are computed are the stated ones, rounded up"
SHARED = "(5) queries, keys and values read the same channels"
ONE_NORM = "(4) one bound for all norms and entries"


@lemma(
    "lem-lipschitz-interpolation",
    title="Errors under up-interpolation",
    statement_uses=("def-interpolation", "lem-lebesgue"),
)
def lipschitz_interpolation(run: Run) -> Iterator[Evidence]:
    """Two maps at distance 1 whose interpolations are as far apart as stated, exactly."""
    cases, count, scope = interpolation_cases(run.pick(quick=4, full=6))
    yield exhaustive(CONSTANT, scope, cases, count, interpolation_is_sharp)


@lipschitz_interpolation.control("weights that sum to 1 do not amplify: the constant 1")
def no_amplification(run: Run) -> Evidence:
    """True for nearest and bilinear; bicubic has negative weights."""
    cases, count, scope = interpolation_cases(4)
    return exhaustive(
        CONSTANT,
        scope,
        cases,
        count,
        lambda case: interpolation_is_sharp(case, lambda rule, rows, columns: 1.0),
    )


@lipschitz_interpolation.control("one axis is counted where there are two")
def one_axis(run: Run) -> Evidence:
    """The constant of a map is a product over its axes."""

    def larger_axis(rule: Interpolation, coarse: tuple[int, int], fine: tuple[int, int]) -> float:
        return max(interpolation_lipschitz(rule, (h, 1), (f, 1)) for h, f in zip(coarse, fine, strict=True))

    cases, count, scope = interpolation_cases(4)
    return exhaustive(CONSTANT, scope, cases, count, lambda case: interpolation_is_sharp(case, larger_axis))


@lemma("lem-lipschitz-convolution", title="Errors under convolution")
def lipschitz_convolution(run: Run) -> Iterator[Evidence]:
    """Every kernel with small entries on small maps, against the matrix of the convolution."""
    shapes = run.pick(quick=((2, 3), (3, 3)), full=((1, 1), (1, 3), (2, 2), (2, 3), (3, 3), (4, 3)))
    cases, count = convolution_cases(shapes)
    yield exhaustive(CONSTANT, f"{KERNELS_IN_WORDS}; maps {shapes}", cases, count, kernel_is_sharp)


def _convolution_control(constant: Callable[[np.ndarray[Any, Any]], float]) -> Evidence:
    cases, count = convolution_cases(((3, 3),))
    scope = f"{KERNELS_IN_WORDS}; maps 3 x 3"
    return exhaustive(CONSTANT, scope, cases, count, lambda case: kernel_is_sharp(case, constant))


@lipschitz_convolution.control("the largest tap")
def largest_tap(run: Run) -> Evidence:
    """All nine taps can add up."""
    return _convolution_control(lambda taps: float(np.abs(taps).max()))


@lipschitz_convolution.control("the absolute value of the sum of the taps")
def signed_sum(run: Run) -> Evidence:
    """The gain for constant maps only."""
    return _convolution_control(lambda taps: float(abs(taps.sum())))


@lipschitz_convolution.control("the Euclidean norm of the taps")
def euclidean_norm(run: Run) -> Evidence:
    """Errors of equal size on all nine pixels add linearly."""
    return _convolution_control(lambda taps: float(np.sqrt((taps**2).sum())))


@lemma("lem-lipschitz-feed-forward", title="Errors under a feed-forward layer", statement_uses=("def-var",))
def lipschitz_feed_forward(run: Run) -> Iterator[Evidence]:
    """All small matrices and all pairs of small tokens, in whole numbers."""
    side = run.pick(quick=2, full=3)
    yield _feed_forward(feed_forward_lipschitz, side)


def _feed_forward(constant: Callable[[Any], float], largest: int) -> Evidence:
    entries = range(-largest, largest + 1)
    tokens = np.array(list(product((-2, -1, 0, 1, 2), repeat=2)))
    differences = np.abs(tokens[:, None] - tokens[None]).max(axis=2)

    def holds(flat: tuple[int, ...]) -> bool:
        matrix = np.array(flat).reshape(2, 2)
        hidden = np.maximum(tokens @ matrix, 0)
        moved = np.abs(hidden[:, None] - hidden[None]).max(axis=2)
        bound = constant(matrix)
        never_above = (moved <= bound * differences * ROUNDING).all()
        attained = (moved >= bound * differences / ROUNDING)[differences > 0].any()
        return bool(never_above and attained)

    scope = f"all 2 x 2 matrices with entries up to {largest}, all pairs of tokens with entries up to 2"
    return exhaustive(CONSTANT, scope, product(entries, repeat=4), len(entries) ** 4, holds)


@lipschitz_feed_forward.control("the largest row l1 norm")
def row_norm(run: Run) -> Evidence:
    """Rows multiply what leaves, columns collect what enters."""
    return _feed_forward(lambda matrix: column_norm(matrix.T), 2)


@lipschitz_feed_forward.control("the spectral norm")
def spectral_norm(run: Run) -> Evidence:
    """It belongs to Euclidean distances."""
    return _feed_forward(lambda matrix: float(np.linalg.norm(matrix, 2)), 2)


@lemma(
    "lem-lipschitz-attention",
    title="Errors under attention",
    statement_uses=("def-attention", "def-var", "lem-weight-perturbation"),
    proof_uses=("lem-weight-perturbation",),
)
def lipschitz_attention(run: Run) -> Iterator[Evidence]:
    """Identities and equality by algebra, pairs in interval arithmetic, derivatives, random pairs."""
    yield symbolic(SHARP, "every even d up to 6, every norm, bound, delta and tau", extremal_identities())
    yield certified(SHARP, "d = 2 and 4, nine extremal pairs, interval arithmetic", equality_claims())
    draws = run.pick(quick=60, full=600)
    yield certified(
        FINITE, f"{draws} random rational pairs, interval arithmetic", pair_claims(run.seed, draws)
    )
    draws = run.pick(quick=150, full=3000)
    words = "random layers with up to 6 tokens, tokens moved adversarially, float64"
    yield sampled(FINITE, words, run.seed, draws, draw_pair, pair_within)
    words = "the derivative's norm at random tokens, float64"
    yield sampled(LIPSCHITZ, words, run.seed, 4 * draws, draw_tokens, derivative_within)
    yield exhaustive(
        LIPSCHITZ,
        "the derivative's norm at extremal tokens, d = 2, ..., 12",
        range(2, 13, 2),
        6,
        derivative_attained,
    )
    cases = list(product((0.5, 1.0, 3.0), (0.25, 1.0, 4.0), (2, 4, 8), (0.5, 1.0, 8.0)))
    scope = "three w, three R, d = 2, 4, 8 and three tau"
    yield exhaustive(ONE_NORM, scope, cases, 81, lambda case: one_norm_attained(*case))
    scope = "w, R = 0.1, 0.7, 3, d = 1, 3, 8, tau = 0.3, 1, 7, in rational arithmetic"
    cases = list(product((0.1, 0.7, 3.0), (0.1, 0.7, 3.0), (1, 3, 8), (0.3, 1.0, 7.0)))
    yield exhaustive(STATED, scope, cases, 81, one_bound_is_stated)
    words = "random layers, asked and seen tokens off by different errors, in rational arithmetic"
    yield sampled(STATED, words, run.seed, draws, draw_stage, grows_as_stated)
    sizes = list(product((2, 4, 6), (1, 3, 20)))
    scope = "d = 2, 4, 6 at tau = d, R = w = 1, with 1, 3 and 20 tokens of either sign"
    yield exhaustive(SHARED, scope, sizes, 9, shared_weights_nearly_attain)


def _one_norm(constant: Callable[[float, int, float, float], float]) -> Evidence:
    cases = list(product((0.5, 1.0, 3.0), (0.25, 1.0, 4.0), (2, 4, 8), (0.5, 1.0, 8.0)))
    scope = "three w, three R, d = 2, 4, 8 and three tau"
    return exhaustive(ONE_NORM, scope, cases, 81, lambda case: one_norm_attained(*case, constant))


@lipschitz_attention.control("attention averages, so it does not amplify: the constant w")
def without_logits(run: Run) -> Evidence:
    """The weights move as well."""
    return _one_norm(lambda w, d, R, tau: w)


@lipschitz_attention.control("only the queries are taken to move: w (1 + d R^2 / tau)")
def queries_only(run: Run) -> Evidence:
    """In self-attention keys move together with queries."""
    return _one_norm(lambda w, d, R, tau: w * (1 + d * R * R / tau))


@lipschitz_attention.control("d is left out: w (1 + 2 R^2 / tau)")
def without_dimension(run: Run) -> Evidence:
    """Right at tau = 1 and d = 1, or with tau/d in place of tau."""
    return _one_norm(lambda w, d, R, tau: w * (1 + 2 * R * R / tau))


@lipschitz_attention.control("row l1 norms of the weights in place of column l1 norms")
def row_norms(run: Run) -> Evidence:
    """Tokens are rows, multiplied by weights from the right."""

    def constant(case: tuple[SelfAttention, Any]) -> bool:
        layer, tokens = case
        right = stage_at(layer, tokens)
        product_of_two = np.asarray(layer.value_weights) @ layer.output_weights
        w_q, w_k, w_vo = (
            column_norm(np.asarray(weights).T)
            for weights in (layer.query_weights, layer.key_weights, product_of_two)
        )
        wrong = replace(right, query_norm=w_q, key_norm=w_k, value_norm=w_vo)
        return derivative_within(case, lambda stage: wrong.lipschitz)

    return sampled(LIPSCHITZ, "the derivative at random tokens", run.seed, 600, draw_tokens, constant)


@lipschitz_attention.control("the second-order term of the logits is dropped, entries read off one end")
def one_end_without_product(run: Run) -> Evidence:
    """Where all queries and keys of one end vanish, the logits of the other end are second order."""

    def growth(stage: AttentionStage, error: float) -> float:
        m = stage.magnitudes
        eta = (
            stage.dimension
            * error
            * (stage.query_norm * m.key + stage.key_norm * m.query)
            / stage.temperature
        )
        return stage.value_norm * error + 2 * m.output * float(np.tanh(eta / 2))

    def holds(d: int) -> bool:
        still, moved = np.zeros((2, 2, 2 * d + 1))
        still[:, -1] = moved[:, -1] = 4, -4
        moved[:, :d], moved[0, d:-1], moved[1, d:-1] = 1, 1, -1
        layer = extremal_layer(d, 1.0, 1.0, 1.0, float(d))
        return pair_within((layer, still, moved, 1.0), growth)

    return exhaustive(FINITE, "tokens with zero queries and keys, d = 2, 4, 6", (2, 4, 6), 3, holds)


@lipschitz_attention.control("values are taken to be at most 1")
def unit_values(run: Run) -> Evidence:
    """A pair of large values is moved as far as they are apart."""

    def growth(stage: AttentionStage, error: float) -> float:
        m = stage.magnitudes
        unit = AttentionMagnitudes(m.query, m.key, min(m.output, 1.0))
        return replace(stage, magnitudes=unit).growth(error)

    def holds(d: int) -> bool:
        layer = extremal_layer(d, 1.0, 1.0, 1.0, float(d))
        pair = extremal_pair(d, (1.0, 1.0, 1.0), (1.0, 1.0, 4.0), float(d), 0.25)
        return pair_within((layer, np.array(pair.before), np.array(pair.after), 0.25), growth)

    return exhaustive(FINITE, "extremal pairs with U = 4, d = 2, 4, 6", (2, 4, 6), 3, holds)


@lemma(
    "lem-error-composition",
    title="Errors of a whole model",
    statement_uses=(
        "def-var",
        "lem-lipschitz-interpolation",
        "lem-lipschitz-convolution",
        "lem-lipschitz-feed-forward",
        "lem-lipschitz-attention",
    ),
)
def error_composition(run: Run) -> Iterator[Evidence]:
    """The recursion by algebra, equality on chains of layers, and models with errors put in everywhere."""
    yield symbolic(
        "(1) the sum of products", "six layers, all constants and local errors", composition_identities()
    )
    scope = f"{len(CHAINS)} chains of three feed-forward layers with errors, whole numbers"
    yield exhaustive("(1) equality", scope, CHAINS, len(CHAINS), chain_growth)
    draws = run.pick(quick=25, full=300)
    scope = (
        f"{draws} random models of two scales and 1 to 3 layers with errors put in, interval arithmetic; "
        "all with float64 runs that are right to 2^-40"
    )
    yield certified("(3) drawing", scope, enclosed_claims(run.seed, draws))
    draws = run.pick(quick=60, full=800)
    for drawn, words in ((False, "(2) given maps"), (True, "(3) drawing")):
        yield sampled(
            words,
            "random models of 3 or 4 scales and 1 to 3 layers, errors put in after each layer, float64",
            run.seed,
            draws,
            partial(draw_perturbed, drawn=drawn),
            perturbed_within,
        )
    yield sampled(
        "(3) drawing",
        "two scales, errors with the signs of one row of the operator",
        run.seed,
        20,
        alternating_errors,
        perturbed_within,
    )


@error_composition.control("local errors are added up, without the constants of later layers")
def plain_sum(run: Run) -> Evidence:
    """An early error is amplified by all that follows."""
    return exhaustive(
        "(1) equality",
        "chains of feed-forward layers",
        CHAINS,
        len(CHAINS),
        lambda case: chain_growth(case, sum),
    )


@error_composition.control("the product of the constants times the largest local error")
def product_only(run: Run) -> Evidence:
    """The later errors are missing."""
    return exhaustive(
        "(1) equality",
        "chains of feed-forward layers",
        CHAINS,
        len(CHAINS),
        lambda case: chain_growth(case, max),
    )


@error_composition.control("tokens of older scales are taken to be exact")
def forgotten_scales(run: Run) -> Evidence:
    """Their keys and values carry errors into every later scale."""
    return sampled(
        "(2) given maps",
        "two scales and two layers, an error after the first layer at the first scale",
        run.seed,
        20,
        errors_of_the_first_scale,
        lambda case: perturbed_within(case, without_older_scales),
    )


@error_composition.control("up-interpolation between the scales is left out")
def forgotten_interpolation(run: Run) -> Evidence:
    """Errors of alternating signs are amplified by bicubic interpolation."""
    return sampled(
        "(3) drawing",
        "two scales, errors with the signs of one row of the operator",
        run.seed,
        20,
        alternating_errors,
        lambda case: perturbed_within(case, without_interpolation),
    )
