"""The ledger as a table."""

from __future__ import annotations

from html import escape

from checks.evidence import Level
from checks.ledger.fields import Entry
from ledger_ext.boxes import PROVED_KINDS
from ledger_ext.view import View, cases_by_level, duration, level_pill, plural

HEADINGS = (
    "Statement",
    "Proof in the text",
    "Executed evidence",
    "Weakest ancestor",
    "Controls",
    "Time",
    "Code",
)

DOWNLOADS, LEDGER_FILE, SCHEMA_FILE = "downloads", "ledger.json", "ledger.schema.json"


def ledger_table(view: View) -> str:
    """Return the circumstances of the run and one row a statement, in the order of the book."""
    ledger = view.ledger
    versions = ", ".join(f"{name} {version}" for name, version in ledger.versions.items())
    statements = [view.ledger.by_id[id] for id in view.ids]
    controls = sum(len(entry.controls) for entry in statements)
    rejected = sum(entry.controls_rejected for entry in statements)
    run = (
        f"<p>Checked at the <strong>{ledger.effort}</strong> level, seed {ledger.seed}; {escape(versions)}. "
        f"{plural(len(statements), 'statement')}; {rejected} of {plural(controls, 'control')} rejected; "
        f"{duration(sum(entry.seconds for entry in statements))} in all. {_downloads(view)}</p>"
    )
    rows = [_row(view, entry) for entry in statements]
    return run + table("All statements and their evidence", HEADINGS, rows)


def _downloads(view: View) -> str:
    """Return links to the ledger as a file, and to the description of its format."""
    folder = "../" * view.docname.count("/") + DOWNLOADS
    return (
        f'To read by a program: <a href="{folder}/{LEDGER_FILE}" download>the ledger</a> in JSON and '
        f'<a href="{folder}/{SCHEMA_FILE}" download>its JSON Schema</a>.'
    )


def table(caption: str, headings: tuple[str, ...], rows: list[list[str]]) -> str:
    """Return an accessible table; cells are HTML, the first of a row is its header.

    Each cell is labelled with its column for narrow windows, where the style sheet stacks the cells of a
    row. The roles keep the table a table there.
    """
    head = "".join(f'<th scope="col" role="columnheader">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        f'<tr role="row"><th scope="row" role="rowheader">{first}</th>{_cells(headings[1:], rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<div class="wide-table" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f'<table class="table" role="table"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table></div>'
    )


def _cells(headings: tuple[str, ...], cells: list[str]) -> str:
    return "".join(
        f'<td role="cell" data-label="{escape(heading)}"><div>{cell}</div></td>'
        for heading, cell in zip(headings, cells, strict=True)
    )


def _row(view: View, entry: Entry) -> list[str]:
    weakest = entry.weakest_ancestor
    return [
        f"{view.statement_link(entry.id)}<br>{escape(entry.title)}",
        _proof(view, entry),
        level_pill(entry) + _cases(entry),
        "—" if weakest is None else f"{weakest.level}<br>{view.statement_link(weakest.id)}",
        f"{entry.controls_rejected} of {len(entry.controls)}" if entry.controls else "—",
        duration(entry.seconds) if entry.records else "—",
        _code(view, entry),
    ]


def _proof(view: View, entry: Entry) -> str:
    if entry.kind in PROVED_KINDS:
        url = f"{view.url(view.places[entry.id].docname)}#proof-of-{entry.id}"
        return f'<a href="{escape(url)}">in full</a>' if view.places[entry.id].proved else "none"
    if entry.level is Level.CITED:
        return f"in {view.citation(entry.source)}"
    return "—"


def _code(view: View, entry: Entry) -> str:
    links = []
    for word, location in (("check", entry.code), ("construction", entry.construction)):
        if location is not None and not (word == "check" and location == entry.construction):
            links.append(f'<a href="{escape(view.code_url(location))}">{word}</a>')
    return ", ".join(links) or "—"


def _cases(entry: Entry) -> str:
    return f"<br>{cases_by_level(entry)}" if entry.records else ""
