"""The book on paper: one document in the order of the contents, with formulas and links within it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "book/_ext"))
import print_book


def test_all_pages_are_merged_and_no_link_is_lost(book: Path, pages: list[str]) -> None:
    document = print_book.merged(book)
    chapters = re.findall(r'<div class="chapter" id="([^"]*)--"', document)
    not_printed = {"genindex.html", "search.html"}
    assert chapters[0] == "intro"
    assert {f"{name}.html" for name in chapters} == {
        page for page in pages if not page.startswith("source/") and page not in not_printed
    }
    ids = set(re.findall(r'\bid="([^"]+)"', document))
    assert set(re.findall(r'href="#([^"]+)"', document)) <= ids


def test_the_first_pages_are_printed(book: Path, tmp_path: Path) -> None:
    pytest.importorskip("playwright")
    # In a process of its own, as `make pdf` runs it: the tests' browser is open in this one.
    code = "import sys, pathlib, print_book; print_book.print_book(*map(pathlib.Path, sys.argv[1:]), only=2)"
    subprocess.run(
        [sys.executable, "-c", code, str(book), str(tmp_path / "book.pdf")],
        cwd=Path(print_book.__file__).parent,
        check=True,
    )
    content = (tmp_path / "book.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 4
    assert not (book / "_print.html").exists()


PAGE = """<!DOCTYPE html><html><head><title>Tiny</title></head><body>
<nav class="bd-links"><a class="reference" href="#">One</a><a class="reference" href="two.html">Two</a></nav>
<article><h1>{title}</h1><p id="here">See <a href="{link}#here">the other page</a>.</p></article>
</body></html>
"""


def printed(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, print_book.__file__, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_book_is_printed_from_a_relative_path(tmp_path: Path) -> None:
    pytest.importorskip("playwright")
    (tmp_path / "html").mkdir()
    (tmp_path / "html/intro.html").write_text(PAGE.format(title="One", link="two.html"), "utf8")
    (tmp_path / "html/two.html").write_text(PAGE.format(title="Two", link="intro.html"), "utf8")
    result = printed("html", "tiny.pdf", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    content = (tmp_path / "tiny.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 4  # cover, contents, two chapters
    assert [path.name for path in (tmp_path / "html").iterdir() if path.name.startswith("_")] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere", "book.pdf"), "print_book: There is no built book in nowhere: run `make book` first."),
        (("nowhere",), "Usage: print_book.py HTML_FOLDER PDF"),
    ],
)
def test_what_cannot_be_printed_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = printed(*arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", message + "\n")
    assert list(tmp_path.iterdir()) == []
