"""Check of lem-isolation: slots with disjoint supports carry their tokens unmixed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from checks.evidence import Claims, Evidence, certified, exhaustive, sampled, symbolic
from checks.evidence.registry import Run, lemma
from reductions.lower_bound.isolation import (
    SPACING,
    axis_slots,
    capacity,
    grid_slots,
    largest_weight_at_least,
    slots_per_axis_at_least,
)
from reductions.problems.interpolation import Interpolation, Kernel, keys_inner, keys_outer

KEYS_PARAMETERS = (-1.0, -0.75, -0.5, -0.3, 0.0)
RULES = (
    Interpolation(Kernel.NEAREST),
    *(Interpolation(Kernel.BILINEAR, aligned=aligned) for aligned in (False, True)),
    *(
        Interpolation(Kernel.BICUBIC, a, aligned=aligned)
        for a in KEYS_PARAMETERS
        for aligned in (False, True)
    ),
)
RULES_IN_WORDS = "nearest, bilinear, bicubic with a = -1, -3/4, -1/2, -0.3 and 0; both conventions"

STATED_SPACING = {Kernel.NEAREST: 1, Kernel.BILINEAR: 2, Kernel.BICUBIC: 4}
"""The g of the lemma, written down once more."""

Pixel = tuple[int, int]
Matrix = list[list[Fraction]]


class ExactSlot(NamedTuple):
    """A slot of a map and the number by which its token is divided."""

    coarse: Pixel
    fine: Pixel
    divisor: Fraction


@cache
def exact(rule: Interpolation, coarse: int, fine: int) -> Matrix:
    """Return the exact operator of one axis; kept, because several claims read it."""
    return rule.exact_matrix(coarse, fine)


def largest_of_columns(matrix: Matrix) -> list[Fraction]:
    """Return the largest entry of each column."""
    return [max(column) for column in zip(*matrix, strict=True)]


def sizes(largest: int) -> list[tuple[int, int]]:
    """Return all pairs 1 <= coarse <= fine <= largest."""
    return [(coarse, fine) for fine in range(1, largest + 1) for coarse in range(1, fine + 1)]


def negative_share(rule: Interpolation) -> Fraction:
    """Return nu: no entry of a column is below -nu times the column's largest."""
    a = Fraction(rule.a) if rule.kernel is Kernel.BICUBIC else Fraction(0)
    return -32 * a / (27 * (4 - a))


def isolated_at(rows: Matrix, columns: Matrix, slots: Sequence[ExactSlot], pixel: Pixel) -> bool:
    """Tell whether a fine pixel carries t * token of at most one slot, |t| <= 1; t = 1 for its own slot."""
    shares = {}
    for slot in slots:
        weight = rows[pixel[0]][slot.coarse[0]] * columns[pixel[1]][slot.coarse[1]]
        if weight:
            shares[slot] = weight / slot.divisor
    own = [slot for slot in slots if slot.fine == pixel]
    unmixed = len(shares) <= 1 and all(abs(t) <= 1 for t in shares.values())
    return unmixed and all(shares == {slot: Fraction(1)} for slot in own)


def chosen_slots(rule: Interpolation, coarse: Pixel, fine: Pixel) -> list[ExactSlot]:
    """Return all the slots that the construction chooses, with the exact weights of their pixels."""
    rows, columns = (exact(rule, *axis) for axis in zip(coarse, fine, strict=True))
    slots = grid_slots(rule, coarse, fine, capacity(rule, coarse, fine))
    chosen = []
    for (j, j2), (i, i2) in zip(slots.coarse.tolist(), slots.fine.tolist(), strict=True):
        chosen.append(ExactSlot((j, j2), (i, i2), rows[i][j] * columns[i2][j2]))
    return chosen


Case = tuple[Interpolation, tuple[int, int], tuple[int, int]]


def plane_is_isolated(case: Case) -> bool:
    """Tell whether the chosen slots of a map are isolated; the axes are pairs (coarse, fine)."""
    rule, row_axis, column_axis = case
    slots = chosen_slots(rule, (row_axis[0], column_axis[0]), (row_axis[1], column_axis[1]))
    rows, columns = exact(rule, *row_axis), exact(rule, *column_axis)
    return all(isolated_at(rows, columns, slots, pixel) for pixel in np.ndindex(row_axis[1], column_axis[1]))


@lemma("lem-isolation", title="Isolated slots", statement_uses=("def-interpolation",))
def isolation(run: Run) -> Iterator[Evidence]:
    """Check the lemma part by part."""
    largest = run.pick(quick=12, full=24)
    pairs = sizes(largest)
    scope = f"all 1 <= h <= h' <= {largest}; {RULES_IN_WORDS}"
    cases = [(rule, *pair) for rule in RULES for pair in pairs]
    yield kernel_facts()
    yield certified("(1) every column's largest weight", scope, largest_weights(cases))
    yield certified("(2) the other weights of a column", scope, other_weights(cases))
    count = len(RULES) * largest * (largest + 1) // 2
    yield exhaustive("(3) disjoint supports and the number of slots", scope, cases, count, supports_and_slots)
    yield exhaustive(
        "(1) the slots that are computed in double precision", scope, cases, count, computed_slots
    )
    side = run.pick(quick=4, full=6)
    axes = sizes(side)
    yield exhaustive(
        "(4) tokens in the plane",
        f"all maps with sides up to {side}, exact; {RULES_IN_WORDS}",
        product(RULES, axes, axes),
        len(RULES) * (side * (side + 1) // 2) ** 2,
        plane_is_isolated,
    )
    draws = run.pick(quick=60, full=1000)
    yield sampled(
        "(4) tokens in the plane",
        f"{draws} random maps with sides up to 40 and normal tokens, double precision, error at most 2^-50",
        run.seed,
        draws,
        draw_map,
        map_is_isolated,
    )


def kernel_facts() -> Evidence:
    """Prove the facts about the Keys kernel: each identity shows a sign for all a in [-1, 0] at a glance."""
    import sympy

    a, x = sympy.symbols("a x", real=True)
    y = 1 - x
    inner, outer = keys_inner(x, a), keys_outer(1 + x, a)
    border = keys_inner(x, a) + keys_outer(1 + x, a)
    return symbolic(
        "the Keys kernel",
        "all a and all distances",
        {
            "value 1 at distance 0": keys_inner(0, a) - 1,
            "value 0 at distance 1, from both pieces": keys_inner(1, a) ** 2 + keys_outer(1, a) ** 2,
            "value (4 - a)/8 at distance 1/2": keys_inner(sympy.Rational(1, 2), a) - (4 - a) / 8,
            "decreasing on [0, 1]": sympy.diff(inner, x) + x * ((1 + a) * 6 * y - a * (4 - 3 * x)),
            "one sign on [1, 2]": outer - a * x * y**2,
            "at least 4a/27 on [1, 2]": outer
            - 4 * a / 27
            + a * (x - sympy.Rational(1, 3)) ** 2 * (sympy.Rational(4, 3) - x),
            "value 4a/27 at distance 4/3": keys_outer(sympy.Rational(4, 3), a) - 4 * a / 27,
            "two taps of a border pixel, nonnegative": border - y * ((1 + a) * y * (1 + 2 * x) - a),
            "partition of unity": border + keys_inner(y, a) + keys_outer(2 - x, a) - 1,
        },
    )


def largest_weights(cases: Iterable[tuple[Interpolation, int, int]]) -> Claims:
    """Yield the claims about the largest weight of every column."""
    for rule, coarse, fine in cases:
        bound = largest_weight_at_least(rule, coarse, fine)
        name = f"{rule}, {coarse} -> {fine}"
        uniform = {Kernel.NEAREST: Fraction(1), Kernel.BILINEAR: Fraction(1, 2)}
        yield f"{name}: bound", bound, ">=", uniform.get(rule.kernel, (4 - Fraction(rule.a)) / 8)
        for j, largest in enumerate(largest_of_columns(exact(rule, coarse, fine))):
            border = j in (0, coarse - 1)
            yield f"{name}: column {j}", largest, ">=", Fraction(1) if border else bound
            a = Fraction(rule.a) if rule.kernel is Kernel.BICUBIC and border else Fraction(0)
            yield f"{name}: column {j}", largest, "<=", 1 - 4 * a / 27
        halfway = coarse >= 4 and coarse % 2 == 0 and fine == coarse + 1 and not rule.aligned
        if halfway and rule.kernel is not Kernel.NEAREST:
            # The bound cannot be raised: 1/2 - 1/(h + 1) tends to 1/2.
            middle = largest_of_columns(exact(rule, coarse, fine))[coarse // 2]
            yield f"{name}: middle column", middle, "==", rule.weight(Fraction(1, 2) - Fraction(1, fine))


def other_weights(cases: Iterable[tuple[Interpolation, int, int]]) -> Claims:
    """Yield the claims that compare the smallest entry of every column with the largest."""
    for rule, coarse, fine in cases:
        a = Fraction(rule.a) if rule.kernel is Kernel.BICUBIC else Fraction(0)
        matrix = exact(rule, coarse, fine)
        for j, (column, largest) in enumerate(
            zip(zip(*matrix, strict=True), largest_of_columns(matrix), strict=True)
        ):
            name = f"{rule}, {coarse} -> {fine}, column {j}"
            yield name, min(column), ">=", 4 * a / 27
            yield name, min(column), ">", -largest
            yield name, min(column) / largest, ">=", -negative_share(rule)


def supports_and_slots(case: tuple[Interpolation, int, int]) -> bool:
    """Tell whether columns a spacing apart share no row, and the slots are as many as stated."""
    rule, coarse, fine = case
    spacing = STATED_SPACING[rule.kernel]
    for row in exact(rule, coarse, fine):
        support = [j for j, weight in enumerate(row) if weight]
        if max(support) - min(support) >= spacing:
            return False
    slots = axis_slots(rule, coarse, fine)
    enough = len(slots) >= slots_per_axis_at_least(rule.kernel, coarse) == len(range(0, coarse, spacing))
    return enough and all(s.coarse <= spacing * n for n, s in enumerate(slots) if spacing * n < coarse)


def computed_slots(case: tuple[Interpolation, int, int]) -> bool:
    """Tell whether the slots found in floats lie on exact largest weights, with weights right to 2^-49."""
    rule, coarse, fine = case
    matrix = exact(rule, coarse, fine)
    largest = largest_of_columns(matrix)
    return all(
        matrix[slot.fine][slot.coarse] == largest[slot.coarse]
        and abs(Fraction(slot.weight) - largest[slot.coarse]) <= Fraction(1, 2**49)
        for slot in axis_slots(rule, coarse, fine)
    )


def draw_map(generator: np.random.Generator) -> tuple[Interpolation, Pixel, Pixel, int]:
    """Draw a rule, the shapes of two maps, and a seed for the tokens."""
    rule = RULES[generator.integers(len(RULES))]
    (h, fine_h), (w, fine_w) = np.sort(generator.integers(1, 41, size=(2, 2)), axis=1).tolist()
    return rule, (h, w), (fine_h, fine_w), int(generator.integers(2**32))


def map_is_isolated(case: tuple[Interpolation, Pixel, Pixel, int]) -> bool:
    """Interpolate random tokens in double precision and compare every fine pixel with the lemma."""
    rule, coarse, fine, seed = case
    slots = grid_slots(rule, coarse, fine, capacity(rule, coarse, fine))
    tokens = np.random.default_rng(seed).standard_normal((len(slots), 3))
    grid = np.zeros((*coarse, 3))
    grid[slots.coarse[:, 0], slots.coarse[:, 1]] = tokens / slots.weight[:, None]
    carried = rule.apply(grid, fine).reshape(-1, 3)
    shares = rule.block(coarse, fine, slice(None), slots.coarse)
    shares.data /= slots.weight[shares.indices]
    own = slots.fine @ (fine[1], 1)
    close = 2.0**-50 * abs(shares) @ abs(tokens)
    return bool(
        np.diff(shares.indptr).max() <= 1
        and abs(shares.data).max() <= 1
        and (shares[own].toarray() == np.eye(len(slots))).all()
        and (abs(carried - shares @ tokens) <= close).all()
    )


NAMED = (Interpolation(), (13, 13), (16, 16))


def spaced_slots(spacing: int) -> list[ExactSlot]:
    """Return slots of the named map at multiples of a spacing, with their right weights and fine pixels."""
    matrix = exact(NAMED[0], 13, 16)
    largest = largest_of_columns(matrix)
    axis = [(j, [row[j] for row in matrix].index(largest[j])) for j in range(0, 13, spacing)]
    return [ExactSlot((j, j2), (i, i2), largest[j] * largest[j2]) for (j, i), (j2, i2) in product(axis, axis)]


def broken(slots: list[ExactSlot]) -> Evidence:
    """Put a broken choice of slots on the named map to the test of the lemma."""
    matrix = exact(NAMED[0], 13, 16)
    return exhaustive(
        "(4) tokens in the plane",
        "all fine pixels of 13 x 13 -> 16 x 16, bicubic with a = -3/4, exact",
        np.ndindex(16, 16),
        256,
        lambda pixel: isolated_at(matrix, matrix, slots, pixel),
    )


@isolation.control("tokens are not divided by their weights")
def _(run: Run) -> Evidence:
    return broken([slot._replace(divisor=Fraction(1)) for slot in chosen_slots(*NAMED)])


@isolation.control("slots three pixels apart, whose supports overlap")
def _(run: Run) -> Evidence:
    return broken(spaced_slots(SPACING[Kernel.BICUBIC] - 1))


@isolation.control("tokens are divided by the first weight of their support, not the largest")
def _(run: Run) -> Evidence:
    matrix = exact(NAMED[0], 13, 16)
    first = {j: next(i for i, row in enumerate(matrix) if row[j]) for j in range(13)}
    slots = []
    for slot in chosen_slots(*NAMED):
        (j, j2), (i, i2) = slot.coarse, (first[slot.coarse[0]], first[slot.coarse[1]])
        slots.append(ExactSlot(slot.coarse, (i, i2), matrix[i][j] * matrix[i2][j2]))
    return broken(slots)
