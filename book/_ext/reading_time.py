"""Say beneath the title of every page how many minutes it takes to read.

What a reader reads is counted on the page's source: prose, headings, lists, tables and the boxes of
statements and proofs. Code and its outputs, raw HTML, figures, index entries, front matter and folded
blocks are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the count itself needs nothing
    from sphinx.application import Sphinx

WORDS_PER_MINUTE = 230
WORDS_OF_A_DISPLAY = 10
SHORTEST_SHOWN = 0.5  # in minutes: what is shorter only introduces what a directive generates

NOT_READ = {
    *("code-cell", "code-block", "code", "sourcecode", "literalinclude", "raw"),
    *("image", "figure", "index", "toctree", "tableofcontents", "contents"),
    *("bibliography", "ledger-table", "lemma-graph", "lemma-table", "mutant-tables"),
}
OPENING = re.compile(r"^\s*(?P<fence>`{3,}|:{3,})\s*(?:\{(?P<name>[\w:.-]+)\})?(?P<rest>[^`]*)$")
OPTION = re.compile(r"^\s*:[\w-]+:(?!`)")
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)

INLINE_CODE = re.compile(
    r"(?<!`)(?P<role>\{[\w:.-]+\})?(?P<ticks>`+)(?!`)(?P<text>.+?)(?<!`)(?P=ticks)(?!`)", re.DOTALL
)
DISPLAYS = (
    re.compile(r"(?<!\\)\$\$.+?\$\$(?:\s*\([\w-]+\))?", re.DOTALL),
    re.compile(r"\\begin\{(?P<name>\w+\*?)\}.+?\\end\{(?P=name)\}", re.DOTALL),
)
FORMULA = re.compile(r"(?<!\\)\$.+?(?<!\\)\$", re.DOTALL)
NOT_TEXT = (
    re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>", re.DOTALL),  # HTML in the text
    re.compile(r"^\s*(?:%|\+\+\+).*$|^\([\w:.-]+\)=\s*$", re.MULTILINE),  # comments, targets
    re.compile(r"!\[[^\]]*\]\([^)]*\)"),  # images
    re.compile(r"(?<=\])\([^)\s]*\)"),  # where links lead
)
WORD = re.compile(r"\S*[^\W_]\S*")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page's source.

    ``name`` is the directive, or empty for a plain fence; ``title`` is what follows it on its line;
    ``body`` is the rest without the options.
    """

    fence: str
    name: str
    title: str
    options: tuple[str, ...]
    body: str

    @property
    def read(self) -> bool:
        """Whether its text is there to be read: a plain fence of backticks is code."""
        return self.name not in NOT_READ and bool(self.name or self.fence[0] == ":")

    @property
    def folded(self) -> bool:
        """Whether a click opens it."""
        words = " ".join(self.options).split()
        if self.name == "dropdown":
            return ":open:" not in words
        return "dropdown" in words and ":class:" in words


def parts(source: str) -> Iterator[str | Block]:
    """Yield running text and fenced blocks in order; what is inside a block is not parsed."""
    lines = source.splitlines()
    text: list[str] = []
    at = 0
    while at < len(lines):
        opening = OPENING.match(lines[at])
        at += 1
        if opening is None:
            text.append(lines[at - 1])
            continue
        fence = opening["fence"]
        closing = re.compile(rf"^\s*{fence[0]}{{{len(fence)},}}\s*$")
        # As in CommonMark, a block that nobody closes ends with what contains it.
        end = next((n for n in range(at, len(lines)) if closing.match(lines[n])), len(lines))
        yield "\n".join(text)
        text = []
        name = (opening["name"] or "").lower()
        yield _block(fence, name, opening["rest"].strip(), lines[at:end])
        at = end + 1
    yield "\n".join(text)


def _block(fence: str, name: str, rest: str, lines: list[str]) -> Block:
    begin = 0
    if name and lines and lines[0].strip() == "---":
        begin = next((n + 1 for n in range(1, len(lines)) if lines[n].strip() == "---"), len(lines))
    while name and begin < len(lines) and OPTION.match(lines[begin]):
        begin += 1
    return Block(fence, name, rest, tuple(lines[:begin]), "\n".join(lines[begin:]))


def _words_of_text(text: str) -> int:
    """Count running text without blocks: a formula is one word, a displayed one ten."""

    def code(found: re.Match[str]) -> str:
        if not found["role"]:
            return re.sub(r"[$\\|]", "_", found["text"])
        title, explicit, _ = found["text"].partition("<")
        if explicit and title.strip():
            return title
        return " Lemma 1 " if found["role"] == "{prf:ref}" else " reference "

    text = INLINE_CODE.sub(code, text)
    for display in DISPLAYS:
        text = display.sub(" display" * WORDS_OF_A_DISPLAY + " ", text)
    text = FORMULA.sub(" formula ", text)
    for pattern in NOT_TEXT:
        text = pattern.sub(" ", text)
    return len(WORD.findall(text.replace("|", " ").replace("—", " ")))


def _words_of_block(block: Block, inside_folds: bool = False) -> int:
    if not block.read:
        return 0
    if block.name == "math":
        return WORDS_OF_A_DISPLAY
    title = _words_of_text(block.title)
    return title if block.folded and not inside_folds else title + reading_words(block.body)


def reading_words(source: str) -> int:
    """Return how many words of running text a page's MyST source has, outside folded blocks."""
    found = parts(FRONT_MATTER.sub("", source))
    return sum(_words_of_text(part) if isinstance(part, str) else _words_of_block(part) for part in found)


def reading_minutes(source: str) -> float:
    """Return how long it takes to read a page, given its MyST source."""
    return reading_words(source) / WORDS_PER_MINUTE


def folded_words(source: str) -> Iterator[tuple[str, int]]:
    """Yield the title of every folded block and how many words it has, title included."""
    for part in parts(FRONT_MATTER.sub("", source)):
        if isinstance(part, str) or not part.read:
            continue
        if part.folded:
            yield part.title, _words_of_block(part, inside_folds=True)
        yield from folded_words(part.body)


def beneath_title(source: str) -> str:
    """Return the line that says how long the page is, or nothing if there is little to read."""
    minutes = reading_minutes(source)
    if minutes < SHORTEST_SHOWN:
        return ""
    shown = max(1, round(minutes))
    return f'<p class="reading-time">About {shown} minute{"s" if shown > 1 else ""}</p>'


def _show(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Put the line beneath the title; only pages that were written have one, generated lists do not."""
    if doctree is None or "</h1>" not in context.get("body", ""):
        return
    source = Path(app.env.doc2path(pagename))
    line = beneath_title(source.read_text("utf8")) if source.suffix == ".md" else ""
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}", 1)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("html-page-context", _show)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
