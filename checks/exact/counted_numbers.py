"""Numbers that count the multiplications they take part in, and can be compared and rectified."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from checks.lower_bound.token_count import Tally


@dataclass(frozen=True)
class Counted:
    """A float with a shared tally of operations; products with plain floats count as well."""

    value: float
    tally: Tally = field(repr=False)

    def __add__(self, other: Any) -> Counted:
        return Counted(self.value + plain(other), self.tally)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Counted:
        return Counted(self.value - plain(other), self.tally)

    def __mul__(self, other: Any) -> Counted:
        self.tally.multiplications += 1
        return Counted(self.value * plain(other), self.tally)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Counted:
        self.tally.divisions += 1
        return Counted(self.value / plain(other), self.tally)

    def __gt__(self, other: Any) -> bool:
        return self.value > plain(other)

    def exponential(self) -> Counted:
        """Return e to this number."""
        self.tally.exponentials += 1
        return Counted(math.exp(self.value), self.tally)


def plain(number: Any) -> float:
    """Return the value of a number, counted or not."""
    return number.value if isinstance(number, Counted) else float(number)
