"""Measure in a fresh process, because libraries read the environment when they load."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from checks.performance.__main__ import FAILED
from checks.performance.environment import process_environment
from reductions.system.threads import usable_cores


def measure(
    names: Sequence[str], size: str, *, seed: int = 0, threads: int | None = None, quiet: bool = False
) -> dict[str, Any]:
    """Run suites in a process of their own and return the document of their results.

    Parameters
    ----------
    names
        Of suites in :data:`checks.performance.registry.SUITES`.
    size
        "tiny", "quick" or "full".
    seed
        Seed of all data.
    threads
        Threads of every candidate; None: all cores.
    quiet
        Whether to leave out progress on standard error.

    Raises
    ------
    KeyboardInterrupt
        If the process was interrupted.
    RuntimeError
        If it failed.
    """
    count = threads or usable_cores()
    request = {"names": list(names), "size": size, "seed": seed, "threads": count, "quiet": quiet}
    flags = [flag for option in sys.warnoptions for flag in ("-W", option)]
    finished = subprocess.run(
        [sys.executable, "-P", *flags, "-m", "checks.performance", json.dumps(request)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=process_environment(count),
        check=False,
    )
    if finished.returncode == 130:
        raise KeyboardInterrupt
    if finished.returncode == FAILED:
        raise RuntimeError(f"the measurement failed: {json.loads(finished.stdout)['error']}")
    if finished.returncode:
        raise RuntimeError(f"the process that measures ended with status {finished.returncode}.")
    results: dict[str, Any] = json.loads(finished.stdout)
    return results
