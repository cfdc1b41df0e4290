"""Every page of the book is read in ten minutes, by a count of what a reader reads."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"
sys.path.insert(0, str(BOOK / "_ext"))
from reading_time import beneath_title, folded_words, reading_minutes, reading_words  # noqa: E402

TEN_MINUTES = 10.0
LONGEST_FOLD = 350
PAGES = ["intro", *re.findall(r"^ *- file: (\S+)$", (BOOK / "_toc.yml").read_text("utf8"), re.MULTILINE)]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("Four words are here.", 4),
        ("# A title\n\nThree more words", 5),
        ("- one\n- two\n\n1. three\n2. four – and — five", 8),
        ("*one* **two** `three four`", 4),
        ("[two words](https://example.org/not/read) ![not read](picture.png)", 2),
        ("an $n \\times m$ matrix", 3),
        ("an $n$-vector, with\n$a = \\text{two\nlines}$.", 5),
        ("costs \\$5 or \\$6", 4),
        ("`$HOME` and $x$", 3),
        ("Then\n\n$$\na + b\n= c\n$$\n\nholds", 12),
        ("Then $$a = b$$ (eq-one) holds", 12),
        ("Then\n\n\\begin{align*}\na &= b\n\\end{align*}", 11),
        ("```{math}\n:label: eq-two\na = b\n```", 10),
        ("see {prf:ref}`lem-one`, {cite}`Two02` and {ref}`the words <three>`", 7),
        ("| head | $x$ |\n|-|:-:|\n| two words | 3 |", 5),
        ("<!-- not read --> <b>one</b>\n\n% comment\n+++\n\n(target)=\n## Two", 2),
        ("---\njupytext: {a: b}\n---\n\none", 1),
        ("one\n\n---\n\ntwo\n\n---\n\nthree", 3),
        ("```{code-cell} ipython3\n---\ntags: [hide-input]\n---\nprint(1)\n```\none", 1),
        ("```console\n$ not read\n```\n~~ one", 1),
        ("```{raw} html\n<p>not read</p>\n```", 0),
        ("```{index} not, read\n```", 0),
        ("```{figure} a.png\n:alt: not\nnot read\n```", 0),
        ("```{prf:lemma} The title\n:label: lem-one\n:class: x\n\nThree more words\n```", 5),
        ("```{prf:proof}\n*1.* one\n```\n", 2),
        ("```{dropdown} Solution of three\nnot read\n```\none", 4),
        ("```{dropdown} Solution\n:open:\nis read\n```", 3),
        ("```{admonition} Solution\n:class: tip dropdown\nnot read\n```", 1),
        ("```{admonition} Note\n:class: note\nis read\n```", 3),
        (":::{admonition} Note\n---\nclass: note\n---\nis read\n:::", 3),
        ("````{prf:proof}\none\n```{code-cell}\nnot read\n```\ntwo\n````\nthree", 3),
        (":::{admonition} Note\none\n```{dropdown} fold\nnot read\n```\ntwo\n:::\nthree", 5),
        ("::::{admonition} Note\n:::{admonition} Inner\none\n:::\ntwo\n::::\nthree", 5),
        ("````{dropdown} fold\n```{prf:lemma} not\nread\n```\nnot read\n````\none", 2),
        ("1. one\n\n   ```{code-cell}\n   not read\n   ```\n\n   two", 3),
        ("one ```not a fence``` two", 5),
        ("```{dropdown} never closed\nnot read", 2),
    ],
)
def test_what_is_counted(source: str, words: int):
    assert reading_words(source) == words


def test_minutes():
    assert reading_minutes("word " * 2300) == TEN_MINUTES


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (114, ""),
        (115, '<p class="reading-time">About 1 minute</p>'),
        (2299, '<p class="reading-time">About 10 minutes</p>'),
    ],
)
def test_the_line_beneath_the_title(words: int, line: str):
    assert beneath_title("word " * words) == line


def test_folded_blocks_are_found_where_they_are_nested():
    source = (
        "````{prf:proof}\n```{dropdown} The sum\none two $x$\n```\n````\n"
        "```{code-cell}\n```\n```{dropdown} Solution\none\n```"
    )
    assert list(folded_words(source)) == [("The sum", 5), ("Solution", 2)]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_takes_ten_minutes_at_most(page: str):
    assert reading_minutes((BOOK / f"{page}.md").read_text("utf8")) <= TEN_MINUTES


@pytest.mark.parametrize("page", PAGES)
def test_what_is_folded_in_an_argument_is_short(page: str):
    """A calculation may be folded away, an argument may not; solutions are read one by one."""
    for title, words in folded_words((BOOK / f"{page}.md").read_text("utf8")):
        assert title.startswith("Solution") or words <= LONGEST_FOLD, title
