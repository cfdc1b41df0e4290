"""One check of an instance file, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one check."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class FileCheck:
    """One named check of an instance file, with one line that says what was found."""

    name: str
    outcome: Outcome
    detail: str
