"""Rounding up and down: the one home of float arithmetic whose result is on a known side of the real number.

What :mod:`math` and NumPy compute is rounded to nearest. A proved bound needs more: a float that is never
below (or never above) the real number it stands for. Bounds that count the roundings of one algorithm stay
with that algorithm; they end in a function from here.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Size = TypeVar("Size", float, NDArray[np.float64])

UNIT_ROUNDOFF = {np.dtype(np.float32): 2.0**-24, np.dtype(np.float64): 2.0**-53}
"""u, the largest relative error of one operation on normal numbers, by type."""

SMALLEST_NORMAL = {np.dtype(np.float32): 2.0**-126, np.dtype(np.float64): 2.0**-1022}
"""Below it, precision is lost; an operation loses at most that much, also where such numbers become 0."""

ROUNDING = UNIT_ROUNDOFF[np.dtype(np.float64)]
"""u of float64, in which all bounds are computed."""

_LEAST = 2.0**-900  # far above what products lose to underflow


def round_up(number: Fraction) -> float:
    """Return the least float that is at least ``number``.

    Raises
    ------
    OverflowError
        If the number is beyond the range of float64.
    """
    nearest = float(number)
    return nearest if Fraction(nearest) >= number else math.nextafter(nearest, math.inf)


def round_down(number: Fraction) -> float:
    """Return the largest float that is at most ``number``.

    Raises
    ------
    OverflowError
        If the number is beyond the range of float64.
    """
    return -round_up(-number)


def float_below(ball: Any) -> float:
    """Return a float at most every point of an Arb ball; 0 where the ball is at least 0 and rounds to it."""
    lowest = ball.lower()
    nearest = float(lowest)
    return math.nextafter(nearest, -math.inf) if nearest or lowest < 0 else 0.0


def float_above(ball: Any) -> float:
    """Return a float at least every point of an Arb ball."""
    return math.nextafter(float(ball.upper()), math.inf)


def sum_up(*terms: float) -> float:
    """Return the sum of nonnegative floats, rounded up; 0 only if all are 0."""
    total = math.fsum(terms)  # rounded once
    return math.nextafter(total, math.inf) if total else 0.0


def quotient_up(number: float, divisor: float) -> float:
    """Return a float that is at least number/divisor: infinity where that exceeds float64."""
    return math.nextafter(number / divisor, math.inf)


def quotient_down(number: float, divisor: float) -> float:
    """Return a float that is at most number/divisor: minus infinity where that exceeds float64."""
    return math.nextafter(number / divisor, -math.inf)


def inflated(computed: Size, roundings: int = 2**12, lost: float = 0.0) -> Size:
    """Return at least the real value of what was computed from nonnegative floats without cancellation.

    Parameters
    ----------
    computed
        Numbers >= 0 from sums, products, quotients and roots in float64.
    roundings
        At least how many roundings one term of it passed: between 4 and 2^40. The default is more than any
        formula that is written out takes.
    lost
        At least twice what underflows may have taken away in all.
    """
    # (1 + 2 n u)(1 - u)^(n + 2) >= 1: two roundings are those of this line.
    return computed * (1 + 2 * roundings * ROUNDING) + lost


def compounded(first_order: float) -> float:
    """Bound |product of (1 + delta_i) - 1| where the |delta_i| add up to ``first_order``, to rounding."""
    return first_order / (1 - first_order) if first_order < 0.5 else math.inf


def up(computed: float) -> float:
    """Make up for 32 roundings of nonnegative floats; 0, which :func:`times` keeps exact, stays 0."""
    return inflated(computed, 32, _LEAST) if computed else 0.0


def times(first: float, second: float) -> float:
    """Return the product, 0 where a factor is 0 (also if the other is infinite), never an underflow to 0.

    It is rounded to nearest: :func:`up` makes up for that.
    """
    return max(first * second, _LEAST) if first and second else 0.0
