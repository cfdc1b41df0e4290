"""The collapse of start-only models: torch's convolutions, formal terms."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.exact.formal_terms import Terms, image_on_terms, run_on_terms
from checks.exact.interval_model import enclosed_run
from checks.lower_bound.collapse import all_schedules, count_schedules, random_model
from reductions.layers.convolution import Doubling, convolve
from reductions.lower_bound.collapse import (
    border_depth,
    border_pattern,
    collapsed_image,
    collapsed_run,
    full_image,
)
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import RELEASED_SIDES, geometric_sides, square_schedule
from reductions.problems.var_model import FeedForward, SelfAttention, VarModel


@pytest.mark.parametrize("kernel", Kernel)
@pytest.mark.parametrize("layers", ["a", "fa", "afa", "aaf"])
def test_the_pyramid_equals_k_vectors(kernel, layers):
    for schedule in (square_schedule(RELEASED_SIDES), ((2, 1), (2, 4), (5, 4))):
        model, start = random_model(np.random.default_rng(5), Interpolation(kernel), schedule, layers)
        vectors = collapsed_run(model, start)
        assert vectors.shape == (len(schedule), model.channels)
        for (height, width), tokens, vector in zip(schedule, model.run(start), vectors, strict=True):
            np.testing.assert_allclose(tokens, np.tile(vector, (height * width, 1)), rtol=0, atol=1e-10)


def test_a_pyramid_too_large_to_run():
    # n = 2^40: the recursion does not care, and the mean's weights are those of the areas.
    schedule = square_schedule(geometric_sides(2**40))
    one = np.eye(1)
    model = VarModel(schedule, Interpolation(), (SelfAttention(0 * one, one, one, 2 * one, 1.0),))
    vectors = collapsed_run(model, np.array([1.0]))
    # Inputs y and areas m: the start token, then the output before, so x_k = 2 sum m y / sum m.
    inputs, areas = [Fraction(1)], []
    for (height, width), vector in zip(schedule, vectors[:, 0], strict=True):
        areas.append(height * width)
        mean = 2 * sum(m * y for m, y in zip(areas, inputs, strict=True)) / sum(areas)
        assert vector == pytest.approx(float(mean), rel=1e-12)
        inputs.append(mean)


def test_arguments_that_are_refused():
    one = np.eye(1)
    layer = SelfAttention(one, one, one, one, 1.0)
    schedule = square_schedule([1, 2])
    with pytest.raises(ValueError, match="Argument 'model' must have no position table"):
        collapsed_run(VarModel(schedule, Interpolation(), (layer,), (None, np.ones((4, 1)))), np.ones(1))
    wide = VarModel(schedule, Interpolation(), (FeedForward(np.ones((2, 1))), layer))
    with pytest.raises(ValueError, match="Argument 'model' must draw tokens of 2 channels, not of 1"):
        collapsed_run(wide, np.ones(2))
    with pytest.raises(ValueError, match="Argument 'n' must be at least 5, not 4"):
        border_pattern(4, 2)
    with pytest.raises(ValueError, match="Argument 'side' must be at least 5, not 4"):
        border_pattern(9, 2, 4)


def by_torch(value, layers, n):
    """The same stack with torch's convolution, up-sampling and ReLU."""
    image = torch.tensor(value)[None, :, None, None].expand(1, len(value), n, n)
    convolved = False
    for layer in layers:
        if isinstance(layer, Doubling):
            image = torch.nn.functional.interpolate(image, scale_factor=2, mode="nearest")
        else:
            filters = torch.tensor(layer).permute(3, 2, 0, 1)
            image = torch.nn.functional.conv2d(image.relu() if convolved else image, filters, padding=1)
            convolved = True
    return image[0].permute(1, 2, 0).numpy()


@st.composite
def stacks(draw):
    """Filters and doublings with random channels."""
    generator = np.random.default_rng(draw(st.integers(0, 999)))
    channels = draw(st.integers(1, 3))
    value, layers = generator.standard_normal(channels), []
    for step in draw(st.lists(st.sampled_from("CCU"), max_size=5)):
        if step == "U":
            layers.append(Doubling())
        else:
            layers.append(generator.standard_normal((3, 3, channels, 2)) / 3)
            channels = 2
    return value, layers


@given(stacks(), st.integers(1, 12))
@settings(max_examples=60)
def test_images_equal_torch(stack, n):
    expected = by_torch(*stack, n)
    np.testing.assert_allclose(full_image(*stack, n), expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(collapsed_image(*stack, n), expected, rtol=0, atol=1e-10)


def test_convolution_of_an_arbitrary_image_equals_torch():
    generator = np.random.default_rng(0)
    image, filters = generator.standard_normal((7, 4, 3)), generator.standard_normal((3, 3, 3, 5))
    theirs = torch.nn.functional.conv2d(
        torch.tensor(image).permute(2, 0, 1)[None], torch.tensor(filters).permute(3, 2, 0, 1), padding=1
    )[0].permute(1, 2, 0)
    np.testing.assert_allclose(convolve(image, filters), theirs.numpy(), rtol=0, atol=1e-13)


def test_an_image_too_large_to_convolve_is_only_copied():
    value, layers = np.ones(1), [np.ones((3, 3, 1, 1))] * 2
    image = collapsed_image(value, layers, 2000)
    assert image.shape == (2000, 2000, 1)
    assert len(np.unique(image)) == 6  # 25 patterns, 6 of them up to the symmetries of a square
    assert image[1000, 1000, 0] == 81


@given(st.integers(0, 8), st.integers(0, 20), st.integers(0, 20))
def test_border_patterns_keep_distances(depth, more, spare):
    n, side = 2 * depth + 1 + more, 2 * depth + 1 + spare
    pattern = border_pattern(n, depth, side)
    pixels = np.arange(n)
    assert (np.minimum(pattern, depth) == np.minimum(pixels, depth)).all()
    assert (np.minimum(side - 1 - pattern, depth) == np.minimum(n - 1 - pixels, depth)).all()


def test_border_depths():
    step = np.zeros((3, 3, 1, 1))
    assert border_depth([]) == border_depth([Doubling()]) == 0
    assert border_depth([step] * 3) == 3
    assert border_depth([step, Doubling(), step]) == 3
    # Doublings between convolutions: 2^(u + 1) - 1, exponential in the number of doublings.
    assert border_depth([step, *[Doubling(), step] * 4]) == 31


@given(st.text("CU", max_size=4), st.integers(1, 7), st.integers(0, 99))
@settings(max_examples=40)
def test_generic_filters_tell_apart_what_formal_terms_do(stack, n, seed):
    generator = np.random.default_rng(seed)
    layers = [Doubling() if step == "U" else generator.uniform(0.1, 1, (3, 3, 1, 1)) for step in stack]
    image = full_image(np.ones(1), layers, n)[:, :, 0]
    terms = image_on_terms(stack, n)
    for term in np.unique(terms):
        assert np.ptp(image[terms == term]) <= 1e-12 * image.max()
    means = np.sort([image[terms == term].mean() for term in np.unique(terms)])
    assert len(means) == 1 or np.diff(means).min() > 1e-9 * image.max()


def test_formal_terms():
    terms = Terms()
    one, other = terms("start"), terms("tokenwise", 0, terms("start"))
    assert one != other
    assert terms("start") == one
    half = Fraction(1, 2)
    assert terms.mean({one: Fraction(1), other: Fraction(0)}) == one
    assert terms.mean({one: half, other: half}) == terms.mean({other: half, one: half}) not in (one, other)
    assert terms.mean({one: half}) != one
    # With positions, tokens differ; every scale sees the ones before.
    maps = run_on_terms(terms, square_schedule([1, 2]), "a", Interpolation().exact_matrix, positions=True)
    assert [len(set(tokens)) for tokens in maps] == [1, 4]


def test_all_schedules_are_counted():
    for side in (1, 2, 3):
        found = list(all_schedules(side))
        assert len(found) == len(set(found)) == count_schedules(side)
    assert count_schedules(2) == 11


def test_intervals_enclose_the_double_precision_model():
    model, start = random_model(np.random.default_rng(3), Interpolation(), square_schedule([1, 2, 3]), "afa")
    for tokens, enclosed in zip(model.run(start), enclosed_run(model, start), strict=True):
        for token, intervals in zip(tokens.tolist(), enclosed, strict=True):
            for x, interval in zip(token, intervals, strict=True):
                assert float(interval.delta) < 1e-15
                assert abs(x - float(interval.mid)) < 1e-12
