"""``subquartic suite``: build the hard instances and recheck every one."""

from __future__ import annotations

from typing import Annotated

import typer

from checks.cli.options import Jobs, Json, Quiet, Scheduler, refuse_two_places
from checks.cli.output import print_json, progress_bar
from reductions.choices import Suite
from reductions.system.threads import usable_cores


def suite(
    name: Annotated[
        Suite,
        typer.Argument(metavar="[quick|full]", help="quick: L up to 1,024; full: up to 65,536."),
    ] = Suite.QUICK,
    seeds: Annotated[int, typer.Option(min=1, max=10**6, help="Instances of each kind.")] = 1,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build the hard instances that test-kernel runs on, and recheck every one of them.

    The manifest, of which --json prints all, is the same wherever and with however many processes they are
    built. Exit status 1 where an instance is not what it claims.
    """
    refuse_two_places(jobs, scheduler)
    from reductions.kernel_suite.sweep import sweep_suite

    with progress_bar("rechecking", quiet=quiet) as bar:
        jobs = jobs or usable_cores()
        sweep = sweep_suite(name.value, seeds, jobs=jobs, scheduler=scheduler, progress=bar)
    faults, count = sweep.faults, len(sweep.rechecked)
    if json:
        print_json({**sweep.manifest, "verified": sweep.verified, "faults": list(faults)})
    else:
        print(f"suite {name.value}, version {sweep.manifest['version']}, seeds 0 to {seeds - 1}")
        print(f"SHA-256 {sweep.manifest['sha256']}")
        print(f"verified {sweep.verified} of {count}")
        for fault in faults:
            print(f"FAILED {fault}")
    if faults:
        raise typer.Exit(1)
