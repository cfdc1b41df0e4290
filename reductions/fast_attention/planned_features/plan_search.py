"""The search for a plan of few features: centres and axes from a sample, bounds and proofs from all rows."""

from __future__ import annotations

import math

import numpy as np

from reductions.fast_attention.planned_features.feature_plan import FeaturePlan, certified_plan
from reductions.fast_attention.planned_features.staircase_search import best_cuts
from reductions.layers.arrays import Floats
from reductions.upper_bound.principal_axes import (
    Recentred,
    balanced_axes,
    centre,
    largest_norm,
    recentred,
)

_SAMPLE = 2048
LARGEST_NUMBER = 2.0**100
"""No entry is larger, no temperature larger or smaller than its inverse."""
_LARGEST_KEY_EXPONENT = 30.0  # key weights that spread further would leave too few digits to the others
_LARGEST_LOGIT_ERROR = 2.0**-20


def plan_features(
    queries: Floats,
    keys: Floats,
    temperature: float,
    epsilon: float,
    *,
    max_groups: int = 5,
    plain: bool = False,
) -> FeaturePlan | None:
    """Return the cheapest plan found whose certified relative error is at most ``epsilon``.

    Parameters
    ----------
    queries, keys
        Q and K, shapes (L_q, d) and (L_k, d), float64, at least one row and one column each.
    temperature
        tau > 0.
    epsilon
        The relative error that is wanted for the weights, in (0, 1).
    max_groups
        How many groups of axes to form at most.
    plain
        Take all monomials up to a degree, of the queries and keys as they are.

    Returns
    -------
    FeaturePlan or None
        None where no plan meets it, as with logits that spread too far. The rank is never above that of the
        plain plan, C(d + g, g).

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    _require(queries, keys, temperature, epsilon)
    whole = (0, queries.shape[1])
    best = certified_plan(Recentred(queries, keys, np.ones(len(keys)), 0.0), whole, temperature, epsilon)
    if plain:
        return best
    for arrays in _moved(queries, keys, temperature):
        cuts = best_cuts(arrays.queries, arrays.keys, temperature, epsilon, max_groups)
        for groups in dict.fromkeys([whole, cuts]):
            plan = groups and certified_plan(arrays, groups, temperature, epsilon)
            if plan and (best is None or plan.rank < best.rank):
                best = plan
    return best


def _moved(queries: Floats, keys: Floats, temperature: float) -> list[Recentred]:
    """Return the arrays about their centres and on principal axes, unless that moves the logits too far."""
    some_queries, some_keys = _sample(queries), _sample(keys)
    query_centre, key_centre = (_best_centre(rows) for rows in (some_queries, some_keys))
    exponents = (keys - key_centre) @ (query_centre / temperature)
    if np.ptp(exponents) > _LARGEST_KEY_EXPONENT:
        query_centre = np.zeros_like(query_centre)
    axes = balanced_axes(some_queries - query_centre, some_keys - key_centre)
    arrays = recentred(
        queries, keys, temperature, query_centre=query_centre, key_centre=key_centre, axes=axes
    )
    return [arrays] if arrays.logit_error < _LARGEST_LOGIT_ERROR else []


def spread_rows(rows: Floats, count: int) -> Floats:
    """Return at most ``count`` rows, one from each of as many equal parts.

    Where in its part a row lies follows the golden ratio, so that no period of the data is met.
    """
    if len(rows) <= count:
        return rows
    parts = np.arange(count)
    places = (parts + (parts * 0.6180339887498949) % 1) * (len(rows) / count)
    chosen: Floats = rows[np.minimum(places.astype(np.intp), len(rows) - 1)]
    return chosen


def _sample(rows: Floats) -> Floats:
    return spread_rows(rows, _SAMPLE)


def _best_centre(rows: Floats) -> Floats:
    """Return the origin, the mean or the end of a walk: whichever has the smallest ball around it."""
    candidates = (np.zeros(rows.shape[1]), rows.mean(axis=0), centre(rows))
    radii = [largest_norm(rows - point) for point in candidates]
    # Moving costs weights for the keys: for less than a hundredth it is not done.
    least = min(range(3), key=lambda i: radii[i] * (0.99 if i == 0 else 1.0))
    return candidates[least]


def _require(queries: Floats, keys: Floats, temperature: float, epsilon: float) -> None:
    for name, rows in (("queries", queries), ("keys", keys)):
        if rows.ndim != 2 or not rows.size or rows.dtype != np.float64:
            raise ValueError(
                f"Argument {name!r} must be a float64 matrix with a row and a column at least, "
                f"not {rows.dtype} of shape {rows.shape}."
            )
        # A NaN fails every comparison.
        if not max(rows.max(), -rows.min()) <= LARGEST_NUMBER:
            raise ValueError(f"Argument {name!r} must have finite entries up to 2^100 only.")
    if queries.shape[1] != keys.shape[1]:
        raise ValueError(
            f"Argument 'keys' must have {queries.shape[1]} columns as the queries, not {keys.shape[1]}."
        )
    if not 1 / LARGEST_NUMBER <= temperature <= LARGEST_NUMBER:
        raise ValueError(f"Argument 'temperature' must be between 2^-100 and 2^100, not {temperature}.")
    if not 0 < epsilon < 1 or math.isnan(epsilon):
        raise ValueError(f"Argument 'epsilon' must be above 0 and below 1, not {epsilon}.")
