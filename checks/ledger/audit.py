"""Does a ledger say what its checks return? Execute them again, and compare.

A ledger is a file: whoever can write it can write anything that is well-formed. What nobody can write is a
claim that survives execution, because a check is a function of the sources, the effort and the seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from checks.evidence import Level
from checks.evidence.registry import Lemma, registry
from checks.evidence.report import Report
from checks.ledger.build import entry_of
from checks.ledger.fields import Entry, Ledger
from checks.ledger.sources import outdated

MEASURED = "seconds"
"""The one field of an entry that differs from run to run."""


def refuse_other_sources(ledger: Ledger, ids: Iterable[str]) -> None:
    """Raise ValueError where one of these entries is of other source files: nothing here confirms it."""
    other = set(outdated(ledger)).intersection(ids)
    if other:
        raise ValueError(
            f"The ledger is of other source files for {', '.join(sorted(other))}: "
            "it must be audited with the sources that it was written by."
        )


def audit(ledger: Ledger, reports: Iterable[Report], entries: Mapping[str, Lemma] | None = None) -> list[str]:
    """Return what a ledger says otherwise than the executed checks, a line each; empty where nothing.

    Parameters
    ----------
    ledger
        The ledger, as :func:`checks.ledger.files.read_ledger` returns it.
    reports
        What its checks returned here, for some statements or for all, with the ledger's effort and seed.
    entries
        The statements; by default the registry. The ledger must hold just these.

    Raises
    ------
    ValueError
        If a report is of another effort or seed.
    """
    entries = registry() if entries is None else entries
    missing = [f"{id}: not in the ledger" for id in entries if id not in ledger.by_id]
    unknown = [f"{id}: no registered statement" for id in ledger.by_id if id not in entries]
    if missing or unknown:
        return missing + unknown
    levels = {e.id: e.level if isinstance(e.level, Level) else None for e in ledger.entries}
    found = []
    for report in reports:
        if (report.run.effort, report.run.seed) != (ledger.effort, ledger.seed):
            raise ValueError(
                f"Argument 'reports' must be of the ledger's effort {ledger.effort} and seed {ledger.seed}, "
                f"not of {report.run.effort} and {report.run.seed}."
            )
        executed = entry_of(report, entries, levels | {report.id: report.level})
        found += _differences(ledger.by_id[report.id], executed)
    return found


def _differences(claimed: Entry, executed: Entry) -> list[str]:
    return [f"{claimed.id}: {line}" for line in _unequal(asdict(claimed), asdict(executed), "")]


def _unequal(claimed: Any, executed: Any, path: str) -> list[str]:
    """Say where two values of the same form differ, by the names of their fields."""
    if isinstance(claimed, dict) and isinstance(executed, dict):
        return [
            line
            for name in claimed
            if (path, name) != ("", MEASURED)
            for line in _unequal(claimed[name], executed[name], f"{path}.{name}" if path else name)
        ]
    both_listed = isinstance(claimed, tuple | list) and isinstance(executed, tuple | list)
    if both_listed and len(claimed) == len(executed):
        return [
            line
            for number, pair in enumerate(zip(claimed, executed, strict=True))
            for line in _unequal(*pair, f"{path}[{number}]")
        ]
    if both_listed:
        return [f"{path} has {len(claimed)} in the ledger and {len(executed)} when executed"]
    return [] if claimed == executed else [f"{path} is {claimed} in the ledger and {executed} when executed"]
