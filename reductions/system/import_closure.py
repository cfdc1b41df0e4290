"""Which of the project's modules a module may load: its import closure, read off the texts.

Imports inside functions count, those for type checkers alone do not. A package comes with each of its
modules. Where a module imports by computed name, every module whose name stands in it as a text counts.
What a package imports in its ``__getattr__`` counts for those that ask the package for what is no module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.util import resolve_name

from reductions.system.source_files import source_files

GETATTR = "__getattr__"


def import_closure(*modules: str) -> frozenset[str]:
    """Return the project's modules that importing and calling these may load, themselves included.

    Names of other modules are passed over.
    """
    found: set[str] = set()
    front = {known for module in modules for known in _known(module)}
    while front:
        found |= front
        front = {known for name in front for known in _loaded_by(name)} - found
    return frozenset(name for name in found if name in module_files())


@cache
def module_files() -> Mapping[str, str]:
    """Return the path, below the project's root, of each of the project's modules."""
    paths = [path for path in source_files() if path.endswith(".py")]
    return {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in paths}


@cache
def imported_names(module: str) -> frozenset[str]:
    """Return all names that the import statements of a module may mean, its ``__getattr__`` left out."""
    return frozenset(_names([node for node in _body(module) if not _is_getattr(node)], _package(module)))


@cache
def _loaded_by(name: str) -> frozenset[str]:
    """Return what a module, or the ``__getattr__`` of a package, may load at once."""
    package, _, last = name.rpartition(".")
    if last != GETATTR:
        return frozenset(known for imported in imported_names(name) for known in _known(imported))
    names = _names([node for node in _body(package) if _is_getattr(node)], _package(package))
    return frozenset(known for imported in names for known in _known(imported))


def _known(name: str) -> Iterator[str]:
    """Yield the module of this name and its packages; the last one's ``__getattr__`` for a name in it."""
    parts = name.split(".")
    modules = [
        module for end in range(1, len(parts) + 1) if (module := ".".join(parts[:end])) in module_files()
    ]
    yield from modules
    if modules and modules[-1] != name:
        yield f"{modules[-1]}.{GETATTR}"


def _names(nodes: list[ast.stmt], package: str) -> Iterator[str]:
    found = [node for top in nodes for node in _executed(top)]
    for node in found:
        if isinstance(node, ast.Import):
            yield from (name for alias in node.names for name in (alias.name, f"{alias.name}.*"))
        elif isinstance(node, ast.ImportFrom):
            module = (
                resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            )
            yield from (f"{module}.{alias.name}" for alias in node.names)
    if any(_imports_by_name(node) for node in found):
        yield from (
            node.value
            for node in found
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in module_files()
        )


@cache
def _body(module: str) -> list[ast.stmt]:
    return ast.parse(source_files()[module_files()[module]]).body


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it, but for what only type checkers read."""
    below: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
        below = node.orelse
    else:
        yield node
    for child in below:
        yield from _executed(child)


def _imports_by_name(node: ast.AST) -> bool:
    return getattr(node, "attr", getattr(node, "id", "")) in ("import_module", "__import__")


def _is_getattr(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == GETATTR


def _package(module: str) -> str:
    return module if module_files()[module].endswith("/__init__.py") else module.rpartition(".")[0]
