"""Instances and measurements of thm-phase."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from checks.evidence import Claims, Relation
from checks.upper_bound.rank_growth.cases import rounded_outward
from reductions.layers.arrays import Floats
from reductions.lower_bound.lower_bound.sizes import maps_sizes
from reductions.lower_bound.token_count import multiplications
from reductions.problems.gap_sizes import GapSizes, complement_sizes
from reductions.problems.interpolation import Kernel
from reductions.problems.schedule import geometric_sides, square_schedule
from reductions.upper_bound.monomial_features import feature_count
from reductions.upper_bound.phase import (
    MAPS_GAP_HALF_WIDTH_RATE,
    MAPS_PCP_LOGIT_RATE,
    barrier_exponent,
    direct_route_logit_bound,
    exact_exponent,
    fast_exponent,
    pcp_route_logit_bound,
    rank_growth_exponent,
    subquartic_criterion,
)
from reductions.upper_bound.rank_growth import (
    degree_window,
    elementary_error_bounds,
    error_bounds,
    power_enclosure,
    rank_exponent_enclosure,
)
from reductions.upper_bound.released_model.criterion import plan_pass

RATES = [
    (c, kappa, sigma)
    for c in (Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(8))
    for kappa in (Fraction(0), Fraction(1, 8), Fraction(1), Fraction(4))
    for sigma in (2, 3)
]


STEP = Fraction(1, 10**9)


def criterion_claims(
    criterion: Callable[[float, float, float], float] = subquartic_criterion,
) -> Claims:
    """Δ < σ a little below β*, and Δ > σ a little above."""
    for c, kappa, sigma in RATES:
        limit = Fraction(criterion(float(c), float(kappa), float(sigma)))
        sides: tuple[tuple[Fraction, Relation], ...] = ((1 - STEP, "<"), (1 + STEP, ">"))
        for factor, relation in sides:
            low, high = rounded_outward(rank_exponent_enclosure(c, limit * factor, kappa), 15)
            words = (
                f"c = {c}, κ = {kappa}, σ = {sigma}: Δ = {float(low):.9f} at β = {float(limit * factor):.9f}"
            )
            side = high if relation == "<" else low
            yield words, side, relation, sigma


def angle_identities() -> dict[str, Any]:
    """With γ = β cosh a: F_β(γ) = γ (a - tanh a), which increases with a; units of ln n and of ln N."""
    import sympy

    a, gamma, c = sympy.symbols("a gamma c", positive=True)
    beta = gamma / sympy.cosh(a)
    form = gamma * a - beta * sympy.sinh(a)  # √(γ² - β²) = β sinh a

    def entropy(x: Any, y: Any) -> Any:
        return (x + y) * sympy.log(x + y) - x * sympy.log(x) - y * sympy.log(y)

    units = 2 * entropy(c / 2, gamma / 2) - entropy(c, gamma)
    return {
        "F = γ (a - tanh a)": form - gamma * (a - sympy.tanh(a)),
        "its slope": sympy.diff(a - sympy.tanh(a), a) - sympy.tanh(a) ** 2,
        "2 H(c/2, γ/2) = H(c, γ)": sympy.simplify(sympy.expand_log(sympy.expand(units), force=True)),
    }


def cube_identities() -> dict[str, Any]:
    """One coordinate of the cube: the eigenvectors (1, 1) and (1, -1), and p = s²/(1 + s²)."""
    import sympy

    t = sympy.Symbol("t", positive=True)
    matrix = sympy.Matrix([[sympy.exp(t), sympy.exp(-t)], [sympy.exp(-t), sympy.exp(t)]])
    even = matrix * sympy.Matrix([1, 1]) - 2 * sympy.cosh(t).rewrite(sympy.exp) * sympy.Matrix([1, 1])
    odd = matrix * sympy.Matrix([1, -1]) - 2 * sympy.sinh(t).rewrite(sympy.exp) * sympy.Matrix([1, -1])
    identities = {f"even, row {i}": sympy.simplify(even[i]) for i in (0, 1)}
    return identities | {f"odd, row {i}": sympy.simplify(odd[i]) for i in (0, 1)}


def hard_bounds_hold(j: int, pcp_route: Callable[[int], float] = pcp_route_logit_bound) -> bool:
    """At n = 2^j: b of both routes as the reductions' sizes have it, and b <= 8 ln n + 4 ln(64/3)."""
    n = 2**j
    coordinates = 2 * j
    gap = GapSizes(1000 * coordinates, coordinates, Fraction(coordinates, 2), 0.0, "gap")
    built = maps_sizes(gap, 2 * (j - 1), Kernel.NEAREST)
    direct = maps_sizes(complement_sizes(coordinates), 2 * (j - 1), Kernel.NEAREST)
    assert built.log_side == direct.log_side == j
    stated, rate = pcp_route(n), MAPS_PCP_LOGIT_RATE * math.log(n)
    return (
        math.isclose(built.logit_bound, stated, rel_tol=1e-12)
        and math.isclose(direct.logit_bound, direct_route_logit_bound(n, coordinates), rel_tol=1e-12)
        and MAPS_PCP_LOGIT_RATE == 2 * MAPS_GAP_HALF_WIDTH_RATE
        and rate < stated <= (rate + 4 * math.log(64 / 3)) * (1 + 1e-14)
    )


@dataclass(frozen=True)
class Pyramid:
    """The scales 1, 2, ..., n = 2^j with d = ⌊c ln n⌋, b = β ln n and ε = n^-κ."""

    c: Fraction
    beta: Fraction
    kappa: Fraction
    j: int

    def exponents(self) -> tuple[float, float]:
        """ln of counted multiplications over ln n: exact, and with all scales on the state."""
        log_side = Fraction(self.j * math.log(2))
        dimension = max(1, math.floor(self.c * log_side))
        tolerance = power_enclosure(self.kappa * log_side) if self.kappa else Fraction(1, 100)
        half_width = self.beta * log_side
        bounds = error_bounds if half_width < 60 else elementary_error_bounds  # sharp, or quick
        degree = degree_window(half_width, tolerance, bounds)[1]
        schedule = square_schedule(geometric_sides(2**self.j))
        plan = plan_pass(schedule, dimension, dimension, feature_count(dimension, degree))
        assert plan.exact == multiplications(schedule, dimension, dimension)
        return math.log(plan.exact) / float(log_side), math.log(plan.low_rank) / float(log_side)


PYRAMIDS = [
    Pyramid(Fraction(c), Fraction(beta), Fraction(kappa), j)
    for c, beta, kappa in ((1, 1, 1), ("1/2", "1/2", "1/2"), (2, "1/10", 1), ("1/2", 4, 0), (2, 4, 0))
    for j in (100, 400, 1600)
]


def counted_exponents(pyramid: Pyramid, exponent: Callable[[Pyramid], float] | None = None) -> bool:
    """Exact: 4 + O(ln ln n / ln n); on the state: 2 + Δ + the same, with the constant 8 (κ = 0: a power)."""
    rates = (float(pyramid.c), float(pyramid.beta), float(pyramid.kappa))
    stated = exponent(pyramid) if exponent else 2 + rank_growth_exponent(*rates)
    x = pyramid.j * math.log(2)
    room = 8 * math.log(x) / x if pyramid.kappa else 8 * (math.log(x) / x) ** (2 / 3)
    exact, low_rank = pyramid.exponents()
    cheaper = fast_exponent(*rates)
    return (
        abs(exact - exact_exponent()) <= room
        and abs(low_rank - stated) <= room
        and abs(min(exact, low_rank) - cheaper) <= room
    )


# ---- measured ranks ------------------------------------------------------------------------------------


def frobenius_rank(matrix: Floats, epsilon: float) -> int:
    """Return the least r such that the singular values after the first r have norm at most ε ‖A‖.

    Every matrix with entries within a relative error ε of A's has at least this rank.
    """
    squares = np.linalg.svd(matrix, compute_uv=False) ** 2
    tails = np.cumsum(squares[::-1])[::-1]
    return int(np.count_nonzero(tails > epsilon**2 * tails[0]))


def cube_points(dimension: int, logit_bound: float) -> Floats:
    """All 2^d points with coordinates ±√(b/d)."""
    signs = np.array(list(product((-1.0, 1.0), repeat=dimension)))
    return signs * math.sqrt(logit_bound / dimension)


def sphere_points(count: int, dimension: int, logit_bound: float, generator: np.random.Generator) -> Floats:
    """Random points on the sphere of radius √b: logits in [-b, b]."""
    points = generator.standard_normal((count, dimension))
    scaled: Floats = math.sqrt(logit_bound) * points / np.linalg.norm(points, axis=1, keepdims=True)
    return scaled


@dataclass(frozen=True, repr=False)
class RankCase:
    """Weights of random queries and keys on the sphere."""

    queries: Floats
    keys: Floats
    logit_bound: float
    epsilon: float

    def __repr__(self) -> str:
        count, dimension = self.queries.shape
        return f"{count} points, d = {dimension}, b = {self.logit_bound:.3f}, ε = {self.epsilon:g}"

    def measured(self) -> int:
        """A lower bound on the rank that relative accuracy ε takes."""
        return frobenius_rank(np.exp(self.queries @ self.keys.T), self.epsilon)

    def features(self, fewer: int = 0) -> int:
        """C(d + g, g) with the certified degree, or ``fewer`` degrees less."""
        from reductions.polynomials.exponential import certified_degree

        polynomial = certified_degree(-self.logit_bound, self.logit_bound, self.epsilon)
        assert polynomial is not None
        return feature_count(self.queries.shape[1], max(0, polynomial.degree - fewer))


def draw_ranks(generator: np.random.Generator) -> RankCase:
    """Draw 300 queries and keys in dimension 2 to 6, b from 1/2 to 5, ε from 10^-4 to 1/2."""
    dimension = int(generator.integers(2, 7))
    bound = float(generator.uniform(0.5, 5))
    epsilon = float(10 ** generator.uniform(-4, math.log10(0.5)))
    queries = sphere_points(300, dimension, bound, generator)
    keys = sphere_points(300, dimension, bound, generator)
    return RankCase(queries, keys, bound, epsilon)


def barrier_is_below(rates: tuple[Fraction, Fraction]) -> bool:
    """The barrier's exponent is at most the construction's at κ = 0: it is a bound for it as well."""
    c, beta = map(float, rates)
    return barrier_exponent(c, beta) <= fast_exponent(c, beta, 0) - 2 + 1e-12
