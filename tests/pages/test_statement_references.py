"""The dependency graph says what the pages say: what a box refers to, its registration declares."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks.evidence.registry import registry

BOOK = Path(__file__).parents[2] / "book"
BOX = re.compile(r"^(`{3,}|:{3,})\{prf:(?:definition|lemma|theorem|remark|assumption)\}.*?^\1$", re.M | re.S)
LABEL = re.compile(r"^:label: *(\S+)", re.M)
REFERENCE = re.compile(r"\{prf:ref\}`(?:[^`<]*<)?([^`>]+)>?`")


def boxes() -> dict[str, str]:
    """The text of every statement's box, by label."""
    found = {}
    for page in sorted(BOOK.glob("*/*.md")):
        for box in BOX.finditer(page.read_text(encoding="utf-8")):
            label = LABEL.search(box.group())
            assert label, f"{page.name}: a box without a label"
            found[label.group(1)] = box.group()
    return found


BOXES = boxes()


def test_every_statement_has_its_box():
    assert set(BOXES) == set(registry())


@pytest.mark.parametrize("statement", sorted(BOXES))
def test_a_statement_declares_what_it_refers_to(statement):
    referred = set(REFERENCE.findall(BOXES[statement])) - {statement}
    undeclared = referred - set(registry()[statement].statement_uses)
    assert not undeclared, f"add to statement_uses of {statement}: {sorted(undeclared)}"
