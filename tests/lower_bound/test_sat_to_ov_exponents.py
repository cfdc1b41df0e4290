"""What savings mean for SAT: a SAT solver, and stated numbers."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Solver

from checks.evidence.registry import registry
from reductions.lower_bound.sat_to_ov_exponents import (
    Constants,
    Target,
    largest_overhead,
    overhead,
    sat_exponent,
)
from reductions.lower_bound.sparsification import sparsify
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problems.cnf import random_k_sat
from reductions.reduction import size

targets = st.sampled_from(Target)
savings = st.fractions(min_value=Fraction(1, 100), max_value=1)


def test_it_rests_on_the_hypothesis_and_the_citation():
    assert {"def-seth", "lem-sparsification"} <= set(registry()["lem-sat-to-ov-exponents"].uses)


@settings(deadline=None)
@given(targets, st.integers(1, 500))
def test_logarithms_are_those_of_the_parameter_maps(target, variables):
    assert target.built_size().subs(size("v"), variables) == 2 ** target.log_size(variables)


@settings(deadline=None)
@given(targets, st.integers(1, 10**6), savings)
def test_rounding_up_costs_at_most_a_constant(target, variables, saving):
    assert 0 <= overhead(target, variables, saving) <= largest_overhead(target, saving)
    assert largest_overhead(target, saving) == overhead(target, 1, saving)


@settings(deadline=None)
@given(st.integers(3, 8), st.integers(0, 40), st.integers(0, 10**6))
def test_sparse_formulas_decide_by_their_vectors(variables, clauses, seed):
    formula = random_k_sat(variables, clauses, 3, seed)
    with Solver(bootstrap_with=formula.clauses) as solver:
        satisfiable = solver.solve()
    reductions = (SplitAndList().map_instance(leaf) for leaf in sparsify(formula, (2, 4)))
    assert any(r.target.solve_brute_force() is not None for r in reductions) == satisfiable


def test_stated_numbers():
    q, delta = sympy.symbols("q delta")
    assert sympy.expand(sat_exponent(Target.OV, q, delta) - (1 - q / 2 + delta)) == 0
    assert sympy.expand(sat_exponent(Target.VAR, q) - (1 - q / 4)) == 0
    half = Fraction(1, 2)
    assert largest_overhead(Target.OV, half) == 1 - half / 2
    assert largest_overhead(Target.VAR, half) == 3 - 3 * half / 4
    assert (Constants(Target.OV, half).epsilon, Constants(Target.VAR, half).delta) == (half / 4, half / 8)
    assert Constants(Target.OV, half).dimension(Fraction(5)) == 10
    assert Constants(Target.VAR, half).dimension(Fraction(5)) == 20


def test_argument_errors():
    with pytest.raises(ValueError, match="Argument 'saving' must be positive, not 0"):
        Constants(Target.OV, Fraction(0))
