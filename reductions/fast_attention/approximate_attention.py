"""Attention within a tolerance, with a certificate: low rank where it is proved good and pays, else exact.

Inputs are taken as the exact numbers they are. The error bound of the certificate holds for every entry of
the output against attention over the real numbers, and includes all rounding, on either branch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal, NamedTuple

from numpy.typing import ArrayLike

from reductions.fast_attention.attend import (
    attend,
    certificate,
    state_degree,
    state_operations,
    worker_count,
)
from reductions.fast_attention.certificate import AttentionCertificate, PyramidCertificate
from reductions.fast_attention.choice import (
    SLOWER,
    BlockChoice,
    Choice,
    ExactChoice,
    LowRankChoice,
    Refusal,
    choose,
    total_seconds,
)
from reductions.fast_attention.cost_model import (
    FLOAT64,
    LEAST_GAIN,
    PLANNING,
    WORTH_COMPILED,
    WORTH_FEATURE_PLAN,
    WORTH_PLANNING,
    affordable_features,
    exact_seconds,
)
from reductions.fast_attention.exact_choice import exact_choice
from reductions.fast_attention.inputs import Inputs, checked_inputs, checked_scale_ends
from reductions.fast_attention.low_rank_choice import SMALL, low_rank_choices
from reductions.fast_attention.prepared_layer import Block, PreparedLayer, prepare
from reductions.layers.arrays import Floats

Way = Literal["auto", "low-rank", "exact"]

ASKED_FOR = "it was asked for"


class ApproximateAttention(NamedTuple):
    """Output of shape (L_q, d_v), float64, and its certificate."""

    output: Floats
    certificate: AttentionCertificate


class ApproximatePyramidAttention(NamedTuple):
    """Output of shape (L, d_v), float64, and its certificate."""

    output: Floats
    certificate: PyramidCertificate


def approximate_attention(
    queries: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    *,
    temperature: float,
    tolerance: float,
    threads: int | None = None,
    method: Way = "auto",
) -> ApproximateAttention:
    """Return Att(Q, K, V; tau), each entry within the tolerance where the certificate says so.

    Parameters
    ----------
    queries, keys, values
        Shapes (L_q, d), (L_k, d), (L_k, d_v) with L_k >= 1: finite float32 or float64 numbers. Whole numbers
        up to 2^53 and float16 are converted exactly.
    temperature
        tau > 0; logits are <q, k>/tau.
    tolerance
        The additive error that is allowed on every entry. At 0, or where it cannot be met, attention is
        exact up to rounding in float64, and the certificate states the bound that was reached.
    threads
        How many to use; None for one a processor.
    method
        "auto" takes what is estimated to be fastest, planned features among them; "low-rank" takes
        all monomials up to a degree, and refuses where they cannot meet the tolerance; "exact" never
        approximates.

    Returns
    -------
    ApproximateAttention
        Output and certificate.

    Raises
    ------
    TypeError
        If an argument is not of real numbers.
    ValueError
        If shapes do not fit, a number is out of range or not finite, the logits exceed the range of float64,
        or low rank was asked for and cannot meet the tolerance.
    """
    inputs = checked_inputs(queries, keys, values, temperature, tolerance)
    layer, found = _choices(inputs, [Block(0, len(inputs.queries), len(inputs.keys))], method)
    workers = worker_count(threads)
    if method == "auto":
        layer, choice = _fewer_features(layer, found[0], workers)
    else:
        choice = found[0]
    return ApproximateAttention(
        attend(layer, [choice], workers), certificate(layer, choice, state_operations(layer, [choice]))
    )


def approximate_pyramid_attention(
    queries: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    scale_ends: Sequence[int],
    *,
    temperature: float,
    tolerance: float,
    threads: int | None = None,
    method: Way = "auto",
) -> ApproximatePyramidAttention:
    """Return block-causal attention: the tokens of every scale see all scales up to their own.

    The pyramid is passed once. Where low rank pays for a scale, the state of
    :mod:`reductions.upper_bound.block_causal_state` absorbs what that scale sees; other scales are exact.

    Parameters
    ----------
    queries, keys, values
        L rows each, in the order of the scales; see :func:`approximate_attention`.
    scale_ends
        The number of tokens up to each scale; increasing, the last is L.
    temperature, tolerance, threads, method
        As for :func:`approximate_attention`.

    Returns
    -------
    ApproximatePyramidAttention
        Output and certificate, with an entry for each scale.

    Raises
    ------
    TypeError, ValueError
        As for :func:`approximate_attention`, or if the ends of the scales are not increasing up to L.
    """
    inputs = checked_inputs(queries, keys, values, temperature, tolerance)
    if len(inputs.queries) != len(inputs.keys):
        raise ValueError(
            f"Argument 'queries' must have {len(inputs.keys)} rows, one for each key, "
            f"not {len(inputs.queries)}."
        )
    ends = checked_scale_ends(scale_ends, len(inputs.keys))
    blocks = [Block(start, stop, stop) for start, stop in pairwise([0, *ends])]
    layer, choices = _choices(inputs, blocks, method)
    output = attend(layer, choices, worker_count(threads))
    scales = tuple(certificate(layer, choice) for choice in choices)
    return ApproximatePyramidAttention(
        output, PyramidCertificate(scales, state_degree(choices), state_operations(layer, choices))
    )


def _fewer_features(layer: PreparedLayer, choice: BlockChoice, workers: int) -> tuple[PreparedLayer, Choice]:
    """Return features planned for the data, where that is estimated to be faster, and the layer to use."""
    seconds, (d, value_dimension) = total_seconds(layer, [choice]), layer.sizes
    if seconds < WORTH_FEATURE_PLAN * workers * max(d, 1):
        return layer, choice
    from reductions.fast_attention.planned_choice import planned_choice

    tokens = choice.block.queries + choice.block.keys
    affordable = affordable_features(LEAST_GAIN * seconds, tokens, d, value_dimension)
    centred = layer.with_centred_values()
    planned = planned_choice(centred, largest_rank=affordable)
    return (layer, choice) if isinstance(planned, Refusal) else (centred, planned)


def _choices(inputs: Inputs, blocks: list[Block], method: str) -> tuple[PreparedLayer, list[BlockChoice]]:
    """Return the layer to compute with and a choice for every block, exact or low rank."""
    if method not in ("auto", "low-rank", "exact"):
        raise ValueError(f"Argument 'method' must be 'auto', 'low-rank' or 'exact', not {method!r}.")
    if not len(inputs.queries):
        blocks = [Block(0, 0, len(inputs.keys))]
    d, value_dimension = inputs.queries.shape[1], inputs.values.shape[1]

    def worth_planning(choice: ExactChoice) -> bool:
        return choice.seconds >= WORTH_PLANNING and bool(d and value_dimension)

    pairs = sum(block.queries * block.keys for block in blocks)
    large = exact_seconds(pairs, 1, d, value_dimension, FLOAT64, compiled=False) >= WORTH_COMPILED
    layer = prepare(inputs, blocks, move=method == "low-rank" or (method == "auto" and large))
    reason = ASKED_FOR if method == "exact" else SMALL.reason
    exact = [exact_choice(layer, index, reason, compiled=large) for index in range(len(blocks))]
    if method == "exact" or (method == "auto" and not any(map(worth_planning, exact))):
        return layer, [*exact]
    if method == "low-rank":
        return layer, _forced(low_rank_choices(layer, [math.inf] * len(blocks))[-1], inputs.tolerance)
    affordable = [LEAST_GAIN * one.seconds - PLANNING if worth_planning(one) else None for one in exact]
    # Where both come to the same, the reasons of float64 tell more.
    candidates = [
        choose(layer, _with_reasons(exact, low_rank), low_rank)
        for low_rank in reversed(low_rank_choices(layer, affordable))
    ]
    return layer, min(candidates, key=lambda choices: total_seconds(layer, choices))


def _forced(low_rank: list[LowRankChoice | Refusal], tolerance: float) -> list[BlockChoice]:
    """Return low rank of every block, or raise where it is refused."""
    forced: list[BlockChoice] = []
    for choice in low_rank:
        if isinstance(choice, Refusal):
            raise ValueError(
                f"Argument 'method' must not be 'low-rank' at the tolerance {tolerance:.3g}: {choice.reason}."
            )
        forced.append(choice)
    return forced


def _with_reasons(exact: list[ExactChoice], low_rank: list[LowRankChoice | Refusal]) -> list[ExactChoice]:
    """Return the exact choices, each with the reason why low rank was not taken."""
    return [
        replace(choice, reason=(other if isinstance(other, Refusal) else SLOWER).reason)
        for choice, other in zip(exact, low_rank, strict=True)
    ]
