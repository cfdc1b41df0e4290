"""The upper bound's account: its growth with n, and its refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from checks.upper_bound.upper_bound.runs import RunCase, drawn_input, drawn_pipeline, shared_outcome
from reductions.fast_attention.whole_model.measured_demand import measured_demand, multiplications_elsewhere
from reductions.polynomials.exponential import certified_degree
from reductions.problems.interpolation import Kernel
from reductions.problems.var_model import SelfAttention
from reductions.upper_bound.decoder.layers import AttentionBounds
from reductions.upper_bound.upper_bound import (
    Attending,
    Case,
    Demand,
    account,
    explicit_rate,
    family,
    least_degree,
    rank_rate,
)


@pytest.mark.parametrize(("half_width", "tolerance"), [(0.5, 1e-3), (2.0, 1e-6), (5.0, 1e-4)])
def test_the_degree_by_bessel_bounds_is_that_of_certified_polynomials_or_one_more(half_width, tolerance):
    certified = certified_degree(-half_width, half_width, tolerance).degree
    assert certified <= least_degree(half_width, -math.log(tolerance)) <= certified + 1


def test_exponents_fall_towards_two_where_the_theorem_says_so():
    for case in Case:
        exponents = [account(family(case, j, c=0.1), j * math.log(2)).exponent for j in (64, 256, 1024)]
        assert exponents == sorted(exponents, reverse=True)
        assert 2 < exponents[-1] < 3


def test_a_smaller_error_needs_a_higher_degree():
    demand = family(Case.MAPS, 32)
    degrees = [account(demand, accuracy).degree for accuracy in (0.0, 10.0, 100.0)]
    assert degrees == sorted(set(degrees))


def test_an_account_in_words():
    found = account(Demand(8, 1.0, 0.0, 1, 0.0, (Attending(85, 2, 1, 4),), 1000), math.log(100))
    assert found.epsilon == pytest.approx(1 / 200)
    assert found.ranks == (math.comb(2 + found.degree, 2),)
    assert found.multiplications == 1000 + 4 * found.ranks[0] * 2 * 85
    assert found.demand.exact_multiplications == 1000 + 85**2 * 3
    text = str(found)
    for words in ("n = 8", f"degree {found.degree}", "multiplications"):
        assert words in text
    assert "<table>" in found._repr_html_()


def test_what_is_measured_is_the_model():
    case = RunCase(Kernel.BICUBIC, False, 0, 0.0)
    pipeline = drawn_pipeline(case.kernel, 0)
    demand, run = measured_demand(pipeline, *drawn_input(case))
    model = pipeline.model
    assert demand.side == 8
    assert demand.stages == len(model.schedule) + 1
    assert [layer.tokens for layer in demand.attending] == [85, 64]
    assert demand.elsewhere == multiplications_elsewhere(pipeline)
    # Logits of the exact run, computed anew from its last scale, lie within b.
    layer = next(layer for layer in model.layers if isinstance(layer, SelfAttention))
    bound = run.attention_bounds[0]
    assert isinstance(bound, AttentionBounds)
    assert demand.half_width >= layer.dimension * bound.entry**2 / layer.temperature
    given, _ = measured_demand(pipeline, *drawn_input(case._replace(given=True)))
    assert given.stages == 2
    assert given.log_growth < demand.log_growth


def test_more_accuracy_makes_the_run_better():
    rough, fine = (
        shared_outcome(RunCase(Kernel.BICUBIC, True, 0, math.log(accuracy))).run for accuracy in (10, 1000)
    )
    assert fine.fast.error_bound < rough.fast.error_bound


def test_explicit_rates():
    assert explicit_rate(1000.0, 1.0, 100.0) == pytest.approx(4 * 102 / (1000 * math.log(1000)))
    assert rank_rate(1.0, 0.0) == 0.0
    assert np.isclose(rank_rate(1.0, 0.5), 0.5 * (1 + math.log(3)))
    with pytest.raises(ValueError, match=r"at least e\^4 b"):
        explicit_rate(10.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="must be positive"):
        explicit_rate(100.0, 1.0, 0.0)
    with pytest.raises(ValueError, match="Argument 'log_accuracy' must be at least 0"):
        account(family(Case.MAPS, 8), -1.0)
