"""Check plain JSON data against the ledger's dataclasses, field by field."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from checks.evidence import Level
from checks.evidence.registry import Kind, Run
from checks.evidence.report import Report
from checks.ledger.build import inherited
from checks.ledger.fields import SCHEMA, AtLeast, Entry, Ledger, Record


def decode_ledger(data: Any) -> Ledger:
    """Return the ledger that ``data`` describes.

    Raises
    ------
    ValueError
        If it does not describe one; the message names the field.
    """
    if not isinstance(data, dict):
        raise ValueError(f"the ledger must be an object, not {_json_type(data)}.")
    if data.get("schema") != SCHEMA:
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


def decode(expected: Any, value: Any, where: str) -> Any:
    """Return the value of a type that plain JSON data describes.

    Parameters
    ----------
    expected
        The type: a dataclass, an enumeration, ``tuple[X, ...]``, ``dict[str, X]``, a union or a scalar.
    where
        The place, for messages.

    Raises
    ------
    ValueError
        If it describes none; the message names the place.
    """
    origin = get_origin(expected)
    if origin is Annotated:
        number, least = get_args(expected)
        return _decode_number(number, least, value, where)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(expected), value, where)
    if origin is tuple:
        _require(isinstance(value, list), where, "a list", value)
        return tuple(
            decode(get_args(expected)[0], item, f"{where}[{index}]") for index, item in enumerate(value)
        )
    if origin is dict:
        _require(isinstance(value, dict), where, "an object", value)
        return {key: decode(get_args(expected)[1], item, f"{where}.{key}") for key, item in value.items()}
    if is_dataclass(expected) and isinstance(expected, type):
        return _decode_object(expected, value, where)
    if issubclass(expected, Enum):
        choices = [member.value for member in expected]
        _require(isinstance(value, str) and value in choices, where, f"one of {', '.join(choices)}", value)
        return expected(value)
    return _decode_scalar(expected, value, where)


def _decode_union(members: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in members:
        return None
    error: ValueError | None = None
    for member in members:
        if member is not type(None):
            try:
                return decode(member, value, where)
            except ValueError as reason:
                error = error or reason
    raise error or ValueError(f"{where} must not be {value!r}.")


def _decode_object(expected: type, value: Any, where: str) -> Any:
    _require(isinstance(value, dict), where or "the ledger", "an object", value)
    hints = get_type_hints(expected, include_extras=True)
    names = [field.name for field in fields(expected)]
    prefix = f"{where}." if where else ""
    for name in names:
        if name not in value:
            raise ValueError(f"{prefix}{name} is missing.")
    for name in value:
        if name not in names:
            raise ValueError(f"{prefix}{name} is not a field.")
    return expected(**{name: decode(hints[name], value[name], f"{prefix}{name}") for name in names})


def _decode_number(expected: type, least: AtLeast, value: Any, where: str) -> Any:
    number = _decode_scalar(expected, value, where)
    _require(number >= least.value, where, f"at least {least.value}", value)
    return number


def _decode_scalar(expected: type, value: Any, where: str) -> Any:
    if expected is int and isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number: 1.0 is an integer
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) <= sys.float_info.max else math.inf
    fits = isinstance(value, expected) and (expected is bool or not isinstance(value, bool))
    _require(fits, where, _json_word(expected), value)
    if isinstance(value, float):
        _require(math.isfinite(value), where, "a finite number", value)
    return value


def _require(fits: bool, where: str, wanted: str, value: Any) -> None:
    if not fits:
        raise ValueError(f"{where} must be {wanted}, not {_json_type(value)}.")


def _json_word(expected: type) -> str:
    return {str: "a string", int: "an integer", float: "a number", bool: "true or false"}[expected]


def _json_type(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return "null" if value is None else repr(value)
