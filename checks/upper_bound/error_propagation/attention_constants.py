"""Attention layers and inputs on which lem-lipschitz-attention is checked."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from checks.evidence import Claims
from checks.exact.interval_model import enclosed_attention
from checks.exact.intervals import precision
from checks.upper_bound.error_propagation.instances import (
    ascend,
    draw_layer,
    extremal_layer,
    extremal_pair,
    jacobian_norm,
    self_attend,
    stage_at,
)
from reductions.problems.var_model import SelfAttention
from reductions.upper_bound.error_propagation import AttentionStage, attention_lipschitz

ROUNDING = 1 + 2.0**-40
"""What float64 evaluations on both sides of a comparison are allowed."""


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
