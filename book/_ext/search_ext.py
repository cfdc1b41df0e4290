"""Rank search results by what a reader asked, and quote from each, also where the book is opened as files.

Sphinx's search wants every word of a question on one page, drops numbers, and fetches each page that it
found to quote from it, which browsers refuse on file://. So the text of all pages is written into one
script, section by section with the index's entries, and only the search page loads it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

SCRIPT = "search_text.js"
NOT_QUOTED = "script, style, svg, .headerlink, .badge-box, .copybtn, .run-note, .highlight, .reading-time"
DELIMITERS = re.compile(r"\\[()\[\]]")
HEADING = re.compile(r"h[1-6]")

Section = tuple[str, str, str, str]  # its anchor, its heading, the index's entries that lead to it, its text


def _add_script(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    if pagename == "search":
        app.add_js_file(f"../{SCRIPT}")


def sections(html: str, entries: dict[str, str]) -> list[Section]:
    """Return the sections and the boxes of a page in order, their subsections not included.

    Args:
        html: the page.
        entries: the words of the index's entries, by the id that they lead to.
    """
    article = BeautifulSoup(html, "html.parser").find("article")
    if not isinstance(article, Tag):
        return []
    for part in article.select(NOT_QUOTED):
        part.decompose()
    return [_section(tag, entries) for tag in article.select("section") or [article]]


def _section(tag: Tag, entries: dict[str, str]) -> Section:
    anchor = str(tag.get("id", ""))
    heading = tag.find(HEADING, recursive=False)
    if tag.parent is not None and "proof" in (tag.parent.get("class") or ()):  # a box: its title is outside
        anchor = str(tag.parent.get("id", anchor))
        heading = tag.parent.find(class_="admonition-title")
    ids = [str(inner["id"]) for inner in tag.find_all(id=True) if _belongs(inner, tag)]
    words = " ".join(entries[id] for id in ids if id in entries)
    return anchor, "" if heading is None else _plain(heading.get_text()), words, _own_text(tag)


def _belongs(inner: Any, section: Tag) -> bool:
    return inner.find_parent(["section", "article"]) is section


def _own_text(section: Tag) -> str:
    return _plain("".join(text for text in section.strings if _belongs(text, section)))


def _plain(text: str) -> str:
    return " ".join(DELIMITERS.sub("", text).split())


def _entries(app: Sphinx, docname: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for _, value, target, *_ in app.env.get_domain("index").entries.get(docname, []):  # type: ignore[attr-defined]
        found[target] = f"{found.get(target, '')} {value}".strip()
    return found


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    pages = {name: out / f"{name}.html" for name in sorted(app.env.found_docs - {"genindex"})}
    texts = {
        name: sections(page.read_text("utf8"), _entries(app, name))
        for name, page in pages.items()
        if page.is_file()
    }
    data = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
    code = Path(__file__).with_name("search_results.js").read_text("utf8")
    (out / SCRIPT).write_text(f"const SEARCH_TEXT = {data};\n{code}", "utf8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("html-page-context", _add_script)
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
