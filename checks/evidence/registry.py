"""The registry: every statement of the book, what it rests on, and the check that backs it.

A statement is registered where its check is written::

    @lemma("lem-split-and-list", title="...", statement_uses=("def-ov",), source="Wil05")
    def split_and_list(run: Run) -> Iterator[Evidence]:
        yield exhaustive(...)

    @split_and_list.control("satisfied clauses are kept")
    def _(run: Run) -> Evidence:
        return exhaustive(...)        # on a construction broken on purpose: it must come out FAILED

Definitions, citations and hypotheses have no check of their own; :func:`declare` registers them. Either
stands at the top level of a module with the id written out, so that one statement's module can be found
without importing the others.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeVar

from checks.evidence import Evidence

Choice = TypeVar("Choice")


class Kind(StrEnum):
    """What a registered statement is."""

    DEFINITION = "definition"
    LEMMA = "lemma"
    THEOREM = "theorem"
    CITED = "cited"
    ASSUMED = "assumed"
    REMARK = "remark"


_PREFIX = {
    Kind.DEFINITION: ("def-",),
    Kind.LEMMA: ("lem-",),
    Kind.THEOREM: ("thm-",),
    Kind.CITED: ("lem-", "thm-"),
    Kind.ASSUMED: ("def-",),
    Kind.REMARK: ("rem-",),
}


class Effort(StrEnum):
    """How much a run checks: ``quick`` while writing, ``full`` before a release."""

    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True)
class Run:
    """The circumstances of one execution of a check."""

    effort: Effort = Effort.QUICK
    seed: int = 0

    def pick(self, quick: Choice, full: Choice) -> Choice:
        """Return the argument that belongs to this run's effort."""
        return quick if self.effort is Effort.QUICK else full


Check = Callable[[Run], Iterator[Evidence]]
Control = Callable[[Run], Evidence]


@dataclass(frozen=True)
class Lemma:
    """A registered statement.

    Attributes
    ----------
    id
        The label of its box in the book.
    statement_uses, proof_uses
        Ids of the statements that its statement, or its proof, refers to.
    source
        Where it comes from: keys of the bibliography, or "" where it is the project's own.
    construction
        The module that builds what it speaks of.
    check
        Yields evidence, one record per claim and scope; None where there is nothing to execute.
    controls
        Broken constructions by name, each of which the check must reject.
    """

    id: str
    kind: Kind
    title: str
    statement_uses: tuple[str, ...] = ()
    proof_uses: tuple[str, ...] = ()
    source: str = ""
    construction: str = ""
    check: Check | None = None
    controls: dict[str, Control] = field(default_factory=dict)

    @property
    def uses(self) -> tuple[str, ...]:
        """Ids of everything it rests on, without repetition."""
        return tuple(dict.fromkeys((*self.statement_uses, *self.proof_uses)))

    @property
    def module(self) -> str:
        """The module of the check, or "" where there is none."""
        return self.check.__module__ if self.check else ""

    def control(self, name: str) -> Callable[[Control], Control]:
        """Register a negative control: a construction broken on purpose, whose evidence must be FAILED."""

        def register(control: Control) -> Control:
            if name in self.controls:
                raise ValueError(f"{self.id} already has a control named {name!r}.")
            self.controls[name] = control
            return control

        return register


_registry: dict[str, Lemma] = {}

_REGISTERED = re.compile(r'^(?:@lemma|declare)\(\s*"([^"]+)"', re.MULTILINE)
"""What registers a statement, as the text of a module."""


def _register(entry: Lemma) -> Lemma:
    if entry.id in _registry:
        raise ValueError(f"{entry.id} is registered twice.")
    if not entry.id.startswith(_PREFIX[entry.kind]):
        raise ValueError(
            f"{entry.id} is of kind {entry.kind}: its id must start with {_PREFIX[entry.kind][0]}."
        )
    _registry[entry.id] = entry
    return entry


def lemma(
    id: str,
    *,
    title: str,
    kind: Kind = Kind.LEMMA,
    statement_uses: tuple[str, ...] = (),
    proof_uses: tuple[str, ...] = (),
    source: str = "",
) -> Callable[[Check], Lemma]:
    """Register a checked statement; the decorated function yields its evidence.

    The construction is the module of the same name under ``reductions``.
    """

    def register(check: Check) -> Lemma:
        construction = check.__module__.replace("checks.", "reductions.", 1)
        return _register(Lemma(id, kind, title, statement_uses, proof_uses, source, construction, check))

    return register


def declare(
    id: str,
    *,
    kind: Kind,
    title: str,
    statement_uses: tuple[str, ...] = (),
    source: str = "",
    construction: str = "",
) -> Lemma:
    """Register a definition, a citation, a hypothesis or a remark."""
    return _register(Lemma(id, kind, title, statement_uses, (), source, construction))


def registered(id: str) -> Lemma:
    """Return the statement with this id, after importing the module that registers it, and no other.

    Raises
    ------
    KeyError
        If none does.
    """
    if id not in _registry:
        importlib.import_module(registering_modules()[id])
    return _registry[id]


def check_modules() -> list[str]:
    """Return the names of the modules that register statements: those of definitions, then one per room."""
    return [*_check_files()]


@cache
def registering_modules() -> Mapping[str, str]:
    """Return the module that registers each statement of the book, by id, without importing any."""
    return {
        id: module
        for module, path in _check_files().items()
        for id in _REGISTERED.findall(path.read_text("utf8"))
    }


def known_ids() -> list[str]:
    """Return the ids of the book's statements, in its order, then of those registered here besides."""
    return [*dict.fromkeys((*registering_modules(), *_registry))]


def _check_files() -> dict[str, Path]:
    checks = Path(__file__).parents[1]
    found = {f"{checks.name}.problems": checks / "problems" / "__init__.py"}
    for part in ("lower_bound", "upper_bound"):
        for room in pkgutil.iter_modules([str(checks / part)]):
            place = f"{room.name}/__init__.py" if room.ispkg else f"{room.name}.py"
            found[f"{checks.name}.{part}.{room.name}"] = checks / part / place
    return found


def registry() -> Mapping[str, Lemma]:
    """Return every registered statement, by id, after importing all modules that register one.

    Raises
    ------
    ValueError
        If a statement uses an id that nobody registered, or if the uses form a cycle.
    """
    _import_all()
    _validate(_registry)
    # In the book's order, whichever was imported first.
    return {id: _registry[id] for id in known_ids() if id in _registry}


@cache
def _import_all() -> None:
    for module in check_modules():
        importlib.import_module(module)


def _validate(entries: Mapping[str, Lemma]) -> None:
    from graphlib import CycleError, TopologicalSorter

    for entry in entries.values():
        for used in entry.uses:
            if used not in entries:
                raise ValueError(f"{entry.id} uses {used}, which is not registered.")
    try:
        TopologicalSorter({entry.id: entry.uses for entry in entries.values()}).prepare()
    except CycleError as error:
        raise ValueError(f"The statements' uses form a cycle: {' -> '.join(error.args[1])}.") from None
