"""A run into a ledger that is there: what stays, what is executed, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import checks.ledger.resume
from checks.evidence import Level, exhaustive
from checks.evidence.registry import Effort, Run, lemma, registry
from checks.ledger.files import LedgerError, read_ledger
from checks.ledger.run import run_into_ledger


def holds(n):
    return True


class Killed(BaseException):
    """Ends a run as nothing can be caught that ends one."""


def test_a_whole_ledger_is_continued_too(executed, ledger, change_sources):
    run_into_ledger(ledger, Run())
    first = read_ledger(ledger)
    change_sources("lem-c", "def-d")
    told, heard = [], []
    reports = run_into_ledger(ledger, Run(), resume=True, progress=heard.append, notice=told.append)
    assert told == [f"{ledger}: 3 statements taken over"]
    assert executed == [*"abcd", "c"]
    assert [report.id for report in reports] == list(registry())
    assert sorted(report.id for report in heard) == sorted(registry())
    second = read_ledger(ledger)
    assert [
        old.id for old, new in zip(first.entries, second.entries, strict=True) if old.sources != new.sources
    ] == [
        "def-d",
        "lem-c",
    ]
    assert second.by_id["lem-b"] == first.by_id["lem-b"]  # its seconds too
    assert second.by_id["lem-b"].level is Level.FAILED


@pytest.mark.parametrize(
    ("run", "version"), [(Run(seed=1), {}), (Run(Effort.FULL), {}), (Run(), {"versions": lambda: {}})]
)
def test_a_ledger_of_other_circumstances_counts_for_nothing(executed, ledger, monkeypatch, run, version):
    run_into_ledger(ledger, Run())
    for name, value in version.items():
        monkeypatch.setattr(checks.ledger.resume, name, value)
    run_into_ledger(ledger, run, resume=True)
    assert executed == [*"abcd", *"abcd"]
    with pytest.raises(ValueError, match=r"does not of lem-b, lem-c, lem-d: name them too, or none with"):
        run_into_ledger(ledger, Run(seed=2), ["lem-a"])


def test_a_malformed_ledger_is_said_and_counts_for_nothing(executed, ledger):
    ledger.write_text("{}")
    told = []
    run_into_ledger(ledger, Run(), resume=True, notice=told.append)
    assert told[0].startswith(f"{ledger}: schema must be")
    assert executed == [*"abcd"]


def test_an_error_in_a_ledger_is_executed_again(empty_registry, ledger):
    fail = True

    @lemma("lem-a", title="A")
    def check(run):
        if fail:
            raise MemoryError
        yield exhaustive("c", "s", [1], 1, holds)

    check.control("broken")(lambda run: exhaustive("c", "s", [1], 1, lambda n: False))
    run_into_ledger(ledger, Run())
    assert read_ledger(ledger).by_id["lem-a"].level is Level.FAILED
    fail = False
    (report,) = run_into_ledger(ledger, Run(), resume=True)
    assert report.level is Level.EXHAUSTIVE


def test_named_statements_are_executed_and_the_others_stay(executed, ledger, change_sources):
    run_into_ledger(ledger, Run())
    first = read_ledger(ledger)
    run_into_ledger(ledger, Run(), ["lem-c", "lem-a"])
    assert executed == [*"abcd", *"ac"]
    second = read_ledger(ledger)
    assert [replace(entry, seconds=0.0) for entry in second.entries] == [
        replace(entry, seconds=0.0) for entry in first.entries
    ]
    assert [second.by_id[id] for id in ("lem-b", "lem-d")] == [first.by_id[id] for id in ("lem-b", "lem-d")]
    assert list(ledger.parent.iterdir()) == [ledger]

    change_sources("lem-a", "lem-d")
    before = ledger.read_bytes()
    message = (
        f"{ledger} must say what counts here of the statements that are not named, and does not of lem-d: "
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        run_into_ledger(ledger, Run(), ["lem-a"])
    assert ledger.read_bytes() == before
    assert list(ledger.parent.iterdir()) == [ledger]
    assert executed == [*"abcd", *"ac"]
    run_into_ledger(ledger, Run(), ["lem-a", "lem-d"])
    assert executed == [*"abcd", *"ac", *"ad"]


def test_named_statements_need_a_ledger(executed, ledger):
    with pytest.raises(LedgerError, match="There is no ledger"):
        run_into_ledger(ledger, Run(), ["lem-a"])
    assert executed == []


def test_an_interrupted_run_of_named_statements_is_continued(executed, ledger):
    run_into_ledger(ledger, Run())

    def stop(report):
        if report.id == "lem-a":
            raise Killed

    with pytest.raises(Killed):
        run_into_ledger(ledger, Run(), ["lem-a", "lem-c"], progress=stop)
    assert executed == [*"abcd", "a"]
    run_into_ledger(ledger, Run(), ["lem-a", "lem-c"], resume=True)
    assert executed == [*"abcd", *"ac"]
