"""Thirteen parameter sets of the distributed PCP, with the sizes that the book's table states for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from reductions.codes.evaluation_codes import EvaluationCode, elliptic, hermitian, reed_solomon
from reductions.codes.finite_field import FiniteField, zero_sum_free
from reductions.codes.proof_system import ProofSystem
from reductions.lower_bound.distributed_pcp import DistributedPCP

MakeCode = Callable[[FiniteField, int], EvaluationCode]


@dataclass(frozen=True)
class Row:
    """One line of the page's table: the choices, and the sizes that are stated for them."""

    name: str
    make: MakeCode
    order: int
    degree: int  # s0 for Reed-Solomon, k for the others
    blocks: int
    information: int
    length: int
    dimension: int
    messages: int
    bound: int
    exact: int

    def code(self) -> EvaluationCode:
        """Build the code."""
        return self.make(FiniteField(self.order), self.degree)

    def stated(self) -> tuple[int, ...]:
        """s0, len, D, messages, degree bound, exact largest agreement of a pair that is not orthogonal."""
        return self.information, self.length, self.dimension, self.messages, self.bound, self.exact

    def measured(self) -> tuple[int, ...]:
        """The same of what is built; the last by all cosets."""
        system = self.system()
        code = system.code
        exact = max(system.best_agreement(v) for v in system.overlap_values() if any(v))
        return code.block, code.length, system.dimension, system.message_count, system.bound, exact

    def system(self) -> ProofSystem:
        """Return the proof system, made once."""
        return _system(self)

    def reduction(self, **options: Any) -> DistributedPCP:
        """Return the reduction."""
        return DistributedPCP(self.system().code, self.blocks, **options)


@cache
def _system(row: Row) -> ProofSystem:
    code = row.code()
    return ProofSystem(code, row.blocks, zero_sum_free(code.field, row.blocks))


ROWS = (
    Row("A", reed_solomon, 3, 2, 2, 2, 4, 26, 3, 2, 2),
    Row("B", reed_solomon, 5, 3, 2, 3, 6, 87, 25, 4, 4),
    Row("C", reed_solomon, 7, 3, 2, 3, 8, 159, 49, 4, 4),
    Row("H", hermitian, 9, 4, 2, 3, 28, 815, 729, 8, 8),
    Row("D", elliptic, 4, 4, 2, 4, 9, 72, 256, 8, 7),
    Row("D2", elliptic, 5, 4, 2, 4, 10, 157, 625, 8, 8),
    Row("E", reed_solomon, 7, 2, 4, 2, 8, 1218, 7, 2, 2),
    Row("F", reed_solomon, 11, 4, 2, 4, 12, 716, 1331, 6, 6),
    Row("G", reed_solomon, 5, 3, 4, 3, 6, 1923, 25, 4, 4),
    Row("I", reed_solomon, 8, 4, 3, 4, 9, 2088, 512, 6, 6),
    Row("J", elliptic, 5, 3, 4, 3, 10, 2791, 125, 6, 6),
    Row("K", elliptic, 7, 4, 3, 4, 13, 2241, 2401, 8, 8),
    Row("L", elliptic, 5, 4, 4, 4, 10, 3445, 625, 8, 8),
)


def row_named(name: str) -> Row:
    """Return the row with this name."""
    return next(row for row in ROWS if row.name == name)
