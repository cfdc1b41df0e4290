"""Check of thm-phase: exponents, the criterion, the hard side's bounds, and ranks that are measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from checks.evidence import Evidence, certified, exhaustive, sampled, symbolic
from checks.evidence.registry import Kind, Run, lemma
from checks.upper_bound.phase.cases import (
    PYRAMIDS,
    RATES,
    angle_identities,
    barrier_is_below,
    counted_exponents,
    criterion_claims,
    cube_identities,
    cube_points,
    draw_ranks,
    frobenius_rank,
    hard_bounds_hold,
)
from checks.upper_bound.phase.limits import (
    barrier_is_the_limit,
    barrier_uses_all_tokens,
    forced_dimension_claims,
    tokens_are_of_the_stated_order,
)
from reductions.upper_bound.monomial_features import feature_count
from reductions.upper_bound.phase import (
    Growth,
    cube_rank,
    entry_criterion,
    fast_exponent,
    rank_growth_exponent,
    subquartic_criterion,
)
from reductions.upper_bound.released_model.criterion import least_degree

TIMES = "(1) the exponents of both passes, operations counted"
CRITERION = "(2) β* is where the pass stops being faster"
ENTRIES = "(3) the criterion in entries is that in logits, squared"
HARD = "(4), (5) the logit bounds of both routes"
SCHEDULES = "tokens of the schedules"
FORCED = "(6) the dimension that a stronger hardness needs"
LIMIT = "(7) the barrier's exponent"
BARRIER = "(7) the spectrum on the cube"
BELOW = "(7) no rank below the barrier is used"
RANKS = "(1), (7) ranks within ε are at most C(d + g, g)"

CubeCase = tuple[int, float, float]


def cube_cases(largest: int) -> list[CubeCase]:
    """All cubes up to a dimension, with some b and ε."""
    return list(product(range(1, largest + 1), (0.25, 1.0, 3.0, 8.0), (0.9, 0.3, 0.05, 0.001)))


def spectrum_is_stated(case: CubeCase) -> bool:
    """The least rank by the formula is that of a singular value decomposition."""
    dimension, bound, epsilon = case
    points = cube_points(dimension, bound)
    import numpy as np

    return frobenius_rank(np.exp(points @ points.T), epsilon) == cube_rank(dimension, bound, epsilon)


def cube_rank_is_enough(case: CubeCase) -> bool:
    """The features of the least degree suffice for the whole cube, whose logits reach b."""
    dimension, bound, epsilon = case
    degree = least_degree(bound, epsilon).sufficient
    return cube_rank(dimension, bound, epsilon) <= feature_count(dimension, degree)


EntryCase = tuple[float, float, float]


def entry_case_holds(case: EntryCase, power: int = 2) -> bool:
    """Entries of ζ √ln n make the logits ζ² ln n: faster below ζ* and not above it."""
    c, kappa, sigma = case
    limit = entry_criterion(c, kappa, sigma)
    below, above = ((factor * limit) ** power for factor in (1 - 1e-9, 1 + 1e-9))
    return fast_exponent(c, below, kappa, sigma) < 2 * sigma <= fast_exponent(c, above, kappa, sigma)


@lemma(
    "thm-phase",
    kind=Kind.THEOREM,
    title="The phase diagram",
    statement_uses=(
        "lem-rank-growth",
        "lem-token-count",
        "lem-block-causal-state",
        "thm-lower-bound",
        "def-seth",
    ),
    proof_uses=("lem-weight-perturbation", "lem-monomial-features", "lem-logit-invariance"),
)
def phase(run: Run) -> Iterator[Evidence]:
    """Balls for the criterion, integers for the operations, spectra for the barrier; ranks are sampled."""
    pyramids = PYRAMIDS if run.pick(quick=False, full=True) else [p for p in PYRAMIDS if p.j <= 400]
    scope = "5 triples (c, β, κ) at n = 2^100 and 2^400, in full also 2^1600: integers, with constant 8"
    yield exhaustive(TIMES, scope, pyramids, len(pyramids), counted_exponents)
    schedules = list(product(Growth, range(4, 11)))
    yield exhaustive(SCHEDULES, "n = 2^4 to 2^10", schedules, len(Growth) * 7, tokens_are_of_the_stated_order)
    yield symbolic(CRITERION, "all γ, a, c > 0", angle_identities())
    yield certified(CRITERION, f"{len(RATES)} triples (c, κ, σ), 10^-9 off β*", criterion_claims())
    entries = [(float(c), float(kappa), float(sigma)) for c, kappa, sigma in RATES]
    yield exhaustive(ENTRIES, "the same triples", entries, len(RATES), entry_case_holds)
    logs = range(4, run.pick(quick=400, full=2000))
    yield exhaustive(
        HARD, f"n = 2^4 to 2^{logs[-1]}, the reductions' sizes", logs, len(logs), hard_bounds_hold
    )
    yield certified(FORCED, "q = 1, 1/2 and 1/100, 10^-9 off", forced_dimension_claims())
    yield symbolic(BARRIER, "all t > 0", cube_identities())
    largest = run.pick(quick=7, full=10)
    cubes = cube_cases(largest)
    words = f"all cubes up to dimension {largest}, 4 b and 4 ε: by singular values"
    yield exhaustive(BARRIER, words, cubes, 16 * largest, spectrum_is_stated)
    rates = list(product((Fraction(k, 8) for k in range(1, 33)), (Fraction(k, 4) for k in range(1, 49))))
    yield exhaustive(BELOW, "c up to 4, β up to 12", rates, 32 * 48, barrier_is_below)
    dimensions = run.pick(quick=(100, 400), full=(100, 400, 900))
    limits = list(product(dimensions, (0.25, 0.5, 1.0, 2.0)))
    scope = f"cubes of dimension {', '.join(map(str, dimensions))}, b/d = 1/4, 1/2, 1, 2, within 3/(2√d)"
    yield exhaustive(LIMIT, scope, limits, 4 * len(dimensions), barrier_is_the_limit)
    wide = list(product((3.0, 5.0, 100.0), (1.0, 2.0)))
    yield exhaustive(LIMIT, "more dimensions than points, σ = 1 and 2", wide, 6, barrier_uses_all_tokens)
    scope = "all cubes up to dimension 12, 4 b and 4 ε, by their spectra"
    yield exhaustive(RANKS, scope, cube_cases(12), 16 * 12, cube_rank_is_enough)
    yield sampled(
        RANKS,
        "300 queries and keys on a sphere, d from 2 to 6, by singular values",
        run.seed,
        run.pick(quick=15, full=200),
        draw_ranks,
        lambda case: case.measured() <= case.features(),
    )


# ---- controls ------------------------------------------------------------------------------------------


@phase.control("the exponent in units of ln N is not doubled: 2 + δ")
def half_exponent(run: Run) -> Evidence:
    """Units of ln N and of ln n are confused."""
    return exhaustive(
        TIMES,
        "c = β = κ = 1, n = 2^400",
        [PYRAMIDS[1]],
        1,
        lambda p: counted_exponents(
            p, lambda p: 2 + rank_growth_exponent(float(p.c), float(p.beta), float(p.kappa)) / 2
        ),
    )


@phase.control("β* without the tolerance: the γ at which H(c, γ) = σ")
def without_tolerance(run: Run) -> Evidence:
    """Right for κ = 0 only."""
    return certified(
        CRITERION,
        "triples (c, κ, σ)",
        criterion_claims(lambda c, kappa, sigma: subquartic_criterion(c, 0, sigma)),
    )


@phase.control("the axes are mixed: R/√ln n for b/ln n")
def mixed_axes(run: Run) -> Evidence:
    """ζ in the place of ζ²."""
    case = (1.0, 0.0, 2.0)
    return exhaustive(ENTRIES, "c = 1, κ = 0, σ = 2", [case], 1, lambda c: entry_case_holds(c, power=1))


@phase.control("the gap route's logits are taken to be 4 ln(16 n)")
def side_for_tokens(run: Run) -> Evidence:
    """The tokens are about n², so that it is 8 ln n."""
    return exhaustive(HARD, "n = 2^8", [8], 1, lambda j: hard_bounds_hold(j, lambda n: 4 * math.log(16 * n)))


@phase.control("two degrees fewer than certified")
def too_few_degrees(run: Run) -> Evidence:
    """Measured ranks exceed the count of features then."""
    return sampled(
        RANKS,
        "300 queries and keys on a sphere, d from 2 to 6",
        run.seed,
        50,
        draw_ranks,
        lambda case: case.measured() <= case.features(fewer=2),
    )
