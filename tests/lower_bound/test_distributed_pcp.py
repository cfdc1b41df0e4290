from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Solver

from checks.evidence.runner import run_lemma
from checks.lower_bound.attention_to_var.instances import BOUNDS
from checks.lower_bound.distributed_pcp import distributed_pcp
from checks.lower_bound.distributed_pcp.fields import is_field, names_zero_sum
from checks.lower_bound.distributed_pcp.rows import ROWS, row_named
from reductions.codes.evaluation_codes import elliptic, hermitian, reed_solomon
from reductions.codes.finite_field import FiniteField
from reductions.codes.proof_system import ProofSystem
from reductions.decision.pcp_plan import plan_pcp
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.distributed_pcp import DistributedPCP
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problem import Answer
from reductions.problems.cnf import CNF, RUNNING_EXAMPLE, random_k_sat
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.reduction import size

SMALL = tuple(row_named(name) for name in ("A", "B", "C", "D", "D2"))


@st.composite
def cases(draw):
    row = draw(st.sampled_from(SMALL))
    shape = draw(st.integers(1, 5)), draw(st.integers(0, row.system().coordinates))
    planted = draw(st.sampled_from((None, True, False))) if shape[1] else None
    kind = draw(st.sampled_from(("all", "feasible")))
    seed = draw(st.integers(0, 2**32 - 1))
    return row.reduction(messages=kind), OrthogonalVectors.random(*shape, seed=seed, planted=planted)


@settings(deadline=None, max_examples=60)
@given(cases())
def test_answers_witnesses_and_sizes(case):
    reduction, source = case
    reduced = reduction.map_instance(source)
    orthogonal = source.left.astype(int) @ source.right.astype(int).T == 0
    assert reduced.target.answer() is (Answer.YES if orthogonal.any() else Answer.NO)
    products = reduced.target.inner_products(slice(None)).reshape(-1, *orthogonal.shape)
    assert np.array_equal((products == reduced.target.threshold).sum(axis=0), orthogonal.astype(int))
    wrong = products[products < reduced.target.threshold]
    assert not wrong.size or wrong.max() <= reduced.target.threshold - reduced.target.gap
    for pair in source.orthogonal_pairs().tolist():
        mapped = reduced.map_witness(pair)
        assert reduced.target.verify(mapped)
        assert reduced.extract_solution(mapped) == tuple(pair)
    for q, j in np.argwhere(products.reshape(-1, len(source.right)) == reduced.target.threshold).tolist():
        assert source.verify(reduced.extract_solution((q, j)))
        assert reduced.map_witness(reduced.extract_solution((q, j))) == (q, j)
    sizes = {size(name): value for name, value in source.sizes.items()}
    mapped_sizes = {name: float(e.subs(sizes)) for name, e in reduction.parameter_map().items()}
    assert mapped_sizes == reduced.target.sizes
    instances = reduction.message_instances(source)
    assert np.array_equal(np.concatenate([part.left for part in instances[:]]), reduced.target.left)
    assert all(np.array_equal(part.right, reduced.target.right) for part in instances[::7])


def test_entries_are_bits_and_every_key_has_one_a_point():
    reduced = row_named("D").reduction().map_instance(OrthogonalVectors.random(6, 8, seed=1))
    for side in (reduced.target.left, reduced.target.right):
        assert set(side.ravel().tolist()) <= {0.0, 1.0}
    assert (reduced.target.right.sum(axis=1) == 9).all()


def test_messages_by_negative_index_and_slice():
    instances = row_named("A").reduction().message_instances(OrthogonalVectors.random(2, 4, seed=0))
    assert len(instances) == 3
    assert np.array_equal(instances[-1].left, instances[2].left)
    assert len(list(instances)) == len(instances[:]) == 3
    with pytest.raises(IndexError):
        instances[3]


def test_unsound_and_oversized_choices_are_refused():
    field = FiniteField(5)
    with pytest.raises(ValueError, match="degree 6, not below the 6 points"):
        DistributedPCP(reed_solomon(field, 4), 2)
    with pytest.raises(ValueError, match=r"'blocks' must be from 1 to e\(p - 1\) = 4 over F_5, not 5"):
        DistributedPCP(reed_solomon(field, 3), 5)
    with pytest.raises(ValueError, match="from 1 to"):
        DistributedPCP(reed_solomon(field, 3), 0)
    with pytest.raises(ValueError, match=r"some of the weights \(2, 3\) sum to zero"):
        DistributedPCP(reed_solomon(field, 3), 2, weights=(2, 3))
    with pytest.raises(ValueError, match="'messages' must be 'all' or 'feasible', not 'some'"):
        DistributedPCP(reed_solomon(field, 3), 2, messages="some")
    with pytest.raises(ValueError, match=r"there are 9\^7 = 4,782,969 messages, over 65,536"):
        DistributedPCP(hermitian(FiniteField(9), 7), 2)
    with pytest.raises(ValueError, match=r"at least .* feasible messages, over 10"):
        DistributedPCP(elliptic(field, 4), 2, messages="feasible", most_messages=10)
    with pytest.raises(
        ValueError, match=r"at most 12 coordinates \(3 information points times 4 blocks\), not 13"
    ):
        row_named("G").reduction().map_instance(OrthogonalVectors.random(2, 13, seed=0))
    with pytest.raises(
        ValueError, match=r"2,401 messages make 153,664 queries of dimension 2,241, 344,361,024"
    ):
        row_named("K").reduction().map_instance(OrthogonalVectors.random(64, 12, seed=0))


def test_wrong_witnesses_and_solutions_are_refused():
    reduced = row_named("A").reduction().map_instance(OrthogonalVectors([[1, 0], [1, 1]], [[0, 1], [1, 1]]))
    assert reduced.extract_solution(None) is None
    for pair in [(1, 1), (0, 2), (0,), "00"]:
        with pytest.raises(ValueError, match="must be an orthogonal pair"):
            reduced.map_witness(pair)
    for pair in [(1, 1), (6, 0), (0,), "00"]:
        with pytest.raises(ValueError, match="must be None or a pair with an inner product of at least 4"):
            reduced.extract_solution(pair)


def test_parameters_are_plain_data():
    import json

    parameters = row_named("I").reduction(messages="feasible").parameters()
    assert json.loads(json.dumps(parameters)) == parameters
    assert parameters["weights"] == [1, 2, 4]


def test_all_messages_in_one_attention_call():
    """N|W| queries against N keys and the reference key: every row is decided, at the stated entry bound."""
    source = OrthogonalVectors.random(8, 6, seed=3, planted=True)
    chain = row_named("B").reduction() >> GapMaxIPToAttention()
    reduced = chain.map_instance(source)
    outputs = reduced.target.outputs()
    reached = reduced.first.target.inner_products(slice(None)).max(axis=1) == 6
    assert np.array_equal(reduced.target.decide_rows(outputs), reached)
    off = np.where(outputs > 0.5, outputs - 0.299, outputs + 0.299)
    assert source.verify(reduced.extract_solution(off))
    stated = float(chain.parameter_map()["R"].subs({size("N"): 8, size("m"): 6}))
    assert reduced.target.attention.entry_bound == pytest.approx(stated, rel=1e-12)


# ---- end to end ----------------------------------------------------------------------------------------

ALL_SIGNS = {
    width: CNF(width, tuple(itertools.product(*((i, -i) for i in range(1, width + 1))))) for width in (3, 4)
}
"""All clauses of that width: unsatisfiable, 8 and 16 clauses."""


def satisfiable(formula):
    """By a solver that is not ours."""
    with Solver(name="cadical153", bootstrap_with=[list(clause) for clause in formula.clauses]) as solver:
        return solver.solve()


def decide_message_by_message(formula, reduction, rule, drop_unused=False):
    """Return a model or None, by one VAR model a message; checks every call on the way.

    With ``drop_unused``, columns where every key is 0 are left out: no inner product changes, and with few
    keys the models are small.
    """
    listed = SplitAndList().map_instance(formula)
    chain = GapMaxIPToAttention() >> AttentionToVar(rule)
    entry_bound = chain.parameter_map()["R"]
    found = []
    for instance in reduction.message_instances(listed.target):
        if drop_unused:
            used = instance.right.any(axis=0)
            kept = GapMaxInnerProduct(
                instance.left[:, used], instance.right[:, used], instance.threshold, instance.gap
            )
            assert np.array_equal(kept.inner_products(slice(None)), instance.inner_products(slice(None)))
            instance = kept
        reduced = chain.map_instance(instance)
        if not found:  # sizes are the same for every message
            found.append(None)
            stated = float(entry_bound.subs({size(key): value for key, value in instance.sizes.items()}))
            assert reduced.target.entry_bound == pytest.approx(stated, rel=1e-12)
        outputs = reduced.target.outputs()
        truth = instance.inner_products(slice(None)).max(axis=1) == instance.threshold
        assert BOUNDS.decide(reduced.target, outputs, truth)
        pair = reduced.extract_solution(BOUNDS.worst(outputs, truth))
        if pair is not None:
            found.append(listed.extract_solution(pair))
    models = found[1:]
    assert all(formula.verify(model) for model in models)
    return models


@pytest.mark.parametrize("kernel", [Kernel.NEAREST, Kernel.BICUBIC])
@pytest.mark.parametrize("budget", ["ratio", 30])
def test_running_example_through_the_pcp_to_var(kernel, budget):
    models = decide_message_by_message(
        RUNNING_EXAMPLE, plan_pcp(6, budget).reduction(), Interpolation(kernel)
    )
    assert models


@pytest.mark.parametrize("dropped", [None, 0, 5])
def test_eight_clauses_through_the_pcp_to_var(dropped):
    """All eight clauses of three variables, and with one left out."""
    clauses = ALL_SIGNS[3].clauses
    formula = CNF(3, clauses if dropped is None else clauses[:dropped] + clauses[dropped + 1 :])
    reduction = plan_pcp(8).reduction("feasible")
    models = decide_message_by_message(formula, reduction, Interpolation(Kernel.NEAREST))
    assert bool(models) is satisfiable(formula) is (dropped is not None)


@pytest.mark.slow
@pytest.mark.parametrize("dropped", [None, 3, 10])
def test_sixteen_clauses_through_the_pcp_to_var(dropped):
    clauses = ALL_SIGNS[4].clauses
    formula = CNF(4, clauses if dropped is None else clauses[:dropped] + clauses[dropped + 1 :])
    reduction = plan_pcp(16).reduction()
    models = decide_message_by_message(formula, reduction, Interpolation(Kernel.NEAREST), drop_unused=True)
    assert bool(models) is satisfiable(formula) is (dropped is not None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_random_formulas_of_twelve_clauses_through_the_pcp_to_var(seed):
    formula = random_k_sat(5, 12, 2, seed)
    reduction = plan_pcp(12, 100).reduction()
    models = decide_message_by_message(formula, reduction, Interpolation(), drop_unused=True)
    assert bool(models) is satisfiable(formula)


@pytest.mark.slow
def test_sixteen_clauses_at_full_dimension():
    """D = 3,445: the right message of a model, and a wrong one."""
    formula = CNF(4, ALL_SIGNS[4].clauses[:15])
    listed = SplitAndList().map_instance(formula)
    instances = row_named("L").reduction().message_instances(listed.target)
    chain = GapMaxIPToAttention() >> AttentionToVar(Interpolation(Kernel.NEAREST))
    right = instances.right_message(listed.target.solve_brute_force())
    for number in (right, right - 1):
        instance = instances[number]
        reduced = chain.map_instance(instance)
        truth = instance.inner_products(slice(None)).max(axis=1) == instance.threshold
        pair = reduced.extract_solution(BOUNDS.worst(reduced.target.outputs(), truth))
        assert (pair is not None) is (number == right)


# ---- the check -----------------------------------------------------------------------------------------


def test_a_wrong_number_in_the_table_is_found():
    import dataclasses

    for name in ("dimension", "messages", "exact", "length"):
        row = dataclasses.replace(ROWS[0], **{name: getattr(ROWS[0], name) + 1})
        assert row.measured() != row.stated()


@pytest.mark.parametrize(("order", "table"), [(25, "addition"), (27, "multiplication"), (9, "inversion")])
def test_a_wrong_table_is_found(order, table):
    field = FiniteField(order)
    assert is_field(field)
    wrong = getattr(field, table).copy()
    last = (-1,) * wrong.ndim, (-1,) * (wrong.ndim - 1) + (-2,)
    wrong[last[0]], wrong[last[1]] = wrong[last[1]], wrong[last[0]]
    object.__setattr__(field, table, wrong)
    assert not is_field(field)
    one_pair = np.array(getattr(FiniteField(order), table))
    one_pair[last[0]] = 0
    object.__setattr__(field, table, one_pair)
    assert not is_field(field)


def test_zero_sums_that_are_not_named_are_found(monkeypatch):
    system = ProofSystem(reed_solomon(FiniteField(5), 1), 2, (2, 3))
    assert names_zero_sum(system)
    monkeypatch.setattr(ProofSystem, "fault", lambda self: None)
    assert not names_zero_sum(system)
    assert any("weights are refused" in reason for reason in run_lemma(distributed_pcp).failures)
