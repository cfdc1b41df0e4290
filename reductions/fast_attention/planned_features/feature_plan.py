"""Certified features for given queries and keys: what a plan holds, and how its error is proved.

A plan recentres queries and keys, turns them to their principal axes, splits the axes into groups and
chooses a staircase of degrees (lem-recentring, lem-principal-axes, lem-grouped-degrees). Every choice is a
guess that only costs speed if it is bad: the error that a plan states is proved for the arrays it holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from reductions.fast_attention.logit_bounds import Extent, LogitBounds, logit_bounds
from reductions.fast_attention.planned_features.staircase_search import GroupErrors, best_staircase
from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import ROUNDING, sum_up
from reductions.polynomials.exponential import ExpPolynomial, minimax_polynomial
from reductions.upper_bound.grouped_degrees import (
    Degrees,
    monomial_set,
    rank,
    rounded_up,
    rounding_error,
    staircase_coefficients,
    staircase_error,
    staircase_weights,
)
from reductions.upper_bound.monomial_features import MonomialSet
from reductions.upper_bound.principal_axes import Recentred
from reductions.upper_bound.weight_perturbation import compose, weighted_mean_error

_WIDEST = 20.0  # half-widths beyond which the rounding of coefficients leaves nothing to certify
_FOLD = 16  # rows laid side by side, so that extremes along the rows run over long vectors


@dataclass(frozen=True, eq=False)
class FeaturePlan:
    """Certified features: the sum of weights_j monomial_j(q) monomial_j(k) stands for exp(<q, k>/tau).

    Attributes
    ----------
    arrays
        The queries and keys to use instead of the given ones, and the keys' weights.
    sizes, staircase
        The groups of axes and their combinations of degrees.
    intervals, magnitudes
        The groups' logits lie in the intervals, and the sums of |q_i k_i|/tau over the groups' axes are
        at most the magnitudes.
    temperature
        tau.
    kernel_error
        The certified relative error of the polynomial, all roundings of its weights included.
    coefficients
        Those of its powers of the groups' logits.
    """

    arrays: Recentred
    sizes: tuple[int, ...]
    staircase: frozenset[Degrees]
    intervals: tuple[tuple[float, float], ...]
    magnitudes: tuple[float, ...]
    temperature: float
    kernel_error: float
    coefficients: Floats

    @property
    def rank(self) -> int:
        """The number of features."""
        return rank(self.staircase, self.sizes)

    @property
    def degree(self) -> int:
        """The largest degree of a monomial."""
        return max(map(sum, self.staircase))

    @property
    def half_widths(self) -> tuple[float, ...]:
        """The half-widths of the groups' logits."""
        return tuple((high - low) / 2 for low, high in self.intervals)

    @property
    def epsilon(self) -> float:
        """The relative error of the weights of the softmax: the polynomial's and that of the moved logits."""
        return compose(self.kernel_error, self.arrays.logit_error)

    def output_error(self, value_bound: float) -> float:
        """Bound the distance of the real-number output from Att(Q, K, V; tau) for values in [-v, v]."""
        return weighted_mean_error(value_bound, self.epsilon)

    @cached_property
    def monomials(self) -> MonomialSet:
        """The monomials, in the order of the fused kernels."""
        return monomial_set(self.staircase, self.sizes)

    @cached_property
    def weights(self) -> Floats:
        """The weights of the monomials."""
        return staircase_weights(self.monomials, self.sizes, self.coefficients, self.temperature)

    def absolute_value(self, logits: Sequence[float]) -> float:
        """Return the polynomial with absolute values for coefficients, at logits >= 0 of the groups."""
        value = np.abs(self.coefficients)
        for logit, count in zip(logits, value.shape, strict=True):
            value = np.tensordot(value, logit ** np.arange(count), axes=(0, 0))
        return rounded_up(float(value))


class CertifiedErrors(GroupErrors):
    """The certified errors of one group, computed when they are asked for.

    The interval is widened by up to a two-hundredth, so that similar data share their polynomials.
    """

    def __init__(self, bound: LogitBounds) -> None:
        super().__init__(bound.half_width)
        grid = 2.0 ** (math.frexp(max(bound.half_width, 2.0**-200))[1] - 9)
        self.interval = (math.floor(bound.low / grid) * grid, math.ceil(bound.high / grid) * grid)

    def polynomial(self, degree: int) -> ExpPolynomial:
        """Return the minimax polynomial of a degree."""
        return minimax_polynomial(degree, *self.interval)

    def error(self, degree: int) -> float:
        """Return its certified error."""
        return self.polynomial(degree).error


def group_extents(vectors: Floats, cuts: Sequence[int]) -> list[Extent]:
    """Return what bounds on logits need to know of each group of axes, in one pass over the rows.

    Parameters
    ----------
    vectors
        Shape (L, d), at least one row.
    cuts
        0, the first axis of each further group, and d.
    """
    length = vectors.shape[1]
    indicator = np.repeat(np.eye(len(cuts) - 1), np.diff(cuts), axis=0)
    squares = ((vectors * vectors) @ indicator).max(axis=0)
    whole = len(vectors) - len(vectors) % _FOLD
    extremes = []
    for extreme in (np.minimum, np.maximum):
        folded = extreme.reduce(vectors[:whole].reshape(-1, _FOLD * length), axis=0) if whole else vectors[0]
        extremes.append(extreme.reduce(np.vstack([folded.reshape(-1, length), vectors[whole:]]), axis=0))
    norms = np.sqrt(squares * (1 + 2 * (length + 4) * ROUNDING)) * (1 + 4 * ROUNDING) + 2.0**-500
    return [
        Extent(extremes[0][a:b], extremes[1][a:b], float(norm), math.inf)
        for (a, b), norm in zip(pairwise(cuts), norms, strict=True)
    ]


def certified_plan(
    arrays: Recentred, cuts: Sequence[int], temperature: float, epsilon: float
) -> FeaturePlan | None:
    """Return the plan of least rank found for given groups, with its proved error; None if none meets it.

    Parameters
    ----------
    arrays
        Queries, keys, key weights, and how far the logits were moved.
    cuts
        0, the first axis of each further group, and d.
    temperature
        tau > 0.
    epsilon
        The relative error that is wanted, all in all.
    """
    target = remaining_error(epsilon, arrays.logit_error)
    extents = zip(group_extents(arrays.queries, cuts), group_extents(arrays.keys, cuts), strict=True)
    bounds = [logit_bounds(*pair, temperature) for pair in extents]
    if target <= 0 or not all(bound.half_width < _WIDEST for bound in bounds):
        return None
    groups = [CertifiedErrors(bound) for bound in bounds]
    magnitudes = tuple(bound.absolute for bound in bounds)
    sizes = tuple(b - a for a, b in pairwise(cuts))
    share = target
    while True:
        staircase = best_staircase(sizes, groups, share)
        if staircase is None:
            return None
        tops = [max(degrees) for degrees in zip(*staircase, strict=True)]
        polynomials = [
            [group.polynomial(g) for g in range(top + 1)] for group, top in zip(groups, tops, strict=True)
        ]
        coefficients, distances = staircase_coefficients(staircase, polynomials)
        reach = -sum(group.interval[0] for group in groups)
        rounding = rounding_error(coefficients, distances, magnitudes, reach)
        error = rounded_up(staircase_error(staircase, [[p.error for p in row] for row in polynomials]))
        error = sum_up(error, rounding)
        if error <= target:
            intervals = tuple(group.interval for group in groups)
            return FeaturePlan(
                arrays, sizes, staircase, intervals, magnitudes, temperature, error, coefficients
            )
        # Room for the roundings is made once; if that does not help, nothing will.
        if share < target or 4 * rounding > target:
            return None
        share = target - 2 * rounding - 2.0**-30 * target


def remaining_error(epsilon: float, eta: float) -> float:
    """Return what is left of epsilon for the polynomial when the logits move by eta, a little too little."""
    room = math.atanh(epsilon) - eta
    return math.tanh(room) * (1 - 2.0**-20) if room > 0 else 0.0
