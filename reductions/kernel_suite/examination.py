"""Test an attention kernel against hard instances: where does it decide right, and where does it stop to?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.kernel_suite.calling import Convention, Precision
from reductions.kernel_suite.hard_instance import HardInstance
from reductions.kernel_suite.kernel_process import KernelFailed, KernelProcess
from reductions.kernel_suite.low_precision import exact_attention_in

HEADROOM = 0.25
"""An instance counts at a precision where exact attention in it errs by at most this share of the margin."""


VALUE_FACTORS = (1.0, -1.0, 2.0, -2.0)
"""What the columns of values that a kernel is given are multiples of: exact in every precision."""


class Verdict(StrEnum):
    """What became of one instance."""

    RIGHT = "right"  # decided right, and every judged row within the margin
    OUTSIDE = "outside"  # decided right, but some judged row is off by more than the margin
    WRONG = "wrong"  # decided wrong
    FAILED = "failed"  # no output, or one that is not finite


@dataclass(frozen=True)
class Outcome:
    """One instance's result.

    Attributes
    ----------
    name, reading, route, family, tokens, strength, logit_bound, answer
        Of the instance; the strength as a float.
    verdict
        Of the kernel.
    counts
        Whether the verdict counts: exact attention in the kernel's precision has headroom.
    worst_error, baseline_error
        The kernel's and exact attention's worst error in units of the margin; None where it failed.
    seconds
        Of the call.
    message
        Why it failed, one line; else empty.
    """

    name: str
    reading: str
    route: str
    family: str
    tokens: int
    strength: float
    logit_bound: float
    answer: str
    verdict: Verdict
    counts: bool
    worst_error: float | None
    baseline_error: float
    seconds: float
    message: str = ""

    def passes(self, *, decisions_only: bool = False) -> bool:
        """Whether nothing here speaks against the kernel: the rule of the command and of the pytest plugin.

        Where the instance counts, the decision must be right and, unless ``decisions_only``, every judged row
        within the margin.
        """
        accepted = (Verdict.RIGHT, Verdict.OUTSIDE) if decisions_only else (Verdict.RIGHT,)
        return not self.counts or self.verdict in accepted


@dataclass(frozen=True)
class KernelReport:
    """All outcomes of one run, and whether only the decisions matter: see :meth:`Outcome.passes`."""

    target: str
    convention: Convention
    outcomes: tuple[Outcome, ...]
    decisions_only: bool = False

    @property
    def exit_status(self) -> int:
        """0 where every outcome passes, else 1."""
        return int(not all(outcome.passes(decisions_only=self.decisions_only) for outcome in self.outcomes))

    @cached_property
    def regimes(self) -> tuple[Regime, ...]:
        """The outcomes by reading, route, number of tokens and strength, in the order they came."""
        regimes: dict[tuple[str, str, int, float], list[Outcome]] = {}
        for outcome in self.outcomes:
            key = (outcome.reading, outcome.route, outcome.tokens, outcome.strength)
            regimes.setdefault(key, []).append(outcome)
        return tuple(Regime(*key, tuple(found)) for key, found in regimes.items())

    @property
    def sizes(self) -> tuple[int, ...]:
        """The numbers of tokens, in increasing order."""
        return tuple(sorted({outcome.tokens for outcome in self.outcomes}))

    def right_up_to(self, tokens: int) -> float | None:
        """Return the largest logit bound b such that all counting instances of L tokens up to b are right."""
        largest = None
        for outcome in sorted(self.outcomes, key=lambda outcome: outcome.logit_bound):
            if outcome.tokens != tokens or not outcome.counts:
                continue
            if not outcome.passes():
                break
            largest = outcome.logit_bound
        return largest

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, for JSON."""
        return {
            "schema": 1,
            "kernel": self.target,
            "convention": asdict(self.convention),
            "headroom": HEADROOM,
            "decisions_only": self.decisions_only,
            "exit_status": self.exit_status,
            "right_up_to": {str(tokens): self.right_up_to(tokens) for tokens in self.sizes},
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }


@dataclass(frozen=True)
class Regime:
    """The outcomes of one reading and route, one number of tokens, and one strength."""

    reading: str
    route: str
    tokens: int
    strength: float
    outcomes: tuple[Outcome, ...]

    def count(self, verdict: Verdict) -> int:
        """Return how many instances that count have this verdict."""
        return sum(outcome.counts and outcome.verdict is verdict for outcome in self.outcomes)

    @property
    def beyond(self) -> int:
        """How many do not count: exact attention in that precision has no headroom."""
        return sum(not outcome.counts for outcome in self.outcomes)

    @property
    def worst_error(self) -> float | None:
        """The worst error of those that count, in units of the margin."""
        errors = [o.worst_error for o in self.outcomes if o.counts and o.worst_error is not None]
        return max(errors, default=None)

    @property
    def logit_bounds(self) -> tuple[float, float]:
        """The least and the largest logit bound."""
        bounds = [outcome.logit_bound for outcome in self.outcomes]
        return min(bounds), max(bounds)


def judge(
    instance: HardInstance,
    outputs: NDArray[np.float64] | None,
    precision: Precision,
    message: str = "",
    seconds: float = 0.0,
) -> Outcome:
    """Judge the outputs of all rows of an instance rounded to ``precision``; None: there are none.

    Shape (L, c): column j is of the values times the j-th factor of :func:`value_factors`.
    """
    rows = instance.rows
    baseline_error = instance.worst_error(_exact_in(instance, precision))
    worst_error = None
    verdict = Verdict.FAILED
    if outputs is not None:
        finite = np.isfinite(outputs).all(axis=1)
        if not finite.all():
            message = f"{int((~finite).sum())} of {len(outputs)} rows are not finite"
        else:
            columns = (outputs[rows] / value_factors(outputs.shape[1])).T
            worst_error = max(map(instance.worst_error, columns))
            verdict = Verdict.RIGHT if worst_error < 1 else Verdict.OUTSIDE
            if any(instance.decide(column) is not instance.answer for column in columns):
                verdict = Verdict.WRONG
    label = instance.label
    return Outcome(
        name=label.name,
        reading=label.reading,
        route=label.route,
        family=label.family,
        tokens=label.tokens,
        strength=float(label.strength),
        logit_bound=instance.logit_bound,
        answer=str(instance.answer),
        verdict=verdict,
        counts=baseline_error <= HEADROOM,
        worst_error=worst_error,
        baseline_error=baseline_error,
        seconds=seconds,
        message=message,
    )


def value_factors(columns: int) -> NDArray[np.float64]:
    """Return the factor of every column of the values that a kernel is given."""
    return np.resize(VALUE_FACTORS, columns)


def _exact_in(instance: HardInstance, precision: Precision) -> NDArray[np.floating[Any]]:
    """Return what exact attention in a precision makes of the judged rows, shape (rows,)."""
    found = np.empty(len(instance.rows))
    seen = np.array([instance.keys_seen(int(row)) for row in instance.rows])
    queries, keys, values = instance.queries, instance.keys, instance.values
    for end in np.unique(seen):
        at = np.flatnonzero(seen == end)
        rows = instance.rows[at]
        arrays = (queries[rows], keys[:end], values[:end])
        found[at] = exact_attention_in(*arrays, instance.temperature, precision)[:, 0]
    return found


def outcomes(process: KernelProcess, instances: Iterable[HardInstance]) -> Iterator[Outcome]:
    """Run the kernel on one instance after the other; a failure is an outcome, and the run goes on."""
    precision = process.convention.precision
    for exact in instances:
        instance = exact.rounded_to(precision)
        # As many columns of values as queries have, as fused kernels want it, and some negative.
        values = instance.values * value_factors(instance.queries.shape[1])
        arrays = (instance.queries, instance.keys, values)
        try:
            answered = process.call(*arrays, instance.temperature, instance.scale_ends)
        except KernelFailed as error:
            yield judge(instance, None, precision, str(error))
        else:
            yield judge(instance, answered.output, precision, seconds=answered.seconds)


def examine_kernel(
    target: str,
    instances: Iterable[HardInstance],
    convention: Convention | None = None,
    *,
    time_limit_s: float = 60.0,
    decisions_only: bool = False,
    path: Sequence[str] | None = None,
) -> KernelReport:
    """Run MODULE:FUNCTION or FILE.py:FUNCTION in a child process on all instances.

    ``decisions_only``: see :class:`KernelReport`; the other arguments are those of
    :class:`~reductions.kernel_suite.kernel_process.KernelProcess`.

    Raises
    ------
    KernelNotFound
        If the kernel cannot be loaded.
    """
    convention = convention or Convention()
    with KernelProcess(target, convention, time_limit_s, path) as process:
        found: Sequence[Outcome] = tuple(outcomes(process, instances))
    return KernelReport(target, convention, tuple(found), decisions_only)
