"""Layers for the checks of low-rank attention, and its output in exact arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.polynomials.exponential import ExpPolynomial, minimax_polynomial

Array = NDArray[Any]

FAMILIES = ("uniform", "clustered", "coherent", "alternating", "cancelling", "scaled")


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer and a polynomial on an interval that holds its logits."""

    queries: Array
    keys: Array
    values: Array
    temperature: float
    polynomial: ExpPolynomial

    def __repr__(self) -> str:
        shapes = f"L_q = {len(self.queries)}, L_k = {len(self.keys)}, d = {self.queries.shape[1]}"
        return f"Layer({shapes}, tau = {self.temperature}, {self.polynomial})"


def draw_layer(
    generator: np.random.Generator,
    family: str,
    *,
    dimension: int,
    value_dimension: int,
    degree: int,
    half_width: float,
    queries: int,
    keys: int,
    dtype: Any = np.float32,
) -> Layer:
    """Draw a layer whose logits lie in [-half_width, half_width], of one of the families.

    - uniform: independent entries;
    - clustered: a few centres with a little noise;
    - coherent: all tokens nearly the same, so that errors of one sign add up;
    - alternating: values and coordinates of alternating signs, so that sums cancel;
    - cancelling: sum_i |q_i k_i| is several times the largest |logit|;
    - scaled: every column has a scale of its own, from 2^-12 to 2^12.
    """
    shapes = (queries, dimension), (keys, dimension), (keys, value_dimension)
    q, k, v = (generator.uniform(-1, 1, shape) for shape in shapes)
    if family == "clustered":
        centres = generator.uniform(-1, 1, (3, dimension))
        q, k = (centres[generator.integers(3, size=len(x))] + 0.01 * x for x in (q, k))
    elif family == "coherent":
        q, k, v = 1 / 3 + 1e-4 * q, 1 / 3 + 1e-4 * k, 1 / 3 + 1e-4 * v
    elif family == "alternating":
        signs = (-1.0) ** np.arange(keys)[:, None]
        q, k, v = 1 / 3 + 1e-4 * q, signs * (1 / 3 + 1e-4 * k), signs * (1 / 3 + 1e-4 * v)
    elif family == "cancelling" and dimension > 1:
        # Two coordinates whose products cancel in part in every logit.
        q[:, 1], k[:, 1] = q[:, 0], -0.6 * k[:, 0]
    elif family == "scaled":
        scale = 2.0 ** generator.integers(-12, 13, dimension)
        q, k, v = q * scale, k / scale, v * 2.0 ** generator.integers(-12, 13, value_dimension)
    q, k, v = (x.astype(dtype) for x in (q, k, v))
    logits = q.astype(np.float64) @ k.T.astype(np.float64)
    # Half a percent of room for the rounding of this very product.
    temperature = float(np.abs(logits).max()) * 1.005 / half_width or 1.0
    return Layer(q, k, v, temperature, minimax_polynomial(degree, -half_width, half_width))


def exact_output(layer: Layer) -> Array:
    """Return sum_j P(x_ij) v_j / sum_j P(x_ij) as fractions, shape (L_q, d_v): no rounding at all."""
    queries, keys, values = (fractions(x) for x in (layer.queries, layer.keys, layer.values))
    logits = queries @ keys.T / Fraction(layer.temperature)
    factors = 0 * logits
    for coefficient in reversed(layer.polynomial.coefficients):
        factors = factors * logits + Fraction(coefficient)
    quotient: Array = factors @ values / factors.sum(axis=1, keepdims=True)
    return quotient


def fractions(array: Array) -> Array:
    """Return the exact entries of an array of floats."""
    exact: Array = np.frompyfunc(lambda entry: Fraction(float(entry)), 1, 1)(array)
    return exact


def largest_error(output: Array, exact: Array) -> Fraction:
    """Return the largest |output - exact|, exactly."""
    differences: list[Fraction] = [abs(x) for x in (fractions(output) - exact).flat]
    return max(differences)
