"""Passes over a pyramid, right and broken ones, and their difference from the masked sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from typing import Any

from reductions.upper_bound.block_causal_state import ReadableState, exact_weights, masked_sums
from reductions.upper_bound.monomial_features import MonomialSet, total_degree


@dataclass(frozen=True)
class Plan:
    """How to run over the pyramid; the defaults are the lemma's."""

    absorbs: Callable[[int], bool] = lambda scale: True
    late: bool = False
    forgets: bool = False
    weights: Callable[..., list[Any]] = exact_weights
    members: Callable[[int, int], MonomialSet] = total_degree


AS_STATED = Plan()


def one_pass(
    queries: Sequence[Any],
    keys: Sequence[Any],
    values: Sequence[Any],
    scale_ends: Sequence[int],
    coefficients: Sequence[Any],
    inverse_temperature: Any,
    plan: Plan = Plan(),
) -> list[tuple[list[Any], Any]]:
    """Absorb and answer scale by scale; return numerators and denominators."""
    members = plan.members(len(keys[0]), len(coefficients) - 1)
    weights = plan.weights(members, coefficients, inverse_temperature)
    state = ReadableState(members, len(values[0]))
    sums = []
    for scale, (start, stop) in enumerate(pairwise((0, *scale_ends))):
        if plan.forgets:
            state = ReadableState(members, len(values[0]))
        if plan.absorbs(scale) and not plan.late:
            state.absorb(keys[start:stop], values[start:stop])
        sums += state.attend(queries[start:stop], weights)
        if plan.absorbs(scale) and plan.late:
            state.absorb(keys[start:stop], values[start:stop])
    return sums


@dataclass(frozen=True)
class Size:
    """The sizes of a case: tokens up to each scale, d, d_v and the degree."""

    scale_ends: tuple[int, ...]
    d: int
    value_dimension: int
    degree: int


def compositions(tokens: int) -> list[tuple[int, ...]]:
    """Return all ways to cut a row of tokens into scales, each as the numbers of tokens up to a scale."""
    inner = range(1, tokens)
    return [(*cuts, tokens) for count in range(tokens) for cuts in combinations(inner, count)]


def small_sizes(tokens: int, degree: int) -> list[Size]:
    """Return all cuts of up to ``tokens`` tokens, d, d_v <= 2, degrees up to ``degree``."""
    cuts = [ends for count in range(1, tokens + 1) for ends in compositions(count)]
    return [Size(*case) for case in product(cuts, (1, 2), (1, 2), range(degree + 1))]


def differences(size: Size, plan: Plan = Plan()) -> dict[str, Any]:
    """Return masked minus computed sums as polynomials in all entries, all coefficients and 1/tau."""
    from sympy import ZZ, ring

    tokens = size.scale_ends[-1]
    names = [
        *(f"{letter}{row}_{column}" for letter in "qk" for row in range(tokens) for column in range(size.d)),
        *(f"v{row}_{column}" for row in range(tokens) for column in range(size.value_dimension)),
        *(f"c{p}" for p in range(size.degree + 1)),
        "s",
    ]
    _, *variables = ring(names, ZZ)
    entries = iter(variables)

    def rows(width: int) -> list[list[Any]]:
        return [[next(entries) for _ in range(width)] for _ in range(tokens)]

    arguments = (rows(size.d), rows(size.d), rows(size.value_dimension), size.scale_ends)
    coefficients = [next(entries) for _ in range(size.degree + 1)]
    inverse_temperature = next(entries)
    found = one_pass(*arguments, coefficients, inverse_temperature, plan)
    expected = masked_sums(*arguments, coefficients, inverse_temperature)
    result = {}
    for query, ((numerators, denominator), (right, total)) in enumerate(zip(found, expected, strict=True)):
        pairs = zip((*right, total), (*numerators, denominator), strict=True)
        for column, (masked, computed) in enumerate(pairs):
            difference = masked - computed
            result[f"{size}, query {query}, column {column}"] = (
                difference.as_expr() if hasattr(difference, "as_expr") else difference
            )
    return result


def state_identities(sizes: Sequence[Size], plan: Plan = Plan()) -> dict[str, Any]:
    """Return the differences of all sizes as SymPy expressions."""
    import sympy

    named: dict[str, Any] = {}
    for size in sizes:
        named |= differences(size, plan)
    return {name: sympy.sympify(difference) for name, difference in named.items()}
