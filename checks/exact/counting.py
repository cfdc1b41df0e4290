"""Numbers that count the operations they take part in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class Tally:
    """How often each operation was executed; additions, subtractions and comparisons are free."""

    multiplications: int = 0
    divisions: int = 0
    exponentials: int = 0


@dataclass(frozen=True)
class Counted:
    """A float or a Fraction with a shared tally; a plain number that it meets becomes one of its kind."""

    value: Any
    tally: Tally = field(repr=False)

    def _result(self, value: Any) -> Counted:
        return Counted(value, self.tally)

    def _other(self, number: Any) -> Any:
        return number.value if isinstance(number, Counted) else type(self.value)(number)

    def __add__(self, other: Any) -> Counted:
        return self._result(self.value + self._other(other))

    def __sub__(self, other: Any) -> Counted:
        return self._result(self.value - self._other(other))

    def __mul__(self, other: Any) -> Counted:
        self.tally.multiplications += 1
        return self._result(self.value * self._other(other))

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Any) -> Counted:
        self.tally.divisions += 1
        return self._result(self.value / self._other(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > self._other(other))

    def exponential(self) -> Counted:
        """Return e to this number, a float."""
        self.tally.exponentials += 1
        return self._result(math.exp(self.value))


def counted_fractions(entries: NDArray[Any], tally: Tally) -> NDArray[Any]:
    """Return the array of the same shape and values whose entries are exact and counted."""
    counted: NDArray[Any] = np.frompyfunc(lambda entry: Counted(Fraction(entry), tally), 1, 1)(entries)
    return counted
