"""What executing a statement's check and controls came to, and the level that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from checks.evidence import Evidence, Level
from checks.lemma import Kind, Run

CHECKED_KINDS = (Kind.LEMMA, Kind.THEOREM)
"""The kinds of statement that must have at least one record and one control."""


class Executed(Protocol):
    """What evidence and the record of it have in common; see :class:`checks.evidence.Evidence`."""

    @property
    def level(self) -> Level: ...  # noqa: D102
    @property
    def claim(self) -> str: ...  # noqa: D102
    @property
    def scope(self) -> str: ...  # noqa: D102
    @property
    def cases(self) -> int: ...  # noqa: D102
    @property
    def seed(self) -> int | None: ...  # noqa: D102
    @property
    def counterexample(self) -> str | None: ...  # noqa: D102


@dataclass(frozen=True)
class ControlReport:
    """What became of one negative control.

    Attributes
    ----------
    name
        What was broken, in words.
    rejected
        Whether the evidence came out FAILED, as it must.
    scope
        The instances the broken construction was run on.
    counterexample
        The case that gave the broken construction away; None where nothing did.
    """

    name: str
    rejected: bool
    scope: str
    counterexample: str | None


@dataclass(frozen=True)
class Report:
    """The result of executing the check and the controls of one statement, in this run or in one before.

    Attributes
    ----------
    id, kind, title
        The statement.
    run
        The effort and the seed of the execution.
    records
        The evidence, in the order in which the check yielded it.
    controls
        The negative controls.
    seconds
        Wall time of check and controls together.
    error
        The exception that ended the check early, in one line; None where there was none.
    """

    id: str
    kind: Kind
    title: str
    run: Run
    records: tuple[Executed, ...]
    controls: tuple[ControlReport, ...]
    seconds: float
    error: str | None = None

    @property
    def failures(self) -> tuple[str, ...]:
        """Every reason why the report is FAILED, in words; empty where it is not."""
        reasons = [] if self.error is None else [f"error: {self.error}"]
        reasons += [f"{r.claim}: {r.counterexample}" for r in self.records if r.level is Level.FAILED]
        reasons += [f"control not rejected: {c.name}" for c in self.controls if not c.rejected]
        if self.kind in CHECKED_KINDS and self.error is None:
            if not self.records:
                reasons.append("the check yielded no evidence")
            if not self.controls:
                reasons.append("no negative control is registered")
        return tuple(reasons)

    @property
    def level(self) -> Level | None:
        """The weakest over all claims of the strongest record of each claim.

        FAILED where anything failed. A citation stays CITED and a hypothesis ASSUMED, whatever a
        demonstration showed. None for a definition or a remark without a check: there is nothing
        to execute.
        """
        if self.failures:
            return Level.FAILED
        if self.kind is Kind.CITED:
            return Level.CITED
        if self.kind is Kind.ASSUMED:
            return Level.ASSUMED
        strongest: dict[str, Level] = {}
        for record in self.records:
            best = strongest.get(record.claim, record.level)
            strongest[record.claim] = min(best, record.level, key=lambda level: level.rank)
        return max(strongest.values(), key=lambda level: level.rank, default=None)

    def __str__(self) -> str:
        from checks.report_format import report_text

        return report_text(self)

    def _repr_html_(self) -> str:
        from checks.report_format import report_html

        return report_html(self)


@dataclass(frozen=True)
class LemmaReport(Report):
    """A report of what was executed here: its records are evidence, which nobody makes by hand."""

    records: tuple[Evidence, ...]
