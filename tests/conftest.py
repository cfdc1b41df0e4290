"""Fixtures for the tests of the registry and of what reads it."""

from __future__ import annotations

import pytest

import checks.lemma


@pytest.fixture
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, checks.lemma.Lemma]:
    """An empty registry in place of the real one, for the time of one test."""
    checks.lemma.registry()  # import every module that registers something, while the real one stands
    entries: dict[str, checks.lemma.Lemma] = {}
    monkeypatch.setattr(checks.lemma, "_registry", entries)
    return entries
