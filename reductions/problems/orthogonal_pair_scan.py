"""The full scan over all pairs of 0/1 vectors, at the speed of the machine: is some pair orthogonal?

Vectors are packed into words of 32 or 64 bits. A tile of left vectors meets one tile of right vectors
after the other; the right tile's words lie one after the other for all its vectors, so that one instruction
compares several pairs. There is no early exit within a tile, which would cost more than it saves.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEFT_TILE = 64
RIGHT_TILE = 1024

Words = NDArray[np.unsignedinteger[Any]]


def first_tile_with_a_pair(left: Words, right: Words, threads: int | None = None) -> int | None:
    """Return the first row of the first tile of left vectors in which a vector has an orthogonal partner.

    Parameters
    ----------
    left
        Shape (N, w): packed left vectors, one a row.
    right
        Shape (w, N): packed right vectors, one a column, contiguous.
    threads
        How many tiles are scanned at a time; by default one a core.

    Returns
    -------
    int or None
        A multiple of ``LEFT_TILE``, or None where no pair is orthogonal.
    """
    starts = range(0, len(left), LEFT_TILE)
    workers = min(threads or os.cpu_count() or 1, len(starts))
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
    def scan(left: Any, right: Any, worker: int, workers: int, found: Any) -> None:
        count, words = left.shape
        others = right.shape[1]
        word_type = left.dtype.type  # 32-bit words double the lanes of an instruction
        zero = word_type(0)
        common = np.empty(RIGHT_TILE, left.dtype)
        for start in range(worker * LEFT_TILE, count, workers * LEFT_TILE):
            for other in range(workers):
                if found[other, 0] < start:  # an earlier tile has a pair: later ones do not matter
                    return
            stop = min(start + LEFT_TILE, count)
            for begin in range(0, others, RIGHT_TILE):
                width = min(RIGHT_TILE, others - begin)
                hits = zero
                for i in range(start, stop):
                    if words == 1:
                        first = left[i, 0]
                        for j in range(width):
                            hits |= word_type((first & right[0, begin + j]) == zero)
                    elif words == 2:
                        first, second = left[i, 0], left[i, 1]
                        for j in range(width):
                            meet = (first & right[0, begin + j]) | (second & right[1, begin + j])
                            hits |= word_type(meet == zero)
                    else:
                        common[:width] = zero
                        for word in range(words):
                            first = left[i, word]
                            for j in range(width):
                                common[j] |= first & right[word, begin + j]
                        for j in range(width):
                            hits |= word_type(common[j] == zero)
                if hits:
                    found[worker, 0] = start
                    return

    return scan
