"""The markup of every built page: links, anchors, ids, headings, tables, figures, badges."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest


class Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.images_without_text: list[str] = []
        self.badged: list[str] = []
        self.code: list[tuple[str, str]] = []  # a statement, and the address of its check or construction
        self.users: list[str] = []  # where a source page links back to
        self.headings: list[int] = []
        self.tables: list[bool] = []  # whether it has a header cell
        self.landmarks: list[str] = []
        self._box = ""
        self._in_article = False
        self._note = ""  # the class of the paragraph or the badge that is open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        for name in ("href", "src"):
            if values.get(name):
                self.targets.append(str(values[name]))
        classes = (values.get("class") or "").split()
        if {"proof", "admonition"} <= set(classes):
            self._box = values.get("id") or ""
        elif "badge-box" in classes:
            self.badged.append(self._box)
        if tag in ("p", "section") or "badge-box" in classes:
            self._note = classes[0] if classes else ""
        if tag == "a" and self._note == "badge-box" and "#line-" in (values.get("href") or ""):
            self.code.append((self._box, str(values["href"])))
        if tag == "a" and self._note == "source-users":
            self.users.append(str(values["href"]))
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6") and self._in_article:
            self.headings.append(int(tag[1]))
        if tag == "article":
            self._in_article = True
        if tag in ("main", "nav", "article"):
            self.landmarks.append(tag)
        if tag == "table" and "genindextable" not in classes:  # those only lay out columns
            self.tables.append(False)
        if tag == "th" and self.tables:
            self.tables[-1] = True
        words = (values.get("alt") or "").split()
        if tag == "img" and (
            len(words) < 5 or "png" in words[0]
        ):  # a figure is said in words, not by its name
            self.images_without_text.append(str(values.get("src")))


@pytest.fixture(scope="module")
def links(book: Path, pages: list[str]) -> dict[str, Markup]:
    """What each page holds, by its path."""
    parsed = {}
    for path in pages:
        parser = Markup()
        parser.feed((book / path).read_text("utf8"))
        parsed[path] = parser
    return parsed


def test_no_link_or_anchor_is_broken(book: Path, links: dict[str, Markup]) -> None:
    broken = []
    for path, page in links.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            linked = unquote(urlsplit(urljoin(f"/{path}", target)).path).lstrip("/")
            if not (book / linked).is_file():
                broken.append(f"{path}: {target} is no file")
            elif parts.fragment and linked in links and unquote(parts.fragment) not in links[linked].ids:
                broken.append(f"{path}: {target} is no anchor")
    assert broken == []


def test_ids_are_unique(links: dict[str, Markup]) -> None:
    repeated = {
        path: sorted({id for id in page.ids if page.ids.count(id) > 1})
        for path, page in links.items()
        if path != "search.html"  # the theme's own page has the search field twice
    }
    assert {path: ids for path, ids in repeated.items() if ids} == {}


def test_images_have_alternative_text(links: dict[str, Markup]) -> None:
    assert {path: page.images_without_text for path, page in links.items() if page.images_without_text} == {}


def test_headings_tables_and_landmarks(links: dict[str, Markup]) -> None:
    faults = []
    for path, page in links.items():
        if path != "search.html" and page.headings.count(1) != 1:
            faults.append(f"{path} has {page.headings.count(1)} titles")
        steps = zip(page.headings, page.headings[1:], strict=False)
        faults += [f"{path}: a heading {low} after {high}" for high, low in steps if low > high + 1]
        faults += [
            f"{path}: table {i} has no header cells" for i, header in enumerate(page.tables) if not header
        ]
        if page.landmarks.count("main") != 1 or "nav" not in page.landmarks:
            faults.append(f"{path} has the landmarks {page.landmarks}")
    assert faults == []


def test_every_statement_has_one_badge(book: Path, links: dict[str, Markup]) -> None:
    ledger = json.loads((book.parents[1] / "_data/ledger.json").read_text("utf8"))
    badged = [id for page in links.values() for id in page.badged]
    assert sorted(badged) == sorted(entry["id"] for entry in ledger["entries"])


def test_statement_to_code_and_back(book: Path, links: dict[str, Markup]) -> None:
    ledger = json.loads((book.parents[1] / "_data/ledger.json").read_text("utf8"))
    expected = {
        (entry["id"], f"source/{place['path']}.html#line-{place['line']}")
        for entry in ledger["entries"]
        for place in (entry["code"], entry["construction"])
        if place is not None
    }
    found = {
        (statement, urljoin(f"/{path}", href).lstrip("/"))
        for path, page in links.items()
        for statement, href in page.code
    }
    assert found == expected
    for statement, address in expected:
        source, _, line = address.partition("#")
        back = {urlsplit(href).fragment for href in links[source].users}
        assert {statement, line} <= back, f"{source} does not lead back to {statement} and to {line}"


@pytest.mark.parametrize("page", ["ledger.html", "graph.html"])
def test_every_statement_is_a_link(book: Path, links: dict[str, Markup], page: str) -> None:
    ledger = json.loads((book.parents[1] / "_data/ledger.json").read_text("utf8"))
    linked = {urlsplit(target).fragment for target in links[page].targets}
    assert {entry["id"] for entry in ledger["entries"]} <= linked
