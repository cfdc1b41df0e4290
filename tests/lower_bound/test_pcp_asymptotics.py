"""The constants of the cited PCP: stated numbers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import isprime

from checks.evidence.registry import registry
from checks.evidence.runner import run_lemma
from checks.lower_bound.pcp_asymptotics.tower import counted_points
from reductions.lower_bound.lower_bound.sizes import tower_sizes
from reductions.lower_bound.pcp_asymptotics import (
    AsymptoticPCP,
    choose,
    tower_code,
    tower_genus,
    tower_points,
)


def test_it_rests_on_the_finite_construction():
    assert "lem-distributed-pcp" in registry()["lem-pcp-asymptotics"].uses


def test_the_second_curve_is_of_the_stated_genus():
    # Level 2 over F_9: genus 4, and at least 18 affine points; level 1 is the line without l points.
    assert [tower_genus(3, level) for level in (1, 2, 3, 4)] == [0, 4, 16, 64]
    assert [tower_points(3, level) for level in (1, 2, 3)] == [6, 18, 54]


def test_points_are_those_of_the_equations():
    assert counted_points(2) == (2, 4, 8, 16)
    assert counted_points(3) == (6, 18, 54, 162)


WRONG = {
    "alphabet": lambda chosen: chosen.root**chosen.blocks,
    "log_alphabet": lambda chosen: chosen.blocks * chosen.bits,
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_alphabets_are_found(monkeypatch, name):
    monkeypatch.setattr(AsymptoticPCP, name, property(WRONG[name]))
    (failure,) = run_lemma("lem-pcp-asymptotics").failures
    assert "D = len l^(2T)" in failure


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("tower_genus", lambda root, level: tower_genus(root, level - 1)),
        ("tower_points", lambda root, level: root * root**level),
    ],
)
def test_wrong_towers_are_found(monkeypatch, name, wrong):
    monkeypatch.setattr(f"checks.lower_bound.pcp_asymptotics.tower.{name}", wrong)
    assert any("Garcia and Stichtenoth" in failure for failure in run_lemma("lem-pcp-asymptotics").failures)


def test_a_wrong_dimension_is_found(monkeypatch):
    def encoding(*arguments):
        return replace(tower_sizes(*arguments), dimension=11 * 44)

    monkeypatch.setattr("checks.lower_bound.pcp_asymptotics.tower.tower_sizes", encoding)
    (failure,) = run_lemma("lem-pcp-asymptotics").failures
    assert "D = len l^(2T)" in failure


@given(st.sampled_from((11, 13, 23)), st.integers(1, 10**9))
def test_points_over_genus_tend_to_l_minus_one(root, block):
    code = tower_code(root, block)
    assert code.length <= tower_points(root, code.level)
    assert code.length <= 36 * block
    assert code.block <= code.degree + 1 - code.genus
    assert tower_points(root, 30) >= (root - 1) * tower_genus(root, 30)


@given(st.fractions(Fraction(1, 10), 20), st.fractions(Fraction(1, 20), 1), st.integers(1, 1000))
def test_messages_stay_below_the_loss(density, loss, factor):
    chosen = choose(density, loss)
    assert isprime(chosen.root)
    assert chosen.blocks < chosen.root < 2 * chosen.blocks
    logarithm = factor * chosen.from_log_vectors
    digits = tower_code(chosen.root, chosen.block(logarithm)).message_digits
    assert chosen.block(logarithm) * chosen.blocks >= density * logarithm
    assert digits * 2 * log2(chosen.root) <= chosen.log_messages(logarithm) <= loss * logarithm


def test_stated_numbers():
    chosen = choose(Fraction(1), Fraction(1, 8))
    assert (chosen.blocks, chosen.root, chosen.from_log_vectors) == (8192, 8209, 8512)
    assert chosen.log_alphabet == 229_376
    assert 2 * 8192 * log2(8209) <= chosen.log_alphabet


def test_argument_errors():
    with pytest.raises(ValueError, match="Argument 'root' must be a prime of at least 11, not 7"):
        tower_code(7, 3)
    with pytest.raises(ValueError, match="Argument 'block' must be at least 1, not 0"):
        tower_code(11, 0)
    with pytest.raises(ValueError, match="Argument 'loss' must be positive, not 0"):
        choose(Fraction(1), Fraction(0))
