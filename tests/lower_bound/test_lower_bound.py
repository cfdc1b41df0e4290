"""The theorem's accounts: models that are built, and stated numbers."""

from __future__ import annotations

from fractions import Fraction
from math import inf, log, sqrt

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence.registry import registry
from checks.lower_bound.lower_bound.sizes import CASES
from reductions.decision.pcp_plan import plan_pcp
from reductions.lower_bound.lower_bound import (
    Budget,
    Route,
    accounting,
    stated_bounds,
    symbolic_sizes,
)
from reductions.lower_bound.lower_bound.sizes import (
    inference_sizes,
    log_side,
    maps_sizes,
    side_overhead,
)
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.problems.approximate_var import Reading
from reductions.problems.cnf import random_k_sat
from reductions.problems.gap_sizes import GapSizes, pcp_sizes
from reductions.problems.interpolation import Kernel
from reductions.reduction import size

TENTH = Fraction(1, 10)


def test_it_rests_on_the_hypothesis_and_both_citations():
    entries = registry()
    used = {"thm-lower-bound"}
    while not used >= (more := {parent for id in used for parent in entries[id].uses}):
        used |= more
    assert {"def-seth", "lem-sparsification", "lem-pcp-asymptotics", "lem-isolation"} <= used


@given(st.fractions(Fraction(1, 100), 1))
def test_the_saving_that_is_left(saving):
    for route in Route:
        budget = Budget(route, saving)
        assert budget.total == 1 - saving / 8
        assert budget.delta > 0
        assert 2 * budget.eta < saving


@given(st.sampled_from(Kernel), st.integers(1, 10**6))
def test_four_variables_a_doubling(kernel, variables):
    for reading in (Reading.MAPS, Reading.START_AND_POSITIONS):
        assert log_side(reading, kernel, variables + 4) == log_side(reading, kernel, variables) + 1
        over = (4 - TENTH) * log_side(reading, kernel, variables) - (1 - TENTH / 4) * variables
        assert 0 <= over <= side_overhead(reading, kernel, TENTH)


@given(st.sampled_from(CASES), st.integers(1, 50), st.integers(2, 200))
def test_sizes_obey_the_bounds(case, constant, doublings):
    route, reading = case
    if reading is Reading.START_AND_POSITIONS:
        sizes = inference_sizes(4 * doublings, 4 * constant * doublings)
    else:
        s = 2 * constant * doublings
        encoding = GapSizes(2 * s, s, Fraction(1), 0.0, "direct")
        if route is Route.PCP:
            encoding = GapSizes(constant * s, s, Fraction(s, 2), 0.0, "gap")
        sizes = maps_sizes(encoding, 2 * doublings, Kernel.BICUBIC)
    bounds = stated_bounds(route, reading, constant)
    j = sizes.log_side
    assert sizes.dimension <= bounds.dimension * j
    assert sizes.channels <= bounds.channels * j
    assert sizes.entry_bound <= sqrt(bounds.square * float(j) ** bounds.power)
    assert sizes.logit_bound <= bounds.logit * float(j) ** bounds.power
    if route is Route.PCP:
        assert sizes.entry_bound >= sqrt(8 * log(2) * j)


def test_expressions_and_numbers_agree():
    stated = symbolic_sizes(Route.DIRECT, Reading.START_AND_POSITIONS)
    formula = random_k_sat(7, 12, 3, seed=0)
    numbers = {size("v"): 7, size("m"): 12}
    target = SatToVarInference().map_instance(formula).target
    sizes = inference_sizes(7, 12)
    for name, value in (("n", 4), ("L", sizes.tokens), ("d", 13), ("R", sizes.entry_bound)):
        assert target.sizes[name] == pytest.approx(value, rel=1e-12)
        assert float(stated[name].subs(numbers)) == pytest.approx(value, rel=1e-12)
    assert float(stated["b"].subs(numbers)) == pytest.approx(sizes.logit_bound, rel=1e-12)
    assert stated["channels"].subs(numbers) == sizes.channels == 25
    gap = symbolic_sizes(Route.PCP, Reading.MAPS)
    assert sympy.expand(gap["R"] ** 2 * size("s") - 4 * gap["d"] * gap["b"] / 4) == 0


def test_stated_numbers():
    drawn = accounting(Route.DIRECT, Reading.START_AND_POSITIONS, n=2**10, c=Fraction(4), q=TENTH)
    assert (drawn.sizes.log_side, drawn.sizes.dimension, drawn.sizes.tokens) == (10, 81, 1_398_101)
    assert drawn.sizes.entry_bound == pytest.approx(sqrt(2 * 81 * log(16 * 1_398_101)))
    maps = accounting(Route.DIRECT, Reading.MAPS, n=2**10, c=Fraction(4), q=TENTH)
    assert (maps.sizes.dimension, maps.sizes.channels) == (3 * 56, 6 * 56 + 1)
    assert "337 or fewer per layer; stated: 500" in str(maps)
    assert drawn.sizes.channels == 161
    assert {step.ground for step in maps.steps} == {"assumed", "cited", "proved"}
    assert "lem-complement-encoding" in str(maps)
    assert maps._repr_html_().count("<tr>") == 1 + len(maps.steps)


def test_both_kinds_of_gap_encoding():
    system = plan_pcp(16, "messages").system
    built = accounting(Route.PCP, Reading.MAPS, n=2**7, c=Fraction(2), q=TENTH, encoding=pcp_sizes(system))
    assert built.sizes.dimension == system.dimension + 9
    assert "too many at this size" in str(built)
    assert built.steps[-1].sizes == "not reached at this size"
    far = accounting(Route.PCP, Reading.MAPS, n=2**5000, c=Fraction(1), q=Fraction(1))
    assert "enough" in str(far)
    assert "too many" not in str(far)
    assert far.steps[-1].sizes == "exponent 3/4 + 1/16 + 1/16 = 7/8 = 1 - 1/8"
    assert repr(far) == "Accounting(pcp, maps, n = 2^5000)"
    assert "5000" in repr(far.sizes)
    assert far.sizes.entry_bound == inf
    assert far.sizes.logit_bound <= 18 * 5000
    cited = {step.rests_on for step in far.steps if step.ground == "cited"}
    assert {"lem-sparsification", "lem-pcp-asymptotics"} <= cited


def test_argument_errors():
    with pytest.raises(ValueError, match=r"Argument 'reading' must be .* not 'start only': .*lem-collapse"):
        accounting(Route.DIRECT, Reading.START_ONLY, n=4, c=Fraction(1), q=TENTH)
    with pytest.raises(ValueError, match="Argument 'route' must be 'direct' in reading 'start"):
        accounting(Route.PCP, Reading.START_AND_POSITIONS, n=4, c=Fraction(1), q=TENTH)
    with pytest.raises(ValueError, match="Argument 'n' must be a power of two from 16 on, not 24"):
        accounting(Route.DIRECT, Reading.MAPS, n=24, c=Fraction(1), q=TENTH)
    with pytest.raises(ValueError, match=r"Argument 'q' must be in \(0, 1\], not 2"):
        accounting(Route.DIRECT, Reading.MAPS, n=16, c=Fraction(1), q=Fraction(2))
    with pytest.raises(ValueError, match="Argument 'c' must be positive, not 0"):
        accounting(Route.DIRECT, Reading.MAPS, n=16, c=Fraction(0), q=TENTH)
    with pytest.raises(ValueError, match=r"^Arguments 'c' and 'n' must make m = .* at least 2, not 1\.$"):
        accounting(Route.DIRECT, Reading.MAPS, n=16, c=Fraction(1, 2), q=TENTH)
