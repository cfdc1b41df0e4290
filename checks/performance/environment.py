"""The process that is measured: its pools of threads, and what it runs on.

OpenBLAS, OpenMP and numba each bring a pool of threads. Where several of them wait actively in one process,
they take the cores from each other, and everything may be ten times slower. The variables that prevent this
are read when the libraries are loaded, so the command starts a fresh process with
:func:`process_environment`.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from reductions.system.threads import usable_cores

PACKAGES = ("subquartic", "numpy", "scipy", "numba", "torch", "scikit-learn")
NEEDED = {"torch": "torch", "sklearn": "scikit-learn"}


def process_environment(threads: int) -> dict[str, str]:
    """Return the environment of a process that measures with so many threads."""
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "NUMBA_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "passive",
        "GOMP_SPINCOUNT": "0",
        "KMP_BLOCKTIME": "0",
        # The process sees the packages that its parent sees.
        "PYTHONPATH": os.pathsep.join(folder for folder in sys.path if folder),
    }


def require_peers() -> None:
    """Refuse to go on without the libraries that the project is compared with.

    Raises
    ------
    RuntimeError
        If torch or scikit-learn is not installed.
    """
    missing = [package for module, package in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise RuntimeError(
            f"bench needs {' and '.join(missing)}: install the extra with pip install 'subquartic[bench]'."
        )


def machine(threads: int) -> dict[str, str | int | Mapping[str, str]]:
    """Describe the machine without naming it: processor, cores, versions."""
    versions: dict[str, str] = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "cores": usable_cores(),
        "threads": threads,
        "python": platform.python_version(),
        "packages": versions,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or "unknown"
