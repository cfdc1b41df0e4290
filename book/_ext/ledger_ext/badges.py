"""The text of the badge at the foot of a statement's box; the extension's ``__init__`` puts it there."""

from __future__ import annotations

from html import escape

from checks.evidence import Level
from checks.evidence.registry import Kind
from checks.ledger.fields import Entry, Record
from ledger_ext.view import View, cases_by_level, duration, level_pill, plural


def badge(view: View, entry: Entry) -> str:
    """Return the badge of a statement as HTML."""
    parts = [f"{level_pill(entry)} {_summary(view, entry)}"]
    if entry.assumed:
        parts.append("under " + ", ".join(view.statement_link(id) for id in entry.assumed))
    if entry.weakest_ancestor is not None:
        weakest = entry.weakest_ancestor
        parts.append(f"weakest ancestor: {weakest.level} ({view.statement_link(weakest.id)})")
    if entry.controls:
        parts.append(f"{entry.controls_rejected} of {plural(len(entry.controls), 'control')} rejected")
    if entry.records or entry.controls:
        parts.append(f"checked at the {view.ledger.effort} level in {duration(entry.seconds)}")
    parts += _code(view, entry)
    parts.append(f'<a href="{escape(view.anchor("intro#how-to-read-a-badge"))}">how to read this</a>')
    items = "".join(f"<li>{part}</li>" for part in parts)
    opening = f'<div class="badge-box" role="note" aria-label="Evidence for {escape(view.number(entry.id))}">'
    return f"{opening}<ul>{items}</ul>{_claims(entry)}</div>"


def evidence(view: View, entry: Entry) -> str:
    """Return a statement's number, as a link, and its level, for a line of text."""
    return f'<span class="evidence">{view.statement_link(entry.id)} {level_pill(entry)}</span>'


def _summary(view: View, entry: Entry) -> str:
    if entry.kind is Kind.ASSUMED:
        return "a hypothesis, not proved by anyone"
    if entry.kind is Kind.CITED:
        return f"a published theorem {view.citation(entry.source)}, not proved here"
    if not isinstance(entry.level, Level):
        return "nothing to execute" if entry.code is None else "built by the code below"
    if len(entry.records) == 1:
        return escape(_scope(entry.records[0]))
    scope = "" if entry.deciding is None else f"; at this level {escape(_seeded(entry.deciding))}"
    return f"{cases_by_level(entry)}{scope}"


def _code(view: View, entry: Entry) -> list[str]:
    links = []
    if entry.code is not None and entry.code != entry.construction:
        links.append(f"check: {view.code_link(entry.code)}")
    if entry.construction is not None:
        links.append(f"construction: {view.code_link(entry.construction)}")
    return links


def _claims(entry: Entry) -> str:
    """Return what was executed claim by claim, and the controls, folded."""
    if not entry.records:
        return ""
    records = "".join(
        f"<li>{escape(r.claim)}: <strong>{r.level}</strong>, {escape(_scope(r))}</li>" for r in entry.records
    )
    controls = "".join(
        f"<li>{escape(c.name)}: {'rejected' if c.rejected else 'NOT rejected'} on {escape(c.scope)}</li>"
        for c in entry.controls
    )
    broken = f"<p>Broken on purpose, and rejected as it must be:</p><ul>{controls}</ul>" if controls else ""
    return (
        f"<details><summary>What was executed</summary><p>Claim by claim:</p><ul>{records}</ul>"
        f"{broken}</details>"
    )


def _scope(record: Record) -> str:
    seed = "" if record.seed is None else f", seed {record.seed}"
    return f"{record.scope} ({plural(record.cases, 'case')}{seed})"


def _seeded(record: Record) -> str:
    return record.scope if record.seed is None else f"{record.scope} (seed {record.seed})"
