"""Split and list: from CNF formulas to orthogonal vectors (Williams 2005).

The variables are split into two halves; all assignments of each half are listed as vectors, with
one coordinate a clause that says whether the half leaves the clause unsatisfied. The inner product
of two vectors is then the number of clauses that the joined assignment falsifies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from reductions.problems.cnf import CNF, Model
from reductions.problems.orthogonal_vectors import OrthogonalVectors, Pair
from reductions.reduction import Reduced, Reduction, size

if TYPE_CHECKING:
    import sympy

MOST_VARIABLES = 48
"""The most variables that are split and listed: 2^24 vectors per side."""


def halves(variables: int) -> tuple[range, range]:
    """Return the variables of the two halves: 1..⌈v/2⌉ and the others.

    >>> halves(5)
    (range(1, 4), range(4, 6))
    """
    first = -(-variables // 2)
    return range(1, first + 1), range(first + 1, variables + 1)


def half_assignment(index: int, half: Sequence[int]) -> Model:
    """Return the values of a half's variables in vector number ``index``: bit t is the t-th variable's.

    Higher bits (for odd v, the padding bit of the second half) have no meaning.
    """
    return tuple(bool(index >> t & 1) for t in range(len(half)))


def falsified_clauses(formula: CNF, half: Sequence[int], vectors: int) -> NDArray[np.uint8]:
    """Return u with ``u[x, c] = 1`` iff half assignment x satisfies no literal of clause c.

    Parameters
    ----------
    half
        The variables of the half, in the order of the bits of x.
    vectors
        The number of half assignments, a power of two at least 2^len(half).

    Returns
    -------
    NDArray
        Shape (vectors, m).
    """
    index = np.arange(vectors)
    values = {variable: (index >> t & 1).astype(bool) for t, variable in enumerate(half)}
    falsified = np.ones((len(formula.clauses), vectors), dtype=bool)
    for row, clause in zip(falsified, formula.clauses, strict=True):
        for literal in clause:
            if abs(literal) in values:
                row &= values[abs(literal)] != (literal > 0)
    return falsified.T.astype(np.uint8)


@dataclass(frozen=True)
class SplitAndListReduced(Reduced[CNF, OrthogonalVectors]):
    """A formula and its vectors."""

    source: CNF
    target: OrthogonalVectors

    def map_witness(self, witness: Sequence[bool]) -> Pair:
        """Map a satisfying assignment to the pair of its halves (padding bit 0).

        Raises
        ------
        ValueError
            If ``witness`` does not satisfy the formula.
        """
        if not self.source.verify(witness):
            raise ValueError("Argument 'witness' must be a satisfying assignment of the formula.")
        first, second = (
            sum(bool(witness[variable - 1]) << t for t, variable in enumerate(half))
            for half in halves(self.source.variables)
        )
        return first, second

    def extract_solution(self, solution: Any) -> Model | None:
        """Join the halves of any orthogonal pair to a satisfying assignment; map None (no pair) to None.

        Raises
        ------
        ValueError
            If ``solution`` is neither None nor a pair of indices of orthogonal vectors.
        """
        if solution is None:
            return None
        if not self.target.verify(solution):
            raise ValueError(f"Argument 'solution' must be an orthogonal pair or None, not {solution!r}.")
        first, second = halves(self.source.variables)
        return half_assignment(int(solution[0]), first) + half_assignment(int(solution[1]), second)


class SplitAndList(Reduction[CNF, OrthogonalVectors]):
    """CNF, v variables and m clauses, to OV with 2^⌈v/2⌉ vectors of dimension m (``lem-split-and-list``)."""

    name: ClassVar[str] = "split-and-list"

    def map_instance(self, source: CNF) -> SplitAndListReduced:
        """List both halves.

        Raises
        ------
        ValueError
            If the formula has more than :data:`MOST_VARIABLES` variables.
        """
        if source.variables > MOST_VARIABLES:
            raise ValueError(
                f"Argument 'source' must have at most {MOST_VARIABLES} variables, not {source.variables}: "
                f"2^{-(-source.variables // 2)} vectors per side are too many to list."
            )
        first, second = halves(source.variables)
        vectors = 1 << len(first)
        target = OrthogonalVectors(
            falsified_clauses(source, first, vectors), falsified_clauses(source, second, vectors)
        )
        return SplitAndListReduced(source, target)

    def parameter_map(self) -> Mapping[str, sympy.Expr]:
        """N = 2^⌈v/2⌉ and m = m."""
        import sympy

        return {"N": 2 ** sympy.ceiling(size("v") / 2), "m": size("m")}
