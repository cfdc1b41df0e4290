"""What became of one item of work that was shared out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar, cast

Result = TypeVar("Result")


@dataclass(frozen=True)
class Finished(Generic[Result]):
    """What became of one item.

    Attributes
    ----------
    index
        The item's place among the items, from 0.
    value
        What the function returned; None where there is an error.
    error
        What it raised, or why its worker could not finish it.
    """

    index: int
    value: Result | None = None
    error: BaseException | None = None

    def result(self) -> Result:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return cast(Result, self.value)
