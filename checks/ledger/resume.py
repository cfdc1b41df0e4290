"""What an interrupted run leaves behind, so that ``subquartic check --resume`` need not do it again.

The file lies beside the ledger. Its first line holds the circumstances of the run; each further line holds
one finished statement and a SHA-256 over it and the first line, and is on the disk before the next statement
is reported. A kept report counts only in the same circumstances: effort, seed, versions and source files.
Errors are not kept, since they may be the machine's.

A kept report is a note of what was earned, as the ledger is. It never becomes evidence again: its records
are :class:`checks.ledger.fields.Record`, and its level follows from them by the same rule.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from checks.evidence.registry import Effort, Lemma, Run, registry
from checks.evidence.report import ControlReport, LemmaReport, Report
from checks.evidence.runner import run_lemmas
from checks.ledger.build import record_of, versions
from checks.ledger.decode import decode, refuse_unearned
from checks.ledger.fields import Count, Record, Seconds
from checks.ledger.files import write_ledger
from reductions.system.atomic import atomic_path
from reductions.system.source_digest import refuse_changed_sources, source_digest

FORMAT = 2


@dataclass(frozen=True)
class KeptReport(Report):
    """A report that an interrupted run left behind."""

    records: tuple[Record, ...]


@dataclass(frozen=True)
class _Circumstances:
    format: int
    effort: Effort
    seed: Count
    versions: dict[str, str]
    sources: str


@dataclass(frozen=True)
class _Line:
    id: str
    records: tuple[Record, ...]
    controls: tuple[ControlReport, ...]
    seconds: Seconds


def kept_path(ledger: str | os.PathLike[str]) -> Path:
    """Return where the reports of a run that writes this ledger are kept."""
    path = Path(ledger)
    return path.with_name(f"{path.name}.progress.jsonl")


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
        self.path = kept_path(ledger)
        self.found: dict[str, KeptReport] = {}
        now = _Circumstances(FORMAT, run.effort, run.seed, versions(), source_digest())
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
        kept = _Line(report.id, tuple(map(record_of, report.records)), report.controls, report.seconds)
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
            if (
                kept is not None
                and entry is not None
                and [c.name for c in kept.controls] == [*entry.controls]
            ):
                self.found[kept.id] = KeptReport(
                    entry.id, entry.kind, entry.title, run, kept.records, kept.controls, kept.seconds
                )
        count = len(self.found)
        return f"{self.path}: {count} statement{'' if count == 1 else 's'} taken over"


def run_into_ledger(
    ledger: str | os.PathLike[str],
    run: Run,
    *,
    jobs: int = 1,
    progress: Callable[[Report], None] = lambda report: None,
    scheduler: str | None = None,
    resume: bool = False,
    notice: Callable[[str], None] = lambda line: None,
) -> list[Report]:
    """Execute all statements, keep what finishes, and write the ledger at the end.

    Parameters
    ----------
    jobs, scheduler
        See :func:`checks.evidence.runner.run_lemmas`.
    progress
        Called with each report, those that were taken over first.
    resume
        Execute only what an interrupted run in the same circumstances left over.
    notice
        Called with each line that a user may want to read.

    Raises
    ------
    OSError
        If the ledger, or the file of kept reports, cannot be read or written.
    RuntimeError
        If the project's source files changed during the run.
    """
    entries = registry()
    reports: dict[str, Report] = {}

    def finished(report: LemmaReport) -> None:
        if entries[report.id].check is not None:
            kept.keep(report)
        reports[report.id] = report
        progress(report)

    with KeptReports(ledger, run, entries, resume=resume) as kept:
        if kept.message:
            notice(kept.message)
        reports.update(kept.found)
        for found in kept.found.values():
            progress(found)
        missing = [id for id in entries if id not in reports]
        try:
            if missing:
                run_lemmas(missing, run, jobs=jobs, progress=finished, scheduler=scheduler)
        except BaseException:
            notice(f"{kept.path}: what is finished is kept; the same command with --resume continues")
            raise
        ordered = [reports[id] for id in entries]
        refuse_changed_sources()
        write_ledger(ledger, ordered, run)
        kept.remove()
    return ordered


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
    return "" if then.sources == now.sources else "the project's source files have changed"


def _encoded(data: Any) -> bytes:
    return json.dumps(data).encode("ascii") + b"\n"
