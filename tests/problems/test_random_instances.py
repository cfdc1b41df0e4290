"""Planted answers are the answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Cadical153

from reductions.problems.random_instances import planted_k_sat, random_gap_max_ip


@given(st.integers(1, 6), st.integers(0, 12), st.integers(1, 3), st.integers(0, 99))
@settings(max_examples=60)
def test_a_planted_model_is_a_model(variables, clauses, k, seed):
    formula, model = planted_k_sat(variables, clauses, min(k, variables), seed)
    assert formula.verify(model)
    assert {len(set(map(abs, clause))) for clause in formula.clauses} <= {min(k, variables)}


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 99),
    st.sampled_from([True, False, None]),
    st.booleans(),
)
@settings(max_examples=150)
def test_planted_answers_are_the_answers(vectors, dimension, seed, planted, near):
    problem, pair = random_gap_max_ip(vectors, dimension, seed, planted, near)
    products = np.asarray(problem.left) @ np.asarray(problem.right).T
    assert problem.threshold <= dimension
    if planted is None:
        assert problem.answer() in ("YES", "NO")
    else:
        assert (problem.answer() == "YES") == planted
    if planted:
        assert problem.verify(pair)
    if near and planted is not None:
        assert products[pair] == problem.threshold if planted else products.max() == problem.threshold - 1


def test_a_solver_agrees_with_a_planted_model():
    formula, model = planted_k_sat(30, 150, 3, seed=0)
    with Cadical153(bootstrap_with=formula.clauses) as solver:
        assert solver.solve(assumptions=[v if value else -v for v, value in enumerate(model, 1)])


def test_the_same_seed_gives_the_same_instance():
    assert planted_k_sat(9, 20, 3, 0) == planted_k_sat(9, 20, 3, 0)
    assert planted_k_sat(9, 20, 3, 0) != planted_k_sat(9, 20, 3, 1)
    one, other = random_gap_max_ip(5, 6, 0)[0], random_gap_max_ip(5, 6, 0)[0]
    np.testing.assert_array_equal(one.left, other.left)
    assert one.threshold == other.threshold


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="'vectors' must be at least 1, not 0"):
        random_gap_max_ip(0, 3, 0)
    with pytest.raises(ValueError, match="'dimension' must be at least 1, not 0"):
        random_gap_max_ip(3, 0, 0)
    with pytest.raises(ValueError, match="'k' must be at least 1"):
        planted_k_sat(3, 3, 0, 0)
