"""Checks of lem-partition-of-unity, lem-keys-kernel and lem-lebesgue: the weights of up-interpolation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from math import gcd, prod

from checks.evidence import Evidence, certified, exhaustive, symbolic
from checks.evidence.registry import Run, lemma
from checks.lower_bound.interpolation_weights.identities import family_identities, interior_identities
from reductions.lower_bound.interpolation_weights import (
    is_interior,
    keys_moment,
    keys_taps,
    lebesgue_bound,
    lebesgue_constant,
    operator_norm,
    phase,
    row_norm,
)
from reductions.problems.interpolation import Interpolation, Kernel, keys_inner, keys_outer

KEYS_PARAMETERS = (-1.0, -0.75, -0.5, -0.3, 0.0)
CUBICS = tuple(Interpolation(a=a, aligned=aligned) for a in KEYS_PARAMETERS for aligned in (False, True))
RULES = (
    Interpolation(Kernel.NEAREST),
    Interpolation(Kernel.BILINEAR),
    Interpolation(Kernel.BILINEAR, aligned=True),
    *CUBICS,
)
CUBICS_IN_WORDS = "bicubic with a = -1, -3/4, -1/2, -0.3 and 0; both conventions"
RULES_IN_WORDS = f"nearest, bilinear and {CUBICS_IN_WORDS}"

SUMS = "the weights of every fine pixel sum to 1"
FAMILY = "the family: exactly the Keys kernels have the stated properties"
SMOOTH = "smoothness: once continuously differentiable, never twice"
SIGNS = "signs, and the minimum 4a/27 at distance 4/3"
POLYNOMIALS = "polynomials up to degree two, away from the border"
CUBES = "which interior pixels reproduce linear, quadratic and cubic polynomials"
INTERIOR = "the absolute weights of an interior pixel"
ROWS = "the absolute weights of every fine pixel, at the border too"
BOUND = "the bound for a ratio, and when it is attained"
MAPS = "maps: the norm is the product over the axes, attained by a map of entries ±1"

Matrix = list[list[Fraction]]
Case = tuple[Interpolation, int, int]


@cache
def exact(rule: Interpolation, coarse: int, fine: int) -> Matrix:
    """Return the exact operator of one axis; kept, because several claims read it."""
    return rule.exact_matrix(coarse, fine)


def spread(rules: tuple[Interpolation, ...], largest: int) -> tuple[str, list[Case], int]:
    """Return the scope, the cases and their number: all rules and all 1 <= coarse <= fine <= largest."""
    words = RULES_IN_WORDS if rules is RULES else CUBICS_IN_WORDS
    cases = [(r, h, f) for r in rules for f in range(1, largest + 1) for h in range(1, f + 1)]
    return f"all 1 <= h <= h' <= {largest}; {words}", cases, len(rules) * largest * (largest + 1) // 2


def norm(row: list[Fraction]) -> Fraction:
    """Return the sum of the absolute values."""
    return sum(map(abs, row), Fraction(0))


@lemma(
    "lem-partition-of-unity",
    title="Interpolation weights sum to one",
    statement_uses=("def-interpolation",),
    source="Key81",
)
def partition_of_unity(run: Run) -> Iterator[Evidence]:
    """For all phases and all real a by algebra; with the clamped border on all small axes."""
    import sympy

    x, a = sympy.symbols("sigma a", real=True)
    yield symbolic(
        SUMS,
        "the taps of any sample: bilinear, and bicubic with every real a",
        {"bilinear": (1 - x) + x - 1, "bicubic": sum(keys_taps(x, a)) - 1},
    )
    scope, cases, count = spread(RULES, run.pick(quick=12, full=24))
    yield exhaustive("replicated borders keep the sums", scope, cases, count, sums_to_one)


def sums_to_one(case: Case) -> bool:
    """Tell whether every row of the exact operator sums to 1."""
    return all(sum(row) == 1 for row in exact(*case))


def _rows_13_to_16(
    claim: str, rows: Callable[[int], list[Fraction]], holds: Callable[[int], bool]
) -> Evidence:
    scope = f"the 16 rows of 13 -> 16, bicubic with a = -3/4: {[str(sum(rows(i))) for i in (0, 1, 2)]}, ..."
    return exhaustive(claim, scope, range(16), 16, holds)


def unclamped_row(i: int, kernel: Callable[[Fraction], Fraction] | None = None) -> list[Fraction]:
    """Return the weights of a fine pixel of 13 -> 16 in which taps off the axis are left out."""
    rule = Interpolation()
    position = rule.position(i, 13, 16)
    return [(kernel or rule.weight)(position - k) for k in range(13)]


@partition_of_unity.control("zero padding: taps that fall off the axis are dropped")
def zero_padding(run: Run) -> Evidence:
    """The first pixel then sums to less or more than 1."""
    return _rows_13_to_16(SUMS, unclamped_row, lambda i: sum(unclamped_row(i)) == 1)


@partition_of_unity.control("only the tap two pixels off the axis is dropped")
def dropped_border_tap(run: Run) -> Evidence:
    """Row 0 samples -3/32, so its first tap is two pixels off."""
    rule = Interpolation()

    def row(i: int) -> list[Fraction]:
        s = rule.position(i, 13, 16)
        return [rule.weight(s - k) for k in range(s.__floor__() - 1, s.__floor__() + 3) if -2 < k < 14]

    return _rows_13_to_16(SUMS, row, lambda i: sum(row(i)) == 1)


@partition_of_unity.control("a wrong coefficient: (a + 3) x^2 becomes (a + 2) x^2")
def wrong_coefficient(run: Run) -> Evidence:
    """The inner piece no longer vanishes at distance 1."""
    import sympy

    x, a = sympy.symbols("sigma a", real=True)
    inner = [keys_inner(distance, a) + distance**2 for distance in (x, 1 - x)]
    outer = [keys_outer(1 + distance, a) for distance in (x, 1 - x)]
    return symbolic(SUMS, "the taps of any sample, every real a", {"bicubic": sum(inner + outer) - 1})


@lemma(
    "lem-keys-kernel",
    title="What a Keys kernel can do",
    statement_uses=("def-interpolation",),
    proof_uses=("lem-partition-of-unity",),
    source="Key81",
)
def keys_kernel(run: Run) -> Iterator[Evidence]:
    """All by algebra, and the polynomials once more on all small axes."""
    import sympy

    x, a = sympy.symbols("sigma a", real=True)
    yield symbolic(FAMILY, "all even piecewise cubics on [-2, 2] with knots 0, 1, 2", family_identities())
    second = [sympy.diff(piece(x, a), x, 2) for piece in (keys_inner, keys_outer)]
    first = [sympy.diff(piece(x, a), x) for piece in (keys_inner, keys_outer)]
    yield symbolic(
        SMOOTH,
        "every real a",
        {
            "first derivative at 0": first[0].subs(x, 0),
            "first derivative at 1": first[0].subs(x, 1) - first[1].subs(x, 1),
            "first derivative at 2": first[1].subs(x, 2),
            "second derivative jumps at 1 by -2 (4a + 3)": (second[1] - second[0]).subs(x, 1)
            + 2 * (4 * a + 3),
            "second derivative jumps at 2 by -2a": -second[1].subs(x, 2) + 2 * a,
        },
    )
    y = 1 - x
    yield symbolic(
        SIGNS,
        "every real a, all distances",
        {
            "inner piece: both terms nonnegative for a <= 0": keys_inner(x, a)
            - y * (y * (1 + 2 * x) - a * x**2),
            "outer piece: the sign of a": keys_outer(1 + x, a) - a * x * y**2,
            "outer piece minus 4a/27": keys_outer(1 + x, a)
            - 4 * a / 27
            + a * (x - sympy.Rational(1, 3)) ** 2 * (sympy.Rational(4, 3) - x),
            "a > 0: the slope a at distance 1 is positive": sympy.diff(keys_inner(x, a), x).subs(x, 1) - a,
            "a < -3: the second derivative -2 (a + 3) at 0": second[0].subs(x, 0) + 2 * (a + 3),
        },
    )
    linear, quadratic = x * y * (2 * x - 1) * (1 + 2 * a), 4 * x**2 * y**2 * (1 + 2 * a)
    yield symbolic(
        POLYNOMIALS,
        "every real a, every phase",
        {
            "moment 1": keys_moment(x, a, 1) - linear,
            "moment 2": keys_moment(x, a, 2) - quadratic,
            "moment 3 at a = -1/2": keys_moment(x, -sympy.Rational(1, 2), 3) + x * y * (2 * x - 1),
        },
    )
    scope, cases, count = spread(CUBICS, run.pick(quick=12, full=24))
    yield exhaustive(CUBES, scope, cases, count, reproduces_as_stated)


def reproduced_degree(row: list[Fraction], position: Fraction) -> int:
    """Return the largest g <= 3 such that the row maps (j^e)_j to position^e for all e <= g; -1 if none."""
    for degree in range(4):
        if sum(weight * j**degree for j, weight in enumerate(row)) != position**degree:
            return degree - 1
    return 3


def stated_degree(rule: Interpolation, position: Fraction) -> int:
    """Return the degree that the lemma states for an interior pixel, capped at 3."""
    at = phase(position)
    if at == 0:
        return 3
    if rule.a == -0.5:
        return 3 if at == Fraction(1, 2) else 2
    return 1 if at == Fraction(1, 2) else 0


def reproduces_as_stated(case: Case) -> bool:
    """Tell whether every interior row reproduces exactly the polynomials that the lemma states."""
    rule, coarse, fine = case
    positions = (rule.position(i, coarse, fine) for i in range(fine))
    return all(
        reproduced_degree(row, s) == stated_degree(rule, s)
        for row, s in zip(exact(*case), positions, strict=True)
        if is_interior(s, coarse)
    )


def _linear_at(rule: Interpolation, interior_only: bool) -> Evidence:
    rows = [i for i in range(16) if not interior_only or is_interior(rule.position(i, 13, 16), 13)]
    which = f"{len(rows)} {'interior ' if interior_only else ''}rows"
    return exhaustive(
        "linear functions are reproduced",
        f"the {which} of 13 -> 16, a = {Fraction(rule.a)}",
        rows,
        len(rows),
        lambda i: reproduced_degree(exact(rule, 13, 16)[i], rule.position(i, 13, 16)) >= 1,
    )


@keys_kernel.control("a = -3/4 in place of -1/2")
def pytorch_parameter(run: Run) -> Evidence:
    """The cubic of PyTorch bends a straight line."""
    return _linear_at(Interpolation(), interior_only=True)


@keys_kernel.control("a = -1/2, but pixels at the border are asked for as well")
def border_is_not_linear(run: Run) -> Evidence:
    """Replication continues a straight line by a constant."""
    return _linear_at(Interpolation(a=-0.5), interior_only=False)


@keys_kernel.control("the minimum is sought at distance 3/2")
def wrong_minimum(run: Run) -> Evidence:
    """At a = -3/4 the kernel is -3/32 there, above its minimum -1/9."""
    rule = Interpolation()
    at = rule.weight(Fraction(3, 2))
    distances = [Fraction(n, 30) for n in range(61)]
    return exhaustive(
        "the minimum is at distance 3/2",
        "a = -3/4, distances n/30 up to 2",
        distances,
        61,
        lambda distance: rule.weight(distance) >= at,
    )


@keys_kernel.control("a wrong coefficient: -5a x^2 becomes -4a x^2 in the outer piece")
def wrong_outer_piece(run: Run) -> Evidence:
    """The outer piece no longer vanishes at distances 1 and 2."""
    import sympy

    x, a = sympy.symbols("x a")
    outer = keys_outer(x, a) + a * x**2
    return symbolic(SMOOTH, "every real a", {"value at 2": outer.subs(x, 2), "value at 1": outer.subs(x, 1)})


@lemma(
    "lem-lebesgue",
    title="The Lebesgue constant of up-interpolation",
    statement_uses=("def-interpolation",),
    proof_uses=("lem-partition-of-unity", "lem-keys-kernel"),
)
def lebesgue(run: Run) -> Iterator[Evidence]:
    """The formulas by algebra, then every row of all small axes in rational arithmetic."""
    yield symbolic(INTERIOR, "every a <= 0 and every phase", interior_identities())
    scope, cases, count = spread(RULES, run.pick(quick=12, full=24))
    yield exhaustive(ROWS, scope, cases, count, rows_have_stated_norms)
    yield exhaustive(BOUND, scope, cases, count, bound_is_right)
    side = run.pick(quick=4, full=6)
    axes = [(h, f) for f in range(1, side + 1) for h in range(1, f + 1)]
    yield exhaustive(
        MAPS,
        f"all maps with sides up to {side}; {RULES_IN_WORDS}",
        product(RULES, axes, axes),
        len(RULES) * (side * (side + 1) // 2) ** 2,
        lambda case: map_norm_is_attained(*case),
    )


def rows_have_stated_norms(case: Case) -> bool:
    """Compare every row of the exact operator with the formula; a border pixel is below an interior one."""
    rule, coarse, fine = case
    for i, row in enumerate(exact(*case)):
        s = rule.position(i, coarse, fine)
        if norm(row) != row_norm(rule, coarse, fine, i):
            return False
        if is_interior(s, coarse) != all(0 <= s.__floor__() + k < coarse for k in (-1, 0, 1, 2)):
            return False
        x = phase(s)
        inner = 1 + 2 * abs(Fraction(rule.a)) * x * (1 - x)
        cubic = rule.kernel is Kernel.BICUBIC and rule.a != 0 and x != 0
        if cubic and (norm(row) == inner) != is_interior(s, coarse):
            return False
    return True


def bound_is_right(case: Case) -> bool:
    """No row exceeds the bound of the ratio; it is attained where the lemma says so; the supremum holds."""
    rule, coarse, fine = case
    largest = max(map(norm, exact(*case)))
    bound = lebesgue_bound(*case)
    attained = largest == bound or coarse - 3 < coarse // gcd(coarse, fine)
    return largest <= bound <= lebesgue_constant(rule) and attained


def map_norm_is_attained(rule: Interpolation, rows: tuple[int, int], columns: tuple[int, int]) -> bool:
    """Find the largest absolute row sum of the Kronecker product, and a map of ±1 that reaches it."""
    tall, wide = exact(rule, *rows), exact(rule, *columns)
    sums = {}
    for i, i2 in product(range(rows[1]), range(columns[1])):
        sums[i, i2] = sum(abs(u * v) for u, v in product(tall[i], wide[i2]))
    i, i2 = max(sums, key=lambda pixel: sums[pixel])
    weights = [u * v for u, v in product(tall[i], wide[i2])]
    reached = sum(weight * (1 if weight >= 0 else -1) for weight in weights)
    stated = operator_norm(rule, (rows[0], columns[0]), (rows[1], columns[1]))
    return sums[i, i2] == reached == stated == prod(max(map(norm, matrix)) for matrix in (tall, wide))


def _norms_8_to_16(rule: Interpolation, stated: Callable[[int], Fraction], words: str) -> Evidence:
    return exhaustive(
        words,
        f"the 16 rows of 8 -> 16, a = -3/4, {'aligned' if rule.aligned else 'half-pixel centres'}",
        range(16),
        16,
        lambda i: norm(exact(rule, 8, 16)[i]) == stated(i),
    )


@lebesgue.control("the sign of a is wrong: 1 + 2 a sigma (1 - sigma)")
def wrong_sign(run: Run) -> Evidence:
    """Then the norm would be below the sum of the weights."""
    rule = Interpolation()
    return _norms_8_to_16(rule, lambda i: 2 - row_norm(rule, 8, 16, i), INTERIOR)


@lebesgue.control("weights are added without absolute values")
def plain_sum(run: Run) -> Evidence:
    """All sums are 1, the norms are not."""
    return _norms_8_to_16(Interpolation(), lambda i: Fraction(1), INTERIOR)


@lebesgue.control("the interior formula is used at the border")
def interior_formula_at_the_border(run: Run) -> Evidence:
    """Row 0 of 8 -> 16 has norm 1 + 9|a|/32, not 1 + 3|a|/8."""
    return _norms_8_to_16(Interpolation(), lambda i: 1 + Fraction(3, 8) * Fraction(3, 4), ROWS)


@lebesgue.control("1 + 3|a|/8 at ratio 2, aligned")
def aligned_doubling(run: Run) -> Evidence:
    """Aligned doubling meets phase 1/2, where the norm is 1 + |a|/2."""
    rule = Interpolation(aligned=True)
    largest = max(map(norm, exact(rule, 8, 16)))
    bound = 1 + Fraction(3, 8) * Fraction(3, 4)
    return certified(BOUND, "8 -> 16, a = -3/4, aligned", [("largest norm", largest, "<=", bound)])
