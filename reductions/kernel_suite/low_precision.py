"""Floating point of 16 bits, and exact attention in it: what a kernel of that precision can be asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.kernel_suite.calling import Precision

Singles = NDArray[np.float32]


def rounded(array: NDArray[np.floating[Any]], precision: Precision) -> NDArray[np.floating[Any]]:
    """Round to the nearest number of ``precision``, ties to even; kept as float32, but float64 as float64."""
    if precision is Precision.FLOAT64:
        return array.astype(np.float64)
    singles = array.astype(np.float32)
    if precision is Precision.FLOAT32:
        return singles
    if precision is Precision.FLOAT16:
        with np.errstate(over="ignore", under="ignore"):
            return singles.astype(np.float16).astype(np.float32)
    # bfloat16 is the upper half of float32; adding 0x7fff and the lowest bit kept rounds ties to even.
    bits = np.ascontiguousarray(singles).view(np.uint32)
    kept = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return np.where(np.isfinite(singles), kept.view(np.float32), singles)


def exact_attention_in(
    queries: NDArray[np.floating[Any]],
    keys: NDArray[np.floating[Any]],
    values: NDArray[np.floating[Any]],
    temperature: float,
    precision: Precision,
) -> NDArray[np.floating[Any]]:
    """Return softmax attention as a careful kernel of that precision computes it.

    Products are summed in float32 (float64 for float64), as matrix units do; logits, weights after the
    maximum is subtracted, and outputs are rounded to the precision.

    Parameters
    ----------
    queries, keys, values
        Shapes (L_q, d), (L_k, d), (L_k, d_v), entries already of the precision.
    temperature
        Divides the logits.

    Returns
    -------
    numpy.ndarray
        Shape (L_q, d_v).
    """
    wide: Any = np.float64 if precision is Precision.FLOAT64 else np.float32
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        logits = rounded(queries.astype(wide) @ keys.astype(wide).T / wide(temperature), precision)
        weights = rounded(np.exp(logits - logits.max(axis=1, keepdims=True)), precision)
        sums = weights.astype(wide) @ values.astype(wide)
        return rounded(sums / weights.sum(axis=1, keepdims=True, dtype=wide), precision)
