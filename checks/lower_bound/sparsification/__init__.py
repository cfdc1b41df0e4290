"""The demonstration of lem-sparsification, which is cited: the branching step on small formulas."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain, combinations, product

import numpy as np
from numpy.typing import NDArray

from checks.evidence import Evidence, certified, exhaustive, sampled
from checks.evidence.registry import Kind, Run, lemma
from checks.lower_bound.sparsification.sunflowers import (
    CLAUSE_SET_COUNT,
    STARS,
    Case,
    Thresholds,
    bound_is_attained,
    clause_sets,
    counts_occurrences,
    draw_wide_case,
    is_finished,
    is_first_sunflower,
    is_reduced_as_stated,
    vacuity_claims,
)
from reductions.lower_bound.sparsification import (
    Clauses,
    Split,
    Sunflower,
    branches,
    irredundant,
    most_occurrences,
    occurrence_bound,
    sparsify,
)
from reductions.problems.cnf import CNF, random_k_sat

EQUIVALENT = "demonstration: an assignment satisfies the formula iff it satisfies one of the leaves"
SPARSE = "demonstration: no literal is in more clauses of a leaf than the thresholds allow"
REDUCED = "demonstration: clauses with opposite literals or another clause in them go, the others stay"
SUNFLOWER = "demonstration: of the sunflowers at their thresholds a first one is found, with all its petals"
FINISHED = "demonstration: no leaf contradicts itself or has a sunflower that reaches its threshold"
ATTAINED = "demonstration: occurrences are counted, and as many as the thresholds allow occur"
VACUOUS = "below the stated numbers of variables (k/delta)^(3k) occurrences are not exceeded by any formula"


STAR = CNF(7, tuple((1, 2, rest) for rest in (3, 4, 5, 6, 7)))
"""Five clauses that share two literals."""

THRESHOLDS: tuple[Thresholds, ...] = ((2, 2), (2, 4), (3, 6))


def truth_table(formula: CNF) -> NDArray[np.bool_]:
    """Return which of the 2^v assignments satisfy the formula."""
    numbers = np.arange(1 << formula.variables)
    satisfied = np.ones(len(numbers), dtype=bool)
    for clause in formula.clauses:
        either = np.zeros(len(numbers), dtype=bool)
        for literal in clause:
            either |= (numbers >> (abs(literal) - 1) & 1) == (literal > 0)
        satisfied &= either
    return satisfied


def is_equivalent(case: Case, split: Split = branches) -> bool:
    """Compare what satisfies the formula with what satisfies some leaf, over all assignments."""
    formula, thresholds = case
    union = np.zeros(1 << formula.variables, dtype=bool)
    for leaf in sparsify(formula, thresholds, split=split):
        union |= truth_table(leaf)
    return bool((union == truth_table(formula)).all())


def is_sparse(case: Case, promised: Thresholds | None = None) -> bool:
    """Compare the occurrences in every leaf with the bound of the thresholds."""
    formula, thresholds = case
    width = max((len(clause) for clause in formula.clauses), default=0)
    bound = occurrence_bound(width, promised or thresholds)
    return all(most_occurrences(leaf) <= bound for leaf in sparsify(formula, thresholds))


def small_formulas(most: int) -> Iterator[CNF]:
    """Every set of at most ``most`` clauses on three variables, each positive, negative or absent."""
    signs = product((0, 1, -1), repeat=3)
    clauses = [tuple(s * (t + 1) for t, s in enumerate(pattern) if s) for pattern in signs]
    for chosen in chain.from_iterable(combinations(clauses, count) for count in range(most + 1)):
        yield CNF(3, chosen)


SMALL_COUNTS = {3: 3_304, 4: 20_854}
"""The number of sets of at most 3 and 4 among 27 clauses."""


def draw_case(generator: np.random.Generator) -> Case:
    """Draw a 3-CNF with 6 to 12 variables and up to 7 clauses a variable, and thresholds."""
    variables = int(generator.integers(6, 13))
    clauses = int(generator.integers(1, 7 * variables))
    thresholds = THRESHOLDS[generator.integers(len(THRESHOLDS))]
    return random_k_sat(variables, clauses, 3, generator), thresholds


@lemma(
    "lem-sparsification",
    kind=Kind.CITED,
    title="Sparsification",
    statement_uses=("def-cnf",),
    source="IPZ01, CIP06",
)
def sparsification(run: Run) -> Iterator[Evidence]:
    """Only a demonstration: equivalence and sparsity of the leaves, not their number."""
    most = run.pick(quick=3, full=4)
    scope = f"all {SMALL_COUNTS[most]:,} sets of at most {most} clauses on three variables, thresholds 2"
    cases = [(formula, (2, 2)) for formula in small_formulas(most)]
    draws = run.pick(quick=60, full=200)
    words = "random 3-CNFs with 6 to 12 variables and up to 7 clauses a variable, all assignments"
    two = f"all {CLAUSE_SET_COUNT} sets of at most 3 clauses on two variables, opposite literals included"
    yield exhaustive(REDUCED, two, clause_sets(), CLAUSE_SET_COUNT, is_reduced_as_stated)
    wide = "random formulas with clauses of up to 4 literals on 5 to 7 variables, thresholds from 2 to 6"
    for claim, predicate in ((SUNFLOWER, is_first_sunflower), (FINISHED, is_finished)):
        yield exhaustive(claim, scope, cases, SMALL_COUNTS[most], predicate)
        yield sampled(claim, wide, run.seed, draws, draw_wide_case, predicate)
    stars = "stars of clauses of up to 4 literals, thresholds 2, 3 and 5"
    yield exhaustive(ATTAINED, stars, STARS, len(STARS), bound_is_attained)
    formulas = (formula for formula, _ in cases)
    yield exhaustive(ATTAINED, scope, formulas, SMALL_COUNTS[most], counts_occurrences)
    for claim, predicate in ((EQUIVALENT, is_equivalent), (SPARSE, is_sparse)):
        yield exhaustive(claim, scope, cases, SMALL_COUNTS[most], predicate)
        yield sampled(claim, words, run.seed, draws, draw_case, predicate)
    yield certified(VACUOUS, "k = 3, 4, 5 and delta = 1/2, 1/4, 1/10", vacuity_claims())


def _broken(split: Split) -> Evidence:
    return exhaustive(
        EQUIVALENT,
        "five clauses that share two literals, threshold 4 for petals of size 1, all 128 assignments",
        [(STAR, (4, 8))],
        1,
        partial(is_equivalent, split=split),
    )


@sparsification.control("only the heart's branch is kept")
def heart_only(run: Run) -> Evidence:
    """Assignments that satisfy all petals but not the heart are lost."""

    def split(clauses: Clauses, sunflower: Sunflower) -> Iterator[Clauses]:
        yield irredundant(clauses | {sunflower.heart})

    return _broken(split)


@sparsification.control("one branch for the heart and one for every petal, without the other clauses")
def one_petal_each(run: Run) -> Evidence:
    """What satisfies one petal need not satisfy the others."""

    def split(clauses: Clauses, sunflower: Sunflower) -> Iterator[Clauses]:
        for part in (sunflower.heart, *sunflower.petals):
            yield frozenset({part})

    return _broken(split)


@sparsification.control("sunflowers are split from five petals on, and fewer than three are promised")
def unsplit_sunflower(run: Run) -> Evidence:
    """Four clauses that share a literal stay together."""
    formula = CNF(9, tuple((1, 2 * t, 2 * t + 1) for t in range(1, 5)))
    return exhaustive(
        SPARSE,
        "four clauses that share one literal",
        [(formula, (5, 5))],
        1,
        partial(is_sparse, promised=(2, 3)),
    )
