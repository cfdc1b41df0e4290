"""Formulas decided by one VAR model a message of the distributed PCP, against a SAT solver."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from pysat.solvers import Cadical153

from checks.lower_bound.attention_to_var.instances import BOUNDS
from reductions.choices import Precision, Route
from reductions.decision.decide import decide
from reductions.decision.pcp_plan import most_coordinates_within, plan_pcp
from reductions.decision.plan import BASELINE_BYTES, DoesNotFit, Request, plan
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problems.cnf import CNF, RUNNING_EXAMPLE, random_k_sat
from reductions.problems.gap_sizes import complement_sizes, pcp_sizes
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import square_schedule, token_count

KERNELS = tuple(map(str, Kernel))
ALL_SIGNS = {
    width: CNF(width, tuple(itertools.product(*((i, -i) for i in range(1, width + 1)))))
    for width in (2, 3, 4)
}
"""All clauses of that width: unsatisfiable, and satisfiable by one model where one is left out."""


def without(formula, number):
    return CNF(formula.variables, formula.clauses[:number] + formula.clauses[number + 1 :])


def satisfiable(formula):
    if () in formula.clauses:
        return False
    with Cadical153(bootstrap_with=[list(clause) for clause in formula.clauses]) as solver:
        return solver.solve()


def agrees(formula, **options):
    """The decision is the solver's, a model is one, and without a model every message was tried."""
    decision = decide(formula, route="pcp", threads=1, **options)
    report = decision.report
    if satisfiable(formula):
        return decision.status == "SATISFIABLE" and formula.verify(decision.model)
    everything = report.messages_run == report.messages
    return everything and decision.status == "UNSATISFIABLE" and decision.model is None


def drawn(seed, most_clauses):
    """Short clauses, so that so few of them are unsatisfiable as often as not."""
    generator = np.random.default_rng([5, seed])
    variables = int(generator.integers(2, 9))
    clauses = int(generator.integers(1, most_clauses + 1))
    long = random_k_sat(variables, clauses, 2, generator).clauses
    keep = generator.random(clauses) < 0.6
    return CNF(variables, tuple(c if k else c[:1] for c, k in zip(long, keep, strict=True)))


@pytest.mark.parametrize("kernel", KERNELS)
def test_random_formulas(kernel):
    formulas = [drawn(seed, 8) for seed in range(12)]
    assert {satisfiable(formula) for formula in formulas} == {True, False}
    for formula in formulas:
        assert agrees(formula, kernel=kernel, objective=100), formula


def test_random_formulas_of_up_to_twelve_clauses():
    formulas = [drawn(seed, 12) for seed in range(12, 18)]
    assert {satisfiable(formula) for formula in formulas} == {True, False}
    assert max(len(formula.clauses) for formula in formulas) > 8
    for formula in formulas:
        assert agrees(formula, kernel="nearest", objective=30), formula


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_sixty_random_formulas(kernel):
    for seed in range(20, 80):
        formula = drawn(seed, 12)
        assert agrees(formula, kernel=kernel, objective=100), formula


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("objective", ["ratio", "messages", 30])
def test_eight_clauses(kernel, objective):
    if kernel == "nearest" or objective == 30:
        assert agrees(ALL_SIGNS[3], kernel=kernel, objective=objective)
    assert agrees(without(ALL_SIGNS[3], 5), kernel=kernel, objective=objective)


def test_sixteen_clauses():
    """As many as the codes hold, with eight variables: D = 3,445."""
    formula = random_k_sat(8, 16, 3, 0)
    assert satisfiable(formula)
    assert agrees(formula)


@pytest.mark.slow
@pytest.mark.parametrize("formula", [ALL_SIGNS[4], without(ALL_SIGNS[4], 3), random_k_sat(6, 16, 2, 0)])
def test_sixteen_clauses_and_every_message(formula):
    assert agrees(formula, kernel="nearest")


def test_the_hard_formula_of_six_variables_is_unsatisfiable():
    assert not satisfiable(random_k_sat(6, 16, 2, 0))


EDGE_CASES = {
    "nothing at all": CNF(0, ()),
    "no clause": CNF(5, ()),
    "the empty clause": CNF(0, ((),)),
    "an empty clause among others": CNF(3, ((1, 2), (), (-3,))),
    "one variable": CNF(1, ((1,),)),
    "a contradiction": CNF(1, ((1,), (-1,))),
    "unused variables": CNF(9, ((9,), (-1, 9))),
    "opposite literals": CNF(3, ((1, -1), (2, -2, 3), (-3,))),
    "repeated clauses": CNF(2, ((1, 2),) * 4 + ((-1,),) * 3),
    "one half contradicts itself": CNF(4, ((3, 4), (3, -4), (-3, 4), (-3, -4))),
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", EDGE_CASES)
def test_edge_cases(case, kernel):
    for precision in ("auto", "float64"):
        assert agrees(EDGE_CASES[case], kernel=kernel, precision=precision, objective=100)


@pytest.mark.parametrize("objective", ["ratio", 30])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("formula", [CNF(0, ()), CNF(3, ((1,),)), RUNNING_EXAMPLE, random_k_sat(5, 8, 3, 0)])
def test_the_plan_is_what_is_built(formula, kernel, objective):
    """Above all the entry bound, R = sqrt(2 tau ln(16 L) / gap) at tau = d, which no entry exceeds."""
    for schedule in (None, square_schedule((1, 36, 64))):
        rule = Interpolation(Kernel(kernel))
        planned = plan(
            Request(
                formula,
                route=Route.PCP,
                objective=objective,
                interpolation=rule,
                schedule=schedule,
            )
        )
        system = planned.pcp.system
        reference = max(1, math.ceil(system.code.length - system.gap / 2))
        base = max(0, 2 * system.gap - system.code.length)
        dimension = system.dimension + reference + base
        entry_bound = math.sqrt(2 * dimension * math.log(16 * token_count(planned.schedule)) / system.gap)
        assert planned.dimension == dimension

        listed = SplitAndList().map_instance(formula)
        instances = planned.pcp.reduction().message_instances(listed.target)
        assert planned.messages == len(instances)
        chain = GapMaxIPToAttention() >> AttentionToVar(rule, schedule)
        for number in {0, len(instances) // 2, len(instances) - 1}:
            target = chain.map_instance(instances[number]).target
            assert planned.vectors == len(target.read_outs)
            assert planned.schedule == target.model.schedule
            assert dimension == target.attention_layer.dimension == target.attention_layer.temperature
            assert target.entry_bound == pytest.approx(entry_bound, rel=1e-12)
            fine = rule.apply(target.maps[-1].dense(), target.model.schedule[-1])[..., : 2 * dimension]
            largest = max(np.abs(fine).max(), np.abs(target.start_token).max())
            assert largest == pytest.approx(entry_bound, rel=1e-12)
            assert planned.logit_bound >= target.logit_bound * (1 - 1e-12)
            assert planned.rounding >= target.rounding_bound(planned.dtype) * (1 - 1e-9)
            assert planned.tolerated_error == target.tolerated_error
        report = decide(
            formula, kernel=kernel, schedule=schedule, route="pcp", objective=objective, threads=1
        ).report
        assert report.entry_bound == pytest.approx(entry_bound, rel=1e-12)
        assert report.logit_bound <= planned.logit_bound
        assert report.messages == planned.messages
        assert report.explanation == planned.pcp.explanation
        assert report.code.encoded_dimension == system.dimension
        assert report.rows == planned.vectors


def test_both_routes_have_their_sizes():
    """The dimension and the entry bound of either route's model are those that its gap sizes give."""
    for clauses in range(9):
        formula = random_k_sat(6, clauses, 3, 0)
        direct = (
            (SplitAndList() >> ComplementEncoding() >> GapMaxIPToAttention() >> AttentionToVar())
            .map_instance(formula)
            .target
        )
        system = plan_pcp(clauses, 30).system
        instances = (
            plan_pcp(clauses, 30).reduction().message_instances(SplitAndList().map_instance(formula).target)
        )
        chain = GapMaxIPToAttention() >> AttentionToVar()
        for target, sizes in (
            (direct, complement_sizes(clauses)),
            (
                chain.map_instance(instances[0]).target,
                pcp_sizes(system),
            ),
        ):
            tokens = target.model.tokens
            assert sizes.var_dimension == target.attention_layer.dimension
            assert sizes.var_entry_bound(tokens) == pytest.approx(target.entry_bound, rel=1e-12)
            if sizes.threshold >= sizes.gap:
                assert sizes.var_logit_bound(tokens) >= target.logit_bound * (1 - 1e-12)
        planned = plan(Request(formula))
        assert (planned.pcp, planned.messages) == (None, 1)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("formula", [ALL_SIGNS[2], without(ALL_SIGNS[2], 1), RUNNING_EXAMPLE])
def test_the_error_ball(formula, kernel):
    """Outputs at the edge of the error ball decide every row of every message right."""
    listed = SplitAndList().map_instance(formula)
    chain = GapMaxIPToAttention() >> AttentionToVar(Interpolation(Kernel(kernel)))
    models = []
    for instance in plan_pcp(len(formula.clauses), 30).reduction().message_instances(listed.target):
        reduced = chain.map_instance(instance)
        outputs = reduced.target.outputs()
        truth = instance.inner_products(slice(None)).max(axis=1) == instance.threshold
        assert BOUNDS.decide(reduced.target, outputs, truth)
        models.append(listed.extract_solution(reduced.extract_solution(BOUNDS.worst(outputs, truth))))
    found = [model for model in models if model is not None]
    assert bool(found) is satisfiable(formula)
    assert all(formula.verify(model) for model in found)


@pytest.mark.parametrize("formula", [RUNNING_EXAMPLE, without(ALL_SIGNS[3], 5), random_k_sat(7, 8, 3, 4)])
def test_messages_are_counted_up_to_the_first_right_one(formula):
    listed = SplitAndList().map_instance(formula)
    instances = plan_pcp(len(formula.clauses), 300).reduction().message_instances(listed.target)
    assignments = itertools.product((False, True), repeat=formula.variables)
    models = [model for model in assignments if formula.verify(model)]
    first = min(instances.right_message(listed.map_witness(model)) for model in models)
    calls = []
    decision = decide(
        formula,
        route="pcp",
        objective=300,
        kernel="nearest",
        threads=1,
        progress=lambda done, count: calls.append((done, count)),
    )
    assert formula.verify(decision.model)
    assert decision.report.messages_run == first + 1
    assert calls == [(done, len(instances)) for done in range(1, first + 2)]


@pytest.mark.parametrize(
    ("variables", "clauses", "all_rows", "precision"),
    [(8, 6, False, "float64"), (6, 12, True, "auto"), (12, 8, False, "float64")],
)
def test_planned_memory_is_enough(variables, clauses, all_rows, precision):
    formula = random_k_sat(variables, clauses, 3, 0)
    planned = plan(
        Request(
            formula,
            route=Route.PCP,
            objective=100,
            precision=Precision(precision),
            all_rows=all_rows,
            threads=1,
        )
    )
    decide(RUNNING_EXAMPLE, route="pcp")  # imports and caches
    tracemalloc.start()
    try:
        decide(formula, route="pcp", objective=100, precision=precision, all_rows=all_rows, threads=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak > 2**18  # numpy's arrays are traced
    assert planned.memory - BASELINE_BYTES >= peak


def test_all_rows_give_the_same_decision():
    few, every = (decide(RUNNING_EXAMPLE, route="pcp", all_rows=rows, threads=1) for rows in (False, True))
    assert (few.status, few.model) == (every.status, every.model)


def test_what_does_not_fit_is_refused():
    with pytest.raises(
        DoesNotFit, match=r"17 clauses are too many .* holds at most 16 with .* nearest is elliptic over F_7"
    ):
        decide(random_k_sat(5, 17, 3, 0), route="pcp")
    with pytest.raises(DoesNotFit, match=r"13 clauses are too many .* holds at most 12 with objective 30\."):
        decide(random_k_sat(5, 13, 3, 0), route="pcp", objective=30)
    with pytest.raises(DoesNotFit, match="600 clauses are too many"):
        decide(random_k_sat(5, 600, 3, 0), route="pcp", objective=30)
    with pytest.raises(DoesNotFit, match="room for 1 of the 4 vectors"):
        decide(RUNNING_EXAMPLE, route="pcp", schedule=square_schedule((1, 2)))
    with pytest.raises(DoesNotFit, match=r"make 341 tokens and need \d+ MiB; 10 MiB are available"):
        decide(RUNNING_EXAMPLE, route="pcp", memory_limit=10 * 2**20)


@pytest.mark.parametrize("objective", ["ratio", "messages", 1, 30])
def test_the_largest_number_of_clauses(objective):
    most = most_coordinates_within(objective)
    for coordinates in (0, most // 2, most - 1, most):
        assert plan_pcp(coordinates, objective).system.coordinates >= coordinates
    with pytest.raises(ValueError, match="No code"):
        plan_pcp(most + 1, objective)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"'route' must be 'direct' in reading start\+positions, not 'pcp'"):
        decide(RUNNING_EXAMPLE, reading="start+positions", route="pcp")
    with pytest.raises(ValueError, match="'route' must be one of direct, pcp, not 'scenic'"):
        decide(RUNNING_EXAMPLE, route="scenic")
    for wrong in ("least", 0, True):
        with pytest.raises(ValueError, match="'objective' must be"):
            decide(RUNNING_EXAMPLE, route="pcp", objective=wrong)
