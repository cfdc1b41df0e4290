"""The command and the pytest plugin: the only package of this project that a user's process imports.

It is installed beside ``reductions`` and ``checks``. Users have packages of those two names as well, so a
process of ours begins with :func:`own_packages_first`. In a checkout it lies in ``checks/plugin/``, which an
editable install puts on the path: nothing else is in there.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path


def own_packages_first() -> None:
    """Let this process, and those that inherit its path, find our packages, not others of their names."""
    beside = Path(__file__).resolve().parents[1]
    root = beside if (beside / "reductions").is_dir() else beside.parents[1]  # the latter in a checkout
    for package in ("reductions", "checks"):
        found = find_spec(package)
        if found is None or found.origin is None or Path(found.origin).resolve().parents[1] != root:
            sys.path.insert(0, str(root))
            return
