"""Problems: what an instance is, when a witness is right, and the exact answer by brute force."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar


class Answer(StrEnum):
    """The answer of an instance. Only a promise problem can be outside its promise."""

    YES = "YES"
    NO = "NO"
    OUTSIDE_PROMISE = "OUTSIDE_PROMISE"


class Problem(ABC):
    """One instance of a decision problem whose YES answers have witnesses.

    Subclasses are immutable values. They check their arguments when they are made, so that an
    instance that exists is well formed.
    """

    name: ClassVar[str]
    """The problem's name on the command line and in instance files."""

    @property
    @abstractmethod
    def sizes(self) -> Mapping[str, float]:
        """The instance's sizes, under the names that parameter maps use."""

    @abstractmethod
    def verify(self, witness: Any) -> bool:
        """Tell whether ``witness`` proves that the answer is YES."""

    @abstractmethod
    def solve_brute_force(self) -> Any | None:
        """Return a witness, or None where there is none, by exhaustive search."""

    def answer(self) -> Answer:
        """Return the exact answer, by exhaustive search."""
        return Answer.NO if self.solve_brute_force() is None else Answer.YES


class PromiseProblem(Problem):
    """A problem whose instances may lie outside the promise that YES and NO are far apart."""

    @abstractmethod
    def answer(self) -> Answer:
        """Return YES, NO, or OUTSIDE_PROMISE, by exhaustive search."""


def require_matrix_shape(argument: str, shape: tuple[int, ...], columns: int | None = None) -> None:
    """Raise ValueError unless ``shape`` is that of a matrix (with ``columns`` columns, where given)."""
    if len(shape) != 2:
        raise ValueError(f"Argument {argument!r} must be a matrix (two axes), not an array of shape {shape}.")
    if columns is not None and shape[1] != columns:
        raise ValueError(f"Argument {argument!r} must have {columns} columns, not {shape[1]}.")
