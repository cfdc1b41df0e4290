"""The phase diagram: which exponent the fast pass has, and where the hard instances lie (thm-phase).

All rates are taken in ln n, n the side of the last map: d = c ln n, logits in an interval of half-width
β ln n, the tolerance ε = n^-κ, and n^(σ + o(1)) tokens. Exact attention takes n^(2σ), the low-rank pass
n^(σ + Δ), Δ = H(c, γ(β, κ)). For σ = 2, and in units of ln N with N = n², these are 4 and 2 + 2δ
(lem-rank-growth): γ and H are homogeneous of degree one, so that c, β and κ are twice those of that lemma.
"""

from __future__ import annotations

import math
from enum import StrEnum
from fractions import Fraction

from reductions.upper_bound.rank_growth import bisect, degree_rate, rank_rate

MAPS_PCP_LOGIT_RATE = 8
"""b = 4 ln(16 L) = (8 + o(1)) ln n on the gap route, for s = 2 Δ and the scales 1, 2, 4, ..., n."""

MAPS_GAP_HALF_WIDTH_RATE = MAPS_PCP_LOGIT_RATE // 2
"""Its logits lie in [0, b]."""


class Growth(StrEnum):
    """How the sides of a schedule grow."""

    GEOMETRIC = "geometric"  # 1, 2, 4, ..., n
    RELEASED = "released"  # every step by a factor of at least 6/5, as the released schedule
    LINEAR = "linear"  # 1, 2, 3, ..., n

    @property
    def schedule_factor(self) -> int:
        """σ: there are n^(σ + o(1)) tokens (lem-token-count)."""
        return 3 if self is Growth.LINEAR else 2


def rank_growth_exponent(c: float, b_over_log_n: float, kappa: float) -> float:
    """Return Δ: the rank is n^(Δ + o(1)).

    Parameters
    ----------
    c
        d / ln n.
    b_over_log_n
        β, half the length of the interval of the logits, divided by ln n.
    kappa
        The tolerance is n^-κ.
    """
    return rank_rate(c, degree_rate(b_over_log_n, kappa))


def exact_exponent(schedule_factor: float = 2) -> float:
    """Return 2σ."""
    return 2 * _checked(schedule_factor)


def fast_exponent(c: float, b_over_log_n: float, kappa: float, schedule_factor: float = 2) -> float:
    """Return min(σ + Δ, 2σ), the exponent of n in the time of the cheaper of the two passes.

    Raises
    ------
    ValueError
        If a rate is negative or not finite, or σ is not positive.
    """
    sigma = _checked(schedule_factor)
    return min(sigma + rank_growth_exponent(c, b_over_log_n, kappa), 2 * sigma)


def subquartic_criterion(c: float, kappa: float, schedule_factor: float = 2) -> float:
    """Return β*: the low-rank pass is faster than the exact one by a power of n if and only if β < β*.

    Infinite where c = 0. For σ = 2 "faster" means an exponent below 4, whence the name.

    Raises
    ------
    ValueError
        As :func:`fast_exponent`.
    """
    sigma = _checked(schedule_factor)
    degree_rate(1.0, kappa)  # its refusals
    rank_rate(c, 1.0)
    if c == 0:
        return math.inf
    most = 1.0
    while rank_rate(c, most) < sigma:
        most *= 2
    gamma = bisect(lambda rate: rank_rate(c, rate), sigma, 0.0, most)
    return gamma / math.cosh(_angle(kappa / gamma)) if kappa / gamma < 700 else 0.0


def entry_criterion(c: float, kappa: float, schedule_factor: float = 2) -> float:
    """Return √β*: at temperature d, entries up to R = ζ √ln n with ζ < √β* make the pass faster."""
    return math.sqrt(subquartic_criterion(c, kappa, schedule_factor))


def barrier_exponent(c: float, b_over_log_n: float, schedule_factor: float = 2) -> float:
    """Return c' h(p): matrices within a constant factor of the cube's weights have rank n^(c' h(p) - o(1)).

    c' = min(c, σ/ln 2), h the entropy in nats, p = s²/(1 + s²) and s = tanh(β/c').

    Raises
    ------
    ValueError
        As :func:`fast_exponent`.
    """
    rank_rate(c, b_over_log_n)  # its refusals
    used = min(c, _checked(schedule_factor) / math.log(2))
    if used == 0 or b_over_log_n == 0:
        return 0.0
    square = math.tanh(b_over_log_n / used) ** 2
    share = square / (1 + square)
    return -used * (share * math.log(share) + (1 - share) * math.log1p(-share)) if share else 0.0


def cube_rank(dimension: int, logit_bound: float, epsilon: float) -> int:
    """Return the least rank of a B with ‖B - A‖ <= ε ‖A‖ in the Frobenius norm, A the weights on the cube.

    Queries and keys are all 2^d points with coordinates ±√(b/d). A has the eigenvalues
    (2 cosh t)^(d - k) (2 sinh t)^k, C(d, k) times each, t = b/d. A matrix with |B_ij - A_ij| <= ε A_ij is
    such a B, so no such matrix has a smaller rank.

    Raises
    ------
    ValueError
        If d < 1, b <= 0, or ε is not in (0, 1).
    """
    if dimension < 1:
        raise ValueError(f"Argument 'dimension' must be at least 1, not {dimension}.")
    if not logit_bound > 0:
        raise ValueError(f"Argument 'logit_bound' must be positive, not {logit_bound}.")
    if not 0 < epsilon < 1:
        raise ValueError(f"Argument 'epsilon' must be above 0 and below 1, not {epsilon}.")
    # In integers, all masses multiplied by the same power of two, since floats would leave their range.
    upper, lower = (math.tanh(logit_bound / dimension) ** 2).as_integer_ratio()
    levels = range(dimension + 1)
    single = [upper**k * lower ** (dimension - k) for k in levels]
    masses = [math.comb(dimension, k) * single[k] for k in levels]
    numerator, denominator = Fraction(epsilon).as_integer_ratio()
    room = numerator**2 * sum(masses) // denominator**2
    rank = 1 << dimension
    for k in reversed(levels):
        if masses[k] > room:
            return rank - int(room // single[k])
        room -= masses[k]
        rank -= math.comb(dimension, k)
    return rank


def forced_dimension(saving: float, half_width_rate: float = MAPS_GAP_HALF_WIDTH_RATE) -> float:
    """Return the c at which H(c, β) = 2 - q: with d below c ln n the pass takes less than n^(4 - q).

    So a lower bound of n^(4 - q) at this half-width must use larger dimensions (part 6 of the theorem).

    Raises
    ------
    ValueError
        If q is not in (0, 1] or β not positive.
    """
    if not 0 < saving <= 1:
        raise ValueError(f"Argument 'saving' must be above 0 and at most 1, not {saving}.")
    if not half_width_rate > 0:
        raise ValueError(f"Argument 'half_width_rate' must be positive, not {half_width_rate}.")
    most = 1.0
    while rank_rate(most, half_width_rate) < 2 - saving:
        most *= 2
    return bisect(lambda c: rank_rate(c, half_width_rate), 2 - saving, 0.0, most)


def pcp_route_logit_bound(n: int) -> float:
    """Return b = 4 ln(16 L) of the gap route's models with the scales 1, 2, 4, ..., n."""
    return 4 * math.log(16 * _tokens(n))


def direct_route_logit_bound(n: int, coordinates: int) -> float:
    """Return b = 2 m ln(16 L) of the direct route's models, m >= 2 the number of clauses."""
    if coordinates < 2:
        raise ValueError(f"Argument 'coordinates' must be at least 2, not {coordinates}.")
    return 2 * coordinates * math.log(16 * _tokens(n))


def _tokens(n: int) -> int:
    if n < 1 or n & (n - 1):
        raise ValueError(f"Argument 'n' must be a power of two, not {n}.")
    return (4 * n * n - 1) // 3


def _angle(target: float) -> float:
    """Return a >= 0 with a - tanh a = target."""
    return bisect(_lag, target, 0.0, target + 2)


def _lag(angle: float) -> float:
    if angle > 0.1:
        return angle - math.tanh(angle)
    square = angle * angle
    series = 1 / 3 - square * (2 / 15 - square * (17 / 315 - square * (62 / 2835 - square * 1382 / 155925)))
    return angle * square * series


def _checked(schedule_factor: float) -> float:
    if not 0 < schedule_factor < math.inf:
        raise ValueError(f"Argument 'schedule_factor' must be positive and finite, not {schedule_factor}.")
    return float(schedule_factor)
