"""How many tokens a pyramid has, and how many multiplications exact block-causal attention makes of it.

A schedule with the areas a_k = h_k w_k has L = a_1 + ... + a_K tokens. Tokens of scale k attend to the
scales up to k, which makes P = sum_k a_k (a_1 + ... + a_k) visible pairs (lem-token-count).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

from reductions.problems.schedule import Schedule, require_schedule


def visible_pairs(schedule: Schedule) -> int:
    """Return P, the number of pairs (query, key) under the block-causal mask.

    Raises
    ------
    ValueError
        If ``schedule`` is no schedule.
    """
    areas = [height * width for height, width in require_schedule(schedule)]
    return sum(area * seen for area, seen in zip(areas, accumulate(areas), strict=True))


def multiplications(schedule: Schedule, d: int, value_dimension: int) -> int:
    """Return (d + d_v) P: the multiplications of :func:`textbook_attention`.

    Parameters
    ----------
    schedule
        The sides of all scales.
    d, value_dimension
        Lengths of queries and keys, and of values.
    """
    return (d + value_dimension) * visible_pairs(schedule)


def least_growth(sides: Sequence[int], window: int = 1) -> Fraction | None:
    """Return the least h_{k+m} / h_k over all k, for a window of m scales; None with at most m scales.

    Raises
    ------
    ValueError
        If ``window`` is below 1.
    """
    if window < 1:
        raise ValueError(f"Argument 'window' must be at least 1, not {window}.")
    pairs = zip(sides, sides[window:], strict=False)
    return min((Fraction(later, side) for side, later in pairs), default=None)


def token_bound(n: int, growth: Fraction, window: int = 1) -> Fraction:
    """Return m n^2 g^2 / (g^2 - 1): L is below it if sides grow by g > 1 in every window of m scales.

    Raises
    ------
    ValueError
        If ``growth`` is not above 1.
    """
    square = _square(growth)
    return window * n**2 * square / (square - 1)


def pair_bound(n: int, growth: Fraction) -> Fraction:
    """Return n^4 g^6 / ((g^2 - 1)^2 (g^2 + 1)): P is below it if every scale's side grows by g > 1.

    Raises
    ------
    ValueError
        If ``growth`` is not above 1.
    """
    square = _square(growth)
    return n**4 * square**3 / ((square - 1) ** 2 * (square + 1))


def _square(growth: Fraction) -> Fraction:
    if not growth > 1:
        raise ValueError(f"Argument 'growth' must be above 1, not {growth}.")
    return Fraction(growth) ** 2


Vectors = Sequence[Sequence[Any]]


def textbook_attention(
    queries: Vectors,
    keys: Vectors,
    values: Vectors,
    schedule: Schedule,
    temperature: float,
    exponential: Callable[[Any], Any] = math.exp,
) -> list[list[Any]]:
    """Compute block-causal attention number by number, for numbers of any type.

    Parameters
    ----------
    queries, keys, values
        L rows each, in the order of the scales.
    schedule
        The sides of all scales.
    temperature
        Divides every logit.
    exponential
        The exponential function of the number type.

    Returns
    -------
    list of list
        L rows of the length of a value. Every visible pair costs d + d_v multiplications, one division
        and one exponential; every row costs d_v further divisions.
    """
    outputs = []
    start = 0
    for height, width in schedule:
        stop = start + height * width
        for query in queries[start:stop]:
            totals: list[Any] = [0] * len(values[0])
            normaliser: Any = 0
            for key, value in zip(keys[:stop], values[:stop], strict=True):
                logit = sum(x * y for x, y in zip(query, key, strict=True))
                weight = exponential(logit / temperature)
                normaliser = normaliser + weight
                totals = [total + weight * x for total, x in zip(totals, value, strict=True)]
            outputs.append([total / normaliser for total in totals])
        start = stop
    return outputs
