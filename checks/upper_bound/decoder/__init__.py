"""Checks of lem-decoder (definition, cost, errors) and lem-decoder-identity (from tokens to pixels)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

from checks.evidence import Evidence, certified, exhaustive, sampled
from checks.evidence.registry import Run, lemma
from checks.lower_bound.lower_bound import two_variable_formulas
from checks.upper_bound.decoder.errors import (
    SHAPES,
    agrees_with_textbook,
    attains_bound,
    bound_is_stated,
    cost_is,
    draw_noise,
    error_cases,
    error_claims,
    error_factor,
    library_bound,
    noise_claims,
    noise_stays_below,
    one_channel,
    positive_decoders,
    small_pairs,
    stated_bound,
)
from checks.upper_bound.decoder.instances import PLANS, WIDE
from checks.upper_bound.decoder.pixel_decisions import (
    FormulaCase,
    IdentityCase,
    all_scales_added,
    beside_the_centre,
    decided_from_pixels,
    identity_cases,
    shows_the_tokens,
    without_straight_path,
)
from reductions.problems.approximate_var import Reading
from reductions.problems.cnf import CNF, RUNNING_EXAMPLE
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import Shape
from reductions.upper_bound.decoder import Decoder, ImageModel
from reductions.upper_bound.decoder.layers import AttentionBounds

DEFINITION = "(1) the array program computes what the textbook does, number by number"
COST = "(2) the multiplications of the decoder are as many as stated, tallied"
ERROR = "(3) errors of the feature map grow at most by the product of the layers' factors"
OWN = "(3) an error of attention of its own is enlarged by w_O and by the factors after it"
STATED = "(3) the bound that is computed is the stated one"
SHARP = "(3) the bound is attained by decoders of positive centre taps, without attention"


@lemma(
    "lem-decoder",
    title="The decoder",
    statement_uses=("def-attention", "lem-feature-map-reconstruction", "lem-block-causal-state"),
    proof_uses=("lem-lipschitz-attention", "lem-lipschitz-convolution"),
    source="TJY24",
)
def decoder_lemma(run: Run) -> Iterator[Evidence]:
    """Textbook against arrays, tallied products, interval arithmetic on small decoders, attained bounds."""
    channels = run.pick(quick=(2,), full=(1, 2, 3))
    shapes = run.pick(quick=SHAPES[:4], full=SHAPES)
    plans = (*PLANS, WIDE)
    cases = list(product(plans, shapes, channels))
    words = f"{len(plans)} plans of layers, {len(shapes)} shapes up to {shapes[-1]}, c in {channels}"
    yield exhaustive(DEFINITION, words, cases, len(plans) * len(shapes) * len(channels), agrees_with_textbook)
    yield exhaustive(COST, words, cases, len(cases), cost_is(Decoder.multiplications))
    tried = error_cases(run.pick(quick=False, full=True))
    words = f"{len(tried)} pairs: all small ones through attention, random ones through {len(PLANS)} plans"
    yield certified(ERROR, words, error_claims(tried, stated_bound))
    yield certified(ERROR, f"{words}, the library's bound", error_claims(tried, library_bound))
    lists = list(positive_decoders())
    words = "all lists of up to three layers with weights 1, 2, 3, in fractions"
    yield exhaustive(SHARP, words, lists, 1 + 7 + 49 + 343, attains_bound)
    words = f"{len(PLANS)} plans, three decoders each, with errors of attention; maps of sides 3 or more"
    stated = list(product(PLANS, range(3)))
    yield exhaustive(STATED, words, stated, 3 * len(PLANS), bound_is_stated)
    attending = [plan for plan in PLANS if "A" in plan]
    words = f"the {len(attending)} plans with attention, three decoders each, the first attention off by 1/64"
    yield certified(OWN, words, noise_claims(attending))
    count = run.pick(quick=40, full=400)
    words = "random decoders, every attention and the feature map off"
    yield sampled(OWN, words, run.seed, count, draw_noise, noise_stays_below)


@decoder_lemma.control("the straight path of residual blocks is forgotten")
def forgotten_straight_path(run: Run) -> Evidence:
    """A ResNet block enlarges errors by 1 + ||C2|| ||C1||, not by ||C2|| ||C1||."""

    def forgetful(decoder: Decoder, error: float, bounds: list[AttentionBounds], shape: Shape) -> float:
        remaining = iter(bounds)
        return math.prod(error_factor(layer, remaining, straight=0.0) for layer in decoder.layers) * error

    pairs = [(one_channel(), *pair) for pair in small_pairs((1, 2), 0.25)]
    return certified(ERROR, "attention on two pixels, -1, 0, 1, moved by 1/4", error_claims(pairs, forgetful))


@decoder_lemma.control("attention as a mean: that its logits move is forgotten")
def without_logits(run: Run) -> Evidence:
    """At a low temperature the weights move more than the values."""

    def forgetful(decoder: Decoder, error: float, bounds: list[AttentionBounds], shape: Shape) -> float:
        remaining = iter(bounds)
        return math.prod(error_factor(layer, remaining, logits=0.0) for layer in decoder.layers) * error

    pairs = [(one_channel(0.5, 2.0), *pair) for pair in small_pairs((1, 2), 0.25)]
    return certified(ERROR, "attention on two pixels, tau = 1/2", error_claims(pairs, forgetful))


@decoder_lemma.control("an error of attention counts once, whatever comes after it")
def without_later_layers(run: Run) -> Evidence:
    """The layers behind the block enlarge it as any other error."""
    words = "one attention, a doubling and a convolution after it, three decoders"
    return certified(OWN, words, noise_claims(["RARUC"], later=False))


@decoder_lemma.control("decoder attention costs N (d + d_v), as if each pixel saw one")
def linear_attention(run: Run) -> Evidence:
    """Exact attention sees N^2 pairs."""
    return exhaustive(
        COST,
        "attention and a convolution on 2 x 2",
        [("AC", (2, 2), 2)],
        1,
        cost_is(lambda decoder, shape: decoder.multiplications(shape, lambda n, d, w: n * (d + w))),
    )


EXACT = "(1) every image pixel is its token's channel, bit by bit, in all three colours"
DECIDES = "(2) formulas are decided from pixels that are off by the tolerated error"


@lemma(
    "lem-decoder-identity",
    title="From tokens to pixels unchanged",
    statement_uses=("def-var", "def-avar", "lem-feature-map-reconstruction", "lem-decoder"),
    proof_uses=("lem-attention-to-var", "lem-sat-to-var-inference"),
)
def decoder_identity(run: Run) -> Iterator[Evidence]:
    """Images of random maps, compared in bits; small formulas sent to pixels and back."""
    side = run.pick(quick=4, full=6)
    count = (2**side - 1 + 2) * 2 * 3 * 2
    words = f"all square schedules with sides up to {side}, two oblong ones, two kernels, 0 to 2 doublings"
    yield exhaustive(EXACT, words, identity_cases(side), count, shows_the_tokens)
    readings = (Reading.MAPS, Reading.START_AND_POSITIONS)
    formulas = list(two_variable_formulas())
    cases = [FormulaCase(formula, reading) for formula, reading in product(formulas, readings)]
    words = "all 46 sets of at most two clauses on two variables, both readings, one doubling, with noise"
    yield exhaustive(DECIDES, words, cases, 2 * 46, decided_from_pixels)
    named = [RUNNING_EXAMPLE, UNSATISFIABLE]
    kernels = run.pick(quick=(Kernel.NEAREST,), full=tuple(Kernel))
    larger = [FormulaCase(*case) for case in product(named, readings, kernels, (0, 2))]
    words = f"the running example and an unsatisfiable formula, both readings, {', '.join(kernels)}, 0 and 2"
    yield exhaustive(DECIDES, words, larger, 8 * len(kernels), decided_from_pixels)


UNSATISFIABLE = CNF(3, tuple(product((1, -1), (2, -2), (3, -3))))
"""All eight clauses of three variables."""

NAMED = IdentityCase(((1, 1), (2, 2), (3, 3)), Interpolation(), 1, 0)


def broken_image(change: Callable[[ImageModel], ImageModel]) -> Evidence:
    """Put a broken pipeline to the test of the lemma."""
    words = "1 x 1, 2 x 2, 3 x 3, one doubling"
    return exhaustive(EXACT, words, [NAMED], 1, partial(shows_the_tokens, change=change))


@decoder_identity.control("the ResNet block loses its straight path")
def no_straight_path(run: Run) -> Evidence:
    """Then only its silent branch is left, and the image is black."""
    return broken_image(without_straight_path)


@decoder_identity.control("taps beside the centre")
def off_centre(run: Run) -> Evidence:
    """Every pixel shows its neighbour, and the border shows the padding."""
    return broken_image(beside_the_centre)


@decoder_identity.control("all scales enter the feature map")
def coarse_scales_added(run: Run) -> Evidence:
    """The coarser maps are added to the last one."""
    return broken_image(all_scales_added)


@decoder_identity.control("token (i, j) is looked for at pixel (i, j) of a doubled image")
def wrong_pixel(run: Run) -> Evidence:
    """It is at (2 i, 2 j)."""
    case = FormulaCase(CNF(4, ((1,), (2,), (3,), (4,))), Reading.MAPS)
    words = "four unit clauses, which the last row satisfies"
    return exhaustive(DECIDES, words, [case], 1, partial(decided_from_pixels, spread=1))
