"""The manifest of an instance file: what the instance is, where it comes from, and what is known of it."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from reductions.instance_files.header import InstanceFileError, first_line, strict_json
from reductions.problem import Answer

SCHEMA = 1
"""The version of the manifest's schema that this package writes, and the only one that it reads."""

UNKNOWN = "unknown"


class KnownBy(StrEnum):
    """How the answer of an instance is known."""

    PLANTED = "planted"  # the instance was made so
    CERTIFIED = "certified"  # the witness, or a proof, was checked
    SOLVER = "solver"  # an exact algorithm ran
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Manifest:
    """The manifest as plain data.

    Attributes
    ----------
    problem
        The problem's name, a key of the codecs.
    parameters
        What makes the instance together with the tensors (temperature, threshold, gap, ...).
    sizes
        The instance's sizes, under the names that parameter maps use.
    chain
        The reductions that made the instance, in order: ``{"reduction": name, "parameters": {...}}``.
    seed, command_line, version
        The seed of a generated instance, the command that wrote the file, the package's version.
    formula_sha256
        SHA-256 of the source formula's DIMACS text in the form :meth:`CNF.to_dimacs` gives it.
    tensors
        For each tensor its ``dtype``, ``shape`` and ``sha256`` (of name, dtype, shape and bytes).
    answer, known_by, witness
        ``YES``, ``NO``, ``OUTSIDE_PROMISE`` or ``unknown``; how that is known; the witness of a YES.
    read_out
        ``{"positions": ..., "threshold": ..., "tolerated_error": ...}`` where the solution is an
        approximate output that is read at some positions: "all", a list, or the name of the tensor that
        holds them. None for an exact problem.
    """

    problem: str
    parameters: Mapping[str, Any]
    sizes: Mapping[str, float]
    tensors: Mapping[str, Mapping[str, Any]]
    chain: tuple[Mapping[str, Any], ...] = ()
    seed: int | None = None
    command_line: str | None = None
    version: str = UNKNOWN
    formula_sha256: str | None = None
    answer: str = UNKNOWN
    known_by: str = KnownBy.UNKNOWN.value
    witness: Any = None
    read_out: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name, (says, holds) in _FIELDS.items():
            if not holds(getattr(self, name)):
                raise ValueError(f"the manifest's {name!r} must be {says}, not {getattr(self, name)!r:.80}")
        if (self.answer == UNKNOWN) != (self.known_by == KnownBy.UNKNOWN):
            raise ValueError(
                f"the manifest says that the answer is {self.answer}, known by {self.known_by!r}"
            )
        positions = None if self.read_out is None else self.read_out["positions"]
        if isinstance(positions, str) and positions not in {"all", *self.tensors}:
            raise ValueError(f"the manifest's read-out positions are in no tensor: {positions!r:.40}")
        if self.witness is not None and self.answer != Answer.YES:
            raise ValueError(f"the manifest has a witness, but its answer is {self.answer}")

    def as_dict(self) -> dict[str, Any]:
        """Return the manifest as the JSON object of the file, its own hash included."""
        content = plain(
            {"schema": SCHEMA} | {field.name: getattr(self, field.name) for field in fields(self)}
        )
        return {**content, "sha256": _digest(content)}

    def to_json(self) -> str:
        """Return the canonical text: sorted keys, no white space, ASCII."""
        return _canonical(self.as_dict())


def parse_manifest(text: str) -> Manifest:
    """Parse and check the text of a manifest.

    Raises
    ------
    InstanceFileError
        If anything is wrong with it: syntax, schema version, fields, hash.
    """
    try:
        content = strict_json(text)
        version = content.pop("schema", None)
        if type(version) is not int or version != SCHEMA:
            raise ValueError(
                f"the manifest's schema version is {version!r:.40}; this program reads version {SCHEMA}"
            )
        digest = content.pop("sha256", None)
        expected = {field.name for field in fields(Manifest)}
        if missing := sorted(expected - set(content)):
            raise ValueError(f"the manifest lacks {missing[0]!r}")
        if extra := sorted(set(content) - expected):
            raise ValueError(f"the manifest has an unknown field {extra[0]!r:.40}")
        if digest != _digest({"schema": SCHEMA, **content}):
            raise ValueError("the manifest's own SHA-256 does not match: it was changed or damaged")
        if isinstance(content["chain"], list):
            content["chain"] = tuple(content["chain"])
        manifest = Manifest(**content)
        if manifest.to_json() != text:
            raise ValueError("the manifest is not in canonical form: it was changed or damaged")
    except (ValueError, RecursionError) as error:
        raise InstanceFileError(f"{first_line(error)}.") from None
    return manifest


def plain(value: Any) -> Any:
    """Turn tuples, enumerations and NumPy scalars into plain JSON data; refuse anything else.

    Raises
    ------
    TypeError, ValueError
        If ``value`` holds an object that JSON has no word for, or a number that is not finite.
    """
    if isinstance(value, StrEnum):
        return value.value
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"a manifest holds finite numbers, not {value}")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a manifest holds plain data, not {type(value).__name__}")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a manifest's keys are strings, not {type(key).__name__}")
    return str(key)


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(content).encode("ascii")).hexdigest()


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _is_step(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) == {"reduction", "parameters"}
        and isinstance(value["reduction"], str)
        and isinstance(value["parameters"], Mapping)
    )


def _is_tensor(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) == {"dtype", "shape", "sha256"}
        and isinstance(value["dtype"], str)
        and isinstance(value["shape"], list | tuple)
        and _is_sha256(value["sha256"])
    )


def _is_read_out(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) == {"positions", "threshold", "tolerated_error"}
        and isinstance(value["positions"], str | list | tuple)
        and _is_number(value["threshold"])
        and _is_number(value["tolerated_error"])
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "problem": ("a name", lambda value: isinstance(value, str) and value != ""),
    "parameters": ("a table", lambda value: isinstance(value, Mapping)),
    "sizes": (
        "a table of numbers",
        lambda value: isinstance(value, Mapping) and all(map(_is_number, value.values())),
    ),
    "tensors": (
        "a table of dtype, shape and sha256",
        lambda value: isinstance(value, Mapping) and all(map(_is_tensor, value.values())),
    ),
    "chain": (
        "a list of reductions with their parameters",
        lambda value: isinstance(value, tuple) and all(map(_is_step, value)),
    ),
    "seed": ("an integer or null", lambda value: value is None or type(value) is int),
    "command_line": ("a string or null", lambda value: value is None or isinstance(value, str)),
    "version": ("a string", lambda value: isinstance(value, str)),
    "formula_sha256": ("a SHA-256 or null", lambda value: value is None or _is_sha256(value)),
    "answer": (
        "YES, NO, OUTSIDE_PROMISE or unknown",
        lambda value: isinstance(value, str) and value in {*Answer, UNKNOWN},
    ),
    "known_by": (
        "planted, certified, solver or unknown",
        lambda value: isinstance(value, str) and value in set(KnownBy),
    ),
    "witness": (
        "an index, a list or null",
        lambda value: value is None or isinstance(value, int | list | tuple),
    ),
    "read_out": (
        "a table of positions, threshold and tolerated_error, or null",
        lambda value: value is None or _is_read_out(value),
    ),
}
