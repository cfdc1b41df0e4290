"""Attention by a plan of features, through the fused kernels, with a bound on all errors."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reductions.fast_attention.planned_features.feature_plan import FeaturePlan
from reductions.kernels.fused_kernels import key_state, query_outputs
from reductions.kernels.low_rank_rounding import UNDERFLOW, double_roundings, term_roundings
from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import UNIT_ROUNDOFF, compounded, inflated, sum_up

_EXPONENT_RANGE = 900


class PlannedAttention(NamedTuple):
    """What :func:`planned_attention` returns.

    Attributes
    ----------
    output
        Shape (L_q, d_v).
    approximation_error
        Bounds the distance of the real-number output of the plan from Att(Q, K, V; tau).
    rounding_error
        Bounds the distance of ``output`` from the real-number output; infinite where no bound is known.
    """

    output: NDArray[Any]
    approximation_error: float
    rounding_error: float

    @property
    def error_bound(self) -> float:
        """Bounds every entry of |output - Att(Q, K, V; tau)|."""
        return sum_up(self.approximation_error, self.rounding_error)


def planned_attention(
    plan: FeaturePlan, values: ArrayLike, *, dtype: Any = np.float32, threads: int | None = None
) -> PlannedAttention:
    """Return attention of the plan's queries and keys with the given values.

    Parameters
    ----------
    plan
        From :func:`~reductions.fast_attention.planned_features.plan_search.plan_features`.
    values
        V, shape (L_k, d_v), finite.
    dtype, threads
        As for the kernels.
    """
    output = planned_output(plan, values, dtype=dtype, threads=threads)
    value_bound = float(np.abs(np.asarray(values, np.float64)).max(initial=0.0))
    return PlannedAttention(
        output, plan.output_error(value_bound), rounding_bound(plan, value_bound, dtype=dtype)
    )


def planned_output(
    plan: FeaturePlan, values: ArrayLike, *, dtype: Any = np.float32, threads: int | None = None
) -> NDArray[Any]:
    """Return the output of :func:`planned_attention` alone."""
    arrays, table = plan.arrays, np.asarray(values, np.float64)
    if table.ndim != 2 or len(table) != len(arrays.keys):
        raise ValueError(
            f"Argument 'values' must be a matrix with one row for each of the {len(arrays.keys)} keys, "
            f"not of shape {table.shape}."
        )
    monomials = plan.monomials
    if (arrays.key_weights != 1).any():
        # The weights take the place of the column of ones, which is left out of the state.
        weighted = np.column_stack([table * arrays.key_weights[:, None], arrays.key_weights])
        state = key_state(arrays.keys, weighted, monomials, dtype=dtype, threads=threads)[:, :-1]
    else:
        state = key_state(arrays.keys, table, monomials, dtype=dtype, threads=threads)
    return query_outputs(arrays.queries, state, plan.weights, monomials, dtype=dtype, threads=threads)


def rounding_bound(plan: FeaturePlan, value_bound: float, *, dtype: Any) -> float:
    """Bound |computed - real-number output| of a plan, as lem-low-rank-rounding does for one polynomial.

    A term w_alpha q^alpha k^alpha omega v passes the roundings that are counted there, and one in omega v.
    The terms' absolute values add up to at most v Omega M, where Omega is the sum of the key weights and M
    that of |c_i| prod_j B_j^i_j, B_j the bound on the sum of |q_i k_i|/tau over group j. The denominator is
    at least (1 - epsilon) Omega e^m, m the least weighted mean of a query's logits.
    """
    kind = np.dtype(dtype)
    unit, double = UNIT_ROUNDOFF[kind], UNIT_ROUNDOFF[np.dtype(np.float64)]
    arrays, features, degree = plan.arrays, plan.rank, plan.degree
    keys, total = len(arrays.keys), float(arrays.key_weights.sum())
    columns = [np.abs(rows).max(axis=0) for rows in (arrays.queries, arrays.keys)]
    # Axes of groups without a degree are in no monomial.
    used = np.repeat([count > 1 for count in plan.coefficients.shape], plan.sizes)
    sizes = np.concatenate([*(column[used] for column in columns), [plan.temperature, value_bound]])
    powers = (3 * degree + 2) * _largest_logarithm(sizes)
    powers += _largest_logarithm(plan.coefficients) + _largest_logarithm(arrays.key_weights)
    if powers + degree * math.log2(2 * len(used)) + math.log2(keys) > _EXPONENT_RANGE:
        return math.inf
    theta = compounded(term_roundings(degree) * unit + (double_roundings(keys, features) + 2) * double)
    boxes, start = [], 0
    for size in plan.sizes:
        part = slice(start, start + size)
        boxes.append(inflated(4 * float(columns[0][part] @ columns[1][part]) / plan.temperature))
        start += size
    # The mean key, weighted: no query's weights add up to less than this, by Jensen's inequality.
    mean = arrays.key_weights @ arrays.keys / total
    slack = 4 * (keys + len(mean)) * double * sum(plan.magnitudes)
    least = float((arrays.queries @ (mean / plan.temperature)).min()) - slack
    least = max(least, sum(low for low, _ in plan.intervals))
    least_weight = (1 - plan.kernel_error) * math.exp(least)
    lost = 2 * UNDERFLOW * (2 * features + 1) * (2 * degree + 6) * keys / total
    deviation = theta * plan.absolute_value(plan.magnitudes) + 2 * lost * plan.absolute_value(boxes)
    share = inflated(deviation / least_weight)
    if not share < 0.5:
        return math.inf
    division = compounded(unit + 4 * double)
    return inflated(value_bound * (2 * share / (1 - share) * (1 + division) + division), lost=UNDERFLOW)


def _largest_logarithm(numbers: Floats) -> float:
    """Return a bound on |log2| of the absolute values that are not zero."""
    sizes = np.abs(numbers[numbers != 0])
    return float(np.abs(np.log2(sizes)).max(initial=0.0)) + 1
