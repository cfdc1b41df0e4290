"""``subquartic audit``: execute again what a ledger claims, and say where it differs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from checks.cli.options import Jobs, Json, Quiet, Scheduler, Threads, refuse_two_places
from checks.cli.output import limit_threads, print_json, printable, say
from reductions.system.source_files import refuse_changed_sources, source_files
from reductions.system.threads import usable_cores


def audit(
    ledger: Annotated[Path, typer.Argument(metavar="LEDGER", help="The ledger, as check --ledger wrote it.")],
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LEMMA]...", help="Ids of statements; all where none is named."),
    ] = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Execute the checks of a ledger again, with its effort and seed, and compare every field but the time.

    Exit status 1 where the ledger says anything that its checks do not return.
    """
    limit_threads(threads)
    refuse_two_places(jobs, scheduler)
    from checks.cli.check import resolve_statement
    from checks.cli.check_progress import CheckProgress
    from checks.evidence.registry import Run, registry
    from checks.evidence.runner import run_lemmas
    from checks.ledger.audit import audit as compare
    from checks.ledger.audit import refuse_other_sources
    from checks.ledger.build import versions
    from checks.ledger.files import read_ledger

    claimed = read_ledger(ledger)
    source_files()  # as they are now, before any check is imported
    entries = registry()
    chosen = list(dict.fromkeys(resolve_statement(id, entries) for id in ids)) if ids else list(entries)
    refuse_other_sources(claimed, chosen)
    notice = partial(say, quiet=quiet)
    for package, version in versions().items():
        if claimed.versions.get(package) != version:
            notice(f"{package} is {version}; the ledger was written with {claimed.versions.get(package)}")
    jobs = min(jobs or usable_cores(), len(chosen))
    executed = [id for id in chosen if entries[id].check is not None]
    expected = {entry.id: entry.seconds for entry in claimed.entries}
    run = Run(claimed.effort, claimed.seed)
    with CheckProgress(executed, expected, jobs if scheduler is None else None, quiet=quiet) as progress:
        reports = run_lemmas(chosen, run, jobs=jobs, progress=progress, scheduler=scheduler)
    refuse_changed_sources()
    differences = compare(claimed, reports)
    if json:
        print_json(
            {
                "level": claimed.effort.value,
                "seed": claimed.seed,
                "audited": chosen,
                "differences": differences,
            }
        )
    else:
        for line in differences:
            print(printable(f"DIFFERS {line}"))
        if not differences:
            count = f"{len(chosen)} of {len(claimed.entries)} statements"
            print(f"{ledger}: {count} executed again, with the same results")
    if differences:
        raise typer.Exit(1)
