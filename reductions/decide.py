"""Decide a formula by running a VAR model on it, and verify what comes out.

k-SAT -> OV -> gap-Max-IP -> attention -> VAR (reading maps), or k-SAT -> VAR (reading
start+positions). Before anything is allocated, the sizes, the memory and the rounding error are known:
what does not fit is refused, and what could not be trusted is UNKNOWN.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.isolation import capacity
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.lower_bound.split_and_list import MOST_VARIABLES, SplitAndList
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.cnf import CNF
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.var_model import ROW_BLOCK, Schedule, token_count
from reductions.reduction import Reduction
from reductions.streaming_attention import (
    KEY_TILE,
    QUERY_TILE,
    AttentionMagnitudes,
    Progress,
    rounding_bound,
)

Status = Literal["SATISFIABLE", "UNSATISFIABLE", "UNKNOWN"]
Precision = Literal["auto", "float32", "float64"]

BASELINE_BYTES = 150 * 2**20  # the interpreter and its libraries


class DoesNotFit(ValueError):
    """The instance needs more memory, or more slots, than there is."""


@dataclass(frozen=True)
class Plan:
    """What a decision will cost, known before anything is built.

    Attributes
    ----------
    vectors
        N, half assignments a side.
    schedule
        Of the model.
    dimension
        d, of queries and keys.
    logit_bound
        b.
    dtype
        In which attention runs.
    rounding
        A bound on the rounding error of an output.
    tolerated_error
        The error below which the outputs decide.
    memory
        Bytes.
    """

    vectors: int
    schedule: Schedule
    dimension: int
    logit_bound: float
    dtype: np.dtype[Any]
    rounding: float
    tolerated_error: float
    memory: int

    @property
    def safe(self) -> bool:
        """Whether the rounding error leaves every decision right."""
        return self.rounding < self.tolerated_error


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


def plan(
    formula: CNF,
    reading: Reading,
    interpolation: Interpolation,
    schedule: Schedule | None = None,
    precision: Precision = "auto",
    all_rows: bool = False,
    threads: int = 1,
) -> Plan:
    """Work out sizes, precision and memory without building anything.

    Raises
    ------
    DoesNotFit
        If the schedule has too little room, or there are too many half assignments to write down.
    """
    bits, clauses = (formula.variables + 1) // 2, len(formula.clauses)
    if formula.variables > MOST_VARIABLES:
        raise DoesNotFit(
            f"{formula.variables} variables need 2^{bits} half assignments a side: too many to list."
        )
    vectors = 2**bits
    base = max(0, 2 - clauses) if reading is Reading.MAPS else 0
    try:
        if reading is Reading.MAPS:
            chosen = AttentionToVar(interpolation, schedule).schedule_for(vectors)
            room = capacity(interpolation, *chosen[-2:])
            if room < vectors:
                raise ValueError(f"The schedule has room for {room} of the {vectors} vectors a side.")
            dimension = 2 * clauses + max(1, clauses) + base
        else:
            chosen = SatToVarInference(interpolation, schedule).schedule_for(formula.variables)
            dimension = clauses + 1
    except ValueError as error:
        raise DoesNotFit(str(error)) from None
    tokens = token_count(chosen)
    # At most m + base for a key; the reference key's absolute products are below that plus 1/2.
    largest_product = clauses + base + 0.5
    magnitudes = AttentionMagnitudes(
        dimension=dimension,
        keys=tokens,
        absolute_logit_bound=2 * math.log(16 * tokens) * largest_product,
        value_bound=1.0,
        entry_error=512 * 2.0**-53,
    )
    tolerated = 5 / 16 if reading is Reading.MAPS else 7 / 16
    dtypes: list[np.dtype[Any]] = (
        [np.dtype(np.float32), np.dtype(np.float64)] if precision == "auto" else [np.dtype(precision)]
    )
    bounds = [rounding_bound(magnitudes, dtype) for dtype in dtypes]
    index = next((i for i, bound in enumerate(bounds) if bound < tolerated), len(dtypes) - 1)

    rows = tokens if all_rows else chosen[-1][0] * chosen[-1][1] if reading is not Reading.MAPS else vectors
    item = dtypes[index].itemsize
    channels = 2 * dimension + 1 if reading is Reading.MAPS else 2 * bits + 2
    hidden = 2 * dimension + 1
    memory = (
        BASELINE_BYTES
        + (tokens + rows) * dimension * item  # keys and queries
        + 4 * tokens * 8  # values, outputs
        + 2 * vectors * clauses * 4  # vectors of half assignments and a working copy
        + threads * QUERY_TILE * KEY_TILE * item * 2
        + 3 * ROW_BLOCK * hidden * 8
    )
    if reading is Reading.MAPS:
        memory += 10 * vectors * dimension * 8  # gap-Max-IP, attention, scaled copies, slot tokens
    else:
        memory += 4 * tokens * channels * 8  # position table, tokens and outputs of the last scale
        memory += 3 * hidden**2 * 8  # weights
    return Plan(
        vectors,
        chosen,
        dimension,
        magnitudes.absolute_logit_bound,
        dtypes[index],
        bounds[index],
        tolerated,
        memory,
    )


def decide(
    formula: CNF,
    *,
    reading: str = "maps",
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
        Called with (rows done, rows in all).

    Raises
    ------
    DoesNotFit
        If the schedule has too little room or the memory does not suffice.
    ValueError
        If an argument is not one of the above.
    """
    if reading not in {"maps", "start+positions"}:
        raise ValueError(f"Argument 'reading' must be 'maps' or 'start+positions', not {reading!r}.")
    if precision not in {"auto", "float32", "float64"}:
        raise ValueError(f"Argument 'precision' must be 'auto', 'float32' or 'float64', not {precision!r}.")
    interpolation = Interpolation(Kernel(kernel))
    workers = threads or os.cpu_count() or 1
    chosen = plan(formula, Reading(reading), interpolation, schedule, precision, all_rows, workers)
    limit = available_memory() if memory_limit is None else memory_limit
    if chosen.memory > limit:
        from reductions.memory import in_words

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
        "seconds": {},
    }
    if not chosen.safe:
        return Decision("UNKNOWN", None, report)

    with _timed(report, "build"):
        reduced = chain_for(Reading(reading), interpolation, schedule).map_instance(formula)
    target = reduced.target
    report |= {"entry_bound": target.entry_bound, "logit_bound": target.logit_bound}
    with _timed(report, "evaluate"):
        outputs = target.outputs(dtype=chosen.dtype, all_rows=all_rows, threads=workers, progress=progress)
    report |= {"rows": len(outputs), "largest_output": float(outputs.max())}
    with _timed(report, "decode"):
        model = reduced.extract_solution(outputs)
    if model is None:
        return Decision("UNSATISFIABLE", None, report)
    if not formula.verify(model):
        raise AssertionError("the extracted model does not satisfy the formula: a defect of the program")
    return Decision("SATISFIABLE", model, report)


def available_memory() -> int:
    """Return the bytes of memory that can be had without swapping, as far as the system tells."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@contextmanager
def _timed(report: dict[str, Any], phase: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    report["seconds"][phase] = round(time.perf_counter() - start, 3)
