"""All mutants, gathered from the rooms' files, and what they leave out."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.util import find_spec

from checks.evidence.registry import check_modules
from checks.mutation.mutant import Mutant


def catalogue() -> tuple[Mutant, ...]:
    """Return every declared mutant, room by room."""
    return tuple(mutant for mutants in rooms().values() for mutant in mutants)


def rooms() -> Mapping[str, tuple[Mutant, ...]]:
    """Return the mutants of each room, under the name of the module that declares them."""
    return {name: importlib.import_module(name).MUTANTS for name in _modules()}


def untouched() -> Mapping[str, str]:
    """Return the functions that no mutant changes, each as ``module.function`` with the reason."""
    return {
        f"{module.room.module}.{function}": reason
        for module in map(importlib.import_module, _modules())
        for function, reason in getattr(module, "UNTOUCHED", {}).items()
    }


def _modules() -> list[str]:
    return [name for module in check_modules() if find_spec(name := f"{module}.mutants") is not None]
