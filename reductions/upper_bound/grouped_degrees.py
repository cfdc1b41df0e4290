"""Degrees by groups of axes: fewer monomials at the same certified error (lem-grouped-degrees).

Split the axes of queries and keys into groups, so that a logit is a sum x = x_1 + ... + x_m of the groups'
logits. Groups whose logits are small need low degrees only. Which combinations of degrees are kept is a
*staircase*: a set of tuples (g_1, ..., g_m) that holds with every tuple all smaller ones.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from fractions import Fraction
from itertools import product
from typing import TypeVar

import numpy as np

from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import ROUNDING, inflated
from reductions.polynomials.exponential import ExpPolynomial
from reductions.upper_bound.monomial_features import (
    MonomialSet,
    downward_closed,
    multinomials,
    total_degree,
)

Degrees = tuple[int, ...]
Number = TypeVar("Number", float, Fraction)


def slices(staircase: Collection[Degrees]) -> list[frozenset[Degrees]]:
    """Return, for each degree of the first group, what is left for the other groups: ever smaller staircases.

    Raises
    ------
    ValueError
        If the set is empty or a smaller tuple is missing.
    """
    rest: dict[int, set[Degrees]] = {}
    for first, *others in staircase:
        rest.setdefault(first, set()).add(tuple(others))
    steps = [frozenset(rest.get(degree, ())) for degree in range(max(rest, default=-1) + 1)]
    if not steps or not all(steps[i + 1] and steps[i + 1] <= step for i, step in enumerate(steps[:-1])):
        raise ValueError("Argument 'staircase' must hold a tuple, and with every tuple all smaller ones.")
    return steps


def staircase_error(staircase: Collection[Degrees], errors: Sequence[Sequence[Number]]) -> Number:
    """Return the bound of lem-grouped-degrees on the relative error of the staircase's polynomial.

    Parameters
    ----------
    staircase
        Tuples with one degree a group.
    errors
        ``errors[j][g]`` bounds the relative error of group j's polynomial of degree g. With fractions the
        result is exact; with floats it is within a few hundred roundings (see :func:`rounded_up`).

    Raises
    ------
    ValueError
        If the set is no staircase.
    """
    steps = slices(staircase)
    own = errors[0]
    if len(errors) == 1:
        return own[len(steps) - 1]
    # Equal steps have equal polynomials: their errors are computed once and their difference is zero.
    values: dict[frozenset[Degrees], Number] = {}
    for step in steps:
        if step not in values:
            values[step] = staircase_error(step, errors[1:])
    top = len(steps) - 1
    total = values[steps[0]] + own[top] * (1 + values[steps[top]])
    for degree in range(top):
        here, after = steps[degree], steps[degree + 1]
        if here != after:
            total += own[degree] * (values[here] + values[after])
    return total


def rounded_up(error: float) -> float:
    """Return an upper bound on the exact value of a sum of products of positive numbers, computed in float64.

    It covers 2^20 roundings, more than any staircase that fits in memory takes.
    """
    return inflated(error, 2**20, lost=2.0**-1000)


def rank(staircase: Collection[Degrees], sizes: Sequence[int]) -> int:
    """Return how many monomials there are: the sum over the tuples of prod_j C(d_j + g_j - 1, g_j)."""
    return sum(
        math.prod(math.comb(d + g - 1, g) for d, g in zip(sizes, degrees, strict=True))
        for degrees in staircase
    )


def monomial_set(staircase: Collection[Degrees], sizes: Sequence[int]) -> MonomialSet:
    """Return the monomials whose degrees in the groups form a tuple of the staircase.

    Parameters
    ----------
    staircase
        Tuples with one degree a group.
    sizes
        The numbers d_1, ..., d_m of axes of the groups, which follow one another.
    """
    largest = [max(degrees) for degrees in zip(*staircase, strict=True)]
    full = [total_degree(d, g) for d, g in zip(sizes, largest, strict=True)]
    tables = []
    for degrees in staircase:
        blocks = [members.exponents[members.degrees == g] for members, g in zip(full, degrees, strict=True)]
        rows = np.indices([len(block) for block in blocks]).reshape(len(blocks), -1)
        tables.append(np.hstack([block[row] for block, row in zip(blocks, rows, strict=True)]))
    return downward_closed(np.vstack(tables))


def staircase_coefficients(
    staircase: Collection[Degrees], polynomials: Sequence[Sequence[ExpPolynomial]]
) -> tuple[Floats, Floats]:
    """Return the coefficients of F = sum over the staircase of prod_j (R_{j, g_j} - R_{j, g_j - 1})(x_j).

    Parameters
    ----------
    staircase
        Tuples with one degree a group.
    polynomials
        ``polynomials[j][g]`` is group j's polynomial R_{j, g} of degree g; R_{j, -1} = 0.

    Returns
    -------
    (numpy.ndarray, numpy.ndarray)
        The coefficient of x_1^i_1 ... x_m^i_m at index (i_1, ..., i_m), in float64, and a bound on its
        distance to the exact one.
    """
    shape = [max(degrees) + 1 for degrees in zip(*staircase, strict=True)]
    kept = np.zeros(shape)
    kept[tuple(np.array(sorted(staircase)).T)] = 1
    size, values, absolute = len(shape), kept, kept
    for group, count in enumerate(shape):
        table = np.zeros((count + 1, count))
        for degree in range(count):
            table[degree + 1, : degree + 1] = polynomials[group][degree].coefficients
        steps = np.diff(table, axis=0)
        # The first axis is contracted and its powers come last: after all groups the order is as before.
        values = np.tensordot(values, steps, axes=(0, 0))
        absolute = np.tensordot(absolute, np.abs(steps), axes=(0, 0))
    # Each product of m differences carries 2m roundings, and the sums add one per term.
    roundings = 2 * size + sum(shape) + 2
    return values, 2 * roundings * ROUNDING * absolute


def staircase_weights(
    monomials: MonomialSet, sizes: Sequence[int], coefficients: Floats, temperature: float
) -> Floats:
    """Return the weight of every monomial, so that F(<q_1, k_1>/tau, ...) = sum of w_alpha q^alpha k^alpha.

    Float64, each within 12 + 2m + g roundings, where g is the largest degree and m the number of groups.
    """
    ends = np.cumsum(sizes)
    degrees = [
        monomials.exponents[:, end - size : end].sum(axis=1) for end, size in zip(ends, sizes, strict=True)
    ]
    factorials = np.array([float(math.factorial(p)) for p in range(monomials.degree + 1)])
    # |alpha|!/alpha! counts words with the letters of all groups: the orders in which groups alternate
    # are divided out.
    counts = multinomials(monomials) / factorials[monomials.degrees]
    for p in degrees:
        counts = counts * factorials[p]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        powers = np.float64(temperature) ** -np.arange(monomials.degree + 1.0)
        weights: Floats = coefficients[tuple(degrees)] * counts * powers[monomials.degrees]
    if not np.isfinite(weights).all():
        raise ValueError("Argument 'temperature' must be such that all weights are finite; one is not.")
    return weights


def rounding_error(
    coefficients: Floats, distances: Floats, magnitudes: Sequence[float], reach: float
) -> float:
    """Bound what rounding the coefficients and the weights adds to the relative error.

    Parameters
    ----------
    coefficients, distances
        From :func:`staircase_coefficients`.
    magnitudes
        Bounds on the sum over group j's axes of |q_i k_i|/tau.
    reach
        A bound on -x, for all logits x.
    """
    size = coefficients.ndim
    degree = sum(coefficients.shape) - size
    moved = distances + (12 + 2 * size + degree + 4) * 2 * ROUNDING * (np.abs(coefficients) + distances)
    for magnitude, count in zip(magnitudes, coefficients.shape, strict=True):
        moved = np.tensordot(moved, magnitude ** np.arange(count), axes=(0, 0))
    return rounded_up(float(moved) * math.exp(reach))


def all_degrees(largest: Sequence[int]) -> frozenset[Degrees]:
    """Return the box of all tuples up to the given one: the product of the groups' polynomials."""
    return frozenset(product(*(range(g + 1) for g in largest)))
