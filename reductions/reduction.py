"""Reductions: maps of instances that carry witnesses forward and solutions back.

A reduction turns an instance of one problem into an instance of another. What decoding needs
(the instance it came from, index tables, thresholds) stays in the :class:`Reduced` object that
:meth:`Reduction.map_instance` returns. Reductions compose with ``>>``.

Words
-----
witness
    proves that an instance is a YES instance; maps forward along a reduction.
solution
    what an algorithm for the target returns: for an exact problem a witness or None, for an
    approximation problem the approximate outputs; maps back along a reduction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from reductions.problem import Problem

if TYPE_CHECKING:
    import sympy

Source = TypeVar("Source", bound=Problem)
Middle = TypeVar("Middle", bound=Problem)
Target = TypeVar("Target", bound=Problem)
FinalTarget = TypeVar("FinalTarget", bound=Problem)


class Reduced(ABC, Generic[Source, Target]):
    """A source instance, the target instance it was mapped to, and the way between their solutions."""

    source: Source
    target: Target

    @abstractmethod
    def map_witness(self, witness: Any) -> Any:
        """Map a witness of the source to a witness of the target.

        Raises ValueError where ``witness`` does not verify against the source.
        """

    @abstractmethod
    def extract_solution(self, solution: Any) -> Any:
        """Map a solution of the target to a solution of the source.

        For an exact target, ``solution`` is any witness of the target, or None. For an
        approximation target it is any array of outputs within the stated error of the exact ones.
        Raises ValueError where ``solution`` is neither.
        """


class Reduction(ABC, Generic[Source, Target]):
    """A many-one reduction between two problems.

    Attributes
    ----------
    name
        The lemma's name, as in ``lem-<name>``.
    """

    name: ClassVar[str]

    @abstractmethod
    def map_instance(self, source: Source) -> Reduced[Source, Target]:
        """Build the target instance."""

    @abstractmethod
    def parameter_map(self) -> Mapping[str, sympy.Expr]:
        """Every size of the target as a SymPy expression in the sizes of the source."""

    def error_budget(self) -> sympy.Expr | None:
        """The additive error below which every output of the target still decides; None where exact."""
        return None

    def chain(self) -> tuple[Reduction[Any, Any], ...]:
        """The elementary reductions that this one is made of, in order."""
        return (self,)

    def parameters(self) -> Mapping[str, Any]:
        """The choices this reduction was made with, as plain data for the instance file."""
        return {}

    def __rshift__(self, then: Reduction[Target, FinalTarget]) -> Reduction[Source, FinalTarget]:
        """Compose: first this reduction, ``then`` the other."""
        return Composition(self, then)


@dataclass(frozen=True)
class ReducedTwice(Reduced[Source, FinalTarget], Generic[Source, Middle, FinalTarget]):
    """The result of a composition: the two steps, kept so that decoding can walk back through both."""

    first: Reduced[Source, Middle]
    second: Reduced[Middle, FinalTarget]

    @property
    def source(self) -> Source:  # type: ignore[override]
        """The instance the chain started from."""
        return self.first.source

    @property
    def target(self) -> FinalTarget:  # type: ignore[override]
        """The instance the chain ends in."""
        return self.second.target

    def map_witness(self, witness: Any) -> Any:
        """Map a witness forward through both steps."""
        return self.second.map_witness(self.first.map_witness(witness))

    def extract_solution(self, solution: Any) -> Any:
        """Map a solution back through both steps."""
        return self.first.extract_solution(self.second.extract_solution(solution))


class Composition(Reduction[Source, FinalTarget], Generic[Source, Middle, FinalTarget]):
    """``first >> then``."""

    def __init__(self, first: Reduction[Source, Middle], then: Reduction[Middle, FinalTarget]) -> None:
        self.first = first
        self.then = then

    @property
    def name(self) -> str:  # type: ignore[override]
        """The names of the steps, joined by ``>>``."""
        return f"{self.first.name} >> {self.then.name}"

    def map_instance(self, source: Source) -> ReducedTwice[Source, Middle, FinalTarget]:
        """Build the final target instance by way of the middle one."""
        first = self.first.map_instance(source)
        return ReducedTwice(first, self.then.map_instance(first.target))

    def parameter_map(self) -> Mapping[str, sympy.Expr]:
        """The second map with the first substituted into it."""
        middle = {size(name): expression for name, expression in self.first.parameter_map().items()}
        return {
            name: expression.subs(middle, simultaneous=True)
            for name, expression in self.then.parameter_map().items()
        }

    def error_budget(self) -> sympy.Expr | None:
        """The budget of the last step: it is the last step's outputs that are approximate."""
        return self.then.error_budget()

    def chain(self) -> tuple[Reduction[Any, Any], ...]:
        """The steps of both parts."""
        return (*self.first.chain(), *self.then.chain())


def size(name: str) -> sympy.Symbol:
    """Return the SymPy symbol of a size: nonnegative, and the same object wherever it is named.

    >>> size("N") == size("N")
    True
    """
    import sympy

    return sympy.Symbol(name, nonnegative=True)
