"""Check of lem-grouped-degrees: staircases of degrees, their error and their number of features."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import comb, prod
from typing import Any

import numpy as np

from checks.evidence import Claims, Evidence, certified, exhaustive, symbolic
from checks.evidence.registry import Run, lemma
from checks.exact.intervals import precision
from checks.upper_bound.grouped_degrees.staircase_claims import errors_by_definition, rounding_claims
from reductions.polynomials.exponential import ExpPolynomial, minimax_polynomial
from reductions.upper_bound.grouped_degrees import (
    Degrees,
    all_degrees,
    monomial_set,
    rank,
    staircase_coefficients,
    staircase_error,
    staircase_weights,
)
from reductions.upper_bound.monomial_features import feature_count, monomials, multinomials

Staircase = frozenset[Degrees]


def all_staircases(sides: Sequence[int]) -> list[Staircase]:
    """Return every staircase with degrees below the given sides."""
    if not sides:
        return [frozenset({()})]
    inner = all_staircases(sides[1:])
    towers: list[list[Staircase]] = [[step] for step in inner]
    found = []
    while towers:
        tower = towers.pop()
        found.append(frozenset((degree, *rest) for degree, step in enumerate(tower) for rest in step))
        if len(tower) < sides[0]:
            towers += [[*tower, step] for step in inner if step <= tower[-1]]
    return found


def plane_partitions(a: int, b: int, c: int) -> int:
    """Return MacMahon's number of staircases in an a x b x c box, the empty one included."""
    cells = product(range(1, a + 1), range(1, b + 1), range(1, c + 1))
    return int(prod(Fraction(i + j + k - 1, i + j + k - 2) for i, j, k in cells))


def stated_value(
    staircase: Collection[Degrees],
    polynomials: Sequence[Sequence[ExpPolynomial]],
    logits: Sequence[Any],
    number: Callable[[float], Any] = Fraction,
) -> Any:
    """Return F at the groups' logits from its definition, in the arithmetic of ``number``."""

    def at(polynomial: ExpPolynomial, x: Any) -> Any:
        return sum((number(c) * x**p for p, c in enumerate(polynomial.coefficients)), number(0.0))

    values = [[at(polynomial, x) for polynomial in row] for row, x in zip(polynomials, logits, strict=True)]
    steps = [[row[g] - row[g - 1] if g else row[0] for g in range(len(row))] for row in values]
    total = number(0.0)
    for degrees in staircase:
        term = number(1.0)
        for row, degree in zip(steps, degrees, strict=True):
            term = term * row[degree]
        total = total + term
    return total


def whole_polynomials(groups: int, degree: int) -> list[list[ExpPolynomial]]:
    """Return polynomials with small whole coefficients, no two of them equal."""
    return [
        [
            ExpPolynomial(tuple(float((3 * p + 5 * g + 2 * j) % 7 + 1) for p in range(g + 1)), 0, 0, 1)
            for g in range(degree + 1)
        ]
        for j in range(groups)
    ]


def features_are_right(case: tuple[tuple[int, ...], Staircase]) -> bool:
    """Tell whether the weighted monomials give F, and are as many as stated, in whole numbers."""
    sizes, staircase = case
    members = monomial_set(staircase, sizes)
    polynomials = whole_polynomials(len(sizes), 3)
    coefficients, _ = staircase_coefficients(staircase, polynomials)
    weights = staircase_weights(members, sizes, coefficients, 0.5)
    points = np.array(list(product((-1, 1, 2), repeat=sum(sizes)))[:: max(1, 3 ** sum(sizes) // 27)])
    left, right = monomials(points, members) * weights, monomials(points[::-1], members)
    ends = np.cumsum(sizes)
    for i, (query, key) in enumerate(zip(points, points[::-1], strict=True)):
        logits = [
            2 * int(query[end - d : end] @ key[end - d : end]) for end, d in zip(ends, sizes, strict=True)
        ]
        if left[i] @ right[i] != stated_value(staircase, polynomials, logits):
            return False
    return len(members) == rank(staircase, sizes)


WIDTHS = (1.0, 0.5, 0.125)


def group_polynomials(widths: Sequence[float], degree: int) -> list[list[ExpPolynomial]]:
    """Return certified polynomials of all degrees up to the given one, for groups of given half-widths."""
    return [[minimax_polynomial(g, -b, b) for g in range(degree + 1)] for b in widths]


def relative_errors(
    cases: Collection[Staircase],
    bound: Callable[[Staircase, list[list[Fraction]]], Fraction],
    points: int,
) -> Claims:
    """Yield that the relative error of F is within a bound, at a grid that contains all corners."""
    with precision() as iv:  # at a corner the error comes within 1e-16 of its bound
        yield from _relative_errors(iv, cases, bound, points)


def _relative_errors(
    iv: Any,
    cases: Collection[Staircase],
    bound: Callable[[Staircase, list[list[Fraction]]], Fraction],
    points: int,
) -> Claims:
    for staircase in cases:
        widths = WIDTHS[: len(next(iter(staircase)))]
        polynomials = group_polynomials(widths, 3)
        errors = [[Fraction(polynomial.error) for polynomial in row] for row in polynomials]
        stated = bound(staircase, errors)
        grids = [[Fraction(b) * (2 * i - points + 1) / (points - 1) for i in range(points)] for b in widths]
        for logits in product(*grids):
            reach = iv.mpf(1) * sum(logits).numerator / sum(logits).denominator
            exact = stated_value(staircase, polynomials, logits)
            error = iv.mpf(exact.numerator) / exact.denominator * iv.exp(-reach) - 1
            name = f"{sorted(staircase)} at {[str(x) for x in logits]}"
            yield name, error, "<=", stated
            yield name, error, ">=", -stated


def computed_coefficients(cases: Collection[Staircase]) -> Claims:
    """Yield that the coefficients are as close to the exact ones as they state."""
    for staircase in cases:
        polynomials = group_polynomials(WIDTHS[: len(next(iter(staircase)))], 3)
        coefficients, distances = staircase_coefficients(staircase, polynomials)
        for powers in staircase:
            exact = Fraction(0)
            for degrees in staircase:
                factors = []
                for row, g, p in zip(polynomials, degrees, powers, strict=True):
                    above = row[g].coefficients[p] if p <= g else 0.0
                    below = row[g - 1].coefficients[p] if p <= g - 1 else 0.0
                    factors.append(Fraction(above) - Fraction(below))
                exact += prod(factors)
            distance = abs(Fraction(float(coefficients[powers])) - exact)
            yield f"{sorted(staircase)}, powers {powers}", distance, "<=", Fraction(float(distances[powers]))


@lemma(
    "lem-grouped-degrees",
    title="Degrees by groups of axes",
    proof_uses=("lem-monomial-features",),
)
def grouped_degrees(run: Run) -> Iterator[Evidence]:
    """Check the lemma part by part."""
    yield identities()
    side = run.pick(quick=3, full=4)
    pairs = all_staircases((side, side))
    yield certified(
        "(1) relative error",
        f"all staircases of two groups, degrees below {side}, half-widths 1 and 1/2; a grid with all corners",
        relative_errors(pairs, staircase_error, run.pick(quick=5, full=13)),
    )
    triples = all_staircases((2, 2, 2))
    yield certified(
        "(1) relative error",
        "all staircases of three groups, degrees below 2, half-widths 1, 1/2, 1/8; a grid with all corners",
        relative_errors(triples, staircase_error, 3),
    )
    yield certified(
        "(1) e(S) as it is defined", "the same staircases; exact", errors_by_definition([*pairs, *triples])
    )
    yield certified(
        "(1) rounded coefficients", "the same staircases", computed_coefficients([*pairs, *triples])
    )
    rounded = [(s, group_polynomials(WIDTHS[: len(next(iter(s)))], 3)) for s in (*pairs, *triples)]
    yield certified("(1) what rounding may cost", "the same staircases; exact", rounding_claims(rounded))
    cases: list[tuple[tuple[int, ...], Staircase]]
    cases = [(sizes, steps) for sizes in ((1, 1), (2, 1), (1, 3), (2, 2)) for steps in pairs]
    cases += [(sizes, steps) for sizes in ((1, 1, 1), (2, 1, 2)) for steps in triples]
    yield exhaustive(
        "(3) features and their number",
        f"all staircases of two groups with degrees below {side} and of three below 2; whole coefficients",
        cases,
        4 * (comb(2 * side, side) - 1) + 2 * (plane_partitions(2, 2, 2) - 1),
        features_are_right,
    )
    most = run.pick(quick=4, full=6)
    yield exhaustive(
        "(3) total degree",
        f"two groups of at most {most} axes, degree at most {most}",
        product(range(1, most + 1), range(1, most + 1), range(most + 1)),
        most * most * (most + 1),
        total_degree_is_a_staircase,
    )


def total_degree_is_a_staircase(case: tuple[int, int, int]) -> bool:
    """Tell whether the staircase of all tuples with sum at most g has C(d + g, g) features."""
    first, second, degree = case
    steps = [degrees for degrees in all_degrees((degree, degree)) if sum(degrees) <= degree]
    return rank(steps, (first, second)) == feature_count(first + second, degree)


def identities() -> Evidence:
    """Prove the identities of the proof for towers of five steps, three groups, and all numbers."""
    import sympy

    top = 4
    r, h = sympy.symbols(f"r:{top + 1}"), sympy.symbols(f"h:{top + 1}")
    direct = (1 + r[0]) * (1 + h[0]) + sum((r[i] - r[i - 1]) * (1 + h[i]) for i in range(1, top + 1)) - 1
    parts = h[0] + r[top] * (1 + h[top]) + sum(r[i] * (h[i] - h[i + 1]) for i in range(top))
    a, b, c, width = sympy.symbols("a b c b_j", positive=True)
    table: Any = [[sympy.Symbol(f"e{j}{g}", positive=True) for g in range(3)] for j in range(3)]
    ratio = (1 + a) * (1 + c) / ((1 - a) * (1 - c))
    together = (a + c) / (1 + a * c)
    return symbolic(
        "the proof's identities",
        "all numbers; five steps, three groups",
        {
            "(1) summation by parts": direct - parts,
            "(2) box": staircase_error(all_degrees((2, 1, 2)), table)
            - ((1 + table[0][2]) * (1 + table[1][1]) * (1 + table[2][2]) - 1),
            "(2) composition": ratio - (1 + together) / (1 - together),
            "(2) constant, upper end": (sympy.exp(width) / sympy.cosh(width) - 1 - sympy.tanh(width)).rewrite(
                sympy.exp
            ),
            "(2) constant, lower end": (
                1 - sympy.exp(-width) / sympy.cosh(width) - sympy.tanh(width)
            ).rewrite(sympy.exp),
            "(2) constant, least": (
                (sympy.exp(width) * b - sympy.exp(-width) * b)
                / (sympy.exp(width) * b + sympy.exp(-width) * b)
                - sympy.tanh(width)
            ).rewrite(sympy.exp),
        },
    )


@grouped_degrees.control("errors of a product are added up")
def _(run: Run) -> Evidence:
    def added(staircase: Staircase, errors: list[list[Fraction]]) -> Fraction:
        return errors[0][0] + errors[1][0]

    claims = relative_errors([frozenset({(0, 0)})], added, 3)
    return certified("(2) product", "two groups with constants, half-widths 1 and 1/2", claims)


@grouped_degrees.control("a dropped group counts as exact")
def _(run: Run) -> Evidence:
    def dropped(staircase: Staircase, errors: list[list[Fraction]]) -> Fraction:
        return errors[0][3]

    claims = relative_errors([all_degrees((3, 0))], dropped, 3)
    return certified("(2) product", "degree 3, and a constant on the second group of half-width 1/2", claims)


@grouped_degrees.control("a tuple is missing below another")
def _(run: Run) -> Evidence:
    whole = all_degrees((2, 2))

    def of_the_whole(staircase: Staircase, errors: list[list[Fraction]]) -> Fraction:
        return staircase_error(whole, errors)

    claims = relative_errors([whole - {(1, 0)}], of_the_whole, 3)
    return certified("(1) relative error", "all degrees up to 2 without the tuple (1, 0)", claims)


@grouped_degrees.control("the weights are those of the total degree")
def _(run: Run) -> Evidence:
    def holds(staircase: Staircase) -> bool:
        members = monomial_set(staircase, (1, 1))
        coefficients, _ = staircase_coefficients(staircase, whole_polynomials(2, 3))
        # As if the letters of both groups could be mixed: |alpha|!/alpha! in place of the groups' own.
        weights = coefficients[tuple(members.exponents.T.astype(int))] * multinomials(members)
        point = np.array([[1, 2]])
        features = monomials(point, members)
        return bool(
            (features * weights) @ features.T == stated_value(staircase, whole_polynomials(2, 3), [1, 4])
        )

    cases = all_staircases((2, 2))
    return exhaustive("(3) features", "two axes, degrees below 2, q = k = (1, 2)", cases, 5, holds)
