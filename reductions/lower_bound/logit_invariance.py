"""The scale of queries and keys means nothing without the temperature (lem-logit-invariance).

Attention sees its queries and keys only through the logits <q_i, k_j> / tau. Scaling all of them and
the temperature together moves the entry bound R and leaves the logit bound b where it was.
"""

from __future__ import annotations

import math

import numpy as np

from reductions.problems.attention import AttentionInstance


def rescale(instance: AttentionInstance, alpha: float, gamma: float) -> AttentionInstance:
    """Return (alpha Q, gamma K, V) at temperature alpha gamma tau: other entries, the same logits.

    Parameters
    ----------
    instance
        Q, K, V and tau.
    alpha, gamma
        Finite numbers of the same sign, neither zero. For powers of two the float64 logits are equal
        bit by bit, barring overflow and underflow.

    Raises
    ------
    ValueError
        If ``alpha * gamma`` is not a positive number.
    """
    if not 0 < alpha * gamma < math.inf:
        raise ValueError(
            f"Arguments 'alpha' and 'gamma' must have a positive product, not {alpha} and {gamma}."
        )
    return AttentionInstance(
        alpha * instance.queries,
        gamma * instance.keys,
        instance.values,
        alpha * gamma * instance.temperature,
    )


def at_temperature(instance: AttentionInstance, temperature: float) -> AttentionInstance:
    """Return the same attention at another temperature; queries and keys take the same factor.

    Raises
    ------
    ValueError
        If ``temperature`` is not a positive number.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"Argument 'temperature' must be a positive number, not {temperature}.")
    factor = math.sqrt(temperature / instance.temperature)
    return AttentionInstance(factor * instance.queries, factor * instance.keys, instance.values, temperature)


def equivalent_entry_bound(entry_bound: float, temperature: float, other: float) -> float:
    """Return R sqrt(tau' / tau): at temperature ``other`` it admits the logits of R at ``temperature``."""
    return entry_bound * math.sqrt(other / temperature)


def largest_logit(d: int, entry_bound: float, temperature: float) -> float:
    """Return d R^2 / tau, the largest logit bound b that entries up to R admit."""
    return d * entry_bound**2 / temperature


def half_spread(instance: AttentionInstance) -> float:
    """Return half the largest difference of two logits of one row.

    It is the least b among all logits that give the same attention weights.
    """
    return max(float(np.ptp(block, axis=1).max()) for _, block in instance.logit_blocks()) / 2


def saturating_instance(d: int, entry_bound: float, temperature: float) -> AttentionInstance:
    """Return one query and two keys with entries ±R and logits ±d R^2 / tau: b is as large as R admits."""
    query = np.full((1, d), float(entry_bound))
    return AttentionInstance(query, np.concatenate([query, -query]), np.eye(2), temperature)


def cancelling_instance(d: int, entry_bound: float, temperature: float) -> AttentionInstance:
    """Return one query and two keys with entries ±R or 0 and all logits 0: b = 0, whatever R.

    Raises
    ------
    ValueError
        If ``d`` is below 2: in one dimension b is the product of the two entry bounds, over tau.
    """
    if d < 2:
        raise ValueError(f"Argument 'd' must be at least 2, not {d}.")
    query, key = np.zeros((2, 1, d))
    query[0, :2] = entry_bound
    key[0, :2] = entry_bound, -entry_bound
    return AttentionInstance(query, np.concatenate([key, -key]), np.eye(2), temperature)
