"""Limits of thm-phase: schedules, the barrier's exponent on growing cubes, and the forced dimension."""

from __future__ import annotations

import math
from fractions import Fraction

from checks.evidence import Claims, Relation
from checks.upper_bound.rank_growth.cases import rounded_outward
from reductions.problems.schedule import RELEASED_SIDES, geometric_sides, square_schedule, token_count
from reductions.upper_bound.phase import (
    MAPS_GAP_HALF_WIDTH_RATE,
    Growth,
    barrier_exponent,
    cube_rank,
    forced_dimension,
)
from reductions.upper_bound.rank_growth import rank_exponent_enclosure

STEP = Fraction(1, 10**9)


def tokens_are_of_the_stated_order(case: tuple[Growth, int]) -> bool:
    """The tokens of a schedule up to n = 2^j are n^σ up to a factor of 4."""
    growth, j = case
    n = 2**j
    sides = {
        Growth.GEOMETRIC: geometric_sides(n),
        # The released sides end in 16; from there on in steps of a quarter.
        Growth.RELEASED: (*RELEASED_SIDES, *(2**k * q // 4 for k in range(4, j) for q in (5, 6, 7, 8))),
        Growth.LINEAR: range(1, n + 1),
    }[growth]
    tokens = token_count(square_schedule(tuple(sides)))
    order: int = n**growth.schedule_factor
    return order <= 4 * tokens and tokens <= 4 * order


CubeLimit = tuple[int, float]


def barrier_is_the_limit(case: CubeLimit) -> bool:
    """On the cube of dimension D, (ln rank)/D is within 3/(2 √D) of h(p), s = tanh(b/D)."""
    dimension, slope = case
    measured = math.log(cube_rank(dimension, slope * dimension, 0.5)) / dimension
    return abs(measured - barrier_exponent(1.0, slope, 9.0)) <= 1.5 / math.sqrt(dimension)


def barrier_uses_all_tokens(case: tuple[float, float]) -> bool:
    """With more dimensions than n^σ points of a cube fill, and wide logits, the barrier is at n^σ."""
    c, sigma = case
    return math.isclose(barrier_exponent(c, 1e6, sigma), sigma, rel_tol=1e-9)


def forced_dimension_claims() -> Claims:
    """H(c, 4) is below 2 - q a little below c_q, and above it a little above."""
    beta = Fraction(MAPS_GAP_HALF_WIDTH_RATE)
    for saving in (Fraction(1), Fraction(1, 2), Fraction(1, 100)):
        forced = Fraction(forced_dimension(float(saving)))
        sides: tuple[tuple[Fraction, Relation], ...] = ((1 - STEP, "<"), (1 + STEP, ">"))
        for factor, relation in sides:
            low, high = rounded_outward(rank_exponent_enclosure(forced * factor, beta, Fraction(0)), 15)
            name = f"q = {saving}: H(c, 4) at c = {float(forced * factor):.9f}"
            yield name, high if relation == "<" else low, relation, 2 - saving
