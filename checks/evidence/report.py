"""What executing a statement's check and controls came to, and the level that follows from it.

A report is shown as plain text in terminals and as an accessible table in notebooks and on pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from textwrap import shorten
from typing import Protocol

from checks.evidence import Evidence, Level
from checks.evidence.registry import Kind, Run

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
        return report_text(self)

    def _repr_html_(self) -> str:
        return report_html(self)


@dataclass(frozen=True)
class LemmaReport(Report):
    """A report of what was executed here: its records are evidence, which nobody makes by hand."""

    records: tuple[Evidence, ...]


LONGEST_COUNTEREXAMPLE = 200  # characters shown; the record keeps all of it


def level_word(report: Report) -> str:
    """Return the level in one word; the kind ("definition") where there is nothing to execute."""
    return report.kind.value if report.level is None else report.level.value


def report_text(report: Report) -> str:
    """Return the report as lines of plain text."""
    lines = [f"{report.id}  {level_word(report)}  {report.title}  ({_circumstances(report)})"]
    for record in report.records:
        lines.append(f"  {record.level}: {record.claim}")
        lines.append(f"      {record.scope}; {_cases(record.cases)}{_seed(record.seed)}")
    for control in report.controls:
        verdict = "rejected" if control.rejected else "NOT REJECTED"
        lines.append(f"  control {verdict}: {control.name}")
        lines.append(f"      {control.scope}; {_short(control.counterexample)}")
    lines += [f"  FAILED: {_short(reason)}" for reason in report.failures]
    return "\n".join(lines)


def report_html(report: Report) -> str:
    """Return the report as HTML that inherits its colours, and so reads on light and dark pages."""
    rows = [
        _row(str(r.level), r.claim, f"{r.scope}; {_cases(r.cases)}{_seed(r.seed)}", r.counterexample)
        for r in report.records
    ]
    rows += [
        _row("control rejected" if c.rejected else "control NOT rejected", c.name, c.scope, c.counterexample)
        for c in report.controls
    ]
    failures = "".join(f"<p><strong>FAILED</strong>: {escape(_short(f))}</p>" for f in report.failures)
    head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in ("Result", "What", "On what"))
    caption = (
        f"<strong>{escape(level_word(report))}</strong> · {escape(report.title)} "
        f"<code>{escape(report.id)}</code> · {escape(_circumstances(report))}"
    )
    return (
        f'<div class="lemma-report" role="region" tabindex="0" aria-label="Report on {escape(report.id)}" '
        f'style="overflow-x:auto">{failures}<table style="border-collapse:collapse;color:inherit;'
        f'background:none;width:100%"><caption style="text-align:left;caption-side:top;color:inherit">'
        f"{caption}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


_CELL = (
    "text-align:left;vertical-align:top;padding:.25em .6em;border-bottom:1px solid;"
    "color:inherit;background:none"
)


def _row(result: str, what: str, scope: str, counterexample: str | None) -> str:
    detail = escape(scope)
    if counterexample is not None:
        detail += f'<br><code style="overflow-wrap:anywhere">{escape(_short(counterexample))}</code>'
    cells = f'<td style="{_CELL}">{escape(what)}</td><td style="{_CELL}">{detail}</td>'
    return f'<tr><th scope="row" style="{_CELL};white-space:nowrap">{escape(result)}</th>{cells}</tr>'


def _circumstances(report: Report) -> str:
    return f"{report.run.effort} effort, seed {report.run.seed}, {report.seconds:.2g} s"


def _cases(count: int) -> str:
    return f"{count:,} case{'' if count == 1 else 's'}"


def _seed(seed: int | None) -> str:
    return "" if seed is None else f", seed {seed}"


def _short(text: str | None) -> str:
    return "no counterexample" if text is None else shorten(text, LONGEST_COUNTEREXAMPLE, placeholder=" …")
