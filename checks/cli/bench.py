"""``subquartic bench``: speed side by side with exact attention and with other approximations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from checks.cli.options import Force, Quiet, Seed, Threads
from checks.cli.output import print_json, print_table, say
from checks.performance.size import Size


def _complete_names(incomplete: str) -> list[str]:
    from checks.performance.registry import SUITES

    return [name for name in SUITES if name.startswith(incomplete)]


def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Benchmarks; all where none is named.", autocompletion=_complete_names
        ),
    ] = None,
    size: Annotated[
        Size, typer.Option(help="How much: tiny only shows that all runs, full takes minutes.")
    ] = Size.QUICK,
    seed: Seed = 0,
    threads: Threads = None,
    json_file: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE|-", help="Write all results; - is standard output."),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Measure the fast algorithm against exact attention and other approximations, side by side.

    Only ratios of the same run mean anything. Targets are printed beside them and change no exit status.
    """
    from checks.performance.environment import require_peers
    from checks.performance.registry import SUITES, resolve

    chosen = list(dict.fromkeys(map(resolve, names))) if names else list(SUITES)
    require_peers()
    to_file = Path(json_file) if json_file not in (None, "-") else None
    if to_file is not None:
        from reductions.system.atomic import refuse_unwritable

        refuse_unwritable(to_file, overwrite=force)
    from checks.performance.process import measure

    results = measure(chosen, size.value, seed=seed, threads=threads, quiet=quiet)
    if to_file is not None:
        from reductions.system.atomic import atomic_path

        with atomic_path(to_file, overwrite=force) as temporary:
            temporary.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        say(f"{to_file}: written", quiet=quiet)
    if json_file == "-":
        print_json(results)
    else:
        _print_results(results)


def _print_results(results: Mapping[str, Any]) -> None:
    machine = results["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    print(
        f"{machine['processor']}, {machine['threads']} of {machine['cores']} cores; "
        f"Python {machine['python']}, {packages}; seed {results['seed']}, size {results['size']}, "
        f"{results['seconds']:.0f} s"
    )
    for suite in results["suites"]:
        rows = [_row(entry) for entry in suite["measurements"]]
        print_table(suite["title"], _COLUMNS, rows)
        if suite["figures"]:
            figures = [(name, f"{value:.3f}") for name, value in suite["figures"].items()]
            print_table(None, ("figure", "value"), figures)
    targets = [_target_row(target) for suite in results["suites"] for target in suite["targets"]]
    if targets:
        print_table("Targets", ("figure", "goal", "measured", "", "note"), targets)


_COLUMNS = ("method", "setting", "median time", "speed-up", "middle half", "error", "certified", "more")


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    from checks.performance.page import duration, seconds, short

    ratio = entry["speed_up"]
    return (
        entry["method"],
        " ".join(f"{name}={value}" for name, value in entry["setting"].items()),
        duration(seconds(entry)),
        "" if ratio is None else f"{short(ratio['median'])}x",
        "" if ratio is None else f"{short(ratio['low'])} to {short(ratio['high'])}",
        "" if entry["error"] is None else f"{entry['error']:.1e}",
        "" if entry["certified_error"] is None else f"{entry['certified_error']:.1e}",
        " ".join(f"{name}={short(value)}" for name, value in entry["extra"].items() if value is not None),
    )


def _target_row(target: Mapping[str, Any]) -> tuple[str, ...]:
    from checks.performance.page import short

    word = {True: "met", False: "not met", None: "not measured"}[target["met"]]
    measured = "" if target["measured"] is None else short(target["measured"])
    relation = "≥" if target["relation"] == ">=" else "≤"
    return target["name"], f"{relation} {short(target['goal'])}", measured, word, target["note"]
