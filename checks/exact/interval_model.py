"""A VAR model run densely in interval arithmetic: every output encloses the real number."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from checks.exact.intervals import precision
from reductions.layers.arrays import Floats
from reductions.problems.var_model import FeedForward, SelfAttention, VarModel

Token = list[Any]

Put = Callable[[int, int, list[Token]], list[Token]]
"""From scale, layer and the layer's outputs to these with something done to them."""


def enclosed_run(model: VarModel, start_token: Floats, put: Put | None = None) -> list[list[Token]]:
    """Draw with a model; return all tokens of every scale as intervals.

    ``put`` is applied after every layer: it may record tokens, or move them.

    Interpolation is exact up to the enclosure of fractions; nothing is shared with the double-precision
    model but its weights. For models of a few tokens.
    """
    with precision() as iv:
        maps: list[list[Token]] = []
        seen: list[list[Token]] = [[] for _ in model.layers]
        for scale, (height, width) in enumerate(model.schedule):
            if scale == 0:
                tokens = [[iv.mpf(float(x)) for x in start_token]] * (height * width)
            else:
                (h, w), rule = model.schedule[scale - 1], model.interpolation
                rows, columns = rule.exact_matrix(h, height), rule.exact_matrix(w, width)
                tokens = [_mixed(iv, maps[-1], row, column) for row, column in product(rows, columns)]
            table = model.position_table[scale] if model.position_table else None
            if table is not None:
                tokens = [
                    [x + float(p) for x, p in zip(*pair, strict=True)]
                    for pair in zip(tokens, table, strict=True)
                ]
            for index, (layer, cache) in enumerate(zip(model.layers, seen, strict=True)):
                if isinstance(layer, FeedForward):
                    tokens = [[_positive(iv, x) for x in _times(token, layer.weights)] for token in tokens]
                else:
                    cache += tokens
                    tokens = enclosed_attention(iv, layer, tokens, cache)
                tokens = tokens if put is None else put(scale, index, tokens)
            maps.append(tokens)
        return maps


def _mixed(iv: Any, tokens: list[Token], row: list[Fraction], column: list[Fraction]) -> Token:
    """Return one fine pixel: the combination of coarse tokens, in row-major order."""
    mixed = [iv.mpf(0)] * len(tokens[0])
    for token, (weight, weight2) in zip(tokens, product(row, column), strict=True):
        share = weight * weight2
        if share:
            factor = iv.mpf(share.numerator) / share.denominator
            mixed = [x + factor * y for x, y in zip(mixed, token, strict=True)]
    return mixed


def _times(token: Token, weights: Floats) -> Token:
    columns = [[float(weight) for weight in column] for column in weights.T]
    return [sum(x * weight for x, weight in zip(token, column, strict=True)) for column in columns]


def _positive(iv: Any, x: Any) -> Any:
    """Enclose max(0, x)."""
    return iv.mpf([max(x.a, 0), max(x.b, 0)])


def enclosed_attention(iv: Any, layer: SelfAttention, tokens: list[Token], seen: list[Token]) -> list[Token]:
    """Enclose the outputs of an attention layer for tokens that see others, all of them intervals."""
    keys = [_times(token, np.asarray(layer.key_weights)) for token in seen]
    values = [_times(token, np.asarray(layer.value_weights)) for token in seen]
    outputs = []
    for token in tokens:
        query = _times(token, np.asarray(layer.query_weights))
        logits = [sum(q * k for q, k in zip(query, key, strict=True)) / layer.temperature for key in keys]
        weights = [iv.exp(logit) for logit in logits]
        total = sum(weights)
        means = [
            sum(weight * value[t] for weight, value in zip(weights, values, strict=True)) / total
            for t in range(len(values[0]))
        ]
        outputs.append(_times(means, layer.output_weights))
    return outputs
