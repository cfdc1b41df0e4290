"""Sparsification: a SAT solver as the judge."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Solver

from checks.lower_bound.sparsification import SMALL_COUNTS, STAR, small_formulas
from reductions.lower_bound.sparsification import (
    find_sunflower,
    illustrative_density,
    irredundant,
    most_occurrences,
    occurrence_bound,
    sparsify,
    vacuous_below,
)
from reductions.problems.cnf import CNF, random_k_sat


@pytest.mark.parametrize("most", SMALL_COUNTS)
def test_the_small_space_is_as_large_as_stated(most):
    formulas = list(small_formulas(most))
    assert len(formulas) == len(set(formulas)) == SMALL_COUNTS[most]


def implies(first: CNF, second: CNF) -> bool:
    with Solver(bootstrap_with=first.clauses) as solver:
        return not any(solver.solve(assumptions=[-x for x in clause]) for clause in second.clauses)


@settings(deadline=None)
@given(
    st.integers(4, 9),
    st.integers(0, 30),
    st.integers(0, 10**6),
    st.tuples(st.integers(2, 4), st.integers(2, 8)),
)
def test_leaves_against_a_sat_solver(variables, clauses, seed, thresholds):
    formula = random_k_sat(variables, clauses, 3, seed)
    leaves = sparsify(formula, thresholds)
    assert all(implies(leaf, formula) for leaf in leaves)
    assert all(most_occurrences(leaf) <= occurrence_bound(3, thresholds) for leaf in leaves)
    # Every model of the formula is one of a leaf: exclude the leaves one model at a time.
    with Solver(bootstrap_with=formula.clauses) as solver:
        while solver.solve(assumptions=[]):
            found = solver.get_model() or []
            model = tuple(x in found for x in range(1, variables + 1))
            assert any(leaf.verify(model) for leaf in leaves)
            if not variables:
                break
            solver.add_clause([-x if value else x for x, value in enumerate(model, start=1)])


def test_a_star():
    assert [leaf.clauses for leaf in sparsify(STAR, (4, 8))] == [((1, 2),), ((3,), (4,), (5,), (6,), (7,))]
    assert [leaf.clauses for leaf in sparsify(STAR, (6, 8))] == [STAR.clauses]
    sunflower = find_sunflower(irredundant(map(frozenset, STAR.clauses)), (4, 8))
    assert sunflower is not None
    assert sunflower.heart == {1, 2}
    assert len(sunflower.petals) == 5


def test_formulas_at_the_edge():
    assert sparsify(CNF(0, ()), (2, 2)) == [CNF(0, ())]
    assert sparsify(CNF(2, ((),)), (2, 2)) == []
    assert sparsify(CNF(1, ((1,), (-1,))), (2, 2)) == []
    assert sparsify(CNF(2, ((1, -1), (2, 2), (2, 1))), (2, 2)) == [CNF(2, ((2,),))]


def test_numbers():
    assert illustrative_density(3, Fraction(1, 2)) == 6**9
    assert vacuous_below(3, Fraction(1, 2)) == 2_247
    assert vacuous_below(3, Fraction(1, 10)) == 3_137_119
    assert occurrence_bound(3, (3, 6)) == 7


def test_argument_errors():
    with pytest.raises(ValueError, match=r"Argument 'thresholds' must be at least 2 each, not \(1, 2\)"):
        sparsify(STAR, (1, 2))
    with pytest.raises(ValueError, match="Argument 'limit' must be larger: there are more than 1 leaves"):
        sparsify(STAR, (4, 8), limit=1)
    with pytest.raises(ValueError, match="Argument 'thresholds' must have 2 entries for width 3, not 1"):
        occurrence_bound(3, (2,))
