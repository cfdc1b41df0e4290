"""Layers and pairs of inputs on which Lipschitz constants are attained, and runs with errors put in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from reductions.layers.arrays import Floats
from reductions.problems.attention import attention
from reductions.problems.token_map import TokenMap
from reductions.problems.var_model import FeedForward, SelfAttention, VarModel
from reductions.upper_bound.error_propagation import AttentionMagnitudes, AttentionStage


class ExtremalPair(NamedTuple):
    """Two tokens and the same two moved, and by how much the layer's output moves."""

    before: list[list[Any]]
    after: list[list[Any]]
    logit_move: Any


def extremal_layer(
    d: int, query_norm: float, key_norm: float, value_norm: float, temperature: float
) -> SelfAttention:
    """Return the layer whose tokens consist of d channels for the query, d for the key, one for the value."""
    queries, keys, values = np.zeros((2 * d + 1, d)), np.zeros((2 * d + 1, d)), np.zeros((2 * d + 1, 1))
    queries[:d], keys[d : 2 * d], values[2 * d] = query_norm * np.eye(d), key_norm * np.eye(d), value_norm
    return SelfAttention(queries, keys, values, np.eye(1), temperature)


def extremal_pair(
    d: int, norms: tuple[Any, Any, Any], bounds: tuple[Any, Any, Any], temperature: Any, delta: Any
) -> ExtremalPair:
    """Return the pair for which lem-lipschitz-attention holds with equality, in any arithmetic.

    Parameters
    ----------
    d
        Even.
    norms
        w_Q, w_K, w_VO.
    bounds
        R_Q, R_K at the middle of the pair, and U at its first element.
    delta
        The largest difference of the tokens.
    """
    w_q, w_k, w_v = norms
    r_q, r_k, u = bounds
    signs = [1] * (d // 2) + [-1] * (d // 2)
    tokens: list[list[list[Any]]] = [[], []]
    for end, half in enumerate((-delta / 2, delta / 2)):
        for side in (1, -1):
            query = [r_q * sign / w_q + half for sign in signs]
            key = [side * (r_k / w_k + half * sign) for sign in signs]
            tokens[end].append([*query, *key, side * u / w_v + end * delta])
    return ExtremalPair(tokens[0], tokens[1], d * delta * (w_q * r_k + w_k * r_q) / temperature)


def self_attend(layer: SelfAttention, tokens: Floats, seen: Floats | None = None) -> Floats:
    """Apply the layer densely in float64."""
    seen = tokens if seen is None else seen
    output: Floats = (
        attention(
            tokens @ layer.query_weights,
            seen @ layer.key_weights,
            seen @ layer.value_weights,
            layer.temperature,
        )
        @ layer.output_weights
    )
    return output


def jacobian_norm(layer: SelfAttention, tokens: Floats) -> float:
    """Return the norm of the derivative at ``tokens``, from max norm to max norm: the largest row l1 norm.

    The output i, o moves with channel a of token j by P_ij (W_VO[a, o] + (u_jo - F_io) (W_K q_i)_a / tau),
    and for j = i also by sum_m P_im (u_mo - F_io) (W_Q k_m)_a / tau.
    """
    w_q, w_k = np.asarray(layer.query_weights), np.asarray(layer.key_weights)
    w_vo = np.asarray(layer.value_weights) @ layer.output_weights
    queries, keys, outputs = tokens @ w_q, tokens @ w_k, tokens @ w_vo
    logits = queries @ keys.T / layer.temperature
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    centred = outputs[None] - (weights @ outputs)[:, None]  # i, j, o
    by_key = weights[:, :, None] * centred
    jacobian = np.einsum("ij,ao->ioja", weights, w_vo)
    jacobian += np.einsum("ijo,ia->ioja", by_key, queries @ w_k.T) / layer.temperature
    by_query = np.einsum("ijo,ja->ioa", by_key, keys @ w_q.T) / layer.temperature
    index = np.arange(len(tokens))
    jacobian[index, :, index] += by_query
    return float(np.abs(jacobian).sum(axis=(2, 3)).max())


def draw_layer(generator: np.random.Generator, channels: int | None = None) -> tuple[SelfAttention, int]:
    """Draw a layer and its number of channels in; weights of very different sizes."""
    c, d, d_v, out = generator.integers(1, 5, size=4).tolist()
    c = c if channels is None else channels
    out = out if channels is None else channels
    sizes = np.exp(generator.uniform(-1, 1, 4))
    w_q, w_k, w_v, w_o = (
        size * generator.standard_normal(shape)
        for size, shape in zip(sizes, ((c, d), (c, d), (c, d_v), (d_v, out)), strict=True)
    )
    return SelfAttention(w_q, w_k, w_v, w_o, float(np.exp(generator.uniform(-1, 1.5)))), c


def ascend(
    layer: SelfAttention, tokens: Floats, delta: float, rounds: int, generator: np.random.Generator
) -> Floats:
    """Return tokens within ``delta`` of the given ones that move the output far: signs flipped greedily."""
    start = self_attend(layer, tokens)
    signs = np.sign(generator.standard_normal(tokens.shape))
    best = float(np.abs(self_attend(layer, tokens + delta * signs) - start).max())
    for flat in generator.permutation(tokens.size)[:rounds]:
        index = np.unravel_index(flat, tokens.shape)
        signs[index] *= -1
        moved = float(np.abs(self_attend(layer, tokens + delta * signs) - start).max())
        if moved < best:
            signs[index] *= -1
        best = max(best, moved)
    return tokens + delta * signs


Put = Callable[[int, int, Floats], Floats]
"""From scale, layer and the layer's outputs to the outputs with an error put in."""


class RecordedRun(NamedTuple):
    """Per scale: the tokens before every layer and at last the outputs; what the attention layers met."""

    entering: list[list[Floats]]
    magnitudes: list[list[AttentionMagnitudes]]
    logits: list[list[Floats]]


def recorded_run(
    model: VarModel, start: Floats, maps: Sequence[TokenMap] | None = None, put: Put | None = None
) -> RecordedRun:
    """Run a model densely, with errors put in after each layer, and record the magnitudes of this run."""
    caches: list[list[Floats]] = [[] for _ in model.layers]
    entering: list[list[Floats]] = []
    magnitudes: list[list[AttentionMagnitudes]] = []
    logits: list[list[Floats]] = []
    for scale, (height, width) in enumerate(model.schedule):
        if scale == 0:
            tokens = np.tile(start, (height * width, 1))
        else:
            h, w = model.schedule[scale - 1]
            coarse = entering[-1][-1].reshape(h, w, -1) if maps is None else maps[scale - 1].dense()
            tokens = model.interpolation.apply(coarse, (height, width)).reshape(height * width, -1)
        table = model.position_table[scale] if model.position_table else None
        tokens = tokens if table is None else tokens + table
        entering.append([tokens])
        magnitudes.append([])
        logits.append([])
        for index, layer in enumerate(model.layers):
            if isinstance(layer, FeedForward):
                tokens = layer(tokens)
            else:
                caches[index].append(tokens)
                seen = np.vstack(caches[index])
                magnitudes[-1].append(AttentionMagnitudes.measured(layer, tokens, seen))
                logits[-1].append(
                    (tokens @ layer.query_weights) @ (seen @ layer.key_weights).T / layer.temperature
                )
                tokens = self_attend(layer, tokens, seen)
            tokens = tokens if put is None else put(scale, index, tokens)
            entering[-1].append(tokens)
    return RecordedRun(entering, magnitudes, logits)


def stage_at(layer: SelfAttention, tokens: Floats) -> AttentionStage:
    """Return the layer's stage with the magnitudes that the tokens have."""
    return AttentionStage.of(layer, AttentionMagnitudes.measured(layer, tokens))
