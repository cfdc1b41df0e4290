"""Gather what every statement's check earned into a ledger, with what each statement inherits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields

from checks.evidence import Level
from checks.evidence.registry import Kind, Lemma, Run, registry
from checks.evidence.report import Executed, Report
from checks.ledger.code_locations import check_location, construction_location
from checks.ledger.fields import SCHEMA, Ancestor, Entry, Ledger, Record
from checks.ledger.sources import statement_sources

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


def build_ledger(reports: Iterable[Report], run: Run, entries: Mapping[str, Lemma] | None = None) -> Ledger:
    """Gather reports on all statements into a ledger.

    Parameters
    ----------
    reports
        One per statement, as :func:`checks.evidence.runner.run_lemmas` returns them or an interrupted
        run kept them.
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
        sources=statement_sources(entry),
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
