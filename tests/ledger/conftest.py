"""Statements that note when they are executed, and a place for their ledger."""

from __future__ import annotations

import pytest

import checks.ledger.sources
from checks.evidence import exhaustive, sampled
from checks.evidence.registry import Kind, declare, lemma


def holds(n):
    return True


@pytest.fixture
def executed(empty_registry):
    """Four statements with awkward words, one of them FAILED, that note when they are executed."""
    executed = []
    declare("def-d", kind=Kind.DEFINITION, title="D")
    for name in "abcd":

        @lemma(f"lem-{name}", title=name, statement_uses=("def-d",))
        def check(run, name=name):
            executed.append(name)
            yield exhaustive('claim "é"\n\u2028', "all \\ of\x00 one", [1], 1, lambda n: name != "b")
            yield sampled("second", "s", run.seed, 10**6 if name == "d" else 2, lambda g: 0, holds)

        check.control("broken")(lambda run: exhaustive("c", "s", [1], 1, lambda n: False))
    return executed


@pytest.fixture
def ledger(tmp_path):
    return tmp_path / "ledger.json"


@pytest.fixture
def change_sources(monkeypatch):
    """Let the evidence of statements depend on one module more, as after an edit that imports it."""
    real = checks.ledger.sources.statement_modules

    def change(*ids):
        def modules(entry):
            return (*real(entry), *(["reductions.problems.cnf"] if entry.id in ids else []))

        monkeypatch.setattr("checks.ledger.sources.statement_modules", modules)

    return change
