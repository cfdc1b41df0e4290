"""The entries and logits that a VAR model with one attention layer really has, measured over all tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reductions.layers.arrays import Floats
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.token_map import TokenSource, up_interpolated
from reductions.problems.var_model import FeedForward, SelfAttention, VarModel

ROWS = 1024


@dataclass(frozen=True)
class Magnitudes:
    """Largest |entry| of Q, K and of V, and the largest sum_i |q_i| |k_i| / tau (None: not measured)."""

    entry: float
    value: float
    logit: float | None


def measure_magnitudes(problem: ApproximateVar, *, affordable_work: float) -> Magnitudes | None:
    """Measure all pairs of tokens of the pyramid in float64.

    Returns None where the model has another attention layer before the last, or where the model alone
    takes more than ``affordable_work`` operations. The logits are left out where only they would.
    """
    model = problem.model
    layer = model.layers[-1]
    if not isinstance(layer, SelfAttention) or any(isinstance(x, SelfAttention) for x in model.layers[:-1]):
        return None
    drawn = 0 if problem.reading is Reading.MAPS else model.tokens - np.prod(model.schedule[-1], dtype=int)
    if float(model.tokens * sum(map(_weights, model.layers)) + drawn**2 * layer.dimension) > affordable_work:
        return None
    queries, keys = [], []
    value = 0.0
    for tokens in _layer_inputs(problem):
        for _, _, block in tokens.blocks():
            queries.append(np.abs(block @ layer.query_weights))
            keys.append(np.abs(block @ layer.key_weights))
            value = max(value, float(np.abs(block @ layer.value_weights).max(initial=0)))
    all_queries, all_keys = np.vstack(queries), np.vstack(keys)
    entry = float(max(all_queries.max(initial=0), all_keys.max(initial=0)))
    logit = None
    if float(model.tokens) ** 2 * layer.dimension <= affordable_work:
        logit = _largest_product(all_queries, all_keys) / layer.temperature
    return Magnitudes(entry, value, logit)


def _weights(layer: FeedForward | SelfAttention) -> int:
    incoming, outgoing = layer.channels
    return incoming * (outgoing if isinstance(layer, FeedForward) else 3 * layer.dimension)


def _largest_product(queries: Floats, keys: Floats) -> float:
    starts = range(0, len(queries), ROWS)
    return float(max((queries[start : start + ROWS] @ keys.T).max(initial=0) for start in starts))


def _layer_inputs(problem: ApproximateVar) -> Iterator[TokenSource]:
    """Yield what enters the attention layer, scale by scale."""
    model = problem.model
    schedule, tables = model.schedule, model.position_table or (None,) * len(model.schedule)
    drawn: list[Floats] = []
    if problem.reading is not Reading.MAPS and len(schedule) > 1:
        coarser = VarModel(schedule[:-1], model.interpolation, model.layers, model.position_table[:-1])
        drawn = coarser.run(problem.start_token)
    for scale, ((height, width), table) in enumerate(zip(schedule, tables, strict=True)):
        if scale == 0:
            source = TokenSource.of(np.tile(problem.start_token, (height * width, 1)))
        elif problem.reading is Reading.MAPS:
            source = up_interpolated(problem.maps[scale - 1], model.interpolation, (height, width))
        else:
            coarse = drawn[scale - 1].reshape(*schedule[scale - 1], -1)
            fine = model.interpolation.apply(coarse, (height, width))
            source = TokenSource.of(fine.reshape(height * width, -1))
        if table is not None:
            source = _plus(source, table)
        for layer in model.layers[:-1]:
            assert isinstance(layer, FeedForward)
            source = source.then(layer)
        yield source


def _plus(source: TokenSource, table: Floats) -> TokenSource:
    return TokenSource(source.count, lambda start, stop: source.block(start, stop) + table[start:stop])
