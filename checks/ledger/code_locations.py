"""Where a statement's check and its construction stand in the code."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from checks.evidence.registry import Lemma
from checks.ledger.fields import Location


def check_location(entry: Lemma) -> Location | None:
    """Return where the check begins; None where there is none."""
    if entry.check is None:
        return None
    code = getattr(entry.check, "__code__", None)
    return Location(source_path(entry.module), code.co_firstlineno if code else 1)


def construction_location(entry: Lemma) -> Location | None:
    """Return where the construction begins; None where there is none.

    It is the public class or function that has the module's name or the words of the statement's id, in
    any order; the module's first one where none has.
    """
    if not entry.construction:
        return None
    try:
        spec = find_spec(entry.construction)
    except ModuleNotFoundError:  # the parent is a module, not a package
        spec = None
    if spec is None or spec.origin is None:
        return None
    lines = _public_lines(spec.origin)
    names = (entry.construction.rpartition(".")[2], entry.id.partition("-")[2].replace("-", "_"))
    line = next((lines[key] for key in map(_words, names) if key in lines), None)
    return Location(source_path(entry.construction), line or next(iter(lines.values()), 1))


@cache
def _public_lines(path: str) -> dict[tuple[str, ...], int]:
    """Return the first line of every public class and function of a file, by the words of its name."""
    tree = ast.parse(Path(path).read_text("utf8"))
    found: dict[tuple[str, ...], int] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            decorated = [decorator.lineno for decorator in node.decorator_list]
            found.setdefault(_words(node.name), min([node.lineno, *decorated]))
    return found


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name in one order: ``VarModel``, ``var_model`` and ``model_var`` are alike."""
    return tuple(sorted(word.lower() for word in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)))


def source_path(module: str) -> str:
    """Return the path, below the project's root, of a module or of a folder's ``__init__``."""
    spec = find_spec(module)
    place = module.replace(".", "/")
    return f"{place}/__init__.py" if spec and spec.submodule_search_locations else f"{place}.py"
