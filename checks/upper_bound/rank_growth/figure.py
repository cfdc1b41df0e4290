"""The curves of the figure of lem-rank-growth, for c = ρ = κ = 1."""

from __future__ import annotations

from collections.abc import Iterable
from math import comb, lgamma, log

from checks.upper_bound.rank_growth.cases import Growth
from reductions.upper_bound.rank_growth import bisect, rank_rate


def certified_exponents(logs: Iterable[int]) -> list[float]:
    """ln r / ln N of certified degrees."""
    degrees = [(x, Growth.of_units(x).degrees()[1]) for x in logs]
    return [log(comb(x + g, g)) / x for x, g in degrees]


def taylor_exponents(logs: Iterable[int]) -> list[float]:
    """The same for the least degree whose first dropped Taylor term is at most e^-b/N."""
    ranks = []
    for x in logs:
        g = next(g for g in range(100 * x) if (g + 1) * log(x) - lgamma(g + 2) <= -2 * x)
        ranks.append(log(comb(x + g, g)) / x)
    return ranks


def taylor_limit() -> float:
    """H(1, γ) with γ ln γ - γ - 1 = 1."""
    return rank_rate(1, bisect(lambda gamma: gamma * log(gamma) - gamma, 2.0, 1.0, 100.0))
