"""Where the routes cross: what is built, measured without the check."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence.registry import Run
from checks.lower_bound.distributed_pcp.rows import ROWS, row_named
from checks.lower_bound.route_crossover import route_crossover
from checks.lower_bound.route_crossover.rotated_entries import (
    Centre,
    Turn,
    built_attention,
    direct_trial,
    gap_trial,
    hartley_transformed,
)
from reductions.codes.evaluation_codes import reed_solomon
from reductions.codes.finite_field import FiniteField
from reductions.codes.proof_system import ProofSystem
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.route_crossover import (
    direct_route,
    entry_crossover,
    exponent_loss,
    full_alphabet_route,
    least_blocks,
    pcp_route,
)
from reductions.problem import Answer
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.gap_sizes import GapSizes
from reductions.problems.orthogonal_vectors import OrthogonalVectors


def test_both_routes_in_torch():
    """R and b of row B, all messages at once, from torch's products in exact integers and one root."""
    system = row_named("B").system()
    source = OrthogonalVectors.random(6, 6, seed=4, planted=True)
    rectangular = row_named("B").reduction().map_instance(source).target
    encoded = ComplementEncoding().map_instance(source).target
    for instance, route in ((rectangular, pcp_route(system)), (encoded, direct_route(6))):
        layer = GapMaxIPToAttention().map_instance(instance).target.attention
        queries, keys = torch.from_numpy(layer.queries.copy()), torch.from_numpy(layer.keys.copy())
        assert queries.shape[1] == route.dimension + route.reference == layer.temperature
        entry = max(float(queries.abs().max()), float(keys.abs().max()))
        logit = float((queries @ keys.T / queries.shape[1]).abs().max())
        assert math.isclose(entry, route.entry_bound(6), rel_tol=1e-12)
        assert math.isclose(logit, route.logit_bound(6), rel_tol=1e-12)


def test_named_values():
    a, d, h = (pcp_route(row_named(name).system()) for name in "ADH")
    assert (a.logit_ratio, a.entry_ratio) == (2, Fraction(29, 2))
    assert (d.logit_ratio, d.entry_ratio) == (9, 81)
    assert (h.base, h.var_logit_ratio, h.var_entry_ratio) == (12, 2, Fraction(845, 20))
    assert direct_route(1).var_logit_ratio == 2
    assert direct_route(1).var_entry_ratio == 4
    assert [row.name for row in ROWS if pcp_route(row.system()).logit_ratio >= row.system().coordinates] == [
        "D"
    ]


@given(st.integers(1, 10**6))
def test_the_direct_route(m):
    route = direct_route(m)
    assert (route.logit_ratio, route.entry_ratio) == (m, 3 * m)


@given(st.sampled_from([3, 4, 5, 7, 8, 9, 27, 64]), st.booleans(), st.data())
def test_the_line_never_wins(q, infinity, data):
    length = q + infinity
    s0, blocks = data.draw(st.integers(1, (length + 1) // 2)), data.draw(st.integers(1, 12))
    # Two integers, by the definition of p, instead of the fractions of the module.
    gap = length - 2 * (s0 - 1)
    reference = -(-(2 * length - gap) // 2)
    assert length * q**blocks + reference > 3 * s0 * blocks * gap
    route = full_alphabet_route(q, length, 2 * (s0 - 1), blocks)
    assert route.entry_ratio * gap == length * q**blocks + reference


def test_the_line_over_two_elements_and_tables():
    assert full_alphabet_route(2, 3, 0, 1).entry_ratio == Fraction(8, 3)
    assert full_alphabet_route(2, 3, 2, 1).entry_ratio == 9
    for m in (1, 2, 3, 4):  # s0 = 1: a table of all 2^m vectors
        route = pcp_route(ProofSystem(reed_solomon(FiniteField(7), 1), m, (1,) * m))
        assert route.entry_ratio == 2**m + Fraction(1, 2)
        assert (route.entry_ratio < 3 * m) == (m <= 3)


def test_row_d_with_its_exact_gap():
    """Without an orthogonal pair no product exceeds 7, so the gap 2 is kept; with one, some reach 9."""
    for planted in (True, False):
        source = OrthogonalVectors.random(8, 8, seed=2, planted=planted)
        target = row_named("D").reduction(messages="feasible").map_instance(source).target
        wider = GapMaxInnerProduct(target.left, target.right, target.threshold, gap=2)
        attention = GapMaxIPToAttention().map_instance(wider).target
        assert attention.answer() is (Answer.YES if planted else Answer.NO)
        assert attention.decide_rows(attention.outputs()).any() == planted
        stated = GapSizes(72, 9, 2).logit_bound(8, orthogonal=planted)
        assert math.isclose(attention.attention.logit_bound, stated, rel_tol=1e-12)
        assert stated < direct_route(8).logit_bound(8, orthogonal=planted)


def test_crossover_and_exponents():
    assert entry_crossover(5, 2, Fraction(1, 2)) == Fraction(52, 3)
    assert exponent_loss(10, 20) == 0.5
    for q, c, saving in product((9, 121), (1.0, 3.0), (0.1, 1.0)):
        blocks, share = least_blocks(q, Fraction(2, 3), c, saving), 5 / 3
        loss = [exponent_loss(share * 60 * math.log2(q), 60 * t / c) for t in (blocks - 1, blocks) if t]
        assert loss[-1] < saving <= loss[0] + 1e-12


def test_the_least_number_of_blocks_is_least():
    """Where log2 q is an integer the bound itself may be one, and then no block more is needed."""
    assert [least_blocks(4, Fraction(0), c, 1) for c in (1, Fraction(1, 2), 3)] == [2, 1, 6]
    assert least_blocks(64, Fraction(2, 3), 1, Fraction(1, 10)) == 100
    assert least_blocks(64, Fraction(2, 3), 1, Fraction(1, 11)) == 110
    assert least_blocks(64, Fraction(2, 3), Fraction(1001, 1000), Fraction(1, 10)) == 101
    assert least_blocks(3, Fraction(0), 1, 1) == 2
    # log2 3 is 1.5849625007211561814...; floats do not tell these apart.
    slope = Fraction(10**22, 15849625007211561814)
    assert [least_blocks(3, Fraction(0), slope * t, 1) for t in (1, 1 - Fraction(1, 10**18))] == [1001, 1000]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("exponent_loss", lambda bits, logarithm: bits / (2 * logarithm)),
        ("least_blocks", lambda *arguments: least_blocks(*arguments) + 1),
        ("least_blocks", lambda *arguments: least_blocks(*arguments) - 1),
    ],
)
def test_wrong_costs_of_messages_are_found(monkeypatch, name, wrong):
    monkeypatch.setattr(f"checks.lower_bound.route_crossover.messages.{name}", wrong)
    failed = [record.claim for record in route_crossover.check(Run()) if record.failed]
    assert failed
    assert all(claim.startswith("(7)") for claim in failed)


@pytest.mark.parametrize("name", ["A", "D", "E"])
def test_other_coordinates_change_no_output(name):
    system = row_named(name).system()
    for trial in (gap_trial(system), direct_trial(system.coordinates)):
        outputs = built_attention(trial.source).output()
        for centre, turn in product(Centre, Turn):
            measured = trial.measure(centre, turn, seed=3)
            layer = measured.instance
            assert np.allclose(layer.output(), outputs, rtol=0, atol=1e-10)
            assert math.isclose(np.abs(layer.queries).max(), np.abs(layer.keys).max(), rel_tol=1e-12)
            if centre is Centre.NONE:
                assert measured.ratio >= trial.floor()
                assert measured.lifted == 0
    # Centring by one half: D + B on one route, 3m - 1 on the other, halved.
    halves = [trial.measure(Centre.HALF, Turn.NONE) for trial in (gap_trial(system), direct_trial(8))]
    assert math.isclose(halves[0].ratio, (system.dimension + system.bound) / (2 * system.gap))
    assert math.isclose(halves[1].ratio, 23 / 2)
    assert halves[0].lifted == system.code.length


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_hartley_is_orthogonal(n, seed):
    matrix = hartley_transformed(np.eye(n), np.random.default_rng(seed).choice([-1.0, 1.0], n))
    assert np.allclose(matrix @ matrix.T, np.eye(n), atol=1e-12)


def test_argument_errors():
    with pytest.raises(ValueError, match="Argument 'coordinates' must be at least 1, not 0"):
        direct_route(0)
    with pytest.raises(ValueError, match="Argument 'epsilon' must be above 0 and at most 1, not 2"):
        entry_crossover(3, 1, Fraction(2))
    with pytest.raises(ValueError, match="Argument 'log_keys' must be positive, not 0"):
        exponent_loss(1, 0)
    with pytest.raises(ValueError, match="Argument 'saving' must be positive, not 0"):
        least_blocks(3, Fraction(0), 1, 0)
    with pytest.raises(ValueError, match="above 0, not 3, 2 and 0"):
        GapSizes(3, 2, 0)
    with pytest.raises(ValueError, match="Argument 'system' must be sound"):
        pcp_route(ProofSystem(reed_solomon(FiniteField(3), 2), 3, (1, 1, 1)))
