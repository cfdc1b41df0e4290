"""The application: its options and its commands."""

from __future__ import annotations

from typing import Annotated

import typer

from checks.cli.audit import audit
from checks.cli.bench import bench
from checks.cli.check import check
from checks.cli.criterion import criterion
from checks.cli.decide import decide
from checks.cli.generate import generate
from checks.cli.instance import inspect, solve, verify
from checks.cli.kernels import examine
from checks.cli.lemmas import ledger_schema, lemmas
from checks.cli.mutants import mutants
from checks.cli.options import Threads
from checks.cli.output import limit_threads
from checks.cli.reduce import reduce
from checks.cli.suite import suite

app = typer.Typer(
    name="subquartic",
    help="Executable proof companion to the computational limits of visual autoregressive models.",
    epilog="Exit status: 0 done, 1 a check failed, 2 bad input, 10 satisfiable, 20 unsatisfiable, "
    "130 interrupted.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"subquartic {version('subquartic')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
    threads: Threads = None,
) -> None:
    limit_threads(threads)
    if context.invoked_subcommand is None:
        print(context.get_help())


_THE_CHAIN, _INSTANCES, _THE_PROOFS = "The chain", "Instance files", "The proofs"
_KERNELS = "Attention kernels"
app.command(rich_help_panel=_THE_CHAIN)(decide)
app.command(rich_help_panel=_THE_CHAIN)(reduce)
app.add_typer(generate, name="generate", rich_help_panel=_INSTANCES)
app.command(rich_help_panel=_INSTANCES)(verify)
app.command(rich_help_panel=_INSTANCES)(solve)
app.command(rich_help_panel=_INSTANCES)(inspect)
app.command(rich_help_panel=_THE_PROOFS)(check)
app.command(rich_help_panel=_THE_PROOFS)(audit)
app.command(rich_help_panel=_THE_PROOFS)(lemmas)
app.command(rich_help_panel=_THE_PROOFS)(mutants)
app.command("ledger-schema", rich_help_panel=_THE_PROOFS)(ledger_schema)
app.command(rich_help_panel=_KERNELS)(criterion)
app.command(rich_help_panel=_KERNELS)(bench)
app.command("test-kernel", rich_help_panel=_KERNELS)(examine)
app.command(rich_help_panel=_KERNELS)(suite)
