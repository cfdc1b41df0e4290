"""``subquartic check``: execute what backs the statements of the book."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checks.cli.options import Jobs, Json, Quiet, Scheduler, Seed, Threads, refuse_two_places
from checks.cli.output import limit_threads, print_json, print_table, refuse_unwritable_output, say
from checks.evidence.registry import Effort, Run, known_ids, registered, registry
from reductions.system.source_files import source_files
from reductions.system.threads import usable_cores

if TYPE_CHECKING:
    from checks.evidence.report import Report


def _complete_ids(incomplete: str) -> list[str]:
    return [id for id in known_ids() if id.startswith(incomplete)]


def check(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LEMMA]...",
            help="Ids of statements; all where none is named.",
            autocompletion=_complete_ids,
        ),
    ] = None,
    level: Annotated[Effort, typer.Option(help="How much to check.")] = Effort.QUICK,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    seed: Seed = 0,
    ledger: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the ledger; what it says of others than the named statements stays."
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Execute only what the ledger, or an interrupted run, lacks or other code earned.",
        ),
    ] = False,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Execute the checks of the book's statements, and the controls that must fail.

    Exit status 1 where any of them FAILED.
    """
    limit_threads(threads)
    refuse_two_places(jobs, scheduler)
    notice = partial(say, quiet=quiet)
    if resume and ledger is None:
        raise ValueError("--resume continues a run that writes a ledger: name it with --ledger.")
    refuse_unwritable_output(ledger)
    if ledger is not None:
        source_files()  # as they are now, before any check is imported
    from checks.cli.check_progress import CheckProgress, recorded_seconds
    from checks.evidence.runner import run_lemmas

    named = [resolve_statement(id, known_ids()) for id in ids] if ids else None
    chosen = list(registry()) if named is None else list(dict.fromkeys(named))
    run = Run(level, seed)
    jobs = min(jobs or usable_cores(), max(1, len(chosen)))
    executed = [id for id in chosen if registered(id).check is not None]
    expected = recorded_seconds(ledger, run.effort) if ledger is not None and not quiet else {}
    workers = jobs if scheduler is None else None
    reports: Sequence[Report]
    with CheckProgress(executed, expected, workers, quiet=quiet) as progress:
        how: dict[str, Any] = {"jobs": jobs, "progress": progress, "scheduler": scheduler}
        if ledger is None:
            reports = run_lemmas(chosen, run, **how)
        else:
            reports = _into_ledger(ledger, run, named, resume=resume, notice=notice, **how)
    if ledger is not None:
        say(f"{ledger}: written", quiet=quiet)
    if json:
        print_json(
            {"level": level.value, "seed": seed, "statements": [_as_dict(report) for report in reports]}
        )
    else:
        _print_reports(reports)
    if any(report.failures for report in reports):
        raise typer.Exit(1)


def _into_ledger(ledger: Path, run: Run, ids: list[str] | None, **how: Any) -> list[Report]:
    """Execute the named statements, or all, into the ledger; return the reports on these."""
    from checks.ledger.run import run_into_ledger

    reports = run_into_ledger(ledger, run, ids, **how)
    return [report for report in reports if ids is None or report.id in ids]


def resolve_statement(name: str, entries: Iterable[str]) -> str:
    """Return the id that a user meant: the id itself, with underscores, or without its prefix."""
    known = list(entries)
    written = name.replace("_", "-")
    for id in (written, f"lem-{written}", f"thm-{written}", f"def-{written}", f"rem-{written}"):
        if id in known:
            return id
    from difflib import get_close_matches

    short = {id.partition("-")[2]: id for id in known}
    # Without the prefix, which would make everything alike.
    stem = written.partition("-")[2] if written.startswith(("lem-", "thm-", "def-", "rem-")) else written
    near = [short[match] for match in get_close_matches(stem, short, n=1, cutoff=0.7)]
    hint = f" Did you mean {near[0]}?" if near else " See 'subquartic lemmas'."
    raise ValueError(f"No such lemma: {name}.{hint}")


def _as_dict(report: Report) -> dict[str, Any]:
    from checks.evidence.report import level_word

    return {
        "id": report.id,
        "kind": report.kind.value,
        "title": report.title,
        "evidence": level_word(report),
        "cases": sum(record.cases for record in report.records),
        "records": [
            {
                "evidence": record.level.value,
                "claim": record.claim,
                "scope": record.scope,
                "cases": record.cases,
                "seed": record.seed,
                "counterexample": record.counterexample,
            }
            for record in report.records
        ],
        "controls_rejected": sum(control.rejected for control in report.controls),
        "controls": len(report.controls),
        "failures": list(report.failures),
        "seconds": round(report.seconds, 3),
    }


def _print_reports(reports: Iterable[Report]) -> None:
    found = [_as_dict(report) for report in reports]
    rows = [
        (
            entry["id"],
            entry["evidence"],
            f"{entry['cases']:,}",
            f"{entry['controls_rejected']} of {entry['controls']}",
            f"{entry['seconds']:.2f}",
        )
        for entry in found
        if entry["records"] or entry["failures"]
    ]
    print_table(None, ("statement", "evidence", "cases", "controls rejected", "seconds"), rows)
    for entry in found:
        for failure in entry["failures"]:
            print(f"FAILED {entry['id']}: {failure}")
