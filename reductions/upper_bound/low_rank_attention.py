"""Low-rank attention: one layer in time that is linear in its tokens (lem-low-rank-attention).

Replace exp by a polynomial P. The weight P(<q, k>/tau) of a key is an inner product of monomials, and the
sums over keys can be formed before a query is known:

    sum_j P(<q, k_j>/tau) [v_j, 1] = sum_alpha w_alpha q^alpha S[alpha],   S = sum_j k_j^alpha [v_j, 1].

This is the readable version, for arrays of any library of the Python array API standard (NumPy, torch, CuPy,
array_api_strict); :mod:`reductions.kernels.fused_kernels` computes the same without the features.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reductions.polynomials.exponential import ExpPolynomial
from reductions.upper_bound.monomial_features import (
    MonomialSet,
    feature_count,
    monomials,
    total_degree,
    weights,
)
from reductions.upper_bound.weight_perturbation import weighted_mean_error


def low_rank_attention(
    queries: Any, keys: Any, values: Any, temperature: float, polynomial: ExpPolynomial, *, block: int = 256
) -> Any:
    """Return sum_j P(<q_i, k_j>/tau) v_j / sum_j P(<q_i, k_j>/tau) for every query, shape (L_q, d_v).

    Parameters
    ----------
    queries, keys, values
        Q (L_q, d), K (L_k, d) and V (L_k, d_v): arrays of one library, dtype and device; L_q, L_k >= 1.
    temperature
        tau > 0.
    polynomial
        P, on an interval that holds all logits <q_i, k_j>/tau; its error bounds that of the output
        by :func:`approximation_error`.
    block
        How many tokens' features are held at a time. At d_v + 1 they take as much memory as the state.

    Returns
    -------
    array
        Of the same library, dtype and device.
    """
    from array_api_compat import array_namespace, device

    xp = array_namespace(queries, keys, values)
    members = total_degree(keys.shape[1], polynomial.degree)
    state = key_sums(keys, values, members, block)
    factors = weights(members, polynomial.coefficients, temperature)
    weighted = state * like(state, factors)[:, None]
    output = xp.empty((queries.shape[0], values.shape[1]), dtype=queries.dtype, device=device(queries))
    for tokens in _blocks(queries.shape[0], block):
        sums = monomials(queries[tokens, :], members) @ weighted
        output[tokens, :] = sums[:, :-1] / sums[:, -1:]
    return output


def key_sums(keys: Any, values: Any, members: MonomialSet, block: int = 256) -> Any:
    """Return S = sum over keys k with value v of monomials(k) [v, 1], shape (r, d_v + 1).

    The readable version of :func:`reductions.kernels.fused_kernels.key_state`.
    """
    from array_api_compat import array_namespace

    xp = array_namespace(keys, values)
    state = 0
    for tokens in _blocks(keys.shape[0], block):
        extended = xp.concat([values[tokens, :], xp.ones_like(values[tokens, :1])], axis=1)
        state = state + monomials(keys[tokens, :], members).T @ extended
    return state


def _blocks(count: int, block: int) -> Iterator[slice]:
    for start in range(0, count, block):
        yield slice(start, min(start + block, count))


def like(array: Any, numbers: Any) -> Any:
    """Return NumPy's numbers as an array of the library, dtype and device of another."""
    from array_api_compat import array_namespace, device

    return array_namespace(array).asarray(numbers, dtype=array.dtype, device=device(array))


def approximation_error(polynomial: ExpPolynomial, value_range: float) -> float:
    """Bound |low-rank output - attention| for a column of values, over the reals, rounded up.

    Parameters
    ----------
    polynomial
        P; all logits lie in its interval.
    value_range
        The largest entry of the column less the smallest (rounded up), at most 2v: adding a constant to
        all values adds it to both outputs.

    Returns
    -------
    float
        (range) tanh(artanh(eps)/2) = (range) (1 - sqrt(1 - eps^2))/eps, about (range) eps/2; the range where
        eps >= 1, of which nothing follows.
    """
    if not polynomial.error < 1:
        return value_range
    return weighted_mean_error(value_range / 2, polynomial.error)


def operation_count(dimension: int, value_dimension: int, degree: int, queries: int, keys: int) -> int:
    """Return how many multiplications and divisions low-rank attention takes, exactly.

    Each token: r - 1 products for its monomials. Each key: r (d_v + 1) multiply-adds into the state. Once:
    r (d_v + 1) products with the weights. Each query: r (d_v + 1) multiply-adds and d_v divisions. The r
    weights themselves depend on d, g, P and tau only.

    Parameters
    ----------
    dimension, value_dimension
        d and d_v.
    degree
        g; r = C(d + g, g).
    queries, keys
        L_q and L_k.
    """
    rank, columns = feature_count(dimension, degree), value_dimension + 1
    tokens = queries + keys
    return tokens * (rank - 1) + (tokens + 1) * rank * columns + queries * value_dimension


def exact_operation_count(dimension: int, value_dimension: int, queries: int, keys: int) -> int:
    """Return the same count of exact attention: logits, 1/tau, one exponential each, mean, division."""
    return queries * keys * (dimension + 2 + value_dimension + 1) + queries * value_dimension
