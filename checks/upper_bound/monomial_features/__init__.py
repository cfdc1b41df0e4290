"""Check of lem-monomial-features: the expansion, the order, the count, and why no shorter vectors do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations_with_replacement, pairwise, product
from math import comb, factorial, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checks.evidence import Evidence, exhaustive, symbolic
from checks.evidence.registry import Run, lemma
from reductions.upper_bound.monomial_features import (
    downward_closed,
    feature_count,
    features,
    least_feature_count,
    monomials,
    multinomials,
    principal_lattice,
    symmetric_features,
    total_degree,
)

Weights = Callable[[tuple[int, ...]], int]
Case = tuple[int, int]


def multinomial(alpha: Sequence[int]) -> int:
    """Return |alpha|! / alpha!, from its definition."""
    return factorial(sum(alpha)) // prod(map(factorial, alpha))


def expansion_defect(members: NDArray[Any], counts: Sequence[int]) -> Any:
    """Return P(<q, k>/tau) minus the sum over the given monomials, all numbers being symbols."""
    import sympy

    dimension, degree = members.shape[1], int(members.sum(axis=1).max())
    queries, keys = (sympy.symbols(f"{name}:{dimension}") for name in "qk")
    coefficients, temperature = sympy.symbols(f"c:{degree + 1}"), sympy.Symbol("tau", positive=True)
    logit = sum(q * k for q, k in zip(queries, keys, strict=True)) / temperature
    defect = sum(c * logit**p for p, c in enumerate(coefficients))
    for alpha, count in zip(members.tolist(), counts, strict=True):
        term = prod((q * k / temperature) ** a for q, k, a in zip(queries, keys, alpha, strict=True))
        defect -= coefficients[sum(alpha)] * count * term
    return sympy.expand(defect)


def polynomial_is_inner_product(case: tuple[int, tuple[int, ...]]) -> bool:
    """Tell whether the features reproduce P on all pairs of points of {-1, 0, 1, 2}^d, in whole numbers."""
    dimension, coefficients = case
    points = np.array(list(product((-1, 0, 1, 2), repeat=dimension)))
    left, right = features(points, points, coefficients, 0.5)
    logits = 2 * points @ points.T
    return bool((left @ right.T == sum(c * logits**p for p, c in enumerate(coefficients))).all())


def one_map_serves_both(case: tuple[int, tuple[int, ...]]) -> bool:
    """Tell whether the symmetric features reproduce P on the same points, up to rounding."""
    dimension, coefficients = case
    points = np.array(list(product((-1.0, 0.0, 1.0, 2.0), repeat=dimension)))
    found = symmetric_features(points, coefficients, 0.5)
    logits = 2 * points @ points.T
    sizes = sum(c * (2 * abs(points) @ abs(points).T) ** p for p, c in enumerate(coefficients))
    wanted = sum(c * logits**p for p, c in enumerate(coefficients))
    return bool((abs(found @ found.T - wanted) <= sizes * 2.0**-40).all())


def order_is_right(case: Case) -> bool:
    """Tell whether rows, parents, leaves and multinomials agree with their definitions."""
    dimension, degree = case
    members = total_degree(dimension, degree)
    listed = [word for p in range(degree + 1) for word in combinations_with_replacement(range(dimension), p)]
    position = {word: row for row, word in enumerate(listed)}
    rows = [tuple(np.repeat(np.arange(dimension), alpha).tolist()) for alpha in members.exponents]
    parents = [position[word[1:]] if word else -1 for word in listed]
    return (
        rows == listed
        and members.parent.tolist() == parents
        and members.axis.tolist() == [word[0] if word else -1 for word in listed]
        and members.interior == len({*parents, 0} - {-1})
        and multinomials(members).tolist() == [multinomial(alpha) for alpha in members.exponents.tolist()]
    )


Box = list[tuple[int, int]]


def set_is_well_ordered(listed: Box) -> bool:
    """Tell whether every monomial is its parent times its first variable, and whether the order is right.

    The constant is first, the other interior ones follow in the order of their degrees, the leaves are last.
    """
    members = downward_closed(listed)
    rows = members.exponents.astype(int)
    children = np.arange(1, len(rows))
    step = np.eye(members.dimension, dtype=int)[members.axis[1:]]
    return (
        sorted(map(tuple, rows.tolist())) == sorted(listed)
        and bool((rows[1:] == rows[members.parent[1:]] + step).all())
        and members.axis[1:].tolist() == [min(np.flatnonzero(row)) for row in rows[1:]]
        and bool((members.parent[1:] < children).all())
        and {0, *members.parent[1:].tolist()} == set(range(members.interior))
        and all(a <= b for a, b in pairwise(members.degrees[: members.interior].tolist()))
        and members.parent[0] == members.axis[0] == -1
        and not rows[0].any()
    )


def downward_closed_sets(sides: tuple[int, int]) -> Iterator[Box]:
    """Yield every downward-closed set that contains 1 inside a box of exponents in two variables."""
    width, height = sides
    for columns in product(range(height + 1), repeat=width):
        if columns[0] and all(a >= b for a, b in pairwise(columns)):
            yield [(i, j) for i, column in enumerate(columns) for j in range(column)]


def lattice_matrix(dimension: int, coefficients: Sequence[int]) -> list[list[int]]:
    """Return the matrix P(<u, v>) over the points u, v of the principal lattice, in whole numbers."""
    points = principal_lattice(dimension, len(coefficients) - 1).tolist()
    logits = [[sum(a * b for a, b in zip(u, v, strict=True)) for v in points] for u in points]
    return [[sum(c * x**p for p, c in enumerate(coefficients)) for x in row] for row in logits]


def inertia(matrix: list[list[int]]) -> tuple[int, int]:
    """Return the numbers of positive and of negative eigenvalues of a symmetric matrix, exactly.

    All roots of the characteristic polynomial are real, so Descartes' rule of signs counts them.
    """
    import flint

    polynomial = flint.fmpz_mat(matrix).charpoly().coeffs()

    def sign_changes(values: list[Any]) -> int:
        signs = [value > 0 for value in values if value != 0]
        return sum(a != b for a, b in pairwise(signs))

    flipped = [-value if p % 2 else value for p, value in enumerate(polynomial)]
    return sign_changes(polynomial), sign_changes(flipped)


def stated_inertia(dimension: int, coefficients: Sequence[int]) -> tuple[int, int]:
    """Return the numbers of eigenvalues of either sign that the lemma states."""
    sizes = [(c, comb(dimension + p - 1, p)) for p, c in enumerate(coefficients)]
    return sum(size for c, size in sizes if c > 0), sum(size for c, size in sizes if c < 0)


def signs_are_as_stated(case: tuple[int, tuple[int, ...]]) -> bool:
    """Tell whether the matrix of the principal lattice has the stated rank and signs."""
    dimension, coefficients = case
    found = inertia(lattice_matrix(dimension, coefficients))
    return found == stated_inertia(dimension, coefficients) and sum(found) == least_feature_count(
        dimension, coefficients
    )


SIGNED = (-2, 0, 3)


@lemma("lem-monomial-features", title="Monomial features", source="AS23")
def monomial_features(run: Run) -> Iterator[Evidence]:
    """Check the lemma part by part."""
    yield from _expansion(run)
    d_most, g_most = run.pick(quick=(5, 5), full=(7, 7))
    yield exhaustive(
        "(2) order and count",
        f"all d <= {d_most}, g <= {g_most}",
        product(range(1, d_most + 1), range(g_most + 1)),
        d_most * (g_most + 1),
        lambda case: order_is_right(case) and len(total_degree(*case)) == feature_count(*case),
    )
    sides = run.pick(quick=(4, 4), full=(6, 6))
    yield exhaustive(
        "(2) downward-closed sets",
        f"all such sets of two variables with powers below {sides[0]}",
        downward_closed_sets(sides),
        comb(sides[0] + sides[1], sides[0]) - 1,
        set_is_well_ordered,
    )
    small = run.pick(quick=[(1, 4), (2, 3), (3, 2)], full=[(1, 6), (2, 4), (3, 3), (4, 2)])
    signed = [(d, c) for d, g in small for c in product((-1, 0, 1), repeat=g + 1)]
    yield exhaustive(
        "(3) rank and (4) signs",
        f"(d, g) in {small}, coefficients in {{-1, 0, 1}}; the principal lattice, in whole numbers",
        signed,
        sum(3 ** (g + 1) for _, g in small),
        signs_are_as_stated,
    )


def _expansion(run: Run) -> Iterator[Evidence]:
    """Part 1: by algebra, then as it is computed."""
    shapes = run.pick(quick=[(1, 4), (2, 3), (3, 2)], full=[(1, 8), (2, 5), (3, 4), (4, 3), (5, 2)])
    yield symbolic(
        "(1) expansion",
        f"q, k, tau and all coefficients symbols; (d, g) in {shapes}",
        {
            f"d = {d}, g = {g}": expansion_defect(
                total_degree(d, g).exponents, multinomials(total_degree(d, g)).astype(int).tolist()
            )
            for d, g in shapes
        },
    )
    top = run.pick(quick=3, full=4)
    cases = [(d, c) for d in (1, 2, 3) for g in range(top + 1) for c in product(SIGNED, repeat=g + 1)]
    yield exhaustive(
        "(1) the features that are computed",
        f"d <= 3, g <= {top}, coefficients in {set(SIGNED)}; all pairs of points of {{-1, 0, 1, 2}}^d",
        cases,
        3 * sum(3 ** (g + 1) for g in range(top + 1)),
        polynomial_is_inner_product,
    )
    nonnegative = [(d, c) for d in (1, 2, 3) for c in product((0, 1, 2), repeat=4)]
    yield exhaustive(
        "(1) one map for queries and keys",
        "d <= 3, g = 3, coefficients in {0, 1, 2}; the same points, up to rounding",
        nonnegative,
        3 * 3**4,
        one_map_serves_both,
    )
    yield exhaustive(
        "(1) multinomials beyond 2^63",
        "(d, g) = (2, 64) and (3, 24), rounded to nearest",
        [(2, 64), (3, 24)],
        2,
        lambda case: (
            multinomials(total_degree(*case)).tolist()
            == [float(multinomial(alpha)) for alpha in total_degree(*case).exponents.tolist()]
        ),
    )


@monomial_features.control("one monomial is dropped")
def _(run: Run) -> Evidence:
    members = total_degree(2, 3)
    kept = [row for row, alpha in enumerate(members.exponents.tolist()) if alpha != [1, 2]]
    counts = multinomials(members).astype(int)
    defect = expansion_defect(members.exponents[kept], counts[kept].tolist())
    return symbolic("(1) expansion", "d = 2, g = 3 without the monomial x0 x1^2", {"defect": defect})


@monomial_features.control("a multinomial coefficient is replaced by 1")
def _(run: Run) -> Evidence:
    members = total_degree(2, 2)
    defect = expansion_defect(members.exponents, [1] * len(members))
    return symbolic("(1) expansion", "d = 2, g = 2, every weight c_p / tau^p", {"defect": defect})


@monomial_features.control("one map for queries and keys, with the root of |c|, at a negative coefficient")
def _(run: Run) -> Evidence:
    def holds(point: int) -> bool:
        # P(x) = 1 - x in one variable: the symmetric map (1, sqrt|-1| x) has the inner product 1 + q k.
        column = monomials(np.array([[point]]), 1)
        return bool((column @ column.T == 1 - point**2).all())

    return exhaustive("(1) expansion", "P(x) = 1 - x, d = 1, q = k in {0, 1, 2}", range(3), 3, holds)


@monomial_features.control("one feature fewer than the rank is claimed to suffice")
def _(run: Run) -> Evidence:
    def holds(degree: int) -> bool:
        rank = sum(inertia(lattice_matrix(2, [1] * (degree + 1))))
        return rank <= feature_count(2, degree) - 1

    return exhaustive("(3) rank", "d = 2, all coefficients 1, g in {1, 2}", (1, 2), 2, holds)
