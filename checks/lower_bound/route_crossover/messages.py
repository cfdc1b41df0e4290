"""Part 7 of lem-route-crossover in numbers: the exponent of the messages, and the least number of blocks."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import isclose, log2

from checks.lower_bound.distributed_pcp.rows import ROWS, Row
from reductions.codes.finite_field import FIELD_ORDERS
from reductions.lower_bound.route_crossover import exponent_loss, least_blocks

ExponentCase = tuple[Row, int]  # the row and log2 N
BlocksCase = tuple[int, Fraction, Fraction, Fraction]  # q, γ, c, δ


def exponent_cases() -> list[ExponentCase]:
    """Every row, with N from 2 to 2^40."""
    return [(row, logarithm) for row in ROWS for logarithm in range(1, 41)]


def is_exponent(case: ExponentCase) -> bool:
    """N^η = |W|, and η is at most c (s0 - 1) log2 q / 2T for c = s0 T / log2 N."""
    row, logarithm = case
    loss = exponent_loss(log2(row.messages), logarithm)
    density = row.information * row.blocks / logarithm
    most = density * (row.information - 1) * log2(row.order) / (2 * row.blocks)
    return isclose(2 ** (loss * logarithm), row.messages, rel_tol=1e-12) and loss <= most * (1 + 1e-12)


SHARES = (Fraction(0), Fraction(1, 2), Fraction(2, 3), Fraction(4))
DENSITIES = (Fraction(1, 2), Fraction(1), Fraction(3))
SAVINGS = (Fraction(1, 10), Fraction(1, 2), Fraction(1))


def blocks_cases() -> list[BlocksCase]:
    """All fields up to 64, and some γ, c and δ."""
    return list(product(FIELD_ORDERS, SHARES, DENSITIES, SAVINGS))


BLOCKS_COUNT = len(FIELD_ORDERS) * len(SHARES) * len(DENSITIES) * len(SAVINGS)


def is_least(case: BlocksCase) -> bool:
    """T >= x > T - 1 for x = (1 + γ) c log2 q / δ, by powers of integers; and η < δ with T blocks."""
    q, share, density, saving = case
    blocks = least_blocks(q, share, density, saving)
    slope = (1 + share) * density / saving
    power = q**slope.numerator
    least = 2 ** (blocks * slope.denominator) >= power > 2 ** ((blocks - 1) * slope.denominator)
    information = 6  # so that the genus is an integer
    bits = (information + int(share * information) - 1) * log2(q)
    return least and exponent_loss(bits, float(information * blocks / density)) < saving
