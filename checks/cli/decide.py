"""``subquartic decide``: satisfiability by way of one VAR attention layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from checks.cli.options import (
    Json,
    Kernel,
    MemoryLimit,
    Objective,
    Quiet,
    Reading,
    Route,
    Schedule,
    Threads,
    parse_bytes,
    parse_objective,
    parse_schedule,
)
from checks.cli.output import limit_threads, print_json, progress_bar
from checks.cli.sources import read_formula
from reductions import choices
from reductions.system.threads import usable_cores

EXIT_STATUS = {"SATISFIABLE": 10, "UNSATISFIABLE": 20, "UNKNOWN": 0}
LINE_WIDTH = 78


def decide(
    formula: Annotated[
        str, typer.Argument(metavar="FORMULA.cnf|-", help="A formula in DIMACS format; - is standard input.")
    ],
    reading: Reading = choices.Reading.MAPS,
    route: Route = choices.Route.DIRECT,
    objective: Objective = None,
    kernel: Kernel = choices.Kernel.BICUBIC,
    schedule: Schedule = None,
    precision: Annotated[
        choices.Precision, typer.Option(help="Arithmetic of the attention layer.")
    ] = choices.Precision.AUTO,
    all_rows: Annotated[
        bool, typer.Option("--all-rows", help="Evaluate the whole layer, not only the read-out rows.")
    ] = False,
    memory_limit: MemoryLimit = None,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Decide a formula by evaluating the attention of a VAR model.

    The formula goes through the chain of reductions, the model's attention is evaluated, and its output
    is decoded. Prints what SAT solvers print: `s SATISFIABLE` with a verified assignment, `s UNSATISFIABLE`,
    or `s UNKNOWN` where rounding errors could hide the answer. Exit status 10, 20 or 0.
    """
    limit_threads(threads)
    scales = None if schedule is None else parse_schedule(schedule)
    limit = None if memory_limit is None else parse_bytes(memory_limit)
    goal = parse_objective(objective, route)
    from reductions.decision import decide as construction

    parsed = read_formula(formula)
    with progress_bar(
        "messages" if route is choices.Route.PCP else "attention", quiet=quiet or json
    ) as progress:
        decision = construction.decide(
            parsed,
            reading=reading,
            route=route,
            objective=goal,
            kernel=kernel,
            schedule=scales,
            precision=precision,
            all_rows=all_rows,
            threads=threads or usable_cores(),
            memory_limit=limit,
            progress=progress,
        )
    model = None if decision.model is None else literals(decision.model)
    if json:
        print_json({"status": decision.status, "model": model, "report": decision.report.as_dict()})
    else:
        if not quiet:
            for line in comments(decision.report.as_dict()):
                print(line)
        print(f"s {decision.status}")
        if model is not None:
            for line in value_lines(model):
                print(line)
    raise typer.Exit(EXIT_STATUS[decision.status])


def literals(model: Sequence[bool]) -> list[int]:
    """Return the literals that a model makes true."""
    return [variable if value else -variable for variable, value in enumerate(model, start=1)]


def value_lines(model: Sequence[int]) -> Iterator[str]:
    """Yield the ``v`` lines of the SAT competition's output format, ended by 0."""
    line = "v"
    for word in map(str, (*model, 0)):
        if len(line) + 1 + len(word) > LINE_WIDTH:
            yield line
            line = "v"
        line += f" {word}"
    yield line


def comments(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield a report as ``c`` lines: one for every entry, a table's entries on its own line."""
    for name, value in report.items():
        words = name.replace("_", " ")
        if name == "schedule":
            value = " ".join(f"{height}x{width}" for height, width in value)
        if isinstance(value, Mapping):
            yield f"c {words}: " + ", ".join(f"{key} = {_shown(item)}" for key, item in value.items())
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            for item in value:
                yield f"c {words}: " + ", ".join(f"{key} = {_shown(entry)}" for key, entry in item.items())
        else:
            yield f"c {words}: {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{key} = {_shown(item)}" for key, item in value.items()) + ")"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
