"""Sunflowers, leaves and occurrences by their definitions, for the demonstration of sparsification."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, combinations, product

import numpy as np

from checks.evidence import Relation
from reductions.lower_bound.sparsification import (
    Clauses,
    Literals,
    find_sunflower,
    illustrative_density,
    irredundant,
    most_occurrences,
    most_possible_occurrences,
    occurrence_bound,
    sparsify,
    vacuous_below,
)
from reductions.problems.cnf import CNF, random_k_sat

Thresholds = tuple[int, ...]
Case = tuple[CNF, Thresholds]

CLAUSE_SET_COUNT = 697
"""The number of sets of at most three of the 16 sets of literals on two variables."""


def clause_sets() -> Iterator[tuple[Literals, ...]]:
    """Every set of at most three clauses on two variables; a clause may hold both signs of one."""
    literals = (1, -1, 2, -2)
    clauses = [frozenset(c) for size in range(5) for c in combinations(literals, size)]
    return chain.from_iterable(combinations(clauses, count) for count in range(4))


def is_reduced_as_stated(clauses: tuple[Literals, ...]) -> bool:
    """What is left are the clauses without opposite literals that contain no other such clause."""
    proper = [c for c in clauses if not any(-literal in c for literal in c)]
    return irredundant(clauses) == {c for c in proper if not any(d < c for d in proper)}


def sunflower_sizes(clauses: Clauses, thresholds: Thresholds) -> Iterator[tuple[int, int, int]]:
    """Yield (width, size of the petals, most petals) of the sunflowers that reach their threshold, in order.

    By the definition: every nonempty set of literals of a clause may be the heart.
    """
    for width in sorted(set(map(len, clauses))):
        layer = [c for c in clauses if len(c) == width]
        for petal in range(1, min(width, len(thresholds) + 1)):
            hearts = {frozenset(h) for c in layer for h in combinations(c, width - petal)}
            most = max(sum(heart <= c for c in layer) for heart in hearts)
            if most >= thresholds[petal - 1]:
                yield width, petal, most


def is_first_sunflower(case: Case) -> bool:
    """The sunflower that is found is one, is among the first that there are, and has all its petals."""
    formula, thresholds = case
    clauses = irredundant(frozenset(clause) for clause in formula.clauses)
    first = next(sunflower_sizes(clauses, thresholds), None)
    found = find_sunflower(clauses, thresholds)
    if found is None or first is None:
        return found is None and first is None
    whole = {found.heart | petal for petal in found.petals}
    (petal,), (width,) = set(map(len, found.petals)), set(map(len, whole))
    return bool(found.heart) and whole <= clauses and (width, petal, len(whole)) == first


def is_finished(case: Case) -> bool:
    """No leaf contradicts itself, holds a clause too many, or has a sunflower that reaches its threshold."""
    formula, thresholds = case
    for leaf in sparsify(formula, thresholds):
        clauses = frozenset(map(frozenset, leaf.clauses))
        units = {literal for clause in clauses if len(clause) == 1 for literal in clause}
        opposite = bool(units & {-literal for literal in units})
        if frozenset() in clauses or opposite or irredundant(clauses) != clauses:
            return False
        if next(sunflower_sizes(clauses, thresholds), None) is not None:
            return False
    return True


def draw_wide_case(generator: np.random.Generator) -> Case:
    """Draw a 4-CNF with 5 to 7 variables, some of its clauses cut short, and one to three thresholds."""
    variables = int(generator.integers(5, 8))
    formula = random_k_sat(variables, int(generator.integers(1, 5 * variables)), 4, generator)
    clauses = tuple(clause[: generator.integers(1, 9)] for clause in formula.clauses)
    return CNF(variables, clauses), tuple(generator.integers(2, 7, size=generator.integers(1, 4)).tolist())


def star(width: int, thresholds: Thresholds) -> CNF:
    """Return one literal in theta_p - 1 clauses with p fresh literals each: as many as a leaf allows."""
    if width == 1:
        return CNF(1, ((1,),))
    fresh = iter(range(2, 1000))
    clauses = [
        (1, *(next(fresh) for _ in range(petal)))
        for petal, threshold in enumerate(thresholds[: width - 1], start=1)
        for _ in range(threshold - 1)
    ]
    return CNF(next(fresh) - 1, tuple(clauses))


STARS = [(width, thresholds) for width in (1, 2, 3, 4) for thresholds in product((2, 3, 5), repeat=3)]


def bound_is_attained(case: tuple[int, Thresholds]) -> bool:
    """A star is its own only leaf, and its literal occurs as often as the bound allows."""
    width, thresholds = case
    formula = star(width, thresholds)
    widest = max(map(len, formula.clauses))
    return (
        widest == width
        and sparsify(formula, thresholds) == [formula]
        and sum(1 in clause for clause in formula.clauses)
        == most_occurrences(formula)
        == occurrence_bound(width, thresholds)
    )


def counts_occurrences(formula: CNF) -> bool:
    """The most frequent literal, counted literal by literal; one that a clause repeats counts once."""
    literals = (x for v in range(1, formula.variables + 1) for x in (v, -v))
    counts = [sum(x in clause for clause in formula.clauses) for x in literals]
    twice = CNF(formula.variables, tuple(clause * 2 for clause in formula.clauses))
    return most_occurrences(formula) == most_occurrences(twice) == max(counts, default=0)


def possible_occurrences(variables: int, width: int) -> int:
    """Count the clauses of ``width`` different variables that hold the literal 1."""
    choices = combinations(range(1, variables + 1), width)
    return sum(
        all(s * x != -1 for s, x in zip(signs, chosen, strict=True))
        for chosen in choices
        if 1 in chosen
        for signs in product((1, -1), repeat=width)
    )


DENSITIES = {
    (3, Fraction(1, 2)): 6**9,
    (3, Fraction(1, 4)): 12**9,
    (3, Fraction(1, 10)): 30**9,
    (4, Fraction(1, 2)): 8**12,
    (4, Fraction(1, 4)): 16**12,
    (4, Fraction(1, 10)): 40**12,
    (5, Fraction(1, 2)): 10**15,
    (5, Fraction(1, 4)): 20**15,
    (5, Fraction(1, 10)): 50**15,
}
"""(k / delta)^(3k), written out."""


def vacuity_claims() -> Iterator[tuple[str, int | Fraction, Relation, int | Fraction]]:
    """Yield: the two formulas; with one variable less no literal can be in too many clauses; the sizes."""
    for variables, width in product(range(1, 7), (1, 2, 3, 4)):
        name = f"v = {variables}, k = {width}: clauses that hold a given literal"
        counted = possible_occurrences(variables, width)
        yield name, most_possible_occurrences(variables, width), "==", counted
    for (width, delta), density in DENSITIES.items():
        least = vacuous_below(width, delta)
        name = f"k = {width}, delta = {delta}"
        yield f"{name}: density", illustrative_density(width, delta), "==", density
        yield f"{name}: below", most_possible_occurrences(least - 1, width), "<=", density
        yield f"{name}: from {least} on", most_possible_occurrences(least, width), ">", density
    yield "k = 3, delta = 1/2: above two thousand", vacuous_below(3, Fraction(1, 2)), ">", 2_000
    yield "k = 3, delta = 1/10: above a million", vacuous_below(3, Fraction(1, 10)), ">", 10**6
