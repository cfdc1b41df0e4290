"""What the check of lem-decoder decides: agreement, costs, and error bounds on small decoders."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Claims
from checks.exact.counting import Counted, Tally
from checks.upper_bound.decoder.instances import (
    PLANS,
    as_grid,
    drawn_decoder,
    drawn_image,
    measured_bounds,
)
from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution, Doubling
from reductions.layers.norms import column_norm
from reductions.problems.attention import attention
from reductions.problems.schedule import Shape
from reductions.problems.var_model import SelfAttention
from reductions.upper_bound.decoder import Decoder, textbook_decoder, textbook_layers
from reductions.upper_bound.decoder.layers import (
    AttentionBlock,
    AttentionBounds,
    ResidualBlock,
)

SHAPES: tuple[Shape, ...] = ((1, 1), (1, 2), (2, 2), (3, 2), (3, 4))
Case = tuple[str, Shape, int]
"""A plan of layers, a shape, the channels."""


def agrees_with_textbook(case: Case) -> bool:
    """Compare the array program with the textbook: in fractions without attention, in floats with it."""
    plan, shape, channels = case
    decoder, image = drawn_decoder(plan, channels, 1), drawn_image(shape, channels, 2)
    number: Any = float if set("AB") & set(plan) else Fraction
    exact = textbook_decoder(decoder, as_grid(image, number), math.exp)
    computed = decoder(image)
    expected = np.array(exact, dtype=np.float64)
    sides = tuple(decoder.factor * side for side in shape)
    largest = 1 + float(np.abs(expected).max())
    return computed.shape == expected.shape == (*sides, 3) and bool(
        np.abs(computed - expected).max() <= 2.0**-35 * largest
    )


def cost_is(stated: Callable[[Decoder, Shape], int]) -> Callable[[Case], bool]:
    """Return the predicate that tallies the textbook's multiplications and compares."""

    def holds(case: Case) -> bool:
        plan, shape, channels = case
        decoder, tally = drawn_decoder(plan, channels, 1, scale=64.0), Tally()
        image = as_grid(drawn_image(shape, channels, 2), lambda x: Counted(x, tally))
        textbook_decoder(decoder, image, Counted.exponential)
        return tally.multiplications == stated(decoder, shape)

    return holds


def error_claims(
    cases: Sequence[tuple[Decoder, Floats, Floats]],
    bound: Callable[[Decoder, float, list[AttentionBounds], Shape], float],
) -> Claims:
    """Yield |image - image'| <= bound in interval arithmetic, over all pixels at once.

    Feature maps are exact; the bound is a float, enlarged by 2^-40 for its own roundings.
    """
    from mpmath import iv

    for index, (decoder, image, moved) in enumerate(cases):
        bounds = measured_bounds(decoder, image, moved)
        error = float(np.abs(image - moved).max())
        allowed = Fraction(bound(decoder, error, bounds, image.shape[:2])) * (1 + Fraction(1, 2**40))
        one, other = (textbook_decoder(decoder, as_grid(x, iv.mpf), iv.exp) for x in (image, moved))
        for position in np.ndindex(len(one), len(one[0]), 3):
            i, j, t = position
            difference = one[i][j][t] - other[i][j][t]
            for sign in (1, -1):
                yield f"case {index}, {image.tolist()} and {moved.tolist()}", sign * difference, "<=", allowed


def stated_bound(decoder: Decoder, error: float, bounds: list[AttentionBounds], shape: Shape) -> float:
    """Return the product of the factors, written down anew, times the error."""
    remaining = iter(bounds)
    for layer in decoder.layers:
        error *= error_factor(layer, remaining)
    return error


def norm(convolution: Convolution) -> float:
    """Return the largest sum of |filters| over what one output channel reads."""
    return float(np.abs(convolution.filters).sum(axis=(0, 1, 2)).max())


def error_factor(
    layer: Any, remaining: Iterator[AttentionBounds], straight: float = 1.0, logits: float = 1.0
) -> float:
    """Return lambda; ``straight`` and ``logits`` scale its two parts that the controls drop."""
    if isinstance(layer, Convolution):
        return norm(layer)
    if isinstance(layer, ResidualBlock):
        past = straight if layer.shortcut is None else norm(layer.shortcut)
        return past + norm(layer.second) * norm(layer.first)
    if isinstance(layer, AttentionBlock):
        weights, bounds = layer.weights, next(remaining)
        query, key, value, out = (
            column_norm(w)
            for w in (
                weights.query_weights,
                weights.key_weights,
                weights.value_weights,
                weights.output_weights,
            )
        )
        moved = weights.dimension * bounds.entry * (query + key) / weights.temperature
        return straight + out * (value + logits * bounds.value * moved)
    return 1.0


def library_bound(decoder: Decoder, error: float, bounds: list[AttentionBounds], shape: Shape) -> float:
    """Return the library's bound, which may be smaller on thin images, never larger than the stated one."""
    found = decoder.error_bound(error, bounds, [0.0] * len(bounds), shape)
    return min(found, stated_bound(decoder, error, bounds, shape))


def one_channel(temperature: float = 1.0, query: float = 1.0, value: float = 1.0) -> Decoder:
    """Return attention on one channel, and the copy of it to three colours."""
    asks, gives, one = (np.full((1, 1), x) for x in (query, value, 1.0))
    block = AttentionBlock(SelfAttention(asks, asks, gives, one, temperature))
    return Decoder((block, Convolution.centre_tap(np.ones((1, 3)))))


def small_pairs(shape: Shape, step: float) -> Iterator[tuple[Floats, Floats]]:
    """Yield all images with pixels -1, 0, 1 and all ways to move every pixel by +- step."""
    pixels = shape[0] * shape[1]
    for image in product((-1.0, 0.0, 1.0), repeat=pixels):
        for signs in product((-step, step), repeat=pixels):
            base = np.array(image).reshape(*shape, 1)
            yield base, base + np.array(signs).reshape(*shape, 1)


def error_cases(full: bool) -> list[tuple[Decoder, Floats, Floats]]:
    """Return all small pairs through attention alone, and random pairs through longer decoders."""
    decoders = [one_channel(), one_channel(0.5, 2.0, 1.0)]
    shapes: list[Shape] = [(1, 1), (1, 2), (1, 3)] if full else [(1, 1), (1, 2)]
    cases = [
        (decoder, *pair) for decoder in decoders for shape in shapes for pair in small_pairs(shape, 0.25)
    ]
    generator = np.random.default_rng(0)
    for plan, shape in product(PLANS, ((1, 2), (2, 2))):
        decoder, image = drawn_decoder(plan, 2, 3, scale=32.0), drawn_image(shape, 2, 4)
        cases.append((decoder, image, image + generator.choice([-0.125, 0.125], image.shape)))
    return cases


def positive_decoders() -> Iterator[tuple[int, ...]]:
    """Yield all lists of up to three layers: a weight 1, 2 or 3, negative for a ResNet block; 0 doubles."""
    for length in range(4):
        yield from product((-3, -2, -1, 0, 1, 2, 3), repeat=length)


def attains_bound(plan: tuple[int, ...]) -> bool:
    """Compare, in fractions, what an error of 1/2 on a positive constant map becomes with the bound."""
    layers: list[Any] = []
    for weight in plan:
        tap = Convolution.centre_tap(np.full((1, 1), float(abs(weight))))
        layers.append(Doubling() if not weight else tap if weight > 0 else ResidualBlock(tap, tap))
    decoder = Decoder((*layers, Convolution.centre_tap(np.ones((1, 3)))))
    one, other = (
        textbook_decoder(decoder, [[[Fraction(x)]]], math.exp)[0][0][0] for x in (Fraction(1), Fraction(3, 2))
    )
    stated = math.prod(weight if weight > 0 else 1 + weight**2 for weight in plan)
    return bool(other - one == Fraction(stated, 2) == Fraction(decoder.error_bound(0.5, [], [])))


def bound_is_stated(case: tuple[str, int]) -> bool:
    """Compare the library's factors and its bound, own errors of attention included, with the recursion.

    On feature maps of sides 3 or more, where filters show all taps: by shape, and by default.
    """
    plan, seed = case
    decoder = drawn_decoder(plan, 2, seed)
    blocks = decoder.attention_blocks
    bounds = [AttentionBounds(1.5 + index, 0.25 + index) for index in range(len(blocks))]
    own = [2.0**-index / 8 for index in range(len(blocks))]
    factors, remaining, later, error = [], iter(bounds), iter(own), 0.375
    for layer in decoder.layers:
        factors.append(error_factor(layer, remaining))
        error *= factors[-1]
        if isinstance(layer, AttentionBlock):
            columns = np.abs(np.asarray(layer.weights.output_weights)).sum(axis=0)
            error += float(columns.max()) * next(later)
    shapes: tuple[Shape | None, ...] = (None, (3, 3), (5, 4))
    return len(blocks) == plan.count("A") and all(
        np.allclose(decoder.lipschitz(bounds, shape), factors, rtol=1e-12, atol=0)
        and math.isclose(decoder.error_bound(0.375, bounds, own, shape), error, rel_tol=1e-12)
        for shape in shapes
    )


NoiseCase = tuple[str, int, float]


def draw_noise(generator: np.random.Generator) -> NoiseCase:
    """Draw a plan with attention, a seed, and how far attention is off."""
    plan = [plan for plan in PLANS if "A" in plan][generator.integers(4)]
    return plan, int(generator.integers(2**32)), float(10.0 ** generator.uniform(-6, -1))


def noise_stays_below(case: NoiseCase) -> bool:
    """Decode with attention that is off by up to epsilon, from a feature map that is off as well."""
    plan, seed, epsilon = case
    decoder, image = drawn_decoder(plan, 2, seed, scale=16.0), drawn_image((3, 3), 2, seed)
    generator = np.random.default_rng(seed)
    moved = image + 1e-3 * generator.choice([-1, 1], image.shape)
    seen: list[AttentionBounds] = []

    def noisy(queries: Floats, keys: Floats, values: Floats, temperature: float) -> Floats:
        seen.append(
            AttentionBounds(
                float(max(np.abs(queries).max(), np.abs(keys).max())), float(np.abs(values).max())
            )
        )
        exact = attention(queries, keys, values, temperature)
        noise: Floats = epsilon * generator.choice([-1, 1], exact.shape)
        return exact + noise

    deviation = float(np.abs(decoder(image) - decoder(moved, noisy)).max())
    bounds = [
        AttentionBounds(max(a.entry, b.entry), max(a.value, b.value))
        for a, b in zip(measured_bounds(decoder, image), seen, strict=True)
    ]
    return deviation <= decoder.error_bound(1e-3, bounds, [epsilon] * len(bounds), (3, 3)) * (1 + 1e-9)


def noise_claims(plans: Sequence[str], later: bool = True) -> Claims:
    """Yield the bound in interval arithmetic where the first attention is off by +-1/64, and nothing else.

    ``later`` says whether the factors of the layers behind it are counted.
    """
    from mpmath import iv

    epsilon = 2.0**-6
    for plan, seed in product(plans, range(3)):
        decoder, image = drawn_decoder(plan, 2, seed, scale=16.0), drawn_image((2, 2), 2, seed)
        place = plan.index("A") + 1
        weights = decoder.layers[place - 1].weights.output_weights  # type: ignore[union-attr]
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], (2, 2, len(weights)))
        noise = (epsilon * signs @ weights).tolist()
        before = textbook_layers(decoder.layers[:place], as_grid(image, iv.mpf), iv.exp)
        off = [
            [[x + y for x, y in zip(*p, strict=True)] for p in zip(*rows, strict=True)]
            for rows in zip(before, noise, strict=True)
        ]
        rest = decoder.layers[place:]
        one, other = (textbook_layers(rest, grid, iv.exp) for grid in (before, off))
        middle = [np.array([[[float(x.mid) for x in p] for p in r] for r in g]) for g in (before, off)]
        remaining = iter(measured_bounds(Decoder(rest), *middle))
        bound = column_norm(weights) * epsilon
        for layer in rest:
            bound *= error_factor(layer, remaining) if later else 1.0
        allowed = Fraction(bound) * (1 + Fraction(1, 2**40))
        for i, j, t in np.ndindex(len(one), len(one[0]), 3):
            for sign in (1, -1):
                yield f"{plan}, seed {seed}", sign * (one[i][j][t] - other[i][j][t]), "<=", allowed
