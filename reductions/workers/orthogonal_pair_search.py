"""The exhaustive search for an orthogonal pair, shared out in blocks of left vectors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from reductions.problems.orthogonal_pair_scan import LEFT_TILE
from reductions.problems.orthogonal_vectors import OrthogonalVectors, Pair, Words, first_pair
from reductions.workers.parallel_map import parallel_map

PAIRS_PER_TASK = 1 << 33
"""About a second's work of a core."""


def search_shared_out(
    instance: OrthogonalVectors,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    pairs_per_task: int = PAIRS_PER_TASK,
    progress: Callable[[int, int], None] | None = None,
) -> Pair | None:
    """Return the lexicographically first orthogonal pair, or None.

    It is the first whatever the order in which blocks finish: where a block has a pair, the search ends
    when all blocks before it are done, and what has not begun is cancelled.

    Parameters
    ----------
    jobs, scheduler
        As :func:`reductions.workers.parallel_map.parallel_map`. The right vectors go to every worker once.
    pairs_per_task
        How many pairs a block has, about.
    progress
        Called with the number of blocks done and that of all.
    """
    left, right = instance.packed()
    rows = max(1, pairs_per_task // (len(left) * LEFT_TILE)) * LEFT_TILE
    starts = range(0, len(left), rows)
    blocks = [left[start : start + rows] for start in starts]
    done: set[int] = set()
    best: tuple[int, Pair] | None = None
    search = parallel_map(first_pair_of_block, blocks, common=(right,), jobs=jobs, scheduler=scheduler)
    with closing(search):
        for finished in search:
            pair = finished.result()
            done.add(finished.index)
            if pair is not None and (best is None or finished.index < best[0]):
                best = finished.index, pair
            if progress is not None:
                progress(len(done), len(blocks))
            if best is not None and done.issuperset(range(best[0])):
                break
    return None if best is None else (starts[best[0]] + best[1][0], best[1][1])


def first_pair_of_block(block: Words, right: Words) -> Pair | None:
    """Search one block, with one thread: what shares the work out has one worker a core."""
    return first_pair(block, right, threads=1)
