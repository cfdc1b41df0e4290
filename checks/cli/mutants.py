"""``subquartic mutants``: break the constructions, one place at a time, and see which check notices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checks.cli.options import Jobs, Json, Quiet, Seed
from checks.cli.output import print_json, print_table, progress_bar, refuse_unwritable_output, say
from reductions.system.threads import usable_cores

if TYPE_CHECKING:
    from checks.mutation.mutant import Mutant
    from checks.mutation.trial import Trial


def mutants(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LEMMA]...", help="Ids of statements; all where none is named."),
    ] = None,
    survey: Annotated[
        bool,
        typer.Option(
            "--survey",
            help="Not the declared mutants: every comparison, operator and number of the constructions.",
        ),
    ] = False,
    each: Annotated[
        int | None, typer.Option(min=1, help="At most so many a statement, drawn with the seed.")
    ] = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    ledger: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Take from this ledger, of a quick run of this code with this seed, that it passes.",
        ),
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trials for the book.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Try only what the record lacks or tried on other code.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Change the constructions, one place at a time, and run the quick checks on each change.

    Every declared mutant must be noticed by a check, and no check may notice one that is declared, with a
    proof, to change nothing. Exit status 1 where it is otherwise; a survey only reports.
    """
    from checks.mutation.catalogue import catalogue
    from checks.mutation.record import draw, write_record
    from checks.mutation.trial import run_mutants

    if record is not None and (ids or survey):
        raise ValueError(
            "--record goes with the whole catalogue; leave out the names of lemmas and --survey."
        )
    if resume and record is None:
        raise ValueError("--resume continues a record: name it with --record.")
    refuse_unwritable_output(record)
    declared = _of_statements(catalogue(), ids)
    chosen = _surveyed(declared) if survey else declared
    passed = () if ledger is None else _passed(ledger, seed)
    if each is not None:
        chosen = draw(chosen, each, seed)
    if not chosen:
        raise ValueError("There is nothing to change.")
    kept = _kept(record, seed, quiet=quiet) if resume and record is not None else {}
    rest = [mutant for mutant in chosen if mutant not in kept]
    jobs = jobs or usable_cores()
    with progress_bar("breaking constructions", quiet=quiet) as bar:
        tried = iter(run_mutants(rest, passed=passed, seed=seed, jobs=jobs, progress=bar))
    trials = [kept.get(mutant) or next(tried) for mutant in chosen]
    if record is not None:
        write_record(record, len(declared), seed, trials)
    wrong = [trial for trial in trials if not trial.as_it_must]
    if json:
        print_json({"seed": seed, "trials": [_as_dict(trial) for trial in trials]})
    else:
        _print_summary(trials)
        word = "not noticed" if survey else "FAILED"
        for trial in wrong:
            print(f"{word} {_place(trial)}: {_change(trial)}: {_outcome(trial)}")
    if wrong and not survey:
        raise typer.Exit(1)


def _kept(record: Path, seed: int, *, quiet: bool) -> dict[Mutant, Trial]:
    """Return the trials of a record that count again; say how many there are, or why none."""
    from checks.mutation.record import current_trials, read_record

    try:
        found = current_trials(read_record(record), seed)
    except ValueError as error:
        say(str(error), quiet=quiet)
        return {}
    say(f"{record}: {len(found)} trial{'' if len(found) == 1 else 's'} taken over", quiet=quiet)
    return found


def _of_statements(catalogue: Sequence[Mutant], ids: list[str] | None) -> list[Mutant]:
    if not ids:
        return list(catalogue)
    from checks.cli.check import resolve_statement

    known = dict.fromkeys(id for mutant in catalogue for id in mutant.statements)
    wanted = {resolve_statement(id, known) for id in ids}
    return [mutant for mutant in catalogue if wanted.intersection(mutant.statements)]


def _passed(path: Path, seed: int) -> list[str]:
    """Return what passed by a ledger; nothing that is of another kind of run, or of other code."""
    from checks.evidence import Level
    from checks.evidence.registry import Effort
    from checks.ledger.build import versions
    from checks.ledger.files import read_ledger
    from checks.ledger.sources import outdated

    ledger = read_ledger(path)
    if (ledger.effort, ledger.seed, ledger.versions) != (Effort.QUICK, seed, versions()):
        return []
    other = outdated(ledger)
    return [e.id for e in ledger.entries if e.level is not Level.FAILED and e.id not in other]


def _surveyed(declared: Sequence[Mutant]) -> list[Mutant]:
    from checks.mutation.source import mutated_source
    from checks.mutation.survey import survey

    asked: dict[str, dict[str, None]] = {}
    for mutant in declared:
        asked.setdefault(mutant.module, {}).update(dict.fromkeys(mutant.statements))
    found = [mutant for module, ids in asked.items() for mutant in survey(module, tuple(ids))]
    harmless = {mutated_source(mutant)[0] for mutant in declared if mutant.equivalent is not None}
    return [mutant for mutant in found if mutated_source(mutant)[0] not in harmless]


def _print_summary(trials: Sequence[Trial]) -> None:
    rows = []
    for statement in dict.fromkeys(trial.mutant.statements[0] for trial in trials):
        own = [trial for trial in trials if trial.mutant.statements[0] == statement]
        proved = [trial for trial in own if trial.mutant.equivalent is not None]
        noticed = sum(trial.noticed is not None for trial in own)
        seconds = sum(trial.seconds for trial in own)
        rows.append((statement, str(len(own)), str(noticed), str(len(proved)), f"{seconds:.1f}"))
    print_table(None, ("statement", "mutants", "noticed", "equivalent", "seconds"), rows)


def _place(trial: Trial) -> str:
    from checks.ledger.code_locations import source_path

    return f"{source_path(trial.mutant.module)}:{trial.line}"


def _change(trial: Trial) -> str:
    return f"{trial.mutant.before!r} -> {trial.mutant.after!r} ({trial.mutant.meaning})"


def _outcome(trial: Trial) -> str:
    if trial.unfinished is not None:
        return trial.unfinished
    if trial.noticed is None:
        return "no check noticed"
    return f"declared equivalent, but {trial.noticed.statement} noticed: {trial.noticed.detail}"


def _as_dict(trial: Trial) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(trial), "as_it_must": trial.as_it_must}
