"""Give search results an excerpt, also where the book is opened as files.

Sphinx's search page fetches each page that it found, to quote from it; browsers refuse that on file://.
So the text of all pages is written into one script, which only the search page loads.
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


def _add_script(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    if pagename == "search":
        app.add_js_file(f"../{SCRIPT}")


def sections(html: str) -> list[tuple[str, str]]:
    """Return the id and the text of each section of a page in order, its subsections not included."""
    article = BeautifulSoup(html, "html.parser").find("article")
    if not isinstance(article, Tag):
        return []
    for part in article.select(NOT_QUOTED):
        part.decompose()
    found = [(str(tag.get("id", "")), tag) for tag in article.select("section")] or [("", article)]
    return [(id, _own_text(tag)) for id, tag in found]


def _own_text(section: Tag) -> str:
    strings = (text for text in section.strings if text.find_parent(["section", "article"]) is section)
    return " ".join(DELIMITERS.sub("", "".join(strings)).split())


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    pages = {name: out / f"{name}.html" for name in sorted(app.env.found_docs)}
    texts = {name: sections(page.read_text("utf8")) for name, page in pages.items() if page.is_file()}
    data = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
    code = Path(__file__).with_name("search_excerpts.js").read_text("utf8")
    (out / SCRIPT).write_text(f"const SEARCH_TEXT = {data};\n{code}", "utf8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("html-page-context", _add_script)
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
