"""The build refuses a book that disagrees with the registry, or that would load from elsewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LEMMA_PAGE = "lower_bound/split_and_list.md"


@pytest.fixture
def sources(book: Path, tmp_path: Path) -> Path:
    """A copy of the built book's sources, with its ledger and without executing its pages."""
    copy = tmp_path / "book"
    shutil.copytree(book.parents[1], copy, ignore=shutil.ignore_patterns("_build", "__pycache__"))
    edit(copy / "_config.yml", "execute_notebooks: cache", 'execute_notebooks: "off"')
    edit(
        copy / "_config.yml", "suppress_warnings: [", "suppress_warnings: [myst-nb.lexer, "
    )  # of not executing
    return copy


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf8")
    assert old in text
    path.write_text(text.replace(old, new), "utf8")


def build(sources: Path) -> tuple[int, str]:
    command = [Path(sys.executable).with_name("jupyter-book"), "build", sources, "-W", "--keep-going"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return finished.returncode, re.sub(r"\x1b\[[\d;]*m", "", finished.stdout + finished.stderr)


def unused(ledger: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the entries that no other rests on."""
    below = {used for entry in ledger["entries"] for used in entry["statement_uses"] + entry["proof_uses"]}
    return (entry for entry in ledger["entries"] if entry["id"] not in below)


def refused(sources: Path) -> str:
    status, output = build(sources)
    assert status != 0
    return output


def test_the_unchanged_book_builds(sources):
    status, output = build(sources)
    assert status == 0, output[-2000:]


def test_a_statement_without_box(sources):
    edit(sources / LEMMA_PAGE, ":label: lem-split-and-list\n", ":label: lem-other-name\n")
    output = refused(sources)
    assert "lem-split-and-list has no box in the book" in output
    assert "the box 'lem-other-name' is no registered statement" in output


def test_a_box_without_statement(sources):
    page = sources / LEMMA_PAGE
    page.write_text(page.read_text("utf8") + "\n```{prf:theorem} Bold\nEverything is easy.\n```\n", "utf8")
    assert "is no registered statement" in refused(sources)


def test_a_box_of_another_kind(sources):
    edit(sources / LEMMA_PAGE, "```{prf:lemma}", "```{prf:remark}")
    assert "lem-split-and-list is a lemma, its box a remark" in refused(sources)


def test_a_lemma_without_proof(sources):
    edit(sources / LEMMA_PAGE, "{prf:proof}", "{note}")
    assert "lem-split-and-list has no proof on its page" in refused(sources)


def test_a_failed_check(sources):
    path = sources / "_data/ledger.json"
    ledger = json.loads(path.read_text("utf8"))
    entry = next(entry for entry in unused(ledger) if entry["controls"])
    entry["controls"][0] |= {"name": "one", "rejected": False}
    entry |= {"level": "FAILED", "failures": ["control not rejected: one"]}
    path.write_text(json.dumps(ledger), "utf8")
    assert f"{entry['id']} FAILED: control not rejected: one" in refused(sources)


def test_a_ledger_of_other_sources(sources):
    path = sources / "_data/ledger.json"
    ledger = json.loads(path.read_text("utf8"))
    entry = next(unused(ledger))
    entry["sources"] = "0" * 64
    path.write_text(json.dumps(ledger), "utf8")
    assert f"The ledger is of other source files for {entry['id']}: continue it with" in refused(sources)


def test_a_record_of_another_engine(sources):
    path = sources / "_data/mutants.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf8")) | {"engine": "0" * 64}), "utf8")
    assert "The record of mutants is of other source files" in refused(sources)


def test_an_outdated_or_missing_ledger(sources):
    path = sources / "_data/ledger.json"
    ledger = json.loads(path.read_text("utf8"))
    entry = next(unused(ledger))
    ledger["entries"].remove(entry)
    path.write_text(json.dumps(ledger), "utf8")
    assert f"The ledger is out of date ({entry['id']})" in refused(sources)
    path.unlink()
    assert "write it with `subquartic check --ledger" in refused(sources)


def test_pages_that_load_from_elsewhere(sources):
    markups = {
        "cite": '<img alt="" src="https://example.org/a.png">',
        "graph": "<script src='//example.org/a.js'></script>",
        "bibliography": "<link rel=stylesheet href=https://example.org/a.css>",
    }
    for name, markup in markups.items():
        page = sources / f"{name}.md"
        page.write_text(page.read_text("utf8") + f"\n{markup}\n", "utf8")
    output = refused(sources)
    assert "The site would load from other machines" in output
    assert all(f"{name}.html: <" in output for name in markups)
