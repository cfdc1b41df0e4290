"""Gap maximum inner product: does some pair of vectors reach a threshold, or do all stay well below?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reductions.problem import Answer, PromiseProblem, require_matrix_shape
from reductions.problems.orthogonal_vectors import Pair, index_pair

_PRODUCTS_PER_BLOCK = 1 << 20


@dataclass(frozen=True, eq=False)
class GapMaxInnerProduct(PromiseProblem):
    """An instance of gap-Max-IP with threshold s and gap Δ > 0.

    YES: some ``<u_i, v_j> >= s``. NO: all ``<u_i, v_j> <= s - Δ``. Otherwise the instance is outside
    the promise. Inner products are computed in float64 and compared as they are: exact where the
    entries are 0 and ±1.

    Parameters
    ----------
    left
        The vectors u_i, shape (N_u, D), entries in [-1, 1]; kept as a read-only float64 copy.
    right
        The vectors v_j, shape (N_v, D), likewise.
    threshold, gap
        The numbers s and Δ.

    Raises
    ------
    ValueError
        If a side is no matrix with entries in [-1, 1], has no vector, the dimensions differ, the
        threshold is not finite or the gap is not positive and finite.
    """

    name: ClassVar[str] = "gap-max-ip"

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    threshold: float
    gap: float

    def __post_init__(self) -> None:
        left = _bounded_matrix("left", self.left)
        right = _bounded_matrix("right", self.right, columns=left.shape[1])
        threshold, gap = float(self.threshold), float(self.gap)
        if not np.isfinite(threshold):
            raise ValueError(f"Argument 'threshold' must be finite, not {threshold}.")
        if not (np.isfinite(gap) and gap > 0):
            raise ValueError(f"Argument 'gap' must be positive and finite, not {gap}.")
        for name, value in (("left", left), ("right", right), ("threshold", threshold), ("gap", gap)):
            object.__setattr__(self, name, value)

    @property
    def sizes(self) -> dict[str, float]:
        """``N_u`` and ``N_v`` vectors of dimension ``D``, threshold ``s`` and ``gap``."""
        return {
            "N_u": len(self.left),
            "N_v": len(self.right),
            "D": self.left.shape[1],
            "s": self.threshold,
            "gap": self.gap,
        }

    def inner_products(self, rows: slice) -> NDArray[np.float64]:
        """Return ``<u_i, v_j>`` for the left vectors i in ``rows`` and all j."""
        return self.left[rows] @ self.right.T

    def verify(self, witness: Any) -> bool:
        """Tell whether ``witness`` is a pair (i, j) of indices with ``<u_i, v_j> >= s``."""
        pair = index_pair(witness, len(self.left), len(self.right))
        return pair is not None and bool(self.left[pair[0]] @ self.right[pair[1]] >= self.threshold)

    def solve_brute_force(self) -> Pair | None:
        """Return the first pair (i, j) that reaches the threshold, or None, by computing all products."""
        return self._first_pair(self.threshold)

    def answer(self) -> Answer:
        """Return YES, NO, or OUTSIDE_PROMISE, by computing all inner products."""
        largest = max(float(products.max()) for _, products in self._blocks())
        if largest >= self.threshold:
            return Answer.YES
        return Answer.NO if largest <= self.threshold - self.gap else Answer.OUTSIDE_PROMISE

    def promise_violation(self) -> Pair | None:
        """Return a pair with ``s - Δ < <u_i, v_j> < s`` of an instance outside the promise, else None."""
        if self.answer() is not Answer.OUTSIDE_PROMISE:
            return None
        return self._first_pair(np.nextafter(self.threshold - self.gap, np.inf))

    def _first_pair(self, least: float) -> Pair | None:
        for start, products in self._blocks():
            reached = products >= least
            if reached.any():
                i, j = np.unravel_index(int(reached.argmax()), reached.shape)
                return start + int(i), int(j)
        return None

    def _blocks(self) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield (first row, products) for consecutive blocks of rows, in bounded memory."""
        rows = max(1, _PRODUCTS_PER_BLOCK // len(self.right))
        for start in range(0, len(self.left), rows):
            yield start, self.inner_products(slice(start, start + rows))


def _bounded_matrix(argument: str, entries: ArrayLike, columns: int | None = None) -> NDArray[np.float64]:
    matrix = np.array(entries, dtype=np.float64)
    require_matrix_shape(argument, matrix.shape, columns)
    if len(matrix) == 0:
        raise ValueError(f"Argument {argument!r} must have at least one vector, not 0.")
    wrong = matrix[~(np.abs(matrix) <= 1)]
    if wrong.size:
        raise ValueError(f"Argument {argument!r} must have entries between -1 and 1, not {wrong[0]}.")
    matrix.setflags(write=False)
    return matrix
