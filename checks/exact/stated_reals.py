"""The real numbers that a built VAR model stands for, and how close its float64 entries are to them.

A statement gives queries, keys and values of all tokens as multiples of one irrational factor. Here the
multiples are exact fractions, the factor and the softmax are evaluated with many digits, and both are
compared with the tokens, the bounds and the outputs of what was built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from reductions.layers.arrays import Floats
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.var_model import FeedForward, VarModel

DIGITS = 50
RELATIVE = 1e-12
"""Declared bounds are attained up to this."""

Row = Sequence[Fraction | int]


@dataclass(frozen=True)
class StatedReals:
    """Queries, keys and values of all L tokens; queries and keys in units of R, R^2 = 2 tau ln(16 L).

    Attributes
    ----------
    queries, keys, values
        One row, or one value, per token, scale by scale, each scale in row-major order.
    tokens
        L.
    """

    queries: Sequence[Row]
    keys: Sequence[Row]
    values: Row
    tokens: int

    def unit(self, mp: Any) -> Any:
        """Return R^2 / tau = 2 ln(16 L)."""
        return 2 * mp.log(16 * self.tokens)

    def logit_multiples(self, row: int) -> list[Fraction]:
        """Return the logits of one query, in units of R^2 / tau."""
        query = [(at, Fraction(q)) for at, q in enumerate(self.queries[row]) if q]
        return [sum((q * key[at] for at, q in query), Fraction(0)) for key in self.keys]


def attention_inputs(target: ApproximateVar) -> tuple[Floats, Floats, Floats]:
    """Return queries, keys and values of all tokens, from the definition of the model, with dense maps."""
    model = target.model
    if target.reading is Reading.MAPS:
        maps = [token_map.dense() for token_map in target.maps]
    else:
        drawn = model.run(target.start_token)[:-1]
        maps = [tokens.reshape(*shape, -1) for tokens, shape in zip(drawn, model.schedule[:-1], strict=True)]
    scales = []
    for scale, (height, width) in enumerate(model.schedule):
        if scale == 0:
            tokens = np.tile(target.start_token, (height * width, 1))
        else:
            fine = model.interpolation.apply(maps[scale - 1], (height, width))
            tokens = fine.reshape(height * width, -1)
        table = model.position_table[scale] if model.position_table else None
        scales.append(_before_attention(model, tokens if table is None else tokens + table))
    every = np.concatenate(scales)
    layer = target.attention_layer
    return every @ layer.query_weights, every @ layer.key_weights, every @ layer.value_weights


def _before_attention(model: VarModel, tokens: Floats) -> Floats:
    for layer in model.layers[:-1]:
        assert isinstance(layer, FeedForward)
        tokens = layer(tokens)
    return tokens


def bounds_hold(target: ApproximateVar, attained: bool) -> bool:
    """Compare the declared R and b with max |Q|, max |K| and max sum |q_i| |k_i| / tau of what is built.

    R must be attained; b where ``attained`` says so, else it must only hold.
    """
    queries, keys, _ = (np.abs(part) for part in attention_inputs(target))
    entry, logit = target.entry_bound, target.logit_bound
    largest = float((queries @ keys.T).max()) / target.attention_layer.temperature
    tight = bool(np.isclose(max(queries.max(), keys.max()), entry, rtol=RELATIVE, atol=0))
    if attained:
        return tight and bool(np.isclose(largest, logit, rtol=RELATIVE, atol=0))
    return tight and largest <= logit * (1 + RELATIVE)


def stands_for(target: ApproximateVar, stated: StatedReals) -> bool:
    """Tell whether entries are within the entry error of the stated reals, outputs within their bound."""
    import mpmath

    layer = target.attention_layer
    with mpmath.workdps(DIGITS):
        mp = mpmath.mp
        root = mp.sqrt(layer.temperature * stated.unit(mp))
        built = attention_inputs(target)
        error = mp.mpf(target.entry_error)
        columns = [[value] for value in stated.values]
        for matrix, multiples, scale in zip(
            built, (stated.queries, stated.keys, columns), (root, root, mp.mpf(1)), strict=True
        ):
            if not _entries_are_close(mp, matrix, multiples, scale, error):
                return False
        first = stated.tokens - int(np.prod(target.model.schedule[-1]))
        exact = [_output(mp, stated, first + int(pixel)) for pixel in target.read_outs]
        for dtype, useful in ((np.float64, 1e-9), (np.float32, 0.3)):
            bound = target.rounding_bound(dtype)
            outputs = target.outputs(dtype=dtype)
            if not bound < useful or any(
                abs(mp.mpf(float(x)) - y) > bound for x, y in zip(outputs, exact, strict=True)
            ):
                return False
    return True


def _entries_are_close(mp: Any, built: Floats, multiples: Sequence[Row], scale: Any, error: Any) -> bool:
    if built.shape != (len(multiples), len(multiples[0])):
        return False
    for row, stated in zip(built.tolist(), multiples, strict=True):
        for entry, multiple in zip(row, stated, strict=True):
            if not multiple:
                if entry:
                    return False
                continue
            exact = scale * multiple.numerator / multiple.denominator
            if abs(entry - exact) > error * scale:
                return False
    return True


def _output(mp: Any, stated: StatedReals, row: int) -> Any:
    """Return the softmax mean of the values for one query."""
    unit = stated.unit(mp)
    weights: dict[Fraction, Any] = {}
    numerator = total = mp.mpf(0)
    for multiple, value in zip(stated.logit_multiples(row), stated.values, strict=True):
        if multiple not in weights:
            weights[multiple] = mp.exp(unit * multiple.numerator / multiple.denominator)
        total += weights[multiple]
        if value:
            numerator += weights[multiple] * value.numerator / value.denominator
    return numerator / total
