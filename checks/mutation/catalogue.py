"""All mutants, gathered from the rooms' files, and what they leave out."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from checks.mutation.mutant import Mutant

PACKAGES = ("checks.mutation.lower_bound", "checks.mutation.upper_bound")


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
    return [
        module.name
        for package in PACKAGES
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, package + ".")
    ]
