"""What a statement's evidence depends on: the files of its check, of its construction and of the runner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from checks.evidence.registry import Lemma, registering_modules, registry
from reductions.system.source_digest import closure_digest

if TYPE_CHECKING:
    from checks.ledger.fields import Ledger

RUNNER = "checks.evidence.runner"
"""The module that executes a check, and what it comes to."""


def statement_modules(entry: Lemma) -> tuple[str, ...]:
    """Return the modules on whose import closure the evidence of a statement depends."""
    return RUNNER, entry.module or registering_modules().get(entry.id, ""), entry.construction


def statement_sources(entry: Lemma) -> str:
    """Return the SHA-256, in hexadecimal, over all files on which the evidence of a statement depends.

    See :func:`reductions.system.source_digest.closure_digest`.
    """
    return closure_digest(*statement_modules(entry))


def outdated(ledger: Ledger, entries: Mapping[str, Lemma] | None = None) -> list[str]:
    """Return the ids of a ledger's entries that were earned by other source files than there are now.

    Statements that are registered no more are passed over. By default ``entries`` is the registry.
    """
    entries = registry() if entries is None else entries
    return [
        entry.id
        for entry in ledger.entries
        if entry.id in entries and entry.sources != statement_sources(entries[entry.id])
    ]
