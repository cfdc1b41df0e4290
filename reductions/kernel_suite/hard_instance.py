"""A hard instance: an attention layer's input with a known answer, and the rule by which a kernel passes.

Every instance has a twin: one bit of an orthogonal-vectors instance, or one clause of a formula, makes the
YES twin of the NO twin. One query, the decisive one, tells them apart. The *margin* is half the distance
of the twins' exact decisive outputs: a kernel whose outputs are within the margin of the exact ones decides
right.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reductions.kernel_suite.calling import Precision
from reductions.layers.arrays import Floats
from reductions.problem import Answer


@dataclass(frozen=True)
class Label:
    """What kind of instance it is.

    Attributes
    ----------
    family
        How the orthogonal-vectors instance, or the formula, was made.
    route
        "direct", "pcp", or "inference" (from the formula to the weights of a VAR model).
    reading
        "attention" (one full layer), "maps" or "start+positions" (a VAR model's block-causal layer).
    tokens
        L, the number of keys.
    strength
        f: the logit gap in units of what the reduction asks for. At f >= 1 the margin is a constant.
    planted
        Whether it is the YES twin.
    detail
        Whatever else tells it from others, for the name.
    """

    family: str
    route: str
    reading: str
    tokens: int
    strength: Fraction
    planted: bool
    detail: str = ""

    @property
    def name(self) -> str:
        """A name that tells the instance from all others of its suite."""
        strength = f"f{self.strength.numerator}_{self.strength.denominator}"
        answer = "yes" if self.planted else "no"
        parts = (self.reading, self.route, self.family, f"L{self.tokens}", strength, self.detail, answer)
        return "-".join(part for part in parts if part)


class HardInstance(ABC):
    """The input of an attention layer, reference rows, and the pass rule."""

    label: Label
    temperature: float
    scale_ends: tuple[int, ...] | None
    """The ends of the scales where attention is block-causal; None where it is full."""
    decisive: int
    """The query whose output tells the twins apart."""
    rows: NDArray[np.int64]
    """The queries whose outputs are judged, in increasing order, the decisive one among them."""

    @property
    @abstractmethod
    def queries(self) -> Floats:
        """Q, shape (L_q, d)."""

    @property
    @abstractmethod
    def keys(self) -> Floats:
        """K, shape (L, d)."""

    @property
    @abstractmethod
    def values(self) -> Floats:
        """V, shape (L, 1)."""

    @property
    @abstractmethod
    def reference(self) -> Floats:
        """The exact outputs of the judged rows, off by no more than 1e-12."""

    @property
    @abstractmethod
    def twin_reference(self) -> float:
        """What the decisive row's exact output is in the twin."""

    @property
    @abstractmethod
    def logit_bound(self) -> float:
        """b: the largest absolute logit of a judged row."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """SHA-256 of the integers and exact parameters that the instance is made from."""

    @abstractmethod
    def rounded_to(self, precision: Precision) -> Self:
        """Return the instance that a kernel of that precision is given: entries rounded, references anew."""

    @property
    def answer(self) -> Answer:
        """YES or NO, by construction."""
        return Answer.YES if self.label.planted else Answer.NO

    @property
    def margin(self) -> float:
        """The error that the pass rule tolerates."""
        return abs(float(self.reference[self._decisive_at]) - self.twin_reference) / 2

    @property
    def boundary(self) -> float:
        """The decisive output above which the answer is YES: midway between the twins."""
        return (float(self.reference[self._decisive_at]) + self.twin_reference) / 2

    @property
    def _decisive_at(self) -> int:
        return int(np.searchsorted(self.rows, self.decisive))

    def decide(self, outputs: NDArray[np.floating[Any]]) -> Answer:
        """Return the answer that the judged rows' outputs, shape (rows,), tell: the decisive one alone."""
        return Answer.YES if float(outputs[self._decisive_at]) > self.boundary else Answer.NO

    def worst_error(self, outputs: NDArray[np.floating[Any]]) -> float:
        """Return the largest error of the judged rows' outputs, in units of the margin."""
        return float(np.abs(np.asarray(outputs, np.float64) - self.reference).max()) / self.margin

    def keys_seen(self, row: int) -> int:
        """Return how many keys a query attends to: all, or those of the scales up to its own."""
        if self.scale_ends is None:
            return len(self.keys)
        return next(end for end in self.scale_ends if row < end)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label.name}: {self.answer}, b = {self.logit_bound:.1f}>"

    def _repr_html_(self) -> str:
        facts = {
            "answer": str(self.answer),
            "tokens L": f"{self.label.tokens:,}",
            "dimension d": str(self.queries.shape[1]),
            "temperature τ": f"{self.temperature:g}",
            "logit bound b": f"{self.logit_bound:.3g}",
            "margin": f"{self.margin:.3g}",
            "decisive query": str(self.decisive),
        }
        rows = "".join(f"<tr><th>{fact}</th><td>{value}</td></tr>" for fact, value in facts.items())
        return f"<table><caption>{self.label.name}</caption><tbody>{rows}</tbody></table>"
