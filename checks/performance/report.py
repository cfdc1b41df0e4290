"""The results of a run as a JSON document, with a schema that a reader can check."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from checks.performance.suite import Bench, Measurement, SuiteResult

SCHEMA = 1
"""Version of the document's form."""


def document(
    results: Sequence[SuiteResult], bench: Bench, machine: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """Return what is written to a file: only strings, finite numbers, lists and objects."""
    return {
        "schema": SCHEMA,
        "size": bench.size.value,
        "seed": bench.seed,
        "seconds": round(seconds, 1),
        "machine": dict(machine),
        "suites": [_suite(result) for result in results],
    }


def _suite(result: SuiteResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "measurements": [_measurement(entry) for entry in result.measurements],
        "targets": [
            {
                "name": target.name,
                "relation": ">=" if target.at_least else "<=",
                "goal": target.goal,
                "measured": _finite(target.measured),
                "met": target.met,
                "note": target.note,
            }
            for target in result.targets
        ],
        "figures": {name: _finite(value) for name, value in result.figures.items()},
    }


def _measurement(entry: Measurement) -> dict[str, Any]:
    ratio = entry.speed_up
    return {
        "method": entry.method,
        "setting": dict(entry.setting),
        "seconds": [list(calls) for calls in entry.seconds],
        "baseline": entry.baseline,
        "speed_up": None if ratio is None else {"median": ratio.median, "low": ratio.low, "high": ratio.high},
        "error": _finite(entry.error),
        "certified_error": _finite(entry.certified_error),
        "extra": {name: _finite(value) for name, value in entry.extra.items()},
    }


def _finite(value: float | None) -> float | None:
    """JSON has no infinity: an error that is one counts as none, and readers skip it."""
    return value if value is None or isfinite(value) else None


def read_document(path: str | Path) -> dict[str, Any]:
    """Read a document and check its form.

    Raises
    ------
    ValueError
        If it is no such document.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: no JSON document: {error}.") from None
    validate(content)
    result: dict[str, Any] = content
    return result


def validate(content: Any) -> None:
    """Check the form of a document.

    Raises
    ------
    ValueError
        That names the first place at fault.
    """
    _object("document", content, _DOCUMENT)
    if content["schema"] != SCHEMA:
        raise ValueError(f"schema must be {SCHEMA}, not {content['schema']!r}.")
    for number, suite in enumerate(content["suites"]):
        place = f"suites[{number}]"
        _object(place, suite, _SUITE)
        for index, entry in enumerate(suite["measurements"]):
            _object(f"{place}.measurements[{index}]", entry, _MEASUREMENT)
            calls = [second for turn in entry["seconds"] for second in turn]
            if not calls or not all(isinstance(second, float) and second > 0 for second in calls):
                raise ValueError(f"{place}.measurements[{index}].seconds must be positive numbers.")
        for index, target in enumerate(suite["targets"]):
            _object(f"{place}.targets[{index}]", target, _TARGET)


_NUMBER = (int, float)
_OPTIONAL_NUMBER = (int, float, type(None))
_DOCUMENT = {
    "schema": (int,),
    "size": (str,),
    "seed": (int,),
    "seconds": _NUMBER,
    "machine": (dict,),
    "suites": (list,),
}
_SUITE = {"name": (str,), "title": (str,), "measurements": (list,), "targets": (list,), "figures": (dict,)}
_MEASUREMENT = {
    "method": (str,),
    "setting": (dict,),
    "seconds": (list,),
    "baseline": (str, type(None)),
    "speed_up": (dict, type(None)),
    "error": _OPTIONAL_NUMBER,
    "certified_error": _OPTIONAL_NUMBER,
    "extra": (dict,),
}
_TARGET = {
    "name": (str,),
    "relation": (str,),
    "goal": _NUMBER,
    "measured": _OPTIONAL_NUMBER,
    "met": (bool, type(None)),
    "note": (str,),
}


def _object(place: str, content: Any, form: Mapping[str, tuple[type, ...]]) -> None:
    if not isinstance(content, dict):
        raise ValueError(f"{place} must be an object, not {type(content).__name__}.")
    if set(content) != set(form):
        raise ValueError(f"{place} must have the entries {', '.join(form)}, not {', '.join(content)}.")
    for key, types in form.items():
        if not isinstance(content[key], types):
            raise ValueError(f"{place}.{key} must not be {content[key]!r:.60}.")
