"""The check of ``lem-distributed-pcp``: agreements, completeness, soundness, weights, witnesses, sizes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations_with_replacement, product
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from checks.evidence import Evidence, exhaustive, sampled
from checks.evidence.registry import Run, lemma
from checks.exact.var_outputs import sizes_are_exact
from checks.lower_bound.distributed_pcp.fields import (
    WEIGHT_COUNT,
    WEIGHT_ORDERS,
    is_field,
    names_zero_sum,
    weight_systems,
)
from checks.lower_bound.distributed_pcp.literal import (
    PairTable,
    TablePair,
    all_vectors,
    shared_ones,
    stated_truths,
)
from checks.lower_bound.distributed_pcp.rows import ROWS, Row, row_named
from reductions.codes.evaluation_codes import elliptic, hermitian, reed_solomon
from reductions.codes.finite_field import FIELD_ORDERS, Elements, FiniteField, row_reduce, span, zero_sum_free
from reductions.codes.proof_system import ProofSystem
from reductions.lower_bound.distributed_pcp import DistributedPCPReduced
from reductions.problems.orthogonal_vectors import OrthogonalVectors, Pair

AGREEMENT = "⟨a'_i(P), b'_j⟩ is the number of points where P and P* agree"
COMPLETE = "an orthogonal pair reaches len with exactly one message; with every other it stays at the bound"
SOUND = "a pair that is not orthogonal stays at the bound with every message"
COSET = "the best agreement of a pair depends only on what it shares, and is that of a coset of W"
WEIGHTS = "T weights without zero sum exist iff T <= e(p - 1)"
FIELDS = "the tables of sums and products are those of fields"
FAULT = "weights are refused by name iff some of them sum to zero"
WITNESSES = "orthogonal pairs and pairs that reach len are mapped to each other"
FEASIBLE = "messages are numbered as listed, and the feasible ones are the P* of the orthogonal pairs"
SIZES = "the parameter map gives the sizes that are built, for every m up to s0 T"
TABLE = "s0, len, D, the number of messages, the bound and the exact best cheat are those of the table"
GENUS = "over F_5 with s0 = 4 the elliptic code has the gap 2, Reed–Solomon only the gap 1 of a single point"

KINDS: tuple[Literal["all"], Literal["feasible"]] = ("all", "feasible")
GENUS_CODES = ((True, True), (False, True), (False, False))
"""Elliptic, Reed-Solomon with infinity, Reed-Solomon without it."""


def literal_evidence(row: Row) -> Iterator[Evidence]:
    """All pairs and all messages of a row, vectors built and multiplied."""
    table = PairTable.everything(row.system())
    pairs = 4**table.system.coordinates
    scope = f"row {row.name}: all {pairs:,} pairs and {row.messages:,} messages, vectors multiplied out"
    yield exhaustive(AGREEMENT, scope, table.counted, row.messages, bool)
    yield exhaustive(COMPLETE, scope, table.pairs(), pairs, TablePair.is_complete)
    yield exhaustive(SOUND, scope, table.pairs(), pairs, TablePair.is_sound)
    yield exhaustive(COSET, scope, table.pairs(), pairs, TablePair.is_of_coset)


def coset_evidence() -> Iterator[Evidence]:
    """Every row in full: all pairs by the cosets they fall in, all differences of two messages."""
    cosets = [(row, v) for row in ROWS for v in row.system().overlap_values() if any(v)]
    count = sum(
        len(row.system().code.field.subset_sums(row.system().weights)) ** row.information - 1 for row in ROWS
    )
    yield exhaustive(
        SOUND,
        "all 13 rows, all 2^(2m) pairs and all messages, by cosets",
        cosets,
        count,
        lambda case: case[0].system().best_agreement(case[1]) <= case[0].bound,
    )
    differences = ((row, w) for row in ROWS for w in row.system().all_messages(1 << 16) if w.any())
    yield exhaustive(
        COMPLETE,
        "all 13 rows, all orthogonal pairs: every difference P* - P of two messages",
        differences,
        sum(row.messages - 1 for row in ROWS),
        lambda case: int((case[1] == 0).sum()) <= case[0].bound,
    )


def is_decided(case: tuple[Row, OrthogonalVectors]) -> bool:
    """Completeness and soundness of all pairs of an instance, with all messages and the feasible ones."""
    row, source = case
    feasible = row.reduction(messages="feasible").message_list
    for messages in (row.system().all_messages(1 << 16), feasible):
        table = PairTable(row.system(), source.left, source.right, messages)
        if not all(pair.is_complete() and pair.is_sound() for pair in table.pairs()):
            return False
    return True


def maps_witnesses(case: tuple[DistributedPCPReduced, Pair | None, Pair | None]) -> bool:
    """The predicate of WITNESSES, for one pair of the source or one of the target."""
    reduced, pair, reaching = case
    if pair is not None:
        mapped = reduced.map_witness(pair)
        return reduced.target.verify(mapped) and reduced.extract_solution(mapped) == pair
    found = reduced.extract_solution(reaching)
    return reduced.source.verify(found) and reduced.map_witness(found) == reaching


def witness_cases(row: Row) -> Iterator[tuple[DistributedPCPReduced, Pair | None, Pair | None]]:
    """All orthogonal pairs of {0,1}^m and all pairs of the rectangular instance that reach len."""
    vectors = all_vectors(row.system().coordinates)
    reduced = row.reduction().map_instance(OrthogonalVectors(vectors, vectors[::-1]))
    for i, j in reduced.source.orthogonal_pairs().tolist():
        yield reduced, (i, j), None
    products = reduced.target.inner_products(slice(None))
    for q, j in np.argwhere(products >= reduced.target.threshold).tolist():
        yield reduced, None, (q, j)


def has_feasible_messages(row: Row) -> bool:
    """The predicate of FEASIBLE, from all orthogonal pairs of {0,1}^m."""
    system, vectors = row.system(), all_vectors(row.system().coordinates)
    needed = np.unique(stated_truths(system, vectors, vectors)[shared_ones(vectors, vectors) == 0], axis=0)
    numbers = system.message_number(system.all_messages(1 << 16))
    return np.array_equal(numbers, np.arange(row.messages)) and np.array_equal(
        needed, np.unique(system.feasible_messages(1 << 16), axis=0)
    )


def weight_cases(orders: Iterable[int]) -> Iterator[tuple[FiniteField, tuple[int, ...], bool]]:
    """The weights that are used must have no zero sum; every longest choice plus one must have one."""
    for order in FIELD_ORDERS:
        field = FiniteField(order)
        for count in range(field.degree * (field.characteristic - 1) + 1):
            yield field, zero_sum_free(field, count), False
    for order in orders:
        field = FiniteField(order)
        most = field.degree * (field.characteristic - 1)
        for choice in combinations_with_replacement(range(1, order), most + 1):
            yield field, choice, True


def weight_case_count(orders: Iterable[int]) -> int:
    """How many cases :func:`weight_cases` has."""
    longest = {q: FiniteField(q).degree * (FiniteField(q).characteristic - 1) for q in FIELD_ORDERS}
    return sum(most + 1 for most in longest.values()) + sum(comb(longest[q] + q - 1, q - 2) for q in orders)


def is_gap_of_genus(case: tuple[bool, bool, int]) -> bool:
    """The predicate of GENUS, for one code and T."""
    curve, infinity, blocks = case
    field = FiniteField(5)
    code = elliptic(field, 4) if curve else reed_solomon(field, 4, infinity)
    system = ProofSystem(code, blocks, zero_sum_free(field, blocks))
    best = max(system.best_agreement(v) for v in system.overlap_values() if any(v))
    return best == (code.length - 2 if curve else code.length - 1)


@lemma(
    "lem-distributed-pcp",
    title="Distributed PCP",
    statement_uses=("def-ov", "def-gap-max-ip"),
    source="ARW17, Rub18",
)
def distributed_pcp(run: Run) -> Iterator[Evidence]:
    """Exhaustive: all pairs and messages of 13 rows by cosets, of the small rows literally."""
    fields = [FiniteField(order) for order in FIELD_ORDERS]
    scope = f"all {len(fields)} fields up to 64: all pairs and triples of elements"
    yield exhaustive(FIELDS, scope, fields, len(FIELD_ORDERS), is_field)
    scope = (
        f"all choices of up to 3 weights over the fields with {', '.join(map(str, WEIGHT_ORDERS))} elements"
    )
    yield exhaustive(FAULT, scope, weight_systems(), WEIGHT_COUNT, names_zero_sum)
    yield exhaustive(TABLE, "the 13 rows", ROWS, 13, lambda row: row.measured() == row.stated())
    yield from coset_evidence()
    for name in run.pick(quick=("A", "B", "C"), full=("A", "B", "C", "H", "D", "D2", "E", "F")):
        yield from literal_evidence(row_named(name))
    weighted = PairTable.everything(ProofSystem(reed_solomon(FiniteField(4), 2), 2, (1, 2)))
    scope = "Reed–Solomon over F_4, s0 = 2, λ = (1, 2): all 256 pairs and 4 messages, vectors multiplied out"
    yield exhaustive(AGREEMENT, scope, weighted.counted, 4, bool)
    for claim, planted in ((COMPLETE, True), (SOUND, False)):
        shapes = _shapes(run)
        yield sampled(
            claim,
            f"random vectors, {'an orthogonal pair planted' if planted else 'no orthogonal pair'}, "
            f"{run.pick('5', 'all 13')} rows, N = 4, 16{run.pick('', ', 64')}, half of them padded; "
            "all messages and the feasible ones",
            run.seed,
            len(shapes),
            partial(_draw, iter(shapes), planted),
            is_decided,
        )
    for name in ("A", "B"):
        cases_of_row = list(witness_cases(row_named(name)))
        count = 2 * 3 ** row_named(name).system().coordinates
        scope = f"row {name}: all orthogonal pairs of 0/1 vectors, all pairs of the target that reach len"
        yield exhaustive(WITNESSES, scope, cases_of_row, count, maps_witnesses)
    small = [row for row in ROWS if row.system().coordinates <= 8]
    yield exhaustive(FEASIBLE, "the 8 rows with m <= 8, all pairs", small, 8, has_feasible_messages)
    orders = run.pick(quick=(2, 3, 4, 5, 7, 8, 9), full=(2, 3, 4, 5, 7, 8, 9, 11, 16))
    yield exhaustive(
        WEIGHTS,
        f"the weights that are used over the {len(FIELD_ORDERS)} fields up to 64; all choices of "
        f"e(p - 1) + 1 weights over the fields with {', '.join(map(str, orders))} elements",
        weight_cases(orders),
        weight_case_count(orders),
        lambda case: (0 in case[0].subset_sums(case[1], nonempty=True)) == case[2],
    )
    sizes = [(row, kind, m) for row in ROWS for kind in KINDS for m in _dimensions(row)]
    yield exhaustive(
        SIZES,
        f"the 13 rows, N = 1{run.pick('', ' and 3')}; m = 0, 1, s0 T - 1 and s0 T; all and feasible messages",
        sizes,
        13 * 2 * 4,
        lambda case: _has_stated_sizes(*case, run.pick((1,), (1, 3))),
    )
    codes = [(curve, infinity, t) for curve, infinity in GENUS_CODES for t in range(1, 5)]
    yield exhaustive(GENUS, "T = 1, ..., 4; with and without infinity", codes, 12, is_gap_of_genus)


def _shapes(run: Run) -> list[tuple[Row, int]]:
    names = run.pick(quick=("A", "B", "C", "D", "E"), full=tuple(row.name for row in ROWS))
    return list(product(map(row_named, names), run.pick(quick=(4, 16), full=(4, 16, 64))))


def _draw(
    shapes: Iterator[tuple[Row, int]], planted: bool, generator: np.random.Generator
) -> tuple[Row, OrthogonalVectors]:
    """Half of the instances have one coordinate less than s0 T, so that they are padded."""
    row, vectors = next(shapes)
    coordinates = row.system().coordinates - int(generator.integers(2))
    return row, OrthogonalVectors.random(vectors, coordinates, 0.5, generator, planted)


def _dimensions(row: Row) -> tuple[int, ...]:
    most = row.system().coordinates
    return 0, 1, most - 1, most


def _has_stated_sizes(
    row: Row, kind: Literal["all", "feasible"], coordinates: int, counts: tuple[int, ...]
) -> bool:
    reduction = row.reduction(messages=kind)
    stated = reduction.parameter_map()
    if kind == "all" and len(reduction.message_list) != row.messages:
        return False
    return all(
        sizes_are_exact(OrthogonalVectors.random(count, coordinates, seed=count), reduction, stated)
        for count in counts
    )


# ---- controls ------------------------------------------------------------------------------------------


def _rejected(claim: str, scope: str, system: ProofSystem, messages: Elements | None = None) -> Evidence:
    table = PairTable.everything(system, messages)
    holds = {SOUND: TablePair.is_sound, COMPLETE: TablePair.is_complete}[claim]
    return exhaustive(claim, f"{scope}: all pairs", table.pairs(), 4**system.coordinates, holds)


@distributed_pcp.control("all weights are 1 and T reaches the characteristic")
def weights_with_zero_sum(run: Run) -> Evidence:
    """Three shared ones in the same place of three blocks sum to 0 over F_3."""
    system = ProofSystem(reed_solomon(FiniteField(3), 2), 3, (1, 1, 1))
    return _rejected(SOUND, "Reed–Solomon over F_3, s0 = 2, T = 3, λ = (1, 1, 1)", system)


@distributed_pcp.control("messages from all of the squared code")
def messages_with_overlap(run: Run) -> Evidence:
    """P* itself is then a message, orthogonal or not."""
    system = row_named("A").system()
    field, encoders = system.code.field, system.code.encoders
    products = field.multiply(encoders[:, None], encoders[None]).reshape(-1, system.code.length)
    everything = span(field, row_reduce(field, products)[0])
    return _rejected(SOUND, "row A with the messages L(2G)", system, everything)


@distributed_pcp.control("k is a gap of the curve")
def pole_order_is_a_gap(run: Run) -> Evidence:
    """L(5P) = L(4P): no function has a pole of order 5, so that the point at infinity always agrees."""
    code = hermitian(FiniteField(9), 4)
    encoders = code.encoders.copy()
    encoders[:, -1] = 0  # the coefficient of a pole of order 5
    system = ProofSystem(replace(code, encoders=encoders), 2, (1, 1))
    overlaps = [v for v in system.overlap_values() if any(v)]
    scope = "Hermitian over F_9, k = 5 in place of 4, T = 2: all pairs by cosets, the cosets by their v"
    return exhaustive(SOUND, scope, overlaps, 26, lambda v: system.best_agreement(v) <= system.bound)


@distributed_pcp.control("the squared code's degree reaches the number of points")
def degree_reaches_length(run: Run) -> Evidence:
    """Products of degree 6 tested at the two points of the line over F_5 that are not information points."""
    code = reed_solomon(FiniteField(5), 4)
    system = ProofSystem(code, 1, (1,))
    table = PairTable.everything(system)
    tested = [x for x in range(code.length) if x not in code.information]

    def best_there(pair: TablePair) -> int:
        agreement = table.messages[:, tested] == table.truths[pair.index][tested]
        return int(agreement.sum(axis=1).max())

    scope = "Reed–Solomon over F_5, s0 = 4, T = 1, best agreement at the two other points: all pairs"
    cases = ((pair, best_there(pair)) for pair in table.pairs())
    return exhaustive(SOUND, scope, cases, 256, lambda case: case[0].orthogonal or case[1] < len(tested))


@distributed_pcp.control("Reed–Solomon in place of the elliptic code")
def line_instead_of_curve(run: Run) -> Evidence:
    """Over F_5 with s0 = 4 it has no gap of 2, as the elliptic code has it."""
    code = reed_solomon(FiniteField(5), 4)
    system = ProofSystem(replace(code, squared_degree=code.length - 2), 2, (1, 1))
    return _rejected(SOUND, "Reed–Solomon over F_5, s0 = 4, T = 2, Δ = 2", system)


@distributed_pcp.control("elements of F_9 are taken for integers")
def elements_as_integers(run: Run) -> Evidence:
    """Sums and products modulo 9 are not those of F_9: what P* is then is no message."""

    class IntegerSystem(ProofSystem):
        def forms(self, left: ArrayLike) -> Elements:
            values = self.encode(left).astype(int) * np.array(self.weights)[:, None]
            columns = [values[:, :, x] @ mu.T.astype(int) % 9 for x, mu in enumerate(self.symbols)]
            return np.hstack(columns).astype(np.uint8)

    system = row_named("H").system()
    broken = IntegerSystem(system.code, system.blocks, system.weights)
    return _rejected(COMPLETE, "row H with its feasible messages", broken, system.feasible_messages(1 << 16))
