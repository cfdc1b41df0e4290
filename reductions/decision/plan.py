"""What a decision by VAR model will cost: sizes, precision and memory, before anything is built.

Both routes from orthogonal vectors to gap-Max-IP end in the same VAR model; they differ in the dimension
D, the threshold s and the gap Δ of the instances, and in how many there are: the direct route has one
instance, the distributed PCP one per message. All sizes are the parameter maps' of the reductions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reductions.choices import Precision, ProblemName, Reading, Route
from reductions.decision.pcp_plan import NoSystem, Objective, PcpPlan, most_coordinates_within, plan_pcp
from reductions.layers.streamed_attention import KEY_TILE, QUERY_TILE, AttentionMagnitudes, rounding_bound
from reductions.lower_bound.distributed_pcp import DistributedPCP
from reductions.lower_bound.isolation import capacity
from reductions.lower_bound.split_and_list import MOST_VARIABLES
from reductions.problems.cnf import CNF
from reductions.problems.gap_sizes import GapSizes
from reductions.problems.interpolation import Interpolation
from reductions.problems.schedule import Schedule, token_count
from reductions.problems.token_map import ROW_BLOCK
from reductions.reduction import Reduction, joined, way
from reductions.system.threads import usable_cores

Steps = list[Reduction[Any, Any]]

BASELINE_BYTES = 150 * 2**20  # the interpreter and its libraries


class DoesNotFit(ValueError):
    """The instance needs more memory, more slots or a larger code than there is."""


@dataclass(frozen=True)
class Request:
    """What is to be decided, and how; :func:`reductions.decision.decide.decide` says what the fields are.

    Raises
    ------
    ValueError
        If a field is out of range, or there is no such route to a model in that reading.
    """

    formula: CNF
    reading: Reading = Reading.MAPS
    route: Route = Route.DIRECT
    objective: Objective = "ratio"
    interpolation: Interpolation = field(default_factory=Interpolation)
    schedule: Schedule | None = None
    precision: Precision = Precision.AUTO
    all_rows: bool = False
    threads: int = field(default_factory=usable_cores)

    def __post_init__(self) -> None:
        if self.reading is Reading.START_ONLY:
            raise ValueError(
                "Argument 'reading' must be 'maps' or 'start+positions', not 'start only': without positions "
                "there is no reduction."
            )
        if self.route is Route.PCP and self.reading is not Reading.MAPS:
            raise ValueError(
                f"Argument 'route' must be 'direct' in reading {self.reading}, not 'pcp': "
                "the distributed PCP leads to reading maps only."
            )
        if self.threads < 1:
            raise ValueError(f"Argument 'threads' must be at least 1, not {self.threads}.")

    def steps(self, encoding: DistributedPCP | None, schedule: Schedule | None) -> Steps:
        """Return the reductions from the formula to the model; ``encoding`` is for route pcp."""
        return [
            encoding
            if encoding is not None and step is DistributedPCP
            else step.chosen(interpolation=self.interpolation, schedule=schedule)
            for step in way(ProblemName.CNF, ProblemName.VAR, (self.reading, self.route))
        ]


@dataclass(frozen=True)
class Plan:
    """What a decision will cost, known before anything is built.

    Attributes
    ----------
    steps
        The reductions from the formula to the model, with the schedule that was found.
    vectors
        N, half assignments per side.
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
    pcp
        The code and why it was chosen; None on the direct route.
    """

    steps: Steps = field(repr=False)
    vectors: int
    schedule: Schedule
    dimension: int
    logit_bound: float
    dtype: np.dtype[Any]
    rounding: float
    tolerated_error: float
    memory: int
    pcp: PcpPlan | None = None

    @property
    def safe(self) -> bool:
        """Whether the rounding error leaves every decision right."""
        return self.rounding < self.tolerated_error

    @property
    def messages(self) -> int:
        """How many VAR models may have to be run."""
        return 1 if self.pcp is None else self.pcp.system.message_count


def plan(request: Request) -> Plan:
    """Work out sizes, precision and memory without building anything.

    Raises
    ------
    DoesNotFit
        If the schedule has too little room, there are too many half assignments to write down, or no
        code holds the clauses.
    ValueError
        If the objective is none.
    """
    formula = request.formula
    if formula.variables > MOST_VARIABLES:
        raise DoesNotFit(
            f"{formula.variables} variables need 2^{(formula.variables + 1) // 2} half assignments per side: "
            "too many to list."
        )
    pcp = None
    if request.route is Route.PCP:
        pcp = plan_coordinates(len(formula.clauses), "clauses", request.objective)
    sizes = _maps_sizes if request.reading is Reading.MAPS else _inference_sizes
    try:
        found = sizes(request, pcp)
    except ValueError as error:
        raise DoesNotFit(str(error)) from None
    magnitudes = AttentionMagnitudes(
        dimension=found.dimension,
        keys=token_count(found.schedule),
        absolute_logit_bound=found.logit_bound,
        value_bound=1.0,
        entry_error=512 * 2.0**-53,
    )
    tolerated = float(found.steps[-1].error_budget())  # type: ignore[arg-type]
    dtype, bound = _precision(request.precision, magnitudes, tolerated)
    rows = _rows(request, found)
    memory = _call_memory(magnitudes.keys, rows, found.dimension, dtype.itemsize, request.threads)
    memory += 2 * found.vectors * len(formula.clauses) * 4  # vectors of half assignments and a working copy
    memory += found.instance_memory
    if pcp is not None:
        memory += _encoding_memory(pcp, found.vectors)
    return Plan(
        found.steps,
        found.vectors,
        found.schedule,
        found.dimension,
        found.logit_bound,
        dtype,
        bound,
        tolerated,
        memory,
        pcp,
    )


@dataclass(frozen=True)
class _Sizes:
    """The reductions with the schedule found, and what follows from their parameter maps."""

    steps: Steps
    schedule: Schedule
    vectors: int
    dimension: int
    logit_bound: float
    instance_memory: int


def _maps_sizes(request: Request, pcp: PcpPlan | None) -> _Sizes:
    """Return the sizes in reading maps: the formula, vectors, gap-Max-IP, attention, VAR.

    Raises
    ------
    ValueError
        If the schedule has too little room.
    """
    made = None if pcp is None else pcp.reduction()
    listing, encoding, *_, last = request.steps(made, request.schedule)
    listed = _numbers(listing, request.formula.sizes)
    vectors = listed["N"]
    schedule = last.schedule_for(vectors)  # type: ignore[attr-defined]
    room = capacity(request.interpolation, *schedule[-2:])
    if room < vectors:
        raise ValueError(f"The schedule has room for {room} of the {vectors} vectors per side.")
    # One call is for one message's queries.
    encoded = {**_numbers(encoding, listed), "N_u": vectors}
    gap = GapSizes(encoded["D"], encoded["s"], encoded["gap"])
    steps = [listing, encoding, *request.steps(made, schedule)[2:]]
    dimension = _numbers(joined(steps[2:]), encoded)["d"]
    # Every product is at most s, the reference's |s - Δ/2|; base coordinates lift both.
    logit_bound = (
        2 * math.log(16 * token_count(schedule)) / gap.gap * (gap.threshold + gap.base + gap.gap / 2)
    )
    memory = 10 * vectors * dimension * 8  # gap-Max-IP, attention, scaled copies, slot tokens
    return _Sizes(steps, schedule, vectors, dimension, logit_bound, memory)


def _inference_sizes(request: Request, pcp: PcpPlan | None = None) -> _Sizes:
    """Return the sizes in reading start+positions.

    Raises
    ------
    ValueError
        If the schedule has too little room.
    """
    (reduction,) = request.steps(None, request.schedule)
    schedule = reduction.schedule_for(request.formula.variables)  # type: ignore[attr-defined]
    steps = request.steps(None, schedule)
    sizes = _numbers(steps[0], request.formula.sizes)
    tokens, clauses = token_count(schedule), len(request.formula.clauses)
    memory = 4 * tokens * (2 * (sizes["N"].bit_length() - 1) + 2) * 8  # position table, tokens, outputs
    memory += 3 * (2 * sizes["d"] + 1) ** 2 * 8  # weights
    # Products are at most m without any base coordinates.
    logit_bound = 2 * math.log(16 * tokens) * (clauses + 0.5)
    return _Sizes(steps, schedule, sizes["N"], sizes["d"], logit_bound, memory)


def _numbers(reduction: Reduction[Any, Any], source: Mapping[str, float]) -> dict[str, int]:
    """Return those sizes of the target that are integers."""
    sizes = reduction.sizes_of({name: int(value) for name, value in source.items()})
    return {name: int(value) for name, value in sizes.items() if value.is_integer}


def _precision(
    precision: Precision, magnitudes: AttentionMagnitudes, tolerated: float
) -> tuple[np.dtype[Any], float]:
    """Return the first type whose rounding bound is below ``tolerated``, or the last, and its bound."""
    names = ("float32", "float64") if precision is Precision.AUTO else (precision.value,)
    for name in names:
        dtype: np.dtype[Any] = np.dtype(name)
        bound = rounding_bound(magnitudes, dtype)
        if bound < tolerated:
            break
    return dtype, bound


def _rows(request: Request, found: _Sizes) -> int:
    """Return how many rows of the layer are evaluated."""
    if request.all_rows:
        return token_count(found.schedule)
    height, width = found.schedule[-1]
    return found.vectors if request.reading is Reading.MAPS else height * width


def plan_coordinates(coordinates: int, noun: str, objective: Objective) -> PcpPlan:
    """Choose a code for so many coordinates, which ``noun`` names: a clause makes one.

    Raises
    ------
    DoesNotFit
        If no code holds them; the message says how many fit.
    ValueError
        If ``objective`` is none.
    """
    try:
        return plan_pcp(coordinates, objective)
    except NoSystem as error:
        raise DoesNotFit(
            f"{coordinates} {noun} are too many for the distributed PCP, which holds at most "
            f"{most_coordinates_within(objective)} with objective {objective}. {error}"
        ) from None


def _call_memory(tokens: int, rows: int, dimension: int, item: int, threads: int) -> int:
    """Return the bytes that one run of a model takes besides its instance."""
    return (
        BASELINE_BYTES
        + (tokens + rows) * dimension * item  # keys and queries
        + 4 * tokens * 8  # values, outputs
        + threads * QUERY_TILE * KEY_TILE * item * 2
        + 3 * ROW_BLOCK * (2 * dimension + 1) * 8
    )


def _encoding_memory(pcp: PcpPlan, vectors: int) -> int:
    """Return the bytes that the encoded vectors, one message's queries and all messages take."""
    system = pcp.system
    return (
        vectors * system.dimension * (8 + 8 + 4)  # keys, queries, forms and working copies of bytes
        + vectors * system.code.length * (system.blocks + 8) * 8  # columns and ranks
        + 4 * system.message_count * system.code.length
    )
