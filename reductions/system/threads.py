"""How many cores a computation may use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Return how many cores this process may use: those it is bound to, where the system can bind it."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
