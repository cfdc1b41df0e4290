"""``subquartic generate``: random instances with known answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checks.cli.options import (
    Force,
    Kernel,
    Objective,
    Output,
    Quiet,
    Schedule,
    Seed,
    Threads,
    parse_schedule,
)
from checks.cli.output import command_line, limit_threads, say
from checks.cli.results import refuse_output, text_problem, write_result
from checks.cli.routes import Draw
from reductions import choices

if TYPE_CHECKING:
    from reductions.problem import Problem
    from reductions.reduction import Reduction

generate = typer.Typer(help="Generate a random instance with a known answer.")

Vectors = Annotated[int, typer.Option("--vectors", "-N", min=1, help="Vectors per side.")]
Dimension = Annotated[int, typer.Option("--dimension", "-M", min=1, help="Coordinates of a vector.")]
Planted = Annotated[bool, typer.Option("--planted", help="Plant a solution: a YES instance.")]
NoInstance = Annotated[bool, typer.Option("--no-instance", help="Make sure that there is no solution.")]
NearThreshold = Annotated[
    bool,
    typer.Option(
        "--near-threshold", help="Inner products as close to the threshold as the promise lets them."
    ),
]
Route = Annotated[
    choices.Route,
    typer.Option("--route", help="direct: draw vectors with a gap of 1; pcp: draw and encode ov vectors."),
]
Temperature = Annotated[
    float | None, typer.Option(help="Temperature of the attention.", show_default="its dimension")
]


@generate.callback(invoke_without_command=True)
def _options(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@generate.command("cnf")
def cnf(
    output: Output,
    variables: Annotated[int, typer.Option("--variables", "-v", min=0, help="Variables.")] = 20,
    clauses: Annotated[int, typer.Option("--clauses", "-m", min=0, help="Clauses.")] = 85,
    width: Annotated[int, typer.Option("--width", "-k", min=0, help="Literals of a clause.")] = 3,
    planted: Planted = False,
    seed: Seed = 0,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Generate a random k-CNF: DIMACS, or an instance file where OUT ends in .safetensors.

    DIMACS goes to standard output where OUT is -.
    """
    refuse_output(output, "cnf", overwrite=force, text=True)
    if clauses and not planted <= width <= variables:
        least = "1" if planted else "0"
        raise ValueError(f"--width must be {least} to {variables}, the number of --variables, not {width}.")
    _require_memory(clauses * (64 + 40 * width) + 32 * variables, f"{clauses} clauses of width {width}")
    from reductions.problems.cnf import random_k_sat
    from reductions.problems.random_instances import planted_k_sat

    model: tuple[bool, ...] | None = None
    if planted:
        formula, model = planted_k_sat(variables, clauses, width, seed)
    else:
        formula = random_k_sat(variables, clauses, width, seed)
    if output.suffix == ".safetensors":
        _write(output, formula, _known(planted or None, model), (), seed, force, quiet)
        return
    from checks.cli.output import printable

    text = f"c {printable(command_line())}\n{formula.to_dimacs()}"
    if output == Path("-"):
        print(text, end="")
        return
    from reductions.system.atomic import write_text

    write_text(output, text, overwrite=force)
    say(f"{output}: {variables} variables, {clauses} clauses", quiet=quiet)


@generate.command("ov")
def orthogonal_vectors(
    output: Output,
    vectors: Vectors = 64,
    dimension: Dimension = 32,
    density: Annotated[float, typer.Option(min=0, max=1, help="Share of ones.")] = 0.5,
    planted: Planted = False,
    no_instance: NoInstance = False,
    near_threshold: NearThreshold = False,
    seed: Seed = 0,
    stream: Annotated[
        bool,
        typer.Option(
            "--stream", help="Draw and write block by block: another instance, which may exceed the memory."
        ),
    ] = False,
    threads: Threads = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Generate zero-one vectors with, or without, an orthogonal pair.

    They are written as text where OUT ends in .ov or .ov.gz, or is - (standard output).
    """
    limit_threads(threads)
    if stream:
        drawn = (vectors, dimension, density, seed, _wanted(planted, no_instance), near_threshold)
        _stream(output, drawn, threads, force, quiet)
        return
    refuse_output(output, "ov", overwrite=force, text=True)
    try:
        _require_memory(20 * vectors * dimension, f"{vectors} vectors per side of dimension {dimension}")
    except ValueError as error:
        raise ValueError(f"{error} --stream draws them block by block.") from None
    from reductions.instance_files.codecs import codec
    from reductions.instance_files.verification import AFFORDABLE_WORK
    from reductions.problems.orthogonal_vectors import OrthogonalVectors

    wanted = _wanted(planted, no_instance)
    problem = OrthogonalVectors.random(
        vectors, dimension, density, seed=seed, planted=wanted, near_threshold=near_threshold
    )
    search = wanted is True and codec("ov").work(problem) <= AFFORDABLE_WORK
    witness = problem.solve_brute_force() if search else None
    _write(output, problem, _known(wanted, witness), (), seed, force, quiet)


@generate.command("gap-max-ip")
def gap_max_ip(
    output: Output,
    vectors: Vectors = 64,
    dimension: Dimension = 32,
    route: Route = choices.Route.DIRECT,
    objective: Objective = None,
    planted: Planted = False,
    no_instance: NoInstance = False,
    near_threshold: NearThreshold = False,
    seed: Seed = 0,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Generate zero-one vectors with a threshold on their inner products and a gap of 1.

    They are written as text where OUT ends in .gmip or .gmip.gz, or is - (standard output).
    """
    refuse_output(output, "gap-max-ip", overwrite=force, text=True)
    draw = Draw(vectors, dimension, route, objective, _wanted(planted, no_instance), near_threshold, seed)
    _generate(draw, (), output, force, quiet)


@generate.command("attention")
def attention(
    output: Output,
    vectors: Vectors = 64,
    dimension: Dimension = 32,
    route: Route = choices.Route.DIRECT,
    objective: Objective = None,
    temperature: Temperature = None,
    planted: Planted = False,
    no_instance: NoInstance = False,
    near_threshold: NearThreshold = False,
    seed: Seed = 0,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Generate attention with a reference key, by way of gap-max-ip."""
    refuse_output(output, "attention", overwrite=force)
    _require_memory(100 * vectors * dimension, f"{vectors} vectors per side of dimension {dimension}")
    steps = _steps("attention", temperature)
    draw = Draw(vectors, dimension, route, objective, _wanted(planted, no_instance), near_threshold, seed)
    _generate(draw, steps, output, force, quiet)


@generate.command("var")
def var(
    output: Output,
    vectors: Vectors = 64,
    dimension: Dimension = 32,
    route: Route = choices.Route.DIRECT,
    objective: Objective = None,
    kernel: Kernel = choices.Kernel.BICUBIC,
    schedule: Schedule = None,
    temperature: Temperature = None,
    planted: Planted = False,
    no_instance: NoInstance = False,
    near_threshold: NearThreshold = False,
    seed: Seed = 0,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Generate a VAR model and its token maps, by way of gap-max-ip and attention."""
    refuse_output(output, "var", overwrite=force)
    _require_memory(200 * vectors * dimension, f"{vectors} vectors per side of dimension {dimension}")
    scales = None if schedule is None else parse_schedule(schedule)
    from reductions.problems.interpolation import Interpolation

    steps = _steps("var", temperature, interpolation=Interpolation(kernel), schedule=scales)
    draw = Draw(vectors, dimension, route, objective, _wanted(planted, no_instance), near_threshold, seed)
    _generate(draw, steps, output, force, quiet)


def _steps(to: str, temperature: float | None, **model: Any) -> tuple[Reduction[Any, Any], ...]:
    """Return the reductions from gap-max-ip; ``model`` is what a VAR model is made with."""
    from reductions.reduction import way

    *before, last = way("gap-max-ip", to, (choices.Reading.MAPS,))
    return (*(step.chosen(**model) for step in before), last.chosen(temperature=temperature, **model))


def _generate(
    draw: Draw, steps: tuple[Reduction[Any, Any], ...], output: Path, force: bool, quiet: bool
) -> None:
    """Draw a gap-max-ip instance, reduce it along ``steps``, and write it."""
    problem, witness, encoding = draw.instance(last=not steps)
    chain = (*encoding, *steps)
    for step in chain:
        reduced = step.map_instance(problem)
        witness = None if witness is None else reduced.map_witness(witness)
        problem = reduced.target
    _write(output, problem, _known(draw.planted, witness), chain, draw.seed, force, quiet)


def _stream(output: Path, drawn: tuple[Any, ...], threads: int | None, force: bool, quiet: bool) -> None:
    """Draw orthogonal vectors and write them block by block."""
    refuse_output(output, "ov", overwrite=force)
    if text_problem(output) is not None:
        raise ValueError(f"{output}: --stream writes an instance file, not text.")
    from reductions.instance_files.streamed_vectors import StreamedVectors, write_streamed_vectors

    written = write_streamed_vectors(
        output, StreamedVectors(*drawn), workers=threads, command_line=command_line(), overwrite=force
    )
    sizes = ", ".join(f"{name} = {value:g}" for name, value in written.sizes.items())
    say(f"{output}: ov with {sizes}; answer {written.answer}", quiet=quiet)


def _wanted(planted: bool, no_instance: bool) -> bool | None:
    if planted and no_instance:
        raise ValueError("--planted and --no-instance exclude each other.")
    return True if planted else False if no_instance else None


def _require_memory(needed: int, what: str) -> None:
    from reductions.system.memory import require_memory

    require_memory(needed, what)


def _known(planted: bool | None, witness: Any) -> dict[str, Any]:
    """Return answer, how it is known, and witness, for the manifest."""
    if planted is None:
        return {}
    return {"answer": "YES" if planted else "NO", "known_by": "planted", "witness": witness}


def _write(
    output: Path,
    problem: Problem,
    known: dict[str, Any],
    steps: tuple[Reduction[Any, Any], ...],
    seed: int,
    force: bool,
    quiet: bool,
) -> None:
    write_result(output, problem, known, chain=steps, seed=seed, overwrite=force, quiet=quiet)
