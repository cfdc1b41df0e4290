"""What a mutant is, and how a room declares its own.

A room's file reads::

    room = Room("reductions.lower_bound.split_and_list", "lem-split-and-list")

    MUTANTS = (
        room.formula("halves", "-(-variables // 2)", "variables // 2", "the middle variable is listed late"),
        room.threshold("falsified_clauses", "literal > 0", "literal >= 0", "...",
                       equivalent="No literal is 0: CNF refuses it."),
    )
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict, Unpack


class Part(StrEnum):
    """What of a construction a mutant changes."""

    FORMULA = "formula"
    THRESHOLD = "threshold"
    COEFFICIENT = "coefficient"
    INDEX = "index"


@dataclass(frozen=True)
class Mutant:
    """One place of the code, changed.

    Attributes
    ----------
    module
        The dotted name of the module that is changed.
    function
        The qualified name of the function, method or class in it; "" for the whole module.
    part
        What is changed.
    before, after
        The text there, which must occur exactly once in the function, and what stands there instead.
    meaning
        What is wrong now, in words.
    statements
        Ids of the statements whose checks must notice, in the order in which they are asked.
    equivalent
        Why the change changes nothing, as a proof; None where it does. No check may notice an equivalent
        mutant: where one does, the proof is wrong.
    """

    module: str
    function: str
    part: Part
    before: str
    after: str
    meaning: str
    statements: tuple[str, ...]
    equivalent: str | None = None

    def __str__(self) -> str:
        return f"{self.module}.{self.function}: {self.before!r} -> {self.after!r}"


class Others(TypedDict, total=False):
    """What a room may say of a mutant beyond the rule: see :class:`Mutant`."""

    module: str
    statements: tuple[str, ...]
    equivalent: str


@dataclass(frozen=True, init=False)
class Room:
    """The mutants of one construction: its module and the statements that are asked.

    Each method below declares one mutant; ``module`` names another module where the place is not in the
    room's own, and ``statements`` others to ask.
    """

    module: str
    statements: tuple[str, ...]

    def __init__(self, module: str, *statements: str) -> None:
        object.__setattr__(self, "module", module)
        object.__setattr__(self, "statements", statements)

    def formula(
        self, function: str, before: str, after: str, meaning: str, **others: Unpack[Others]
    ) -> Mutant:
        """Change how something is computed."""
        return self._mutant(Part.FORMULA, function, before, after, meaning, **others)

    def threshold(
        self, function: str, before: str, after: str, meaning: str, **others: Unpack[Others]
    ) -> Mutant:
        """Change where something begins or ends: a comparison, a bound, a rounding direction."""
        return self._mutant(Part.THRESHOLD, function, before, after, meaning, **others)

    def coefficient(
        self, function: str, before: str, after: str, meaning: str, **others: Unpack[Others]
    ) -> Mutant:
        """Change a number that something is multiplied by, added to, or raised to."""
        return self._mutant(Part.COEFFICIENT, function, before, after, meaning, **others)

    def index(self, function: str, before: str, after: str, meaning: str, **others: Unpack[Others]) -> Mutant:
        """Change which of many is taken: a position, an axis, an order."""
        return self._mutant(Part.INDEX, function, before, after, meaning, **others)

    def _mutant(
        self, part: Part, function: str, before: str, after: str, meaning: str, **others: Unpack[Others]
    ) -> Mutant:
        module = others.get("module", self.module)
        statements = others.get("statements", self.statements)
        equivalent = others.get("equivalent")
        return Mutant(module, function, part, before, after, meaning, statements, equivalent)
