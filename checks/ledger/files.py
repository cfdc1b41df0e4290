"""The ledger: what every statement's check earned, as JSON that the book and other programs read.

:mod:`checks.ledger.fields` says what stands in it, :mod:`checks.ledger.decode` checks what is read, and
:mod:`checks.ledger.json_schema` publishes the same as a JSON Schema.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from checks.evidence.registry import Run
from checks.evidence.report import Report
from checks.ledger.build import build_ledger
from checks.ledger.decode import decode_ledger
from checks.ledger.fields import Ledger
from reductions.system.atomic import write_text
from reductions.system.json_decode import strict_json


class LedgerError(ValueError):
    """A ledger file is missing or malformed; the message is one line that says where and how."""


def write_ledger(path: str | os.PathLike[str], reports: Iterable[Report], run: Run) -> Ledger:
    """Write the ledger of a run, whole or not at all, and return it.

    Raises
    ------
    ValueError
        If a registered statement has no report.
    OSError
        If the file cannot be written.
    """
    ledger = build_ledger(reports, run)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(asdict(ledger), indent=1, ensure_ascii=False) + "\n")
    return ledger


def read_ledger(path: str | os.PathLike[str]) -> Ledger:
    """Read a ledger and check all of it.

    Raises
    ------
    LedgerError
        If the file is missing, is no JSON, has another schema version, lacks a field, holds a value
        of the wrong type, refers to a statement that it does not hold, or holds a level that does not
        follow from the records.
    """
    try:
        data = strict_json(Path(path).read_text(encoding="utf8"))
    except FileNotFoundError:
        raise LedgerError(
            f"There is no ledger {path}: write it with `subquartic check --ledger {path}`."
        ) from None
    except ValueError as error:  # also numbers of too many digits
        raise LedgerError(f"{path} is no JSON: {error}.") from None
    try:
        return decode_ledger(data)
    except ValueError as error:
        raise LedgerError(f"{path}: {error}") from None
