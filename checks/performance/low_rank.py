"""Low-rank attention of a fixed degree: what the suites time and compare."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from checks.performance.data import Inputs, Matrix
from reductions.kernels.fused_kernels import key_state, query_outputs
from reductions.polynomials.exponential import ExpPolynomial, minimax_polynomial
from reductions.upper_bound.monomial_features import MonomialSet, total_degree, weights
from reductions.upper_bound.weight_perturbation import weighted_mean_error

_ROUNDING = 1e-6
"""How far, relatively, the logits of float32 entries may exceed the bound of the real ones."""


class LowRank:
    """Attention by a polynomial of fixed degree g on [-b, b] in place of the exponential.

    Parameters
    ----------
    inputs
        Q, K, V, the temperature and the logit bound b.
    degree
        g.
    threads
        Threads of the kernels.
    """

    def __init__(self, inputs: Inputs, degree: int, threads: int) -> None:
        self._inputs, self._threads = inputs, threads
        bound = inputs.logit_bound * (1 + _ROUNDING)
        self.polynomial: ExpPolynomial = minimax_polynomial(degree, -bound, bound)
        self.monomials: MonomialSet = total_degree(inputs.queries.shape[1], degree)
        self._weights = weights(self.monomials, self.polynomial.coefficients, inputs.temperature)

    @property
    def rank(self) -> int:
        """r = C(d + g, g)."""
        return len(self.monomials)

    @cached_property
    def certified_error(self) -> float:
        """A bound on the error of an entry, rounding of the arithmetic apart."""
        value_bound = float(np.abs(self._inputs.values).max())
        return float(weighted_mean_error(value_bound, self.polynomial.error))

    def multiply_adds(self) -> int:
        """Return the multiply-adds of the two products with the features; making these is not counted."""
        columns: int = self._inputs.values.shape[1] + 1
        return (len(self._inputs.queries) + len(self._inputs.keys)) * self.rank * columns

    def outputs(self) -> Matrix:
        """Return the outputs of all queries over all keys."""
        inputs = self._inputs
        state = key_state(inputs.keys, inputs.values, self.monomials, threads=self._threads)
        return self._attend(slice(None), state)

    def pyramid(self, scale_ends: Sequence[int]) -> Matrix:
        """Return block-causal outputs: one state absorbs scale after scale."""
        inputs = self._inputs
        state = np.zeros((self.rank, inputs.values.shape[1] + 1))
        outputs = np.empty(inputs.values.shape, np.float32)
        for start, end in zip((0, *scale_ends[:-1]), scale_ends, strict=True):
            rows = slice(start, end)
            state += key_state(inputs.keys[rows], inputs.values[rows], self.monomials, threads=self._threads)
            outputs[rows] = self._attend(rows, state)
        return outputs

    def _attend(self, rows: slice, state: np.ndarray) -> Matrix:
        return query_outputs(
            self._inputs.queries[rows], state, self._weights, self.monomials, threads=self._threads
        )
