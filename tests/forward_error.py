"""Textbook bounds on rounding: how far floating point may be from the real numbers, on any machine.

A tolerance that was measured on one processor fails on the next, whose vectors have another length and add
in another order. These bounds hold for every order of summation, with and without fused operations.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reductions.layers.streamed_attention import EXP_ULPS, SMALLEST_NORMAL, UNIT_ROUNDOFF

Reals = NDArray[np.float64]

UNIT = {"bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
# PyTorch's fused attention takes exp_u20, "a faster version of exp with ULP=20" (ATen/cpu/vec).
TORCH_EXP_ULPS = 20


def gamma(roundings: int, unit: float) -> float:
    """Return gamma_k = k u / (1 - k u), the bound on k roundings (Higham, Accuracy and Stability, 3.1)."""
    return roundings * unit / (1 - roundings * unit)


def attention_error(
    queries: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    temperature: float,
    dtype: type = np.float32,
    *,
    stored: float | None = None,
    exp_ulps: int = EXP_ULPS,
) -> Reals:
    """Bound the rounding error of softmax attention, for each entry of the output.

    Sums, products and exponentials are of ``dtype``, with unit roundoff u; logits, weights and outputs may be
    rounded to numbers with a unit roundoff ``stored``, s. The inputs are exact.

    Notes
    -----
    1. Scaling rounds six times at most (1/tau or its root, twice, and a product for queries and keys); the d
       products are summed in any order: a logit is off by (gamma_{d+6} (1 + s) + s) B, where B is the row's
       largest sum_i |q_i k_i| / tau.
    2. Subtracting a maximum rounds a number of at most 2 B, and exp is off by ``exp_ulps`` units in the last
       place, each at most 2 u: once for a weight, and again, with a product, for each block of at least 512
       keys after which a running maximum is corrected. A weight is stored once. So each weight is multiplied
       by a factor in [e^-eta, e^eta].
    3. A weighted mean m in [0, 1] moves to one between m e^-2eta / (1 - m + m e^-2eta) and the same with
       e^2eta: this is what shares do where values are 0 and 1, and as (v - m') e^(+-eta) is convex in v,
       values in between move their mean by less (Jensen).
    4. Numerator and denominator are sums of n terms in any order, and their quotient is stored; weights that
       underflow are below the smallest normal number, against a sum of at least 1/2.
    """
    queries, keys, values = (np.asarray(matrix, np.float64) for matrix in (queries, keys, values))
    unit = UNIT_ROUNDOFF[np.dtype(dtype)]
    stored = unit if stored is None else stored
    dimension, count = queries.shape[1], len(keys)
    largest = (np.abs(queries) @ np.abs(keys).T).max(axis=1, keepdims=True) / temperature
    logits = gamma(dimension + 6, unit) * (1 + stored) + stored
    steps = 1 + -(-count // 512)
    eta = logits * largest + steps * (
        2 * unit * largest * (1 + logits) - np.log1p(-(2 * exp_ulps + 1) * unit)
    )
    eta = eta - np.log1p(-stored) + dimension * SMALLEST_NORMAL[np.dtype(dtype)]

    exponents = queries @ keys.T / temperature
    weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    exact = weights @ values / weights.sum(axis=1, keepdims=True)
    low, high = values.min(axis=0), values.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    mean = np.clip((exact - low) / width, 0.0, 1.0)
    moved = [mean * np.exp(x) / (1 - mean + mean * np.exp(x)) for x in (2 * eta, -2 * eta)]
    shift = width * np.maximum(moved[0] - mean, mean - moved[1])

    size = np.abs(values).max(axis=0)
    sums = gamma(count + 2, unit) + 4 * count * SMALLEST_NORMAL[np.dtype(dtype)]
    own = 2 * gamma(count + dimension + 8, 2.0**-53) * (1 + largest) * size  # of these lines, in float64
    return shift + 2 * size * sums / (1 - sums) + size * stored + own
