"""Search for a staircase of small rank: guesses, nothing here needs to be trusted.

For groups with errors rho_j(g), the staircase of threshold theta keeps the tuples whose product of
rho_j(g_j - 1), with rho_j(-1) = 1, exceeds theta: a tuple is kept where leaving it out would cost too much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from reductions.layers.arrays import Floats
from reductions.upper_bound.grouped_degrees import Degrees

_MOST_DEGREES = 40
_CUTS = (1, 2, 3, 4, 6, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128)
_BISECTIONS = 10


class GroupErrors:
    """The errors rho(g) of one group, guessed from the half-width of its logits and kept."""

    def __init__(self, half_width: float) -> None:
        self.half_width = half_width
        self._known: list[float] = []

    def error(self, degree: int) -> float:
        """Return a guess: tanh(b) for g = 0, and about 2 J_{g+1}(b) once g + 1 exceeds b."""
        b = self.half_width
        if degree + 1 <= b or not degree:
            return math.tanh(b)
        # The leading terms of the series of 2 J_{g+1}(b).
        nu = degree + 1
        first = 2 * (b / 2) ** nu / math.factorial(nu)
        bessel = first * (1 - (b / 2) ** 2 / (nu + 1) + (b / 2) ** 4 / (2 * (nu + 1) * (nu + 2)))
        return min(math.tanh(b), bessel)

    def __getitem__(self, degree: int) -> float:
        while len(self._known) <= degree:
            self._known.append(self.error(len(self._known)))
        return self._known[degree]


def _bound(sizes: Sequence[int], groups: Sequence[GroupErrors], threshold: float) -> tuple[int, float]:
    """Return the rank and the error bound of the staircase of a threshold, without listing it."""
    size, group = sizes[0], groups[0]
    last = len(sizes) == 1
    rank, total, before, share, degree = 0, 0.0, 0.0, 1.0, 0
    while True:
        here = (1, 0.0) if last else _bound(sizes[1:], groups[1:], threshold / share)
        rank += math.comb(size + degree - 1, degree) * here[0]
        if not degree:
            total = here[1]
        elif here[1] != before:
            total += share * (before + here[1])
        before, share = here[1], group[degree]
        degree += 1
        if share <= threshold or degree > _MOST_DEGREES:
            return rank, total + share * (1 + before)


def _members(groups: Sequence[GroupErrors], threshold: float) -> list[Degrees]:
    if not groups:
        return [()]
    members, share, degree = [], 1.0, 0
    while degree == 0 or (share > threshold and degree <= _MOST_DEGREES):
        members += [(degree, *rest) for rest in _members(groups[1:], threshold / share)]
        share = groups[0][degree]
        degree += 1
    return members


def _best_threshold(
    sizes: Sequence[int], groups: Sequence[GroupErrors], tolerance: float, steps: int
) -> tuple[int, float] | None:
    """Return the least rank found and its threshold."""
    high = math.log(tolerance)
    low = high - 3.0 * len(sizes)
    if _bound(sizes, groups, math.exp(low))[1] > tolerance:
        return None
    for _ in range(steps):
        middle = (low + high) / 2
        if _bound(sizes, groups, math.exp(middle))[1] <= tolerance:
            low = middle
        else:
            high = middle
    return _bound(sizes, groups, math.exp(low))[0], math.exp(low)


def best_staircase(
    sizes: Sequence[int], groups: Sequence[GroupErrors], tolerance: float
) -> frozenset[Degrees] | None:
    """Return a staircase of small rank whose error bound is at most the tolerance."""
    best = _best_threshold(sizes, groups, tolerance, 2 * _BISECTIONS)
    return None if best is None else frozenset(_members(groups, best[1]))


def best_cuts(
    queries: Floats, keys: Floats, temperature: float, tolerance: float, max_groups: int
) -> tuple[int, ...] | None:
    """Return where to cut the axes into groups: cuts are added one by one as long as the rank falls.

    Returns
    -------
    tuple of int or None
        0, the cuts and d; None where not even one group meets the tolerance.
    """
    dimension = queries.shape[1]
    places = [cut for cut in _CUTS if cut < dimension] if max_groups > 1 else []
    ends = [0, *places, dimension]
    blocks = np.repeat(np.eye(len(ends) - 1), np.diff(ends), axis=0)
    squares = [np.ascontiguousarray(((rows * rows) @ blocks).T) for rows in (queries, keys)]
    known: dict[tuple[int, int], GroupErrors] = {}

    def group(first: int, last: int) -> GroupErrors:
        pair = (first, last)
        if pair not in known:
            i, j = ends.index(first), ends.index(last)
            norms = math.prod(math.sqrt(part[i:j].sum(axis=0).max()) for part in squares)
            known[pair] = GroupErrors(norms / temperature)
        return known[pair]

    def value(cuts: tuple[int, ...]) -> float:
        sizes = [b - a for a, b in pairwise(cuts)]
        groups = [group(a, b) for a, b in pairwise(cuts)]
        found = _best_threshold(sizes, groups, tolerance, _BISECTIONS)
        return math.inf if found is None else found[0]

    cuts: tuple[int, ...] = (0, dimension)
    least = value(cuts)
    while len(cuts) <= max_groups:
        tried = [tuple(sorted((*cuts, place))) for place in places if place not in cuts]
        worth = [value(candidate) for candidate in tried]
        if not worth or min(worth) >= least:
            break
        least = min(worth)
        cuts = tried[worth.index(least)]
    return cuts if least < math.inf else None
