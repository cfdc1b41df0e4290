"""What was executed before and still counts, so that ``subquartic check --resume`` need not do it again.

It stands in a ledger, or in the file that an interrupted run leaves behind.

The file lies beside the ledger. Its first line holds the circumstances of the run; each further line holds
one finished statement and a SHA-256 over it and the first line, and is on the disk before the next statement
is reported. A report counts only in the same circumstances, which are effort, seed and versions, and where
all files on which the statement's evidence depends are the same.
Errors are not kept, since they may be the machine's.

A kept report is a note of what was earned, as the ledger is. It never becomes evidence again: its records
are :class:`checks.ledger.fields.Record`, and its level follows from them by the same rule.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from checks.evidence.registry import Effort, Lemma, Run
from checks.evidence.report import ControlReport, Report
from checks.ledger.build import record_of, versions
from checks.ledger.decode import ended_in_error, refuse_unearned
from checks.ledger.fields import Count, Entry, Record, Seconds
from checks.ledger.files import read_ledger
from checks.ledger.sources import statement_sources
from reductions.system.atomic import atomic_path
from reductions.system.json_decode import decode

FORMAT = 3


@dataclass(frozen=True)
class KeptReport(Report):
    """A report of a run before."""

    records: tuple[Record, ...]


@dataclass(frozen=True)
class _Circumstances:
    format: int
    effort: Effort
    seed: Count
    versions: dict[str, str]


@dataclass(frozen=True)
class _Line:
    id: str
    sources: str
    records: tuple[Record, ...]
    controls: tuple[ControlReport, ...]
    seconds: Seconds


def kept_path(ledger: str | os.PathLike[str]) -> Path:
    """Return where the reports of a run that writes this ledger are kept."""
    path = Path(ledger)
    return path.with_name(f"{path.name}.progress.jsonl")


def current_reports(
    path: str | os.PathLike[str], run: Run, entries: Mapping[str, Lemma]
) -> dict[str, KeptReport]:
    """Return, by id, what a ledger says of statements that would come out the same in this run.

    Raises
    ------
    LedgerError
        If the ledger is missing or malformed.
    """
    ledger = read_ledger(path)
    if (ledger.effort, ledger.seed, ledger.versions) != (run.effort, run.seed, versions()):
        return {}
    found = {}
    for written in ledger.entries:
        entry = entries.get(written.id)
        if entry is None or entry.check is None or ended_in_error(written):
            continue
        report = _taken_over(written, entry, run)
        if report is not None:
            found[entry.id] = report
    return found


def taken_over(path: Path, found: Mapping[str, KeptReport]) -> str:
    """Say in one line how many reports of a file count again."""
    return f"{path}: {len(found)} statement{'' if len(found) == 1 else 's'} taken over"


class KeptReports:
    """The file of one run's finished statements.

    Parameters
    ----------
    ledger
        The ledger that the run will write.
    run
        Effort and seed.
    entries
        The registered statements.
    resume
        Take over what an earlier run left; else it is discarded.

    Attributes
    ----------
    found
        The reports that were taken over, by id.
    message
        One line about what became of an earlier run's reports; "" where there is nothing to say.

    Raises
    ------
    OSError
        If the file cannot be read or written.
    """

    def __init__(
        self, ledger: str | os.PathLike[str], run: Run, entries: Mapping[str, Lemma], *, resume: bool
    ) -> None:
        self.path, self._entries = kept_path(ledger), entries
        self.found: dict[str, KeptReport] = {}
        now = _Circumstances(FORMAT, run.effort, run.seed, versions())
        self._head = _encoded(asdict(now))
        self.message = self._take_over(now, run, entries, resume=resume)
        with atomic_path(self.path) as temporary:  # anew, without what was torn or damaged
            # Open from here to the end: where another run puts its own file there, be it at this very moment,
            # this one's reports do not get into it.
            self._file = open(temporary, "ab")  # noqa: SIM115
            self._file.write(self._head + b"".join(self._line(found) for found in self.found.values()))
            self._file.flush()

    def __enter__(self) -> KeptReports:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def keep(self, report: Report) -> None:
        """Put a finished statement on the disk, unless it ended in an error."""
        if report.error is not None:
            return
        try:
            self._file.write(self._line(report))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OSError(error.errno, error.strerror, os.fspath(self.path)) from None

    def remove(self) -> None:
        """Remove the file, where it is still this run's: the ledger is written."""
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(self._file.fileno()), self.path.stat()):
                self.path.unlink()

    def _line(self, report: Report) -> bytes:
        sources = statement_sources(self._entries[report.id])
        records = tuple(map(record_of, report.records))
        kept = _Line(report.id, sources, records, report.controls, report.seconds)
        return _encoded({"report": asdict(kept), "sha256": self._digest(asdict(kept))})

    def _decoded(self, line: bytes) -> _Line | None:
        """Return what a line holds, or None where it is damaged: its statement is then executed again."""
        try:
            data = json.loads(line)
            if data["sha256"] != self._digest(data["report"]):
                return None
            kept: _Line = decode(_Line, data["report"], "")
            for number, record in enumerate(kept.records):
                refuse_unearned(record, f"records[{number}]")
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return kept

    def _digest(self, data: Any) -> str:
        """Over the circumstances too: under another first line, a line counts for nothing."""
        return sha256(self._head + _encoded(data)).hexdigest()

    def _take_over(self, now: _Circumstances, run: Run, entries: Mapping[str, Lemma], *, resume: bool) -> str:
        try:
            head, *lines = self.path.read_bytes().split(b"\n")[
                :-1
            ]  # what follows the last end of line is torn
        except FileNotFoundError:
            return f"{self.path}: not there, nothing to resume" if resume else ""
        except ValueError:
            return f"{self.path}: starts afresh, since it is empty"
        if not resume:
            return f"{self.path}: an interrupted run's reports are discarded; --resume takes them over"
        reason = _difference(head, now)
        if reason:
            return f"{self.path}: starts afresh, since {reason}"
        for line in lines:
            kept = self._decoded(line)
            entry = None if kept is None else entries.get(kept.id)
            if kept is not None and entry is not None and (report := _taken_over(kept, entry, run)):
                self.found[kept.id] = report
        return taken_over(self.path, self.found)


def _taken_over(kept: _Line | Entry, entry: Lemma, run: Run) -> KeptReport | None:
    """Return what a line or a ledger's entry reports; None where the statement must be executed again."""
    same_controls = [control.name for control in kept.controls] == [*entry.controls]
    if kept.sources != statement_sources(entry) or not same_controls:
        return None
    return KeptReport(entry.id, entry.kind, entry.title, run, kept.records, kept.controls, kept.seconds)


def _difference(head: bytes, now: _Circumstances) -> str:
    """Say in which circumstance a kept run differs from this one; "" where in none."""
    try:
        then: _Circumstances = decode(_Circumstances, json.loads(head), "")
    except ValueError:
        return "its first line is damaged or of another version"
    pairs: list[tuple[str, object, object]] = [
        ("the format", then.format, now.format),
        ("the effort", then.effort, now.effort),
        ("the seed", then.seed, now.seed),
    ]
    for name in sorted({*then.versions, *now.versions}):
        pairs.append((name, then.versions.get(name, "not there"), now.versions.get(name, "not there")))
    for word, before, after in pairs:
        if before != after:
            return f"{word} was {before} and is {after}"
    return ""


def _encoded(data: Any) -> bytes:
    return json.dumps(data).encode("ascii") + b"\n"
