"""The project's own files, as they were when this process first asked for them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

PACKAGES = ("reductions", "checks")
ROOT = Path(__file__).parents[2]


@cache
def source_files() -> Mapping[str, bytes]:
    """Return the contents of the project's Python files and of the data beside them, by path below the root.

    Those of the package ``subquartic`` are left out: no claim rests on them, and their place in a checkout is
    not that in an installation. They are read once per process: see :func:`refuse_changed_sources`.
    """
    return _read()


def refuse_changed_sources() -> None:
    """Raise RuntimeError where the files have changed since :func:`source_files` was first called.

    Worker processes, and what is imported late, then ran other code than a digest says.
    """
    if _read() != source_files():
        raise RuntimeError(
            "The project's source files have changed during the run, so it is of no one state: begin it anew."
        )


def _read() -> dict[str, bytes]:
    return {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for package in PACKAGES
        for pattern in ("*.py", "*.txt")
        for path in sorted((ROOT / package).rglob(pattern))
        # What an editor puts beside a file it holds is hidden, and may be a link to nothing.
        if ROOT / "checks/plugin" not in path.parents and not path.name.startswith(".")
    }
