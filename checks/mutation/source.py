"""The text of a module with one place changed, and a way to import it."""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType

from checks.mutation.mutant import Mutant
from reductions.system.import_closure import import_closure, imported_names, module_files
from reductions.system.source_files import PACKAGES


class MutantError(ValueError):
    """A mutant does not fit the code any more; the message says how."""


def module_path(module: str) -> Path:
    """Return where the source of a module stands.

    Raises
    ------
    MutantError
        If there is no such module.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise MutantError(f"There is no module {module}.")
    return Path(spec.origin)


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Yield the qualified name and the node of every function, method and class in a module."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Definition):
            name = f"{prefix}{node.name}"
            yield name, node
            yield from functions(node, f"{name}.")


def place(mutant: Mutant, text: str) -> int:
    """Return where in ``text``, the module's source, the mutant's place begins.

    Raises
    ------
    MutantError
        If the function is not there, or the text does not occur in it exactly once.
    """
    start, end = 0, len(text)
    if mutant.function:
        found = dict(functions(ast.parse(text)))
        node = found.get(mutant.function)
        if node is None:
            raise MutantError(f"{mutant}: {mutant.module} has no {mutant.function}.")
        lines = text.splitlines(keepends=True)
        start = sum(map(len, lines[: node.lineno - 1]))
        end = sum(map(len, lines[: node.end_lineno]))
    count = text.count(mutant.before, start, end)
    if count != 1:
        raise MutantError(f"{mutant}: the text occurs {count} times where it must occur once.")
    return text.index(mutant.before, start, end)


def mutated_source(mutant: Mutant) -> tuple[str, int]:
    """Return the module's source with the place changed, and the line of the place, from 1.

    Raises
    ------
    MutantError
        If the mutant does not fit the code, the result is no Python, or only a comment or a docstring
        changes.
    """
    text = module_path(mutant.module).read_text("utf8")
    at = place(mutant, text)
    changed = text[:at] + mutant.after + text[at + len(mutant.before) :]
    try:
        after = ast.parse(changed)
    except SyntaxError as error:
        raise MutantError(f"{mutant}: the result is no Python: {error}.") from None
    if _meaning(after) == _meaning(ast.parse(text)):
        raise MutantError(f"{mutant}: only a comment or a docstring changes.")
    return changed, text.count("\n", 0, at) + 1


def _meaning(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                value.value = ""
    return ast.dump(tree)


class _ChangedFile(importlib.machinery.SourceFileLoader):
    """Load a module from a text of its own, at the path of its file."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_data(self, path: str) -> bytes:
        return self._text.encode("utf8") if path == self.path else super().get_data(path)

    def get_code(self, fullname: str) -> CodeType:  # never from, and never into, __pycache__
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


class _ChangedModule(MetaPathFinder):
    def __init__(self, module: str, text: str) -> None:
        self._module = module
        self._loader = _ChangedFile(module, str(module_path(module)), text)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        return importlib.util.spec_from_file_location(fullname, self._loader.path, loader=self._loader)


def compiled() -> frozenset[str]:
    """Return the modules whose text reaches compiled code: those that import numba, and all they import.

    What numba keeps on disk goes by the name and the date of the compiled function's own file, but holds
    constants and functions of the others too.
    """
    return import_closure(
        *(
            module
            for module in module_files()
            if module.startswith("reductions.")
            and any(name.partition(".")[0] == "numba" for name in imported_names(module))
        )
    )


def import_changed(module: str, text: str, cache: Path | None = None) -> None:
    """Let this process forget the project's modules, and import ``module`` from ``text``.

    Only for a process that ends soon: what was imported before goes on living beside what comes.

    Parameters
    ----------
    cache
        An empty folder for what numba compiles, where the change reaches compiled code.
    """
    sys.meta_path.insert(0, _ChangedModule(module, text))
    for name in list(sys.modules):
        if name.partition(".")[0] in PACKAGES:
            del sys.modules[name]
    if cache is not None:
        import numba

        setattr(numba.config, "CACHE_DIR", str(cache))  # noqa: B010
    importlib.import_module(module)
