"""``subquartic reduce``: walk along the chain and store where it leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from checks.cli.options import (
    Force,
    MemoryLimit,
    Objective,
    ObjectiveChoice,
    Output,
    Quiet,
    Reading,
    Route,
    Schedule,
    Shapes,
    Threads,
    parse_bytes,
    parse_objective,
    parse_schedule,
)
from checks.cli.output import limit_threads
from checks.cli.results import refuse_output, write_result
from checks.cli.routes import encoding, refuse_larger_rectangle
from checks.cli.sources import read_source
from reductions import choices

if TYPE_CHECKING:
    from reductions.instance_files.manifest import Manifest
    from reductions.problem import Problem
    from reductions.reduction import Reduced, Reduction


def reduce(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE|-",
            help="An instance file, a DIMACS formula or vectors as text; - is text on standard input.",
        ),
    ],
    to: Annotated[choices.ProblemName, typer.Option("--to", help="The problem to reduce to.")],
    output: Output,
    reading: Reading = choices.Reading.MAPS,
    route: Route = choices.Route.DIRECT,
    objective: Objective = None,
    kernel: Annotated[
        choices.Kernel | None,
        typer.Option(help="Interpolation kernel of the VAR model.", show_default="bicubic"),
    ] = None,
    schedule: Schedule = None,
    temperature: Annotated[
        float | None, typer.Option(help="Temperature of the attention built.", show_default="its dimension")
    ] = None,
    solve: Annotated[
        bool, typer.Option("--solve", help="Solve the source exactly, and store answer and witness.")
    ] = False,
    memory_limit: MemoryLimit = None,
    threads: Threads = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Reduce a formula, or an instance of the chain, to a later problem of the chain.

    The chain is cnf, ov, gap-max-ip, attention, var. The file says which reductions were made with which
    parameters. A known answer of the source goes along, and its witness is mapped forward.
    """
    limit_threads(threads)
    from reductions.instance_files.read_write import formula_digest
    from reductions.problems.cnf import CNF
    from reductions.reduction import joined

    refuse_output(output, to.value, overwrite=force)
    limit = None if memory_limit is None else parse_bytes(memory_limit)
    goal = parse_objective(objective, route)
    problem, manifest = read_source(source)
    scales = None if schedule is None else parse_schedule(schedule)
    steps = _steps(problem, to.value, reading, route, goal, kernel, scales, temperature)
    _refuse_larger(problem, steps, limit)
    reduced = joined(steps).map_instance(problem)
    formula_sha256 = manifest.formula_sha256 if manifest else None
    if isinstance(problem, CNF):
        formula_sha256 = formula_digest(problem.to_dimacs())
    write_result(
        output,
        reduced.target,
        _answer(problem, manifest, reduced, solve=solve),
        chain=[*(manifest.chain if manifest else ()), *_entries(steps)],
        seed=manifest.seed if manifest else None,
        formula_sha256=formula_sha256,
        overwrite=force,
        quiet=quiet,
    )


def _steps(
    problem: Problem,
    to: str,
    reading: choices.Reading,
    route: choices.Route,
    objective: ObjectiveChoice,
    kernel: choices.Kernel | None,
    schedule: Shapes | None,
    temperature: float | None,
) -> list[Reduction[Any, Any]]:
    """Return the reductions from a problem to a later one."""
    from reductions.lower_bound.distributed_pcp import DistributedPCP
    from reductions.problems.interpolation import Interpolation
    from reductions.reduction import way

    start = problem.name
    default = way(start, to, (choices.Reading.MAPS, choices.Route.DIRECT))
    if not default:
        chain = ", ".join(choices.ProblemName)
        raise ValueError(f"--to must name a problem after {start} in the chain {chain}; {to} is not.")
    if to != choices.ProblemName.VAR:
        if schedule is not None or kernel is not None:
            raise ValueError("--schedule and --kernel go with --to var, where there is a VAR model.")
        if reading is not choices.Reading.MAPS:
            raise ValueError(f"--reading {reading.value} goes with --to var, where there is a VAR model.")
    if temperature is not None and "temperature" not in default[-1].parameter_kinds:
        raise ValueError("--temperature goes with --to attention or --to var, where there is attention.")
    classes = way(start, to, (reading, route))
    if not classes:
        raise ValueError(f"--reading {reading.value} starts from a formula, not from {start}.")
    if route is choices.Route.PCP:
        if reading is not choices.Reading.MAPS:
            raise ValueError(f"--route pcp leads to --reading maps only, not to {reading.value}.")
        if DistributedPCP not in classes:
            raise ValueError(
                f"--route pcp is a way from ov to gap-max-ip, and there is no such step from {start} to {to}."
            )
    interpolation = Interpolation(kernel or choices.Kernel.BICUBIC)
    return [
        encoding(int(problem.sizes["m"]), objective)
        if step is DistributedPCP
        else step.chosen(
            interpolation=interpolation,
            schedule=schedule,
            temperature=temperature if step is classes[-1] else None,
        )
        for step in classes
    ]


def _entries(steps: list[Reduction[Any, Any]]) -> list[dict[str, Any]]:
    from reductions.instance_files.manifest import plain

    return [{"reduction": step.name, "parameters": plain(dict(step.parameters()))} for step in steps]


def _refuse_larger(problem: Problem, steps: list[Reduction[Any, Any]], limit: int | None) -> None:
    """Raise ValueError where the instances between would take more memory than ``limit`` bytes."""
    from reductions.lower_bound.distributed_pcp import DistributedPCP
    from reductions.system.memory import available_memory, in_words

    vectors = 0
    if problem.name == "cnf":
        if limit is None:
            limit = available_memory()
        variables, clauses = int(problem.sizes["v"]), int(problem.sizes["m"])
        half = (variables + 1) // 2
        vectors = 2 ** min(half, 400)
        # Vectors or tokens, times coordinates, times the bytes of an entry on either side of the last step.
        needed = vectors * (clauses + half + 2) * (4 if len(steps) == 1 else 80)
        if needed > limit:
            raise ValueError(
                f"{variables} variables make 2^{half} vectors per side, about {in_words(needed)}: "
                f"more than the limit of {in_words(limit)} (--memory-limit)."
            )
    for step in steps:
        if isinstance(step, DistributedPCP):
            refuse_larger_rectangle(step, vectors or int(problem.sizes["N"]), step is steps[-1], limit)


def _answer(
    problem: Problem, manifest: Manifest | None, reduced: Reduced[Any, Any], *, solve: bool
) -> dict[str, Any]:
    """Return what is known of the target: the source's answer, which a many-one reduction keeps."""
    from reductions.instance_files.manifest import KnownBy
    from reductions.instance_files.read_write import as_witness
    from reductions.problem import Answer, PromiseProblem

    if manifest is not None and manifest.answer in (Answer.YES, Answer.NO):
        witness = as_witness(manifest.witness)
        return {
            "answer": manifest.answer,
            "known_by": manifest.known_by,
            "witness": None if witness is None else reduced.map_witness(witness),
        }
    if not solve:
        return {}
    witness = problem.solve_brute_force()
    answer = Answer.YES if witness is not None else Answer.NO
    if witness is None and isinstance(problem, PromiseProblem):
        answer = problem.answer()
    if answer is Answer.OUTSIDE_PROMISE:
        raise ValueError("the source is outside its promise, so that the answer of the target means nothing.")
    mapped = None if witness is None else reduced.map_witness(witness)
    return {"answer": answer, "known_by": KnownBy.SOLVER, "witness": mapped}
