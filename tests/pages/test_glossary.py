"""Each term is introduced once, where the glossary says, and no earlier page takes it for known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

import pytest

BOOK = Path(__file__).parents[2] / "book"
FREE = "intro"  # tells the story in advance, and links to the glossary instead
NOT_PROSE = re.compile(
    r"\A---\n.*?\n---\n"
    r"|^(?P<fence>`{3,})(?:\{(?:code-cell|code-block|raw|index|glossary)\}|\w+ *$).*?^(?P=fence)$"
    r"|\$\$.*?\$\$|^:\w+:[^\n]*$|^#[^\n]*$",
    re.MULTILINE | re.DOTALL,
)
MARKDOWN_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
ROLE = re.compile(r"\{(?P<role>prf:ref|ref|doc|term)\}`(?P<text>[^`]+)`")
EMPHASIS = re.compile(r"(?<![*\w])\*(?P<text>[^*]+)\*(?!\*)")


@dataclass(frozen=True)
class Entry:
    """A term of the glossary, or the letters of one row of its table, with the definition.

    ``ordinary``: the bracket after a word says in which of its senses it is meant, because it is also a word
    of everyday language or of general mathematics. Where it stands in which sense, no program can tell.
    """

    term: str
    ordinary: bool
    definition: str

    def spelled(self) -> re.Pattern[str]:
        """Match the term, in the singular or plural, whatever the case of a term without capitals."""
        *first, last = re.split(r"[\s-]+", self.term)
        if last.endswith("ies"):
            last = last[:-3] + "(?:y|ies)"
        else:
            last = re.sub(r"(?<![us])s$", "", last) + "(?:s|es)?"
        words = r"[\s-]+".join([*map(re.escape, first), last])
        return re.compile(rf"(?<![\w-]){words}(?![\w-])", re.IGNORECASE if self.term.islower() else 0)


@dataclass(frozen=True)
class Book:
    """The sources of the pages by name, in reading order."""

    pages: dict[str, str]

    @cached_property
    def prose(self) -> dict[str, str]:
        """The pages without code, displays and headings; of inline formulas single letters stay."""
        return {page: self._prose(text) for page, text in self.pages.items()}

    @cached_property
    def labels(self) -> dict[str, str]:
        """The page of each label."""
        label = re.compile(r"^(?::label: |\()([\w-]+)(?:\)=)?$", re.MULTILINE)
        return {found[1]: page for page, text in self.pages.items() for found in label.finditer(text)}

    @staticmethod
    def _prose(source: str) -> str:
        text = NOT_PROSE.sub("", source)
        text = re.sub(r"(\{[\w:]+\})?(?<!`)`(?!`)[^`]+`(?!`)", lambda code: code[0] if code[1] else "", text)
        text = re.sub(r"\$(\w)\$", r"\1", text)
        return re.sub(r"\*\*", "", re.sub(r"\$[^$]+\$", "§", text))

    @cached_property
    def entries(self) -> list[Entry]:
        """What the glossary defines."""
        block = re.search(r"^```\{glossary\}\n(.*?)^```$", self.pages["glossary"], re.M | re.S)
        assert block, "the glossary page has no glossary"
        found = []
        for term, bracket, definition in re.findall(
            r"^(\w[^\n(]*?)( \([^\n]*\))?\n((?:  .*\n)+)", block[1], re.MULTILINE
        ):
            found.append(Entry(term, bool(bracket), definition))
        return found

    def rows(self) -> list[tuple[list[str], list[str]]]:
        """Return the letters, and the pages where they first stand, of each row of the table of letters."""
        rows = re.findall(r"^\| (\$.*?) \|.*\| (.*) \|$", self.pages["glossary"], re.MULTILINE)
        return [
            (re.findall(r"\$([^$]+)\$", letters), [self.target("glossary", link) for link in links(where)])
            for letters, where in rows
        ]

    def target(self, page: str, link: str) -> str:
        """Return the page that a link on ``page`` leads to, and "" if it leads nowhere in the book."""
        if link == "glossary":
            return link
        if link in self.labels:
            return self.labels[link]
        parts: list[str] = []
        for part in (PurePosixPath(page).parent / link.removesuffix(".md")).parts:
            parts = parts[:-1] if part == ".." else [*parts, part]
        path = link[1:] if link.startswith("/") else "/".join(parts)
        return path if path in self.pages else ""

    def introduced(self, entry: Entry) -> str:
        """Return the page that the last link of a definition leads to."""
        found = list(links(entry.definition))
        return self.target("glossary", found[-1]) if found else ""


def links(text: str) -> Iterator[str]:
    """Yield where the links of a text lead, in order."""
    found = [(m.start(), m["target"]) for m in MARKDOWN_LINK.finditer(text)]
    for role in ROLE.finditer(text):
        named = re.search(r"<([^>]+)>$", role["text"])
        label = named[1] if named else role["text"]
        found.append((role.start(), "glossary" if role["role"] == "term" else label))
    return (link for _, link in sorted(found))


@cache
def book() -> Book:
    """Read the pages in the order of the table of contents."""
    contents = (BOOK / "_toc.yml").read_text("utf8")
    names = [FREE, *re.findall(r"^ *- file: (\S+)$", contents, re.MULTILINE)]
    return Book({name: (BOOK / f"{name}.md").read_text("utf8") for name in names})


def dead_links(book: Book) -> list[str]:
    """Name entries and rows of the glossary that lead nowhere."""
    faults = [
        f"{entry.term}: {link}"
        for entry in book.entries
        for link in list(links(entry.definition)) or ["no link"]
        if not book.target("glossary", link)
    ]
    return faults + [f"{letters}" for letters, where in book.rows() if not where or not all(where)]


def not_introduced(book: Book) -> list[str]:
    """Name terms that their page does not set in emphasis, and letters that do not stand on theirs."""
    faults = []
    for entry in book.entries:
        page = book.introduced(entry)
        spans = EMPHASIS.finditer(book.prose[page]) if page else ()
        if not any(entry.spelled().search(span["text"]) for span in spans):
            faults.append(f"{entry.term} on {page}")
    for letters, where in book.rows():
        text = "".join(book.pages[page] for page in where if page)
        faults += [letter for letter in letters if letter.replace(r"\lvert W\rvert", "|W|") not in text]
    return faults


def introduced_twice(book: Book) -> list[str]:
    """Name terms that are set in emphasis a second time, as if they were new.

    What begins an item of a list, or ends in a colon or full stop, is not: it heads what follows.
    """
    stressed = [
        (page, span["text"])
        for page, text in book.prose.items()
        for span in EMPHASIS.finditer(text)
        if page != "glossary" and text[span.start() - 2 : span.start()] != "- " and text[span.end()] != ":"
    ]
    faults = []
    for entry in book.entries:
        places = [page for page, text in stressed if entry.spelled().fullmatch(text)]
        if len(places) > 1 and not entry.ordinary:
            faults.append(f"{entry.term} on {', '.join(places)}")
    return faults


def too_early(book: Book) -> list[str]:
    """Name the pages that use a term before its introduction and do not say where that is.

    The first occurrence on a page is to be a link, or to have one to the introduction in its paragraph.
    """
    faults = []
    for entry in book.entries:
        home = book.introduced(entry)
        earlier = list(book.pages)[1 : list(book.pages).index(home)] if home in book.pages else []
        for page in [] if entry.ordinary else earlier:
            first = entry.spelled().search(book.prose[page])
            if first and not _explained(book, page, first, home):
                line = book.prose[page][: first.end()].rpartition("\n")[2]
                faults.append(f"{entry.term} on {page}: ...{line[-60:]}")
    return faults


def _explained(book: Book, page: str, first: re.Match[str], home: str) -> bool:
    prose = first.string
    for link in (*MARKDOWN_LINK.finditer(prose), *ROLE.finditer(prose)):
        if link.start("text") <= first.start() < link.end("text"):
            return True
    breaks = [m.start() for m in re.finditer(r"\n\s*\n|\n\s*(?:-|\d+\.|\|) ", prose)]
    begin = max((at for at in breaks if at < first.start()), default=0)
    end = min((at for at in breaks if at >= first.end()), default=len(prose))
    return any(book.target(page, link) in (home, "glossary") for link in links(prose[begin:end]))


CHECKS: list[Callable[[Book], list[str]]] = [dead_links, not_introduced, introduced_twice, too_early]


@pytest.mark.parametrize("faults", CHECKS, ids=lambda check: check.__name__)
def test_the_glossary_and_the_pages_agree(faults):
    assert faults(book()) == []


def test_the_glossary_is_found_and_in_order():
    pages = book().pages
    assert "(glossary.md)" in pages[FREE]
    terms = [entry.term.casefold() for entry in book().entries]
    assert len(terms) > 50
    assert terms == sorted(terms)


def changed(page: str, old: str, new: str) -> Book:
    """Return the book with one replacement."""
    pages = book().pages
    assert old in pages[page]
    return Book(pages | {page: pages[page].replace(old, new, 1)})


@pytest.mark.parametrize(
    ("check", "page", "old", "new", "named"),
    [
        (dead_links, "glossary", "{prf:ref}`lem-isolation`", "{prf:ref}`lem-isolated`", "slot: lem-isolated"),
        (dead_links, "glossary", "(problems/attention.md)", "(problem/attention.md)", "logit gap"),
        (not_introduced, "lower_bound/isolation", "*slot*", "slot", "slot on"),
        (not_introduced, "problems/interpolation", "*sample position*", "place", "sample position on"),
        (introduced_twice, "upper_bound/depth", "Tokens have", "*Tokens* have", "token on"),
        (too_early, "problems/satisfiability", "All hardness", "As logits show, all hardness", "logit on"),
        (too_early, "problems/attention", "answers every", "looks at a slot for every", "slot on"),
    ],
)
def test_a_fault_is_named(check, page, old, new, named):
    faults = check(changed(page, old, new))
    assert faults
    assert all(fault.startswith(named) for fault in faults)


@pytest.mark.parametrize(
    "link", ["[logits](attention.md)", "{term}`logits`", "{prf:ref}`logits <def-attention>`"]
)
def test_a_link_explains(link):
    assert (
        too_early(changed("problems/satisfiability", "All hardness", f"As {link} show, all hardness")) == []
    )
