"""What the check of lem-grouped-degrees claims: e(S) by its definition, and what rounding may cost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from itertools import product
from math import prod

from checks.evidence import Claims
from reductions.polynomials.checker import exponential_bounds
from reductions.polynomials.exponential import ExpPolynomial
from reductions.upper_bound.grouped_degrees import (
    Degrees,
    rounded_up,
    rounding_error,
    staircase_coefficients,
    staircase_error,
)

Staircase = frozenset[Degrees]
UNIT = Fraction(1, 2**53)


def defined_error(staircase: Staircase, errors: Sequence[Sequence[Fraction]]) -> Fraction:
    """Return e(S) by the lemma's definition."""
    if not errors:
        return Fraction(0)
    own, others = errors[0], errors[1:]
    last = max(degrees[0] for degrees in staircase)
    steps = [
        frozenset(degrees[1:] for degrees in staircase if degrees[0] == first) for first in range(last + 1)
    ]
    inner = [defined_error(step, others) for step in steps]
    changes = (own[i] * (inner[i] + inner[i + 1]) for i in range(last) if steps[i] != steps[i + 1])
    return inner[0] + own[last] * (1 + inner[last]) + sum(changes, start=Fraction(0))


def errors_by_definition(cases: Collection[Staircase]) -> Claims:
    """Claim that e(S) is what the lemma defines, exactly in fractions and rounded up in floats."""
    for staircase in cases:
        groups = len(next(iter(staircase)))
        floats = [[1.0 / (3 + 5 * g + 7 * j + g * g) for g in range(5)] for j in range(groups)]
        exact = [[Fraction(x) for x in row] for row in floats]
        stated = defined_error(staircase, exact)
        name = f"{sorted(staircase)}"
        yield name, staircase_error(staircase, exact), "==", stated
        yield f"{name}, in floats", Fraction(rounded_up(staircase_error(staircase, floats))), ">=", stated
    # Each of 2^20 roundings divides by 1 - 2^-53 at worst, and adds 2^-1074 where a product underflows.
    for x in (0.0, 1e-300, 1e-9, 1 / 3, 1.0):
        most = Fraction(rounded_up(x))
        yield (
            f"2^20 roundings of {x}",
            most,
            ">=",
            Fraction(x) / (1 - Fraction(1, 2**33)) + Fraction(2) ** -1054,
        )
        yield f"{x}, hardly above", most, "<=", Fraction(x) * (1 + Fraction(1, 2**31)) + Fraction(2) ** -999


def rounding_claims(cases: Collection[tuple[Staircase, list[list[ExpPolynomial]]]]) -> Claims:
    """Claim that every rounding is counted twice at least, and four times at most."""
    for staircase, polynomials in cases:
        groups = len(polynomials)
        coefficients, distances = staircase_coefficients(staircase, polynomials)
        terms = sum(coefficients.shape)
        wanted = sum(max(degrees) + 1 for degrees in zip(*staircase, strict=True))
        yield f"{sorted(staircase)}: powers", terms, "==", wanted
        reach, magnitudes = 1.25, [0.125 + j for j in range(groups)]
        exponential = exponential_bounds(Fraction(reach))[1]
        cost = Fraction(0)
        for powers in product(*map(range, coefficients.shape)):
            size = sum((_size(degrees, powers, polynomials) for degrees in staircase), start=Fraction(0))
            distance = Fraction(float(distances[powers]))
            name = f"{sorted(staircase)}, powers {powers}"
            # A product of m differences is off by 2m roundings, and the sums add one per term: counted twice.
            yield (
                f"{name}: enough",
                distance * (1 + UNIT * 2**9),
                ">=",
                2 * (2 * groups + terms) * UNIT * size,
            )
            yield f"{name}: hardly more", distance, "<=", 4 * (2 * groups + terms) * UNIT * size
            value = abs(Fraction(float(coefficients[powers]))) + distance
            # A weight is off by 12 + 2m + g roundings.
            moved = distance + (12 + 2 * groups + terms - groups) * UNIT * value
            cost += moved * prod(Fraction(b) ** p for b, p in zip(magnitudes, powers, strict=True))
        stated = Fraction(rounding_error(coefficients, distances, magnitudes, reach))
        yield f"{sorted(staircase)}: cost", stated, ">=", cost * exponential
        yield f"{sorted(staircase)}: cost, hardly more", stated, "<=", 4 * cost * exponential


def _size(degrees: Degrees, powers: Sequence[int], polynomials: list[list[ExpPolynomial]]) -> Fraction:
    """Return the product of the absolute differences that a tuple of degrees adds at some powers."""
    factors = []
    for row, g, p in zip(polynomials, degrees, powers, strict=True):
        above = row[g].coefficients[p] if p <= g else 0.0
        below = row[g - 1].coefficients[p] if p <= g - 1 else 0.0
        factors.append(abs(Fraction(above) - Fraction(below)))
    return Fraction(prod(factors))
