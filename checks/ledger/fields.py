"""The fields of the ledger: the one description that the writer, the reader and the JSON Schema share.

The file holds one object with the keys of :class:`Ledger`; ``entries`` is a list with the keys of
:class:`Entry`. A definition's or a remark's ``level`` is its kind, since there is nothing to execute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from checks.evidence import Level
from checks.evidence.registry import Effort, Kind
from checks.evidence.report import ControlReport
from reductions.system.json_decode import AtLeast

SCHEMA = 3

Count = Annotated[int, AtLeast(0)]
Line = Annotated[int, AtLeast(1)]
Seconds = Annotated[float, AtLeast(0)]


@dataclass(frozen=True)
class Record:
    """One piece of evidence, as stored.

    Attributes
    ----------
    level
        What was earned.
    claim
        The part of the statement that was checked, in words.
    scope
        What the check ranged over, in words.
    cases
        How many instances, identities or inequalities were decided.
    seed
        The seed of a sampled check; null for the others.
    counterexample
        The first case that failed, in words; null where none did.
    """

    level: Level
    claim: str
    scope: str
    cases: Count
    seed: Count | None
    counterexample: str | None


@dataclass(frozen=True)
class Location:
    """A place in the code.

    Attributes
    ----------
    path
        The file, relative to the repository.
    line
        The line, from 1.
    """

    path: str
    line: Line


@dataclass(frozen=True)
class Ancestor:
    """A statement that another rests on, with its level.

    Attributes
    ----------
    id
        The statement.
    level
        Its own level.
    """

    id: str
    level: Level


@dataclass(frozen=True)
class Entry:
    """What the ledger says of one statement.

    Attributes
    ----------
    id
        The label of the statement's box in the book.
    kind
        What the statement is.
    title
        Its title in the book.
    level
        The weakest over its claims of the strongest record of each; the kind where there is nothing to
        execute.
    records
        What was executed, one record per claim and scope.
    controls
        The negative controls: constructions broken on purpose, which the check must reject.
    seconds
        Wall time of check and controls together.
    sources
        SHA-256, in hexadecimal, over all files of the project on which the evidence depends.
    code
        Where the check stands, or the construction where there is no check; null where there is neither.
    construction
        Where the construction stands; null where there is none.
    statement_uses
        Ids of the statements that its statement refers to.
    proof_uses
        Ids of the statements that its proof refers to.
    source
        Where it comes from: keys of the bibliography, or "" where it is the project's own.
    weakest_ancestor
        The weakest evidence among all statements that it rests on, directly or not. Definitions,
        remarks and hypotheses do not count; citations do. Null where nothing counts.
    cited
        Ids of the citations that it rests on, directly or not.
    assumed
        Ids of the hypotheses that it rests on, directly or not.
    failures
        Why it is FAILED, in words; empty where it is not.
    """

    id: str
    kind: Kind
    title: str
    level: Level | Kind
    records: tuple[Record, ...]
    controls: tuple[ControlReport, ...]
    seconds: Seconds
    sources: str
    code: Location | None
    construction: Location | None
    statement_uses: tuple[str, ...]
    proof_uses: tuple[str, ...]
    source: str
    weakest_ancestor: Ancestor | None
    cited: tuple[str, ...]
    assumed: tuple[str, ...]
    failures: tuple[str, ...]

    @property
    def uses(self) -> tuple[str, ...]:
        """Ids of everything it rests on directly."""
        return tuple(dict.fromkeys((*self.statement_uses, *self.proof_uses)))

    @property
    def controls_rejected(self) -> int:
        """How many negative controls were rejected, as all must be."""
        return sum(control.rejected for control in self.controls)

    @property
    def cases(self) -> Mapping[Level, int]:
        """How many cases were executed at each level, the entry's own level first, then the strongest."""
        counts: dict[Level, int] = {}
        for record in sorted(self.records, key=lambda r: (r.level is not self.level, r.level.rank)):
            counts[record.level] = counts.get(record.level, 0) + record.cases
        return counts

    @property
    def deciding(self) -> Record | None:
        """The record that the level rests on, the one with most cases where there are several."""
        own = (record for record in self.records if record.level is self.level)
        return max(own, key=lambda record: record.cases, default=None)


@dataclass(frozen=True)
class Ledger:
    """All entries of one run, with the circumstances of the run.

    Attributes
    ----------
    schema
        The version of this format.
    versions
        The versions of Python and of the packages that the checks use, by name.
    effort
        How much was checked: every entry of a ledger was, with this effort and this seed.
    seed
        The seed of the run.
    entries
        One entry a statement.
    """

    schema: int
    versions: dict[str, str]
    effort: Effort
    seed: Count
    entries: tuple[Entry, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Entry]:
        """The entries under their ids."""
        return {entry.id: entry for entry in self.entries}
