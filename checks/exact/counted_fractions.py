"""Exact numbers that count the multiplications and divisions they take part in."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Counter:
    """Counts multiplications and divisions."""

    def __init__(self) -> None:
        self.count = 0

    def array(self, entries: NDArray[Any]) -> NDArray[Any]:
        """Return counted numbers with the given values."""
        counted: NDArray[Any] = np.frompyfunc(lambda entry: CountedFraction(Fraction(entry), self), 1, 1)(
            entries
        )
        return counted


class CountedFraction:
    """A fraction; with any number it gives a counted number, without rounding."""

    def __init__(self, value: Fraction, counter: Counter) -> None:
        self.value, self.counter = value, counter

    def _result(self, value: Fraction, cost: int) -> CountedFraction:
        self.counter.count += cost
        return CountedFraction(value, self.counter)

    def __add__(self, other: Any) -> CountedFraction:
        return self._result(self.value + _value(other), 0)

    def __mul__(self, other: Any) -> CountedFraction:
        return self._result(self.value * _value(other), 1)

    def __truediv__(self, other: Any) -> CountedFraction:
        return self._result(self.value / _value(other), 1)

    __radd__, __rmul__ = __add__, __mul__


def _value(number: Any) -> Fraction:
    return number.value if isinstance(number, CountedFraction) else Fraction(number)
