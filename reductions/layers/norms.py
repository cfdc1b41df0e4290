"""Norms of matrices from max norm to max norm, rounded up.

A matrix W that is applied to rows from the right stretches the largest absolute entry by at most its
largest column l1 norm. What is computed here is never below the real number it stands for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import ROUNDING, inflated, sum_up, up


def column_norm(weights: ArrayLike) -> float:
    """Return the largest l1 norm of a column, the norm of x -> x W from max norm to max norm, rounded up.

    Raises
    ------
    ValueError
        If ``weights`` is not a matrix.
    """
    matrix = np.asarray(weights, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(
            f"Argument 'weights' must be a matrix (two axes), not an array of shape {matrix.shape}."
        )
    return max((sum_up(*column) for column in np.abs(matrix).T), default=0.0)


def product_norm(first: Floats, second: Floats) -> float:
    """Return the largest column l1 norm of a product of two matrices, its rounding included."""
    product, sizes = np.abs(first @ second), np.abs(first) @ np.abs(second)
    return column_norm(inflated(product + (first.shape[1] + 4) * ROUNDING * sizes, 32))


def largest_product(tokens: Floats, factors: list[Floats]) -> float:
    """Return a bound on the entries of tokens @ factors[0] @ ..., a few rows at a time."""
    largest = 0.0
    sizes = np.eye(factors[0].shape[0]) if len(factors) > 1 else np.abs(factors[0])
    if len(factors) > 1:
        sizes = np.abs(factors[0]) @ np.abs(factors[1])
    roundings = (sum(factor.shape[0] + 2 for factor in factors) + 4) * ROUNDING
    scale = column_norm(sizes) * float(np.abs(tokens).max(initial=0.0))
    for start in range(0, len(tokens), 4096):
        block = tokens[start : start + 4096]
        for factor in factors:
            block = block @ factor
        largest = max(largest, float(np.abs(block).max(initial=0.0)))
    return up(largest + roundings * scale)
