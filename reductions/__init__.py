"""Constructions: problems, reductions between them, codes, the fast algorithm, and hard instances.

>>> from reductions import hard_instances
>>> next(hard_instances("quick"))
<IntegerInstance attention-direct-random-L64-f1_16-m14-s0-no: NO, b = 6.9>
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Import what a notebook wants first when it is asked for: the suites take NumPy and the reductions."""
    if name == "hard_instances":
        from reductions.kernel_suite.suite import hard_instances

        return hard_instances
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
