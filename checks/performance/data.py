"""Inputs of attention at a stated dimension and logit bound, from harmless to hard.

Uniform random data flatters every approximation: errors of single weights average out. The other families
are there to prevent that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Q, K and V in float32, and the temperature.

    Attributes
    ----------
    queries, keys, values
        Each of shape (L, d), read-only.
    temperature
        tau = d.
    logit_bound
        b: no logit <q_i, k_j> / tau exceeds it in absolute value, up to rounding to float32.
    """

    queries: Matrix
    keys: Matrix
    values: Matrix
    temperature: float
    logit_bound: float


Family = Callable[[int, int, float, int], Inputs]


def uniform(tokens: int, dimension: int, logit_bound: float, seed: int) -> Inputs:
    """Entries of Q and K uniform in [-R, R] with R^2 = b, of V in [-1, 1]."""
    generator = np.random.default_rng(seed)
    queries, keys, values = generator.uniform(-1, 1, (3, tokens, dimension))
    radius = np.sqrt(logit_bound)
    return _inputs(radius * queries, radius * keys, values, logit_bound)


def clustered(tokens: int, dimension: int, logit_bound: float, seed: int) -> Inputs:
    """Half the tokens in one corner of the cube, a quarter of the keys in the opposite one.

    All other tokens are in random corners. Logits take both extreme values b and -b, and the values
    follow the clusters.
    """
    generator = np.random.default_rng(seed)
    corners = generator.choice((-1.0, 1.0), (tokens, dimension))
    queries, keys = corners.copy(), corners[generator.permutation(tokens)]
    values = generator.choice((-1.0, 1.0), (tokens, dimension))
    queries[::2], keys[::2], values[::2] = 1, 1, 1
    keys[1::4], values[1::4] = -1, -1
    radius = np.sqrt(logit_bound)
    return _inputs(radius * queries, radius * keys, values, logit_bound)


def coherent(tokens: int, dimension: int, logit_bound: float, seed: int) -> Inputs:
    """Values that follow the sign of the approximation error, so that all errors add up.

    Half of the queries lie in the corner R(1, ..., 1) or opposite it, the others a few flipped signs away.
    The signs of a key lean to that corner as far as a random number says, so that for a query in the corner
    the logits fill [-b, b]. There the error of the best polynomial of degree g alternates like cos((g+1)
    arccos t) at the logit b t; column c of V is the sign of this for g = c + 1.
    """
    generator = np.random.default_rng(seed)
    lean = np.cos(np.pi * generator.random((tokens, 1)))
    signs = np.where(generator.random((tokens, dimension)) < (1 + lean) / 2, 1.0, -1.0)
    lengths = 1 - 0.25 * generator.random((tokens, dimension))
    lengths[::2] = 1
    keys = signs * lengths
    queries = generator.choice((-1.0, 1.0), (tokens, 1)) * np.ones((1, dimension))
    queries[::2] *= np.where(generator.random(queries[::2].shape) < 0.15, -1.0, 1.0)
    values = np.sign(np.cos(np.outer(np.arccos(keys.mean(axis=1)), np.arange(2, dimension + 2))))
    radius = np.sqrt(logit_bound)
    return _inputs(radius * queries, radius * keys, values, logit_bound)


def near_threshold(tokens: int, dimension: int, logit_bound: float, seed: int) -> Inputs:
    """Hard instances of the lower bound: orthogonal vectors, gap maximum inner product, attention.

    Vectors of m = d // 3 coordinates make queries of 3 m; further coordinates are zero. What the reduction
    makes as large as it needs is scaled down to the logit bound b here. The first column of V is the
    reduction's (1 for each key, 0 for the reference key), the others follow the signs of coordinates of the
    keys.

    Raises
    ------
    ValueError
        If ``dimension`` is below 3.
    """
    from reductions.lower_bound.complement_encoding import ComplementEncoding
    from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
    from reductions.problems.orthogonal_vectors import OrthogonalVectors

    if dimension < 3:
        raise ValueError(f"Argument 'dimension' must be at least 3, not {dimension}.")
    generator = np.random.default_rng(seed)
    coordinates = dimension // 3
    # Three quarters are ones, so that few pairs are orthogonal and most of the others just fail to be.
    left, right = (generator.random((2, tokens, coordinates)) < 0.75).astype(np.uint8)
    encoded = ComplementEncoding().map_instance(OrthogonalVectors(left, right)).target
    layer = GapMaxIPToAttention().map_instance(encoded).target.attention
    # The reference key takes the place of the first of the L keys besides it.
    order = generator.permutation(tokens)
    keys = layer.keys[1:][order]
    values = np.sign(keys - keys.mean(axis=0))
    values[:, 0] = layer.values[1:, 0][order]
    # No logit exceeds that of an orthogonal pair, whose inner product in the layer is the threshold times
    # beta.
    beta = layer.queries.max() ** 2
    scale = np.sqrt(logit_bound * dimension / (beta * encoded.threshold))
    queries, keys, values = (
        np.pad(matrix, ((0, 0), (0, dimension - matrix.shape[1])))
        for matrix in (scale * layer.queries, scale * keys, values)
    )
    return _inputs(queries, keys, values, logit_bound)


def decaying(tokens: int, dimension: int, logit_bound: float, seed: int) -> Inputs:
    """Q and K whose i-th principal axis is 1/i as long as the first: some directions matter more.

    Normal entries along random axes, scaled so that the largest logit is b; values follow the first axis.
    """
    generator = np.random.default_rng(seed)
    lengths = 1 / np.arange(1, dimension + 1)
    axes = np.linalg.qr(generator.standard_normal((dimension, dimension)))[0]
    queries, keys = (generator.standard_normal((2, tokens, dimension)) * lengths) @ axes
    largest = max(
        float(np.abs(queries[start : start + 1024] @ keys.T).max()) for start in range(0, tokens, 1024)
    )
    scale = np.sqrt(logit_bound * dimension / largest)
    values = np.sign(np.outer(keys @ axes[0], np.ones(dimension)) + generator.standard_normal(keys.shape) / 4)
    return _inputs(scale * queries, scale * keys, values, logit_bound)


FAMILIES: dict[str, Family] = {
    "uniform": uniform,
    "clustered": clustered,
    "coherent": coherent,
    "near-threshold": near_threshold,
}


def _inputs(queries: NDArray[Any], keys: NDArray[Any], values: NDArray[Any], logit_bound: float) -> Inputs:
    matrices = [np.ascontiguousarray(matrix, dtype=np.float32) for matrix in (queries, keys, values)]
    for matrix in matrices:
        matrix.setflags(write=False)
    return Inputs(matrices[0], matrices[1], matrices[2], float(queries.shape[1]), logit_bound)
