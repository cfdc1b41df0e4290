"""Schedules: the heights and widths of a model's scales, and how many tokens they make."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Shape = tuple[int, int]
Schedule = tuple[Shape, ...]

RELEASED_SIDES = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
"""The sides of the released 256-pixel model's token maps (TJY24)."""


def square_schedule(sides: Sequence[int]) -> Schedule:
    """Return the schedule of square scales with the given sides, checked.

    >>> square_schedule([1, 2, 4])
    ((1, 1), (2, 2), (4, 4))
    """
    return require_schedule(tuple((side, side) for side in sides))


def geometric_sides(n: int) -> tuple[int, ...]:
    """Return 1, 2, 4, ..., n for a power of two n."""
    if n < 1 or n & (n - 1):
        raise ValueError(f"Argument 'n' must be a power of two, not {n}.")
    return tuple(2**exponent for exponent in range(n.bit_length()))


def require_schedule(schedule: Schedule) -> Schedule:
    """Return ``schedule`` if it is a schedule, or raise ValueError.

    Every scale is at least as high and as wide as the one before, and larger in one of the two.
    """
    if not schedule:
        raise ValueError("Argument 'schedule' must have at least one scale, not none.")
    for height, width in schedule:
        if height < 1 or width < 1:
            raise ValueError(f"Argument 'schedule' must have positive sides, not {height} x {width}.")
    for (h, w), (next_h, next_w) in pairwise(schedule):
        if next_h < h or next_w < w or (next_h, next_w) == (h, w):
            raise ValueError(
                f"Argument 'schedule' must increase from scale to scale, "
                f"not go from {h} x {w} to {next_h} x {next_w}."
            )
    return schedule


def token_count(schedule: Schedule) -> int:
    """Return L, the number of tokens in the pyramid."""
    return sum(height * width for height, width in schedule)
