"""Layers for which low-rank attention is as wrong as lem-low-rank-attention allows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from checks.exact.intervals import precision
from reductions.polynomials.exponential import ExpPolynomial

HEAVY = 1000
"""How often the rarer of the two keys occurs: the finer, the closer to equality."""

_BITS = 240


@dataclass(frozen=True)
class TwoKeyLayer:
    """One query q = 1 at temperature 1 in d = 1: keys and multiplicities, with one column of values.

    The first key is where P(x) e^-x is largest, the second where it is smallest.
    """

    polynomial: ExpPolynomial
    keys: tuple[float, float]
    counts: tuple[int, int]
    values: tuple[int, int] = (1, -1)

    def state(self) -> list[tuple[Fraction, Fraction]]:
        """Return S, row by row: sum over keys of k^p [v, 1]."""
        rows = []
        for power in range(self.polynomial.degree + 1):
            terms = [n * Fraction(k) ** power for k, n in zip(self.keys, self.counts, strict=True)]
            rows.append((sum(t * v for t, v in zip(terms, self.values, strict=True)), sum(terms)))
        return [(Fraction(total), Fraction(mass)) for total, mass in rows]

    def low_rank_output(self) -> Fraction:
        """Return the exact output of the low-rank algorithm, with the polynomial's float coefficients."""
        weighted = [
            (Fraction(c) * total, Fraction(c) * mass)
            for c, (total, mass) in zip(self.polynomial.coefficients, self.state(), strict=True)
        ]
        return sum((total for total, _ in weighted), Fraction(0)) / sum(
            (mass for _, mass in weighted), Fraction(0)
        )

    def attention(self) -> tuple[Fraction, Fraction]:
        """Return numbers below and above the attention output."""
        with precision(_BITS) as iv:
            weights = [n * iv.exp(iv.mpf(k)) for k, n in zip(self.keys, self.counts, strict=True)]
            mean = sum(w * v for w, v in zip(weights, self.values, strict=True)) / sum(weights)
        low, high = mean._mpi_
        return _dyadic(low), _dyadic(high)

    def error(self) -> tuple[Fraction, Fraction]:
        """Return numbers below and above |low-rank output - attention|."""
        output = self.low_rank_output()
        low, high = self.attention()
        distances = abs(output - low), abs(output - high)
        return (Fraction(0) if low < output < high else min(distances)), max(distances)


def _dyadic(number: Any) -> Fraction:
    sign, mantissa, exponent, _ = number
    return Fraction((-1) ** sign * int(mantissa)) * Fraction(2) ** int(exponent)


def extremal_layer(polynomial: ExpPolynomial, values: tuple[int, int] = (1, -1)) -> TwoKeyLayer:
    """Put keys at the extremes of the polynomial's error, as often as equality asks for, nearly."""
    import mpmath

    def ratio(x: float) -> Any:
        return mpmath.polyval(list(reversed(polynomial.coefficients)), x) * mpmath.exp(-x)

    with mpmath.workdps(40):
        most = _largest(ratio, polynomial)
        least = _largest(lambda x: -ratio(x), polynomial)
        # Before: odds r^-1/2 for the first key, after: r^1/2, where r is the ratio of the two factors.
        odds = float(mpmath.exp(least - most) * mpmath.sqrt(ratio(least) / ratio(most)))
    counts = (HEAVY, round(HEAVY / odds)) if odds < 1 else (round(HEAVY * odds), HEAVY)
    return TwoKeyLayer(polynomial, (most, least), counts, values)


def _largest(function: Callable[[float], Any], polynomial: ExpPolynomial) -> float:
    """Return a point of the interval where the function is largest, nearly."""
    low, high, steps = polynomial.low, polynomial.high, 8 * (polynomial.degree + 1)
    centre, half = (low + high) / 2, (high - low) / 2
    points = [centre - half * math.cos(math.pi * i / steps) for i in range(steps + 1)]
    points = [min(max(x, low), high) for x in points]
    best = max(range(steps + 1), key=lambda i: function(points[i]))
    left, right = points[max(best - 1, 0)], points[min(best + 1, steps)]
    for _ in range(30):
        third = (right - left) / 3
        if function(left + third) < function(right - third):
            left += third
        else:
            right -= third
    return max(points[best], left, key=function)
