"""Check of lem-low-rank-attention and lem-low-rank-rounding: one layer in linear time, with its errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checks.evidence import Claims, Evidence, certified, exhaustive, sampled
from checks.evidence.registry import Run, lemma
from checks.exact.counting import Tally, counted_fractions
from checks.upper_bound.low_rank_attention.extremes import TwoKeyLayer, extremal_layer
from checks.upper_bound.low_rank_attention.instances import (
    FAMILIES,
    Layer,
    draw_layer,
    exact_output,
    largest_error,
)
from reductions.kernels.fused_kernels import key_state, query_outputs
from reductions.kernels.low_rank_rounding import LowRankMagnitudes, low_rank_rounding_bound
from reductions.polynomials.exponential import ExpPolynomial, minimax_polynomial
from reductions.polynomials.remez import best_error_bounds
from reductions.problems.attention import attention
from reductions.upper_bound.low_rank_attention import (
    approximation_error,
    exact_operation_count,
    low_rank_attention,
    operation_count,
)
from reductions.upper_bound.monomial_features import total_degree, weights

ERROR = "(1) the error bound"
EQUALITY = "(2) equality"
FORMULA = "(3) the algorithm computes the polynomial's weighted means"
COUNT = "(4) the number of operations"
ROUNDING = "(1) the rounding bound"

HALF_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)

Approximate = Callable[[Layer], NDArray[Any]]


def extremal_layers(degrees: Iterable[int]) -> list[TwoKeyLayer]:
    """Return the layers of equality for the minimax polynomials of all half-widths and the degrees."""
    polynomials = [minimax_polynomial(g, -b, b) for b, g in product(HALF_WIDTHS, degrees)]
    return [extremal_layer(polynomial) for polynomial in polynomials if polynomial.error < 1]


def error_claims(layers: Iterable[TwoKeyLayer]) -> Claims:
    """Claim that each layer's error is within the bound for its polynomial's epsilon."""
    for layer in layers:
        bound = approximation_error(layer.polynomial, abs(layer.values[0] - layer.values[1]))
        yield _name(layer), layer.error()[1], "<=", Fraction(bound)


def equality_claims(layers: Iterable[TwoKeyLayer]) -> Claims:
    """Claim that the bound is attained to a thousandth, to a factor of 10 where P is not quite the best.

    Rounded coefficients shift the error curve, so that it may reach far to one side only.
    """
    for layer in layers:
        polynomial = layer.polynomial
        bound = Fraction(approximation_error(polynomial, abs(layer.values[0] - layer.values[1])))
        least, _ = best_error_bounds(polynomial.degree, polynomial.high)
        near = Fraction(1001, 1000) if polynomial.error <= (1 + 1e-5) * least else 10
        yield _name(layer), bound, "<=", near * layer.error()[0]


def _name(layer: TwoKeyLayer) -> str:
    return f"b = {layer.polynomial.high}, g = {layer.polynomial.degree}, values {layer.values}"


def fused_output(layer: Layer, dtype: Any = np.float64) -> NDArray[Any]:
    """Run the fused kernels on a layer."""
    members = total_degree(layer.keys.shape[1], layer.polynomial.degree)
    factors = weights(members, layer.polynomial.coefficients, layer.temperature)
    state = key_state(layer.keys, layer.values, members, dtype=dtype)
    return query_outputs(layer.queries, state, factors, members, dtype=dtype)


def readable_output(layer: Layer) -> NDArray[Any]:
    """Run the readable version on a layer, in float64."""
    q, k, v = (np.asarray(x, np.float64) for x in (layer.queries, layer.keys, layer.values))
    output: NDArray[Any] = low_rank_attention(q, k, v, layer.temperature, layer.polynomial)
    return output


def rows_within_bound(layer: Layer, output: NDArray[Any]) -> list[bool]:
    """Tell for every query whether the output is as near to attention as the lemma says, plus 10^-11 v."""
    exact = attention(layer.queries, layer.keys, layer.values, layer.temperature)
    ranges = np.ptp(np.asarray(layer.values, np.float64), axis=0)
    bounds = np.array([approximation_error(layer.polynomial, float(width)) for width in ranges])
    room = 1e-11 * np.abs(layer.values).max()
    within: list[bool] = (np.abs(output - exact) <= bounds + room).all(axis=1).tolist()
    return within


def draw_sized_layer(generator: np.random.Generator, dtype: Any, keys: int, queries: int) -> Layer:
    """Draw a layer of any family and of random sizes."""
    degree = int(generator.integers(0, 7))
    return draw_layer(
        generator,
        FAMILIES[generator.integers(len(FAMILIES))],
        dimension=int(generator.integers(1, 4 if degree < 4 else 3)),
        value_dimension=int(generator.integers(1, 4)),
        degree=degree,
        half_width=float(generator.choice([0.25, 0.5, 1.0, 2.0])),
        queries=queries,
        keys=int(generator.integers(1, keys + 1)),
        dtype=dtype,
    )


def counted_run(case: tuple[int, ...], count: Callable[..., int] = operation_count) -> bool:
    """Run the readable version on exact numbers that count: right result, stated number of operations."""
    dimension, columns, degree, queries, keys, block = case
    generator, tally = np.random.default_rng(case), Tally()
    shapes = (queries, dimension), (keys, dimension), (keys, columns)
    entries = [generator.integers(0, 9, shape) for shape in shapes]
    polynomial = ExpPolynomial((1.0, -47 / 64, 0.5, 0.25)[: degree + 1], 0.0, 1.0, 0.5)
    q, k, v = (counted_fractions(table, tally) for table in entries)
    output = low_rank_attention(q, k, v, 2.0, polynomial, block=block)
    exact = exact_output(Layer(entries[0], entries[1], entries[2], 2.0, polynomial))
    values = np.frompyfunc(lambda number: number.value, 1, 1)(output)
    # The constant times a one, and their weight, are plain numbers, and do not count themselves.
    plain = keys + queries + 1
    stated = count(dimension, columns, degree, queries, keys)
    return bool((values == exact).all() and tally.multiplications + tally.divisions + plain == stated)


def counted_exact_run(case: tuple[int, ...]) -> bool:
    """Run attention on numbers that count, with a square in the place of each exponential."""
    dimension, columns, queries, keys = case
    tally = Tally()
    q, k, v = (
        counted_fractions(np.ones(shape), tally)
        for shape in ((queries, dimension), (keys, dimension), (keys, columns))
    )
    logits = q @ k.T / 2
    sums = (logits * logits) @ np.hstack([v, counted_fractions(np.ones((keys, 1)), tally)])
    outputs = sums[:, :-1] / sums[:, -1:]
    stated = exact_operation_count(dimension, columns, queries, keys)
    return outputs.shape == (queries, columns) and tally.multiplications + tally.divisions == stated


def within_rounding(layer: Layer, dtype: Any, output: NDArray[Any]) -> bool:
    """Compare an output with the exact one and the rounding bound, exactly."""
    return largest_error(output, exact_output(layer)) <= Fraction(rounding(layer, dtype))


def rounding(layer: Layer, dtype: Any) -> float:
    """Return the rounding bound of a layer, with its mean logit, less room for the rounding of that."""
    q, k, v = (np.asarray(x, np.float64) for x in (layer.queries, layer.keys, layer.values))
    means = q @ k.mean(axis=0) / layer.temperature
    magnitudes = LowRankMagnitudes.of(q, k, v, layer.temperature)
    return low_rank_rounding_bound(
        layer.polynomial,
        magnitudes,
        keys=len(layer.keys),
        features=len(total_degree(layer.keys.shape[1], layer.polynomial.degree)),
        dtype=dtype,
        mean_logit=float(means.min()) - 2.0**-40 * magnitudes.absolute_logit,
    )


@lemma(
    "lem-low-rank-attention",
    title="Low-rank attention",
    statement_uses=("def-attention", "lem-monomial-features"),
    proof_uses=("lem-weight-perturbation",),
    source="AS23",
)
def low_rank(run: Run) -> Iterator[Evidence]:
    """Certified where the bound is attained, exact for small sizes, sampled beyond."""
    degrees = run.pick(quick=range(1, 13), full=range(21))
    layers = extremal_layers(degrees)
    scope = f"extremal two-key layers of minimax polynomials, b in {HALF_WIDTHS}, g in {list(degrees)}"
    yield certified(ERROR, scope, error_claims(layers))
    yield certified(EQUALITY, scope, equality_claims(layers))
    shifted = [replace(layer, values=(9, 7)) for layer in layers]
    yield certified(ERROR, f"{scope}, values 9 and 7: only their range counts", error_claims(shifted))
    yield exhaustive(
        ERROR,
        "polynomials with an error of 1, 5/4, 2 and more, of which nothing follows but the values' range",
        (1.0, 1.25, 2.0, 9.0),
        4,
        lambda error: approximation_error(ExpPolynomial((1.0,), -1.0, 1.0, error), 3.0) == 3.0,
    )
    draws = run.pick(quick=60, full=800)
    families = ", ".join(FAMILIES)
    for name, algorithm in (("readable version", readable_output), ("fused kernels, float64", fused_output)):
        yield sampled(
            ERROR,
            f"{draws} layers ({families}), up to 300 keys; {name} against float64 attention, 10⁻¹¹ v allowed",
            run.seed,
            draws,
            lambda generator: draw_sized_layer(generator, np.float64, 300, 40),
            lambda layer, algorithm=algorithm: all(rows_within_bound(layer, algorithm(layer))),  # type: ignore[misc]
        )
    largest = run.pick(quick=2, full=3)
    ranges = [range(1, 4), range(1, 4), range(4), range(1, largest + 1), range(1, largest + 2), range(1, 4)]
    yield exhaustive(
        f"{FORMULA}; {COUNT}",
        f"exact runs of all sizes d, d_v, g <= 3, L_q <= {largest}, L_k <= {largest + 1}, blocks of up to 3",
        product(*ranges),
        math.prod(map(len, ranges)),
        counted_run,
    )
    sizes = list(product(range(1, 4), repeat=4))
    yield exhaustive(
        f"{COUNT}, of exact attention", "d, d_v, L_q, L_k from 1 to 3", sizes, 3**4, counted_exact_run
    )


def named_layer() -> Layer:
    """The layer of the controls: 8 queries, 30 keys, d = d_v = 2, logits in [-1, 1], degree 4."""
    sizes = {"dimension": 2, "value_dimension": 2, "degree": 4, "queries": 8, "keys": 30}
    return draw_layer(np.random.default_rng(0), "uniform", half_width=1.0, dtype=np.float64, **sizes)


def broken(scope: str, algorithm: Approximate) -> Evidence:
    """Put a broken algorithm to the test on the named layer."""
    layer = named_layer()
    within = rows_within_bound(layer, algorithm(layer))
    return exhaustive(ERROR, f"all 8 queries of a layer, {scope}", range(8), 8, within.__getitem__)


def with_weights(layer: Layer, change: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]) -> NDArray[Any]:
    """Run the fused kernels with weights that were changed, given the monomials' exponents."""
    members = total_degree(2, layer.polynomial.degree)
    factors = weights(members, layer.polynomial.coefficients, layer.temperature)
    state = key_state(layer.keys, layer.values, members, dtype=np.float64)
    changed = change(factors, members.exponents)
    return query_outputs(layer.queries, state, changed, members, dtype=np.float64)


@low_rank.control("one monomial is dropped")
def _(run: Run) -> Evidence:
    def drop(factors: NDArray[Any], exponents: NDArray[Any]) -> NDArray[Any]:
        return np.where((exponents == (1, 1)).all(axis=1), 0.0, factors)

    return broken("without x1 x2", lambda layer: with_weights(layer, drop))


@low_rank.control("one coefficient is off by a hundredth")
def _(run: Run) -> Evidence:
    def change(factors: NDArray[Any], exponents: NDArray[Any]) -> NDArray[Any]:
        return np.where(exponents.sum(axis=1) == 1, 1.01 * factors, factors)

    return broken("c_1 times 1.01", lambda layer: with_weights(layer, change))


@low_rank.control("the weights are applied to queries and to the state")
def _(run: Run) -> Evidence:
    return broken("squared weights", lambda layer: with_weights(layer, lambda factors, _: factors**2))


@low_rank.control("the state has no column of ones")
def _(run: Run) -> Evidence:
    def divide_by_number(layer: Layer) -> NDArray[Any]:
        logits = layer.queries @ layer.keys.T / layer.temperature
        output: NDArray[Any] = layer.polynomial(logits) @ layer.values / len(layer.keys)
        return output

    return broken("sums divided by the number of keys", divide_by_number)


@low_rank.control("the minimax polynomial's epsilon is stated for the Taylor polynomial")
def _(run: Run) -> Evidence:
    taylor = tuple(1 / math.factorial(p) for p in range(4))
    stated = replace(minimax_polynomial(3, -1.0, 1.0), coefficients=taylor)
    return certified(ERROR, "its extremal layer, b = 1, g = 3", error_claims([extremal_layer(stated)]))


@low_rank.control("the products that make the monomials are not counted")
def _(run: Run) -> Evidence:
    def count(dimension: int, columns: int, degree: int, queries: int, keys: int) -> int:
        monomials = len(total_degree(dimension, degree)) - 1
        return operation_count(dimension, columns, degree, queries, keys) - (queries + keys) * monomials

    case = (2, 2, 2, 2, 3, 2)
    return exhaustive(COUNT, f"sizes {case}", [case], 1, lambda sizes: counted_run(sizes, count))


@lemma(
    "lem-low-rank-rounding",
    title="Rounding in the fused kernels",
    statement_uses=("lem-low-rank-attention",),
    proof_uses=("lem-monomial-features",),
)
def low_rank_rounding(run: Run) -> Iterator[Evidence]:
    """Compare computed outputs with exact ones, in rational arithmetic."""
    draws = run.pick(quick=40, full=500)
    for dtype in (np.float32, np.float64):
        yield sampled(
            ROUNDING,
            f"{draws} layers ({', '.join(FAMILIES)}), up to 140 keys, {np.dtype(dtype)}; exact reference",
            run.seed,
            draws,
            lambda generator: draw_sized_layer(generator, np.float64, 140, 3),
            lambda layer, dtype=dtype: within_rounding(layer, dtype, fused_output(layer, dtype)),  # type: ignore[misc]
        )


def coherent_layer(keys: int) -> Layer:
    """A layer whose tokens are nearly the same, so that roundings of one sign add up; degree 1."""
    sizes = {"dimension": 1, "value_dimension": 1, "degree": 1, "queries": 1, "keys": keys}
    return draw_layer(np.random.default_rng(0), "coherent", half_width=0.5, dtype=np.float32, **sizes)


@low_rank_rounding.control("the bound of float64 is stated for the kernels in float32")
def _(run: Run) -> Evidence:
    layer = coherent_layer(200)
    holds = within_rounding(layer, np.float64, fused_output(layer, np.float32))
    return exhaustive(ROUNDING, "a layer of 200 coherent keys", [layer], 1, lambda _: holds)


@low_rank_rounding.control("all keys are summed in float32, one after the other")
def _(run: Run) -> Evidence:
    layer = coherent_layer(20_000)
    ones = np.ones((len(layer.keys), 1), np.float32)
    extended = np.hstack([layer.values, ones])
    terms = [extended, layer.keys * extended]
    state = np.stack([np.cumsum(term, axis=0, dtype=np.float32)[-1] for term in terms])
    members = total_degree(1, 1)
    factors = weights(members, layer.polynomial.coefficients, layer.temperature)
    output = query_outputs(layer.queries, state, factors, members)
    holds = within_rounding(layer, np.float32, output)
    return exhaustive(ROUNDING, "a layer of 20,000 coherent keys", [layer], 1, lambda _: holds)
