"""Check of lem-recentring and lem-principal-axes, and of the plans that rest on them (lem-feature-plan)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Evidence, certified, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from checks.upper_bound.principal_axes.feature_plan_cases import (
    draw_seed,
    layer_is_within_bound,
    with_rounding_left_out,
)
from checks.upper_bound.principal_axes.instances import norms_at_least, symbolic_axes, what_is_left
from reductions.upper_bound.principal_axes import (
    Axes,
    balanced_axes,
    identity_axes,
    least_half_width,
    recentred,
    regular_moments,
)


def inner(left: Iterable[Any], right: Iterable[Any]) -> Any:
    """Return the inner product."""
    return sum(a * b for a, b in zip(left, right, strict=True))


def weighted_mean(exponents: Sequence[int], values: Sequence[int]) -> Fraction:
    """Return the mean of the values with the weights 2^exponent: attention at tau = 1/ln 2, exactly."""
    weights = [Fraction(2) ** exponent for exponent in exponents]
    return Fraction(inner(weights, values)) / sum(weights)


Recentring = tuple[int, ...]


def mean_is_kept(case: Recentring, key_weights: bool = True, moved: Sequence[int] = (0, 1, 2)) -> bool:
    """Tell whether three keys, one query, and the given centres have the same output as without centres."""
    query, first, second, query_centre, key_centre = case
    keys, values = (first, second, 1), (1, -2, 5)
    asked = weighted_mean([query * key for key in keys], values)
    centred = [key - key_centre if j in moved else key for j, key in enumerate(keys)]
    exponents = [(query - query_centre) * key for key in centred]
    if key_weights:
        exponents = [x + query_centre * key for x, key in zip(exponents, keys, strict=True)]
    return weighted_mean(exponents, values) == asked


def vectors_of(seed: int) -> tuple[Any, ...]:
    """Return queries, keys, temperature, centres and coordinates, with very different lengths.

    Half of the time the queries are nearly one vector, so that the key weights are what counts: a short one,
    with weights near 1, or a long one to which the keys are nearly orthogonal, with exponents that cancel.
    """
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 5))
    scale = 10.0 ** rng.integers(-3, 4)
    queries, keys = rng.normal(size=(4, d)) + rng.normal(size=d), scale * (rng.normal(size=(5, d)) + 1)
    kind = rng.integers(4)
    if kind >= 2:
        queries = (30.0 if kind == 2 else 1e-3) + 1e-12 * rng.normal(size=(4, d))
    if kind == 2:
        keys = keys - keys.mean(axis=1, keepdims=True) * (1 - 1e-6)
    axes = identity_axes(d) if kind >= 2 or rng.random() < 0.2 else balanced_axes(queries, keys)
    if rng.random() < 0.2:  # not quite inverse to each other
        axes = Axes(axes.queries, axes.keys * (1 + 2.0**-40), axes.shares)
    centres = queries.mean(axis=0) * float(kind >= 2 or rng.integers(0, 2)), keys.mean(axis=0)
    return queries, keys, float(scale * rng.uniform(0.5, 4)), *centres, axes


def logits_are_moved_as_stated(seed: int) -> bool:
    """Tell whether the stored numbers have the logits that were asked for, up to eta, in exact arithmetic."""
    import mpmath

    queries, keys, temperature, query_centre, key_centre, axes = vectors_of(seed)
    arrays = recentred(
        queries, keys, temperature, query_centre=query_centre, key_centre=key_centre, axes=axes
    )
    for query, new_query in zip(queries, arrays.queries, strict=True):
        moved = []
        for key, new_key, weight in zip(keys, arrays.keys, arrays.key_weights, strict=True):
            change = inner(map(Fraction, new_query), map(Fraction, new_key)) - inner(
                map(Fraction, query), map(Fraction, key)
            )
            quotient = change / Fraction(temperature)
            with mpmath.workdps(60):
                logarithm = mpmath.log(mpmath.mpf(float(weight)))
                moved.append(mpmath.mpf(quotient.numerator) / quotient.denominator + logarithm)
        with mpmath.workdps(60):
            # A constant for the row does not matter: the spread is at most twice eta.
            if max(moved) - min(moved) > 2 * arrays.logit_error:
                return False
    moved_rows = (
        (arrays.queries, (queries - query_centre) @ axes.queries),
        (arrays.keys, (keys - key_centre) @ axes.keys),
    )
    as_named = all(np.allclose(new, old, rtol=1e-9, atol=1e-9 * np.abs(old).max()) for new, old in moved_rows)
    return bool(as_named and arrays.logit_error < 1e-9)


def symmetric_sets_attain(case: tuple[tuple[int, ...], ...]) -> bool:
    """Tell whether for sets {±u, ±u'} and {±w, ±w'}, moved, centring reaches the lower bound."""
    queries, keys = (np.array([*pair, *(-np.array(pair))], float) for pair in (case[:2], case[2:]))
    found = least_half_width(queries + np.array([3, -1]), keys + np.array([-2, 5]), 2.0)
    return bool(found == (queries @ keys.T).max() / 2)


@lemma(
    "lem-recentring",
    title="Recentring",
    statement_uses=("def-attention",),
    proof_uses=("lem-weight-perturbation",),
)
def recentring(run: Run) -> Iterator[Evidence]:
    """Check the lemma part by part."""
    import sympy

    q, k, q0, k0, other_q, other_k = (sympy.symbols(f"{name}:3") for name in ("q", "k", "a", "b", "u", "w"))
    a, a2, c, c2 = sympy.symbols("a_i a_j c_i c_j")

    def minus(left: Any, right: Any) -> list[Any]:
        return [x - y for x, y in zip(left, right, strict=True)]

    corners = [
        (q, k, a, c, 1),
        (other_q, k, a2, c, -1),
        (q, other_k, a, c2, -1),
        (other_q, other_k, a2, c2, 1),
    ]
    yield symbolic(
        "(1) and (3) identities",
        "d = 3, all vectors and numbers",
        {
            "(1) logits": inner(minus(q, q0), minus(k, k0))
            + inner(q0, k)
            + inner(q, k0)
            - inner(q0, k0)
            - inner(q, k),
            "(3) row and key weights cancel": sum(s * (inner(x, y) - r - t) for x, y, r, t, s in corners)
            - inner(minus(q, other_q), minus(k, other_k)),
        },
    )
    most = run.pick(quick=2, full=3)
    numbers = range(-most, most + 1)
    yield exhaustive(
        "(1) outputs",
        f"d = 1, tau = 1/ln 2, three keys; query, two keys and both centres from {-most} to {most}, exactly",
        product(numbers, repeat=5),
        (2 * most + 1) ** 5,
        lambda case: mean_is_kept(case),
    )
    draws = run.pick(quick=40, full=400)
    yield sampled(
        "(2) roundings",
        f"{draws} draws of 4 queries and 5 keys, d <= 4, lengths 10^-3 to 10^3; queries nearly equal in half",
        run.seed,
        draws,
        draw_seed,
        logits_are_moved_as_stated,
    )
    points = (
        list(product((-1, 0, 2), repeat=2)) if run.pick(quick=False, full=True) else [(1, 0), (2, -1), (0, 3)]
    )
    yield exhaustive(
        "(3) symmetric sets attain the bound",
        f"two vectors and their negatives on either side, out of {len(points)} in the plane",
        product(points, repeat=4),
        len(points) ** 4,
        symmetric_sets_attain,
    )


@recentring.control("queries are moved and the keys get no weights")
def _(run: Run) -> Evidence:
    cases = product((-1, 0, 1), repeat=5)
    return exhaustive(
        "(1) outputs",
        "d = 1, numbers from -1 to 1",
        cases,
        3**5,
        lambda case: mean_is_kept(case, key_weights=False),
    )


@recentring.control("two of three keys are moved to the centre")
def _(run: Run) -> Evidence:
    cases = product((-1, 0, 1), repeat=5)
    return exhaustive(
        "(1) outputs",
        "d = 1, numbers from -1 to 1",
        cases,
        3**5,
        lambda case: mean_is_kept(case, moved=(0, 1)),
    )


@recentring.control("the bound is stated with 1/2 in place of 1/4")
def _(run: Run) -> Evidence:
    def holds(u: int) -> bool:
        rows = np.array([[u], [-u]], float)
        return bool(2 * least_half_width(rows, rows, 1.0) <= (rows @ rows.T).max())

    return exhaustive("(3) lower bound", "Q = K = {u, -u}, u in {0, 1}", (0, 1), 2, holds)


def tokens_of(seed: int) -> tuple[Any, Any]:
    """Return queries and keys in coordinates of different lengths."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 7))
    return rng.normal(size=(40, d)) @ rng.normal(size=(d, d)), rng.normal(size=(30, d)) * 3.0 ** -np.arange(d)


def axes_are_balanced(seed: int, choose: Callable[[Any, Any], Axes] = balanced_axes) -> bool:
    """Tell whether computed coordinates keep logits, balance moments, and put the least on the last axes."""
    queries, keys = tokens_of(seed)
    axes, seconds = choose(queries, keys), [regular_moments(rows) for rows in (queries, keys)]
    tolerance = 1e-6 * axes.shares[0]
    for second, rows in zip(seconds, (queries, keys), strict=True):
        plain = rows.T @ rows / len(rows)
        if np.abs(second - plain).max() > 2.0**-25 * np.trace(plain):
            return False
    logits, turned = queries @ keys.T, (queries @ axes.queries) @ (keys @ axes.keys).T
    holds = np.abs(turned - logits).max() <= 1e-6 * np.abs(logits).max()
    for second, basis in zip(seconds, (axes.queries, axes.keys), strict=True):
        holds &= np.abs(basis.T @ second @ basis - np.diag(axes.shares)).max() <= tolerance
    for m in range(len(axes.shares)):
        rest = axes.queries[:, m:] @ axes.keys[:, m:].T
        left_over = np.sqrt(np.trace(seconds[0] @ rest @ seconds[1] @ rest.T))
        holds &= abs(left_over - np.sqrt((axes.shares[m:] ** 2).sum())) <= tolerance
    return bool(holds)


def zeros_have_coordinates(sides: tuple[int, ...]) -> bool:
    """Tell whether zero queries, or keys, or both, have coordinates that keep all logits."""
    queries, keys = (np.full((3, 2), float(side)) * np.eye(3, 2) for side in sides)
    axes = balanced_axes(queries, keys)
    return bool(np.abs(axes.queries @ axes.keys.T - np.eye(2)).max() <= 1e-9)


@lemma("lem-principal-axes", title="Principal axes of queries and keys")
def principal_axes(run: Run) -> Iterator[Evidence]:
    """Check the lemma part by part."""
    yield symbolic_axes()
    entries = run.pick(quick=(-1, 0, 2), full=(-2, -1, 0, 1, 3))
    scope = f"an instance with shares 3 and 1/2; entries in {set(entries)}, in fractions"
    yield certified("(3) what is left", scope, what_is_left(entries))
    yield certified("(4) norms", scope, norms_at_least(entries))
    draws = run.pick(quick=30, full=300)
    yield sampled(
        "(2), (3) computed coordinates",
        f"{draws} draws with d <= 6",
        run.seed,
        draws,
        draw_seed,
        axes_are_balanced,
    )
    scope = "queries, keys, or both zero, or neither"
    yield exhaustive("(1) zero vectors", scope, product((0, 1), repeat=2), 4, zeros_have_coordinates)


@principal_axes.control("queries and keys are multiplied by the same matrix")
def _(run: Run) -> Evidence:
    def same(queries: Any, keys: Any) -> Axes:
        axes = balanced_axes(queries, keys)
        return Axes(axes.queries, axes.queries, axes.shares)

    return sampled(
        "(1) logits", "30 draws with d <= 6", 0, 30, draw_seed, lambda seed: axes_are_balanced(seed, same)
    )


@principal_axes.control("the axes are those of the queries alone")
def _(run: Run) -> Evidence:
    def of_queries(queries: Any, keys: Any) -> Axes:
        _, axes = np.linalg.eigh(regular_moments(queries))
        return Axes(axes[:, ::-1], axes[:, ::-1], balanced_axes(queries, keys).shares)

    return sampled(
        "(3) what is left",
        "30 draws, d <= 6",
        0,
        30,
        draw_seed,
        lambda seed: axes_are_balanced(seed, of_queries),
    )


@lemma(
    "lem-feature-plan",
    title="Planned features",
    statement_uses=("lem-recentring", "lem-principal-axes", "lem-grouped-degrees"),
    proof_uses=("lem-weight-perturbation", "lem-monomial-features"),
)
def feature_plan(run: Run) -> Iterator[Evidence]:
    """Check whole layers against exact attention."""
    draws = run.pick(quick=30, full=400)
    yield sampled(
        "(1) error and (2) rank",
        f"{draws} layers of 48 queries and 40 keys, d <= 6, seven families of data, both types",
        run.seed,
        draws,
        draw_seed,
        layer_is_within_bound,
    )


@feature_plan.control("the keys' weights are left out")
def _(run: Run) -> Evidence:
    return sampled(
        "(1) error",
        "30 layers",
        0,
        30,
        draw_seed,
        lambda seed: layer_is_within_bound(seed, key_weights=False),
    )


@feature_plan.control("the error of float32 sums is left out")
def _(run: Run) -> Evidence:
    return sampled("(1) error", "30 layers of tolerance 2^-20", 0, 30, draw_seed, with_rounding_left_out)
