"""What a mutant is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What of a construction a mutant changes."""

    FORMULA = "formula"  # how something is computed
    THRESHOLD = "threshold"  # where something begins or ends: a comparison, a bound, a rounding direction
    COEFFICIENT = "coefficient"  # a number that something is multiplied by, added to, or raised to
    INDEX = "index"  # which of many is taken: a position, an axis, an order


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
