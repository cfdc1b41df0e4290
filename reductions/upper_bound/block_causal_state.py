"""Block-causal low-rank attention in one pass: nothing is kept but r (d_v + 1) numbers, the state.

The output of a token is a quotient of two sums over the keys it sees. With P(<q, k>/tau) in place of the
exponential, both sums are the token's monomials times a matrix that depends on keys and values only: the
state, the sum of all m(k_j) [v_j, 1] seen so far. A new scale is added to it once, and then read by its
queries (lem-block-causal-state). Whoever draws scale by scale keeps the state in place of all keys and
values.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.kernels.fused_kernels import key_state, query_outputs
from reductions.problems.schedule import Schedule, require_schedule, token_count
from reductions.upper_bound.monomial_features import (
    MonomialSet,
    feature_count,
    multinomials,
    total_degree,
    weights,
)

Vectors = Sequence[Sequence[Any]]
Matrix = NDArray[np.floating[Any]]


def multiplications(schedule: Schedule, d: int, value_dimension: int, degree: int) -> int:
    """Return L (2 e + (r - 1)(2 d_v + 1)) + K r (d_v + 1): the multiplications of :class:`ReadableState`.

    Here e is the number of monomials of degree 2 or more: forming a token's monomials takes that many.

    Parameters
    ----------
    schedule
        The sides of all K scales.
    d, value_dimension
        Lengths of queries and keys, and of values.
    degree
        g, the degree of the polynomial.
    """
    r = feature_count(d, degree)
    formed = r - 1 - d if degree else 0
    tokens = token_count(require_schedule(schedule))
    per_token = 2 * formed + (r - 1) * (2 * value_dimension + 1)
    return tokens * per_token + len(schedule) * r * (value_dimension + 1)


def exact_weights(monomials: MonomialSet, coefficients: Sequence[Any], inverse_temperature: Any) -> list[Any]:
    """Return c_|alpha| multinomial(alpha) / tau^|alpha| for each monomial, in any arithmetic.

    Parameters
    ----------
    monomials
        The set.
    coefficients
        c_0, ..., c_g.
    inverse_temperature
        1/tau.
    """
    scaled = [c * inverse_temperature**p if p else c for p, c in enumerate(coefficients)]
    counts = multinomials(monomials).tolist()
    return [scaled[p] * int(count) for p, count in zip(monomials.degrees.tolist(), counts, strict=True)]


class ReadableState:
    """The state number by number, for entries of any type with addition and multiplication.

    Parameters
    ----------
    monomials
        The monomials of a token.
    value_dimension
        d_v.

    Attributes
    ----------
    rows
        r rows of d_v + 1 numbers.
    """

    def __init__(self, monomials: MonomialSet, value_dimension: int) -> None:
        self.monomials = monomials
        self.rows: list[list[Any]] = [[0] * (value_dimension + 1) for _ in range(len(monomials))]
        self._steps = list(zip(monomials.parent.tolist(), monomials.axis.tolist(), strict=True))

    def absorb(self, keys: Vectors, values: Vectors) -> None:
        """Add m(k) [v, 1] for every key and its value."""
        for key, value in zip(keys, values, strict=True):
            seen = [*value, 1]
            for row, monomial in zip(self.rows, self._monomials(key), strict=True):
                row[:] = [
                    total + (x if monomial is None else monomial if c == len(value) else monomial * x)
                    for c, (total, x) in enumerate(zip(row, seen, strict=True))
                ]

    def attend(self, queries: Vectors, weights: Sequence[Any]) -> list[tuple[list[Any], Any]]:
        """Return numerators and denominator of every query's output.

        Parameters
        ----------
        queries
            Any number of rows.
        weights
            One for each monomial.
        """
        weighted = [[weight * x for x in row] for weight, row in zip(weights, self.rows, strict=True)]
        outputs = []
        for query in queries:
            sums: list[Any] = [0] * len(weighted[0])
            for row, monomial in zip(weighted, self._monomials(query), strict=True):
                sums = [
                    total + (x if monomial is None else monomial * x)
                    for total, x in zip(sums, row, strict=True)
                ]
            outputs.append((sums[:-1], sums[-1]))
        return outputs

    def _monomials(self, vector: Sequence[Any]) -> list[Any]:
        """Return the monomials of a vector; None stands for the constant, by which nobody multiplies."""
        found: list[Any] = []
        for parent, axis in self._steps:
            if parent < 0:
                found.append(None)
            else:
                found.append(vector[axis] if found[parent] is None else found[parent] * vector[axis])
        return found


def masked_sums(
    queries: Vectors,
    keys: Vectors,
    values: Vectors,
    scale_ends: Sequence[int],
    coefficients: Sequence[Any],
    inverse_temperature: Any,
) -> list[tuple[list[Any], Any]]:
    """Return the sums of P(<q, k>/tau) v and of P(<q, k>/tau), straight from the mask.

    Parameters
    ----------
    queries, keys, values
        L rows each, in the order of the scales.
    scale_ends
        The number of tokens up to each scale.
    coefficients
        c_0, ..., c_g of P.
    inverse_temperature
        1/tau.
    """
    sums = []
    for start, stop in pairwise((0, *scale_ends)):
        for query in queries[start:stop]:
            numerators: list[Any] = [0] * len(values[0])
            denominator: Any = 0
            for key, value in zip(keys[:stop], values[:stop], strict=True):
                logit = sum(x * y for x, y in zip(query, key, strict=True)) * inverse_temperature
                weight: Any = 0
                for coefficient in reversed(coefficients):
                    weight = weight * logit + coefficient
                numerators = [total + weight * x for total, x in zip(numerators, value, strict=True)]
                denominator = denominator + weight
            sums.append((numerators, denominator))
    return sums


class BlockCausalState:
    """The state in floating point, by the fused kernels.

    It holds no weights: the state of degree g serves every polynomial of degree at most g, so every scale
    may use its own.

    Parameters
    ----------
    dimension, value_dimension
        d >= 1, the length of keys, and d_v, that of values.
    degree
        g, the largest degree that can be asked for.
    dtype
        float32 or float64: what the kernels compute in. Tiles are summed in float64 in either case.
    threads
        How many the kernels use; None for all.

    Attributes
    ----------
    sums
        Shape (r, d_v + 1), float64.
    tokens
        How many tokens were absorbed.
    """

    def __init__(
        self,
        dimension: int,
        value_dimension: int,
        degree: int,
        *,
        dtype: np.dtype[Any] | type = np.float32,
        threads: int | None = None,
    ) -> None:
        self.dimension, self.degree = dimension, degree
        self.monomials = total_degree(dimension, degree)
        self.sums = np.zeros((len(self.monomials), value_dimension + 1))
        self.tokens = 0
        self._options: dict[str, Any] = {"dtype": dtype, "threads": threads}

    def absorb(self, keys: Matrix, values: Matrix) -> None:
        """Add the tokens of a scale.

        Parameters
        ----------
        keys, values
            Shapes (m, d) and (m, d_v).
        """
        self.sums += key_state(keys, values, self.monomials, **self._options)
        self.tokens += len(keys)

    def attend(self, queries: Matrix, coefficients: Sequence[float], temperature: float) -> Matrix:
        """Return the outputs of queries that see everything absorbed so far.

        Parameters
        ----------
        queries
            Shape (m, d).
        coefficients
            c_0, ..., c_p of the polynomial, p <= g.
        temperature
            tau > 0.

        Returns
        -------
        numpy.ndarray
            Shape (m, d_v).

        Raises
        ------
        ValueError
            If nothing was absorbed, or the polynomial has a degree above the state's.
        """
        if not self.tokens:
            raise ValueError("A state must absorb a token before any query attends to it.")
        if len(coefficients) - 1 > self.degree:
            raise ValueError(
                f"Argument 'coefficients' must have at most {self.degree + 1} entries, one per degree of the "
                f"state, not {len(coefficients)}."
            )
        members = total_degree(self.dimension, len(coefficients) - 1)
        outputs: Matrix = query_outputs(
            queries,
            self.sums[: len(members)],
            weights(members, coefficients, temperature),
            members,
            **self._options,
        )
        return outputs


def block_causal_attention(
    queries: Matrix,
    keys: Matrix,
    values: Matrix,
    scale_ends: Sequence[int],
    coefficients: Sequence[float],
    temperature: float,
    *,
    dtype: np.dtype[Any] | type = np.float32,
    threads: int | None = None,
) -> Matrix:
    """Run over the pyramid once: absorb a scale, then answer its queries.

    Parameters
    ----------
    queries, keys, values
        Shapes (L, d), (L, d) and (L, d_v), in the order of the scales.
    scale_ends
        The number of tokens up to each scale; the last is L.
    coefficients, temperature, dtype, threads
        As for :class:`BlockCausalState`.
    """
    state = BlockCausalState(
        keys.shape[1], values.shape[1], len(coefficients) - 1, dtype=dtype, threads=threads
    )
    outputs = []
    for start, stop in pairwise((0, *scale_ends)):
        state.absorb(keys[start:stop], values[start:stop])
        outputs.append(state.attend(queries[start:stop], coefficients, temperature))
    return np.concatenate(outputs)
