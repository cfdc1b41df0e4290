"""The upper bound, composed: degree, rank, error, operations and exponent of the fast pass.

:class:`Demand` holds what the theorem needs to know of a pipeline and its exact run, measured
(:mod:`reductions.fast_attention.whole_model.measured_demand`) or set for a family of growing n
(:func:`family`); :func:`account` says what an accuracy then costs. All of it is known before the fast run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from html import escape

from reductions.polynomials.bessel import log_bessel_error_bounds
from reductions.upper_bound.monomial_features import feature_count

MOVED_LOGITS = 1.0
"""By how much the interval of the logits is enlarged: no fast run leaves it (thm-upper-bound)."""


@dataclass(frozen=True)
class Attending:
    """The size of one attention layer: tokens, d, d_v, and the scales they come in."""

    tokens: int
    dimension: int
    values: int
    scales: int = 1

    def low_rank(self, degree: int) -> int:
        """Return 4 r (d_v + 1) L, at least the multiplications of one pass (lem-block-causal-state)."""
        return 4 * feature_count(self.dimension, degree) * (self.values + 1) * self.tokens


@dataclass(frozen=True)
class Demand:
    """What the theorem needs to know.

    Attributes
    ----------
    side
        n.
    half_width
        b: the largest d R^2 / tau of an attention layer, with R for the exact run.
    log_values
        ln U, where U >= 1 and U is at least the largest w_O (v + w_V) of an attention layer; v bounds the
        values' entries.
    stages
        T: how many attention layers an error can come from; when drawing, K for each of the model's.
    log_growth
        ln G, the sum of ln(Lambda) over all stages.
    attending
        The attention layers.
    elsewhere
        Multiplications outside of attending.
    """

    side: int
    half_width: float
    log_values: float
    stages: int
    log_growth: float
    attending: tuple[Attending, ...]
    elsewhere: int

    @property
    def exact_multiplications(self) -> int:
        """What exact attention takes, without a mask: L^2 (d + d_v) for each layer, and the rest."""
        return self.elsewhere + sum(
            layer.tokens**2 * (layer.dimension + layer.values) for layer in self.attending
        )


@dataclass(frozen=True)
class Account:
    """What an accuracy costs.

    Attributes
    ----------
    demand
        Of the pipeline.
    log_accuracy
        ln(1/delta): the image is to be within delta <= 1.
    degree
        g: the polynomial is within epsilon of exp on [-b-1, b+1], in relative error.
    """

    demand: Demand
    log_accuracy: float
    degree: int

    @property
    def log_precision(self) -> float:
        """lambda = ln(1/epsilon), epsilon = delta / (2 T U G)."""
        return log_precision(self.demand, self.log_accuracy)

    @property
    def epsilon(self) -> float:
        """The relative error asked of the polynomial; 0 where float64 has no such number."""
        return math.exp(-self.log_precision)

    @property
    def ranks(self) -> tuple[int, ...]:
        """R = C(d + g, g) for every attention layer."""
        return tuple(feature_count(layer.dimension, self.degree) for layer in self.demand.attending)

    @property
    def multiplications(self) -> int:
        """An upper bound on those of the fast pass."""
        return self.demand.elsewhere + sum(layer.low_rank(self.degree) for layer in self.demand.attending)

    @property
    def exponent(self) -> float:
        """Log of the multiplications over log n."""
        return _log(self.multiplications) / _log(self.demand.side)

    @property
    def rank_exponent(self) -> float:
        """Log of the largest rank over log n."""
        return _log(max(self.ranks)) / _log(self.demand.side)

    def rows(self) -> list[tuple[str, str]]:
        """Return the account as pairs of a name and its content, in words."""
        demand = self.demand
        return [
            ("side", f"n = {_short(demand.side)}"),
            ("logits", f"b = {demand.half_width:.4g} = {demand.half_width / _log(demand.side):.3g} ln n"),
            ("growth of errors", f"G = {_power(demand.log_growth)} over {demand.stages} attention stages"),
            ("accuracy", f"δ = {_power(-self.log_accuracy)}, so ε = {_power(-self.log_precision)}"),
            (
                "polynomial",
                f"degree {self.degree}, rank {_short(max(self.ranks))} = n^{self.rank_exponent:.3f}",
            ),
            ("multiplications", f"{_short(self.multiplications)} = n^{self.exponent:.3f}"),
            (
                "exact attention",
                f"n^{_log(demand.exact_multiplications) / _log(demand.side):.3f}",
            ),
        ]

    def __str__(self) -> str:
        return "\n".join(f"{name + ':':<18} {content}" for name, content in self.rows())

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th scope='row' style='text-align:left'>{escape(name)}</th><td>{escape(content)}</td></tr>"
            for name, content in self.rows()
        )
        return f"<table><caption>Account of the fast pass</caption><tbody>{cells}</tbody></table>"


def log_precision(demand: Demand, log_accuracy: float) -> float:
    """Return ln(1/epsilon) = ln(2 T U G / delta), at least ln 2."""
    total: float = log_accuracy + math.log(2 * max(1, demand.stages))
    return total + demand.log_values + demand.log_growth


def account(demand: Demand, log_accuracy: float) -> Account:
    """Return what it costs to have the image within delta = exp(-log_accuracy).

    Raises
    ------
    ValueError
        If delta is above 1: the proof needs the errors to stay below 1.
    """
    if not log_accuracy >= 0:
        raise ValueError(f"Argument 'log_accuracy' must be at least 0, not {log_accuracy}.")
    precision = log_precision(demand, log_accuracy)
    return Account(demand, log_accuracy, least_degree(demand.half_width + MOVED_LOGITS, precision))


@lru_cache(maxsize=1024)
def least_degree(half_width: float, precision: float) -> int:
    """Return the least g for which the Bessel bound proves ln E_g(b) <= -precision (lem-bessel-error)."""
    # Doubling, then halving: the bound falls with the degree once it is below 1.
    high = 1
    while log_bessel_error_bounds(half_width, high)[1] > -precision:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if log_bessel_error_bounds(half_width, middle)[1] > -precision:
            low = middle
        else:
            high = middle
    return high


def explicit_rate(log_side: float, half_width: float, precision: float) -> float:
    """Return sigma of part 3: degree ceil(sigma ln n) - 1 is enough where ln n >= e^4 b.

    sigma = max(sqrt(b / ln n), 4 (lambda + 2) / (ln n ln(ln n / b))).

    Raises
    ------
    ValueError
        If ln n < e^4 b, or b or lambda is not positive.
    """
    if not (half_width > 0 and precision > 0):
        raise ValueError("Arguments 'half_width' and 'precision' must be positive.")
    if log_side < math.exp(4) * half_width:
        raise ValueError(
            f"Argument 'log_side' must be at least e^4 b = {math.exp(4) * half_width:.4g}, not {log_side}."
        )
    ratio = log_side / half_width
    return max(1 / math.sqrt(ratio), 4 * (precision + 2) / (log_side * math.log(ratio)))


def rank_rate(dimension_rate: float, degree_rate: float) -> float:
    """Return sigma (1 + ln(1 + c / sigma)): with d <= c ln n and g <= sigma ln n, r <= n to that power."""
    return degree_rate * (1 + math.log1p(dimension_rate / degree_rate)) if degree_rate else 0.0


class Case(StrEnum):
    """The two families of the theorem."""

    MAPS = "maps"
    """All maps given, constant depth: R = o(sqrt(log n)), everything else polynomial."""
    DRAWN = "drawn"
    """K = Theta(log n) composed layers: R and all norms (log n)^o(1)."""


def family(case: Case, log2_side: int, *, c: float = 1.0, unscaled: bool = False) -> Demand:
    """Return a demand as the theorem allows it, for n = 2^log2_side.

    maps: d = c ln n, R^2 = sqrt(ln n), values up to n, three attention layers that each enlarge errors by
    n. drawn: R^2 = w = exp(sqrt(ln ln n)), one attention layer a scale and one in the decoder.

    Parameters
    ----------
    case
        Which family.
    log2_side
        At least 2.
    c
        d / ln n.
    unscaled
        Take tau = 1 in place of tau = d, which the theorem does not allow.
    """
    n = 2**log2_side
    logarithm = log2_side * math.log(2)
    d = max(1, math.ceil(c * logarithm))
    tokens = (4 * n * n - 1) // 3
    polylog = math.ceil(logarithm) ** 2
    if case is Case.MAPS:
        square, stages, growth, values = math.sqrt(logarithm), 3, 3 * logarithm, logarithm
    else:
        slow = math.exp(math.sqrt(max(0.0, math.log(logarithm))))
        square, stages, values = slow, log2_side + 2, math.log(slow)
        growth = (log2_side + 2) * math.log(slow * (1 + 2 * square))
    layers = tuple(Attending(tokens, d, d, log2_side + 1) for _ in range(3 if case is Case.MAPS else 2))
    return Demand(n, square * (d if unscaled else 1), values, stages, growth, layers, 100 * n * n * polylog)


def _log(number: float) -> float:
    """Return the logarithm; Python takes that of integers of any size."""
    return math.log(number)


def _power(exponent: float) -> str:
    return f"{math.exp(exponent):.3g}" if abs(exponent) < 20 else f"10^{exponent / math.log(10):.1f}"


def _short(number: int) -> str:
    return f"{number:,}" if number < 10**9 else f"2^{math.log2(number):.1f}"
