"""The finite spaces of lem-route-crossover: all lines, all small systems, all families up to a size."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from reductions.codes.finite_field import FIELD_ORDERS, FiniteField
from reductions.codes.proof_system import ProofSystem
from reductions.decision.pcp_plan import systems_for
from reductions.lower_bound.route_crossover import entry_crossover, full_alphabet_route, pcp_route

LineCase = tuple[int, int, int, int]  # q, len, s0, T


def line_cases(most_order: int, most_blocks: int) -> list[LineCase]:
    """All lines over the fields with 3 to ``most_order`` elements, with and without infinity."""
    return [
        (q, length, s0, blocks)
        for q in FIELD_ORDERS
        if 3 <= q <= most_order
        for length in (q, q + 1)
        for s0 in range(1, (length + 1) // 2 + 1)
        for blocks in range(1, most_blocks + 1)
    ]


def line_never_wins(case: LineCase) -> bool:
    """The predicate of LINE."""
    q, length, s0, blocks = case
    return full_alphabet_route(q, length, 2 * (s0 - 1), blocks).entry_ratio > 3 * s0 * blocks


MOST_BLOCKS = 7
"""From T = 8 on, D >= len 2^T makes (D + p)/Δ > 24 T >= 3m."""


def small_systems() -> Iterator[ProofSystem]:
    """Every sound system with s0 <= 8 and T <= 7 of the codes that are built here."""
    for m in range(1, 8 * MOST_BLOCKS + 1):
        for system in systems_for(m):
            if system.coordinates == m and system.blocks <= MOST_BLOCKS:
                yield system


MOST_POINTS = {2: 5, 3: 7, 4: 9, 5: 10, 7: 13, 8: 14, 9: 16, 11: 18, 13: 21, 16: 25}
"""Of an elliptic curve over the field with so many elements."""


def small_system_count() -> int:
    """Count them: s0 <= 8 and 2(s0 - 1) < q + 1; 2k < #E; the first 7 pole numbers; T <= e(p - 1)."""
    count = 0
    for q in FIELD_ORDERS:
        field = FiniteField(q)
        line = min(8, q // 2 + 1)
        curve = sum(2 * k < MOST_POINTS.get(q, 0) for k in range(2, 9))
        hermitian_curve = 7 if q in (9, 16) else 0
        blocks = min(MOST_BLOCKS, field.degree * (field.characteristic - 1))
        count += (line + curve + hermitian_curve) * blocks
    return count


WINNERS = {
    "Reed–Solomon": {(1, 1), (1, 2), (1, 3), (2, 1), (3, 1)},
    "elliptic": {(2, 1), (3, 1)},
    "Hermitian": {(2, 1), (3, 1), (5, 1), (8, 1)},
}
"""(s0, T) of the systems with the smaller R."""


def is_winner_listed(system: ProofSystem) -> bool:
    """A system with the smaller R has a listed (s0, T)."""
    if pcp_route(system).entry_ratio >= 3 * system.coordinates:
        return True
    return (system.code.block, system.blocks) in WINNERS[system.code.name.split()[0]]


FamilyCase = tuple[int, int, int, int]  # q, T, len, Δ


def family_cases() -> list[FamilyCase]:
    """Full alphabets, q <= 9, T <= 3, up to 40 points and every gap."""
    return [
        (q, blocks, length, gap)
        for q in (2, 3, 4, 5, 7, 8, 9)
        for blocks in (1, 2, 3)
        for length in range(1, 41)
        for gap in range(1, length + 1)
    ]


def crosses_there(case: FamilyCase) -> bool:
    """The crossover is at most 1/6 below (q^T + 1)/(3ε), and from that m on R is smaller."""
    q, blocks, length, gap = case
    route = full_alphabet_route(q, length, length - gap, blocks)
    stated = entry_crossover(q, blocks, Fraction(gap, length))
    return stated - Fraction(1, 6) <= route.entry_ratio / 3 <= stated
