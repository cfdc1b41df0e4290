"""Check of lem-route-crossover: which route makes the smaller logits, and which the smaller entries."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from checks.evidence import Evidence, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from checks.lower_bound.distributed_pcp.rows import ROWS, Row, row_named
from checks.lower_bound.route_crossover.identities import (
    criterion_identities,
    family_identities,
    line_identities,
    size_identities,
)
from checks.lower_bound.route_crossover.messages import (
    BLOCKS_COUNT,
    blocks_cases,
    exponent_cases,
    is_exponent,
    is_least,
)
from checks.lower_bound.route_crossover.spaces import (
    crosses_there,
    family_cases,
    is_winner_listed,
    line_cases,
    line_never_wins,
    small_system_count,
    small_systems,
)
from reductions.codes.evaluation_codes import hermitian, reed_solomon
from reductions.codes.finite_field import FIELD_ORDERS, FiniteField, row_reduce
from reductions.codes.proof_system import ProofSystem
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.distributed_pcp import MOST_MESSAGES, MessageInstances
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.route_crossover import (
    direct_route,
    pcp_route,
)
from reductions.problems.attention import ReferenceKeyAttention
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.gap_sizes import GapSizes
from reductions.problems.orthogonal_vectors import OrthogonalVectors

SIZES = "(1) R and b of both routes"
LOGITS = "(2) b is smaller on the gap route iff 1/ε < m"
ENTRIES = "(3) R is smaller on the gap route iff (D + p)/Δ < 3m"
LINE = "(4) Reed–Solomon codes with full alphabets never have the smaller R, for q >= 3"
SMALL = "(5) which codes with up to 8 information points have the smaller R"
FAMILY = "(6) the m from which on constant q, T and ε have the smaller R"
MESSAGES = "(7) the messages and what they cost"
VAR = "(8) the same in the VAR model"

ROUNDING = 1e-12
LOSING_LOGITS = ("D",)
"""The rows whose logit bound is not smaller: Δ = 1."""

Bounds = tuple[float, float]


def close(measured: float, stated: float) -> bool:
    """Equal up to the rounding of a few float operations."""
    return abs(measured - stated) <= ROUNDING * stated


def attention_of(instance: GapMaxInnerProduct) -> ReferenceKeyAttention:
    """Build the attention instance at temperature d."""
    return GapMaxIPToAttention().map_instance(instance).target


@dataclass(frozen=True, repr=False)
class Case:
    """One OV instance with m = s0 T, taken along both routes; on the gap route with one message.

    The message is the right one of an orthogonal pair, or the first where there is no such pair.
    """

    name: str
    system: ProofSystem
    vectors: int
    orthogonal: bool
    seed: int

    @property
    def coordinates(self) -> int:
        """m = s0 T."""
        return self.system.coordinates

    def __repr__(self) -> str:
        (direct_r, direct_b), (gap_r, gap_b) = measured(self)
        return (
            f"row {self.name}, N = {self.vectors}, {'an' if self.orthogonal else 'no'} orthogonal pair: "
            f"direct R = {direct_r:.4f}, b = {direct_b:.4f}; gap route R = {gap_r:.4f}, b = {gap_b:.4f}"
        )

    def source(self) -> OrthogonalVectors:
        """Draw the instance."""
        return OrthogonalVectors.random(
            self.vectors, self.coordinates, seed=self.seed, planted=self.orthogonal
        )

    def direct(self) -> ReferenceKeyAttention:
        """The direct route's attention."""
        return attention_of(ComplementEncoding().map_instance(self.source()).target)

    def gap(self) -> ReferenceKeyAttention:
        """The gap route's attention."""
        source, system = self.source(), self.system
        few = system.message_count <= MOST_MESSAGES
        messages = (system.all_messages if few else system.feasible_messages)(MOST_MESSAGES)
        instances = MessageInstances(system, messages, source)
        pair = source.solve_brute_force()
        return attention_of(instances[0 if pair is None else instances.right_message(pair)])

    def routes(self) -> tuple[GapSizes, GapSizes]:
        """What the lemma says of both."""
        return direct_route(self.coordinates), pcp_route(self.system)


@cache
def measured(case: Case) -> tuple[Bounds, Bounds]:
    """R and b of what the direct route builds, and of what the gap route builds."""
    layers = case.direct().attention, case.gap().attention
    direct, gap = ((layer.entry_bound, layer.logit_bound) for layer in layers)
    return direct, gap


def sizes_are_stated(case: Case, stated: Callable[[GapSizes, int, bool], Bounds] | None = None) -> bool:
    """Compare R and b of what is built with the formulas, on both routes."""

    def formulas(route: GapSizes, keys: int, orthogonal: bool) -> Bounds:
        return route.entry_bound(keys), route.logit_bound(keys, orthogonal)

    expected = stated or formulas
    for built, route in zip(measured(case), case.routes(), strict=True):
        formula = expected(route, case.vectors, case.orthogonal)
        if not all(map(close, built, formula)):
            return False
    return True


def built_cases(vectors: int) -> list[Case]:
    """All rows, with and without an orthogonal pair."""
    return [case for row in ROWS for case in both_cases(row.name, vectors)]


def both_cases(name: str, vectors: int) -> list[Case]:
    """One row, with and without an orthogonal pair."""
    system = row_named(name).system()
    return [Case(name, system, vectors, planted, seed=5) for planted in (True, False)]


def logits_decide(case: Case) -> bool:
    """Measured b is smaller on the gap route iff 1/ε < m, which is so in all rows but D."""
    (_, direct), (_, gap) = measured(case)
    criterion = case.routes()[1].logit_ratio < case.coordinates
    return (gap < direct) == criterion == (case.name not in LOSING_LOGITS)


def entries_decide(case: Case, criterion: Callable[[GapSizes, int], bool] | None = None) -> bool:
    """Measured R is smaller on the gap route iff (D + p)/Δ < 3m; ``criterion`` may be another one."""
    (direct, _), (gap, _) = measured(case)
    decide = criterion or (lambda route, m: route.entry_ratio < 3 * m)
    return (gap < direct) == decide(case.routes()[1], case.coordinates)


def draw_case(generator: np.random.Generator) -> Case:
    """Draw a row, up to 24 vectors, and whether a pair is planted."""
    row = ROWS[generator.integers(len(ROWS))]
    vectors, seed = int(generator.integers(1, 25)), int(generator.integers(2**32))
    return Case(row.name, row.system(), vectors, bool(generator.integers(2)), seed)


def largest_winner() -> Case:
    """The one with the largest m: the Hermitian code over F_16 with s0 = 8 and T = 1."""
    system = ProofSystem(hermitian(FiniteField(16), 13), 1, (1,))
    return Case("Hermitian over F_16, k = 13, T = 1", system, 3, True, seed=5)


def has_message_dimension(row: Row) -> bool:
    """dim W = dim span(E_i E_j) - s0, at most s0 (s0 - 1)/2; and |W| = q^(dim W)."""
    code = row.system().code
    pairs = code.field.multiply(code.encoders[:, None], code.encoders[None]).reshape(-1, code.length)
    squared = len(row_reduce(code.field, pairs)[0])
    dimension = squared - code.block
    most = code.block * (code.block - 1) // 2
    return dimension <= most and row.messages == code.field.order**dimension


def var_bounds(source: ReferenceKeyAttention) -> tuple[int, Bounds]:
    """L, R and b of the VAR model."""
    target = AttentionToVar().map_instance(source).target
    return int(target.sizes["L"]), (target.entry_bound, target.logit_bound)


def var_sizes_are_stated(case: Case, lifted: bool = True) -> bool:
    """Compare with the formulas, and the verdicts with those in attention; m >= 3 in every row."""
    verdicts = []
    for target, route in zip((case.direct(), case.gap()), case.routes(), strict=True):
        tokens, built = var_bounds(target)
        stated = route.var_logit_bound(tokens, case.orthogonal)
        if not lifted:
            stated -= 2 * route.base / route.gap * math.log(16 * tokens)
        if not (close(built[0], route.var_entry_bound(tokens)) and close(built[1], stated)):
            return False
        verdicts.append(built)
    direct, gap = verdicts
    return not gap[0] < direct[0] and (gap[1] < direct[1]) == (case.name not in LOSING_LOGITS)


@lemma(
    "lem-route-crossover",
    title="Where the routes cross",
    statement_uses=(
        "lem-complement-encoding",
        "lem-distributed-pcp",
        "lem-gap-max-ip-to-attention",
        "lem-attention-to-var",
    ),
    proof_uses=("lem-logit-invariance",),
)
def route_crossover(run: Run) -> Iterator[Evidence]:
    """The formulas by algebra, the verdicts on what is built from all 13 rows."""
    cases = built_cases(3)
    scope = "the 13 rows, N = 3, with and without an orthogonal pair: built and measured"
    yield symbolic(SIZES, "all N, m, len and Δ", size_identities())
    yield exhaustive(SIZES, scope, cases, 26, sizes_are_stated)
    draws = run.pick(quick=12, full=400)
    yield sampled(SIZES, "random rows and N up to 24", run.seed, draws, draw_case, sizes_are_stated)
    logits, entries = criterion_identities()
    yield symbolic(LOGITS, "all N, m and ε", logits)
    yield exhaustive(LOGITS, f"{scope}; smaller in all rows but D", cases, 26, logits_decide)
    yield symbolic(ENTRIES, "all N, m, D, p and Δ", entries)
    yield exhaustive(
        ENTRIES,
        f"{scope}; smaller in none",
        cases,
        26,
        lambda case: entries_decide(case) and entries_decide(case, lambda route, m: False),
    )
    yield symbolic(LINE, "all q >= 3, s0 and T, but q = 3 with T = 1", line_identities())
    lines = line_cases(64, 6)
    count = 6 * sum((q + 1) // 2 + (q + 2) // 2 for q in FIELD_ORDERS if q >= 3)
    yield exhaustive(LINE, "q from 3 to 64, T up to 6, all s0", lines, count, line_never_wins)
    yield exhaustive(
        SMALL,
        "all systems with s0 <= 8 and T <= 7 over fields up to 64; T >= 8 by D >= len 2^T",
        small_systems(),
        small_system_count(),
        is_winner_listed,
    )
    yield exhaustive(
        SMALL,
        "Hermitian over F_16, s0 = 8, T = 1, N = 3: built, measured and smaller",
        [largest_winner()],
        1,
        lambda case: sizes_are_stated(case) and entries_decide(case, lambda route, m: True),
    )
    family, messages = family_identities()
    yield symbolic(FAMILY, "all q, T, len and Δ", family)
    scope = "q <= 9, T <= 3, up to 40 points, every gap"
    yield exhaustive(FAMILY, scope, family_cases(), 7 * 3 * 820, crosses_there)
    yield symbolic(MESSAGES, "all savings and losses", messages)
    yield exhaustive(MESSAGES, "the 13 rows: |W|", ROWS, 13, has_message_dimension)
    scope = "the 13 rows, N = 2, 4, ..., 2^40: N^η = |W|, and the bound on η"
    yield exhaustive(MESSAGES, scope, exponent_cases(), 13 * 40, is_exponent)
    scope = f"the {len(FIELD_ORDERS)} fields up to 64, some γ, c and δ: the least T, by integers, and η < δ"
    yield exhaustive(MESSAGES, scope, blocks_cases(), BLOCKS_COUNT, is_least)
    names = run.pick(quick=("A", "B", "C", "D", "H"), full=tuple(row.name for row in ROWS))
    in_var = [case for name in names for case in both_cases(name, 2)]
    scope = f"rows {', '.join(names)}, N = 2, with and without an orthogonal pair: built and measured"
    yield exhaustive(VAR, scope, in_var, 2 * len(names), var_sizes_are_stated)


# ---- controls ------------------------------------------------------------------------------------------


def _wrong_sizes(stated: Callable[[GapSizes, int, bool], Bounds]) -> Evidence:
    cases = both_cases("A", 3)[:1]
    return exhaustive(
        SIZES, "row A, N = 3, built and measured", cases, 1, lambda c: sizes_are_stated(c, stated)
    )


@route_crossover.control("the reference coordinates are dropped from the dimension")
def without_reference(run: Run) -> Evidence:
    """R^2 = 2 (D/Δ) ln 4N."""
    return _wrong_sizes(
        lambda route, keys, orthogonal: (
            math.sqrt(2 * route.dimension / route.gap * math.log(4 * keys)),
            route.logit_bound(keys, orthogonal),
        )
    )


@route_crossover.control("len in the place of Δ")
def length_for_gap(run: Run) -> Evidence:
    """R^2 = 2 ((D + p)/len) ln 4N."""
    return _wrong_sizes(
        lambda route, keys, orthogonal: (
            route.entry_bound(keys) * math.sqrt(route.gap / route.threshold),
            route.logit_bound(keys, orthogonal),
        )
    )


@route_crossover.control("the criterion of b is used for R")
def mixed_criteria(run: Run) -> Evidence:
    """1/ε < m in row A, where R is larger all the same."""
    return exhaustive(
        ENTRIES,
        "row A, N = 3, built and measured",
        both_cases("A", 3)[:1],
        1,
        lambda case: entries_decide(case, lambda route, m: route.logit_ratio < m),
    )


@route_crossover.control("compact alphabets for full ones")
def compact_alphabets(run: Run) -> Evidence:
    """On the line over F_7 with s0 = 2 and T = 1 they do make R smaller."""
    system = ProofSystem(reed_solomon(FiniteField(7), 2), 1, (1,))
    return exhaustive(
        LINE,
        "Reed–Solomon over F_7, s0 = 2, T = 1",
        [pcp_route(system)],
        1,
        lambda route: route.entry_ratio > 3 * system.coordinates,
    )


@route_crossover.control("base coordinates are forgotten in the VAR model")
def without_base(run: Run) -> Evidence:
    """2Δ - len = 12 in row H."""
    return exhaustive(
        VAR,
        "row H, N = 2, built and measured",
        both_cases("H", 2)[:1],
        1,
        lambda case: var_sizes_are_stated(case, lifted=False),
    )
