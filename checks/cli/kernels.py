"""``subquartic test-kernel``: a user's attention kernel against the hard instances."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checks.cli.options import Force, Json, Quiet
from checks.cli.output import Progress, print_json, print_table, progress_bar, require_package
from reductions.choices import Suite
from reductions.kernel_suite.calling import Arrays, Convention, Layout, Precision, Temperature

if TYPE_CHECKING:
    from reductions.kernel_suite.examination import KernelReport, Regime
    from reductions.kernel_suite.hard_instance import HardInstance
    from reductions.kernel_suite.suite import SuiteParameters


def examine(
    target: Annotated[
        str, typer.Argument(metavar="KERNEL", help="MODULE:FUNCTION or FILE.py:FUNCTION, an f(q, k, v, ...).")
    ],
    suite: Annotated[Suite, typer.Option(help="quick: L up to 1,024; full: up to 65,536.")] = (Suite.QUICK),
    arrays: Annotated[Arrays, typer.Option(help="Whose arrays it takes.")] = Arrays.NUMPY,
    layout: Annotated[Layout, typer.Option(help="(L, d), or (1, 1, L, d).")] = Layout.ROWS,
    precision: Annotated[Precision, typer.Option(help="Of its arrays.")] = Precision.FLOAT32,
    temperature: Annotated[
        Temperature,
        typer.Option(
            help="auto: by the names of its parameters; temperature: temperature=τ; scale: scale=1/τ; "
            "root: none, it divides by √d."
        ),
    ] = Temperature.AUTO,
    tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=64, help="Leave out instances with more tokens.")
    ] = None,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=0.001, help="Seconds for one call.")
    ] = 60.0,
    decisions_only: Annotated[
        bool, typer.Option("--decisions-only", help="Let rows outside the margin pass.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw the error against the logit bound.")
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Test an attention kernel against hard instances with known answers.

    The kernel is loaded from the current directory or from the installed packages and runs in a process of
    its own. Exit status: 0 every decision is right and every judged row within the margin, 1 otherwise,
    2 no such kernel.
    """
    if arrays is not Arrays.NUMPY:
        require_package(arrays.value, f"--arrays {arrays.value}", extra=arrays.value)
    if plot is not None:
        _require_drawable(plot, force)
    from reductions.kernel_suite.examination import examine_kernel
    from reductions.kernel_suite.suite import suite_parameters

    convention = Convention(arrays, layout, precision, temperature)
    chosen = [p for p in suite_parameters(suite) if tokens is None or p.label.tokens <= tokens]
    with progress_bar("testing", quiet=quiet) as bar:
        instances = _built(chosen, bar)
        report = examine_kernel(
            target,
            instances,
            convention,
            time_limit_s=time_limit,
            decisions_only=decisions_only,
            path=(os.getcwd(),),
        )
    if plot is not None:
        from checks.cli.kernel_figure import write_figure

        write_figure(report, plot, overwrite=force)
    if json:
        print_json(report.as_dict())
    else:
        _print_report(report)
    raise typer.Exit(report.exit_status)


def _require_drawable(plot: Path, force: bool) -> None:
    from reductions.system.atomic import refuse_unwritable

    require_package("matplotlib", "--plot", extra="plot")
    if plot.suffix.lower() != ".svg":
        raise ValueError(f"--plot draws SVG: the name of the file must end in .svg, not {plot.name!r}.")
    refuse_unwritable(plot, overwrite=force)


def _built(chosen: Sequence[SuiteParameters], bar: Progress | None) -> Iterator[HardInstance]:
    """Yield the instances, each built when it is asked for, and show how many were."""
    from reductions.kernel_suite.suite import build_instance

    for done, parameters in enumerate(chosen, start=1):
        if bar is not None:
            bar(done, len(chosen))
        yield build_instance(parameters)


def _print_report(report: KernelReport) -> None:
    records = [_record(regime) for regime in report.regimes]
    print_table(None, tuple(records[0]), [tuple(record.values()) for record in records])
    for message in dict.fromkeys(outcome.message for outcome in report.outcomes if outcome.message):
        first = next(outcome for outcome in report.outcomes if outcome.message == message)
        count = sum(outcome.message == message for outcome in report.outcomes)
        print(f"failed {count} times, first on {first.name}: {message}")
    for tokens in report.sizes:
        bound = report.right_up_to(tokens)
        told = "for no logit bound" if bound is None else f"up to logit bound {bound:.1f}"
        print(f"L = {tokens}: every decision right and every row within the margin {told}")
    if any(regime.beyond for regime in report.regimes):
        print(
            f"beyond: exact attention in {report.convention.precision} is itself too coarse there; "
            "these do not count."
        )


def _record(regime: Regime) -> dict[str, str]:
    from reductions.kernel_suite.examination import Verdict

    low, high = regime.logit_bounds
    worst = regime.worst_error
    return {
        "reading": regime.reading,
        "route": regime.route,
        "L": str(regime.tokens),
        "strength": f"{regime.strength:g}",
        "logit bound": f"{low:.1f} to {high:.1f}",
        **{str(verdict): str(regime.count(verdict)) for verdict in Verdict},
        "beyond": str(regime.beyond),
        "worst error": "" if worst is None else f"{worst:.2g}",
    }
