"""Read JSON strictly, and decode plain JSON data into a type: the one way in which files are validated.

A file's form is written down once, as dataclasses or typed dictionaries; :func:`decode` asks for exactly
that, field by field, and a message names the place.
"""

from __future__ import annotations

import json
import math
import re
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints, is_typeddict


@dataclass(frozen=True)
class AtLeast:
    """The least value that a number may have, as an annotation of its type."""

    value: int

    def __str__(self) -> str:
        return f"at least {self.value}"

    def holds(self, number: float) -> bool:
        """Whether a number is as large."""
        return number >= self.value


@dataclass(frozen=True)
class Matches:
    """The regular expression that a string must match as a whole, as an annotation of its type.

    Attributes
    ----------
    pattern
        The expression.
    words
        What such a string is, for messages.
    """

    pattern: str
    words: str

    def __str__(self) -> str:
        return self.words

    def holds(self, text: str) -> bool:
        """Whether a string matches."""
        return re.fullmatch(self.pattern, text) is not None


def one_of(*words: str) -> Matches:
    """Return the annotation of a string that must be one of some words."""
    return Matches("|".join(map(re.escape, words)), f"one of {', '.join(words)}")


def strict_json(text: str) -> dict[str, Any]:
    """Parse a JSON object; ValueError on a repeated key, on NaN or infinity, on nesting too deep to parse."""

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ValueError("a key is repeated")
        return result

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a JSON number")

    try:
        value = json.loads(text, object_pairs_hook=table, parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def decode(expected: Any, value: Any, where: str) -> Any:
    """Return the value of a type that plain JSON data describes.

    Parameters
    ----------
    expected
        The type: a dataclass, a typed dictionary, an enumeration, ``tuple[X, ...]``, ``list[X]``,
        ``dict[str, X]``, a union, a scalar, such a type with :class:`AtLeast` or :class:`Matches`, or Any.
    where
        The place, for messages.

    Raises
    ------
    ValueError
        If it describes none; the message is one line that names the place.
    """
    if expected is Any:
        return value
    origin, arguments = get_origin(expected), get_args(expected)
    if origin is Annotated:
        decoded = decode(arguments[0], value, where)
        _require(arguments[1].holds(decoded), where, str(arguments[1]), value)
        return decoded
    if origin in (Union, types.UnionType):
        return _decode_union(arguments, value, where)
    if origin in (tuple, list):
        _require(isinstance(value, list), where, "a list", value)
        return origin(decode(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin in (dict, Mapping):
        _require(isinstance(value, dict), where, "an object", value)
        return {key: decode(arguments[1], item, _inside(where, key)) for key, item in value.items()}
    if is_typeddict(expected) or (is_dataclass(expected) and isinstance(expected, type)):
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
    # The value's own type first: in int | float, 2 stays 2 and 2.0 stays 2.0.
    for member in sorted(members, key=lambda member: member is not type(value)):
        if member is not type(None):
            try:
                return decode(member, value, where)
            except ValueError as reason:
                error = error or reason
    raise error or ValueError(f"{where} must not be {_json_type(value)}.")


def _decode_object(expected: type, value: Any, where: str) -> Any:
    _require(isinstance(value, dict), where or "the file", "an object", value)
    hints = get_type_hints(expected, include_extras=True)
    names = [field.name for field in fields(expected)] if is_dataclass(expected) else list(hints)
    for name in names:
        if name not in value:
            raise ValueError(f"{_inside(where, name)} is missing.")
    for name in value:
        if name not in names:
            raise ValueError(f"{_inside(where, name)} is not a field.")
    return expected(**{name: decode(hints[name], value[name], _inside(where, name)) for name in names})


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


def _inside(where: str, key: str) -> str:
    """Return the place of a key; a file's own keys may be long or hold ends of lines."""
    name = f"{key:.60}" if key.isprintable() else f"{key!r:.60}"
    return f"{where}.{name}" if where else name


def _require(fits: bool, where: str, wanted: str, value: Any) -> None:
    if not fits:
        raise ValueError(f"{where} must be {wanted}, not {_json_type(value)}.")


def _json_word(expected: type) -> str:
    return {str: "a string", int: "an integer", float: "a number", bool: "true or false"}[expected]


def _json_type(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return "null" if value is None else f"{value!r:.60}"
