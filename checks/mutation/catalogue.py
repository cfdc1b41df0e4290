"""All mutants, read from the ``mutants.txt`` beside each check, and what they leave out.

In such a list, sections name the module that is changed and the statements whose checks are asked, in this
order; ``#`` begins a comment::

    [reductions.lower_bound.split_and_list] lem-split-and-list
    formula halves: `-(-variables // 2)` -> `variables // 2`: for odd v the longer half comes second
    threshold falsified_clauses: `literal > 0` -> `literal >= 0`: a literal 0 would count as positive
        equivalent: A clause holds no literal 0: CNF refuses it when it is made.

    [reductions.lower_bound.lower_bound] thm-lower-bound
    coefficient <module>: `Fraction(5, 16)` -> `Fraction(3, 8)`: too large an error is tolerated with all maps
    untouched Accounting.__repr__: How accounts are displayed.

A mutant has one line: what is changed, the function (``<module>``: anywhere in the module), the code before
and after, and what is wrong then; :class:`checks.mutation.mutant.Mutant` says more. Between backticks, which
code does without, every blank counts, and ``⏎`` is a line break.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from checks.mutation.mutant import Mutant, Part
from checks.mutation.source import module_path

WHOLE_MODULE = "<module>"

_WORDS = r"(\S(?:.*\S)?)"
SECTION = re.compile(r"\[([\w.]+)\] ([a-z-]+(?: [a-z-]+)*)")
CHANGE = re.compile(rf"({'|'.join(Part)}) ([\w.]+|{WHOLE_MODULE}): `([^`]+)` -> `([^`]*)`: {_WORDS}")
EQUIVALENT = re.compile(rf"    equivalent: {_WORDS}")
UNTOUCHED = re.compile(rf"untouched ([\w.]+): {_WORDS}")


def catalogue() -> tuple[Mutant, ...]:
    """Return every declared mutant, list by list.

    Raises
    ------
    ValueError
        See :func:`read_mutants`.
    """
    return tuple(mutant for path in mutant_lists() for mutant in read_mutants(path)[0])


def untouched() -> dict[str, str]:
    """Return the functions that no mutant changes, each as ``module.function`` with the reason."""
    return {name: reason for path in mutant_lists() for name, reason in read_mutants(path)[1].items()}


def mutant_lists() -> list[Path]:
    """Return the lists of all rooms, without importing their checks."""
    return sorted(module_path("checks").parent.rglob("mutants.txt"))


def read_mutants(path: Path) -> tuple[list[Mutant], dict[str, str]]:
    """Return the mutants of one list, and its untouched functions with the reasons.

    Raises
    ------
    ValueError
        If a line is malformed; the message names file and line.
    """
    mutants: list[Mutant] = []
    left: dict[str, str] = {}
    module, statements, previous = "", (), ""
    for number, line in enumerate(path.read_text("utf8").split("\n"), 1):
        if not line or line.startswith("#"):
            pass
        elif found := SECTION.fullmatch(line):
            module, statements = found[1], tuple(found[2].split())
        elif (found := CHANGE.fullmatch(line)) and module:
            function = "" if found[2] == WHOLE_MODULE else found[2]
            before, after = (found[side].replace("⏎", "\n") for side in (3, 4))
            mutants.append(Mutant(module, function, Part(found[1]), before, after, found[5], statements))
        elif (found := EQUIVALENT.fullmatch(line)) and CHANGE.fullmatch(previous):
            mutants[-1] = replace(mutants[-1], equivalent=found[1])
        elif (found := UNTOUCHED.fullmatch(line)) and module and f"{module}.{found[1]}" not in left:
            left[f"{module}.{found[1]}"] = found[2]
        else:
            raise ValueError(
                f"{path}:{number}: {line!r} is malformed, out of place or repeated; "
                "what a list of mutants holds is said in checks/mutation/catalogue.py."
            )
        previous = line
    return mutants, left
