"""From tokens to pixels and back: what the check of lem-decoder-identity runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np

from checks.lower_bound.token_count import all_sides
from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.cnf import CNF
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import Schedule, square_schedule
from reductions.problems.var_model import ChannelSlice, SelfAttention, VarModel
from reductions.reduction import Reduction
from reductions.upper_bound.decoder import Decoder, ImageModel, identity_image_model
from reductions.upper_bound.decoder.layers import DecoderLayer, ResidualBlock


class IdentityCase(NamedTuple):
    """Scales, how often the image is doubled, and which of two channels it shows."""

    schedule: Schedule
    rule: Interpolation
    doublings: int
    channel: int


def identity_cases(largest: int) -> Iterator[IdentityCase]:
    """Yield all square schedules with sides up to ``largest`` and two oblong ones, with all choices."""
    oblong: list[Schedule] = [((1, 2), (2, 3), (3, 5)), ((4, 1), (5, 1))]
    schedules = [*map(square_schedule, all_sides(largest)), *oblong]
    rules = (Interpolation(), Interpolation(Kernel.NEAREST))
    for choice in product(schedules, rules, (0, 1, 2), (0, 1)):
        yield IdentityCase(*choice)


Change = Callable[[ImageModel], ImageModel]


def unchanged(model: ImageModel) -> ImageModel:
    """Return the model."""
    return model


def shows_the_tokens(case: IdentityCase, change: Change = unchanged) -> bool:
    """Make an image of random maps; every pixel and colour must be its token's channel, bit by bit."""
    layer = SelfAttention(
        ChannelSlice(0, 1, 2), ChannelSlice(1, 2, 2), ChannelSlice(0, 2, 2), np.eye(2), temperature=1.0
    )
    model = VarModel(case.schedule, case.rule, (layer,))
    plain = not case.doublings and not case.channel  # then both arguments may be left out
    shown = (model,) if plain else (model, case.doublings, case.channel)
    pipeline = change(identity_image_model(*shown))
    generator = np.random.default_rng(0)
    outputs = [generator.standard_normal((h * w, 2)) for h, w in case.schedule]
    height, width = case.schedule[-1]
    last = outputs[-1][:, case.channel].reshape(height, width)
    factor = 2**case.doublings
    rows, columns = np.arange(factor * height) // factor, np.arange(factor * width) // factor
    image = pipeline.image_of(outputs)
    right = image.shape == (factor * height, factor * width, 3) and pipeline.decoder.factor == factor
    return right and bool((image == last[np.ix_(rows, columns)][..., None]).all())


def without_straight_path(pipeline: ImageModel) -> ImageModel:
    """Take the straight path out of the ResNet blocks."""

    def broken(layer: DecoderLayer) -> DecoderLayer:
        if not isinstance(layer, ResidualBlock):
            return layer
        channels = layer.channels[0]
        return replace(layer, shortcut=Convolution(np.zeros((1, 1, channels, channels))))

    return replace(pipeline, decoder=Decoder(tuple(map(broken, pipeline.decoder.layers))))


def beside_the_centre(pipeline: ImageModel) -> ImageModel:
    """Move the last scale's taps one pixel to the side."""
    *others, last = pipeline.reconstruction.convolutions
    moved = Convolution(np.roll(last.filters, 1, axis=1))
    return replace(pipeline, reconstruction=replace(pipeline.reconstruction, convolutions=(*others, moved)))


def all_scales_added(pipeline: ImageModel) -> ImageModel:
    """Let every scale into the feature map."""
    reconstruction = pipeline.reconstruction
    last = reconstruction.convolutions[-1]
    return replace(
        pipeline,
        reconstruction=replace(reconstruction, convolutions=(last,) * len(reconstruction.schedule)),
    )


def pixels_of_read_outs(
    problem: ApproximateVar, image: Floats, factor: int, spread: int | None = None
) -> Floats:
    """Return the red values at the read-outs' pixels: token (i, j) is pixel (factor i, factor j).

    ``spread`` is the factor that is believed in, where it is another one.
    """
    width = problem.model.schedule[-1][1]
    rows, columns = np.divmod(problem.read_outs, width)
    believed = factor if spread is None else spread
    read: Floats = image[believed * rows, believed * columns, 0]
    return read


class FormulaCase(NamedTuple):
    """A formula, the reading of its VAR model, the kernel, and how often the image is doubled."""

    formula: CNF
    reading: Reading
    kernel: Kernel = Kernel.NEAREST
    doublings: int = 1


def decided_from_pixels(case: FormulaCase, spread: int | None = None) -> bool:
    """Send a DIMACS text to pixels, put the tolerated error on them, decode, and verify what comes back."""
    formula = CNF.from_dimacs(case.formula.to_dimacs())
    rule = Interpolation(case.kernel)
    if case.reading is Reading.MAPS:
        to_attention = SplitAndList() >> ComplementEncoding() >> GapMaxIPToAttention()
        chain: Reduction[CNF, ApproximateVar] = to_attention >> AttentionToVar(rule)
    else:
        chain = SatToVarInference(rule)
    reduced = chain.map_instance(formula)
    problem = reduced.target
    maps = problem.maps if case.reading is Reading.MAPS else None
    pipeline = identity_image_model(problem.model, case.doublings, problem.read_out_channel)
    image = pipeline.image_of(problem.model.run(problem.start_token, maps))
    towards = np.sign(problem.threshold - image) * problem.tolerated_error * (1 - 1e-6)
    read = pixels_of_read_outs(problem, image + towards, pipeline.decoder.factor, spread)
    model = reduced.extract_solution(read)
    found = formula.solve_brute_force()
    satisfiable = found is not None and formula.verify(found)
    return (model is not None and formula.verify(model)) if satisfiable else model is None
