"""Attention within a tolerance, with a certificate: low rank where it is proved good and pays, else exact.

Inputs are taken as the exact numbers they are. The error bound of the certificate holds for every entry of
the output against attention over the real numbers, and includes all rounding, on either branch.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from reductions.fast_attention.inputs import checked_inputs, checked_scale_ends
from reductions.fast_attention.method_choice import method_choices, with_fewer_features
from reductions.fast_attention.prepared_layer import Block
from reductions.layers.arrays import Floats

Way = Literal["auto", "low-rank", "exact"]


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
    layer, found = method_choices(inputs, [Block(0, len(inputs.queries), len(inputs.keys))], method)
    workers = worker_count(threads)
    if method == "auto":
        layer, choice = with_fewer_features(layer, found[0], workers)
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
    layer, choices = method_choices(inputs, blocks, method)
    output = attend(layer, choices, worker_count(threads))
    scales = tuple(certificate(layer, choice) for choice in choices)
    return ApproximatePyramidAttention(
        output, PyramidCertificate(scales, state_degree(choices), state_operations(layer, choices))
    )
