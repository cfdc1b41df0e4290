"""``subquartic reduce``: walk along the chain and store where it leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from checks.cli.options import (
    Force,
    KernelChoice,
    Objective,
    ObjectiveChoice,
    Output,
    ProblemChoice,
    Quiet,
    Reading,
    ReadingChoice,
    Route,
    RouteChoice,
    Schedule,
    Threads,
    parse_bytes,
    parse_objective,
    parse_schedule,
)
from checks.cli.output import limit_threads
from checks.cli.results import refuse_output, write_result
from checks.cli.routes import encoding, refuse_larger_rectangle
from checks.cli.sources import read_source

if TYPE_CHECKING:
    from reductions.instance_files.manifest import Manifest
    from reductions.problem import Problem
    from reductions.reduction import Reduced

CHAIN = ("cnf", "ov", "gap-max-ip", "attention", "var")


def reduce(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE|-",
            help="An instance file, a DIMACS formula or vectors as text; - is text on standard input.",
        ),
    ],
    to: Annotated[ProblemChoice, typer.Option("--to", help="The problem to reduce to.")],
    output: Output,
    reading: Reading = ReadingChoice.MAPS,
    route: Route = RouteChoice.DIRECT,
    objective: Objective = None,
    kernel: Annotated[
        KernelChoice | None,
        typer.Option(help="Interpolation kernel of the VAR model.", show_default="bicubic"),
    ] = None,
    schedule: Schedule = None,
    temperature: Annotated[
        float | None, typer.Option(help="Temperature of the attention built.", show_default="its dimension")
    ] = None,
    solve: Annotated[
        bool, typer.Option("--solve", help="Solve the source exactly, and store answer and witness.")
    ] = False,
    memory_limit: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Refuse what takes more memory (512M, 2G, ...).", show_default="free memory"
        ),
    ] = None,
    threads: Threads = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Reduce a formula, or an instance of the chain, to a later problem of the chain.

    The chain is cnf, ov, gap-max-ip, attention, var. The file says which reductions were made with which
    parameters. A known answer of the source goes along, and its witness is mapped forward.
    """
    limit_threads(threads)
    from reductions.instance_files.files import formula_digest
    from reductions.problems.cnf import CNF
    from reductions.reduction import Reduction

    refuse_output(output, to.value, overwrite=force)
    limit = None if memory_limit is None else parse_bytes(memory_limit)
    goal = parse_objective(objective, route)
    problem, manifest = read_source(source)
    steps = _steps(
        problem.name,
        to.value,
        reading,
        None if kernel is None else kernel.value,
        None if schedule is None else parse_schedule(schedule),
        temperature,
    )
    if route is RouteChoice.PCP:
        _take_the_pcp(steps, problem, to, reading, goal)
    for step in steps:
        assert isinstance(step, Reduction)
    _refuse_larger(problem, steps, limit)
    chain = steps[0]
    for step in steps[1:]:
        chain = chain >> step
    reduced = chain.map_instance(problem)
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
    start: str,
    to: str,
    reading: ReadingChoice,
    kernel: str | None,
    schedule: tuple[tuple[int, int], ...] | None,
    temperature: float | None,
) -> list[Any]:
    """Return the reductions from one problem of the chain to a later one."""
    if CHAIN.index(to) <= CHAIN.index(start):
        raise ValueError(
            f"--to must name a problem after {start} in the chain {', '.join(CHAIN)}; {to} is not."
        )
    if to != "var":
        if schedule is not None or kernel is not None:
            raise ValueError("--schedule and --kernel go with --to var, where there is a VAR model.")
        if reading is not ReadingChoice.MAPS:
            raise ValueError(f"--reading {reading.value} goes with --to var, where there is a VAR model.")
    if temperature is not None and to not in ("attention", "var"):
        raise ValueError("--temperature goes with --to attention or --to var, where there is attention.")
    var_options: dict[str, Any] = {"schedule": schedule, "temperature": temperature}
    if to == "var":
        from reductions.problems.interpolation import Interpolation, Kernel

        var_options["interpolation"] = Interpolation(Kernel(kernel or "bicubic"))
    if reading is ReadingChoice.START_AND_POSITIONS:
        if start != "cnf":
            raise ValueError(f"--reading {reading.value} starts from a formula, not from {start}.")
        from reductions.lower_bound.sat_to_var_inference import SatToVarInference

        return [SatToVarInference(**var_options)]
    return [
        _step(name, temperature if to == "attention" else None, var_options)
        for name in CHAIN[CHAIN.index(start) : CHAIN.index(to)]
    ]


def _take_the_pcp(
    steps: list[Any],
    problem: Problem,
    to: ProblemChoice,
    reading: ReadingChoice,
    objective: ObjectiveChoice,
) -> None:
    """Replace the direct step from orthogonal vectors to gap-max-ip by the distributed PCP."""
    if reading is not ReadingChoice.MAPS:
        raise ValueError(f"--route pcp leads to --reading maps only, not to {reading.value}.")
    for index, step in enumerate(steps):
        if step.name == "complement-encoding":
            steps[index] = encoding(int(problem.sizes["m"]), objective)
            return
    raise ValueError(
        f"--route pcp is a way from ov to gap-max-ip, and there is no such step from {problem.name} to "
        f"{to.value}."
    )


def _step(start: str, temperature: float | None, var_options: dict[str, Any]) -> Any:
    """Return the reduction that leads on from one problem of the chain."""
    if start == "cnf":
        from reductions.lower_bound.split_and_list import SplitAndList

        return SplitAndList()
    if start == "ov":
        from reductions.lower_bound.complement_encoding import ComplementEncoding

        return ComplementEncoding()
    if start == "gap-max-ip":
        from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention

        return GapMaxIPToAttention(temperature)
    from reductions.lower_bound.attention_to_var import AttentionToVar

    return AttentionToVar(**var_options)


def _entries(steps: list[Any]) -> list[dict[str, Any]]:
    from reductions.instance_files.manifest import plain

    return [{"reduction": step.name, "parameters": plain(dict(step.parameters()))} for step in steps]


def _refuse_larger(problem: Problem, steps: list[Any], limit: int | None) -> None:
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
                f"{variables} variables make 2^{half} vectors a side, which takes about {in_words(needed)}: "
                f"more than the limit of {in_words(limit)} (--memory-limit)."
            )
    for step in steps:
        if isinstance(step, DistributedPCP):
            refuse_larger_rectangle(step, vectors or int(problem.sizes["N"]), step is steps[-1], limit)


def _answer(
    problem: Problem, manifest: Manifest | None, reduced: Reduced[Any, Any], *, solve: bool
) -> dict[str, Any]:
    """Return what is known of the target: the source's answer, which a many-one reduction keeps."""
    from reductions.instance_files.files import as_witness
    from reductions.instance_files.manifest import KnownBy
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
