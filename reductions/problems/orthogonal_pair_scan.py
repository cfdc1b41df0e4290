"""The full scan over all pairs of 0/1 vectors, at the speed of the machine: is some pair orthogonal?

Vectors are packed into words of 32 or 64 bits. A tile of left vectors meets one tile of right vectors
after the other; the right tile's words lie one after the other for all its vectors, so that one instruction
compares several pairs. All pairs are compared in the first word; the other words are looked at where a row
of a tile has a pair that shares nothing in the first. So the caller puts the densest coordinates first.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.system.threads import usable_cores

LEFT_TILE = 64
RIGHT_TILE = 1024

Words = NDArray[np.unsignedinteger[Any]]


def first_tile_with_a_pair(left: Words, right: Words, threads: int | None = None) -> int | None:
    """Return the first row of the first tile of left vectors in which a vector has an orthogonal partner.

    Parameters
    ----------
    left
        Shape (N, w): packed left vectors, one per row.
    right
        Shape (w, N): packed right vectors, one per column, contiguous.
    threads
        How many tiles are scanned at a time; by default one per core.

    Returns
    -------
    int or None
        A multiple of ``LEFT_TILE``, or None where no pair is orthogonal.
    """
    starts = range(0, len(left), LEFT_TILE)
    workers = min(threads or usable_cores(), len(starts))
    # One row a worker, 64 bytes apart so that no two share a cache line: a hit found, as a row of left.
    found = np.full((workers, 8), len(left), dtype=np.int64)
    scan = _scan_kernel()

    def work(worker: int) -> None:
        scan(left, right, worker, workers, found)

    if workers == 1:
        work(0)
    else:
        with ThreadPoolExecutor(max_workers=workers) as pool:
            list(pool.map(work, range(workers)))
    first = int(found[:, 0].min())
    return first if first < len(left) else None


@cache
def _scan_kernel() -> Callable[..., None]:
    """Compile the scan when it is first used, or load it from numba's cache."""
    import numba

    @numba.njit(nogil=True, cache=True)
    def row_hits(row: Any, right: Any, begin: int, width: int, common: Any) -> bool:
        word_type = row.dtype.type  # 32-bit words double the lanes of an instruction
        zero = word_type(0)
        hits, first = zero, row[0]
        for j in range(width):
            hits |= word_type((first & right[0, begin + j]) == zero)
        if not hits or len(row) == 1:
            return bool(hits)
        # Some pair shares nothing in the first word: the other words decide.
        for j in range(width):
            common[j] = first & right[0, begin + j]
        for word in range(1, len(row)):
            other = row[word]
            for j in range(width):
                common[j] |= other & right[word, begin + j]
        hits = zero
        for j in range(width):
            hits |= word_type(common[j] == zero)
        return bool(hits)

    @numba.njit(nogil=True, cache=True)
    def scan(left: Any, right: Any, worker: int, workers: int, found: Any) -> None:
        count = len(left)
        others = right.shape[1]
        common = np.empty(RIGHT_TILE, left.dtype)
        for start in range(worker * LEFT_TILE, count, workers * LEFT_TILE):
            for other in range(workers):
                if found[other, 0] < start:  # an earlier tile has a pair: later ones do not matter
                    return
            stop = min(start + LEFT_TILE, count)
            for begin in range(0, others, RIGHT_TILE):
                width = min(RIGHT_TILE, others - begin)
                for i in range(start, stop):
                    if row_hits(left[i], right, begin, width, common):
                        found[worker, 0] = start
                        return

    return scan
