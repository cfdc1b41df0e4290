"""One number for the project's own code: what tells two runs with other code apart."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache
def source_digest() -> str:
    """Return the SHA-256, in hexadecimal, over the names and contents of the project's Python files.

    Those of the package ``subquartic`` are left out: no claim rests on them, and their place in a checkout is
    not that in an installation.

    They are read once a process: see :func:`refuse_changed_sources`.
    """
    return _read()


def refuse_changed_sources() -> None:
    """Raise RuntimeError where the files have changed since :func:`source_digest` was first called.

    Worker processes, and what is imported late, then ran other code than the digest says.
    """
    if _read() != source_digest():
        raise RuntimeError(
            "The project's source files have changed during the run, so it is of no one state: begin it anew."
        )


def _read() -> str:
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for path in sorted(
        path
        for package in ("reductions", "checks")
        for path in (root / package).rglob("*.py")
        if root / "checks/plugin" not in path.parents
    ):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
