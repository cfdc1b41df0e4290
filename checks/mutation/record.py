"""The trials as JSON, for the book: one object with the keys of :class:`Record`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from checks.evidence.registry import registered, registry
from checks.ledger.build import versions
from checks.ledger.fields import Count, Ledger
from checks.ledger.sources import statement_sources
from checks.mutation.mutant import Mutant
from checks.mutation.trial import Trial
from reductions.system.atomic import write_text
from reductions.system.json_decode import decode, strict_json
from reductions.system.source_digest import closure_digest

SCHEMA = 3
ENGINE = "checks.mutation.trial"


@dataclass(frozen=True)
class Record:
    """What became of the catalogue's mutants.

    Attributes
    ----------
    schema
        The version of this format.
    versions
        Of Python and of the packages: see :class:`checks.ledger.fields.Ledger`.
    engine
        SHA-256, in hexadecimal, over the files of the project that make mutants and try them.
    sources
        The same of each statement that was asked, by id: see :class:`checks.ledger.fields.Entry`.
    declared
        How many mutants the catalogue has.
    seed
        Of the checks, and of the draw where not all were tried.
    trials
        Those that were tried, in the catalogue's order.
    """

    schema: int
    versions: dict[str, str]
    engine: str
    sources: dict[str, str]
    declared: Count
    seed: Count
    trials: tuple[Trial, ...]

    @property
    def complete(self) -> bool:
        """Whether every declared mutant was tried."""
        return len(self.trials) == self.declared

    @property
    def unexpected(self) -> tuple[Trial, ...]:
        """Mutants that no check noticed, and equivalent ones that some check did."""
        return tuple(trial for trial in self.trials if not trial.as_it_must)


def draw(mutants: Sequence[Mutant], each: int, seed: int) -> list[Mutant]:
    """Return at most ``each`` mutants of every first statement, drawn without repetition, in their order."""
    import numpy as np

    generator = np.random.default_rng(seed)
    chosen: list[int] = []
    for statement in dict.fromkeys(mutant.statements[0] for mutant in mutants):
        places = [i for i, mutant in enumerate(mutants) if mutant.statements[0] == statement]
        chosen += generator.permutation(places)[:each].tolist()
    return [mutants[i] for i in sorted(chosen)]


def write_record(path: Path, declared: int, seed: int, trials: Iterable[Trial]) -> Record:
    """Write the trials, and return them.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    trials = tuple(trials)
    asked = dict.fromkeys(id for trial in trials for id in trial.mutant.statements)
    sources = {id: statement_sources(registered(id)) for id in asked}
    record = Record(SCHEMA, versions(), closure_digest(ENGINE), sources, declared, seed, trials)
    text = json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
    return record


def read_record(path: Path) -> Record:
    """Read what :func:`write_record` wrote.

    Raises
    ------
    ValueError
        If the file is missing or holds something else; the message is one line.
    """
    try:
        data = strict_json(path.read_text(encoding="utf8"))
        if data.get("schema") != SCHEMA:
            raise ValueError(f"schema must be {SCHEMA}, not {data.get('schema')!r}.")
        record: Record = decode(Record, data, "")
    except FileNotFoundError:
        raise ValueError(f"There is no record {path}: write it with `subquartic mutants --record`.") from None
    except ValueError as error:
        raise ValueError(f"{path} is no record of mutants: {str(error).removesuffix('.')}.") from None
    return record


def current_trials(record: Record, seed: int) -> dict[Mutant, Trial]:
    """Return, by mutant, the trials of a record that would come out the same now, with this seed.

    They came to an end, and no file has changed on which they or the evidence of the statements asked depend.
    """
    if (record.engine, record.versions, record.seed) != (closure_digest(ENGINE), versions(), seed):
        return {}
    now = {id: statement_sources(entry) for id, entry in registry().items() if id in record.sources}
    return {
        trial.mutant: trial
        for trial in record.trials
        if trial.unfinished is None
        and all(now.get(id) == record.sources.get(id, "") for id in trial.mutant.statements)
    }


def refuse_other_record(record: Record, ledger: Ledger, catalogue: Sequence[Mutant]) -> None:
    """Raise ValueError where a record does not belong to this ledger and to this catalogue.

    It was then made for other sources or packages, or is no record of these mutants: one is missing of a
    statement that has some, is not declared so, or was noticed by a check that was not asked.
    """
    reason = ""
    places = {mutant: place for place, mutant in enumerate(catalogue)}
    tried = [places.get(trial.mutant) for trial in record.trials]
    asked = {id for trial in record.trials for id in trial.mutant.statements}
    current = {id: entry.sources for id in asked if (entry := ledger.by_id.get(id))}
    if record.engine != closure_digest(ENGINE) or record.sources != current:
        reason = "other source files"
    elif record.versions != ledger.versions:
        reason = "other versions of packages"
    elif record.declared != len(catalogue) or not _in_order(tried):
        reason = "another catalogue"
    elif {m.statements[0] for m in catalogue} != {trial.mutant.statements[0] for trial in record.trials}:
        reason = "some of the statements"
    elif any(
        trial.noticed and trial.noticed.statement not in trial.mutant.statements for trial in record.trials
    ):
        reason = "other checks"
    if reason:
        raise ValueError(
            f"The record of mutants is of {reason}: write it anew with `subquartic mutants --record`."
        )


def _in_order(places: Sequence[int | None]) -> bool:
    known = [place for place in places if place is not None]
    return len(known) == len(places) and known == sorted(set(known))
