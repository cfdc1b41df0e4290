"""The JSON Schema of the ledger, derived from its dataclasses so that the two cannot drift apart.

It says all that :func:`checks.ledger.decode.decode_ledger` asks of each value. What a schema cannot say,
only the decoder checks: no id stands there twice, every id that is referred to has an entry, and what an
entry concludes follows from its records and its ancestors.
"""

from __future__ import annotations

import re
import sys
import types
from dataclasses import fields, is_dataclass
from enum import Enum
from inspect import cleandoc
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from checks.evidence import Level
from checks.evidence.registry import Kind
from checks.ledger.decode import FIELDS_OF_LEVEL, kinds_as_level
from checks.ledger.fields import SCHEMA, Entry, Ledger, Record

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


def ledger_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every ledger of this version fits."""
    definitions: dict[str, Any] = {}
    _refer(Ledger, definitions)
    ledger: dict[str, Any] = definitions.pop(Ledger.__name__)
    ledger["properties"]["schema"] |= {"const": SCHEMA}
    definitions[Entry.__name__]["allOf"] = [_level_of(kind) for kind in Kind]
    definitions[Record.__name__]["properties"]["level"]["enum"] = [level.value for level in FIELDS_OF_LEVEL]
    definitions[Record.__name__]["allOf"] = [_fields_of(level) for level in FIELDS_OF_LEVEL]
    head: dict[str, Any] = {
        "$schema": DIALECT,
        "title": f"Ledger of subquartic, version {SCHEMA} of the format",
    }
    return head | ledger | {"$defs": dict(sorted(definitions.items()))}


def _level_of(kind: Kind) -> dict[str, Any]:
    """Say which levels an entry of this kind may have."""
    levels = [level.value for level in (*Level, *kinds_as_level(kind))]
    return {
        "if": {"properties": {"kind": {"const": kind.value}}},
        "then": {"properties": {"level": {"enum": levels}}},
    }


def _fields_of(level: Level) -> dict[str, Any]:
    """Say what a record of this level holds."""
    then: dict[str, Any] = {
        name: {"type": ["null" if kind is None else _SCALARS[kind] for kind in allowed]}
        for name, allowed in FIELDS_OF_LEVEL[level].items()
    }
    if level is not Level.FAILED:
        then["cases"] = {"minimum": 1}
    return {"if": {"properties": {"level": {"const": level.value}}}, "then": {"properties": then}}


def _schema_of(expected: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(expected), get_args(expected)
    if origin is Annotated:
        return _schema_of(arguments[0], definitions) | {"minimum": arguments[1].value}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema_of(member, definitions) for member in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _schema_of(arguments[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema_of(arguments[1], definitions)}
    if expected is type(None):
        return {"type": "null"}
    if expected is float:
        return {"type": "number", "maximum": sys.float_info.max}  # JSON has no infinity, but it has 1e999
    if expected in _SCALARS:
        return {"type": _SCALARS[expected]}
    return _refer(expected, definitions)


def _refer(expected: type, definitions: dict[str, Any]) -> dict[str, Any]:
    """Define a dataclass or an enumeration once, and return the reference to it."""
    name = expected.__name__
    if name not in definitions:
        definitions[name] = {}  # so that a type may refer to itself
        if is_dataclass(expected):
            definitions[name] = _object(expected, definitions)
        elif issubclass(expected, Enum):
            values = [member.value for member in expected]
            definitions[name] = {"description": _summary(expected), "type": "string", "enum": values}
        else:
            raise TypeError(f"The ledger has a field of type {name}, which no JSON Schema describes.")
    return {"$ref": f"#/$defs/{name}"}


def _object(expected: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(expected, include_extras=True)
    described = _described(expected)
    names = [field.name for field in fields(expected)]
    # A KeyError where a field is not described: none may be published without a description.
    return {
        "description": _summary(expected),
        "type": "object",
        "properties": {
            name: {"description": described[name]} | _schema_of(hints[name], definitions) for name in names
        },
        "required": names,
        "additionalProperties": False,
    }


def _summary(documented: type) -> str:
    """Return the first paragraph of a docstring, as plain text."""
    return _plain(cleandoc(documented.__doc__ or "").partition("\n\n")[0])


def _described(documented: type) -> dict[str, str]:
    """Return what the section "Attributes" of a docstring says of each field."""
    _, _, section = cleandoc(documented.__doc__ or "").partition("\nAttributes\n----------\n")
    found = re.findall(r"^(\w[\w, ]*)\n((?:(?: {4}.*)?(?:\n|$))+)", section, flags=re.MULTILINE)
    return {name: _plain(text) for names, text in found for name in names.split(", ")}


def _plain(text: str) -> str:
    return " ".join(re.sub(r"``|:\w+:", "", text).replace("`", "").replace("None", "null").split())
