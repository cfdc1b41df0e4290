"""The ledger as seen from one page: links, numbers and escaped words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from checks.ledger.fields import Entry, Ledger, Location
from ledger_ext.boxes import Place

SYMBOL = {
    "SYMBOLIC": "∀",
    "CERTIFIED": "⊢",
    "EXHAUSTIVE": "▦",
    "SAMPLED": "≈",
    "CITED": "❝",
    "ASSUMED": "?",
    "FAILED": "✗",
    "definition": "≔",
    "remark": "✎",
}


@dataclass(frozen=True)
class View:
    """What the renderers need to know: the ledger, where the statements stand, and the page written."""

    app: Sphinx
    ledger: Ledger
    places: Mapping[str, Place]
    docname: str

    @cached_property
    def ids(self) -> list[str]:
        """The statements in the order of the book."""
        return sorted(self.places, key=lambda id: (*number_of(self.app.env, id), id))

    def number(self, id: str) -> str:
        """Return a statement's name in the book, such as "Lemma 7.1"."""
        number = ".".join(map(str, number_of(self.app.env, id)))
        return f"{self.places[id].realtype.title()} {number}".strip()

    def url(self, docname: str) -> str:
        """Return the address of another page, relative to this one."""
        return self.app.builder.get_relative_uri(self.docname, docname)

    def statement_url(self, id: str) -> str:
        """Return the address of a statement's box."""
        return f"{self.url(self.places[id].docname)}#{id}"

    def statement_link(self, id: str) -> str:
        """Return a link to a statement, worded by its number."""
        return f'<a href="{escape(self.statement_url(id))}">{escape(self.number(id))}</a>'

    def code_url(self, location: Location) -> str:
        """Return the address of a line of a source page."""
        return f"{self.url(source_page(location.path))}#line-{location.line}"

    def code_link(self, location: Location) -> str:
        """Return a link to a line of a source page, worded by the file's path."""
        return f'<a href="{escape(self.code_url(location))}"><code>{escape(location.path)}</code></a>'

    def citation(self, source: str) -> str:
        """Return keys of the bibliography, "IPZ01, CIP06", as they stand in a text: "[12, 5]", linked."""
        domain = self.app.env.get_domain("cite")
        entries = {found.key: found for found in domain.citations}  # type: ignore[attr-defined]
        cited = [entries[key] for key in source.split(", ")]
        links = (
            f'<a href="{self.url(one.bibliography_key.docname)}#{escape(one.citation_id)}">'
            f"{escape(one.formatted_entry.label)}</a>"
            for one in cited
        )
        return f"[{', '.join(links)}]"

    def anchor(self, target: str) -> str:
        """Return the address of ``page#anchor``."""
        docname, _, anchor = target.partition("#")
        return f"{self.url(docname)}#{anchor}"


def number_of(env: BuildEnvironment, id: str) -> tuple[int, ...]:
    """Return the number of the box with the label ``id``: its page's and its own, or nothing."""
    proof = env.proof_list[id]  # type: ignore[attr-defined]
    numbers = env.toc_fignumbers.get(proof["docname"], {}).get(proof["countertype"], {})
    return tuple(numbers.get(proof["ids"][0], ()))


def source_page(path: str) -> str:
    """Return the name of the page that shows a source file."""
    return f"source/{path}"


def level_pill(entry: Entry) -> str:
    """Return the level as a symbol and a word in a frame."""
    level = str(entry.level)
    return (
        f'<span class="level-pill level-{level.lower()}"><span aria-hidden="true">{SYMBOL.get(level, "")} '
        f"</span>{escape(level)}</span>"
    )


def plural(count: int, word: str) -> str:
    """Return ``count`` and ``word`` in the right number."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def cases_by_level(entry: Entry) -> str:
    """Return the numbers of executed cases, such as "8,192 exhaustive, 40 sampled cases"."""
    counts = entry.cases
    last = "case" if list(counts.values())[-1:] == [1] else "cases"
    return ", ".join(f"{count:,} {level.lower()}" for level, count in counts.items()) + f" {last}"


def duration(seconds: float) -> str:
    """Return seconds with two digits, or whole ones from ten up."""
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
