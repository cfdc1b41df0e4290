"""``subquartic check`` and ``lemmas``: the statements of the book and what backs them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checks.cli.options import Force, Json, Quiet, Scheduler, Seed, Threads, refuse_two_places
from checks.cli.output import limit_threads, print_json, print_table, say

if TYPE_CHECKING:
    from checks.lemma import Lemma
    from checks.runner import LemmaReport


class EffortChoice(StrEnum):
    """How much a run checks."""

    QUICK = "quick"
    FULL = "full"


def _complete_ids(incomplete: str) -> list[str]:
    from checks.lemma import registry

    return [id for id in registry() if id.startswith(incomplete)]


def check(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LEMMA]...",
            help="Ids of statements; all where none is named.",
            autocompletion=_complete_ids,
        ),
    ] = None,
    level: Annotated[EffortChoice, typer.Option(help="How much to check.")] = EffortChoice.QUICK,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes.", show_default="cores")
    ] = None,
    scheduler: Scheduler = None,
    seed: Seed = 0,
    ledger: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the ledger of all statements.")
    ] = None,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Execute the checks of the book's statements, and the controls that must fail.

    Exit status 1 where any of them FAILED.
    """
    limit_threads(threads)
    refuse_two_places(jobs, scheduler)
    if ledger is not None and ids:
        raise ValueError("--ledger goes with a run of all statements; leave out the names of lemmas.")
    if ledger is not None:
        from reductions.atomic import refuse_unwritable

        ledger.parent.mkdir(parents=True, exist_ok=True)
        refuse_unwritable(ledger, overwrite=True)
    from checks.lemma import Effort, Run, registry
    from checks.runner import run_lemmas

    entries = registry()
    chosen = [resolve_statement(id, entries) for id in ids] if ids else list(entries)
    done, executed = 0, sum(entries[id].check is not None for id in chosen)

    def report_progress(report: LemmaReport) -> None:
        nonlocal done
        if entries[report.id].check is None:
            return
        done += 1
        say(f"[{done}/{executed}] {report.id}: {_word(report)} in {report.seconds:.1f} s", quiet=quiet)

    run = Run(Effort(level.value), seed)
    jobs = min(jobs or os.cpu_count() or 1, max(1, len(chosen)))
    reports = run_lemmas(chosen, run, jobs=jobs, progress=report_progress, scheduler=scheduler)
    if ledger is not None:
        from checks.ledger import write_ledger

        write_ledger(ledger, reports, run)
        say(f"{ledger}: written", quiet=quiet)
    if json:
        print_json(
            {"level": level.value, "seed": seed, "statements": [_as_dict(report) for report in reports]}
        )
    else:
        _print_reports(reports)
    if any(report.failures for report in reports):
        raise typer.Exit(1)


def lemmas(
    graph: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw the dependency graph.")] = None,
    ledger: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take the evidence from this ledger.")
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """List the statements of the book with the evidence that a ledger records for them."""
    from checks.lemma import registry

    if graph is not None:
        from reductions.atomic import refuse_unwritable

        if graph.suffix.lower() != ".svg":
            raise ValueError(f"--graph draws SVG: the name of the file must end in .svg, not {graph.name!r}.")
        refuse_unwritable(graph, overwrite=force)
    entries = registry()
    levels: dict[str, str] = {}
    if ledger is not None:
        from checks.ledger import read_ledger

        levels = {entry.id: entry.level.value for entry in read_ledger(ledger).entries}
    if graph is not None:
        from checks.graph import write_svg
        from reductions.atomic import atomic_path

        with atomic_path(graph, overwrite=force) as temporary:
            write_svg(temporary, levels)
        say(f"{graph}: {len(entries)} statements")
        if not json:
            return
    rows = [_row(entry, levels) for entry in entries.values()]
    if json:
        print_json(rows)
        return
    columns = ("id", "kind", "evidence", "title")
    print_table(None, columns, ([row[column] for column in columns] for row in rows))


def ledger_schema() -> None:
    """Print the JSON Schema of the ledger that check --ledger writes."""
    from checks.json_schema import ledger_json_schema

    print_json(ledger_json_schema())


def _row(entry: Lemma, levels: Mapping[str, str]) -> dict[str, Any]:
    unchecked = "not run" if entry.check else entry.kind.value
    return {
        "id": entry.id,
        "kind": entry.kind.value,
        "title": entry.title,
        "evidence": levels.get(entry.id, unchecked),
        "source": entry.source,
        "statement_uses": list(entry.statement_uses),
        "proof_uses": list(entry.proof_uses),
        "controls": list(entry.controls),
    }


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


def _word(report: LemmaReport) -> str:
    return report.kind.value if report.level is None else report.level.value


def _as_dict(report: LemmaReport) -> dict[str, Any]:
    return {
        "id": report.id,
        "kind": report.kind.value,
        "title": report.title,
        "evidence": _word(report),
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


def _print_reports(reports: Iterable[LemmaReport]) -> None:
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
