"""The results of a run as a JSON document, with a form that a reader can check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, TypedDict

from checks.performance.suite import Bench, Measurement, Size, SuiteResult
from reductions.system.json_decode import decode, one_of, strict_json

SCHEMA = 1
"""Version of the document's form."""


class SpeedUp(TypedDict):
    """How many times faster than its baseline a method is, and the ends of the interval about that."""

    median: float
    low: float
    high: float


class MeasurementEntry(TypedDict):
    """A :class:`.Measurement`; the times of every round's calls must be positive."""

    method: str
    setting: Mapping[str, str | int | float]
    seconds: list[list[float]]
    baseline: str | None
    speed_up: SpeedUp | None
    error: float | None
    certified_error: float | None
    extra: Mapping[str, float | None]


class TargetEntry(TypedDict):
    """A :class:`.Target`, and whether it is met."""

    name: str
    relation: Annotated[str, one_of(">=", "<=")]
    goal: float
    measured: float | None
    met: bool | None
    note: str


class SuiteEntry(TypedDict):
    """A :class:`.SuiteResult`."""

    name: str
    title: str
    measurements: list[MeasurementEntry]
    targets: list[TargetEntry]
    figures: Mapping[str, float | None]


class Document(TypedDict):
    """What is written to a file: only strings, finite numbers, lists and objects."""

    schema: int
    size: Size
    seed: int
    seconds: float
    machine: Mapping[str, Any]
    suites: list[SuiteEntry]


def document(
    results: Sequence[SuiteResult], bench: Bench, machine: Mapping[str, Any], seconds: float
) -> Document:
    """Return the document of a run."""
    return {
        "schema": SCHEMA,
        "size": bench.size,
        "seed": bench.seed,
        "seconds": round(seconds, 1),
        "machine": dict(machine),
        "suites": [_suite(result) for result in results],
    }


def _suite(result: SuiteResult) -> SuiteEntry:
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


def _measurement(entry: Measurement) -> MeasurementEntry:
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


def read_document(path: str | Path) -> Document:
    """Read a document and check its form.

    Raises
    ------
    ValueError
        If it is no such document.
    """
    try:
        content = strict_json(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: no JSON document: {error}.") from None
    return decode_document(content)


def decode_document(content: Mapping[str, Any]) -> Document:
    """Return the document that plain JSON data describes.

    Raises
    ------
    ValueError
        That names the first place at fault.
    """
    if content.get("schema") != SCHEMA:
        raise ValueError(f"schema must be {SCHEMA}, not {content.get('schema')!r:.40}.")
    decoded: Document = decode(Document, content, "")
    for number, suite in enumerate(decoded["suites"]):
        for index, entry in enumerate(suite["measurements"]):
            calls = [second for turn in entry["seconds"] for second in turn]
            if min(calls, default=0) <= 0:
                raise ValueError(f"suites[{number}].measurements[{index}].seconds must be positive numbers.")
    return decoded
