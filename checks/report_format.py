"""A report as plain text for terminals and as an accessible table for notebooks and pages."""

from __future__ import annotations

from html import escape
from textwrap import shorten
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checks.report import Report

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
