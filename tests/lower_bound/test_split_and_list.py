from __future__ import annotations

import cnfgen
import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Solver

from checks.lower_bound.split_and_list import FormulaSpace
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problems.cnf import CNF, RUNNING_EXAMPLE, random_k_sat
from reductions.reduction import size


@st.composite
def formulas(draw):
    variables = draw(st.integers(0, 9))
    literals = [x for x in range(-variables, variables + 1) if x]
    clause = st.lists(st.sampled_from(literals), max_size=4) if literals else st.just(())
    return CNF(variables, tuple(map(tuple, draw(st.lists(clause, max_size=20)))))


def models_by_sat_solver(formula):
    """All models, by a SAT solver that is made to mention every variable."""
    mentioned = [[i, -i] for i in range(1, formula.variables + 1)]
    with Solver("cadical153", bootstrap_with=[list(c) for c in formula.clauses] + mentioned) as solver:
        if formula.variables == 0:
            return {()} if solver.solve() else set()
        return {tuple(x > 0 for x in sorted(model, key=abs)) for model in solver.enum_models()}


def is_satisfiable(formula):
    with Solver("cadical153", bootstrap_with=[list(c) for c in formula.clauses]) as solver:
        return solver.solve()


@settings(deadline=None, max_examples=150)
@given(formulas())
def test_orthogonal_pairs_are_the_models(formula):
    reduced = SplitAndList().map_instance(formula)
    models = models_by_sat_solver(formula)
    pairs = reduced.target.orthogonal_pairs()
    assert {reduced.extract_solution(pair) for pair in pairs} == models
    assert len(pairs) == len(models) * 2 ** (formula.variables % 2)  # the padding bit doubles them
    for model in models:
        pair = reduced.map_witness(model)
        assert reduced.target.verify(pair)
        assert reduced.extract_solution(pair) == model


FAMILIES = {
    "pigeonhole 4 in 3": lambda: cnfgen.PigeonholePrinciple(4, 3),
    "pigeonhole 3 in 4": lambda: cnfgen.PigeonholePrinciple(3, 4),
    "parity: 3 in pairs": lambda: cnfgen.CountingPrinciple(3, 2),
    "parity: 4 in pairs": lambda: cnfgen.CountingPrinciple(4, 2),
    "parity: 5 in pairs": lambda: cnfgen.CountingPrinciple(5, 2),
    "matching of a path": lambda: cnfgen.PerfectMatchingPrinciple(networkx.path_graph(8)),
    "ordering on 4": lambda: cnfgen.OrderingPrinciple(4),
    "total ordering on 4": lambda: cnfgen.OrderingPrinciple(4, total=True, plant=True),
    "2-clique, 2-colouring": lambda: cnfgen.CliqueColoring(3, 2, 2),
    "3-clique, 2-colouring": lambda: cnfgen.CliqueColoring(3, 3, 2),
    "random 3-CNF, 17 variables": lambda: cnfgen.RandomKCNF(3, 17, 73, seed=3),
    "random 5-CNF, 14 variables": lambda: cnfgen.RandomKCNF(5, 14, 300, seed=4),
    "Tseitin on K4, odd": lambda: cnfgen.TseitinFormula(networkx.complete_graph(4), [1, 0, 0, 0]),
    "Tseitin on K4, even": lambda: cnfgen.TseitinFormula(networkx.complete_graph(4), [1, 1, 0, 0]),
    "Tseitin on a cycle, odd": lambda: cnfgen.TseitinFormula(networkx.cycle_graph(9), [1] + [0] * 8),
    "van der Waerden 8": lambda: cnfgen.VanDerWaerden(8, 3, 3),
    "van der Waerden 9": lambda: cnfgen.VanDerWaerden(9, 3, 3),
    "Ramsey 3,3 on 5": lambda: cnfgen.RamseyNumber(3, 3, 5),
    "Ramsey 3,3 on 6": lambda: cnfgen.RamseyNumber(3, 3, 6),
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_families_of_cnfgen_against_a_sat_solver(family):
    formula = CNF.from_dimacs(family().to_dimacs())
    assert formula.variables <= 20
    reduced = SplitAndList().map_instance(formula)
    model = reduced.extract_solution(reduced.target.solve_brute_force())
    assert (model is not None) == is_satisfiable(formula)
    assert model is None or formula.verify(model)


def test_families_have_both_answers():
    answers = [is_satisfiable(CNF.from_dimacs(family().to_dimacs())) for family in FAMILIES.values()]
    assert 5 <= sum(answers) <= len(answers) - 5


@pytest.mark.parametrize("seed", range(8))
def test_random_3_sat_of_25_variables(seed):
    formula = random_k_sat(25, 107, 3, seed)
    reduced = SplitAndList().map_instance(formula)
    model = reduced.extract_solution(reduced.target.solve_brute_force())
    assert (model is not None) == is_satisfiable(formula)
    assert model is None or formula.verify(model)


def test_running_example():
    reduced = SplitAndList().map_instance(RUNNING_EXAMPLE)
    assert ["".join(map(str, row)) for row in reduced.target.left] == ["100100", "010100", "001001", "010010"]
    assert ["".join(map(str, row)) for row in reduced.target.right] == [
        "010001",
        "100011",
        "001100",
        "101010",
    ]
    assert reduced.target.orthogonal_pairs().tolist() == [[0, 0], [1, 1], [1, 3], [3, 2]]


def test_degenerate_formulas():
    for variables in range(6):
        empty = SplitAndList().map_instance(CNF(variables, ()))
        assert empty.extract_solution(empty.target.solve_brute_force()) == (False,) * variables
        assert SplitAndList().map_instance(CNF(variables, ((),))).target.solve_brute_force() is None


@pytest.mark.parametrize("variables", [*range(13), 32])
def test_parameter_map(variables):
    formula = random_k_sat(variables, 140, min(variables, 3), 0)
    sizes = {size(name): value for name, value in formula.sizes.items()}
    mapped = {name: e.subs(sizes) for name, e in SplitAndList().parameter_map().items()}
    assert mapped == SplitAndList().map_instance(formula).target.sizes


def test_parameter_map_composes():
    formula = random_k_sat(7, 9, 3, 0)
    chain = SplitAndList() >> ComplementEncoding()
    sizes = {size(name): value for name, value in formula.sizes.items()}
    mapped = {name: float(e.subs(sizes)) for name, e in chain.parameter_map().items()}
    reduced = chain.map_instance(formula)
    assert mapped == reduced.target.sizes
    model = reduced.extract_solution(reduced.target.solve_brute_force())
    assert model is not None
    assert formula.verify(model)


def test_wrong_witnesses_and_solutions_are_refused():
    reduced = SplitAndList().map_instance(RUNNING_EXAMPLE)
    with pytest.raises(ValueError, match="must be a satisfying assignment"):
        reduced.map_witness((True, True, True, True))
    with pytest.raises(ValueError, match="must be a satisfying assignment"):
        reduced.map_witness((False,) * 3)
    for solution in [(0, 1), (4, 0), (-4, 0), "no", (0,)]:
        with pytest.raises(ValueError, match="must be an orthogonal pair or None"):
            reduced.extract_solution(solution)
    assert reduced.extract_solution(None) is None


def test_too_many_variables_are_refused_before_anything_is_listed():
    with pytest.raises(ValueError, match=r"at most 48 variables, not 100: 2\^50 vectors"):
        SplitAndList().map_instance(CNF(100, ()))


def test_formula_spaces_hold_what_they_state():
    space = FormulaSpace(2, 2, 2)
    listed = [formula.clauses for formula in space]
    assert len(listed) == space.size == 1 + 21 + 21**2 == len(set(listed))
    assert {(), ((),), ((1, 1),), ((2, -2), (2, -2))} <= set(listed)


def test_vectors_are_plain_bits():
    target = SplitAndList().map_instance(random_k_sat(9, 40, 3, np.random.default_rng(5))).target
    assert target.left.dtype == target.right.dtype == np.uint8
    assert target.left.flags.c_contiguous
