"""What an interrupted run keeps, when it counts, and that it comes back exactly."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, replace

import pytest

import checks.ledger.resume
from checks.evidence import Evidence, Level, exhaustive
from checks.evidence.registry import Effort, Run, lemma, registry
from checks.evidence.report import LemmaReport
from checks.evidence.runner import run_lemmas
from checks.ledger.build import build_ledger
from checks.ledger.files import read_ledger
from checks.ledger.resume import KeptReport, KeptReports, kept_path
from checks.ledger.run import run_into_ledger
from reductions.system.source_files import source_files


def holds(n):
    return True


class Killed(BaseException):
    """Ends a run as nothing can be caught that ends one."""


def interrupted(ledger, after, run=None):
    """Start a run that ends after so many statements; return what the user was told."""
    count, told = 0, []

    def progress(report):
        nonlocal count
        count += report.id != "def-d"
        if count == after:
            raise Killed

    with pytest.raises(Killed):
        run_into_ledger(ledger, run or Run(), progress=progress, notice=told.append)
    assert not ledger.exists()
    return told


def same_but_for_seconds(one, other):
    def stripped(ledger):
        return replace(ledger, entries=tuple(replace(entry, seconds=0.0) for entry in ledger.entries))

    return stripped(one) == stripped(other)


def test_only_what_is_missing_is_executed(executed, ledger):
    told = interrupted(ledger, after=2)
    assert told == [
        f"{kept_path(ledger)}: what is finished is kept; the same command with --resume continues"
    ]
    assert executed == ["a", "b"]
    heard = []
    reports = run_into_ledger(ledger, Run(), resume=True, progress=heard.append, notice=told.append)
    assert executed == ["a", "b", "c", "d"]
    assert told[1:] == [f"{kept_path(ledger)}: 2 statements taken over"]
    assert sorted(report.id for report in heard) == sorted(registry())
    assert [report.id for report in reports] == list(registry())
    assert same_but_for_seconds(read_ledger(ledger), build_ledger(run_lemmas(), Run()))
    assert list(ledger.parent.iterdir()) == [ledger]


def test_a_report_comes_back_exactly(executed, ledger):
    reports = {report.id: report for report in run_lemmas()}
    with KeptReports(ledger, Run(), registry(), resume=False) as kept:
        for report in reports.values():
            kept.keep(report)
    with KeptReports(ledger, Run(), registry(), resume=True) as kept:
        assert set(kept.found) == set(reports)
        for id, found in kept.found.items():
            report = reports[id]
            assert (found.level, found.failures, found.seconds) == (
                report.level,
                report.failures,
                report.seconds,
            )
            assert (found.controls, found.run, str(found)) == (report.controls, report.run, str(report))
            assert found._repr_html_() == report._repr_html_()
        assert kept.found["lem-b"].level is Level.FAILED
        assert build_ledger(kept.found.values(), Run()) == build_ledger(reports.values(), Run())
    once = kept_path(ledger).read_bytes()
    with KeptReports(ledger, Run(), registry(), resume=True):
        assert kept_path(ledger).read_bytes() == once


def test_what_was_kept_is_no_evidence(executed, ledger):
    interrupted(ledger, after=1)
    with KeptReports(ledger, Run(), registry(), resume=True) as kept:
        (found,) = kept.found.values()
    assert isinstance(found, KeptReport)
    assert not isinstance(found, LemmaReport)
    assert not any(isinstance(record, Evidence) for record in found.records)
    with pytest.raises(TypeError, match="never made by hand"):
        Evidence(**asdict(found.records[0]))


def test_an_error_is_not_kept(empty_registry, ledger):
    fail = True

    @lemma("lem-a", title="A")
    def check(run):
        if fail:
            raise MemoryError
        yield exhaustive("c", "s", [1], 1, holds)

    check.control("broken")(lambda run: exhaustive("c", "s", [1], 1, lambda n: False))
    interrupted(ledger, after=1)
    fail = False
    (report,) = run_into_ledger(ledger, Run(), resume=True)
    assert report.level is Level.EXHAUSTIVE


@pytest.mark.parametrize(
    ("run", "changed", "reason"),
    [
        (Run(seed=1), {}, "the seed was 0 and is 1"),
        (Run(Effort.FULL), {}, "the effort was quick and is full"),
        (Run(), {"versions": lambda: {"numpy": "9"}}, "was .* and is not there"),
        (Run(), {"FORMAT": 4}, "the format was 3 and is 4"),
    ],
)
def test_other_circumstances_start_afresh(executed, ledger, monkeypatch, run, changed, reason):
    interrupted(ledger, after=2)
    for name, value in changed.items():
        monkeypatch.setattr(checks.ledger.resume, name, value)
    told = []
    run_into_ledger(ledger, run, resume=True, notice=told.append)
    (line,) = told

    assert re.search(f"starts afresh, since .*{reason}", line)
    assert executed == ["a", "b", "a", "b", "c", "d"]


def test_only_what_depends_on_an_edit_is_executed_again(executed, ledger, change_sources):
    interrupted(ledger, after=3)
    change_sources("lem-b")
    told = []
    run_into_ledger(ledger, Run(), resume=True, notice=told.append)
    assert told == [f"{kept_path(ledger)}: 2 statements taken over"]
    assert executed == ["a", "b", "c", "b", "d"]


def test_without_resume_everything_is_executed(executed, ledger):
    interrupted(ledger, after=2)
    told = []
    run_into_ledger(ledger, Run(), notice=told.append)
    assert told == [
        f"{kept_path(ledger)}: an interrupted run's reports are discarded; --resume takes them over"
    ]
    assert executed == ["a", "b", "a", "b", "c", "d"]


def test_nothing_to_resume(executed, ledger):
    told = []
    run_into_ledger(ledger, Run(), resume=True, notice=told.append)
    assert told == [f"{kept_path(ledger)}: not there, nothing to resume"]
    assert executed == ["a", "b", "c", "d"]


def test_every_torn_end_loses_at_most_its_own_statement(executed, ledger):
    interrupted(ledger, after=3)
    whole = kept_path(ledger).read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    assert len(ends) == 4
    around = {end + shift for end in ends for shift in (-2, -1, 0, 1)}
    for length in sorted({*range(0, len(whole), 101), *around} - {len(whole) + 1}):
        kept_path(ledger).write_bytes(whole[:length])
        with KeptReports(ledger, Run(), registry(), resume=True) as kept:
            assert len(kept.found) == max(0, sum(end <= length for end in ends) - 1)
            assert all(found.records for found in kept.found.values())


def test_a_damaged_line_is_executed_again(executed, ledger):
    interrupted(ledger, after=3)
    head, first, *rest = kept_path(ledger).read_bytes().splitlines(keepends=True)
    line = json.loads(first)
    assert line["report"]["id"] == "lem-a"
    line["report"]["records"][0]["cases"] = 7
    for damaged in (
        json.dumps(line).encode(),
        b"[]",
        b"{}",
        b"\xff",
        b"",
        b'{"sha256": 1, "report": {}}',
        b"[" * 9999,
    ):
        kept_path(ledger).write_bytes(b"".join((head, damaged + b"\n", *rest)))
        with KeptReports(ledger, Run(), registry(), resume=True) as kept:
            assert set(kept.found) == {"lem-b", "lem-c"}


def test_lines_of_other_circumstances_count_for_nothing(executed, ledger):
    """A line is bound to the first line that it was written under, and to the statement's own controls."""
    interrupted(ledger, after=2)
    _, *lines = kept_path(ledger).read_bytes().splitlines(keepends=True)
    interrupted(ledger, after=1, run=Run(seed=1))
    head, *_ = kept_path(ledger).read_bytes().splitlines(keepends=True)
    kept_path(ledger).write_bytes(b"".join((head, *lines)))
    with KeptReports(ledger, Run(seed=1), registry(), resume=True) as kept:
        assert kept.found == {}


def test_a_statement_with_other_controls_is_executed_again(executed, ledger):
    interrupted(ledger, after=2)
    registry()["lem-a"].control("broken otherwise")(lambda run: exhaustive("c", "s", [1], 1, lambda n: False))
    with KeptReports(ledger, Run(), registry(), resume=True) as kept:
        assert set(kept.found) == {"lem-b"}


def test_a_run_that_takes_the_file_at_once_is_not_written_into(executed, ledger, monkeypatch):
    """Another run puts its own file there in the moment after this one's."""
    (report,) = run_lemmas(["lem-a"])
    real = os.replace

    def overtaken(source, target):
        real(source, target)
        kept_path(ledger).unlink()
        kept_path(ledger).write_bytes(b"another run's\n")

    monkeypatch.setattr("os.replace", overtaken)
    with KeptReports(ledger, Run(), registry(), resume=False) as kept:
        kept.keep(report)
        kept.remove()
    assert kept_path(ledger).read_bytes() == b"another run's\n"


def test_sources_that_change_during_a_run_leave_no_ledger(executed, ledger, monkeypatch):
    source_files()
    monkeypatch.setattr("reductions.system.source_files._read", dict)
    with pytest.raises(RuntimeError, match="source files have changed during the run"):
        run_into_ledger(ledger, Run())
    assert not ledger.exists()


def test_what_ran_after_an_edit_is_not_kept(executed, ledger, monkeypatch):
    """Where the edit is undone, its digest is that of the files again, and the result still of the edit."""
    source_files()
    with monkeypatch.context() as edited:

        def edit(report):
            if report.id == "lem-b":
                edited.setattr("reductions.system.source_files._read", dict)

        with pytest.raises(RuntimeError, match="source files have changed during the run"):
            run_into_ledger(ledger, Run(), progress=edit)
    assert executed == [*"abc"]
    run_into_ledger(ledger, Run(), resume=True)
    assert executed == [*"abc", *"cd"]


@pytest.mark.parametrize("head", [b"", b"\n", b"[]\n", b"{}\n", b"\xff\n", b'{"format": 1}\n'])
def test_a_damaged_head_starts_afresh(executed, ledger, head):
    kept_path(ledger).write_bytes(head)
    with KeptReports(ledger, Run(), registry(), resume=True) as kept:
        assert kept.found == {}
        assert "starts afresh, since" in kept.message


def test_two_runs_do_not_mix(executed, ledger):
    """The file belongs to the run that began last; the other neither writes into it nor removes it."""
    (report,) = run_lemmas(["lem-a"])
    with KeptReports(ledger, Run(), registry(), resume=False) as older:
        with KeptReports(ledger, Run(seed=1), registry(), resume=False):
            older.keep(report)
            older.remove()
        with KeptReports(ledger, Run(seed=1), registry(), resume=True) as later:
            assert later.found == {}
            assert "taken over" in later.message
            later.remove()
    assert not kept_path(ledger).exists()


def test_a_full_disk_is_said_of_the_file(executed, ledger, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    with KeptReports(ledger, Run(), registry(), resume=False) as kept:
        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space") as caught:
            kept.keep(run_lemmas(["lem-a"])[0])
    assert caught.value.filename == str(kept_path(ledger))
