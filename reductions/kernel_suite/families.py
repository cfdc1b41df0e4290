"""Families of orthogonal-vectors twins: a NO instance and a YES instance that differ in one bit.

In each NO instance every pair of vectors shares a coordinate, for a reason that is part of the family: so
the answer is certified by construction. One *decisive pair* shares exactly one coordinate; clearing it in
the right vector makes the YES twin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reductions.kernel_suite.raw_bits import RawBits
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problems.cnf import CNF

Bits = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Twins:
    """An OV instance without an orthogonal pair, and where its twin differs.

    Attributes
    ----------
    left, right
        Shape (N, m), 0/1; no pair is orthogonal.
    row, column
        The decisive pair: it shares ``coordinate`` alone.
    coordinate
        The coordinate that the YES twin clears in ``right[column]``.
    """

    left: Bits
    right: Bits
    row: int
    column: int
    coordinate: int

    def vectors(self, planted: bool) -> tuple[Bits, Bits]:
        """Return (left, right) of the YES twin (``planted``) or of the NO twin."""
        right = self.right.copy()
        if planted:
            right[self.column, self.coordinate] = 0
        return self.left, right


def _guarded(left: Bits, right: Bits, bits: RawBits) -> Twins:
    """Let all vectors share the last coordinate, and one pair nothing else."""
    row, column = (int(index) for index in bits.below(len(left), 2))
    left[:, -1] = right[:, -1] = 1
    right[column, :-1] = 1 - left[row, :-1]
    return Twins(left, right, row, column, left.shape[1] - 1)


def random_vectors(vectors: int, coordinates: int, bits: RawBits) -> Twins:
    """Half the coordinates are ones: most inner products are about a quarter of m."""
    left, right = (bits.matrix(vectors, coordinates, 128) for _ in range(2))
    return _guarded(left, right, bits)


def unique_pair(vectors: int, coordinates: int, bits: RawBits) -> Twins:
    """As random, but the YES twin has one orthogonal pair and no other."""
    twins = random_vectors(vectors, coordinates, bits)
    others = np.arange(vectors) != twins.row
    partner = twins.right[twins.column, :-1]
    alone = np.flatnonzero(others & ~(twins.left[:, :-1] & partner).any(axis=1))
    shared = np.flatnonzero(partner)
    if not len(shared):  # the decisive left vector is all ones: make room for a coordinate to share
        twins.left[twins.row, 0], partner[0] = 0, 1
        shared = np.array([0])
    twins.left[alone, shared[0]] = 1
    return twins


def low_weight(vectors: int, coordinates: int, bits: RawBits) -> Twins:
    """Few ones: almost every inner product is 1, the least that a NO instance allows."""
    left, right = (bits.matrix(vectors, coordinates, 256 * 2 // coordinates) for _ in range(2))
    twins = _guarded(left, right, bits)
    # The decisive partner stays light too: the complement would give it many ones.
    twins.right[twins.column, :-1] &= bits.matrix(1, coordinates - 1, 256 * 2 // coordinates)[0]
    return twins


def extremal(vectors: int, coordinates: int, bits: RawBits) -> Twins:
    """Every inner product is 1: all keys compete at the threshold, the tight case of the reduction."""
    left, right = (np.zeros((vectors, coordinates), np.uint8) for _ in range(2))
    twins = _guarded(left, right, bits)
    twins.right[twins.column, :-1] = 0
    return twins


def from_formula(vectors: int, coordinates: int, bits: RawBits) -> Twins:
    """Split and list an unsatisfiable formula: eight sign patterns on three variables, and random clauses.

    The number of vectors is a power of two; the vectors' inner products count falsified clauses. The
    decisive pair is the first that falsifies one clause alone.
    """
    variables = 2 * (vectors.bit_length() - 1)
    core = [
        tuple(v if pattern >> t & 1 else -v for t, v in enumerate((1, 2, variables))) for pattern in range(8)
    ]
    clauses = [
        tuple(
            int(variable + 1) if sign % 2 else -int(variable + 1)
            for variable, sign in zip(bits.choice(variables, 3), bits.words(3), strict=True)
        )
        for _ in range(min(coordinates, 30) - 8)
    ]
    listed = SplitAndList().map_instance(CNF(variables, (*core, *clauses))).target
    left, right = (np.zeros((vectors, coordinates), np.uint8) for _ in range(2))
    left[:, : len(core) + len(clauses)] = listed.left
    right[:, : len(core) + len(clauses)] = listed.right
    for row in range(vectors):
        products = right.astype(np.int64) @ left[row].astype(np.int64)
        columns = np.flatnonzero(products == 1)
        if len(columns):
            column = int(columns[0])
            coordinate = int(np.flatnonzero(left[row] & right[column])[0])
            return Twins(left, right, row, column, coordinate)
    raise ValueError("Argument 'bits' must give a formula with an assignment that falsifies one clause.")


FAMILIES: dict[str, Callable[[int, int, RawBits], Twins]] = {
    "random": random_vectors,
    "unique": unique_pair,
    "low-weight": low_weight,
    "extremal": extremal,
    "formula": from_formula,
}
