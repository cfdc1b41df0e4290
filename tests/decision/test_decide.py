"""Formulas decided by running a VAR model, against a SAT solver."""

from __future__ import annotations

import tracemalloc
from itertools import product

import cnfgen
import numpy as np
import pytest
from pysat.solvers import Cadical153

from reductions.choices import Precision
from reductions.decision.decide import decide
from reductions.decision.plan import BASELINE_BYTES, DoesNotFit, Request, plan
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problems.approximate_var import Reading
from reductions.problems.cnf import CNF, RUNNING_EXAMPLE, random_k_sat
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import RELEASED_SIDES, square_schedule, token_count

READINGS = ("maps", "start+positions")
CHOICES = tuple(product(READINGS, map(str, Kernel)))
RELEASED = square_schedule(RELEASED_SIDES)


def chain_for(reading, interpolation, schedule=None):
    """The chain as the pages write it down."""
    if reading == "start+positions":
        return SatToVarInference(interpolation, schedule)
    attention = SplitAndList() >> ComplementEncoding() >> GapMaxIPToAttention()
    return attention >> AttentionToVar(interpolation, schedule)


def satisfiable(formula):
    if () in formula.clauses:
        return False
    with Cadical153(bootstrap_with=[list(clause) for clause in formula.clauses]) as solver:
        return solver.solve()


def agrees(formula, **options):
    """The decision is the solver's, and a model is one."""
    decision = decide(formula, threads=1, **options)
    if satisfiable(formula):
        return decision.status == "SATISFIABLE" and formula.verify(decision.model)
    return decision.status == "UNSATISFIABLE" and decision.model is None


def near_the_threshold(variables, seed):
    """Random 3-SAT where satisfiable and unsatisfiable formulas are about equally frequent."""
    generator = np.random.default_rng([variables, seed])
    return random_k_sat(variables, round(4.26 * variables) + int(generator.integers(-4, 5)), 3, generator)


@pytest.mark.parametrize(("reading", "kernel"), CHOICES)
def test_random_formulas(reading, kernel):
    formulas = [near_the_threshold(variables, seed) for variables in range(8, 15) for seed in range(4)]
    assert {satisfiable(formula) for formula in formulas} == {True, False}
    for formula in formulas:
        assert agrees(formula, reading=reading, kernel=kernel), formula


@pytest.mark.slow
@pytest.mark.parametrize(("reading", "kernel"), CHOICES)
def test_two_hundred_random_formulas(reading, kernel):
    for seed in range(200):
        formula = near_the_threshold(8 + seed % 13, seed)
        assert agrees(formula, reading=reading, kernel=kernel), formula


def complete(vertices):
    return cnfgen.Graph.complete_graph(vertices)


FAMILIES = {
    "pigeonhole, 5 in 4": lambda: cnfgen.PigeonholePrinciple(5, 4),
    "pigeonhole, 4 in 4": lambda: cnfgen.PigeonholePrinciple(4, 4),
    "ordering, 4": lambda: cnfgen.OrderingPrinciple(4),
    "counting, 5 by 2": lambda: cnfgen.CountingPrinciple(5, 2),
    "counting, 6 by 3": lambda: cnfgen.CountingPrinciple(6, 3),
    "matching, 4": lambda: cnfgen.PerfectMatchingPrinciple(complete(4)),
    "matching, 5": lambda: cnfgen.PerfectMatchingPrinciple(complete(5)),
    "Tseitin, odd": lambda: cnfgen.TseitinFormula(complete(4), [1, 0, 0, 0]),
    "Tseitin, even": lambda: cnfgen.TseitinFormula(complete(5), [1, 1, 0, 0, 0]),
    "clique colouring, 3, 2, 1": lambda: cnfgen.CliqueColoring(3, 2, 1),
    "colouring of K4 with 3": lambda: cnfgen.GraphColoringFormula(complete(4), 3),
    "colouring of K4 with 4": lambda: cnfgen.GraphColoringFormula(complete(4), 4),
    "Ramsey 3 3, 5 vertices": lambda: cnfgen.RamseyNumber(3, 3, 5),
    "Ramsey 3 3, 6 vertices": lambda: cnfgen.RamseyNumber(3, 3, 6),
    "van der Waerden 3 3, 8 numbers": lambda: cnfgen.VanDerWaerden(8, 3, 3),
    "van der Waerden 3 3, 9 numbers": lambda: cnfgen.VanDerWaerden(9, 3, 3),
    "random 3-XOR": lambda: cnfgen.RandomKXOR(3, 12, 12, seed=1),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_families_that_nobody_here_wrote(family):
    generated = FAMILIES[family]()
    formula = CNF(generated.number_of_variables(), tuple(map(tuple, generated.clauses())))
    assert formula.variables <= 20
    for reading, kernel in (("maps", "nearest"), ("maps", "bilinear"), ("start+positions", "bicubic")):
        assert agrees(formula, reading=reading, kernel=kernel)


def test_families_have_both_answers():
    answers = {
        satisfiable(CNF(formula.number_of_variables(), tuple(map(tuple, formula.clauses()))))
        for formula in (family() for family in FAMILIES.values())
    }
    assert answers == {True, False}


EDGE_CASES = {
    "nothing at all": CNF(0, ()),
    "no clause": CNF(5, ()),
    "the empty clause": CNF(0, ((),)),
    "an empty clause among others": CNF(3, ((1, 2), (), (-3,))),
    "one variable": CNF(1, ((1,),)),
    "a contradiction": CNF(1, ((1,), (-1,))),
    "unused variables": CNF(9, ((9,), (-1, 9))),
    "opposite literals": CNF(3, ((1, -1), (2, -2, 3), (-3,))),
    "repeated literals": CNF(3, ((1, 1, 1), (-1, -1, 2, 2), (-2, -2, 3))),
    "repeated clauses": CNF(2, ((1, 2),) * 7 + ((-1,),) * 3),
    "clauses within one half": CNF(4, ((1, 2), (-1, -2), (3, -4), (-3, 4))),
    "one half contradicts itself": CNF(4, ((3, 4), (3, -4), (-3, 4), (-3, -4))),
}


@pytest.mark.parametrize(("reading", "kernel"), CHOICES)
@pytest.mark.parametrize("case", EDGE_CASES)
def test_edge_cases(case, reading, kernel):
    for precision in ("auto", "float64"):
        assert agrees(EDGE_CASES[case], reading=reading, kernel=kernel, precision=precision)


@pytest.mark.parametrize("reading", READINGS)
def test_the_released_schedule(reading):
    """16 x 16 pixels: 16 slots of the bicubic kernel, hence 8 variables; 16 variables by position."""
    most = 8 if reading == "maps" else 16
    for seed in range(3):
        assert agrees(near_the_threshold(most, seed), reading=reading, schedule=RELEASED)
    with pytest.raises(
        DoesNotFit, match="room for 16 of the 32 vectors" if most == 8 else "at least 512 pixels"
    ):
        decide(near_the_threshold(most + 1, 0), reading=reading, schedule=RELEASED)


@pytest.mark.parametrize("formula", [CNF(0, ()), CNF(3, ((1,),)), RUNNING_EXAMPLE, near_the_threshold(11, 0)])
@pytest.mark.parametrize(("reading", "kernel"), CHOICES)
def test_the_plan_is_what_is_built(formula, reading, kernel):
    for schedule in (None, square_schedule((1, 36, 64))):
        for precision in ("auto", "float32", "float64"):
            planned = plan(
                Request(
                    formula,
                    Reading(reading),
                    interpolation=Interpolation(Kernel(kernel)),
                    schedule=schedule,
                    precision=Precision(precision),
                )
            )
            chain = chain_for(reading, Interpolation(Kernel(kernel)), schedule)
            target = chain.map_instance(formula).target
            assert planned.vectors == len(target.read_outs)
            assert planned.schedule == target.model.schedule
            assert planned.dimension == target.attention_layer.dimension
            assert planned.logit_bound >= target.logit_bound * (1 - 1e-12)
            assert planned.rounding >= target.rounding_bound(planned.dtype) * (1 - 1e-9)
            assert planned.tolerated_error == target.tolerated_error
            decision = decide(
                formula, reading=reading, kernel=kernel, schedule=schedule, precision=precision, threads=1
            )
            report = decision.report
            assert report.tokens == target.model.tokens == token_count(planned.schedule)
            assert report.entry_bound == target.entry_bound
            assert (report.vectors, report.rows) == (planned.vectors, planned.vectors)
            assert report.precision == planned.dtype.name


@pytest.mark.parametrize(
    ("reading", "kernel", "all_rows", "threads"),
    [
        ("maps", "bicubic", False, 1),
        ("maps", "nearest", True, 2),
        ("start+positions", "bicubic", False, 1),
        ("start+positions", "nearest", True, 2),
    ],
)
@pytest.mark.parametrize(("clauses", "precision"), [(5, "float64"), (64, "auto")])
def test_planned_memory_is_enough(reading, kernel, all_rows, threads, clauses, precision):
    formula = random_k_sat(16, clauses, 3, 0)
    options = {"precision": Precision(precision), "all_rows": all_rows, "threads": threads}
    planned = plan(Request(formula, Reading(reading), interpolation=Interpolation(Kernel(kernel)), **options))
    decide(RUNNING_EXAMPLE, reading=reading, kernel=kernel)  # imports and caches
    tracemalloc.start()
    try:
        decide(formula, reading=reading, kernel=kernel, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak > 2**18  # numpy's arrays are traced
    assert planned.memory - BASELINE_BYTES >= peak


def test_what_does_not_fit_is_refused():
    with pytest.raises(DoesNotFit, match=r"make 85 tokens and need \d+ MiB; 10 MiB are available"):
        decide(RUNNING_EXAMPLE, kernel="bilinear", memory_limit=10 * 2**20)
    for reading in READINGS:
        with pytest.raises(DoesNotFit, match=r"200 variables need 2\^100 half assignments per side"):
            decide(CNF(200, ((1, 200),)), reading=reading)
        with pytest.raises(DoesNotFit, match="48 variables and 1 clauses make"):
            decide(CNF(48, ((1,),)), reading=reading, memory_limit=2**32)
    with pytest.raises(DoesNotFit, match="room for 1 of the 4 vectors"):
        decide(RUNNING_EXAMPLE, schedule=square_schedule((1, 2)))
    with pytest.raises(DoesNotFit, match="at least two scales"):
        decide(RUNNING_EXAMPLE, reading="start+positions", schedule=square_schedule((4,)))


def test_bad_arguments_are_refused():
    for option, wrong in (("reading", "start only"), ("precision", "float16")):
        with pytest.raises(ValueError, match=f"'{option}' must be"):
            decide(RUNNING_EXAMPLE, **{option: wrong})
    with pytest.raises(ValueError, match="Argument 'kernel' must be one of"):
        decide(RUNNING_EXAMPLE, kernel="lanczos")
    with pytest.raises(ValueError, match="without positions there is no reduction"):
        Request(RUNNING_EXAMPLE, Reading.START_ONLY)


@pytest.mark.parametrize("reading", READINGS)
def test_unknown_where_float32_cannot_be_trusted(reading):
    """As clauses are added the bound passes the margin: then UNKNOWN, and float64 decides instead."""
    rule, seen = Interpolation(Kernel.NEAREST), set()
    for clauses in (30, 300, 1000, 3000):
        base = near_the_threshold(8, clauses)
        repeated = CNF(8, (base.clauses * clauses)[:clauses])  # the same formula, or a part of it
        planned = plan(Request(repeated, Reading(reading), interpolation=rule, precision=Precision.FLOAT32))
        decision = decide(repeated, reading=reading, kernel="nearest", precision="float32", threads=1)
        seen.add(decision.status == "UNKNOWN")
        assert planned.safe == (planned.rounding < planned.tolerated_error)
        assert (decision.status == "UNKNOWN") == (not planned.safe)
        if decision.status == "UNKNOWN":
            assert decision.model is None
            assert "evaluate" not in decision.report.seconds  # nothing was run
            automatic = plan(Request(repeated, Reading(reading), interpolation=rule))
            assert automatic.dtype == np.float64
            assert automatic.safe
        else:
            assert (decision.status == "SATISFIABLE") == satisfiable(repeated)
        if clauses <= 1000:
            assert agrees(repeated, reading=reading, kernel="nearest")
    assert seen == {True, False}


@pytest.mark.parametrize(("reading", "kernel"), CHOICES)
def test_all_rows_give_the_same_read_outs(reading, kernel):
    formula = near_the_threshold(9, 1)
    target = chain_for(reading, Interpolation(Kernel(kernel))).map_instance(formula).target
    few = target.outputs(threads=2)
    np.testing.assert_allclose(target.outputs(all_rows=True), few, rtol=0, atol=2 * target.rounding_bound())
    few, every = (decide(formula, reading=reading, kernel=kernel, all_rows=rows) for rows in (False, True))
    assert (few.status, few.model) == (every.status, every.model)


@pytest.mark.parametrize(("reading", "kernel"), CHOICES)
def test_float32_outputs_are_within_the_rounding_bound(reading, kernel):
    for formula in (RUNNING_EXAMPLE, near_the_threshold(10, 0), random_k_sat(6, 200, 3, 0)):
        target = chain_for(reading, Interpolation(Kernel(kernel))).map_instance(formula).target
        difference = np.abs(target.outputs(dtype=np.float32) - target.outputs()).max()
        assert difference <= target.rounding_bound(np.float32) + target.rounding_bound(np.float64)
        assert 0 < target.rounding_bound(np.float64) < target.rounding_bound(np.float32) < 7 / 16


def test_progress_counts_the_read_outs():
    calls = []
    formula = random_k_sat(20, 20, 3, 0)
    decide(formula, kernel="nearest", threads=1, progress=lambda done, count: calls.append((done, count)))
    assert calls == [(done, 1024) for done in (256, 512, 768, 1024)]


@pytest.mark.parametrize("threads", [0, -1])
def test_the_number_of_threads_is_checked(threads):
    with pytest.raises(ValueError, match=f"Argument 'threads' must be at least 1, not {threads}"):
        decide(RUNNING_EXAMPLE, threads=threads)
