"""Decide a formula by running a VAR model on it, and verify what comes out.

k-SAT -> OV -> gap-Max-IP -> attention -> VAR (reading maps; directly, or by one VAR model a message of
the distributed PCP), or k-SAT -> VAR (reading start+positions). Before anything is allocated, the sizes,
the memory and the rounding error are known: what does not fit is refused, and what could not be trusted is
UNKNOWN.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from reductions.decision.pcp_plan import Objective, PcpPlan
from reductions.decision.plan import (
    DoesNotFit,
    Plan,
    Precision,
    Route,
    plan,
    require_route,
)
from reductions.layers.streamed_attention import Progress
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.cnf import CNF, Model
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.var_model import Schedule, token_count
from reductions.reduction import Reduced, Reduction
from reductions.system.memory import available_memory
from reductions.system.threads import usable_cores

Status = Literal["SATISFIABLE", "UNSATISFIABLE", "UNKNOWN"]


@dataclass(frozen=True)
class Decision:
    """What :func:`decide` returns.

    Attributes
    ----------
    status
        UNKNOWN only where the rounding bound does not clear the margin; then nothing was run.
    model
        A model of the formula, verified, where it is SATISFIABLE.
    report
        Sizes, bounds and seconds, as plain data.
    """

    status: Status
    model: tuple[bool, ...] | None
    report: dict[str, Any] = field(default_factory=dict)


def chain_for(
    reading: Reading, interpolation: Interpolation, schedule: Schedule | None
) -> Reduction[CNF, ApproximateVar]:
    """Return the reduction from k-SAT to VAR that belongs to a reading."""
    if reading is Reading.START_AND_POSITIONS:
        return SatToVarInference(interpolation, schedule)
    if reading is Reading.MAPS:
        direct = SplitAndList() >> ComplementEncoding() >> GapMaxIPToAttention()
        return direct >> AttentionToVar(interpolation, schedule)
    raise ValueError(
        "Argument 'reading' must be 'maps' or 'start+positions': without positions there is no reduction."
    )


def decide(
    formula: CNF,
    *,
    reading: str = "maps",
    route: Route = "direct",
    objective: Objective = "ratio",
    kernel: str = "bicubic",
    schedule: Schedule | None = None,
    precision: Precision = "auto",
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
        gives a model of the formula.
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
    if reading not in {"maps", "start+positions"}:
        raise ValueError(f"Argument 'reading' must be 'maps' or 'start+positions', not {reading!r}.")
    if precision not in {"auto", "float32", "float64"}:
        raise ValueError(f"Argument 'precision' must be 'auto', 'float32' or 'float64', not {precision!r}.")
    require_route(route, Reading(reading))
    if kernel not in list(Kernel):
        raise ValueError(f"Argument 'kernel' must be one of {', '.join(Kernel)}, not {kernel!r}.")
    if threads is not None and threads < 1:
        raise ValueError(f"Argument 'threads' must be at least 1, not {threads}.")
    interpolation = Interpolation(Kernel(kernel))
    workers = threads or usable_cores()
    chosen = plan(
        formula, Reading(reading), interpolation, schedule, precision, all_rows, workers, route, objective
    )
    limit = available_memory() if memory_limit is None else memory_limit
    if chosen.memory > limit:
        from reductions.system.memory import in_words

        raise DoesNotFit(
            f"{formula.variables} variables and {len(formula.clauses)} clauses make "
            f"{token_count(chosen.schedule)} tokens and need {in_words(chosen.memory)}; "
            f"{in_words(limit)} are available."
        )
    report: dict[str, Any] = {
        "variables": formula.variables,
        "clauses": len(formula.clauses),
        "vectors": chosen.vectors,
        "reading": reading,
        "kernel": kernel,
        "schedule": chosen.schedule,
        "tokens": token_count(chosen.schedule),
        "dimension": chosen.dimension,
        "logit_bound": chosen.logit_bound,
        "precision": chosen.dtype.name,
        "rounding_bound": chosen.rounding,
        "tolerated_error": chosen.tolerated_error,
        "memory_bytes": chosen.memory,
        "route": route,
        **({} if chosen.pcp is None else _described(chosen.pcp)),
        "seconds": {},
    }
    if not chosen.safe:
        return Decision("UNKNOWN", None, report)

    seconds: dict[str, float] = {}
    with _timed(seconds, "build"):
        calls = _calls(formula, chosen, Reading(reading), interpolation, schedule)
    model, done = None, 0
    while model is None and done < chosen.messages:
        with _timed(seconds, "build"):
            reduced = calls.build(done)
        target = reduced.target
        with _timed(seconds, "evaluate"):
            outputs = target.outputs(
                dtype=chosen.dtype,
                all_rows=all_rows,
                threads=workers,
                progress=progress if chosen.pcp is None else None,
            )
        with _timed(seconds, "decode"):
            model = calls.decode(reduced.extract_solution(outputs))
        for name, value in (
            ("entry_bound", target.entry_bound),
            ("logit_bound", target.logit_bound),
            ("largest_output", float(outputs.max())),
        ):
            report[name] = max(value, report[name]) if done else value
        report["rows"] = len(outputs)
        done += 1
        del reduced, target, outputs  # before the next message's are built
        if chosen.pcp is not None:
            report["messages_run"] = done
            if progress is not None:
                progress(done, chosen.messages)
    report["seconds"] = {phase: round(duration, 3) for phase, duration in seconds.items()}
    if model is None:
        return Decision("UNSATISFIABLE", None, report)
    if not formula.verify(model):
        raise AssertionError("the extracted model does not satisfy the formula: a defect of the program")
    return Decision("SATISFIABLE", model, report)


@dataclass(frozen=True)
class _Calls:
    """The VAR models of a formula, by number, and the way from their solutions to a model of it."""

    build: Callable[[int], Reduced[Any, ApproximateVar]]
    decode: Callable[[Any], Model | None]


def _calls(
    formula: CNF,
    chosen: Plan,
    reading: Reading,
    interpolation: Interpolation,
    schedule: Schedule | None,
) -> _Calls:
    if chosen.pcp is None:
        direct = chain_for(reading, interpolation, schedule)
        return _Calls(lambda number: direct.map_instance(formula), lambda solution: solution)
    listed = SplitAndList().map_instance(formula)
    instances = chosen.pcp.reduction().message_instances(listed.target)
    chain = GapMaxIPToAttention() >> AttentionToVar(interpolation, schedule)
    return _Calls(lambda number: chain.map_instance(instances[number]), listed.extract_solution)


def _described(pcp: PcpPlan) -> dict[str, Any]:
    system = pcp.system
    return {
        "messages": system.message_count,
        "messages_run": 0,
        "code": {
            "name": system.code.name,
            "information_points": system.code.block,
            "blocks": system.blocks,
            "points": system.code.length,
            "encoded_dimension": system.dimension,
            "gap": system.gap,
        },
        "explanation": pcp.explanation,
    }


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[phase] = seconds.get(phase, 0.0) + time.perf_counter() - start
