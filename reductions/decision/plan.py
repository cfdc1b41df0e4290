"""What a decision by VAR model will cost: sizes, precision and memory, before anything is built.

Both routes from orthogonal vectors to gap-Max-IP end in the same VAR model; they differ in the dimension
D, the threshold s and the gap Δ of the instances, and in how many there are. The direct route has
(D, s, Δ) = (2m, m, 1) and one instance; the distributed PCP has a code's, and one instance a message.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reductions.decision.pcp_plan import NoSystem, Objective, PcpPlan, most_coordinates_within, plan_pcp
from reductions.layers.streamed_attention import KEY_TILE, QUERY_TILE, AttentionMagnitudes, rounding_bound
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.isolation import capacity
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.lower_bound.split_and_list import MOST_VARIABLES
from reductions.problems.approximate_var import Reading
from reductions.problems.cnf import CNF
from reductions.problems.interpolation import Interpolation
from reductions.problems.var_model import ROW_BLOCK, Schedule, token_count

Precision = Literal["auto", "float32", "float64"]
Route = Literal["direct", "pcp"]

BASELINE_BYTES = 150 * 2**20  # the interpreter and its libraries


class DoesNotFit(ValueError):
    """The instance needs more memory, more slots or a larger code than there is."""


@dataclass(frozen=True)
class GapSizes:
    """D, s and Δ of gap-Max-IP instances with products of at most s, and what follows for attention."""

    dimension: int
    threshold: int
    gap: int

    @property
    def base(self) -> int:
        """The base coordinates that lift the reference logit: max(0, ⌈2Δ - s⌉)."""
        return max(0, 2 * self.gap - self.threshold)

    @property
    def attention_dimension(self) -> int:
        """d = D + p + base with the p = max(1, ⌈|s - Δ/2|⌉) coordinates of the reference key."""
        return self.dimension + max(1, math.ceil(abs(self.threshold - self.gap / 2))) + self.base

    def logit_bound(self, tokens: int) -> float:
        """Return a bound on the absolute logits: every product is at most s, the reference's |s - Δ/2|."""
        return 2 * math.log(16 * tokens) / self.gap * (self.threshold + self.base + self.gap / 2)

    def entry_bound(self, tokens: int) -> float:
        """Return R = √(2 d ln(16 L) / Δ), the largest entry at temperature d."""
        return math.sqrt(2 * self.attention_dimension * math.log(16 * tokens) / self.gap)


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
    pcp
        The code and why it was chosen; None on the direct route.
    """

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


def plan(
    formula: CNF,
    reading: Reading,
    interpolation: Interpolation,
    schedule: Schedule | None = None,
    precision: Precision = "auto",
    all_rows: bool = False,
    threads: int = 1,
    route: Route = "direct",
    objective: Objective = "ratio",
) -> Plan:
    """Work out sizes, precision and memory without building anything.

    Raises
    ------
    DoesNotFit
        If the schedule has too little room, there are too many half assignments to write down, or no
        code holds the clauses.
    ValueError
        If ``route`` is "pcp" in another reading than maps, or ``objective`` is none.
    """
    maps = reading is Reading.MAPS
    require_route(route, reading)
    bits, clauses = (formula.variables + 1) // 2, len(formula.clauses)
    if formula.variables > MOST_VARIABLES:
        raise DoesNotFit(
            f"{formula.variables} variables need 2^{bits} half assignments a side: too many to list."
        )
    vectors = 2**bits
    pcp = plan_coordinates(clauses, "clauses", objective) if route == "pcp" else None
    if pcp is None:
        sizes = GapSizes(2 * clauses, clauses, 1)
    else:
        sizes = GapSizes(pcp.system.dimension, pcp.system.code.length, pcp.system.gap)
    try:
        if maps:
            chosen = AttentionToVar(interpolation, schedule).schedule_for(vectors)
            room = capacity(interpolation, *chosen[-2:])
            if room < vectors:
                raise ValueError(f"The schedule has room for {room} of the {vectors} vectors a side.")
        else:
            chosen = SatToVarInference(interpolation, schedule).schedule_for(formula.variables)
    except ValueError as error:
        raise DoesNotFit(str(error)) from None
    tokens = token_count(chosen)
    dimension = sizes.attention_dimension if maps else clauses + 1
    magnitudes = AttentionMagnitudes(
        dimension=dimension,
        keys=tokens,
        # Reading start+positions has products of at most m without any base coordinates.
        absolute_logit_bound=sizes.logit_bound(tokens)
        if maps
        else 2 * math.log(16 * tokens) * (clauses + 0.5),
        value_bound=1.0,
        entry_error=512 * 2.0**-53,
    )
    tolerated = 5 / 16 if maps else 7 / 16
    dtypes: list[np.dtype[Any]] = (
        [np.dtype(np.float32), np.dtype(np.float64)] if precision == "auto" else [np.dtype(precision)]
    )
    bounds = [rounding_bound(magnitudes, dtype) for dtype in dtypes]
    index = next((i for i, bound in enumerate(bounds) if bound < tolerated), len(dtypes) - 1)

    rows = tokens if all_rows else vectors if maps else chosen[-1][0] * chosen[-1][1]
    memory = _call_memory(tokens, rows, dimension, dtypes[index].itemsize, threads)
    memory += 2 * vectors * clauses * 4  # vectors of half assignments and a working copy
    if maps:
        memory += 10 * vectors * dimension * 8  # gap-Max-IP, attention, scaled copies, slot tokens
    else:
        memory += 4 * tokens * (2 * bits + 2) * 8  # position table, tokens and outputs of the last scale
        memory += 3 * (2 * dimension + 1) ** 2 * 8  # weights
    if pcp is not None:
        memory += _encoding_memory(pcp, vectors)
    return Plan(
        vectors,
        chosen,
        dimension,
        magnitudes.absolute_logit_bound,
        dtypes[index],
        bounds[index],
        tolerated,
        memory,
        pcp,
    )


def require_route(route: str, reading: Reading) -> None:
    """Raise ValueError where there is no such route to a model in that reading."""
    if route not in ("direct", "pcp"):
        raise ValueError(f"Argument 'route' must be 'direct' or 'pcp', not {route!r}.")
    if route == "pcp" and reading is not Reading.MAPS:
        raise ValueError(
            f"Argument 'route' must be 'direct' in reading {reading.value}, not 'pcp': the distributed PCP "
            "leads to reading maps only."
        )


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
