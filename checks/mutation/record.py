"""The trials as JSON, for the book: one object with the keys of :class:`Record`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from checks.mutation.mutant import Mutant, Part
from checks.mutation.trial import Noticed, Sign, Trial

SCHEMA = 1


@dataclass(frozen=True)
class Record:
    """What became of the catalogue's mutants.

    Attributes
    ----------
    declared
        How many mutants the catalogue has.
    seed
        Of the checks, and of the draw where not all were tried.
    trials
        Those that were tried, in the catalogue's order.
    """

    declared: int
    seed: int
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
    from reductions.atomic import write_text

    record = Record(declared, seed, tuple(trials))
    text = json.dumps({"schema": SCHEMA, **asdict(record)}, indent=1, ensure_ascii=False) + "\n"
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
        data = json.loads(path.read_text(encoding="utf8"))
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema must be {SCHEMA}, not {data['schema']!r}")
        trials = tuple(_trial(**trial) for trial in data["trials"])
        return Record(int(data["declared"]), int(data["seed"]), trials)
    except FileNotFoundError:
        raise ValueError(f"There is no record {path}: write it with `subquartic mutants --record`.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no record of mutants: {error}.") from None


def _trial(mutant: dict[str, Any], line: int, noticed: Any, seconds: float, timed_out: bool) -> Trial:
    mutant = {**mutant, "part": Part(mutant["part"]), "statements": tuple(mutant["statements"])}
    sign = None if noticed is None else Noticed(**{**noticed, "sign": Sign(noticed["sign"])})
    return Trial(Mutant(**mutant), line, sign, seconds, timed_out)
