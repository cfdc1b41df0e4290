"""What the upper bound says of one attention layer of a given size: degree, rank, operations, verdict.

Operations are the multiplications of the textbook algorithms, as lem-token-count and lem-block-causal-state
count them: a query or a key forms its monomials of degree 2 and more with one each; a key's nonconstant
monomials are multiplied with its d_v values, a query's with the state's d_v + 1 columns, which are weighted
once a scale. The state holds the keys of all earlier scales, so that one pass over the pyramid serves all
scales that use it; a scale whose prefix is short is cheaper with exact attention.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from reductions.layers.directed_rounding import round_down
from reductions.lower_bound.token_count import multiplications
from reductions.problems.schedule import Schedule, require_schedule, token_count
from reductions.upper_bound.monomial_features import feature_count
from reductions.upper_bound.phase import MAPS_PCP_LOGIT_RATE, fast_exponent
from reductions.upper_bound.weight_perturbation import epsilon_of

MOST_LOGITS = 10_000
"""The largest logit bound for which degrees are computed."""


def relative_tolerance(tolerance: float) -> float:
    """Return the ε with 2 tanh(artanh(ε)/2) = tolerance, or a little less.

    Attention weights within a relative error of ε of exp move outputs by at most ``tolerance`` times the
    bound on the values (lem-weight-perturbation).

    Raises
    ------
    ValueError
        If ``tolerance`` is not between 0 and 2, the bound that holds for any weights.
    """
    if not 0 < tolerance < 2:
        raise ValueError(f"Argument 'tolerance' must be above 0 and below 2, not {tolerance}.")
    return round_down(epsilon_of(Fraction(tolerance) / 2))


@dataclass(frozen=True)
class Degree:
    """The least degree of a polynomial that is within ε of exp, relatively.

    Attributes
    ----------
    least, sufficient
        No degree below ``least`` is enough; ``sufficient`` is. They differ only where float coefficients
        could not be certified and the Bessel functions' bounds leave a choice.
    error
        A proved bound on the relative error at ``sufficient``.
    coefficients
        Whether it is proved of a polynomial with float64 coefficients; otherwise one with real ones exists.
    """

    least: int
    sufficient: int
    error: float
    coefficients: bool


def least_degree(logit_bound: float, epsilon: float) -> Degree:
    """Return the least degree for logits in [-b, b].

    Raises
    ------
    ValueError
        If b is negative or above ``MOST_LOGITS``, or ε not in (0, 1).
    """
    if not 0 <= logit_bound <= MOST_LOGITS:
        raise ValueError(f"Argument 'logit_bound' must be between 0 and {MOST_LOGITS}, not {logit_bound}.")
    if not 0 < epsilon < 1:
        raise ValueError(f"Argument 'epsilon' must be above 0 and below 1, not {epsilon}.")
    from reductions.polynomials.exponential import certified_degree
    from reductions.upper_bound.rank_growth import degree_window, error_bounds

    polynomial = certified_degree(-logit_bound, logit_bound, epsilon)
    if polynomial is not None:
        return Degree(polynomial.degree, polynomial.degree, polynomial.error, True)
    least, sufficient = degree_window(logit_bound, epsilon, error_bounds)
    error = float(error_bounds(logit_bound, sufficient)[1])
    return Degree(least, sufficient, min(error, epsilon), False)


@dataclass(frozen=True)
class ScalePlan:
    """One scale of the cheapest pass.

    Attributes
    ----------
    height, width
        Its sides.
    prefix
        Keys that its queries see.
    method
        "low-rank" or "exact".
    exact
        Multiplications of exact attention.
    low_rank
        Multiplications of its queries on the state, and of weighting it.
    """

    height: int
    width: int
    prefix: int
    method: str
    exact: int
    low_rank: int


@dataclass(frozen=True)
class PassPlan:
    """The cheapest way through a pyramid.

    Attributes
    ----------
    scales
        One entry a scale.
    state
        Multiplications that put keys and values into the state; 0 where no scale uses it.
    exact
        Multiplications of exact attention on all scales.
    low_rank
        Multiplications where all scales use the state.
    """

    scales: tuple[ScalePlan, ...]
    state: int
    exact: int
    low_rank: int

    @property
    def planned(self) -> int:
        """Multiplications of the plan."""
        chosen = (s.low_rank if s.method == "low-rank" else s.exact for s in self.scales)
        return self.state + sum(chosen)

    @property
    def pays(self) -> bool:
        """Whether the plan uses the low-rank construction at all."""
        return any(scale.method == "low-rank" for scale in self.scales)


def query_cost(head_dim: int, value_dim: int, rank: int) -> int:
    """Return the multiplications of one query on the weighted state."""
    return max(0, rank - 1 - head_dim) + (rank - 1) * (value_dim + 1)


def key_cost(head_dim: int, value_dim: int, rank: int) -> int:
    """Return the multiplications that put one key and its value into the state."""
    return max(0, rank - 1 - head_dim) + (rank - 1) * value_dim


def plan_pass(schedule: Schedule, head_dim: int, value_dim: int, rank: int) -> PassPlan:
    """Return the plan with the fewest multiplications.

    The low-rank scales are those from some scale on: an exact query costs more the more keys it sees, one
    on the state costs the same everywhere, and the state is built once.

    Parameters
    ----------
    schedule
        The sides of all scales.
    head_dim, value_dim
        d and d_v.
    rank
        r.

    Raises
    ------
    ValueError
        If ``schedule`` is no schedule or a size is not positive.
    """
    for name, size in (("head_dim", head_dim), ("value_dim", value_dim), ("rank", rank)):
        if size < 1:
            raise ValueError(f"Argument {name!r} must be at least 1, not {size}.")
    areas = [height * width for height, width in require_schedule(schedule)]
    prefixes = list(accumulate(areas))
    exact = [a * p * (head_dim + value_dim) for a, p in zip(areas, prefixes, strict=True)]
    weights = rank * (value_dim + 1)
    low_rank = [a * query_cost(head_dim, value_dim, rank) + weights for a in areas]
    state = prefixes[-1] * key_cost(head_dim, value_dim, rank)

    def cost(first: int) -> int:
        if first == len(areas):
            return sum(exact)
        return sum(exact[:first]) + sum(low_rank[first:]) + state

    first = min(range(len(areas), -1, -1), key=cost)
    scales = tuple(
        ScalePlan(h, w, prefixes[k], "low-rank" if k >= first else "exact", exact[k], low_rank[k])
        for k, (h, w) in enumerate(schedule)
    )
    used = state if first < len(areas) else 0
    assert sum(exact) == multiplications(schedule, head_dim, value_dim)
    return PassPlan(scales, used, sum(exact), cost(0))


def crossover_tokens(head_dim: int, value_dim: int, rank: int) -> int:
    """Return the least L at which one scale of L tokens is cheaper with the low-rank construction."""
    width = head_dim + value_dim
    slope = query_cost(head_dim, value_dim, rank) + key_cost(head_dim, value_dim, rank)
    weights = rank * (value_dim + 1)
    # width L^2 > slope L + weights, solved in integers
    root = math.isqrt(slope * slope + 4 * width * weights)
    tokens = max(1, (slope + root) // (2 * width) - 1)
    while width * tokens * tokens <= slope * tokens + weights:
        tokens += 1
    return tokens


@dataclass(frozen=True)
class Criterion:
    """What the construction makes of one attention layer; see :func:`model_criterion`."""

    schedule: Schedule
    head_dim: int
    value_dim: int
    logit_bound: float
    tolerance: float
    epsilon: float
    degree: Degree
    rank: int
    plan: PassPlan
    crossover: int

    @property
    def tokens(self) -> int:
        """L."""
        return token_count(self.schedule)

    @property
    def side(self) -> float:
        """n, the geometric mean of the sides of the last map."""
        height, width = self.schedule[-1]
        return math.sqrt(height * width)

    @property
    def logit_rate(self) -> float | None:
        """b / ln n; None for n = 1."""
        return self.logit_bound / math.log(self.side) if self.side > 1 else None

    @property
    def dimension_rate(self) -> float | None:
        """d / ln n; None for n = 1."""
        return self.head_dim / math.log(self.side) if self.side > 1 else None

    @property
    def exponent(self) -> float | None:
        """The exponent of n if d, b and ln(1/ε) grew like ln n from here; None for n = 1."""
        if self.side <= 1:
            return None
        unit = math.log(self.side)
        kappa = -math.log(self.epsilon) / unit
        return fast_exponent(self.head_dim / unit, self.logit_bound / unit, kappa)

    @property
    def regime(self) -> str:
        """Where this lies in the phase diagram (thm-phase), in words."""
        if self.logit_rate is None or self.exponent is None:
            return "a single token has no phase"
        if self.exponent < 4:
            return "easy: such growth has an exponent below 4"
        hard = f"the gap route's {MAPS_PCP_LOGIT_RATE} ln n"
        if self.logit_rate < MAPS_PCP_LOGIT_RATE:
            return f"open: no saving by this construction, logits below {hard}"
        return f"hard logits: at least {hard}, where large dimensions are hard"

    @property
    def verdict(self) -> str:
        """What to do at this size, in one sentence."""
        scales = self.plan.scales
        low_rank = sum(scale.method == "low-rank" for scale in scales)
        if not low_rank:
            share = self.crossover / self.tokens
            return (
                "exact attention on every scale; the low-rank pass would pay from "
                f"L = {_rounded(self.crossover)} tokens on, {_rounded(share)} times as many."
            )
        which = "every scale" if low_rank == len(scales) else f"the last {low_rank} of {len(scales)} scales"
        saving = self.plan.exact / max(1, self.plan.planned)
        return f"low rank on {which}: {saving:.3g} times fewer multiplications than exact attention."


def _rounded(number: float) -> str:
    return f"{number:,.3g}" if number < 1000 else f"{number:,.0f}" if number < 10**6 else f"{number:.2g}"


def model_criterion(
    schedule: Schedule, head_dim: int, logit_bound: float, tolerance: float, value_dim: int | None = None
) -> Criterion:
    """Return degree, rank and operations of one attention layer.

    Parameters
    ----------
    schedule
        The sides of all scales.
    head_dim
        d, the length of queries and keys.
    logit_bound
        b, a bound on the absolute value of all logits, the division by τ included.
    tolerance
        The error of the outputs that is allowed, in units of the bound on the values.
    value_dim
        d_v; by default d.

    Raises
    ------
    ValueError
        If an argument is out of range; see :func:`least_degree`, :func:`relative_tolerance` and
        :func:`plan_pass`.
    """
    schedule = require_schedule(schedule)
    value_dim = head_dim if value_dim is None else value_dim
    epsilon = relative_tolerance(tolerance)
    degree = least_degree(logit_bound, epsilon)
    rank = feature_count(head_dim, degree.sufficient)
    plan = plan_pass(schedule, head_dim, value_dim, rank)
    crossover = crossover_tokens(head_dim, value_dim, rank)
    return Criterion(
        schedule, head_dim, value_dim, logit_bound, tolerance, epsilon, degree, rank, plan, crossover
    )
