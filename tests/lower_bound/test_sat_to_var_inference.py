from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysat.solvers import Cadical153

from reductions.lower_bound.sat_to_var_inference import (
    SatToVarInference,
    clause_weights,
    pixel_bits,
    position_table,
)
from reductions.problem import Answer
from reductions.problems.approximate_var import Reading
from reductions.problems.cnf import CNF, RUNNING_EXAMPLE, random_k_sat
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import RELEASED_SIDES, square_schedule
from reductions.problems.var_model import FeedForward
from reductions.reduction import size

SCHEDULES = (
    None,
    square_schedule(RELEASED_SIDES),
    ((1, 1), (16, 16)),
    ((2, 3), (5, 7), (7, 10), (11, 24)),  # 264 pixels, no power of two
)
RULES = tuple(Interpolation(kernel) for kernel in Kernel)


@st.composite
def formulas(draw, most_variables=7):
    """Any formula: clauses may be empty, repeat literals, hold opposite ones, or live in one half."""
    variables = draw(st.integers(0, most_variables))
    if not variables:
        return CNF(0, ((),) * draw(st.integers(0, 2)))
    literals = st.integers(-variables, variables).filter(bool)
    clause = st.lists(literals, min_size=draw(st.integers(0, 2)), max_size=5).map(tuple)
    return CNF(variables, tuple(draw(st.lists(clause, max_size=12))))


def has_model(formula, assumptions=()):
    """Ask a solver that nobody here wrote."""
    if () in formula.clauses:
        return False
    with Cadical153(bootstrap_with=[list(clause) for clause in formula.clauses]) as solver:
        return solver.solve(assumptions=list(assumptions))


def half_literals(formula, index, second=False):
    """The literals that half assignment number ``index`` makes true."""
    half = (formula.variables + 1) // 2
    first = half if second else 0
    count = formula.variables - half if second else half
    return [first + t + 1 if index >> t & 1 else -(first + t + 1) for t in range(count)]


def yes_rows(formula):
    """Which first halves extend to a model, by the solver."""
    count = 2 ** ((formula.variables + 1) // 2)
    return np.array([has_model(formula, half_literals(formula, row)) for row in range(count)])


def edge_of_the_ball(outputs, yes, error=7 / 16 - 1e-9):
    return np.where(yes, outputs - error, outputs + error)


@settings(deadline=None, max_examples=150)
@given(formulas(), st.sampled_from(RULES), st.sampled_from(SCHEDULES))
def test_every_formula_is_decided(formula, rule, schedule):
    yes = yes_rows(formula)
    reduced = SatToVarInference(rule, schedule).map_instance(formula)
    outputs = reduced.target.outputs()
    assert (outputs[yes] > 16 / 17).all()
    assert (outputs[~yes] < 1 / 16).all()
    assert reduced.target.answer() is (Answer.YES if has_model(formula) else Answer.NO)
    for worst in (outputs, edge_of_the_ball(outputs, yes)):
        assert np.array_equal(reduced.target.decide_rows(worst), yes)
        model = reduced.extract_solution(worst)
        assert formula.verify(model) if yes.any() else model is None
    for model in formula.models():
        row = reduced.map_witness(model)
        assert yes[row]
        assert reduced.target.verify(row)


@settings(deadline=None, max_examples=100)
@given(formulas())
def test_hidden_coordinates_are_indicators(formula):
    """For every pixel and clause: 1 if the pixel's bits satisfy no literal of the clause, else 0."""
    half, m = (formula.variables + 1) // 2, len(formula.clauses)
    bits = half + 1  # one bit that the formula does not need
    table = position_table(((1, 1), (2 ** (half // 2), 2 ** (bits - half // 2))), bits + 2)[-1]
    hidden = FeedForward(clause_weights(formula, bits))(table)
    assert hidden.shape == (2**bits, 2 * m + 1)
    for pixel, row in enumerate(hidden):
        for side in (0, 1):
            true = set(half_literals(formula, pixel, second=bool(side)))
            expected = [float(not true & set(clause)) for clause in formula.clauses]
            assert row[side * m : (side + 1) * m].tolist() == expected
        assert row[-1] == 1
    assert not FeedForward(clause_weights(formula, bits))(np.zeros((1, bits + 2))).any()


def test_every_yes_row_and_every_orthogonal_pair_lead_to_a_model():
    for seed in range(4):
        formula = random_k_sat(8, 24, 3, seed)
        reduced = SatToVarInference().map_instance(formula)
        pairs = reduced.listed.target.orthogonal_pairs()
        models = {reduced.listed.extract_solution(tuple(map(int, pair))) for pair in pairs}
        assert models == set(formula.models())
        yes = reduced.target.outputs() > 0.5
        assert set(pairs[:, 0]) == set(np.flatnonzero(yes))
        for row in np.flatnonzero(yes):  # any one YES row is enough
            outputs = np.zeros(len(yes))
            outputs[row] = 1
            model = reduced.extract_solution(outputs)
            assert formula.verify(model)
            assert reduced.map_witness(model) == row


def test_only_weights_know_the_formula():
    reduction = SatToVarInference()
    targets = [reduction.map_instance(CNF(6, clauses)).target for clauses in ((), ((1, -4),), ((), (6,)))]
    for target in targets:
        assert target.reading is Reading.START_AND_POSITIONS
        assert target.maps == ()
        assert not target.start_token.any()
        assert target.model.schedule == targets[0].model.schedule
        tables, expected = target.model.position_table, targets[0].model.position_table
        assert all(table is None for table in (*tables[:-1], *expected[:-1]))
        np.testing.assert_array_equal(tables[-1], expected[-1])
    assert len({target.model.layers[0].weights.tobytes() for target in targets}) == 3


@pytest.mark.parametrize("rule", RULES)
def test_maps_drawn_before_the_last_scale_are_zero(rule):
    """Attention writes to one channel, which nobody reads; before the last scale even that one is 0."""
    target = SatToVarInference(rule, SCHEDULES[1]).map_instance(RUNNING_EXAMPLE).target
    outputs = target.model.run(target.start_token)
    assert len(outputs) == len(RELEASED_SIDES)
    for drawn in outputs[:-1]:
        assert not drawn.any()
    assert not outputs[-1][:, :-1].any()
    assert outputs[-1][:, -1].any()
    assert not target.model.layers[0].weights[-1].any()


def test_a_token_in_the_output_channel_changes_nothing():
    """Even if an earlier map were not zero there: the feed-forward layer gives that channel weight zero."""
    target = SatToVarInference().map_instance(RUNNING_EXAMPLE).target
    start = np.zeros_like(target.start_token)
    start[-1] = 5.0
    np.testing.assert_array_equal(target.model.run(start)[-1], target.model.run(target.start_token)[-1])


def test_logits_and_bounds_of_the_running_example():
    target = SatToVarInference().map_instance(RUNNING_EXAMPLE).target
    feed_forward, layer = target.model.layers
    hidden = feed_forward(target.model.position_table[-1])
    queries, keys = hidden @ layer.query_weights, hidden @ layer.key_weights
    products = np.array([[0, 1, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1], [1, 1, 0, 1]])
    scale = 2 * math.log(16 * 5)
    np.testing.assert_allclose(queries @ keys.T / layer.temperature, scale * (0.5 - products), rtol=1e-12)
    assert target.model.tokens == 5
    assert layer.dimension == layer.temperature == 7
    largest = max(np.abs(queries).max(), np.abs(keys).max())
    assert target.entry_bound == pytest.approx(largest) == pytest.approx(math.sqrt(14 * math.log(80)))
    assert (np.abs(queries) @ np.abs(keys).T / 7).max() <= target.logit_bound


def test_outputs_in_closed_form():
    """r orthogonal partners and P - r falsifying exactly one clause, among L tokens."""
    outputs = SatToVarInference().map_instance(RUNNING_EXAMPLE).target.outputs()
    weights = [partners * 80 + (4 - partners) / 80 for partners in (1, 2, 0, 1)]
    np.testing.assert_allclose(outputs, [weight / (weight + 1) for weight in weights], rtol=1e-12)


@pytest.mark.parametrize("kernel", list(Kernel))
def test_outputs_equal_torch(kernel):
    """Drawn scale by scale in torch, with its interpolation and its attention."""
    torch = pytest.importorskip("torch")
    target = SatToVarInference(Interpolation(kernel), ((1, 1), (2, 3), (4, 5))).map_instance(RUNNING_EXAMPLE)
    target = target.target
    feed_forward, layer = target.model.layers
    tensors = (feed_forward.weights, layer.query_weights, layer.key_weights, layer.value_weights)
    hidden_weights, *projections = (torch.tensor(np.array(weights)) for weights in tensors)
    mode = {"align_corners": False} if kernel is not Kernel.NEAREST else {}
    drawn, tokens = None, []
    tables = target.model.position_table
    for (height, width), table in zip(target.model.schedule, tables, strict=True):
        if drawn is None:
            fresh = torch.tensor(np.array(target.start_token))[None].repeat(height * width, 1)
        else:
            fine = torch.nn.functional.interpolate(drawn, size=(height, width), mode=str(kernel), **mode)
            fresh = fine[0].flatten(1).T
        if table is not None:
            fresh = fresh + torch.tensor(np.array(table))
        tokens.append(torch.relu(fresh @ hidden_weights))
        everything = torch.cat(tokens)
        queries = (tokens[-1] @ projections[0])[None]
        keys, values = ((everything @ weights)[None] for weights in projections[1:])
        attended = torch.nn.functional.scaled_dot_product_attention(
            queries, keys, values, scale=1 / layer.temperature
        )
        outputs = attended[0] @ torch.tensor(np.array(layer.output_weights))
        drawn = outputs.T.reshape(1, -1, height, width)
    read = outputs[np.array(target.read_outs), target.read_out_channel]
    np.testing.assert_allclose(target.outputs(), read.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("pixels", [1, 2, 3, 4, 7, 8, 255, 256, 264])
def test_pixel_bits(pixels):
    assert 2 ** pixel_bits(pixels) <= pixels < 2 ** (pixel_bits(pixels) + 1)


@pytest.mark.parametrize(("variables", "side"), [(0, 2), (1, 2), (4, 2), (5, 4), (8, 4), (9, 8), (16, 16)])
def test_default_schedule_is_four_variables_a_doubling(variables, side):
    """v = 4 log2 n."""
    assert SatToVarInference().schedule_for(variables)[-1] == (side, side)
    assert side == 2 or 4 * math.log2(side / 2) < variables <= 4 * math.log2(side)


def test_a_schedule_too_small_is_refused():
    released = SatToVarInference(schedule=square_schedule(RELEASED_SIDES))
    assert released.schedule_for(16)[-1] == (16, 16)
    with pytest.raises(ValueError, match="at least 512 pixels for 17 variables, not 16 x 16"):
        released.map_instance(CNF(17, ()))
    with pytest.raises(ValueError, match="'schedule' must have at least two scales, not one"):
        SatToVarInference(schedule=((4, 4),)).map_instance(RUNNING_EXAMPLE)
    for temperature in (0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="'temperature' must be a positive number or None"):
            SatToVarInference(temperature=temperature)


@pytest.mark.parametrize("temperature", [None, 2.5])
def test_parameter_map_equals_what_is_built(temperature):
    for schedule in SCHEDULES:
        reduction = SatToVarInference(schedule=schedule, temperature=temperature)
        stated = reduction.parameter_map()
        for variables, clauses in product((0, 3, 9), (0, 5)):
            formula = CNF(variables, ((1,) if variables else (),) * clauses)
            sizes = reduction.map_instance(formula).target.sizes
            at = {size("v"): variables, size("m"): clauses}
            assert stated.keys() == sizes.keys()
            for name, value in sizes.items():
                assert float(stated[name].subs(at)) == pytest.approx(value, rel=1e-12), name


def test_entry_bound_grows_with_the_square_root_of_m_log_n():
    """At τ = d = m + 1, R = √(2 (m + 1) ln 16L)."""
    for variables, clauses in ((8, 34), (12, 51)):
        target = SatToVarInference().map_instance(random_k_sat(variables, clauses, 3, 0)).target
        expected = math.sqrt(2 * (clauses + 1) * math.log(16 * target.model.tokens))
        assert target.entry_bound == pytest.approx(expected, rel=1e-14)


def test_temperature_changes_nothing_but_entries():
    outputs = [
        SatToVarInference(temperature=tau).map_instance(RUNNING_EXAMPLE).target.outputs()
        for tau in (None, 1.0, 99.0)
    ]
    np.testing.assert_allclose(outputs[1:], [outputs[0]] * 2, rtol=1e-11)


def test_malformed_outputs_are_refused():
    reduced = SatToVarInference().map_instance(RUNNING_EXAMPLE)
    outputs = reduced.target.outputs()
    for wrong in (outputs[:3], np.append(outputs, 0), outputs[:, None]):
        with pytest.raises(ValueError, match=r"'outputs' must have shape \(4,\)"):
            reduced.extract_solution(wrong)
    with pytest.raises(ValueError, match="'outputs' must be finite"):
        reduced.extract_solution(np.array([outputs[0], math.nan, 0, 0]))
    with pytest.raises(ValueError, match=r"'solution' must be within 0\.4375 of the outputs"):
        reduced.extract_solution(np.array([0.0, 0.0, 1.0, 0.0]))  # row 2 extends to no model
    with pytest.raises(ValueError, match="'witness' must be a satisfying assignment"):
        reduced.map_witness((True,) * 4)
