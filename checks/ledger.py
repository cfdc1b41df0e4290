"""The ledger: what every statement's check earned, as JSON that the book and other programs read.

The file holds one object with the keys of :class:`Ledger`; ``entries`` is a list with the keys of
:class:`Entry`. A definition's or a remark's ``level`` is its kind, since there is nothing to execute.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from checks.evidence import Level
from checks.lemma import Effort, Kind, Lemma, Run, registry
from checks.runner import ControlReport, LemmaReport

SCHEMA = 1
VERSIONED_PACKAGES = ("subquartic", "numpy", "sympy", "scipy")


class LedgerError(ValueError):
    """A ledger file is missing or malformed; the message is one line that says where and how."""


@dataclass(frozen=True)
class Record:
    """One piece of evidence, as stored: the fields of :class:`checks.evidence.Evidence`."""

    level: Level
    claim: str
    scope: str
    cases: int
    seed: int | None
    counterexample: str | None


@dataclass(frozen=True)
class Location:
    """A place in the code: the path relative to the repository, and the line, from 1."""

    path: str
    line: int


@dataclass(frozen=True)
class Ancestor:
    """A statement that another rests on, with its level."""

    id: str
    level: Level


@dataclass(frozen=True)
class Entry:
    """What the ledger says of one statement.

    Attributes
    ----------
    level
        The weakest over its claims; the kind where there is nothing to execute.
    code
        Where the check stands, or the construction of a definition; None where there is neither.
    construction
        Where the construction stands; None where there is none.
    weakest_ancestor
        The weakest evidence among all statements that it rests on, directly or not. Definitions,
        remarks and hypotheses do not count; citations do. None where nothing counts.
    cited, assumed
        Ids of the citations and hypotheses that it rests on, directly or not.
    failures
        Why it is FAILED, in words.
    """

    id: str
    kind: Kind
    title: str
    level: Level | Kind
    records: tuple[Record, ...]
    controls: tuple[ControlReport, ...]
    seconds: float
    code: Location | None
    construction: Location | None
    statement_uses: tuple[str, ...]
    proof_uses: tuple[str, ...]
    source: str
    weakest_ancestor: Ancestor | None
    cited: tuple[str, ...]
    assumed: tuple[str, ...]
    failures: tuple[str, ...]

    @property
    def uses(self) -> tuple[str, ...]:
        """Ids of everything it rests on directly."""
        return tuple(dict.fromkeys((*self.statement_uses, *self.proof_uses)))

    @property
    def controls_rejected(self) -> int:
        """How many negative controls were rejected, as all must be."""
        return sum(control.rejected for control in self.controls)

    @property
    def cases(self) -> Mapping[Level, int]:
        """How many cases were executed at each level, the entry's own level first, then the strongest."""
        counts: dict[Level, int] = {}
        for record in sorted(self.records, key=lambda r: (r.level is not self.level, r.level.rank)):
            counts[record.level] = counts.get(record.level, 0) + record.cases
        return counts

    @property
    def deciding(self) -> Record | None:
        """The record that the level rests on, the one with most cases where there are several."""
        own = (record for record in self.records if record.level is self.level)
        return max(own, key=lambda record: record.cases, default=None)


@dataclass(frozen=True)
class Ledger:
    """All entries of one run, with the circumstances of the run."""

    schema: int
    versions: dict[str, str]
    effort: Effort
    seed: int
    entries: tuple[Entry, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Entry]:
        """The entries under their ids."""
        return {entry.id: entry for entry in self.entries}


def build_ledger(
    reports: Iterable[LemmaReport], run: Run, entries: Mapping[str, Lemma] | None = None
) -> Ledger:
    """Gather reports on all statements into a ledger.

    Parameters
    ----------
    reports
        One a statement, as :func:`checks.runner.run_lemmas` returns them.
    run
        The run that the reports come from.
    entries
        The statements; by default the registry.

    Raises
    ------
    ValueError
        If a statement has no report, since what it supports would then be unknown.
    """
    entries = registry() if entries is None else entries
    by_id = {report.id: report for report in reports}
    missing = [id for id in entries if id not in by_id]
    if missing:
        raise ValueError(
            f"Argument 'reports' must cover every registered statement, not leave out {', '.join(missing)}."
        )
    return Ledger(
        SCHEMA, _versions(), run.effort, run.seed, tuple(_entry(id, entries, by_id) for id in entries)
    )


def ancestors(id: str, entries: Mapping[str, Lemma]) -> list[str]:
    """Return the ids of all statements that ``id`` rests on, directly or not, the nearest first."""
    found: dict[str, None] = {}
    front = list(entries[id].uses)
    while front:
        found.update(dict.fromkeys(front))
        front = [used for near in front for used in entries[near].uses if used not in found]
    return list(found)


def _entry(id: str, entries: Mapping[str, Lemma], reports: Mapping[str, LemmaReport]) -> Entry:
    entry, report = entries[id], reports[id]
    above = ancestors(id, entries)
    colouring = [
        Ancestor(used, level)
        for used in above
        if entries[used].kind is not Kind.ASSUMED and (level := reports[used].level) is not None
    ]
    return Entry(
        id=id,
        kind=entry.kind,
        title=entry.title,
        level=entry.kind if report.level is None else report.level,
        records=tuple(
            Record(r.level, r.claim, r.scope, r.cases, r.seed, r.counterexample) for r in report.records
        ),
        controls=report.controls,
        seconds=round(report.seconds, 4),
        code=_check_location(entry) or _construction_location(entry),
        construction=_construction_location(entry),
        statement_uses=entry.statement_uses,
        proof_uses=entry.proof_uses,
        source=entry.source,
        weakest_ancestor=max(colouring, key=lambda ancestor: ancestor.level.rank, default=None),
        cited=tuple(used for used in above if entries[used].kind is Kind.CITED),
        assumed=tuple(used for used in above if entries[used].kind is Kind.ASSUMED),
        failures=report.failures,
    )


def _check_location(entry: Lemma) -> Location | None:
    if entry.check is None:
        return None
    code = getattr(entry.check, "__code__", None)
    return Location(_module_path(entry.module), code.co_firstlineno if code else 1)


def _construction_location(entry: Lemma) -> Location | None:
    from importlib.util import find_spec

    if not entry.construction:
        return None
    try:
        exists = find_spec(entry.construction) is not None
    except ModuleNotFoundError:  # the parent is a module, not a package
        exists = False
    return Location(_module_path(entry.construction), 1) if exists else None


def _module_path(module: str) -> str:
    return module.replace(".", "/") + ".py"


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    versions = {"python": platform.python_version()}
    for package in VERSIONED_PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def write_ledger(path: str | os.PathLike[str], reports: Iterable[LemmaReport], run: Run) -> Ledger:
    """Write the ledger of a run, whole or not at all, and return it.

    Raises
    ------
    ValueError
        If a registered statement has no report.
    OSError
        If the file cannot be written.
    """
    ledger = build_ledger(reports, run)
    text = json.dumps(asdict(ledger), indent=1, ensure_ascii=False) + "\n"
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return ledger


def read_ledger(path: str | os.PathLike[str]) -> Ledger:
    """Read a ledger and check all of it.

    Raises
    ------
    LedgerError
        If the file is missing, is no JSON, has another schema version, lacks a field, holds a value
        of the wrong type, or refers to a statement that it does not hold.
    """
    from checks.ledger_schema import decode_ledger

    try:
        data: Any = json.loads(Path(path).read_text(encoding="utf8"))
    except FileNotFoundError:
        raise LedgerError(
            f"There is no ledger {path}: write it with `subquartic check --ledger {path}`."
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise LedgerError(f"{path} is no JSON: {error}.") from None
    try:
        return decode_ledger(data)
    except ValueError as error:
        raise LedgerError(f"{path}: {error}") from None
