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
