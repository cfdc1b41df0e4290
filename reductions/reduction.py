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

import inspect
import math
import operator
import pkgutil
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, get_args, get_origin

from reductions.choices import Kernel
from reductions.problem import Problem

if TYPE_CHECKING:
    import sympy

Source = TypeVar("Source", bound=Problem)
Middle = TypeVar("Middle", bound=Problem)
Target = TypeVar("Target", bound=Problem)
FinalTarget = TypeVar("FinalTarget", bound=Problem)
Kind = Callable[[Any], bool]

PACKAGE = "reductions.lower_bound"
"""Where the registered reductions stand; a user's own are used as they are, and change no way."""

_REGISTRY: dict[str, type[Reduction[Any, Any]]] = {}


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

    A class with a name in a module of ``reductions.lower_bound`` is registered where it is written. It is
    refused with ValueError where another has that name.

    Attributes
    ----------
    name
        The lemma's name, as in ``lem-<name>``.
    source, target
        The two problems, read from the class's own ``Reduction[Source, Target]``.
    parameter_kinds
        For each of :meth:`parameters`, whether a value from a file can be one.
    only_for
        The reading or route whose way leads over this reduction; empty where every way may.
    """

    name: ClassVar[str]
    source: ClassVar[type[Problem]]
    target: ClassVar[type[Problem]]
    parameter_kinds: ClassVar[Mapping[str, Kind]] = {}
    only_for: ClassVar[tuple[StrEnum, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for base in cls.__dict__.get("__orig_bases__", ()):
            if get_origin(base) is Reduction and "name" in cls.__dict__ and isinstance(cls.name, str):
                cls.source, cls.target = get_args(base)
                if cls.__module__.startswith(f"{PACKAGE}."):
                    _register(cls)

    @classmethod
    def chosen(cls, **choices: Any) -> Self:
        """Return the reduction made with those of ``choices`` that its constructor takes."""
        taken = inspect.signature(cls).parameters
        return cls(**{name: value for name, value in choices.items() if name in taken})

    @abstractmethod
    def map_instance(self, source: Source) -> Reduced[Source, Target]:
        """Build the target instance."""

    @abstractmethod
    def parameter_map(self) -> Mapping[str, sympy.Expr]:
        """Every size of the target as a SymPy expression in the sizes of the source."""

    def sizes_of(self, source: Mapping[str, Any]) -> dict[str, sympy.Expr]:
        """Every size of the target where the source has these sizes, numbers or expressions."""
        import sympy

        known = {size(name): sympy.sympify(value) for name, value in source.items()}
        return {name: expression.xreplace(known) for name, expression in self.parameter_map().items()}

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

    def sizes_of(self, source: Mapping[str, Any]) -> dict[str, sympy.Expr]:
        """The sizes pushed through one map after the other, which is faster than through the composed map."""
        return self.then.sizes_of(self.first.sizes_of(source))

    def error_budget(self) -> sympy.Expr | None:
        """The budget of the last step: it is the last step's outputs that are approximate."""
        return self.then.error_budget()

    def chain(self) -> tuple[Reduction[Any, Any], ...]:
        """The steps of both parts."""
        return (*self.first.chain(), *self.then.chain())


def _register(step: type[Reduction[Any, Any]]) -> None:
    other = _REGISTRY.get(step.name)
    # A module that is loaded again brings the same classes anew.
    if other is not None and (other.__module__, other.__qualname__) != (step.__module__, step.__qualname__):
        raise ValueError(
            f"{step.__module__}.{step.__qualname__}: {other.__module__}.{other.__qualname__} is named "
            f"{step.name!r} too."
        )
    _REGISTRY[step.name] = step


def registry() -> Mapping[str, type[Reduction[Any, Any]]]:
    """Return every reduction of ``reductions.lower_bound``, by name."""
    package = import_module(PACKAGE)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    return dict(sorted(_REGISTRY.items()))


def way(source: str, target: str, choices: Collection[StrEnum]) -> tuple[type[Reduction[Any, Any]], ...]:
    """Return the shortest way from one problem to another, given by name; empty where there is none.

    ``choices`` are the reading and the route: a reduction that is only for others is not taken.
    """
    allowed = [step for step in registry().values() if set(step.only_for) <= set(choices)]
    ways: dict[str, tuple[type[Reduction[Any, Any]], ...]] = {source: ()}
    queue = deque([source])
    while queue:
        at = queue.popleft()
        for step in allowed:
            if step.source.name == at and step.target.name not in ways:
                ways[step.target.name] = (*ways[at], step)
                queue.append(step.target.name)
    return ways.get(target, ())


def joined(steps: Collection[Reduction[Any, Any]]) -> Reduction[Any, Any]:
    """Return the composition of one or more reductions."""
    return reduce(operator.rshift, steps)


def is_integer(value: Any) -> bool:
    """Tell whether a value from a file is an integer; True and False are none."""
    return type(value) is int


def is_count(value: Any) -> bool:
    """Tell whether a value from a file is a positive integer."""
    return is_integer(value) and bool(value > 0)


def is_number(value: Any) -> bool:
    """Tell whether a value from a file is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_flag(value: Any) -> bool:
    """Tell whether a value from a file is True or False."""
    return isinstance(value, bool)


def is_temperature(value: Any) -> bool:
    """Tell whether a value from a file is a positive number, or None for the default."""
    return value is None or (is_number(value) and 0 < value < math.inf)


def is_schedule(value: Any) -> bool:
    """Tell whether a value from a file is a list of positive heights and widths, or None for the default."""
    return value is None or (
        isinstance(value, list | tuple)
        and all(isinstance(shape, list | tuple) and len(shape) == 2 for shape in value)
        and all(is_integer(side) and side > 0 for shape in value for side in shape)
    )


MODEL_KINDS: Mapping[str, Kind] = {
    "kernel": lambda value: value in list(Kernel),
    "a": is_number,
    "aligned": is_flag,
    "schedule": is_schedule,
    "temperature": is_temperature,
}
"""Of the parameters of a reduction to a VAR model."""


def size(name: str) -> sympy.Symbol:
    """Return the SymPy symbol of a size: nonnegative, and the same object wherever it is named.

    >>> size("N") == size("N")
    True
    """
    import sympy

    return sympy.Symbol(name, nonnegative=True)
