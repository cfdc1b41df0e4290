"""What tells the project's own code in one state from that in another: a number over its files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import PurePosixPath

from reductions.system.import_closure import import_closure, module_files
from reductions.system.source_files import source_files


@cache
def source_digest() -> str:
    """Return the SHA-256, in hexadecimal, over the names and contents of all the project's files."""
    return _digest(source_files())


@cache
def closure_digest(*modules: str) -> str:
    """Return the SHA-256, in hexadecimal, over the files that these modules depend on.

    They are those of the import closure, and the data beside its packages: lists of mutants.
    """
    return _digest(closure_files(*modules))


def closure_files(*modules: str) -> frozenset[str]:
    """Return the files that the modules depend on, as paths below the project's root."""
    code = {module_files()[module] for module in import_closure(*modules)}
    packages = {PurePosixPath(path).parent for path in code if path.endswith("/__init__.py")}
    return frozenset(code) | {path for path in _data_files() if PurePosixPath(path).parent in packages}


@cache
def _data_files() -> frozenset[str]:
    return frozenset(path for path in source_files() if path.endswith(".txt"))


def _digest(paths: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path}\0{_file_digest(path)}\0".encode())
    return digest.hexdigest()


@cache
def _file_digest(path: str) -> str:
    return hashlib.sha256(source_files()[path]).hexdigest()
