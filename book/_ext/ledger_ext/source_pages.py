"""A page for every source file that a badge links to, with an anchor a line and links back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

import checks
from checks.ledger.fields import Entry
from ledger_ext.view import View, source_page


def source_pages(view: View, others: Mapping[str, list[str]]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the pages in the form that Sphinx's ``html-collect-pages`` asks for.

    ``others`` are paths of further files, each with the ids of the statements that it serves.
    """
    users: dict[str, list[Entry]] = {}
    for entry in view.ledger.entries:
        locations = dict.fromkeys((entry.code, entry.construction))
        for path in dict.fromkeys(location.path for location in locations if location is not None):
            users.setdefault(path, []).append(entry)
    for path, ids in others.items():
        users.setdefault(path, [view.ledger.by_id[id] for id in ids])
    root = Path(next(iter(checks.__path__))).parent
    for path, entries in users.items():
        page = source_page(path)
        body = _page(replace(view, docname=page), path, (root / path).read_text("utf8"), entries)
        yield page, {"title": path, "body": body}, "page.html"


def _page(view: View, path: str, code: str, entries: list[Entry]) -> str:
    formatter = HtmlFormatter(cssclass="highlight", linenos="inline", linespans="line", wrapcode=True)
    lines = highlight(code, PythonLexer(), formatter)
    ids = "|".join(re.escape(id) for id in sorted(view.places, key=len, reverse=True))
    lines = re.sub(
        rf"(?<![\w-])(?:{ids})(?![\w-])",
        lambda match: f'<a href="{escape(view.statement_url(match[0]))}">{match[0]}</a>',
        lines,
    )
    lines = lines.replace("<pre>", f'<pre tabindex="0" aria-label="Source of {escape(path)}">', 1)
    back = "; ".join(
        f"{view.statement_link(entry.id)} ({escape(entry.title)}), {_lines(entry, path)}" for entry in entries
    )
    return f'<h1>{escape(path)}</h1><p class="source-users">Serves {back}.</p>{lines}'


def _lines(entry: Entry, path: str) -> str:
    """Return links to the lines at which the code of a statement begins on its page."""
    parts = {"check": entry.code, "construction": entry.construction}
    if entry.code == entry.construction:
        del parts["check"]
    return ", ".join(
        f'<a href="#line-{location.line}">{name} at line {location.line}</a>'
        for name, location in parts.items()
        if location is not None and location.path == path
    )
