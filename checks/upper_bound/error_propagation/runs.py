"""Runs of whole models with errors put in, against the bounds of lem-error-composition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from checks.evidence import Claims
from checks.exact.interval_model import enclosed_run
from checks.exact.intervals import precision
from checks.upper_bound.error_propagation.instances import RecordedRun, draw_layer, recorded_run
from reductions.fast_attention.whole_model.error_chain import ScaleErrors, propagate_model
from reductions.layers.arrays import Floats
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import square_schedule
from reductions.problems.token_map import TokenMap
from reductions.problems.var_model import FeedForward, Layer, VarModel
from reductions.upper_bound.error_propagation import (
    AttentionMagnitudes,
    LipschitzStage,
    feed_forward_lipschitz,
    propagate,
)

CHAINS = tuple(product(product((1, 2, 3), repeat=3), product((0, 1, 2), repeat=3)))
"""Weights of three feed-forward layers with one channel, and the errors put in after each."""

_TIGHT = 1 + 2.0**-44


def composition_identities() -> dict[str, Any]:
    """e_l = eps_l + Lambda_l e_{l-1}, unrolled."""
    import sympy

    depth = 6
    constants, local = sympy.symbols("Lambda1:7"), sympy.symbols("epsilon1:7")
    error = sympy.Integer(0)
    for constant, put in zip(constants, local, strict=True):
        error = put + constant * error
    unrolled = sum(local[m] * sympy.prod(constants[m + 1 :]) for m in range(depth))
    lam, eps = sympy.symbols("Lambda epsilon", positive=True)
    geometric = sum(eps * lam**m for m in range(depth))
    return {
        "sum of products": error - unrolled,
        "equal constants": geometric * (lam - 1) - eps * (lam**depth - 1),
        "equal constants, in the recursion": error.subs(
            {**dict.fromkeys(constants, lam), **dict.fromkeys(local, eps)}
        )
        - geometric,
    }


def chain_growth(
    case: tuple[tuple[int, ...], tuple[int, ...]], wrong: Callable[[Sequence[int]], int] | None = None
) -> bool:
    """Run three layers from the token 1, exactly and with errors put in: the bound is attained."""
    weights, local = case
    layers = [FeedForward(np.array([[float(weight)]])) for weight in weights]
    exact = approximate = np.ones((1, 1))
    for layer, put in zip(layers, local, strict=True):
        exact, approximate = layer(exact), layer(approximate) + put
    moved = float(np.abs(approximate - exact).max())
    if wrong is not None:
        product_of_constants = 1 if wrong is sum else int(np.prod(weights))
        return moved <= wrong(local) * product_of_constants
    stages = [LipschitzStage(feed_forward_lipschitz(layer.weights)) for layer in layers]
    return moved <= propagate(stages, local)[-1] <= moved * _TIGHT


class Perturbed(NamedTuple):
    """A model, its local errors, and its exact and its perturbed run."""

    model: VarModel
    local_errors: list[list[float]]
    drawn: bool
    exact: RecordedRun
    approximate: RecordedRun


def draw_model(generator: np.random.Generator) -> VarModel:
    """Draw a small model with 1 to 3 layers, at least one of them attention."""
    channels = int(generator.integers(1, 4))
    sides = ([1, 2, 3], [1, 2, 4], [2, 3, 5], [1, 2, 3, 4])[generator.integers(4)]
    rule = Interpolation(list(Kernel)[generator.integers(3)], aligned=bool(generator.integers(2)))
    layers: list[Layer] = [draw_layer(generator, channels)[0]]
    for _ in range(int(generator.integers(0, 3))):
        at = int(generator.integers(len(layers) + 1))
        if generator.integers(2):
            layers.insert(at, draw_layer(generator, channels)[0])
        else:
            layers.insert(at, FeedForward(generator.standard_normal((channels, channels))))
    return VarModel(square_schedule(sides), rule, tuple(layers))


def draw_perturbed(generator: np.random.Generator, drawn: bool) -> Perturbed:
    """Draw a model and run it twice; the second run has errors of any sign put in after every layer."""
    model = draw_model(generator)
    size = float(np.exp(generator.uniform(-6, 0)))
    local = [[size * float(generator.uniform()) for _ in model.layers] for _ in model.schedule]
    return perturb(model, local, drawn, generator)


def perturb(
    model: VarModel, local: list[list[float]], drawn: bool, generator: np.random.Generator
) -> Perturbed:
    """Run a model exactly and with local errors of random signs."""
    start = generator.standard_normal(model.channels)
    maps = None if drawn else [_dense_map(shape, model.channels, generator) for shape in model.schedule[:-1]]

    def put(scale: int, layer: int, tokens: Floats) -> Floats:
        return tokens + local[scale][layer] * np.sign(generator.standard_normal(tokens.shape))

    return Perturbed(
        model, local, drawn, recorded_run(model, start, maps), recorded_run(model, start, maps, put)
    )


def _dense_map(shape: tuple[int, int], channels: int, generator: np.random.Generator) -> TokenMap:
    positions = np.argwhere(np.ones(shape))
    return TokenMap(shape, positions, generator.standard_normal((len(positions), channels)))


Bound = Callable[[Perturbed, RecordedRun], list[ScaleErrors]]


def stated_bound(case: Perturbed, known: RecordedRun) -> list[ScaleErrors]:
    """The lemma's bound, from the magnitudes of one of the two runs."""
    return propagate_model(case.model, known.magnitudes, case.local_errors, drawn=case.drawn)


def without_older_scales(case: Perturbed, known: RecordedRun) -> list[ScaleErrors]:
    """As if the tokens of older scales were exact: every scale on its own."""
    result = []
    for scale, own in enumerate(case.local_errors):
        local = [own if other == scale else [0.0] * len(own) for other in range(len(case.local_errors))]
        result.append(propagate_model(case.model, known.magnitudes, local, drawn=False)[scale])
    return result


def without_interpolation(case: Perturbed, known: RecordedRun) -> list[ScaleErrors]:
    """As if up-interpolation had the constant 1, as nearest has."""
    flat = replace(case.model, interpolation=Interpolation(Kernel.NEAREST))
    return propagate_model(flat, known.magnitudes, case.local_errors, drawn=case.drawn)


def perturbed_within(case: Perturbed, bound: Bound = stated_bound) -> bool:
    """Compare tokens before every layer, logits and outputs; magnitudes from either of the two runs."""
    for known in (case.exact, case.approximate):
        for scale, errors in enumerate(bound(case, known)):
            pairs = zip(
                case.exact.entering[scale], case.approximate.entering[scale], errors.entering, strict=True
            )
            if any(np.abs(x - y).max() > e * _TIGHT + 2.0**-44 for x, y, e in pairs):
                return False
            moves = zip(
                case.exact.logits[scale], case.approximate.logits[scale], errors.logit_moves, strict=True
            )
            if any(np.abs(x - y).max() > e * _TIGHT + 2.0**-40 for x, y, e in moves):
                return False
    return True


def errors_of_the_first_scale(generator: np.random.Generator) -> Perturbed:
    """Draw a model with given maps whose first layer errs at the first scale only."""
    layers = (FeedForward(np.eye(2)), draw_layer(generator, 2)[0])
    model = VarModel(square_schedule([2, 3]), Interpolation(), layers)
    return perturb(model, [[1.0, 0.0], [0.0, 0.0]], False, generator)


def alternating_errors(generator: np.random.Generator) -> Perturbed:
    """Draw twice with one layer, whose errors at the first scale have the signs of a row of the operator."""
    channels = 2
    layer, _ = draw_layer(generator, channels)
    rule = Interpolation(a=float(generator.uniform(-1, -0.5)))
    model = VarModel(((6, 6), (9, 9)), rule, (layer,))
    row = max(rule.matrix(6, 9).toarray(), key=lambda weights: np.abs(weights).sum())
    signs = np.outer(np.where(row < 0, -1, 1), np.where(row < 0, -1, 1)).reshape(-1, 1)
    start = generator.standard_normal(channels)
    runs = (
        recorded_run(model, start),
        recorded_run(model, start, None, lambda scale, _, tokens: tokens + signs if scale == 0 else tokens),
    )
    return Perturbed(model, [[1.0], [0.0]], True, *runs)


def enclosed_claims(seed: int, count: int) -> Claims:
    """Draw twice with small models in interval arithmetic, the second time with errors put in everywhere.

    The magnitudes are those of the perturbed run in float64, enlarged by 2^-30. So the draws are of models on
    which that run stays within 2^-40 of its enclosure; the few with logits so large that it does not are
    drawn again.
    """
    generator = np.random.default_rng(seed)
    index = 0
    while index < count:
        model = replace(draw_model(generator), schedule=square_schedule([1, 2]))
        start = generator.integers(-8, 9, model.channels) / 8
        local = [[float(2.0 ** generator.integers(-12, 0)) for _ in model.layers] for _ in model.schedule]
        moves = [
            [size * (generator.integers(0, 2, (h * w, model.channels)) * 2 - 1) for size in sizes]
            for sizes, (h, w) in zip(local, model.schedule, strict=True)
        ]
        recorded = recorded_run(model, start, None, partial(_moved_floats, moves))
        runs: tuple[list[Any], list[Any]] = [], []
        enclosed_run(model, start, partial(_kept, runs[0]))
        enclosed_run(model, start, partial(_moved, runs[1], moves))
        magnitudes = [[_enlarged(m, 2.0**-30) for m in scale] for scale in recorded.magnitudes]
        bounds = propagate_model(model, magnitudes, local, drawn=True)
        stated = [
            (x, e)
            for scale, b in zip(recorded.entering, bounds, strict=True)
            for x, e in zip(scale[1:], b.entering[1:], strict=True)
        ]
        with precision():
            claims = [
                (abs(y - x), abs(y - z), Fraction(bound))
                for before, after, (floats, bound) in zip(*runs, stated, strict=True)
                for x, y, z in zip(before, after, floats.ravel().tolist(), strict=True)
            ]
            if not all(rounding <= 2.0**-40 for _, rounding, _ in claims):
                continue
        index += 1
        for moved, _, bound in claims:
            yield f"model {index}", moved, "<=", bound


def _moved_floats(moves: Any, scale: int, layer: int, tokens: Floats) -> Floats:
    moved: Floats = tokens + moves[scale][layer]
    return moved


def _kept(store: list[Any], scale: int, layer: int, tokens: list[list[Any]]) -> list[list[Any]]:
    store.append([x for token in tokens for x in token])
    return tokens


def _moved(store: list[Any], moves: Any, scale: int, layer: int, tokens: list[list[Any]]) -> list[list[Any]]:
    rows = moves[scale][layer].tolist()
    moved = [[x + m for x, m in zip(*pair, strict=True)] for pair in zip(tokens, rows, strict=True)]
    return _kept(store, scale, layer, moved)


def _enlarged(magnitudes: AttentionMagnitudes, slack: float) -> AttentionMagnitudes:
    return AttentionMagnitudes(*(getattr(magnitudes, name) + slack for name in ("query", "key", "output")))
