"""Random instances with a known answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reductions.problems.cnf import CNF, random_k_sat
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.system.memory import require_memory


def planted_k_sat(
    variables: int, clauses: int, k: int, seed: int | np.random.Generator
) -> tuple[CNF, tuple[bool, ...]]:
    """Draw a random k-CNF and an assignment that satisfies it.

    A random formula and a random assignment are drawn; in each clause that the assignment falsifies one
    random literal changes its sign.

    Raises
    ------
    ValueError
        If a number is out of range, or k is 0 while there are clauses: nothing satisfies an empty clause.
    """
    if clauses and k < 1:
        raise ValueError(f"Argument 'k' must be at least 1 for a satisfiable formula, not {k}.")
    generator = np.random.default_rng(seed)
    formula = random_k_sat(variables, clauses, k, generator)
    model = tuple(bool(value) for value in generator.integers(0, 2, size=variables))
    repaired = []
    for clause in formula.clauses:
        literals = list(clause)
        if not any((literal > 0) == model[abs(literal) - 1] for literal in literals):
            literals[generator.integers(k)] *= -1
        repaired.append(tuple(literals))
    return CNF(variables, tuple(repaired)), model


def random_gap_max_ip(
    vectors: int,
    dimension: int,
    seed: int | np.random.Generator,
    planted: bool | None = None,
    near_threshold: bool = False,
) -> tuple[GapMaxInnerProduct, tuple[int, int] | None]:
    """Draw zero-one vectors and a threshold; the gap is 1, so that the promise always holds.

    Parameters
    ----------
    vectors, dimension
        Numbers N of vectors per side and D of coordinates, both at least 1. Half the entries are 1.
    planted
        True: one random pair reaches the threshold. False: no pair does. None: the threshold is the
        largest inner product, or one more, as a fair coin says.
    near_threshold
        The largest inner product of a NO instance is exactly s - 1, and the planted pair of a YES
        instance has exactly s. Otherwise both keep a distance where D leaves room for one.

    Returns
    -------
    tuple
        The instance, and the planted pair (i, j) or None.

    Raises
    ------
    ValueError
        If a number is out of range, or the memory does not suffice.
    """
    for argument, value in (("vectors", vectors), ("dimension", dimension)):
        if value < 1:
            raise ValueError(f"Argument {argument!r} must be at least 1, not {value}.")
    # Both sides as drawn, as floats, and as the problem's own copies.
    require_memory(6 * vectors * dimension * 8, f"{vectors} vectors per side of dimension {dimension}")
    generator = np.random.default_rng(seed)
    left = generator.integers(0, 2, size=(vectors, dimension)).astype(np.float64)
    right = generator.integers(0, 2, size=(vectors, dimension)).astype(np.float64)
    left[left.all(axis=1), 0] = 0  # so that every inner product is below D and a threshold above it exists
    largest = _largest_inner_product(left, right)
    if planted is None:
        return GapMaxInnerProduct(left, right, largest + int(generator.integers(2)), 1), None
    slack = 0 if near_threshold else (dimension - 1 - largest) // 2
    threshold = largest + 1 + slack
    if not planted:
        return GapMaxInnerProduct(left, right, threshold, 1), None
    i, j = (int(index) for index in generator.integers(vectors, size=2))
    goal = threshold if near_threshold else threshold + (dimension - threshold) // 2
    apart = np.flatnonzero(left[i] * right[j] == 0)
    common = generator.choice(apart, size=goal - int(left[i] @ right[j]), replace=False)
    left[i, common] = right[j, common] = 1
    return GapMaxInnerProduct(left, right, threshold, 1), (i, j)


def _largest_inner_product(left: NDArray[np.float64], right: NDArray[np.float64]) -> int:
    rows = max(1, (1 << 22) // len(right))
    return int(max((left[start : start + rows] @ right.T).max() for start in range(0, len(left), rows)))
