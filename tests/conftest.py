"""How hypothesis runs, and fixtures for the tests of the registry and of what reads it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

# Before NumPy is loaded: on small matrices several BLAS threads mostly wait for each other, up to ten
# times longer in all where the machine is busy. What needs threads brings its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest

import checks.evidence.registry

# No test is a timed one: a loaded machine must not fail it. Continuous integration draws the same
# examples every time; elsewhere they are new.
hypothesis.settings.register_profile(
    "subquartic",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("subquartic")


@pytest.fixture
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, checks.evidence.registry.Lemma]:
    """An empty registry in place of the real one, for the time of one test."""
    checks.evidence.registry.registry()  # import all that register, while the real one stands
    entries: dict[str, checks.evidence.registry.Lemma] = {}
    monkeypatch.setattr(checks.evidence.registry, "_registry", entries)
    return entries


@pytest.fixture(autouse=True)
def precision_is_given_back() -> Iterator[None]:
    """Interval precision is a global setting: left raised, it would let later checks pass by accident."""
    yield
    if "mpmath" in sys.modules:
        assert sys.modules["mpmath"].iv.prec == 53
    if "flint" in sys.modules:
        assert sys.modules["flint"].ctx.prec == 53
