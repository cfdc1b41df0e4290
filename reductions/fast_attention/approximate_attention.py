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

import numpy as np
from numpy.typing import ArrayLike

from reductions.fast_attention.certificate import AttentionCertificate, Method, PyramidCertificate
from reductions.fast_attention.choice import (
    SLOWER,
    SMALL,
    Choice,
    Refusal,
    choose,
    exact_choice,
    low_rank_choice,
    shared_choice,
    total_seconds,
)
from reductions.fast_attention.cost_model import (
    FLOAT32,
    FLOAT64,
    LEAST_GAIN,
    PLANNING,
    WORTH_COMPILED,
    WORTH_FEATURE_PLAN,
    WORTH_PLANNING,
    affordable_features,
    exact_operations,
    exact_seconds,
    low_rank_operations,
)
from reductions.fast_attention.inputs import Inputs, checked_inputs, checked_scale_ends
from reductions.fast_attention.prepared_layer import Block, PreparedLayer, prepare
from reductions.kernels.exact_kernel import exact_attention
from reductions.layers.arrays import Floats
from reductions.layers.streamed_attention import streamed_attention
from reductions.system.threads import usable_cores
from reductions.upper_bound.monomial_features import feature_count

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
    block = Block(0, len(inputs.queries), len(inputs.keys))
    layer, choices = _plan(inputs, [block], method)
    seconds, workers = total_seconds(layer, choices), _workers(threads)
    if method == "auto" and seconds >= WORTH_FEATURE_PLAN * workers * max(inputs.queries.shape[1], 1):
        planned = _fewer_features(inputs, seconds, workers)
        if planned is not None:
            return planned
    output, state_degree = _attend(inputs, layer, choices, threads)
    d, value_dimension = inputs.queries.shape[1], inputs.values.shape[1]
    operations = 0
    if state_degree is not None:
        operations = low_rank_operations(block.keys, d, value_dimension, state_degree)
    return ApproximateAttention(output, _certificate(choices[0], inputs, operations))


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
    layer, choices = _plan(inputs, blocks, method)
    output, state_degree = _attend(inputs, layer, choices, threads)
    d, value_dimension = inputs.queries.shape[1], inputs.values.shape[1]
    state_operations = 0
    if state_degree is not None:
        absorbed = max(choice.block.keys for choice in choices if choice.method is Method.LOW_RANK)
        state_operations = low_rank_operations(absorbed, d, value_dimension, state_degree)
    certificate = PyramidCertificate(
        tuple(_certificate(choice, inputs, 0) for choice in choices), state_degree, state_operations
    )
    return ApproximatePyramidAttention(output, certificate)


def _fewer_features(inputs: Inputs, seconds: float, workers: int) -> ApproximateAttention | None:
    """Return attention by features planned for the data, where that is estimated to be faster."""
    from reductions.fast_attention.planned_features.planned_layer import planned_layer

    tokens, value_dimension = len(inputs.queries) + len(inputs.keys), inputs.values.shape[1]
    affordable = affordable_features(LEAST_GAIN * seconds, tokens, inputs.queries.shape[1], value_dimension)
    planned = planned_layer(inputs, workers, largest_rank=affordable)
    return None if isinstance(planned, Refusal) else ApproximateAttention(planned.output, planned.certificate)


def _attend(
    inputs: Inputs, layer: PreparedLayer, choices: Sequence[Choice], threads: int | None
) -> tuple[Floats, int | None]:
    """Compute what was chosen; return the output, and the degree of the state if there is one."""
    workers = _workers(threads)
    output = np.empty((len(inputs.queries), inputs.values.shape[1]))
    used = [choice.polynomial for choice in choices if choice.polynomial is not None]
    degree = max((polynomial.degree for polynomial in used), default=None)
    state = None
    for choice in choices:
        block = choice.block
        rows = slice(block.start, block.stop)
        if choice.polynomial is None:
            output[rows] = _exact(layer, choice, workers)
            continue
        if state is None:
            from reductions.upper_bound.block_causal_state import BlockCausalState

            assert degree is not None
            state = BlockCausalState(*layer.sizes, degree, dtype=choice.dtype, threads=workers)
        new = slice(state.tokens, block.keys)
        state.absorb(layer.keys[new], layer.values[new])
        output[rows] = state.attend(layer.queries[rows], choice.polynomial.coefficients, layer.temperature)
    if layer.origin is not None:
        output += layer.origin
    return output, degree


def _plan(inputs: Inputs, blocks: list[Block], method: str) -> tuple[PreparedLayer, list[Choice]]:
    """Return the layer to compute with and a choice for every block."""
    if method not in ("auto", "low-rank", "exact"):
        raise ValueError(f"Argument 'method' must be 'auto', 'low-rank' or 'exact', not {method!r}.")
    if not len(inputs.queries):
        blocks = [Block(0, 0, len(inputs.keys))]
    d, value_dimension = inputs.queries.shape[1], inputs.values.shape[1]
    tolerance = inputs.tolerance

    def worth_planning(choice: Choice) -> bool:
        return choice.seconds >= WORTH_PLANNING and bool(d and value_dimension)

    pairs = sum(block.queries * block.keys for block in blocks)
    large = exact_seconds(pairs, 1, d, value_dimension, FLOAT64, compiled=False) >= WORTH_COMPILED
    layer = prepare(inputs, blocks, move=method == "low-rank" or (method == "auto" and large))
    reason = ASKED_FOR if method == "exact" else SMALL.reason
    exact = [exact_choice(layer, index, tolerance, reason, compiled=large) for index in range(len(blocks))]
    if method == "exact" or (method == "auto" and not any(map(worth_planning, exact))):
        return layer, exact
    plans = []
    for dtype in (FLOAT32, FLOAT64):
        low_rank: list[Choice | Refusal] = []
        for index, other in enumerate(exact):
            if method == "low-rank":
                low_rank.append(low_rank_choice(layer, index, dtype, tolerance, math.inf))
            elif worth_planning(other):
                affordable = LEAST_GAIN * other.seconds - PLANNING
                low_rank.append(low_rank_choice(layer, index, dtype, tolerance, affordable))
            else:
                low_rank.append(SMALL)
        planned = list(low_rank)
        for index, choice in enumerate(planned):
            if choice == SMALL:  # not worth a polynomial of its own, but another block's may do
                low_rank[index] = shared_choice(layer, index, dtype, tolerance, planned) or SMALL
        plans.append(low_rank)
        if not any(isinstance(choice, Refusal) and not choice.final for choice in low_rank):
            break
    if method == "low-rank":
        forced = [choice for choice in plans[-1] if isinstance(choice, Choice)]
        if len(forced) < len(blocks):
            why = next(choice.reason for choice in plans[-1] if isinstance(choice, Refusal))
            raise ValueError(
                f"Argument 'method' must not be 'low-rank' at the tolerance {tolerance:.3g}: {why}."
            )
        return layer, forced
    # Where both come to the same, the reasons of float64 tell more.
    candidates = [choose(layer, _with_reasons(exact, low_rank), low_rank) for low_rank in reversed(plans)]
    return layer, min(candidates, key=lambda choices: total_seconds(layer, choices))


def _with_reasons(exact: list[Choice], low_rank: list[Choice | Refusal]) -> list[Choice]:
    """Return the exact choices, each with the reason why low rank was not taken."""
    return [
        replace(choice, reason=(other if isinstance(other, Refusal) else SLOWER).reason)
        for choice, other in zip(exact, low_rank, strict=True)
    ]


def _exact(layer: PreparedLayer, choice: Choice, threads: int) -> Floats:
    block = choice.block
    # Queries keep their type until they are divided by tau: before, they may be out of float32's range.
    queries = layer.queries[block.start : block.stop]
    keys, values = (
        array[: block.keys].astype(choice.dtype, copy=False) for array in (layer.keys, layer.values)
    )
    attend = exact_attention if choice.compiled else streamed_attention
    return attend(queries, keys, values, layer.temperature, threads=threads)


def _certificate(choice: Choice, inputs: Inputs, state_operations: int) -> AttentionCertificate:
    d, value_dimension = inputs.queries.shape[1], inputs.values.shape[1]
    block, polynomial = choice.block, choice.polynomial
    if polynomial is None:
        operations = exact_operations(block.queries, block.keys, d, value_dimension)
    else:
        operations = low_rank_operations(block.queries, d, value_dimension, polynomial.degree)
    return AttentionCertificate(
        method=choice.method,
        reason=choice.reason,
        tolerance=inputs.tolerance,
        degree=None if polynomial is None else polynomial.degree,
        rank=None if polynomial is None else feature_count(d, polynomial.degree),
        epsilon=None if polynomial is None else polynomial.error,
        low=choice.bounds.low,
        high=choice.bounds.high,
        approximation_error=choice.approximation_error,
        rounding_error=choice.rounding_error,
        error_bound=choice.error_bound,
        operations=operations + state_operations,
        dtype=str(choice.dtype),
        queries=block.queries,
        keys=block.keys,
    )


def _workers(threads: int | None) -> int:
    if threads is None:
        return usable_cores()
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer):
        raise TypeError(f"Argument 'threads' must be a whole number or None, not {threads!r}.")
    if threads < 1:
        raise ValueError(f"Argument 'threads' must be at least 1, not {threads}.")
    return int(threads)
