"""The stages of an error chain against the statements' formulas, in rational arithmetic.

The bounds that are computed may exceed the stated numbers by rounding only, and must never fall below.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from checks.upper_bound.error_propagation.instances import draw_layer
from reductions.layers.arrays import Floats
from reductions.problems.var_model import SelfAttention
from reductions.upper_bound.error_propagation import (
    AttentionMagnitudes,
    AttentionStage,
    LipschitzStage,
    ResidualStage,
    attention_lipschitz,
    propagate,
)

_TIGHT = 1 + Fraction(1, 2**40)

Rows = list[list[Fraction]]


class Layer(NamedTuple):
    """A layer, the tokens that ask, those that they see, two differences and a local error."""

    layer: SelfAttention
    tokens: Floats
    seen: Floats
    error: float
    seen_error: float
    local: float


def draw_stage(generator: np.random.Generator) -> Layer:
    """Draw a layer, up to four tokens that ask, up to six that are seen, and differences, some of them 0."""
    layer, channels = draw_layer(generator)
    tokens, seen = (
        generator.standard_normal((int(generator.integers(1, most)), channels)) for most in (5, 7)
    )
    error, seen_error, local = np.exp(generator.uniform(-6, 1, 3)) * (generator.random(3) < 0.85)
    return Layer(layer, tokens, seen, float(error), float(seen_error), float(local))


def grows_as_stated(case: Layer) -> bool:
    """Compare eta, both bounds of part 1, Lambda, the residual branch and a chain with the formulas."""
    layer, delta, other = case.layer, Fraction(case.error), Fraction(case.seen_error)
    query, key, value, out = (
        _rows(weights)
        for weights in (layer.query_weights, layer.key_weights, layer.value_weights, layer.output_weights)
    )
    both = _product(value, out)
    w_q, w_k, w = map(_column_norm, (query, key, both))
    rate = len(query[0]) / Fraction(layer.temperature)

    met = AttentionMagnitudes.measured(layer, case.tokens, case.seen)
    stage = AttentionStage.of(layer, met)
    own = AttentionMagnitudes.measured(layer, case.tokens)
    r_q, r_k, u = map(Fraction, (met.query, met.key, met.output))
    eta = rate * (w_q * r_k * delta + w_k * r_q * other + w_q * w_k * delta * other)
    slope = w + rate * u * (w_q * r_k + w_k * r_q)
    grown, same = stage.growth(case.error, case.seen_error), stage.growth(case.error)
    alike = rate * delta * (w_q * r_k + w_k * r_q + w_q * w_k * delta)
    chain = propagate([LipschitzStage(3.0), stage, LipschitzStage(0.7)], [0.0, case.local, 0.0], case.error)
    return (
        _is_measured(met.query, case.tokens, [query])
        and _is_measured(met.key, case.seen, [key])
        and _is_measured(met.output, case.seen, [value, out])
        and _is_measured(own.key, case.tokens, [key])
        and own.join(met) == met.join(own) == _larger(own, met)
        and _is(stage.logit_move(case.error, case.seen_error), eta)
        and _is(stage.logit_move(case.error), alike)
        and _is(grown, w * other + _mean_moves(u, eta))
        and _is(same, w * delta + _mean_moves(u, alike))
        and _is(stage.lipschitz, slope)
        and _is(
            ResidualStage((stage, LipschitzStage(0.7))).growth(case.error),
            delta + Fraction(same) * Fraction(0.7),
        )
        and _is(chain[1], 3 * delta)
        and _is(chain[2], Fraction(case.local) + Fraction(stage.growth(chain[1])))
        and _is(chain[3], Fraction(chain[2]) * Fraction(0.7))
    )


def one_bound_is_stated(case: tuple[float, float, int, float]) -> bool:
    """Compare with w (1 + 2 d R^2 / tau)."""
    w, entry, d, tau = case
    return _is(
        attention_lipschitz(w, d, entry, tau),
        Fraction(w) * (1 + 2 * d * Fraction(entry) ** 2 / Fraction(tau)),
    )


def _is(computed: float, stated: Fraction) -> bool:
    """Tell whether a float is the stated number, rounded up; 2^-200 is what underflow is made up for by."""
    return stated <= Fraction(computed) <= stated * _TIGHT + Fraction(1, 2**200)


def _is_measured(computed: float, tokens: Floats, factors: list[Rows]) -> bool:
    """Tell whether a float is the largest entry of a product, plus roundings of its sums without signs."""
    product, sizes = _rows(tokens), _rows(np.abs(tokens))
    for factor in factors:
        product = _product(product, factor)
        sizes = _product(sizes, [[abs(x) for x in row] for row in factor])
    stated, room = _largest(product), _largest(sizes) * (_TIGHT - 1)
    return stated <= Fraction(computed) <= stated + len(tokens[0]) * room + Fraction(1, 2**200)


def _larger(one: AttentionMagnitudes, other: AttentionMagnitudes) -> AttentionMagnitudes:
    """Return the larger of each pair: what bounds both runs."""
    return AttentionMagnitudes(
        max(one.query, other.query), max(one.key, other.key), max(one.output, other.output)
    )


def _mean_moves(u: Fraction, eta: Fraction) -> Fraction:
    """Return 2 U tanh(eta/2) to 2^-100."""
    from mpmath import mp

    with mp.workprec(160):
        value = 2 * mp.mpf(u.numerator) / u.denominator * mp.tanh(mp.mpf(eta.numerator) / eta.denominator / 2)
        return Fraction(int(value * 2**120), 2**120)


def _rows(matrix: Any) -> Rows:
    return [[Fraction(x) for x in row] for row in np.asarray(matrix, dtype=np.float64).tolist()]


def _product(first: Rows, second: Rows) -> Rows:
    columns: Sequence[tuple[Fraction, ...]] = list(zip(*second, strict=True))
    return [
        [sum((x * y for x, y in zip(row, c, strict=True)), Fraction(0)) for c in columns] for row in first
    ]


def _column_norm(matrix: Rows) -> Fraction:
    return max(sum(map(abs, column), Fraction(0)) for column in zip(*matrix, strict=True))


def _largest(matrix: Rows) -> Fraction:
    return max(abs(x) for row in matrix for x in row)
