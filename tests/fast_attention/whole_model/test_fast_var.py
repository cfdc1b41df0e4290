"""The certified run from tokens to image: against 60 digits, against the plain run, and its bounds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

from checks.upper_bound.upper_bound.runs import SIDES, RunCase, drawn_input, drawn_pipeline
from reductions.fast_attention.certificate import Method
from reductions.fast_attention.whole_model.fast_var import certified_image, compare_runs, image_within
from reductions.fast_attention.whole_model.layer_rounding import (
    convolution_rounding,
    gamma,
    interpolation_rounding,
    largest,
    product_rounding,
)
from reductions.layers.convolution import Convolution, textbook_convolution
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.var_model import ChannelSlice, FeedForward
from reductions.upper_bound.decoder import textbook_decoder
from reductions.upper_bound.decoder.layers import AttentionBlock
from reductions.upper_bound.feature_map_reconstruction import textbook_reconstruction, textbook_stretch

CASES = [RunCase(kernel, given, 0, 0.0) for kernel in Kernel for given in (True, False)]


def to_mp(array):
    """An array of floats as an object array of numbers of 60 digits."""
    return np.vectorize(mp.mpf, otypes=[object])(np.asarray(array, dtype=np.float64))


def mp_operator(rule, coarse, fine):
    return [[mp.mpf(x.numerator) / x.denominator for x in row] for row in rule.exact_matrix(coarse, fine)]


def real_image(pipeline, start, maps):
    """The image in 60 digits, straight from the definitions."""
    model = pipeline.model
    rule, outputs, seen = model.interpolation, [], {}
    for scale, (height, width) in enumerate(model.schedule):
        if scale == 0:
            tokens = to_mp(np.tile(start, (height * width, 1)))
        else:
            h, w = model.schedule[scale - 1]
            grid = outputs[-1].reshape(h, w, -1) if maps is None else to_mp(maps[scale - 1].dense())
            fine = textbook_stretch(grid, mp_operator(rule, h, height), mp_operator(rule, w, width))
            tokens = np.array(fine, dtype=object).reshape(height * width, -1)
        tokens = tokens + to_mp(model.position_table[scale])
        for number, layer in enumerate(model.layers):
            if isinstance(layer, FeedForward):
                tokens = np.maximum(tokens @ to_mp(layer.weights), mp.mpf(0))
                continue
            seen[number] = np.concatenate([*([seen[number]] if number in seen else []), tokens])
            query, key = tokens @ to_mp(layer.query_weights), seen[number] @ to_mp(layer.key_weights)
            weights = np.vectorize(mp.exp, otypes=[object])(query @ key.T / mp.mpf(layer.temperature))
            values = seen[number] @ to_mp(layer.value_weights)
            tokens = weights @ values / weights.sum(axis=1)[:, None] @ to_mp(layer.output_weights)
        outputs.append(tokens)
    grids = [x.reshape(*shape, -1) for x, shape in zip(outputs, model.schedule, strict=True)]
    operators = [
        (mp_operator(rule, h, model.schedule[-1][0]), mp_operator(rule, w, model.schedule[-1][1]))
        for h, w in model.schedule
    ]
    feature_map = textbook_reconstruction(pipeline.reconstruction, grids, operators)
    return np.array(textbook_decoder(pipeline.decoder, feature_map, mp.exp), dtype=object)


@pytest.mark.parametrize("case", [CASES[4], CASES[5]], ids=["given", "drawn"])
def test_both_runs_are_as_near_to_the_real_numbers_as_they_say(case):
    pipeline = drawn_pipeline(case.kernel, case.seed)
    start, maps = drawn_input(case)
    with mp.workdps(60):
        real = real_image(pipeline, start, maps)
        for tolerance, method in ((0.0, "exact"), (1e-3, "low-rank"), (1e-7, "low-rank")):
            found = certified_image(pipeline, start, maps, tolerance=tolerance, method=method, threads=1)
            off = max(abs(x) for x in (to_mp(found.image) - real).ravel())
            assert off <= found.error_bound
        assert found.error_bound < 1e-4


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kernel}-{case.given}")
def test_an_exact_run_is_the_plain_one(case):
    pipeline = drawn_pipeline(case.kernel, case.seed)
    start, maps = drawn_input(case)
    run = compare_runs(pipeline, start, maps, tolerance=1e-4, threads=1)
    plain = pipeline.model.run(start, maps)
    for found, expected in zip(run.exact.outputs, plain, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(run.exact.image, pipeline.image_of(plain), rtol=0, atol=1e-12)
    assert run.exact.error_bound < 1e-8
    assert run.holds
    assert 0 < run.measured <= run.bound
    assert {one.method for one in run.fast.all_certificates} == {Method.LOW_RANK}
    assert len(run.fast.all_certificates) == len(SIDES) + 1
    assert min(run.fast.output_error, run.fast.feature_map_error) > 0
    assert all(scale.logit_moves[0] >= 0 for scale in run.fast.scales)


@given(st.sampled_from(CASES), st.integers(0, 1000), st.floats(1e-9, 1e-1))
@settings(deadline=None, max_examples=25)
def test_measured_errors_stay_below_the_bound(case, seed, tolerance):
    pipeline = drawn_pipeline(case.kernel, seed)
    start, maps = drawn_input(case._replace(seed=seed))
    assert compare_runs(pipeline, start, maps, tolerance=tolerance, threads=1).holds


def test_a_disturbed_layer_is_seen():
    """What holds could be vacuous; a run with other weights leaves the bound."""
    pipeline = drawn_pipeline(Kernel.BICUBIC, 0)
    start, maps = drawn_input(CASES[4])
    run = compare_runs(pipeline, start, maps, tolerance=1e-6, threads=1)
    layers = list(pipeline.decoder.layers)
    place = next(i for i, layer in enumerate(layers) if isinstance(layer, AttentionBlock))
    weights = layers[place].weights
    layers[place] = AttentionBlock(replace(weights, output_weights=1.5 * weights.output_weights))
    other = replace(pipeline, decoder=type(pipeline.decoder)(tuple(layers)))
    spoilt = certified_image(other, start, maps, tolerance=0.0, method="exact")
    assert not replace(run, fast=replace(run.fast, image=spoilt.image)).holds


def test_an_image_within_an_error():
    pipeline = drawn_pipeline(Kernel.BILINEAR, 0)
    start, maps = drawn_input(CASES[2])
    found = image_within(pipeline, start, maps, error=1e-3, threads=1)
    assert found.error_bound <= 1e-3
    with pytest.raises(ValueError, match="Argument 'error' must be larger: 2 attempts reached"):
        image_within(pipeline, start, maps, error=1e-30, attempts=2)
    with pytest.raises(ValueError, match="Argument 'error' must be positive"):
        image_within(pipeline, start, maps, error=0.0)


def test_input_that_does_not_belong():
    pipeline = drawn_pipeline(Kernel.NEAREST, 0)
    with pytest.raises(ValueError, match="Argument 'start_token' must have shape"):
        certified_image(pipeline, np.zeros(2), tolerance=1e-3)
    with pytest.raises(ValueError, match="Argument 'maps' must hold 3"):
        certified_image(pipeline, np.zeros(4), [], tolerance=1e-3)


@given(st.integers(0, 2**32), st.sampled_from(Kernel), st.floats(-1, 0))
@settings(deadline=None, max_examples=30)
def test_rounding_of_the_layers_around_attention(seed, kernel, a):
    generator = np.random.default_rng(seed)
    rule, coarse = Interpolation(kernel, a), generator.standard_normal((3, 4, 2))
    tall, wide = rule.exact_matrix(3, 5), rule.exact_matrix(4, 6)
    as_fractions = [[[Fraction(x) for x in p] for p in row] for row in coarse.tolist()]
    exact = np.array(textbook_stretch(as_fractions, tall, wide), dtype=object)
    off = np.vectorize(Fraction, otypes=[object])(rule.apply(coarse, (5, 6))) - exact
    assert max(map(abs, off.ravel())) <= interpolation_rounding(largest(coarse))

    convolution = Convolution(generator.standard_normal((3, 3, 2, 2)), generator.standard_normal(2))
    exact = np.array(textbook_convolution(as_fractions, convolution), dtype=object)
    off = np.vectorize(Fraction, otypes=[object])(convolution(coarse)) - exact
    assert max(map(abs, off.ravel())) <= convolution_rounding(convolution, largest(coarse), (3, 4))

    weights, tokens = generator.standard_normal((40, 3)), generator.standard_normal((7, 40))
    left, right = (np.vectorize(Fraction, otypes=[object])(x) for x in (tokens, weights))
    off = np.vectorize(Fraction, otypes=[object])(tokens @ weights) - left @ right
    assert 0 < max(map(abs, off.ravel())) <= product_rounding(weights, largest(tokens))


def test_rounding_at_the_edges():
    assert product_rounding(ChannelSlice(0, 1, 3), 5.0) == 0.0
    assert largest(np.empty((0, 2))) == 0.0
    with pytest.raises(ValueError, match="Argument 'terms' must be below"):
        gamma(2**43)
