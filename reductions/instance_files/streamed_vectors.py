"""Generate instances of orthogonal vectors (OV) larger than memory, block by block.

Every block of rows has random streams of its own (Philox, a counter-based generator whose raw words never
change between versions of NumPy), so that the instance does not depend on how many blocks are drawn at a time
or by how many threads.

The answer holds by construction. In a NO instance one coordinate, the *guard*, is 1 in every vector of either
side, so no pair is orthogonal. The YES instance of the same seed differs from it in a single bit: one right
vector, which has no other coordinate in common with its left partner, loses the guard.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.instance_files.manifest import UNKNOWN, KnownBy, Manifest
from reductions.instance_files.read_write import package_version
from reductions.instance_files.stream import NO_HASH, PIECE_BYTES, write_stream
from reductions.problem import Answer
from reductions.problems.orthogonal_vectors import Pair
from reductions.system.threads import usable_cores

Side = NDArray[np.uint8]

LARGEST_DIMENSION = 1 << 24
"""The most coordinates: a block is at least one vector."""

MOST_WORKERS = 16

_BLOCK_ENTRIES = 1 << 20  # changing it changes every instance
_LEFT, _RIGHT, _PAIRING, _CHOICES = range(4)  # the purposes that a random stream is for
_DENSITY_STEPS = 1 << 16


@dataclass(frozen=True)
class StreamedVectors:
    """How an instance of OV is drawn.

    Parameters
    ----------
    vectors, dimension
        Numbers N of vectors per side, at least 1, and m of coordinates, 1 to :data:`LARGEST_DIMENSION`.
    density
        The probability of a 1 before anything else changes an entry, rounded to a multiple of 2^-16.
    seed
        At least 0.
    planted
        True: YES, with a known pair. False: NO. None: nothing is promised, and there is no guard.
    near_threshold
        Every left vector meets one right vector of its block, at random, in exactly one coordinate.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    vectors: int
    dimension: int
    density: float = 0.5
    seed: int = 0
    planted: bool | None = None
    near_threshold: bool = False

    def __post_init__(self) -> None:
        if self.vectors < 1:
            raise ValueError(f"Argument 'vectors' must be at least 1, not {self.vectors}.")
        if not 1 <= self.dimension <= LARGEST_DIMENSION:
            raise ValueError(
                f"Argument 'dimension' must be between 1 and {LARGEST_DIMENSION}, not {self.dimension}."
            )
        if not 0 <= self.density <= 1:
            raise ValueError(f"Argument 'density' must be between 0 and 1, not {self.density}.")
        if self.seed < 0:
            raise ValueError(f"Argument 'seed' must be at least 0, not {self.seed}.")

    @property
    def block_rows(self) -> int:
        """Vectors of a block; the last one may have fewer."""
        return max(1, _BLOCK_ENTRIES // self.dimension)

    @property
    def blocks(self) -> int:
        """How many blocks a side has."""
        return -(-self.vectors // self.block_rows)

    @property
    def witness(self) -> Pair | None:
        """The planted pair (i, j), if there is one."""
        return self._pair if self.planted else None

    @cached_property
    def guard(self) -> int | None:
        """The coordinate that every vector has, but for the planted one; None where nothing is promised."""
        return None if self.planted is None else self._choices[0] % self.dimension

    def left(self, block: int) -> Side:
        """Return the left vectors of a block, shape (rows, m)."""
        entries = self._entries(_LEFT, block)
        if self.guard is not None:
            entries[:, self.guard] = 1
        elif self.near_threshold:
            entries[np.arange(len(entries)), self._pairing(block)[1]] = 1
        return entries

    def right(self, block: int) -> Side:
        """Return the right vectors of a block, shape (rows, m)."""
        entries = self._entries(_RIGHT, block)
        if self.near_threshold:
            partner, meeting = self._pairing(block)
            entries[partner] &= 1 - self.left(block)
            entries[partner, meeting] = 1
        if self.guard is not None:
            entries[:, self.guard] = 1
            i, j = self._pair
            row = j - block * self.block_rows
            if 0 <= row < len(entries):
                entries[row] &= 1 - self.left(i // self.block_rows)[i % self.block_rows]
                entries[row, self.guard] = not self.planted
        return entries

    @cached_property
    def _key(self) -> NDArray[Any]:
        return np.random.SeedSequence(self.seed).generate_state(2, np.uint64)

    @cached_property
    def _choices(self) -> list[int]:
        return [int(word) for word in self._stream(_CHOICES, 0).random_raw(3)]

    @cached_property
    def _pair(self) -> Pair:
        """The pair that meets nowhere but in the guard, and not even there if it is planted."""
        i = self._choices[1] % self.vectors
        if not self.near_threshold:
            return i, self._choices[2] % self.vectors
        block = i // self.block_rows
        first = block * self.block_rows
        return i, first + int(self._pairing(block)[0][i - first])

    def _stream(self, purpose: int, block: int) -> np.random.Philox:
        return np.random.Philox(key=self._key, counter=np.array([0, block, purpose, 0], dtype=np.uint64))

    def _rows(self, block: int) -> int:
        return min(self.block_rows, self.vectors - block * self.block_rows)

    def _entries(self, purpose: int, block: int) -> Side:
        shape = self._rows(block), self.dimension
        count, stream = shape[0] * shape[1], self._stream(purpose, block)
        ones = round(self.density * _DENSITY_STEPS)
        if 2 * ones == _DENSITY_STEPS:  # a random bit an entry
            words = stream.random_raw(-(-count // 64)).astype("<u8", copy=False)
            return np.unpackbits(words.view(np.uint8), count=count, bitorder="little").reshape(shape)
        if ones == 0:
            return np.zeros(shape, dtype=np.uint8)
        words = stream.random_raw(-(-count // 4)).astype("<u8", copy=False)
        drawn = words.view("<u2")[:count] <= np.uint16(ones - 1)
        return drawn.view(np.uint8).reshape(shape)

    def _pairing(self, block: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return, for every left vector of a block, its right partner and the coordinate where they meet."""
        rows = self._rows(block)
        words = self._stream(_PAIRING, block).random_raw(2 * rows)
        partner = np.argsort(words[:rows], kind="stable")
        if self.guard is not None:
            return partner, np.full(rows, self.guard, dtype=np.intp)
        return partner, (words[rows:] % np.uint64(self.dimension)).astype(np.intp)


def write_streamed_vectors(
    path: str | os.PathLike[str],
    instance: StreamedVectors,
    *,
    workers: int | None = None,
    piece_bytes: int = PIECE_BYTES,
    command_line: str | None = None,
    overwrite: bool = True,
) -> Manifest:
    """Draw an instance and write it to an instance file, in memory of a few pieces per worker.

    The bytes of the file depend on ``instance`` and ``command_line`` only. A NO is known by its proof, the
    guard, which is looked for in all that was written before the file appears.

    Parameters
    ----------
    workers
        Threads that draw; by default one per core, and never more than :data:`MOST_WORKERS`.
    piece_bytes
        How much is drawn and written at a time, about: whole blocks.

    Raises
    ------
    ValueError
        If there is no worker.
    OSError
        If the file cannot be written, or the disk has no room for it.
    """
    if workers is None:
        workers = usable_cores()
    if workers < 1:
        raise ValueError(f"Argument 'workers' must be at least 1, not {workers}.")
    workers = min(workers, MOST_WORKERS)
    shape = [instance.vectors, instance.dimension]
    answer, known_by = _ANSWERS[instance.planted]
    manifest = Manifest(
        problem="ov",
        parameters={},
        sizes={"N": instance.vectors, "m": instance.dimension},
        tensors={side: {"dtype": "U8", "shape": shape, "sha256": NO_HASH} for side in ("left", "right")},
        seed=instance.seed,
        command_line=command_line,
        version=package_version(),
        answer=answer,
        known_by=known_by,
        witness=None if instance.witness is None else list(instance.witness),
    )
    step = max(1, piece_bytes // (instance.block_rows * instance.dimension))
    starts = range(0, instance.blocks, step)
    common = np.ones(instance.dimension, dtype=np.uint8)

    def draw(block: Callable[[int], Side], start: int) -> tuple[Side, Side]:
        numbers = range(start, min(start + step, instance.blocks))
        drawn = np.concatenate([block(number) for number in numbers])
        return drawn, np.bitwise_and.reduce(drawn, axis=0)

    def pieces(side: str) -> Iterator[Side]:
        block = instance.left if side == "left" else instance.right
        for piece, shared in _in_order(lambda start: draw(block, start), starts, workers):
            np.bitwise_and(common, shared, out=common)
            yield piece
        if side == "right" and instance.planted is False and not common.any():
            raise RuntimeError("The vectors have no coordinate in common: the construction is broken.")

    return write_stream(
        path, manifest, {side: pieces(side) for side in ("left", "right")}, overwrite=overwrite
    )


_ANSWERS = {
    True: (Answer.YES.value, KnownBy.PLANTED.value),
    False: (Answer.NO.value, KnownBy.CERTIFIED.value),
    None: (UNKNOWN, KnownBy.UNKNOWN.value),
}


def _in_order(function: Callable[[int], Any], items: Iterable[int], workers: int) -> Iterator[Any]:
    """Yield the values of ``function`` in order, computed by threads that run ahead by a few items."""
    waiting: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > workers + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
