"""Approximate VAR: promise, decision, witnesses, and its way into files and back."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reductions.instance_files.codecs import codec
from reductions.instance_files.manifest import plain
from reductions.instance_files.read_write import read_instance, write_instance
from reductions.layers.streamed_attention import EXP_ULPS
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.problem import Answer
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.cnf import RUNNING_EXAMPLE
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import square_schedule
from reductions.problems.token_map import TokenMap
from reductions.problems.var_model import FeedForward, SelfAttention, VarModel
from tests.forward_error import gamma


def small(logit: float, **changes) -> ApproximateVar:
    """Four equal pixels of value 1 and a given logit for each other, beside the start token of value 0.

    Every output is 4 e^logit / (4 e^logit + 1).
    """
    first, second = np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])
    layer = SelfAttention(first, np.sign(logit) * first, second, np.array([[1.0, 0.0]]), 1.0)
    fields = {
        "model": VarModel(square_schedule([1, 2]), Interpolation(Kernel.NEAREST), (layer,)),
        "reading": Reading.MAPS,
        "start_token": np.zeros(2),
        "maps": (TokenMap((1, 1), [[0, 0]], [[np.sqrt(abs(logit)), 1.0]]),),
        "read_outs": np.array([0, 3]),
        "threshold": 0.5,
        "yes_bound": 0.9,
        "no_bound": 0.2,
        "entry_bound": 2.0,
        "logit_bound": 4.0,
        "entry_error": 1e-15,
    }
    return ApproximateVar(**{**fields, **changes})


def with_attention_twice(problem: ApproximateVar) -> ApproximateVar:
    layer = problem.model.layers[0]
    return dataclasses.replace(problem, model=dataclasses.replace(problem.model, layers=(layer, layer)))


# Of an expected value, written as a quotient of two sums of two exponentials.
OWN = gamma(8, 2.0**-53) + 4 * (2 * EXP_ULPS * 2.0**-53)


@pytest.mark.parametrize(
    ("logit", "answer", "decided"),
    [(2.0, Answer.YES, True), (-4.0, Answer.NO, False), (-0.0, Answer.OUTSIDE_PROMISE, True)],
)
def test_answers(logit, answer, decided):
    problem = small(logit)
    exact = 4 * np.exp(logit) / (4 * np.exp(logit) + 1)
    own = OWN * exact
    assert (np.abs(problem.outputs() - exact) <= problem.rounding_bound() + own).all()
    assert (np.abs(problem.outputs(all_rows=True) - exact) <= problem.rounding_bound() + own).all()
    singles = problem.outputs(dtype=np.float32, threads=2)
    assert (np.abs(singles - exact) <= problem.rounding_bound(np.float32) + own).all()
    assert problem.answer() is answer
    assert problem.decide_rows(problem.outputs()).tolist() == [decided] * 2
    assert [problem.verify(row) for row in (-1, 0, 1, 2)] == [False, *[answer is Answer.YES] * 2, False]
    assert problem.solve_brute_force() == (0 if answer is Answer.YES else None)


def test_the_first_yes_row_is_the_witness():
    # One query in four sees its keys; the other pixels are the zero token.
    model = dataclasses.replace(small(2.0).model, schedule=square_schedule([2, 4]))
    token_map = TokenMap((2, 2), [[1, 1]], [[3.0, 1.0]])
    problem = small(2.0, model=model, maps=(token_map,), read_outs=np.array([0, 5, 10, 15]), no_bound=0.3)
    assert problem.decide_rows(problem.outputs()).tolist() == [False, False, True, True]
    assert problem.solve_brute_force() == 2
    assert [problem.verify(row) for row in range(4)] == [False, False, True, True]
    assert problem.answer() is Answer.YES


def test_tolerated_error_is_the_distance_to_the_nearer_bound():
    assert small(2.0).tolerated_error == pytest.approx(0.3)
    assert small(2.0, threshold=0.7).tolerated_error == pytest.approx(0.2)


def test_any_error_below_the_tolerated_one_decides_right():
    for logit, decided in ((2.3, True), (-4.0, False)):
        problem = small(logit)
        assert problem.answer() is not Answer.OUTSIDE_PROMISE
        error = 0.999 * problem.tolerated_error
        for shift in (-error, error):
            assert problem.decide_rows(problem.outputs() + shift).tolist() == [decided] * 2


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([0.1], r"Argument 'outputs' must have shape \(2,\), not \(1,\)"),
        ([[0.1, 0.2]], r"Argument 'outputs' must have shape \(2,\), not \(1, 2\)"),
        ([0.1, np.nan], "Argument 'outputs' must be finite"),
        ([0.1, -np.inf], "Argument 'outputs' must be finite"),
    ],
)
def test_outputs_that_are_refused(outputs, message):
    with pytest.raises(ValueError, match=message):
        small(2.0).decide_rows(np.array(outputs))


def test_what_has_no_rounding_bound_is_not_decided():
    for problem in (with_attention_twice(small(2.0)), small(2.0, logit_bound=1e16)):
        assert problem.outputs().shape == (2,)
        for undecided in (problem.answer, problem.solve_brute_force, lambda p=problem: p.verify(0)):
            with pytest.raises(ValueError, match="cannot be decided in float64: its rounding bound"):
                undecided()
    assert with_attention_twice(small(2.0)).rounding_bound() == np.inf


def test_rounding_bounds():
    problem = small(2.0)
    exact = 4 * np.exp(2) / (4 * np.exp(2) + 1)
    for dtype, most in ((np.float32, 1e-4), (np.float64, 1e-12)):
        error = problem.rounding_bound(dtype)
        assert np.abs(problem.outputs(dtype=dtype) - exact).max() <= error < most


def test_sizes_and_text():
    problem = small(2.0)
    assert problem.sizes == {"n": 2, "K": 2, "L": 5, "c": 2, "d": 1, "N": 2, "R": 2.0}
    assert repr(problem) == "ApproximateVar(maps, nearest, schedule 1, 2, 2 read-outs)"


def drawing(reading: Reading) -> ApproximateVar:
    """The same model, drawing its own maps: the start token alone decides."""
    table = (None, np.full((4, 2), 0.5)) if reading is Reading.START_AND_POSITIONS else ()
    base = small(2.0)
    layer = dataclasses.replace(base.model.layers[0], output_weights=np.array([[1.0, 1.0]]))
    model = dataclasses.replace(base.model, layers=(layer,), position_table=table)
    return small(2.0, model=model, reading=reading, maps=(), start_token=np.ones(2))


def test_readings_without_maps_draw_them():
    problem = drawing(Reading.START_ONLY)
    # The start token 1, 1 gives the map 1, so every token is the same and every output 1.
    np.testing.assert_allclose(problem.outputs(), [1.0, 1.0], rtol=0, atol=1e-15)
    outputs = drawing(Reading.START_AND_POSITIONS).outputs()
    # Tokens of scale 2 are 1 + 1/2: four keys of logit 9/4 and value 3/2, the start token 3/2 and 1.
    expected = (4 * np.exp(2.25) * 1.5 + np.exp(1.5)) / (4 * np.exp(2.25) + np.exp(1.5))
    # The first map is drawn exactly, as one token's mean; values are up to 3/2.
    rounding = 1.5 * drawing(Reading.START_AND_POSITIONS).rounding_bound()
    assert (np.abs(outputs - expected) <= rounding + OWN * expected).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"maps": ()}, "Argument 'maps' must hold 1 token maps in reading maps, not 0"),
        (
            {"reading": Reading.START_ONLY},
            "Argument 'maps' must hold 0 token maps in reading start only, not 1",
        ),
        ({"maps": (TokenMap.zero((2, 2), 2),)}, r"must have a map of shape \(1, 1\) and 2 channels for each"),
        ({"maps": (TokenMap.zero((1, 1), 3),)}, r"not of \(1, 1\) and 3"),
        ({"read_outs": np.array([], int)}, "Argument 'read_outs' must be a nonempty list of pixels"),
        ({"read_outs": np.array([4])}, "Argument 'read_outs' must be pixels 0 ... 3 of the last scale"),
        ({"read_outs": np.array([-1])}, "Argument 'read_outs' must be pixels 0 ... 3 of the last scale"),
        ({"threshold": 0.9}, "Argument 'threshold' must lie between 'no_bound' and 'yes_bound'"),
        ({"threshold": np.nan}, "Argument 'threshold' must lie between 'no_bound' and 'yes_bound'"),
        ({"start_token": np.zeros(3)}, "Argument 'start_token' must be 2 finite numbers"),
        ({"start_token": np.array([0, np.inf])}, "Argument 'start_token' must be 2 finite numbers"),
        ({"read_out_channel": 2}, "must be one of the 2 output channels, not 2"),
        ({"read_out_channel": -1}, "must be one of the 2 output channels, not -1"),
    ],
)
def test_argument_errors(changes, message):
    with pytest.raises(ValueError, match=message):
        small(2.0, **changes)


def test_models_that_are_refused():
    model = small(2.0).model
    layers = (model.layers[0], FeedForward(np.eye(2)))
    with pytest.raises(ValueError, match="Argument 'model' must end with an attention layer"):
        small(2.0, model=dataclasses.replace(model, layers=layers))
    narrow = dataclasses.replace(model.layers[0], output_weights=np.ones((1, 1)))
    with pytest.raises(ValueError, match="Argument 'model' must draw tokens of 2 channels, not of 1"):
        small(2.0, model=dataclasses.replace(model, layers=(narrow,)), reading=Reading.START_ONLY, maps=())


def reduced_from_attention() -> ApproximateVar:
    source = GapMaxInnerProduct(np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]]), 1.0, 1.0)
    return AttentionToVar().map_instance(GapMaxIPToAttention().map_instance(source).target).target


INSTANCES = {
    "maps": lambda: small(2.0),
    "maps, one of them zero": lambda: small(2.0, maps=(TokenMap.zero((1, 1), 2),)),
    "start only": lambda: drawing(Reading.START_ONLY),
    "start+positions": lambda: drawing(Reading.START_AND_POSITIONS),
    "two attention layers": lambda: with_attention_twice(small(2.0, read_out_channel=1)),
    "from attention": reduced_from_attention,
    "from a formula": lambda: SatToVarInference().map_instance(RUNNING_EXAMPLE).target,
}


@pytest.mark.parametrize("name", INSTANCES)
def test_files_give_back_what_was_written(name, tmp_path):
    problem = INSTANCES[name]()
    write_instance(tmp_path / "instance.safetensors", problem)
    back, _ = read_instance(tmp_path / "instance.safetensors")
    assert isinstance(back, ApproximateVar)
    (tensors, parameters), (others, other_parameters) = (codec("var").to_tensors(p) for p in (problem, back))
    assert parameters == other_parameters
    assert tensors.keys() == others.keys()
    for tensor_name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor, others[tensor_name])
    assert (back.outputs() == problem.outputs()).all()
    assert back.sizes == problem.sizes


X_1 = {"X_1.positions": np.zeros((1, 2), np.int64), "X_1.tokens": np.ones((1, 2))}


@pytest.mark.parametrize(
    ("reading", "tensors", "parameters", "message"),
    [
        (Reading.MAPS, {"X_2.positions": X_1["X_1.positions"]}, {}, "'X_2.positions' does not belong"),
        (Reading.START_ONLY, X_1, {}, "'X_1.positions' does not belong"),
        (Reading.MAPS, {"layer_2.W": np.eye(2)}, {}, "'layer_2.W' does not belong"),
        (Reading.MAPS, {"read_outs": np.array([0.0])}, {}, "'read_outs' must be of int64"),
        (Reading.MAPS, {}, {"aligned": 1}, "'aligned' must be true or false, not 1"),
        (Reading.MAPS, {}, {"a": "x"}, "'a' must be a number, not 'x'"),
        (Reading.MAPS, {}, {"threshold": True}, "'threshold' must be a number, not True"),
        (Reading.MAPS, {}, {"schedule": [[1, 1.0], [2, 2]]}, "'schedule' must hold integers"),
        (Reading.MAPS, {}, {"kernel": "cubic"}, "'cubic' is not a valid Kernel"),
        (Reading.MAPS, {}, {"reading": "none"}, "'none' is not a valid Reading"),
        (Reading.MAPS, {}, {"more": 1}, "the parameters must be"),
        (
            Reading.MAPS,
            {},
            {"layers": [{"kind": "convolution", "temperature": 1.0}]},
            "a layer must be of kind 'feed-forward' or 'attention', not 'convolution'",
        ),
    ],
)
def test_tensors_and_parameters_that_are_refused(reading, tensors, parameters, message):
    problem = small(2.0) if reading is Reading.MAPS else drawing(reading)
    good, plain_parameters = codec("var").to_tensors(problem)
    with pytest.raises(ValueError, match=message):
        codec("var").from_tensors({**good, **tensors}, {**plain(plain_parameters), **parameters})


def test_what_files_state_besides():
    entry = codec("var")
    problem = small(2.0)
    assert entry.entry_bounds(problem) == {"start_token": 2.0, "X_1.tokens": 8.0}
    assert entry.entry_bounds(drawing(Reading.START_ONLY)) == {}
    assert entry.work(problem) == 2 * 5 * 1
    stated = entry.read_out(problem)
    assert (stated["threshold"], stated["tolerated_error"]) == (0.5, problem.tolerated_error)


@pytest.mark.parametrize("temperature", [1e-100, 1e-76, 1e76, 1e100])
def test_no_rounding_bound_where_entries_leave_the_normal_range(temperature):
    target = SatToVarInference(temperature=temperature).map_instance(RUNNING_EXAMPLE).target
    assert target.rounding_bound(np.float32) == np.inf
    usual = SatToVarInference().map_instance(RUNNING_EXAMPLE).target
    assert usual.rounding_bound(np.float32) < 1e-3


def test_no_rounding_bound_where_the_read_out_is_scaled():
    target = SatToVarInference().map_instance(RUNNING_EXAMPLE).target
    layer = target.attention_layer
    scaled = dataclasses.replace(layer, output_weights=1e17 * layer.output_weights)
    model = dataclasses.replace(target.model, layers=(target.model.layers[0], scaled))
    assert dataclasses.replace(target, model=model).rounding_bound() == np.inf
