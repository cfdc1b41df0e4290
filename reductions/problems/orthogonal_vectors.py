"""Orthogonal vectors: given two lists of 0/1 vectors, is some pair of them orthogonal?"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reductions.choices import ProblemName
from reductions.problem import Problem, require_matrix_shape

Pair = tuple[int, int]
Words = NDArray[np.unsignedinteger[Any]]

_PAIRS_PER_BLOCK = 1 << 18

# Loading the compiled scan takes .5 s, in which NumPy scans about this many pairs.
_PAIRS_WORTH_COMPILING = 1 << 28


@dataclass(frozen=True, eq=False)
class OrthogonalVectors(Problem):
    """An instance of OV: N vectors per side with m coordinates in {0, 1} (Williams 2005).

    The answer is YES iff ``<left[i], right[j]> = 0`` for some pair (i, j). Where m = 0, every pair
    is orthogonal.

    Parameters
    ----------
    left, right
        Arrays of shape (N, m), N >= 1, with entries 0 and 1; kept as read-only uint8 copies.

    Raises
    ------
    ValueError
        If a side is no 0/1 matrix, has no vector, or the shapes differ.
    """

    name: ClassVar[str] = ProblemName.OV

    left: NDArray[np.uint8]
    right: NDArray[np.uint8]

    def __post_init__(self) -> None:
        left, right = _binary_matrix("left", self.left), _binary_matrix("right", self.right)
        if left.shape != right.shape:
            raise ValueError(
                f"Argument 'right' must have the shape {left.shape} of 'left', not {right.shape}."
            )
        object.__setattr__(self, "left", left)
        object.__setattr__(self, "right", right)

    @property
    def sizes(self) -> dict[str, float]:
        """The numbers ``N`` of vectors per side and ``m`` of coordinates."""
        vectors, coordinates = self.left.shape
        return {"N": vectors, "m": coordinates}

    def verify(self, witness: Any) -> bool:
        """Tell whether ``witness`` is a pair (i, j) of indices, 0 <= i, j < N, of orthogonal vectors."""
        pair = index_pair(witness, len(self.left), len(self.right))
        return pair is not None and not np.any(self.left[pair[0]] & self.right[pair[1]])

    def solve_brute_force(self, threads: int | None = None) -> Pair | None:
        """Return the lexicographically first orthogonal pair, or None; memory O(N m).

        Parameters
        ----------
        threads
            How many threads scan where there are enough pairs to share; by default one per core.
        """
        return first_pair(*self.packed(), threads)

    def packed(self) -> tuple[Words, Words]:
        """Return left vectors, one per row, and right vectors, one per column, packed into words.

        The coordinates that are ones most often come first: few pairs share none of the first word's.
        """
        densest = np.argsort(-self.left.mean(axis=0) * self.right.mean(axis=0), kind="stable")
        return _packed(self.left[:, densest]), np.ascontiguousarray(_packed(self.right[:, densest]).T)

    def orthogonal_pairs(self) -> NDArray[np.intp]:
        """Return all orthogonal pairs, an array of shape (P, 2) in lexicographic order."""
        return np.concatenate(list(_orthogonal_blocks(*self.packed())))

    @classmethod
    def random(
        cls,
        N: int,
        m: int,
        density: float = 0.5,
        seed: int | np.random.Generator = 0,
        planted: bool | None = None,
        near_threshold: bool = False,
    ) -> Self:
        """Draw a random instance.

        Parameters
        ----------
        N, m
            Numbers of vectors per side and of coordinates.
        density
            The probability of a 1, before ``planted`` and ``near_threshold`` change entries.
        planted
            True: one random pair is made orthogonal. False: there is no orthogonal pair; where the
            draw has one, both vectors get a common coordinate, which makes no other pair orthogonal,
            so that after one pass over the left vectors none is left. None: no promise.
        near_threshold
            Match the left vectors with the right ones at random and clear each right vector until it
            meets its partner in exactly one coordinate, so that inner products of exactly 1, the
            smallest that a NO instance has, are common.

        Raises
        ------
        ValueError
            If N < 1, m < 0, density is not in [0, 1], or there is no instance as asked (m = 0 with
            ``planted=False`` or ``near_threshold``).
        """
        if N < 1:
            raise ValueError(f"Argument 'N' must be at least 1, not {N}.")
        if m < 0:
            raise ValueError(f"Argument 'm' must be at least 0, not {m}.")
        if not 0 <= density <= 1:
            raise ValueError(f"Argument 'density' must be between 0 and 1, not {density}.")
        if m == 0 and (planted is False or near_threshold):
            raise ValueError("Argument 'm' must be at least 1 here, not 0: empty vectors are orthogonal.")
        generator = np.random.default_rng(seed)
        left = (generator.random((N, m)) < density).astype(np.uint8)
        right = (generator.random((N, m)) < density).astype(np.uint8)
        partner = generator.permutation(N)
        if near_threshold:
            meeting = generator.integers(m, size=N)
            right[partner] &= 1 - left
            left[np.arange(N), meeting] = 1
            right[partner, meeting] = 1
        if planted is False:
            _separate(left, right, generator)
        elif planted:
            i = int(generator.integers(N))
            right[partner[i]] &= 1 - left[i]
        return cls(left, right)


def first_pair(left: Words, right: Words, threads: int | None = None) -> Pair | None:
    """Return the lexicographically first orthogonal pair of packed vectors, or None.

    Parameters
    ----------
    left, right
        As :meth:`OrthogonalVectors.packed` returns them, or a block of the left ones: shapes (A, w), (w, N).
    threads
        As :meth:`OrthogonalVectors.solve_brute_force`.
    """
    start: int | None = 0
    if len(left) * right.shape[1] >= _PAIRS_WORTH_COMPILING:
        from reductions.problems.orthogonal_pair_scan import first_tile_with_a_pair

        start = first_tile_with_a_pair(left, right, threads)
    if start is not None:
        for pairs in _orthogonal_blocks(left, right, start):
            if len(pairs):
                return int(pairs[0, 0]), int(pairs[0, 1])
    return None


def _orthogonal_blocks(left: Words, right: Words, first: int = 0) -> Iterator[NDArray[np.intp]]:
    """Yield the orthogonal pairs of consecutive blocks of left vectors, from vector ``first`` on."""
    count = right.shape[1]
    rows = max(1, _PAIRS_PER_BLOCK // count)
    common = np.empty((rows, count), dtype=left.dtype)
    for start in range(first, len(left), rows):
        block = left[start : start + rows]
        meet = np.bitwise_and(block[:, :1], right[0], out=common[: len(block)])
        i, j = np.divmod(np.flatnonzero(meet == 0), count)
        for word in range(1, left.shape[1]):  # few pairs share no coordinate of the first word
            apart = (block[i, word] & right[word, j]) == 0
            i, j = i[apart], j[apart]
        yield np.stack([i + start, j], axis=1)


def _separate(left: NDArray[np.uint8], right: NDArray[np.uint8], generator: np.random.Generator) -> None:
    """Give every orthogonal pair a common coordinate, in place: one coordinate for each left vector."""
    orthogonal = OrthogonalVectors(left, right).orthogonal_pairs()
    for i in np.unique(orthogonal[:, 0]):
        apart = ~right[:, left[i] == 1].any(axis=1)  # against the right vectors as they are by now
        if apart.any():
            coordinate = generator.integers(left.shape[1])
            left[i, coordinate] = 1
            right[apart, coordinate] = 1


def index_pair(witness: Any, rows: int, columns: int) -> Pair | None:
    """Return ``witness`` as a pair of indices below ``rows`` and ``columns``, or None if it is not one."""
    try:
        i, j = map(operator.index, witness)
    except (TypeError, ValueError):
        return None
    return (i, j) if 0 <= i < rows and 0 <= j < columns else None


def _packed(vectors: NDArray[np.uint8]) -> Words:
    """Pack 0/1 rows into one 32-bit word where they fit, and into 64-bit words where they do not."""
    count, coordinates = vectors.shape
    word = np.dtype(np.uint32 if coordinates <= 32 else np.uint64)
    size = word.itemsize
    bytes_ = np.zeros((count, size * max(1, -(-coordinates // (8 * size)))), dtype=np.uint8)
    bytes_[:, : -(-coordinates // 8)] = np.packbits(vectors, axis=1)
    return bytes_.view(word)


def _binary_matrix(argument: str, entries: ArrayLike) -> NDArray[np.uint8]:
    given = np.asarray(entries)
    require_matrix_shape(argument, given.shape)
    if len(given) == 0:
        raise ValueError(f"Argument {argument!r} must have at least one vector, not 0.")
    wrong = given[(given != 0) & (given != 1)]
    if wrong.size:
        raise ValueError(f"Argument {argument!r} must have entries 0 and 1, not {wrong[0]}.")
    matrix = given.astype(np.uint8, order="C", copy=True)
    matrix.setflags(write=False)
    return matrix
