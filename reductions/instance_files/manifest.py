"""The manifest of an instance file: what the instance is, where it comes from, and what is known of it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Annotated, Any, TypedDict

from reductions.instance_files.header import InstanceFileError, first_line
from reductions.problem import Answer
from reductions.system.json_decode import Matches, decode, one_of, strict_json

SCHEMA = 1
"""The version of the manifest's schema that this package writes, and the only one that it reads."""

UNKNOWN = "unknown"


class KnownBy(StrEnum):
    """How the answer of an instance is known."""

    PLANTED = "planted"  # the instance was made so
    CERTIFIED = "certified"  # the witness, or a proof, was checked
    SOLVER = "solver"  # an exact algorithm ran
    UNKNOWN = "unknown"


Sha256 = Annotated[str, Matches("[0-9a-f]{64}", "a SHA-256")]


class Tensor(TypedDict):
    """What a manifest says of a tensor; the hash covers name, element type, shape and bytes."""

    dtype: str
    shape: list[int]
    sha256: Sha256


class Step(TypedDict):
    """A reduction by name, with what it was made with."""

    reduction: str
    parameters: Mapping[str, Any]


class ReadOut(TypedDict):
    """Where and how an approximate solution is read; see :class:`Manifest`."""

    positions: str | list[Any]
    threshold: int | float
    tolerated_error: int | float


@dataclass(frozen=True)
class Manifest:
    """The manifest as plain data; its types are what :func:`parse_manifest` asks of a file.

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
    sizes: Mapping[str, int | float]
    tensors: Mapping[str, Tensor]
    chain: tuple[Step, ...] = ()
    seed: int | None = None
    command_line: str | None = None
    version: str = UNKNOWN
    formula_sha256: Sha256 | None = None
    answer: Annotated[str, one_of(*Answer, UNKNOWN)] = UNKNOWN
    known_by: Annotated[str, one_of(*KnownBy)] = KnownBy.UNKNOWN.value
    witness: int | list[Any] | None = None
    read_out: ReadOut | None = None

    def __post_init__(self) -> None:
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
        if digest != _digest({"schema": SCHEMA, **content}):
            raise ValueError("the manifest's own SHA-256 does not match: it was changed or damaged")
        manifest: Manifest = decode(Manifest, content, "manifest")
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
