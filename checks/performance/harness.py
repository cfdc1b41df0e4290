"""Timing side by side: every ratio is between calls of the same round of the same process.

A time alone says little about a program: it moves with the machine, its neighbours and its clock rate.
So candidates take turns. In each round every candidate runs, in alternating order, and only times of one
round are divided by each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

Clock = Callable[[], float]
Call = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """A median of ratios, and the quartiles between which the middle half of them lies."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Timings:
    """Raw times of candidates that took turns.

    Attributes
    ----------
    seconds
        For every candidate, for every round, the seconds of each of its calls.
    """

    seconds: Mapping[str, tuple[tuple[float, ...], ...]]

    def median(self, candidate: str) -> float:
        """Return the median of all calls in seconds."""
        return median(second for calls in self.seconds[candidate] for second in calls)

    def speed_up(self, candidate: str, baseline: str) -> Ratio:
        """Return how many times faster than ``baseline`` a candidate is.

        The ratios are those of every call of the one with every call of the other in the same round.
        """
        rounds = zip(self.seconds[baseline], self.seconds[candidate], strict=True)
        ratios = [slow / fast for base, own in rounds for slow in base for fast in own]
        if len(ratios) == 1:
            return Ratio(ratios[0], ratios[0], ratios[0])
        low, middle, high = quantiles(ratios, n=4, method="inclusive")
        return Ratio(middle, low, high)


def paired(
    candidates: Mapping[str, Call | Sequence[Call]],
    *,
    rounds: int = 3,
    slice_seconds: float = 0.1,
    most_calls: int = 20,
    warm_up: Collection[str] | None = None,
    clock: Clock = time.perf_counter,
) -> Timings:
    """Time candidates that take turns.

    A candidate that takes seconds may come in parts, calls that together do its work. Then everyone has as
    many turns in a round as there are parts: the others are measured all along, and the time of the
    candidate in parts is the sum.

    Parameters
    ----------
    candidates
        What to call, by name: one call, or the parts of one.
    rounds
        How many rounds there are, at least 1.
    slice_seconds, most_calls
        In its turns of a round a candidate is called until its calls took this long, or this often, and at
        least once a turn.
    warm_up
        Which candidates are called once before, untimed: compilation, caches, pools of threads. None: all.
    clock
        A clock in seconds.

    Raises
    ------
    ValueError
        If there is no candidate, or a number is out of range.
    """
    for argument, value in (("rounds", rounds), ("most_calls", most_calls)):
        if value < 1:
            raise ValueError(f"Argument {argument!r} must be at least 1, not {value}.")
    parts = {name: [call] if callable(call) else list(call) for name, call in candidates.items()}
    if not parts or not all(parts.values()):
        raise ValueError("Argument 'candidates' must name at least one candidate and a call for each.")
    for name, calls in parts.items():
        if warm_up is None or name in warm_up:
            for call in calls:
                call()
    turns = max(map(len, parts.values()))
    seconds: dict[str, list[tuple[float, ...]]] = {name: [] for name in parts}
    names = list(parts)
    for _ in range(rounds):
        found: dict[str, list[float]] = {name: [] for name in parts}
        for turn in range(turns):
            # There and back again: what drifts favours no one twice.
            for name in names if turn % 2 == 0 else reversed(names):
                calls = parts[name]
                if len(calls) == 1:
                    found[name] += _turn(calls[0], slice_seconds / turns, -(-most_calls // turns), clock)
                elif turn < len(calls):
                    found[name] += _turn(calls[turn], 0.0, 1, clock)
        for name, calls in parts.items():
            whole = found[name] if len(calls) == 1 else [sum(found[name])]
            seconds[name].append(tuple(whole))
        names.reverse()
    return Timings({name: tuple(found_by_round) for name, found_by_round in seconds.items()})


def _turn(call: Call, slice_seconds: float, most_calls: int, clock: Clock) -> tuple[float, ...]:
    calls: list[float] = []
    while not calls or (sum(calls) < slice_seconds and len(calls) < most_calls):
        start = clock()
        call()
        # A clock with coarse ticks may stand still; a ratio needs a positive number.
        calls.append(max(clock() - start, 1e-9))
    return tuple(calls)


def fitted_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the slope of the least-squares line through (log size, log seconds).

    Raises
    ------
    ValueError
        If there are fewer than two sizes, or not as many times.
    """
    import numpy as np

    if len(sizes) < 2 or len(sizes) != len(seconds):
        raise ValueError(
            "Argument 'seconds' must have one time for each of at least 2 sizes, "
            f"not {len(seconds)} for {len(sizes)}."
        )
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def local_exponents(sizes: Sequence[float], seconds: Sequence[float]) -> list[float]:
    """Return the slope between each size and the next."""
    return [fitted_exponent(sizes[i : i + 2], seconds[i : i + 2]) for i in range(len(sizes) - 1)]
