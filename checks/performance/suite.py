"""What a suite of measurements is given and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from checks.performance.harness import Ratio, Timings
from checks.performance.size import Size as Size

Setting = Mapping[str, str | int | float]
T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """How to measure.

    Attributes
    ----------
    size
        How much.
    seed
        Seed of all data.
    threads
        Threads of every candidate.
    say
        Takes a line about progress.
    """

    size: Size
    seed: int
    threads: int
    say: Callable[[str], None] = lambda line: None

    def pick(self, *, tiny: T, quick: T, full: T) -> T:
        """Return the one for this size."""
        return {Size.TINY: tiny, Size.QUICK: quick, Size.FULL: full}[self.size]


@dataclass(frozen=True)
class Measurement:
    """One method at one setting.

    Attributes
    ----------
    method
        Its name, such as "low rank, g = 3".
    setting
        What it ran on: tokens, dimension, data, ...
    seconds
        Raw times: for every round those of every call.
    baseline, speed_up
        What it is compared with, and how many times faster it is; None for a baseline itself.
    error
        Largest absolute difference of an entry from exact attention in float64, where it was measured.
    certified_error
        What the method itself guarantees, where it does.
    extra
        Further figures by name: rank, multiply-adds, ...
    """

    method: str
    setting: Setting
    seconds: tuple[tuple[float, ...], ...]
    baseline: str | None = None
    speed_up: Ratio | None = None
    error: float | None = None
    certified_error: float | None = None
    extra: Mapping[str, float] = field(default_factory=dict)


def measurement(
    timings: Timings, method: str, setting: Setting, baseline: str | None = None, **further: float | None
) -> Measurement:
    """Return what was timed of one method; ``further`` are error, certified_error and extra figures."""
    error, certified = further.pop("error", None), further.pop("certified_error", None)
    return Measurement(
        method,
        setting,
        timings.seconds[method],
        baseline,
        None if baseline is None else timings.speed_up(method, baseline),
        error,
        certified,
        {name: value for name, value in further.items() if value is not None},
    )


@dataclass(frozen=True)
class Target:
    """A figure that the project wants to reach, beside the measured one.

    Attributes
    ----------
    name
        What is measured.
    at_least
        Whether more is better.
    goal
        The figure to reach.
    measured
        What was found; None where this size does not measure it, or there was nothing to measure.
    note
        Why there is nothing, or what else to know.
    """

    name: str
    at_least: bool
    goal: float
    measured: float | None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where nothing was measured."""
        if self.measured is None:
            return None
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal


@dataclass(frozen=True)
class SuiteResult:
    """What a suite found.

    Attributes
    ----------
    name, title
        Of the suite.
    measurements
        One for each method and setting.
    targets
        Figures to reach.
    figures
        Further results by name, such as fitted exponents.
    """

    name: str
    title: str
    measurements: tuple[Measurement, ...]
    targets: tuple[Target, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


Suite = Callable[[Bench], SuiteResult]
