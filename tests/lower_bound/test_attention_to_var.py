from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.lower_bound.attention_to_var.instances import MapsCase, small_instances
from reductions.lower_bound.attention_to_var import AttentionToVar, base_coordinates
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problem import Answer
from reductions.problems.attention import AttentionInstance, ReferenceKeyAttention
from reductions.problems.cnf import RUNNING_EXAMPLE
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.problems.schedule import RELEASED_SIDES, square_schedule
from reductions.reduction import size

RULES = (
    Interpolation(Kernel.NEAREST),
    Interpolation(Kernel.BILINEAR),
    Interpolation(Kernel.BILINEAR, aligned=True),
    Interpolation(),
    Interpolation(a=-1.0),
    Interpolation(a=0.0, aligned=True),
)
SCHEDULES = (
    None,
    square_schedule(RELEASED_SIDES),  # 13 -> 16
    ((17, 18), (23, 31)),  # two scales: the 306 start tokens are replaced by nothing but their own copies
    ((2, 3), (5, 6), (17, 18), (18, 18)),  # stretched on one axis only
)


def direct(interpolation=None, schedule=None, temperature=None):
    return (
        ComplementEncoding() >> GapMaxIPToAttention() >> AttentionToVar(interpolation, schedule, temperature)
    )


def edge_of_the_ball(outputs, yes, error=0.3125 - 1e-9):
    return np.where(yes, outputs - error, outputs + error)


@st.composite
def vectors(draw):
    count, dimension = draw(st.integers(1, 9)), draw(st.integers(0, 6))
    seed, density = draw(st.integers(0, 10**6)), draw(st.sampled_from((0.3, 0.6, 0.9)))
    return OrthogonalVectors.random(count, dimension, density=density, seed=seed)


@st.composite
def reference_sources(draw):
    """Integer products u v and a reference half way between two integers: each row is YES or NO.

    Numbers of queries and keys differ, the gap is far below ln 4N, and the reference logit may be negative.
    """
    queries, keys, dimension = draw(st.integers(1, 7)), draw(st.integers(1, 7)), draw(st.integers(1, 3))
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    left, right = generator.integers(0, 3, (queries, dimension)), generator.integers(0, 3, (keys, dimension))
    middle = draw(st.integers(-1, 6)) + 0.5
    temperature = draw(st.sampled_from((0.5, 1.0, 30.0)))
    layer = AttentionInstance(
        np.hstack([left, np.ones((queries, 1))]),
        np.vstack([np.hstack([right, np.zeros((keys, 1))]), [[0] * dimension + [middle]]]),
        np.append(np.ones(keys), 0.0)[:, None],
        temperature,
    )
    return ReferenceKeyAttention(layer, middle / temperature, 0.5 / temperature), left @ right.T > middle


@settings(deadline=None, max_examples=60)
@given(vectors(), st.sampled_from(RULES), st.sampled_from(SCHEDULES))
def test_answers_solutions_and_bounds(source, rule, schedule):
    products = source.left.astype(int) @ source.right.astype(int).T
    yes = (products == 0).any(axis=1)
    reduced = direct(rule, schedule).map_instance(source)
    outputs = reduced.target.outputs()
    assert (outputs[yes] >= 0.7).all()
    assert (outputs[~yes] <= 1 / 16).all()
    assert reduced.target.answer() is (Answer.YES if yes.any() else Answer.NO)
    for worst in (outputs, edge_of_the_ball(outputs, yes)):
        assert np.array_equal(reduced.target.decide_rows(worst), yes)
        pair = reduced.extract_solution(worst)
        assert source.verify(pair) if yes.any() else pair is None
    for i, j in np.argwhere(products == 0):
        assert reduced.map_witness((int(i), int(j))) == i
        assert reduced.target.verify(int(i))
    for i in np.flatnonzero(~yes):
        assert not reduced.target.verify(int(i))


@settings(deadline=None, max_examples=60)
@given(reference_sources(), st.sampled_from(RULES), st.sampled_from(SCHEDULES))
def test_any_reference_key_any_gap(case, rule, schedule):
    source, above = case
    yes = above.any(axis=1)
    reduced = AttentionToVar(rule, schedule).map_instance(source)
    outputs = reduced.target.outputs()
    assert (outputs[yes] >= 0.7).all()
    assert (outputs[~yes] <= 1 / 16).all()
    decided = reduced.extract_solution(edge_of_the_ball(outputs, yes))
    assert np.array_equal(decided, yes.astype(float))
    for pair in np.argwhere(above):
        assert reduced.target.verify(reduced.map_witness(tuple(map(int, pair))))
    for pair in np.argwhere(~above):
        with pytest.raises(ValueError, match="'witness' must be a query and a key"):
            reduced.map_witness(tuple(map(int, pair)))


def pyramid(target):
    """All tokens Y_1, ..., Y_K, from the definition, with dense maps."""
    height, width = target.model.schedule[0]
    scales = [np.tile(target.start_token, (height * width, 1))]
    for token_map, (height, width) in zip(target.maps, target.model.schedule[1:], strict=True):
        fine = target.model.interpolation.apply(token_map.dense(), (height, width))
        scales.append(fine.reshape(height * width, -1))
    return np.concatenate(scales)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_bounds_of_what_is_built(rule, schedule):
    """R is attained, the logit bound holds; entries of the map exceed R at most by 1/ω², which is 4."""
    source = OrthogonalVectors.random(16, 5, seed=1)
    target = direct(rule, schedule).map_instance(source).target
    d, tokens = target.attention_layer.dimension, pyramid(target)
    queries, keys, values = tokens[:, :d], tokens[:, d : 2 * d], tokens[:, 2 * d]
    entries = max(np.abs(queries).max(), np.abs(keys).max())
    assert entries == pytest.approx(target.entry_bound, rel=1e-12)
    logits = np.abs(queries) @ np.abs(keys).T / target.attention_layer.temperature
    assert logits.max() == pytest.approx(target.logit_bound, rel=1e-12)
    assert np.abs(target.maps[-1].tokens[:, : 2 * d]).max() <= 4 * target.entry_bound
    assert values.max() == pytest.approx(1, rel=1e-12)
    assert values.min() >= -32 / 135
    assert all(not token_map.tokens.size for token_map in target.maps[:-1])


@pytest.mark.parametrize("kernel", list(Kernel))
def test_outputs_equal_torch(kernel):
    """The whole pass in torch: F.interpolate, then scaled dot-product attention."""
    torch = pytest.importorskip("torch")
    chain = SplitAndList() >> direct(Interpolation(kernel))
    target = chain.map_instance(RUNNING_EXAMPLE).target
    mode = {"align_corners": False} if kernel is not Kernel.NEAREST else {}
    scales = [torch.tensor(np.array(target.start_token))[None]]
    for token_map, shape in zip(target.maps, target.model.schedule[1:], strict=True):
        picture = torch.tensor(token_map.dense()).permute(2, 0, 1)[None]
        fine = torch.nn.functional.interpolate(picture, size=shape, mode=str(kernel), **mode)
        scales.append(fine[0].flatten(1).T)
    tokens, d = torch.cat(scales), target.attention_layer.dimension
    queries, keys, values = tokens[:, :d], tokens[:, d : 2 * d], tokens[:, 2 * d :]
    first = len(tokens) - math.prod(target.model.schedule[-1])
    attended = torch.nn.functional.scaled_dot_product_attention(
        queries[None, first + np.array(target.read_outs)],
        keys[None],
        values[None],
        scale=1 / target.attention_layer.temperature,
    )
    np.testing.assert_allclose(target.outputs(), attended[0, :, 0].numpy(), rtol=0, atol=1e-11)


def test_a_no_row_in_closed_form():
    """Nearest, doubled: four copies a slot. All inner products 1, so every key is at ρ - G exactly."""
    count, m = 9, 3
    source = OrthogonalVectors(
        np.eye(m, dtype=np.uint8)[np.zeros(count, int)], np.ones((count, m), dtype=np.uint8)
    )
    target = direct(Interpolation(Kernel.NEAREST)).map_instance(source).target
    schedule, tokens = target.model.schedule, target.model.tokens
    assert schedule == square_schedule((1, 2, 4, 8))
    gap = math.log(16 * tokens)
    keys = 4 * count * math.exp(-gap)
    zeros = (tokens - 1 - 4 * count) * math.exp(-(2 * m - 1) * gap)
    expected = keys / (keys + 1 + zeros)
    np.testing.assert_allclose(target.outputs(), expected, rtol=1e-12)
    assert expected < 1 / 17


@pytest.mark.parametrize("m", [0, 1, 2, 5])
def test_base_coordinates(m):
    """max(0, ceil(2Δ - s)): two for m = 0, one for m = 1; then the reference logit is 3 G or more."""
    source = OrthogonalVectors.random(3, m, seed=0)
    gap_max_ip = ComplementEncoding().map_instance(source).target
    attention = GapMaxIPToAttention(7.0).map_instance(gap_max_ip).target
    assert base_coordinates(attention) == max(0, 2 - m)
    target = AttentionToVar().map_instance(attention).target
    d = target.attention_layer.dimension
    assert d == attention.attention.queries.shape[1] + max(0, 2 - m)
    queries = target.maps[-1].tokens[:3, :d]
    logits = queries @ target.start_token[d : 2 * d] / target.attention_layer.temperature
    weights = target.maps[-1].tokens[:3, -1]  # 1 / w: the slots are divided by their weight
    gap = math.log(16 * target.model.tokens)
    np.testing.assert_allclose(logits / weights, (2 * max(m, 2) - 1) * gap, rtol=1e-12)


@pytest.mark.parametrize(("threshold", "gap"), [(0.3, 0.7), (0.1, 0.1), (1.0, 0.3), (-1.0, 0.5)])
def test_base_coordinates_of_other_gaps(threshold, gap):
    ones = np.ones((2, 2))
    attention = GapMaxIPToAttention().map_instance(GapMaxInnerProduct(ones, ones, threshold, gap)).target
    assert base_coordinates(attention) == max(0, math.ceil(2 * gap - threshold - 1e-9))


def test_temperature_changes_the_entries_but_not_the_outputs():
    source = OrthogonalVectors.random(5, 4, seed=2)
    targets = [direct(temperature=tau).map_instance(source).target for tau in (None, 1.0, 500.0)]
    for target in targets[1:]:
        np.testing.assert_allclose(target.outputs(), targets[0].outputs(), rtol=0, atol=1e-12)
        ratio = target.attention_layer.temperature / targets[0].attention_layer.temperature
        assert target.entry_bound / targets[0].entry_bound == pytest.approx(math.sqrt(ratio))


@pytest.mark.parametrize("temperature", [None, 37.5])
def test_parameter_map_equals_what_is_built(temperature):
    released = square_schedule(RELEASED_SIDES)
    for rule, schedule in ((Interpolation(), None), (Interpolation(Kernel.NEAREST), released)):
        reduction = AttentionToVar(rule, schedule, temperature)
        stated = reduction.parameter_map()
        for count, m in ((1, 0), (4, 1), (16, 6)):
            chain = ComplementEncoding() >> GapMaxIPToAttention(3.0)
            source = chain.map_instance(OrthogonalVectors.random(count, m, seed=m)).target
            sizes = reduction.map_instance(source).target.sizes
            given_sizes = {size(name): value for name, value in source.sizes.items()}
            assert stated.keys() == sizes.keys()
            for name, value in sizes.items():
                assert float(stated[name].subs(given_sizes)) == pytest.approx(value, rel=1e-12), name


def test_the_running_example_through_four_reductions():
    chain = SplitAndList() >> direct()
    reduced = chain.map_instance(RUNNING_EXAMPLE)
    assert len(chain.chain()) == 4
    assert float(chain.error_budget()) == 5 / 16 == reduced.target.tolerated_error
    yes = np.array([True, True, False, True])
    outputs = reduced.target.outputs()
    assert np.array_equal(reduced.target.decide_rows(outputs), yes)
    assert RUNNING_EXAMPLE.verify(reduced.extract_solution(edge_of_the_ball(outputs, yes)))
    for model in RUNNING_EXAMPLE.models():
        assert reduced.target.verify(reduced.map_witness(model))


def test_the_lemma_s_smallest_instance():
    """One query, one key, two scales."""
    for bit, answer in ((0, Answer.YES), (1, Answer.NO)):
        vector = np.full((1, 1), bit, dtype=np.uint8)
        source = OrthogonalVectors(vector, np.ones((1, 1), dtype=np.uint8))
        target = direct(Interpolation(Kernel.NEAREST), ((1, 1), (1, 2))).map_instance(source).target
        assert target.answer() is answer


def test_all_rows_give_the_same_read_outs():
    source = OrthogonalVectors.random(7, 4, seed=5)
    target = direct().map_instance(source).target
    np.testing.assert_allclose(target.outputs(all_rows=True), target.outputs(), rtol=0, atol=1e-13)


def test_what_cannot_be_reduced_is_refused():
    vectors = OrthogonalVectors.random(17, 3, seed=0)
    with pytest.raises(ValueError, match="between 0 and 16, the number of slots"):
        direct(Interpolation(), square_schedule(RELEASED_SIDES)).map_instance(vectors)
    signed = (ComplementEncoding(signed=True) >> GapMaxIPToAttention()).map_instance(vectors).target
    with pytest.raises(ValueError, match="'source' must have logits >= 0, not -"):
        AttentionToVar().map_instance(signed)
    zero = AttentionInstance(np.zeros((1, 1)), np.zeros((2, 1)), np.array([[1.0], [0.0]]), 1.0)
    with pytest.raises(ValueError, match="'source' must have a nonzero entry"):
        AttentionToVar().map_instance(ReferenceKeyAttention(zero, 0.0, 1.0))
    with pytest.raises(ValueError, match="'schedule' must have at least two scales, not one"):
        AttentionToVar(schedule=((4, 4),))
    with pytest.raises(ValueError, match="'schedule' must increase"):
        AttentionToVar(schedule=((4, 4), (3, 5)))
    for temperature in (0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="'temperature' must be a positive number or None"):
            AttentionToVar(temperature=temperature)


def test_malformed_outputs_are_refused():
    reduced = direct().map_instance(OrthogonalVectors.random(3, 3, seed=0))
    outputs = reduced.target.outputs()
    for wrong in (outputs[:2], outputs[:, None], np.append(outputs, 0.0), 0.5):
        with pytest.raises(ValueError, match=r"'outputs' must have shape \(3,\)"):
            reduced.extract_solution(wrong)
    for stray in (math.nan, math.inf):
        with pytest.raises(ValueError, match="'outputs' must be finite"):
            reduced.extract_solution(np.array([outputs[0], stray, outputs[2]]))
    all_one = OrthogonalVectors(np.ones((3, 3), np.uint8), np.ones((3, 3), np.uint8))
    with pytest.raises(ValueError, match="decided YES"):
        direct().map_instance(all_one).extract_solution(np.ones(3))


def test_a_row_between_yes_and_no_spoils_nothing():
    """Row 0 is neither; whatever it is decided, row 1 leads to the pair."""
    source = GapMaxInnerProduct(np.array([[0.9], [1.0]]), np.ones((6, 1)), 1.0, 0.4)
    reduced = (GapMaxIPToAttention() >> AttentionToVar()).map_instance(source)
    outputs = reduced.target.outputs()
    assert outputs[1] >= 0.7
    for first in (0.0, 1.0):
        assert reduced.extract_solution(np.array([first, outputs[1]])) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("vectors", "dimension"), [(2, 3), (3, 2)])
def test_every_small_instance_goes_through_the_whole_chain_and_back(vectors, dimension):
    cases = [
        MapsCase(left, right, Interpolation()) for left, right in small_instances(vectors, vectors, dimension)
    ]
    assert len(cases) == 4096
    assert all(case.is_decided() for case in cases)
