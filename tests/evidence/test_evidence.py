"""Evidence is earned: every constructor can fail, refuses what proves nothing, and lets errors through."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Evidence, Level, certified, exhaustive, sampled, symbolic

x = sympy.Symbol("x", real=True)


def test_nobody_types_a_level():
    with pytest.raises(TypeError, match="never made by hand"):
        Evidence(Level.SYMBOLIC, "claim", "scope", 1)


def test_nobody_changes_a_level():
    evidence = sampled("c", "s", 0, 1, lambda g: 0, lambda n: True)
    for changes in ({"level": Level.SYMBOLIC}, {"cases": 10**9}, {}):
        with pytest.raises(TypeError, match="never made by hand"):
            replace(evidence, **changes)
    with pytest.raises(FrozenInstanceError):
        evidence.level = Level.SYMBOLIC


def test_levels_are_ordered_from_the_strongest():
    assert sorted(Level, key=lambda level: level.rank) == list(Level)
    assert Level.SYMBOLIC.rank < Level.SAMPLED.rank < Level.ASSUMED.rank < Level.FAILED.rank


def test_symbolic_proves_identities_and_relations():
    evidence = symbolic("c", "s", {"square": (x + 1) ** 2 - x**2 - 2 * x - 1, "sign": sympy.Ge(x**2 + 1, 0)})
    assert (evidence.level, evidence.cases, evidence.counterexample) == (Level.SYMBOLIC, 2, None)


@pytest.mark.parametrize(
    "identity", [x**2 - x, sympy.Ge(x, 0), sympy.Eq(x, 1), sympy.false, sympy.sqrt(x**2) - x]
)
def test_symbolic_fails_on_what_does_not_hold_for_all(identity):
    evidence = symbolic("c", "s", {"true": sympy.Integer(0), "wrong": identity})
    assert evidence.failed
    assert evidence.counterexample.startswith("wrong")


@pytest.mark.parametrize("identity", [True, np.True_, 0, 1, 0.0, None, x * 0.5, sympy.Float(0)])
def test_symbolic_refuses_what_is_not_exact_algebra(identity):
    with pytest.raises(TypeError, match=r"^Symbolic claims take exact SymPy objects, not .* \(same\)\.$"):
        symbolic("c", "s", {"same": identity})


@pytest.mark.parametrize(
    ("left", "relation", "right", "holds"),
    [
        (1, "<", 2, True),
        (2, "<", 2, False),
        (2, "<=", 2, True),
        (Fraction(1, 3), ">", Fraction(1, 4), True),
        (Fraction(1, 3), ">=", Fraction(1, 2), False),
        (Fraction(2, 6), "==", Fraction(1, 3), True),
        (mpmath.iv.mpf([1, 2]), "<", 3, True),
        (mpmath.iv.mpf([1, 3]), "<", 2, False),  # some points satisfy it
        (mpmath.iv.mpf([1, 3]), ">", 2, False),
        (mpmath.iv.mpf([1, 2]), "==", mpmath.iv.mpf([1, 2]), False),  # their points may differ
        (mpmath.iv.mpf([1, 2]), "<=", mpmath.iv.mpf([2, 3]), True),
    ],
)
def test_certified_decides_by_all_points(left, relation, right, holds):
    evidence = certified("c", "s", [("claim", left, relation, right)])
    assert evidence.level is (Level.CERTIFIED if holds else Level.FAILED)


@given(st.fractions(), st.fractions())
def test_certified_agrees_with_rational_arithmetic(left, right):
    for relation, holds in (("<", left < right), (">=", left >= right), ("==", left == right)):
        assert certified("c", "s", [("claim", left, relation, right)]).failed is not holds


@pytest.mark.parametrize("bits", [53, 200])
def test_certified_takes_end_points_exactly(bits):
    with mpmath.workprec(53):
        before, mpmath.iv.prec = mpmath.iv.prec, bits
        try:
            third = 1 / mpmath.iv.mpf(3)
            above = 1 + mpmath.iv.mpf(2) ** -100  # at 53 bits an interval from 1 on
        finally:
            mpmath.iv.prec = before
    off = Fraction(1, 2 ** (bits + 1))  # a unit in the last place
    holds = {
        (third, ">=", Fraction(1, 3) - off): True,
        (third, "<=", Fraction(1, 3) + off): True,
        (third, ">=", Fraction(1, 3)): False,  # its ends are on either side, by less than a unit
        (third, "<=", Fraction(1, 3)): False,
        (above, "<=", 1): False,
        (above, ">", 1): bits > 100,
    }
    for (left, relation, right), expected in holds.items():
        assert certified("c", "s", [("claim", left, relation, right)]).failed is not expected


@pytest.mark.parametrize("side", [1.0, True, "1", mpmath.mpf(1), mpmath.iv.mpf("inf")])
def test_certified_refuses_what_certifies_nothing(side):
    for claim in (("claim", side, "<", 2), ("claim", 0, "<", side)):
        with pytest.raises(TypeError, match="Certified claims take"):
            certified("c", "s", [claim])


def test_exhaustive_counts_the_space():
    assert exhaustive("c", "s", range(7), 7, lambda n: n < 7).cases == 7
    assert exhaustive("c", "s", range(7), 7, lambda n: n < 7).level is Level.EXHAUSTIVE


def test_exhaustive_names_the_first_counterexample():
    evidence = exhaustive("c", "s", range(7), 7, lambda n: n != 3)
    assert evidence.failed
    assert evidence.counterexample == "case 4: 3"


@pytest.mark.parametrize("size", [6, 8])
def test_exhaustive_fails_where_the_space_has_another_size(size):
    assert exhaustive("c", "s", range(7), size, lambda n: True).failed


def test_sampled_is_reproducible_and_seed_0_is_a_seed():
    drawn: list[list[float]] = []
    for _ in range(2):
        values: list[float] = []
        evidence = sampled(
            "c", "s", 0, 5, lambda g: float(g.random()), lambda v, into=values: not into.append(v)
        )
        assert (evidence.level, evidence.seed, evidence.cases) == (Level.SAMPLED, 0, 5)
        drawn.append(values)
    assert drawn[0] == drawn[1]


def test_sampled_fails_at_the_first_bad_draw():
    draws = iter(range(10))
    evidence = sampled("c", "s", 1, 10, lambda g: next(draws), lambda n: n < 4)
    assert evidence.failed
    assert evidence.counterexample == "draw 4: 4"


@pytest.mark.parametrize(
    "evidence",
    [
        symbolic("c", "s", {}),
        certified("c", "s", []),
        exhaustive("c", "s", [], 0, lambda n: True),
        sampled("c", "s", 0, 0, lambda g: 0, lambda n: True),
    ],
    ids=["symbolic", "certified", "exhaustive", "sampled"],
)
def test_a_check_of_nothing_fails(evidence):
    assert evidence.failed
    assert evidence.cases == 0


@pytest.mark.parametrize("verdict", [1, 0, None, "yes", [True]])
def test_a_predicate_must_return_a_bool(verdict):
    with pytest.raises(TypeError, match="must return a bool"):
        exhaustive("c", "s", [1], 1, lambda n: verdict)
    with pytest.raises(TypeError, match="must return a bool"):
        sampled("c", "s", 0, 1, lambda g: 0, lambda n: verdict)


def test_an_error_in_a_predicate_is_no_evidence():
    def crash(case: object) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        exhaustive("c", "s", [1], 1, crash)
    with pytest.raises(ZeroDivisionError):
        sampled("c", "s", 0, 1, lambda g: 0, crash)


def test_evidence_travels_between_processes():
    evidence = exhaustive("c", "s", range(3), 3, lambda n: True)
    assert pickle.loads(pickle.dumps(evidence)) == evidence


def test_a_counterexample_is_told_alike_in_every_run():
    case = (3, object(), sorted)
    told = "(3, <object object>, <built-in function sorted>)"
    assert exhaustive("c", "s", [case], 1, lambda case: False).counterexample == f"case 1: {told}"
    assert sampled("c", "s", 0, 1, lambda rng: case, lambda case: False).counterexample == f"draw 0: {told}"
