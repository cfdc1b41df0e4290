"""What float64 costs in the layers around attention: bounds on computed minus real, rounded up.

A sum of m products, in any order of summation, is off by at most gamma_m = m u / (1 - m u) times the sum of
the absolute products (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), u = 2^-53.
"""

from __future__ import annotations

import numpy as np

from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution
from reductions.layers.directed_rounding import ROUNDING, sum_up, times, up
from reductions.layers.norms import column_norm
from reductions.problems.var_model import ChannelSlice, Projection, SelfAttention
from reductions.upper_bound.error_propagation import (
    AttentionMagnitudes,
    AttentionStage,
    convolution_lipschitz,
)

INTERPOLATION = 512 * ROUNDING
"""Stored weights are within 16 u, at most 4 in a row, on two axes; rows have absolute sums up to 3/2."""


def largest(array: Floats) -> float:
    """Return the largest |entry|, 0 where there is none."""
    return float(np.abs(array).max(initial=0.0))


def gamma(terms: int) -> float:
    """Return a bound on m u / (1 - m u).

    Raises
    ------
    ValueError
        If there are so many terms that the bound says nothing.
    """
    if terms * ROUNDING >= 2.0**-10:
        raise ValueError(f"Argument 'terms' must be below 2^43, not {terms}.")
    return terms * ROUNDING * (1 + 2.0**-9)


def interpolation_rounding(entry: float) -> float:
    """Bound the rounding of an up-interpolation of entries in [-entry, entry]."""
    return up(times(INTERPOLATION, entry))


def product_rounding(weights: Projection, entry: float) -> float:
    """Bound the rounding of x @ W for entries of x in [-entry, entry]; reading channels off has none."""
    if isinstance(weights, ChannelSlice):
        return 0.0
    return up(times(gamma(weights.shape[0] + 1), times(column_norm(weights), entry)))


def convolution_size(convolution: Convolution, entry: float, shape: tuple[int, int]) -> float:
    """Return a bound on the outputs of a convolution, and on the sums of its absolute products."""
    assert convolution.bias is not None
    return up(times(convolution_lipschitz(convolution, shape), entry) + largest(convolution.bias))


def convolution_rounding(convolution: Convolution, entry: float, shape: tuple[int, int]) -> float:
    """Bound the rounding of a convolution of entries in [-entry, entry]."""
    terms = convolution.filters[..., 0].size + 2
    return up(times(gamma(terms), convolution_size(convolution, entry, shape)))


def attention_local_error(
    layer: SelfAttention, magnitudes: AttentionMagnitudes, entry: float, attended: float, error: float
) -> float:
    """Bound |computed - exact layer| at the same tokens: projections, attention, output weights.

    Parameters
    ----------
    layer
        The attention layer.
    magnitudes
        Bounds on the real-number queries, keys and outputs at these tokens.
    entry
        A bound on the tokens' entries.
    attended
        The largest |entry| of what attention returned.
    error
        The certificate's: how far that is from attention of the computed Q, K and V.
    """
    moved = AttentionStage(
        layer.dimension,
        layer.temperature,
        product_rounding(layer.query_weights, entry),
        product_rounding(layer.key_weights, entry),
        times(product_rounding(layer.value_weights, entry), column_norm(layer.output_weights)),
        magnitudes,
    )
    # The rounded projections are those of the same tokens, moved: an error of 1 times the roundings.
    projected = moved.growth(1.0)
    approximated = times(column_norm(layer.output_weights), error)
    returned = product_rounding(layer.output_weights, attended)
    return up(sum_up(projected, approximated, returned))
