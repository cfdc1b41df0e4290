"""The VAR model against an independent dense one in torch: one masked softmax over the whole pyramid."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reductions.problems import token_map
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import (
    RELEASED_SIDES,
    geometric_sides,
    require_schedule,
    square_schedule,
    token_count,
)
from reductions.problems.token_map import TokenMap, TokenSource, up_interpolated
from reductions.problems.var_model import FeedForward, SelfAttention, VarModel

SCHEDULES = [
    square_schedule([1, 2, 4]),
    square_schedule([1, 3, 4, 7]),
    ((1, 1), (1, 3), (2, 3), (4, 4)),  # one side may stay
    ((2, 3), (3, 5)),  # the start token fills the first scale
    ((3, 3),),
]


def attention_layer(generator, channels, d=3, d_v=2, out=None, temperature=0.7) -> SelfAttention:
    shapes = ((channels, d), (channels, d), (channels, d_v), (d_v, out or channels))
    return SelfAttention(*(generator.standard_normal(shape) for shape in shapes), temperature)


def random_model(schedule, kernel=Kernel.BICUBIC, *, layers="fafa", positions=True, seed=0) -> VarModel:
    """A model of 4 channels with feed-forward (f) and attention (a) layers."""
    generator = np.random.default_rng(seed)
    made = {
        "f": lambda: FeedForward(generator.standard_normal((4, 4))),
        "a": lambda: attention_layer(generator, 4),
    }
    tables = tuple(generator.standard_normal((h * w, 4)) for h, w in schedule) if positions else ()
    return VarModel(schedule, Interpolation(kernel), tuple(made[kind]() for kind in layers), tables)


def random_maps(model, count=None, seed=1) -> list[TokenMap]:
    """Maps with tokens on ``count`` pixels, or on all of them."""
    generator = np.random.default_rng(seed)
    maps = []
    for height, width in model.schedule[:-1]:
        chosen = generator.permutation(height * width)[:count]
        tokens = generator.standard_normal((len(chosen), model.channels))
        maps.append(TokenMap((height, width), np.stack(divmod(chosen, width), axis=1), tokens))
    return maps


def by_torch(model: VarModel, start_token, grids: list[np.ndarray]) -> list[np.ndarray]:
    """The pass over scales 1, ..., len(grids) + 1, written densely and independently."""
    scales = model.schedule[: len(grids) + 1]
    mode = str(model.interpolation.kernel)
    options = {} if mode == "nearest" else {"align_corners": False}
    pyramid = [torch.tensor(start_token).repeat(scales[0][0] * scales[0][1], 1)]
    for grid, shape in zip(grids, scales[1:], strict=True):
        channels_first = torch.tensor(grid).permute(2, 0, 1)[None]
        fine = torch.nn.functional.interpolate(channels_first, size=shape, mode=mode, **options)
        pyramid.append(fine[0].permute(1, 2, 0).reshape(shape[0] * shape[1], -1))
    for index, table in enumerate(model.position_table[: len(scales)]):
        if table is not None:
            pyramid[index] = pyramid[index] + torch.tensor(table)
    tokens = torch.cat(pyramid)
    scale_of = torch.repeat_interleave(torch.arange(len(scales)), torch.tensor([h * w for h, w in scales]))
    visible = scale_of[:, None] >= scale_of[None, :]
    for layer in model.layers:
        if isinstance(layer, FeedForward):
            tokens = torch.relu(tokens @ torch.tensor(layer.weights))
            continue
        queries, keys, values = (
            tokens @ torch.tensor(w) for w in (layer.query_weights, layer.key_weights, layer.value_weights)
        )
        logits = (queries @ keys.T / layer.temperature).masked_fill(~visible, -torch.inf)
        tokens = torch.softmax(logits, dim=1) @ values @ torch.tensor(layer.output_weights)
    return [part.numpy() for part in torch.split(tokens, [h * w for h, w in scales])]


def generated_by_torch(model: VarModel, start_token) -> list[np.ndarray]:
    """The naive loop: every scale recomputes the whole pyramid so far."""
    grids: list[np.ndarray] = []
    for shape in model.schedule:
        newest = by_torch(model, start_token, grids)[-1]
        grids.append(newest.reshape(*shape, -1))
    return [grid.reshape(-1, grid.shape[2]) for grid in grids]


def assert_scales_equal(ours, theirs, tolerance=1e-12):
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


START = np.array([0.3, -1.0, 0.5, 2.0])


@pytest.mark.parametrize("kernel", Kernel)
@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("positions", [False, True])
def test_given_maps_equal_one_masked_softmax(kernel, schedule, positions):
    model = random_model(schedule, kernel, positions=positions)
    for count in (None, 2, 0):
        maps = random_maps(model, count)
        expected = by_torch(model, START, [token_map.dense() for token_map in maps])
        assert_scales_equal(model.run(START, maps), expected)


@pytest.mark.parametrize("kernel", Kernel)
@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("positions", [False, True])
def test_drawing_equals_the_naive_loop(kernel, schedule, positions):
    model = random_model(schedule, kernel, positions=positions, seed=2)
    assert_scales_equal(model.run(START), generated_by_torch(model, START), 1e-9)


@pytest.mark.parametrize("layers", ["a", "fa", "af", "aa", "ffaf", "faafa"])
def test_stacks_of_layers(layers):
    model = random_model(SCHEDULES[1], layers=layers, seed=3)
    maps = random_maps(model)
    assert_scales_equal(model.run(START, maps), by_torch(model, START, [m.dense() for m in maps]))
    assert_scales_equal(model.run(START), generated_by_torch(model, START), 1e-8)


def test_widths_may_change_from_layer_to_layer():
    generator = np.random.default_rng(4)
    layers = (
        FeedForward(generator.standard_normal((4, 6))),
        attention_layer(generator, 6, d=2, d_v=5, out=3),
        attention_layer(generator, 3, d=1, d_v=1, out=2),
    )
    model = VarModel(SCHEDULES[0], Interpolation(), layers)
    maps = random_maps(model)
    outputs = model.run(START, maps)
    assert [part.shape for part in outputs] == [(1, 2), (4, 2), (16, 2)]
    assert_scales_equal(outputs, by_torch(model, START, [m.dense() for m in maps]))
    with pytest.raises(ValueError, match="'maps' must be given: the model draws tokens of 2 channels and"):
        model.run(START)


def test_positions_on_some_scales_only():
    model = random_model(SCHEDULES[0])
    some = dataclasses.replace(model, position_table=(None, model.position_table[1], None))
    maps = random_maps(some)
    assert_scales_equal(some.run(START, maps), by_torch(some, START, [m.dense() for m in maps]))


def test_a_pyramid_of_many_row_blocks(monkeypatch):
    monkeypatch.setattr(token_map, "ROW_BLOCK", 5)
    model = random_model(SCHEDULES[1])
    maps = random_maps(model, 3)
    assert_scales_equal(model.run(START, maps), by_torch(model, START, [m.dense() for m in maps]))


def test_the_released_schedule():
    schedule = square_schedule(RELEASED_SIDES)
    assert token_count(schedule) == 680
    model = random_model(schedule, layers="fa")
    maps = random_maps(model, 20)
    assert_scales_equal(model.run(START, maps), by_torch(model, START, [m.dense() for m in maps]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("given_maps", [True, False])
def test_wanted_rows_equal_all_rows(dtype, given_maps):
    model = random_model(SCHEDULES[1], layers="fafa")
    maps = random_maps(model, 3) if given_maps else None
    everything = model.run(START, maps, dtype=dtype)
    rows = np.array([48, 0, 7, 7, 30])  # any order, and twice the same
    for threads in (1, 2):
        some = model.run(START, maps, rows=rows, dtype=dtype, threads=threads)
        assert len(some) == len(everything)
        np.testing.assert_allclose(
            some[-1], everything[-1][rows], rtol=0, atol=1e-4 if dtype is np.float32 else 1e-13
        )
        assert all(len(part) == 0 for part in some[:-1]) == given_maps
    assert model.run(START, maps, rows=np.empty(0, np.int64))[-1].shape == (0, 4)


def test_float32_attention_is_close_to_float64():
    model = random_model(SCHEDULES[0])
    maps = random_maps(model)
    single = model.run(START, maps, dtype=np.float32)
    assert_scales_equal(single, model.run(START, maps), 1e-3)
    assert any((a != b).any() for a, b in zip(single, model.run(START, maps), strict=True))


def test_later_scales_do_not_change_earlier_ones():
    model = random_model(SCHEDULES[1])
    maps = random_maps(model)
    other = [*maps[:-1], TokenMap.zero(maps[-1].shape, 4)]
    first, second = model.run(START, maps), model.run(START, other)
    for one, two in zip(first[:-1], second[:-1], strict=True):
        assert (one == two).all()
    assert (first[-1] != second[-1]).any()


rules = st.builds(Interpolation, st.sampled_from(Kernel), st.floats(-1, 0), st.booleans())
axes = st.tuples(st.integers(1, 9), st.integers(1, 9)).map(sorted)


@given(rules, axes, axes, st.integers(0, 99), st.data())
def test_blocks_of_an_interpolated_map_equal_the_dense_operator(rule, rows, columns, seed, data):
    (h, fine_h), (w, fine_w) = rows, columns
    generator = np.random.default_rng(seed)
    count = data.draw(st.integers(0, h * w))
    chosen = generator.permutation(h * w)[:count]
    token_map = TokenMap((h, w), np.stack(divmod(chosen, w), axis=1), generator.standard_normal((count, 3)))
    operator = np.kron(rule.matrix(h, fine_h).toarray(), rule.matrix(w, fine_w).toarray())
    expected = operator @ token_map.dense().reshape(h * w, 3)
    source = up_interpolated(token_map, rule, (fine_h, fine_w))
    assert source.count == fine_h * fine_w
    start = data.draw(st.integers(0, source.count))
    stop = data.draw(st.integers(start, source.count))
    np.testing.assert_allclose(source.block(start, stop), expected[start:stop], rtol=0, atol=1e-13)


def test_sources_yield_all_their_blocks(monkeypatch):
    monkeypatch.setattr(token_map, "ROW_BLOCK", 4)
    tokens = np.arange(20.0).reshape(10, 2) - 9
    blocks = list(TokenSource.of(tokens).then(FeedForward(np.eye(2))).blocks())
    assert [(start, stop) for start, stop, _ in blocks] == [(0, 4), (4, 8), (8, 10)]
    assert (np.concatenate([block for _, _, block in blocks]) == np.maximum(tokens, 0)).all()


def test_progress_is_that_of_the_last_scale():
    model = random_model(square_schedule([1, 20]), layers="a")
    seen = []
    model.run(START, random_maps(model), progress=lambda *done: seen.append(done))
    assert seen[-1] == (400, 400)


def test_schedules():
    assert square_schedule([1, 2, 5]) == ((1, 1), (2, 2), (5, 5))
    assert geometric_sides(1) == (1,)
    assert geometric_sides(16) == (1, 2, 4, 8, 16)
    assert token_count(square_schedule(geometric_sides(16))) == (4 * 16**2 - 1) // 3
    assert require_schedule(((2, 1), (2, 3))) == ((2, 1), (2, 3))


def test_token_maps_are_private_copies():
    positions, tokens = np.array([[0, 1]]), np.ones((1, 2))
    token_map = TokenMap((2, 2), positions, tokens)
    positions[0, 0] = tokens[0, 0] = 5
    assert token_map.positions.tolist() == [[0, 1]]
    assert token_map.tokens.tolist() == [[1, 1]]
    assert token_map.dense().tolist() == [[[0, 0], [1, 1]], [[0, 0], [0, 0]]]
    for array in (token_map.positions, token_map.tokens):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 7
    zero = TokenMap.zero((2, 3), 4)
    assert zero.channels == 4
    assert (zero.dense() == np.zeros((2, 3, 4))).all()


SMALL = random_model(SCHEDULES[0], layers="a")
MAPS = random_maps(SMALL)
LAYER = SMALL.layers[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: require_schedule(()), "Argument 'schedule' must have at least one scale, not none"),
        (lambda: require_schedule(((0, 1),)), "Argument 'schedule' must have positive sides, not 0 x 1"),
        (lambda: square_schedule([1, 3, 2]), "must increase from scale to scale, not go from 3 x 3 to 2 x 2"),
        (lambda: square_schedule([2, 2]), "must increase from scale to scale, not go from 2 x 2 to 2 x 2"),
        (lambda: require_schedule(((2, 3), (3, 2))), "not go from 2 x 3 to 3 x 2"),
        (lambda: geometric_sides(12), "Argument 'n' must be a power of two, not 12"),
        (lambda: geometric_sides(0), "Argument 'n' must be a power of two, not 0"),
        (lambda: TokenMap((2, 2), [[0, 0, 0]], np.ones((1, 1))), "Argument 'positions' must have 2 columns"),
        (
            lambda: TokenMap((2, 2), [[0, 0]], np.ones((2, 1))),
            "Argument 'tokens' must have 1 rows, one a pos",
        ),
        (lambda: TokenMap((2, 2), [[0, 2]], np.ones((1, 1))), "'positions' must lie on the 2 x 2 map"),
        (lambda: TokenMap((2, 2), [[-1, 0]], np.ones((1, 1))), "'positions' must lie on the 2 x 2 map"),
        (lambda: TokenMap((2, 2), [[1, 0]] * 2, np.ones((2, 1))), "'positions' must be all different"),
        (lambda: TokenMap((2, 2), [[1, 0]], [[np.nan]]), "'tokens' must be finite"),
        (lambda: TokenMap((2, 2), [[1, 0]], [1.0]), "'tokens' must be a matrix"),
        (lambda: FeedForward(np.ones(3)), "Argument 'weights' must be a matrix"),
        (lambda: FeedForward([[np.inf]]), "Argument 'weights' must have finite entries"),
        (
            lambda: dataclasses.replace(LAYER, key_weights=np.ones((4, 9))),
            "'key_weights' must have 3 columns",
        ),
        (lambda: dataclasses.replace(LAYER, key_weights=np.ones((5, 3))), "'key_weights' must have 4 rows"),
        (lambda: dataclasses.replace(LAYER, value_weights=np.ones((3, 2))), "'value_weights' must have 4 ro"),
        (
            lambda: dataclasses.replace(LAYER, output_weights=np.ones((3, 4))),
            "'output_weights' must have 2 r",
        ),
        (
            lambda: dataclasses.replace(LAYER, temperature=0.0),
            "'temperature' must be a positive number, not 0",
        ),
        (lambda: dataclasses.replace(LAYER, temperature=np.nan), "'temperature' must be a positive number"),
        (lambda: VarModel(SCHEDULES[0], Interpolation(), ()), "'layers' must contain an attention layer"),
        (
            lambda: VarModel(SCHEDULES[0], Interpolation(), (FeedForward(np.ones((4, 3))), LAYER)),
            "'layers' must fit together: 3 channels leave a layer and 4 enter the next",
        ),
        (
            lambda: dataclasses.replace(SMALL, position_table=(None,)),
            "must have 3 entries, one per scale, not 1",
        ),
        (
            lambda: dataclasses.replace(SMALL, position_table=(None, np.ones((3, 4)), None)),
            r"'position_table' must be of shape \(4, 4\) on scale 2 x 2, not \(3, 4\)",
        ),
        (lambda: SMALL.run(START[:3]), r"Argument 'start_token' must have shape \(4,\), not \(3,\)"),
        (lambda: SMALL.run(START, MAPS[:1]), "Argument 'maps' must hold 2 token maps, not 1"),
        (lambda: SMALL.run(START, MAPS[::-1]), r"'maps' must have a map of shape \(1, 1\) and 4 channels"),
        (
            lambda: SMALL.run(START, [MAPS[0], TokenMap.zero((2, 2), 3)]),
            r"'maps' must have a map of shape \(2, 2\) and 4 channels for each scale, not of \(2, 2\) and 3",
        ),
        (lambda: SMALL.run(START, MAPS, rows=np.array([16])), "Argument 'rows' must be pixels 0 ... 15"),
        (lambda: SMALL.run(START, MAPS, rows=np.array([-1])), "Argument 'rows' must be pixels 0 ... 15"),
        (
            lambda: random_model(SCHEDULES[0], layers="af").run(START, rows=np.array([0])),
            "Argument 'rows' must be None where the last layer is not attention",
        ),
    ],
)
def test_argument_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_positions_that_are_no_integers():
    with pytest.raises(TypeError, match="Argument 'positions' must be integers"):
        TokenMap((2, 2), [[0.5, 1]], np.ones((1, 1)))
