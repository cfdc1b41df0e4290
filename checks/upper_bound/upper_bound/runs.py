"""Pipelines from tokens to image for the check of thm-upper-bound, and what a run of them must keep."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np

from reductions.fast_attention.whole_model.certified_run import FastVarRun
from reductions.fast_attention.whole_model.fast_var import certified_image
from reductions.fast_attention.whole_model.measured_demand import allowed_tolerance, measured_demand
from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution, Doubling
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import square_schedule
from reductions.problems.token_map import TokenMap
from reductions.problems.var_model import FeedForward, SelfAttention, VarModel
from reductions.upper_bound.decoder import Decoder, ImageModel
from reductions.upper_bound.decoder.layers import AttentionBlock, DecoderLayer, ResidualBlock
from reductions.upper_bound.feature_map_reconstruction import Reconstruction
from reductions.upper_bound.upper_bound import (
    Account,
    Demand,
    account,
)

SIDES = (1, 2, 4, 8)
CHANNELS, DIMENSION, COLOURS = 4, 2, 2


class RunCase(NamedTuple):
    """A kernel, whether all maps are given, a seed for the weights, ln(1/delta), and the sides."""

    kernel: Kernel
    given: bool
    seed: int
    log_accuracy: float
    sides: tuple[int, ...] = SIDES


def drawn_pipeline(kernel: Kernel, seed: int, sides: tuple[int, ...] = SIDES) -> ImageModel:
    """Return a small model with a feed-forward layer, an attention layer, and a decoder with one of its own.

    Weights are drawn from [-1, 1] and scaled so that no layer's norm is above 3/2, attention's logits aside.
    """
    generator = np.random.default_rng(seed)

    def matrix(*shape: int, norm: float = 1.0) -> Floats:
        drawn = generator.uniform(-1, 1, shape)
        axes = tuple(range(len(shape) - 1))
        scaled: Floats = drawn * (norm / np.abs(drawn).sum(axis=axes).max())
        return scaled

    attention = SelfAttention(
        matrix(6, DIMENSION, norm=2.0),
        matrix(6, DIMENSION, norm=2.0),
        matrix(6, 3),
        matrix(3, CHANNELS),
        float(DIMENSION),
    )
    rule = Interpolation(kernel)
    # Positions, so that a drawing is not constant (lem-collapse).
    table = tuple(generator.uniform(-1, 1, (side * side, CHANNELS)) for side in sides)
    forward = FeedForward(matrix(CHANNELS, 6, norm=1.5))
    model = VarModel(square_schedule(sides), rule, (forward, attention), table)
    filters = tuple(Convolution(matrix(3, 3, CHANNELS, COLOURS, norm=0.5)) for _ in sides)
    block = SelfAttention(
        matrix(COLOURS, DIMENSION),
        matrix(COLOURS, DIMENSION),
        matrix(COLOURS, COLOURS),
        matrix(COLOURS, COLOURS),
        float(DIMENSION),
    )
    layers: tuple[DecoderLayer, ...] = (
        Convolution(matrix(3, 3, COLOURS, COLOURS)),
        ResidualBlock(
            Convolution(matrix(3, 3, COLOURS, COLOURS, norm=0.5)), Convolution(matrix(3, 3, COLOURS, COLOURS))
        ),
        AttentionBlock(block),
        Doubling(),
        Convolution(matrix(3, 3, COLOURS, 3)),
    )
    return ImageModel(model, Reconstruction(model.schedule, rule, filters), Decoder(layers))


def drawn_input(case: RunCase) -> tuple[Floats, list[TokenMap] | None]:
    """Return a start token and, where they are given, the maps."""
    generator = np.random.default_rng(case.seed + 1000)
    start = generator.uniform(-1, 1, CHANNELS)
    if not case.given:
        return start, None
    return start, [
        TokenMap(
            (side, side), np.argwhere(np.ones((side, side))), generator.uniform(-1, 1, (side**2, CHANNELS))
        )
        for side in case.sides[:-1]
    ]


Change = Callable[[Demand], Demand]


def as_it_is(demand: Demand) -> Demand:
    """Return the demand."""
    return demand


class Outcome(NamedTuple):
    """The account of a case, and an exact and a fast run of it."""

    found: Account
    run: FastVarRun


def measure_outcome(case: RunCase, pipeline: ImageModel | None = None, change: Change = as_it_is) -> Outcome:
    """Measure the exact run, keep the account, and run fast with the tolerance that it allows.

    ``change`` spoils what the account is told.
    """
    pipeline = pipeline or drawn_pipeline(case.kernel, case.seed, case.sides)
    start, maps = drawn_input(case)
    demand, exact = measured_demand(pipeline, start, maps)
    found = account(change(demand), case.log_accuracy)
    fast = certified_image(
        pipeline,
        start,
        maps,
        tolerance=allowed_tolerance(pipeline, found),
        threads=1,
        method="low-rank",
    )
    return Outcome(found, FastVarRun(exact, fast))


@cache
def shared_outcome(case: RunCase) -> Outcome:
    """Return the outcome, computed once for all claims."""
    return measure_outcome(case)


def accuracy_reached(result: Outcome) -> bool:
    """Tell whether the images differ by at most delta."""
    return result.run.measured <= math.exp(-result.found.log_accuracy)


def proved_for_the_run(result: Outcome) -> bool:
    """Tell whether the certificates of the run prove delta, and what is measured obeys them."""
    return result.run.fast.error_bound <= math.exp(-result.found.log_accuracy) and result.run.holds


def degrees_kept(result: Outcome) -> bool:
    """Tell whether no attention layer took a higher degree or rank than the account says."""
    ranks = iter(result.found.ranks)
    allowed = [next(ranks)] * len(result.run.fast.certificates[0]) + list(ranks)
    return all(
        certificate.degree is not None
        and certificate.rank is not None
        and certificate.degree <= result.found.degree
        and certificate.rank <= rank
        for certificate, rank in zip(result.run.fast.all_certificates, allowed, strict=True)
    )


def operations_kept(result: Outcome) -> bool:
    """Tell whether attending took no more operations than the account says."""
    stated = result.found.multiplications - result.found.demand.elsewhere
    return 0 < sum(certificate.operations for certificate in result.run.fast.all_certificates) <= stated


def loud_pipeline(kernel: Kernel = Kernel.BICUBIC) -> ImageModel:
    """Return a pipeline whose decoder enlarges everything a millionfold at the end."""
    pipeline = drawn_pipeline(kernel, 0)
    *layers, last = pipeline.decoder.layers
    assert isinstance(last, Convolution)
    loud = Convolution(10**6 * last.filters)
    return replace(pipeline, decoder=Decoder((*layers, loud)))
