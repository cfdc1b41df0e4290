"""What the sparsification lemma does, on small formulas (after Impagliazzo, Paturi and Zane 2001).

Where many clauses share a part, the *heart*, every satisfying assignment satisfies it or all the rests, the
*petals*. Branching on that replaces many clauses by a shorter one, or by many shorter ones; it is
repeated until no heart is in too many clauses. The theorem (lem-sparsification) is that thresholds can
be chosen such that there are few leaves. That is cited, not shown here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from math import comb
from typing import NamedTuple

from reductions.problems.cnf import CNF

Literals = frozenset[int]
Clauses = frozenset[Literals]


class Sunflower(NamedTuple):
    """Clauses of one length that share the literals of a nonempty heart: heart | petal for every petal."""

    heart: Literals
    petals: tuple[Literals, ...]


def irredundant(clauses: Iterable[Literals]) -> Clauses:
    """Drop the clauses that hold a variable with both signs, and those that contain another clause."""
    kept: list[Literals] = []
    for clause in sorted(set(clauses), key=lambda clause: (len(clause), sorted(clause))):
        tautology = any(-literal in clause for literal in clause)
        if not tautology and not any(shorter <= clause for shorter in kept):
            kept.append(clause)
    return frozenset(kept)


def find_sunflower(clauses: Clauses, thresholds: Sequence[int]) -> Sunflower | None:
    """Return a sunflower with at least ``thresholds[p - 1]`` petals of size p, or None.

    Shorter clauses come first, and among them smaller petals, as in the proof of the lemma.
    """
    for width in sorted({len(clause) for clause in clauses}):
        for petal in range(1, min(width, len(thresholds) + 1)):
            around: dict[Literals, list[Literals]] = defaultdict(list)
            for clause in sorted((c for c in clauses if len(c) == width), key=sorted):
                for shared in combinations(sorted(clause), width - petal):
                    around[frozenset(shared)].append(clause - frozenset(shared))
            heart, petals = max(around.items(), key=lambda item: len(item[1]))
            if len(petals) >= thresholds[petal - 1]:
                return Sunflower(heart, tuple(petals))
    return None


def branches(clauses: Clauses, sunflower: Sunflower) -> Iterator[Clauses]:
    """Add the heart, or all petals, as clauses: whatever satisfies the clauses satisfies one of the two."""
    yield irredundant(clauses | {sunflower.heart})
    yield irredundant(clauses | set(sunflower.petals))


Split = Callable[[Clauses, Sunflower], Iterator[Clauses]]


def sparsify(
    formula: CNF, thresholds: Sequence[int], limit: int = 1 << 14, split: Split = branches
) -> list[CNF]:
    """Write a formula as a disjunction of formulas without large sunflowers.

    Parameters
    ----------
    formula
        Any CNF formula.
    thresholds
        For petals of size 1, 2, ...: the number of petals from which a sunflower is split, at least 2.
    limit
        The most leaves.
    split
        The branching step.

    Returns
    -------
    list of CNF
        Formulas on the same variables. An assignment satisfies ``formula`` iff it satisfies one of them.
        Leaves in which the empty clause or two opposite unit clauses occur are left out.

    Raises
    ------
    ValueError
        If a threshold is below 2, or there are more than ``limit`` leaves.
    """
    if any(threshold < 2 for threshold in thresholds):
        raise ValueError(f"Argument 'thresholds' must be at least 2 each, not {tuple(thresholds)}.")
    leaves: list[CNF] = []
    stack = [irredundant(frozenset(clause) for clause in formula.clauses)]
    while stack:
        clauses = stack.pop()
        if _contradicts_itself(clauses):
            continue
        sunflower = find_sunflower(clauses, thresholds)
        if sunflower is not None:
            stack.extend(reversed(list(split(clauses, sunflower))))
            continue
        if len(leaves) == limit:
            raise ValueError(f"Argument 'limit' must be larger: there are more than {limit} leaves.")
        ordered = sorted((tuple(sorted(c, key=abs)) for c in clauses), key=lambda c: (len(c), c))
        leaves.append(CNF(formula.variables, tuple(ordered)))
    return leaves


def _contradicts_itself(clauses: Clauses) -> bool:
    units = {literal for clause in clauses if len(clause) == 1 for literal in clause}
    return frozenset() in clauses or any(-literal in units for literal in units)


def most_occurrences(formula: CNF) -> int:
    """Return in how many clauses the most frequent literal occurs; 0 without literals."""
    counts: dict[int, int] = defaultdict(int)
    for clause in formula.clauses:
        for literal in set(clause):
            counts[literal] += 1
    return max(counts.values(), default=0)


def occurrence_bound(width: int, thresholds: Sequence[int]) -> int:
    """Return max(1, sum over p < width of (thresholds[p - 1] - 1)): the most occurrences in a leaf.

    A literal is a heart of size 1, whose petals in clauses of p + 1 literals are fewer than the
    threshold for p; and a literal that is a unit clause occurs nowhere else.

    Raises
    ------
    ValueError
        If there are fewer than ``width - 1`` thresholds.
    """
    if len(thresholds) < width - 1:
        raise ValueError(
            f"Argument 'thresholds' must have {width - 1} entries for width {width}, not {len(thresholds)}."
        )
    return max(1, sum(threshold - 1 for threshold in thresholds[: max(0, width - 1)]))


def illustrative_density(width: int, delta: Fraction) -> Fraction:
    """Return (k / delta)^(3k): the order of the theorem's bound on occurrences, with leading constant 1."""
    return (width / Fraction(delta)) ** (3 * width)


def most_possible_occurrences(variables: int, width: int) -> int:
    """Return 2^(k - 1) C(v - 1, k - 1): the number of clauses of k variables that hold a given literal."""
    return int(2 ** (width - 1) * comb(variables - 1, width - 1))


def vacuous_below(width: int, delta: Fraction) -> int:
    """Return the least v for which a literal can be in more than (k / delta)^(3k) clauses of k variables.

    With fewer variables every such formula is sparse already, and the theorem is true with one leaf.
    """
    density = illustrative_density(width, delta)

    def possible(variables: int) -> bool:
        return most_possible_occurrences(variables, width) > density

    high = width
    while not possible(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if possible(middle) else (middle, high)
    return high
