"""The ledger: what every statement's check earned, as JSON that the book and other programs read.

:mod:`checks.ledger_fields` says what stands in it, :mod:`checks.ledger_schema` checks what is read, and
:mod:`checks.json_schema` publishes the same as a JSON Schema.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from checks.code_locations import check_location, construction_location
from checks.evidence import Level
from checks.ledger_fields import SCHEMA, Ancestor, Entry, Ledger, Record
from checks.lemma import Kind, Lemma, Run, registry
from checks.report import Executed, Report
from reductions.atomic import write_text
from reductions.source_digest import source_digest

VERSIONED_PACKAGES = (
    "subquartic",
    "array-api-compat",
    "mpmath",
    "networkx",
    "numba",
    "numpy",
    "python-flint",
    "scipy",
    "sympy",
)
"""The packages that checks compute with."""


class LedgerError(ValueError):
    """A ledger file is missing or malformed; the message is one line that says where and how."""


def build_ledger(reports: Iterable[Report], run: Run, entries: Mapping[str, Lemma] | None = None) -> Ledger:
    """Gather reports on all statements into a ledger.

    Parameters
    ----------
    reports
        One a statement, as :func:`checks.runner.run_lemmas` returns them or an interrupted run kept them.
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
    levels = {id: report.level for id, report in by_id.items()}
    return Ledger(
        schema=SCHEMA,
        versions=versions(),
        sources=source_digest(),
        effort=run.effort,
        seed=run.seed,
        entries=tuple(entry_of(by_id[id], entries, levels) for id in entries),
    )


def inherited(
    id: str, entries: Mapping[str, Lemma | Entry], levels: Mapping[str, Level | None]
) -> tuple[Ancestor | None, tuple[str, ...], tuple[str, ...]]:
    """Return the weakest ancestor, the citations and the hypotheses of a statement: see :class:`Entry`."""
    above = ancestors(id, entries)
    colouring = [
        Ancestor(used, level)
        for used in above
        if entries[used].kind is not Kind.ASSUMED and (level := levels[used]) is not None
    ]
    return (
        max(colouring, key=lambda ancestor: ancestor.level.rank, default=None),
        tuple(used for used in above if entries[used].kind is Kind.CITED),
        tuple(used for used in above if entries[used].kind is Kind.ASSUMED),
    )


def ancestors(id: str, entries: Mapping[str, Lemma | Entry]) -> list[str]:
    """Return the ids of all statements that ``id`` rests on, directly or not, the nearest first."""
    found: dict[str, None] = {}
    front = list(entries[id].uses)
    while front:
        found.update(dict.fromkeys(front))
        front = [used for near in front for used in entries[near].uses if used not in found]
    return list(found)


def entry_of(report: Report, entries: Mapping[str, Lemma], levels: Mapping[str, Level | None]) -> Entry:
    """Return the ledger's entry on the statement of a report.

    Parameters
    ----------
    entries
        The statements.
    levels
        The level of every statement, None where there is nothing to execute.
    """
    entry = entries[report.id]
    weakest, cited, assumed = inherited(report.id, entries, levels)
    return Entry(
        id=entry.id,
        kind=entry.kind,
        title=entry.title,
        level=entry.kind if report.level is None else report.level,
        records=tuple(map(record_of, report.records)),
        controls=report.controls,
        seconds=round(report.seconds, 4),
        code=check_location(entry) or construction_location(entry),
        construction=construction_location(entry),
        statement_uses=entry.statement_uses,
        proof_uses=entry.proof_uses,
        source=entry.source,
        weakest_ancestor=weakest,
        cited=cited,
        assumed=assumed,
        failures=report.failures,
    )


def record_of(executed: Executed) -> Record:
    """Return what the ledger stores of a piece of evidence."""
    return Record(**{field.name: getattr(executed, field.name) for field in fields(Record)})


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that checks compute with."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for package in VERSIONED_PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def write_ledger(path: str | os.PathLike[str], reports: Iterable[Report], run: Run) -> Ledger:
    """Write the ledger of a run, whole or not at all, and return it.

    Raises
    ------
    ValueError
        If a registered statement has no report.
    OSError
        If the file cannot be written.
    """
    ledger = build_ledger(reports, run)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(asdict(ledger), indent=1, ensure_ascii=False) + "\n")
    return ledger


def read_ledger(path: str | os.PathLike[str]) -> Ledger:
    """Read a ledger and check all of it.

    Raises
    ------
    LedgerError
        If the file is missing, is no JSON, has another schema version, lacks a field, holds a value
        of the wrong type, refers to a statement that it does not hold, or holds a level that does not
        follow from the records.
    """
    from checks.ledger_schema import decode_ledger

    try:
        data: Any = json.loads(Path(path).read_text(encoding="utf8"))
    except FileNotFoundError:
        raise LedgerError(
            f"There is no ledger {path}: write it with `subquartic check --ledger {path}`."
        ) from None
    except (ValueError, RecursionError) as error:  # also numbers of too many digits, too deep a nesting
        raise LedgerError(f"{path} is no JSON: {error}.") from None
    try:
        return decode_ledger(data)
    except ValueError as error:
        raise LedgerError(f"{path}: {error}") from None
