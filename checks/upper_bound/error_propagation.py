"""Checks of the Lipschitz constants of a model's layers and of lem-error-composition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from checks.error_runs import (
    CHAINS,
    alternating_errors,
    chain_growth,
    composition_identities,
    draw_perturbed,
    errors_of_the_first_scale,
    perturbed_within,
    without_interpolation,
    without_older_scales,
)
from checks.evidence import Evidence, certified, exhaustive, sampled, symbolic
from checks.interval_model import enclosed_attention, precision
from checks.lemma import Run, lemma
from checks.linear_stages import (
    KERNELS_IN_WORDS,
    convolution_cases,
    interpolation_cases,
    interpolation_is_sharp,
    kernel_is_sharp,
)
from checks.lipschitz_instances import (
    ascend,
    draw_layer,
    extremal_layer,
    extremal_pair,
    jacobian_norm,
    self_attend,
    stage_at,
)
from reductions.norms import column_norm
from reductions.problems.interpolation import Interpolation
from reductions.problems.var_model import SelfAttention
from reductions.upper_bound.error_propagation import (
    AttentionMagnitudes,
    AttentionStage,
    attention_lipschitz,
    feed_forward_lipschitz,
)

CONSTANT = "the constant, and that it is attained"
FINITE = "(1) two inputs at any distance"
LIPSCHITZ = "(2) the Lipschitz constant"
SHARP = "(3) equality"
SHARED = "(5) queries, keys and values read the same channels"
ONE_NORM = "(4) one bound for all norms and entries"

Claims = Iterator[tuple[str, Any, Any, Any]]
ROUNDING = 1 + 2.0**-40


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
    from reductions.upper_bound.error_propagation import interpolation_lipschitz as constant

    def larger_axis(rule: Interpolation, coarse: tuple[int, int], fine: tuple[int, int]) -> float:
        return max(constant(rule, (h, 1), (f, 1)) for h, f in zip(coarse, fine, strict=True))

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
    sizes = list(product((2, 4, 6), (1, 3, 20)))
    scope = "d = 2, 4, 6 at tau = d, R = w = 1, with 1, 3 and 20 tokens of either sign"
    yield exhaustive(SHARED, scope, sizes, 9, shared_weights_nearly_attain)


def extremal_identities() -> dict[str, Any]:
    """The extremal pair: logits -+ eta/2 before and +- eta/2 after, values +- U and these plus w_VO delta."""
    import sympy

    w_q, w_k, w_v, r_q, r_k, u, tau, delta = sympy.symbols("w_Q w_K w_V R_Q R_K U tau delta", positive=True)
    identities: dict[str, Any] = {}
    for d in (2, 4, 6):
        pair = extremal_pair(d, (w_q, w_k, w_v), (r_q, r_k, u), tau, delta)
        for end, sign in ((pair.before, -1), (pair.after, 1)):
            for side, key in zip((1, -1), end, strict=True):
                logit = (
                    sum((w_q * q) * (w_k * k) for q, k in zip(end[0][:d], key[d : 2 * d], strict=True)) / tau
                )
                identities[f"d = {d}, logit of key {side}, end {sign}"] = (
                    logit - sign * side * pair.logit_move / 2
                )
        identities[f"d = {d}, eta"] = pair.logit_move - d * delta * (w_q * r_k + w_k * r_q) / tau
        for side, (x, y) in zip((1, -1), zip(pair.before, pair.after, strict=True), strict=True):
            identities[f"d = {d}, value {side}"] = w_v * x[2 * d] - side * u
            identities[f"d = {d}, value {side} after"] = w_v * y[2 * d] - side * u - w_v * delta
    a, b, c, e = sympy.symbols("q q' k k'", real=True)
    identities["<q', k'> - <q, k>, by middles"] = (
        b * e - a * c - ((b - a) * (c + e) / 2 + (a + b) / 2 * (e - c))
    )
    identities["<q', k'> - <q, k>, by one end"] = (
        b * e - a * c - ((b - a) * c + a * (e - c) + (b - a) * (e - c))
    )
    h = sympy.Symbol("eta", positive=True)
    mean = (sympy.exp(h / 2) - sympy.exp(-h / 2)) / (sympy.exp(h / 2) + sympy.exp(-h / 2))
    identities["mean of -+ 1 at logits -+ eta/2"] = mean - sympy.tanh(h / 2).rewrite(sympy.exp)
    return identities


def _enclose(iv: Any, layer: SelfAttention, tokens: list[list[Any]]) -> list[list[Any]]:
    rows = [[iv.mpf(x.numerator) / x.denominator for x in map(Fraction, token)] for token in tokens]
    return enclosed_attention(iv, layer, rows, rows)


def equality_claims() -> Claims:
    """The extremal pair moves the output by w_VO delta + 2 U tanh(eta/2), up to 2^-80."""
    with precision(200) as iv:
        for d, (w_q, w_k, w_v), delta in (
            (2, (Fraction(1), Fraction(1), Fraction(1)), Fraction(1, 8)),
            (2, (Fraction(2), Fraction(1, 2), Fraction(4)), Fraction(1)),
            (4, (Fraction(1, 2), Fraction(2), Fraction(1)), Fraction(1, 64)),
        ):
            layer = extremal_layer(d, float(w_q), float(w_k), float(w_v), 2.0)
            for bounds in (
                (Fraction(1), Fraction(1), Fraction(1)),
                (Fraction(3), Fraction(1, 4), Fraction(2)),
                (Fraction(0), Fraction(1), Fraction(5)),
            ):
                pair = extremal_pair(d, (w_q, w_k, w_v), bounds, Fraction(2), delta)
                before, after = (_enclose(iv, layer, end) for end in (pair.before, pair.after))
                eta = iv.mpf(pair.logit_move.numerator) / pair.logit_move.denominator
                grown = iv.exp(eta)
                u, shift = (iv.mpf(x.numerator) / x.denominator for x in (bounds[2], w_v * delta))
                bound = shift + 2 * u * (grown - 1) / (grown + 1)
                gap = after[0][0] - before[0][0] - bound
                name = f"d = {d}, norms {w_q, w_k, w_v}, bounds {bounds}"
                yield name, gap, "<", Fraction(1, 2**80)
                yield name, gap, ">", Fraction(-1, 2**80)


def pair_claims(seed: int, count: int) -> Claims:
    """Random pairs of two to four tokens with entries in eighths; the bound reads one end only."""
    generator = np.random.default_rng(seed)
    for index in range(count):
        layer, channels = draw_layer(generator)
        tokens = int(generator.integers(2, 5))
        before = generator.integers(-16, 17, (tokens, channels)) / 8
        delta = float(2.0 ** generator.integers(-6, 2))
        after = before + delta * generator.integers(-1, 2, before.shape)
        with precision(120) as iv:
            outputs = [_enclose(iv, layer, end.tolist()) for end in (before, after)]
            moved = max(
                max(abs(y - x).b, 0) for a, b in zip(*outputs, strict=True) for x, y in zip(a, b, strict=True)
            )
            bound = Fraction(stage_at(layer, before).growth(delta))
            yield f"pair {index}", iv.mpf(moved), "<=", bound


Pair = tuple[SelfAttention, Any, Any, float]


def draw_pair(generator: np.random.Generator) -> Pair:
    """Draw a layer, tokens, and tokens at distance delta that move the output far."""
    layer, channels = draw_layer(generator)
    tokens = generator.standard_normal((int(generator.integers(1, 7)), channels)) * np.exp(
        generator.uniform(-2, 1)
    )
    delta = float(np.exp(generator.uniform(-5, 2)))
    return layer, tokens, ascend(layer, tokens, delta, 8, generator), delta


def pair_within(pair: Pair, growth: Callable[[AttentionStage, float], float] = AttentionStage.growth) -> bool:
    """Compare the outputs' difference with the bound, read off either end."""
    layer, before, after, delta = pair
    moved = np.abs(self_attend(layer, after) - self_attend(layer, before)).max()
    return all(moved <= growth(stage_at(layer, end), delta) * ROUNDING for end in (before, after))


def draw_tokens(generator: np.random.Generator) -> tuple[SelfAttention, Any]:
    """Draw a layer and tokens of different sizes."""
    layer, channels = draw_layer(generator)
    tokens = int(generator.integers(1, 7))
    return layer, generator.standard_normal((tokens, channels)) * np.exp(generator.uniform(-2, 1))


def derivative_within(
    case: tuple[SelfAttention, Any],
    constant: Callable[[AttentionStage], float] = lambda stage: stage.lipschitz,
) -> bool:
    """Compare the norm of the derivative with the constant."""
    layer, tokens = case
    return jacobian_norm(layer, tokens) <= constant(stage_at(layer, tokens)) * ROUNDING


def derivative_attained(d: int) -> bool:
    """The derivative at the middle of the extremal pair has the norm that the constant says."""
    norms, bounds = (1.5, 0.5, 2.0), (1.25, 0.75, 1.0)
    layer = extremal_layer(d, *norms, 3.0)
    tokens = np.array(extremal_pair(d, norms, bounds, 3.0, 0.0).before)
    stage = stage_at(layer, tokens)
    return derivative_within((layer, tokens)) and jacobian_norm(layer, tokens) * ROUNDING >= stage.lipschitz


def one_norm_attained(
    w: float, bound: float, d: int, tau: float, constant: Any = attention_lipschitz
) -> bool:
    """w (1 + 2 d R^2/tau) is the derivative's norm where all norms are w and all entries R."""
    layer = extremal_layer(d, w, w, w, tau)
    tokens = np.array(extremal_pair(d, (w, w, w), (bound, bound, bound), tau, 0.0).before)
    ratio = jacobian_norm(layer, tokens) / constant(w, d, bound, tau)
    return bool(1 / ROUNDING <= ratio <= ROUNDING)


def shared_weights_nearly_attain(case: tuple[int, int]) -> bool:
    """Queries, keys and values are the tokens themselves, w = R = 1, tau = d; m tokens of each sign."""
    d, m = case
    layer = SelfAttention(np.eye(d), np.eye(d), np.eye(d), np.eye(d), float(d))
    asks = np.array([[1.0] * (d // 2) + [-1.0] * (d // 2)])
    tokens = np.vstack([asks, np.ones((m, d)), -np.ones((m, d))])
    own = np.e / (2 * m + np.e)
    stated = 1 + (1 - own) * (2 * d - 1 - own) / d
    constant = attention_lipschitz(1.0, d, 1.0, float(d))
    return bool(stated / ROUNDING <= jacobian_norm(layer, tokens) <= constant * ROUNDING)


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
