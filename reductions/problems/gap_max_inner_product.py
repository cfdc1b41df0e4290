"""Gap maximum inner product: does some pair of vectors reach a threshold, or do all stay well below?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reductions.choices import ProblemName
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

    name: ClassVar[str] = ProblemName.GAP_MAX_IP

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

    @cached_property
    def rounding(self) -> float:
        """A bound on the rounding error of a computed inner product, in whatever order it is summed.

        It is 0 where entries are multiples of 2^-20 and D <= 2^13: then sums of products are multiples of
        2^-40 below 2^13 and fit a float64.
        """
        dimension = self.left.shape[1]
        scaled = (side * 2.0**20 for side in (self.left, self.right))
        if dimension <= 2**13 and all((side == np.rint(side)).all() for side in scaled):
            return 0.0
        norms = (np.linalg.norm(side, axis=1).max() for side in (self.left, self.right))
        relative = (dimension + 2) * 2.0**-53
        return float(relative / (1 - relative) * math.prod(norms) * (1 + 2.0**-20))

    def verify(self, witness: Any) -> bool:
        """Tell whether ``witness`` is a pair (i, j) of indices with ``<u_i, v_j> >= s``, exactly."""
        pair = index_pair(witness, len(self.left), len(self.right))
        return pair is not None and self._exact_product(*pair) >= Fraction(self.threshold)

    def solve_brute_force(self) -> Pair | None:
        """Return the first pair (i, j) that reaches the threshold, or None, by computing all products."""
        threshold = Fraction(self.threshold)
        return self._first_pair(lambda product: product >= threshold, threshold)

    def partner(self, row: int) -> int | None:
        """Return the first j with ``<u_row, v_j> >= s``, or None: one linear scan of the v_j."""
        threshold = Fraction(self.threshold)
        pair = self._first_pair(lambda product: product >= threshold, threshold, range(row, row + 1))
        return None if pair is None else pair[1]

    def answer(self) -> Answer:
        """Return YES, NO, or OUTSIDE_PROMISE, by computing all inner products."""
        if self.solve_brute_force() is not None:
            return Answer.YES
        return Answer.NO if self._first_above_no() is None else Answer.OUTSIDE_PROMISE

    def promise_violation(self) -> Pair | None:
        """Return a pair with ``s - Δ < <u_i, v_j> < s`` of an instance outside the promise, else None."""
        return self._first_above_no() if self.answer() is Answer.OUTSIDE_PROMISE else None

    def _first_above_no(self) -> Pair | None:
        level = Fraction(self.threshold) - Fraction(self.gap)
        return self._first_pair(lambda product: product > level, level)

    def _first_pair(
        self, holds: Callable[[Fraction], bool], level: Fraction, rows: range | None = None
    ) -> Pair | None:
        """Return the first pair whose exact product passes a test that changes at ``level`` only.

        Products farther from ``level`` than rounding reaches are judged as computed, others exactly.
        """
        slack = self.rounding + abs(float(level)) * 2.0**-52
        for start, products in self._blocks(range(len(self.left)) if rows is None else rows):
            candidates = products >= float(level) - slack
            for row in np.flatnonzero(candidates.any(axis=1)):
                for column in np.flatnonzero(candidates[row]):
                    pair = start + int(row), int(column)
                    if products[row, column] > float(level) + slack or holds(self._exact_product(*pair)):
                        return pair
        return None

    def _exact_product(self, i: int, j: int) -> Fraction:
        if self.rounding == 0:
            return Fraction(float(self.left[i] @ self.right[j]))
        terms = zip(self.left[i].tolist(), self.right[j].tolist(), strict=True)
        return sum((Fraction(u) * Fraction(v) for u, v in terms), Fraction(0))

    def _blocks(self, rows: range) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield (first row, products) for consecutive blocks of the rows, in bounded memory."""
        step = max(1, _PRODUCTS_PER_BLOCK // len(self.right))
        for start in rows[::step]:
            yield start, self.inner_products(slice(start, min(start + step, rows.stop)))


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
