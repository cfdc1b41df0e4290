"""Reading the inputs of commands: DIMACS formulas, instance files, standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reductions.manifest import Manifest
    from reductions.problem import Problem
    from reductions.problems.cnf import CNF

STANDARD_INPUT = "-"


def read_formula(source: str) -> CNF:
    """Read a DIMACS formula from a file, or from standard input where ``source`` is "-".

    Raises
    ------
    ValueError
        If it is none; the message begins with the source's name.
    OSError
        If it cannot be read.
    """
    from reductions.problems.cnf import DimacsError, read_dimacs

    try:
        return read_dimacs(sys.stdin.buffer if source == STANDARD_INPUT else source)
    except DimacsError as error:
        name = "standard input" if source == STANDARD_INPUT else source
        raise DimacsError(f"{name}: {error}") from None


def read_source(source: str) -> tuple[Problem, Manifest | None]:
    """Read an instance file, or a DIMACS formula, which has no manifest; raises as :func:`read_formula`."""
    if source != STANDARD_INPUT and _is_instance_file(Path(source)):
        from reductions.instance_file import read_instance

        return read_instance(source)
    return read_formula(source), None


def _is_instance_file(path: Path) -> bool:
    if path.suffix == ".safetensors":
        return True
    with path.open("rb") as file:
        start = file.read(9)
    # Eight bytes of length, of which the upper ones are zero, and the brace that opens the header.
    return len(start) == 9 and start[7] == 0 and start[8:] == b"{"
