"""Decide a formula by running a VAR model on it, and verify what comes out.

k-SAT -> OV -> gap-Max-IP -> attention -> VAR (reading maps; directly, or by one VAR model a message of
the distributed PCP), or k-SAT -> VAR (reading start+positions). A request is checked, planned, run and
reported. Before anything is allocated, the sizes, the memory and the rounding error are known: what does
not fit is refused, and what could not be trusted is UNKNOWN.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal, TypeVar

from reductions.choices import Kernel, Precision, Reading, Route
from reductions.decision.pcp_plan import Objective, PcpPlan
from reductions.decision.plan import DoesNotFit, Plan, Request, plan
from reductions.layers.streamed_attention import Progress
from reductions.problems.approximate_var import ApproximateVar
from reductions.problems.cnf import CNF, Model
from reductions.problems.interpolation import Interpolation
from reductions.problems.schedule import Schedule, token_count
from reductions.reduction import Reduced, joined
from reductions.system.memory import available_memory, in_words
from reductions.system.threads import usable_cores

Status = Literal["SATISFIABLE", "UNSATISFIABLE", "UNKNOWN"]
Choice = TypeVar("Choice", bound=StrEnum)

READINGS = (Reading.MAPS, Reading.START_AND_POSITIONS)
"""From the start token alone no formula can be decided (lem-collapse)."""


@dataclass(frozen=True)
class Code:
    """The code of a distributed PCP: s0, T, the number of points, D and Δ."""

    name: str
    information_points: int
    blocks: int
    points: int
    encoded_dimension: int
    gap: int


@dataclass(frozen=True)
class Report:
    """Sizes, bounds and seconds of a decision. What is None there was none of.

    Attributes
    ----------
    logit_bound
        As planned, and of the models where some were run: the largest of them.
    messages, messages_run, code, explanation
        Of route pcp.
    entry_bound, largest_output, rows
        Of the models that were run: the largest of them, and how many rows of the last one are read.
    """

    variables: int
    clauses: int
    vectors: int
    reading: Reading
    kernel: Kernel
    schedule: Schedule
    tokens: int
    dimension: int
    logit_bound: float
    precision: str
    rounding_bound: float
    tolerated_error: float
    memory_bytes: int
    route: Route
    messages: int | None = None
    messages_run: int | None = None
    code: Code | None = None
    explanation: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    entry_bound: float | None = None
    largest_output: float | None = None
    rows: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what there is, as plain data."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Decision:
    """What :func:`decide` returns.

    Attributes
    ----------
    status
        UNKNOWN only where the rounding bound does not clear the margin; then nothing was run.
    model
        A satisfying assignment, verified, where the formula is SATISFIABLE.
    report
        Sizes, bounds and seconds.
    """

    status: Status
    model: Model | None
    report: Report


def decide(
    formula: CNF,
    *,
    reading: str = Reading.MAPS,
    route: str = Route.DIRECT,
    objective: Objective = "ratio",
    kernel: str = Kernel.BICUBIC,
    schedule: Schedule | None = None,
    precision: str = Precision.AUTO,
    all_rows: bool = False,
    threads: int | None = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> Decision:
    """Decide satisfiability by evaluating the attention of a VAR model.

    Parameters
    ----------
    formula
        Any CNF formula.
    reading
        ``maps`` or ``start+positions``.
    route
        ``direct``, or in reading maps ``pcp``: one VAR model a message of the distributed PCP, until one
        gives a satisfying assignment.
    objective
        By which :func:`reductions.decision.pcp_plan.plan_pcp` chooses the code on route ``pcp``: ``ratio``,
        ``messages`` or the most messages there may be.
    kernel
        ``nearest``, ``bilinear`` or ``bicubic``.
    schedule
        Shapes of the scales; default 1, 2, 4, ... as far as needed.
    precision
        ``auto`` takes float32 where its rounding bound clears the margin, else float64.
    all_rows
        Evaluate every row of the layer, not only the read-outs.
    threads
        Default: the number of processors.
    memory_limit
        Bytes; default: what is available.
    progress
        Called with (rows done, rows in all), on route ``pcp`` with (messages done, messages in all).

    Raises
    ------
    DoesNotFit
        If the schedule has too little room, the memory does not suffice, or no code holds the clauses.
    ValueError
        If an argument is not one of the above.
    """
    request = Request(
        formula,
        _one_of("reading", reading, READINGS),
        _one_of("route", route, Route),
        objective,
        Interpolation(_one_of("kernel", kernel, Kernel)),
        schedule,
        _one_of("precision", precision, Precision),
        all_rows,
        usable_cores() if threads is None else threads,
    )
    planned = plan(request)
    _refuse_larger(formula, planned, available_memory() if memory_limit is None else memory_limit)
    return _reported(request, planned, _run(request, planned, progress) if planned.safe else None)


def _one_of(argument: str, value: str, choices: Iterable[Choice]) -> Choice:
    for choice in choices:
        if value == choice:
            return choice
    raise ValueError(f"Argument {argument!r} must be one of {', '.join(choices)}, not {str(value)!r}.")


def _refuse_larger(formula: CNF, planned: Plan, limit: int) -> None:
    if planned.memory > limit:
        raise DoesNotFit(
            f"{formula.variables} variables and {len(formula.clauses)} clauses make "
            f"{token_count(planned.schedule)} tokens and need {in_words(planned.memory)}; "
            f"{in_words(limit)} are available."
        )


@dataclass
class _Run:
    """What came out of the models that were run."""

    model: Model | None = None
    messages: int = 0
    rows: int = 0
    entry_bound: float = -math.inf
    logit_bound: float = -math.inf
    largest_output: float = -math.inf
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start


def _run(request: Request, planned: Plan, progress: Progress | None) -> _Run:
    """Run one VAR model after the other until one gives a satisfying assignment, or none is left."""
    run = _Run()
    with run.timed("build"):
        build, decode = _calls(request.formula, planned)
    while run.model is None and run.messages < planned.messages:
        with run.timed("build"):
            reduced = build(run.messages)
        target = reduced.target
        with run.timed("evaluate"):
            outputs = target.outputs(
                dtype=planned.dtype,
                all_rows=request.all_rows,
                threads=request.threads,
                progress=progress if planned.pcp is None else None,
            )
        with run.timed("decode"):
            run.model = decode(reduced.extract_solution(outputs))
        run.entry_bound = max(run.entry_bound, target.entry_bound)
        run.logit_bound = max(run.logit_bound, target.logit_bound)
        run.largest_output = max(run.largest_output, float(outputs.max()))
        run.rows = len(outputs)
        run.messages += 1
        del reduced, target, outputs  # before the next message's are built
        if planned.pcp is not None and progress is not None:
            progress(run.messages, planned.messages)
    return run


def _calls(
    formula: CNF, planned: Plan
) -> tuple[Callable[[int], Reduced[Any, ApproximateVar]], Callable[[Any], Model | None]]:
    """Return the VAR models by number, and the way from their solutions to a satisfying assignment."""
    if planned.pcp is None:
        direct = joined(planned.steps)
        return (lambda number: direct.map_instance(formula)), (lambda solution: solution)
    listing, encoding, *rest = planned.steps
    listed, chain = listing.map_instance(formula), joined(rest)
    instances = encoding.message_instances(listed.target)  # type: ignore[attr-defined]
    return (lambda number: chain.map_instance(instances[number])), listed.extract_solution


def _reported(request: Request, planned: Plan, run: _Run | None) -> Decision:
    """Return the decision that follows from a run; None where there was none."""
    formula = request.formula
    report = Report(
        variables=formula.variables,
        clauses=len(formula.clauses),
        vectors=planned.vectors,
        reading=request.reading,
        kernel=request.interpolation.kernel,
        schedule=planned.schedule,
        tokens=token_count(planned.schedule),
        dimension=planned.dimension,
        logit_bound=planned.logit_bound,
        precision=planned.dtype.name,
        rounding_bound=planned.rounding,
        tolerated_error=planned.tolerated_error,
        memory_bytes=planned.memory,
        route=request.route,
        **({} if planned.pcp is None else _described(planned.pcp, 0 if run is None else run.messages)),
    )
    if run is None:
        return Decision("UNKNOWN", None, report)
    report = replace(
        report,
        logit_bound=run.logit_bound,
        seconds={phase: round(duration, 3) for phase, duration in run.seconds.items()},
        entry_bound=run.entry_bound,
        largest_output=run.largest_output,
        rows=run.rows,
    )
    if run.model is None:
        return Decision("UNSATISFIABLE", None, report)
    if not formula.verify(run.model):
        raise AssertionError("the extracted assignment does not satisfy the formula: a defect of the program")
    return Decision("SATISFIABLE", run.model, report)


def _described(pcp: PcpPlan, messages_run: int) -> dict[str, Any]:
    system = pcp.system
    code = system.code
    return {
        "messages": system.message_count,
        "messages_run": messages_run,
        "code": Code(code.name, code.block, system.blocks, code.length, system.dimension, system.gap),
        "explanation": pcp.explanation,
    }
