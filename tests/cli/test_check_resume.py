"""A run of real statements that is killed, and continued; and how far a run says it is."""

import json
import os
import re
import signal
import time

import pytest

from checks.cli.check_progress import TimeLeft, duration_in_words
from checks.evidence.runner import run_lemmas
from checks.ledger.build import record_of
from checks.ledger.files import read_ledger

RUN = ("check", "--ledger", "l.json")


def wait_for_lines(path, count):
    for _ in range(1200):
        if path.exists() and path.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} has no {count} lines after two minutes")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_killed_run_is_continued(few, tmp_path, jobs):
    progress, ledger = tmp_path / "l.json.progress.jsonl", tmp_path / "l.json"
    killed = few(*RUN, "--jobs", jobs)
    wait_for_lines(progress, 3)  # the circumstances and two statements
    os.killpg(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not ledger.exists()
    kept = {json.loads(line)["report"]["id"] for line in progress.read_bytes().splitlines()[1:]}
    assert 2 <= len(kept) < len(few.statements)

    continued = few(*RUN, "--jobs", jobs, "--resume")
    output, told = continued.communicate(timeout=120)
    assert continued.returncode == 0, told
    assert f"{len(kept)} statements taken over" in told
    executed = set(re.findall(r"^\[\d/5\] (\S+):", told, re.MULTILINE))
    assert not executed & kept
    assert executed | kept == set(few.statements)
    assert all(id in output for id in few.statements)
    assert not progress.exists()

    written = read_ledger(ledger).by_id
    for report in run_lemmas(few.statements):
        entry = written[report.id]
        assert entry.records == tuple(map(record_of, report.records))
        assert (entry.level, entry.controls) == (report.level, report.controls)


def test_named_statements_are_written_into_a_ledger(few, tmp_path):
    def run(*arguments):
        process = few("check", *arguments, "--ledger", "l.json", "--jobs", "1")
        output, told = process.communicate(timeout=120)
        return process.returncode, output, told

    status, output, told = run("token-count")
    assert (status, output) == (2, "")
    assert told == (
        "subquartic: There is no ledger l.json: write it with `subquartic check --ledger l.json`.\n"
    )
    assert run()[0] == 0
    written = read_ledger(tmp_path / "l.json").by_id
    status, output, told = run("token-count", "token_count", "lem-degree")
    assert status == 0, told
    assert re.findall(r"^\[\d/2\] (\S+):", told, re.MULTILINE) == ["lem-token-count", "lem-degree"]
    assert [line.split()[0] for line in output.splitlines() if "lem-" in line] == [
        "lem-token-count",
        "lem-degree",
    ]
    again = read_ledger(tmp_path / "l.json").by_id
    stayed = [id for id in few.statements if id not in ("lem-token-count", "lem-degree")]
    assert [again[id] for id in stayed] == [written[id] for id in stayed]  # with their seconds


def test_an_interrupt_says_how_to_continue(few, tmp_path):
    process = few(*RUN, "--jobs", "2")
    wait_for_lines(tmp_path / "l.json.progress.jsonl", 2)
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.splitlines()[-2:] == [
        "l.json.progress.jsonl: what is finished is kept; the same command with --resume continues",
        "subquartic: interrupted",
    ]


def test_resume_needs_a_ledger(refused):
    assert refused("check", "--resume").startswith("--resume continues a run that writes a ledger")


def test_lines_tell_the_time_left(subquartic):
    result = subquartic("check", "lem-token-count", "lem-degree", "--jobs", 1)
    first, second = result.stderr.splitlines()
    assert re.fullmatch(r"\[1/2\] lem-token-count: \w+ in \d+\.\d s; about \d+ s left", first)
    assert re.fullmatch(r"\[2/2\] lem-degree: \w+ in \d+\.\d s", second)
    assert subquartic("check", "lem-keys-kernel", "--jobs", 1, "--quiet").stderr == ""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals to open")
@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_shows_one_live_line(start, quiet):
    ours, theirs = os.openpty()
    options = ("--quiet",) if quiet else ()
    process = start(
        *("check", "lem-token-count", "lem-degree", "--jobs", 1, *options),
        stderr=theirs,
        environment={"TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if not piece:
            break
        shown += piece
    output, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0
    assert "lem-degree" in output
    if quiet:
        assert shown == b""
        return
    assert b"0/2" in shown
    assert b"1/2" in shown
    assert re.search(rb"about \d+ s left", shown)
    assert b"lem-" not in shown  # no line a statement
    assert shown.count(b"\n") <= 1
    assert shown.endswith((b"\x1b[2K", b"\x1b[?25h", b"\x1b[K"))  # the line is gone


def test_time_left_from_the_run_before():
    left = TimeLeft("abc", {"a": 1.0, "b": 2.0, "c": 3.0}, workers=2)
    assert left.seconds(0) == 3.0  # the longest alone; the others beside it
    left.finished("b", 2.0)
    left.finished("a", 1.0)
    assert left.seconds(2) == pytest.approx(3.0)
    slower = TimeLeft("abc", {"a": 1.0, "b": 2.0, "c": 3.0}, workers=1)
    slower.finished("a", 10.0)
    assert 5.0 < slower.seconds(10) < 50.0


def test_time_left_from_the_mean_so_far():
    left = TimeLeft("abcde", {}, workers=1)
    assert left.seconds(0) is None
    left.finished("a", 2.0)
    left.finished("b", 4.0)
    assert left.seconds(6) == 9.0
    left.finished("c", None)  # taken over
    assert left.seconds(6) == 6.0
    unknown = TimeLeft("abcde", {}, workers=None)
    unknown.finished("a", 2.0)
    unknown.finished("b", 2.0)
    unknown.finished("c", 2.0)
    assert unknown.seconds(2.0) == pytest.approx(2.0)  # three workers, two statements
    assert unknown.seconds(6.0) == pytest.approx(4.0)  # one


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "about 1 s left"), (4.4, "about 4 s left"), (42, "about 40 s left"), (170, "about 3 min left")],
)
def test_times_in_words(seconds, words):
    assert duration_in_words(seconds) == words
