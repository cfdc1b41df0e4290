"""Agreements of the distributed PCP counted one by one, on the 0/1 vectors that are built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.codes.finite_field import Elements
from reductions.codes.proof_system import ProofSystem

Counts = NDArray[np.int64]


def all_vectors(coordinates: int) -> NDArray[np.uint8]:
    """Return {0,1}^m, shape (2^m, m)."""
    return np.array(list(product((0, 1), repeat=coordinates)), dtype=np.uint8)


def stated_truths(system: ProofSystem, left: Any, right: Any) -> Elements:
    """Return P*(x) of all pairs by its definition, shape (N_u, N_v, len)."""
    field = system.code.field
    a, b = system.encode(left), system.encode(right)
    total = np.zeros((len(a), len(b), system.code.length), dtype=np.uint8)
    for t, weight in enumerate(system.weights):
        total = field.add(total, field.multiply(weight, field.multiply(a[:, None, t], b[None, :, t])))
    return total


def shared_ones(left: Any, right: Any) -> Counts:
    """Return all ⟨a_i, b_j⟩."""
    counts: Counts = np.asarray(left, dtype=np.int64) @ np.asarray(right, dtype=np.int64).T
    return counts


@dataclass(frozen=True)
class PairTable:
    """All pairs of two lists of vectors under a system with some messages."""

    system: ProofSystem
    left: Any
    right: Any
    messages: Elements

    @classmethod
    def everything(cls, system: ProofSystem, messages: Elements | None = None) -> PairTable:
        """All of {0,1}^(s0 T) on both sides; by default all messages."""
        vectors = all_vectors(system.coordinates)
        return cls(system, vectors, vectors, system.all_messages(1 << 16) if messages is None else messages)

    def pairs(self) -> Iterator[TablePair]:
        """All pairs, left index first."""
        for i, j in product(range(len(self.left)), range(len(self.right))):
            yield TablePair(i, j, self)

    @cached_property
    def overlaps(self) -> Counts:
        """⟨a_i, b_j⟩."""
        return shared_ones(self.left, self.right)

    @cached_property
    def truths(self) -> Elements:
        """P* of every pair."""
        return stated_truths(self.system, self.left, self.right)

    @cached_property
    def counted(self) -> list[bool]:
        """For every message: whether all products are the numbers of points where it agrees with P*."""
        return [
            np.array_equal(products, (self.truths == message).sum(axis=2))
            for message, products in zip(self.messages, self._products(), strict=True)
        ]

    @cached_property
    def summary(self) -> tuple[Counts, Counts, Counts]:
        """For every pair: the largest product, how many messages reach len, the largest one below len."""
        length = self.system.code.length
        best = np.zeros(self.overlaps.shape, dtype=np.int64)
        reach, below = best.copy(), best.copy()
        for products in self._products():
            np.maximum(best, products, out=best)
            reach += products >= length
            np.maximum(below, np.where(products >= length, 0, products), out=below)
        return best, reach, below

    @cached_property
    def coset_best(self) -> dict[tuple[int, ...], int]:
        """The best agreement of every coset, by the values on the information points."""
        return {v: self.system.best_agreement(v) for v in self.system.overlap_values()}

    def _products(self) -> Iterator[Counts]:
        """Yield ⟨a'_i(P), b'_j⟩ of all pairs, for every message P; sums of at most len ones are exact."""
        forms, columns = self.system.forms(self.left), self.system.key_columns(self.right)
        keys = np.zeros((len(columns), self.system.dimension), dtype=np.float32)
        np.put_along_axis(keys, columns, 1, axis=1)
        for message in self.messages:
            yield (self.system.queries(forms, message).astype(np.float32) @ keys.T).astype(np.int64)


@dataclass(frozen=True)
class TablePair:
    """One pair, which says its vectors where it is a counterexample."""

    i: int
    j: int
    table: PairTable = field(repr=False)

    @property
    def index(self) -> tuple[int, int]:
        """(i, j)."""
        return self.i, self.j

    @property
    def orthogonal(self) -> bool:
        """Whether ⟨a, b⟩ = 0."""
        return bool(self.table.overlaps[self.index] == 0)

    def is_complete(self) -> bool:
        """An orthogonal pair reaches len with exactly one message and stays at the bound with the others."""
        _, reach, below = (part[self.index] for part in self.table.summary)
        return not self.orthogonal or bool(reach == 1 and below <= self.table.system.bound)

    def is_sound(self) -> bool:
        """A pair that is not orthogonal stays at the bound."""
        return self.orthogonal or bool(self.table.summary[0][self.index] <= self.table.system.bound)

    def is_of_coset(self) -> bool:
        """The best agreement is that of the coset."""
        overlap = self.table.truths[self.index][list(self.table.system.code.information)]
        best = self.table.summary[0][self.index]
        return bool(best == self.table.coset_best[tuple(overlap.tolist())])

    def __repr__(self) -> str:
        sides = self.table.left[self.i], self.table.right[self.j]
        a, b = ("".join(map(str, side.tolist())) for side in sides)
        best, reach, _ = (part[self.index] for part in self.table.summary)
        return (
            f"a = {a}, b = {b}, ⟨a, b⟩ = {self.table.overlaps[self.index]}, best agreement {best} of "
            f"{self.table.system.code.length}, reached by {reach} messages"
        )
