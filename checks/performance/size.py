"""How much a suite of measurements measures. Importing it imports no NumPy, so the option is this."""

from __future__ import annotations

from enum import StrEnum


class Size(StrEnum):
    """How much is measured: ``TINY`` shows only that everything runs."""

    TINY = "tiny"
    QUICK = "quick"
    FULL = "full"
