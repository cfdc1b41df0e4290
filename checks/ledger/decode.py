"""Decode a ledger, and check what it concludes against its own records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks.evidence import Level
from checks.evidence.registry import Kind, Run
from checks.evidence.report import Report
from checks.ledger.build import inherited
from checks.ledger.fields import SCHEMA, Entry, Ledger, Record
from reductions.system.json_decode import decode


def decode_ledger(data: Any) -> Ledger:
    """Return the ledger that ``data`` describes.

    Raises
    ------
    ValueError
        If it does not describe one; the message names the field.
    """
    if isinstance(data, dict) and data.get("schema") != SCHEMA:
        raise ValueError(f"schema must be {SCHEMA}, not {data.get('schema')!r}: write the ledger anew.")
    ledger: Ledger = decode(Ledger, data, "")
    _check_references(ledger)
    return ledger


def kinds_as_level(kind: Kind) -> tuple[Kind, ...]:
    """Return the kinds that a statement of this kind may have in place of evidence: its own, or none."""
    return (kind,) if kind in (Kind.DEFINITION, Kind.REMARK) else ()


def _check_references(ledger: Ledger) -> None:
    ids = [entry.id for entry in ledger.entries]
    if len(set(ids)) != len(ids):
        raise ValueError(f"entries: {next(id for id in ids if ids.count(id) > 1)} stands there twice.")
    for index, entry in enumerate(ledger.entries):
        ancestor = () if entry.weakest_ancestor is None else (entry.weakest_ancestor.id,)
        for used in (*entry.uses, *entry.cited, *entry.assumed, *ancestor):
            if used not in ledger.by_id:
                raise ValueError(f"entries[{index}] ({entry.id}) refers to {used}, which has no entry.")
        if not isinstance(entry.level, Level) and entry.level not in kinds_as_level(entry.kind):
            raise ValueError(f"entries[{index}].level must be evidence, since {entry.id} is a {entry.kind}.")
        for number, record in enumerate(entry.records):
            refuse_unearned(record, f"entries[{index}].records[{number}]")
    levels = {entry.id: entry.level if isinstance(entry.level, Level) else None for entry in ledger.entries}
    for index, entry in enumerate(ledger.entries):
        _check_conclusions(f"entries[{index}]", entry, ledger, levels)


def _check_conclusions(where: str, entry: Entry, ledger: Ledger, levels: Mapping[str, Level | None]) -> None:
    """Refuse what an entry concludes where its own records, or its ancestors, say otherwise."""
    error = entry.failures[0].removeprefix(_ERROR) if ended_in_error(entry) else None
    run = Run(ledger.effort, ledger.seed)
    report = Report(entry.id, entry.kind, entry.title, run, entry.records, entry.controls, 0.0, error)
    concluded: dict[str, tuple[Any, Any]] = {
        "failures": (entry.failures, report.failures),
        "level": (entry.level, entry.kind if report.level is None else report.level),
    }
    stated = (entry.weakest_ancestor, entry.cited, entry.assumed)
    derived = inherited(entry.id, ledger.by_id, levels)
    names = ("weakest_ancestor", "cited", "assumed")
    concluded |= dict(zip(names, zip(stated, derived, strict=True), strict=True))
    for name, (written, follows) in concluded.items():
        if written != follows:
            raise ValueError(
                f"{where}.{name} does not follow from the records of {entry.id} and its ancestors."
            )


def ended_in_error(entry: Entry) -> bool:
    """Tell whether an exception ended the check early, which may be the machine's doing."""
    return bool(entry.failures) and entry.failures[0].startswith(_ERROR)


def refuse_unearned(record: Record, where: str) -> None:
    """Raise ValueError where no check earns such a record; the message names the field."""
    fields_of = FIELDS_OF_LEVEL.get(record.level)
    if fields_of is None:
        raise ValueError(f"{where}.level must be earned by execution, not {record.level}.")
    wanted: dict[type | None, str] = {None: "null", str: "a string", int: "an integer"}
    for name, allowed in fields_of.items():
        value = getattr(record, name)
        if (None if value is None else type(value)) not in allowed:
            words = " or ".join(wanted[kind] for kind in allowed)
            raise ValueError(f"{where}.{name} must be {words} where the level is {record.level}.")
    if record.level is not Level.FAILED and record.cases == 0:
        raise ValueError(f"{where}.cases must be at least 1 where the level is {record.level}.")


_ERROR = "error: "

FIELDS_OF_LEVEL: Mapping[Level, Mapping[str, tuple[type | None, ...]]] = {
    Level.SYMBOLIC: {"seed": (None,), "counterexample": (None,)},
    Level.CERTIFIED: {"seed": (None,), "counterexample": (None,)},
    Level.EXHAUSTIVE: {"seed": (None,), "counterexample": (None,)},
    Level.SAMPLED: {"seed": (int,), "counterexample": (None,)},
    Level.FAILED: {"seed": (int, None), "counterexample": (str,)},
}
"""The levels that a check earns, and what a record of each holds."""
