"""The outcome of one check of an instance file: ok, failed or skipped, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class FileCheck:
    """One named check of an instance file, with one line that says what was found."""

    name: str
    outcome: Outcome
    detail: str
