"""The count of a page's source agrees with what its built page shows."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from bs4 import BeautifulSoup

sys.path.insert(0, str(Path(__file__).parents[2] / "book/_ext"))
from reading_time import beneath_title, reading_words

NOT_READ = (
    "script, style, svg, figure, details, .headerlink, .badge-box, .highlight, .reading-time, .cell, "
    ".wide-table, .chain-frame, .prev-next-area, .run-note"
)
WORD = re.compile(r"\S*[^\W_]\S*")
GENERATED = re.compile(
    r"^```\{(ledger-table|lemma-graph|lemma-table|mutant-tables|bibliography)\}", re.MULTILINE
)
TOLERANCE = 0.05  # references show more words or fewer than the source names


def shown_words(html: str) -> int:
    """Count the words of a built page: a formula is one, a displayed one ten."""
    article = BeautifulSoup(html, "html.parser").select_one("article")
    assert article is not None
    for part in article.select(NOT_READ):
        part.decompose()
    for formula in article.select(".math"):
        formula.replace_with(" formula " * (10 if formula.name == "div" else 1))
    return len(WORD.findall(article.get_text(" ")))


def test_every_page_shows_its_time_and_the_count_is_right(book: Path) -> None:
    sources = book.parents[1]
    contents = (sources / "_toc.yml").read_text("utf8")
    faults, compared = [], 0
    for page in ["intro", *re.findall(r"^ *- file: (\S+)$", contents, re.MULTILINE)]:
        source = (sources / f"{page}.md").read_text("utf8")
        html = (book / f"{page}.html").read_text("utf8")
        line = beneath_title(source)
        if not line:
            assert "reading-time" not in html, page
            continue
        compared += 1
        if not re.search(rf"</h1>\s*{re.escape(line)}", html):
            faults.append(f"{page} does not show {line}")
        words, shown = reading_words(source), shown_words(html)
        if not GENERATED.search(source) and abs(words - shown) > TOLERANCE * shown:
            faults.append(f"{page}: {words} words are counted, {shown} are shown")
    assert faults == []
    assert compared > 40
