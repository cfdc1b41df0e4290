"""Check of lem-token-count: tokens, visible pairs and multiplications of a pyramid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checks.evidence import Evidence, exhaustive, symbolic
from checks.evidence.registry import Run, lemma
from checks.exact.counting import Counted, Tally
from reductions.lower_bound.token_count import (
    least_growth,
    multiplications,
    pair_bound,
    textbook_attention,
    token_bound,
    visible_pairs,
)
from reductions.problems.attention import attention
from reductions.problems.schedule import RELEASED_SIDES, square_schedule, token_count

PAIRS = "(1) P = (L^2 + sum h^4) / 2, between n^2 L and L^2"
WORK = "(1) exact attention makes (d + d_v) P multiplications"
GROWTH = "(2) L and P of schedules whose sides grow by a factor"
CLOSED = "(3) closed forms of geometric schedules"
EVERY = "(4) the schedule 1, 2, ..., n has the most tokens, and these are too many"
RELEASED = "(5) the released schedule"

Sides = tuple[int, ...]


def all_sides(largest: int) -> list[Sides]:
    """Return all increasing sequences of sides between 1 and ``largest``: one for every nonempty set."""
    numbers = range(1, largest + 1)
    return [sides for count in numbers for sides in combinations(numbers, count)]


def block_causal_mask(sides: Sides) -> NDArray[np.bool_]:
    """Return the block-causal mask, shape (L, L), from the scale of every token."""
    scale = np.repeat(np.arange(len(sides)), np.square(sides))
    return scale[:, None] >= scale


def pairs_are_right(sides: Sides) -> bool:
    """Count the mask, and compare with the identity and its consequences."""
    n, schedule = sides[-1], square_schedule(sides)
    tokens, pairs = token_count(schedule), visible_pairs(schedule)
    fourth = sum(side**4 for side in sides)
    counted = int(np.count_nonzero(block_causal_mask(sides)))
    return 2 * pairs == 2 * counted == tokens**2 + fourth and n**4 <= n**2 * tokens <= pairs <= tokens**2


def growth_bounds_hold(sides: Sides) -> bool:
    """Compare L with the bound of every window in which the sides grow, and P with that of window 1."""
    n, schedule = sides[-1], square_schedule(sides)
    tokens, pairs = token_count(schedule), visible_pairs(schedule)
    for window in range(1, len(sides)):
        growth = least_growth(sides, window)
        if growth is not None and not n**2 <= tokens < token_bound(n, growth, window):
            return False
    growth = least_growth(sides)
    return growth is None or pairs < pair_bound(n, growth)


WorkCase = tuple[Sides, int, int]


def tallied_run(case: WorkCase) -> tuple[Tally, float]:
    """Run the textbook algorithm on random numbers; return the counts and its deviation from numpy."""
    sides, d, value_dimension = case
    schedule = square_schedule(sides)
    tokens = token_count(schedule)
    generator = np.random.default_rng(tokens)
    queries, keys = generator.standard_normal((2, tokens, d))
    values = generator.standard_normal((tokens, value_dimension))
    tally = Tally()
    rows = [[[Counted(x, tally) for x in row] for row in side.tolist()] for side in (queries, keys, values)]
    outputs = textbook_attention(rows[0], rows[1], rows[2], schedule, 1.5, Counted.exponential)
    stops = np.cumsum(np.square(sides)).tolist()
    starts = [0, *stops[:-1]]
    expected = np.concatenate(
        [
            attention(queries[start:stop], keys[:stop], values[:stop], 1.5)
            for start, stop in zip(starts, stops, strict=True)
        ]
    )
    found = np.array([[x.value for x in row] for row in outputs])
    return tally, float(np.abs(found - expected).max())


def work_is(stated: Callable[[WorkCase], int]) -> Callable[[WorkCase], bool]:
    """Return the predicate that compares executed multiplications with a stated number."""

    def holds(case: WorkCase) -> bool:
        tally, deviation = tallied_run(case)
        return tally.multiplications == stated(case) and deviation < 2.0**-40

    return holds


def stated_work(case: WorkCase) -> int:
    """Return what the lemma states."""
    return multiplications(square_schedule(case[0]), case[1], case[2])


def division_and_exponentials(case: WorkCase) -> bool:
    """P exponentials and P + L d_v divisions."""
    schedule = square_schedule(case[0])
    pairs = visible_pairs(schedule)
    tally, _ = tallied_run(case)
    divisions = pairs + token_count(schedule) * case[2]
    return (tally.exponentials, tally.divisions) == (pairs, divisions)


def pair_identity() -> dict[str, Any]:
    """The sum over ordered pairs of scales is half of the square plus the diagonal; six scales."""
    import sympy

    areas = sympy.symbols("a1:7", positive=True)
    pairs = sum(areas[k] * sum(areas[: k + 1]) for k in range(6))
    return {"P": pairs - (sum(areas) ** 2 + sum(a**2 for a in areas)) / 2}


def closed_form_identities() -> dict[str, Any]:
    """Induction on the scales: the first scale and the step from n to r n, for every ratio r."""
    import sympy

    n, r = sympy.symbols("n r", positive=True)

    def tokens(side: Any) -> Any:
        return (r**2 * side**2 - 1) / (r**2 - 1)

    def pairs(side: Any) -> Any:
        return (r**2 * side**2 - 1) * (r**4 * side**2 - 1) / ((r**2 - 1) ** 2 * (r**2 + 1))

    g = r**2
    return {
        "L of one scale": tokens(1) - 1,
        "L, step": tokens(r * n) - tokens(n) - (r * n) ** 2,
        "P of one scale": pairs(1) - 1,
        "P, step": pairs(r * n) - pairs(n) - (r * n) ** 2 * tokens(r * n),
        "L below its bound by 1/(r^2 - 1)": n**2 * g / (g - 1) - tokens(n) - 1 / (g - 1),
        "P at ratio 2": pairs(n).subs(r, 2) - (4 * n**2 - 1) * (16 * n**2 - 1) / 45,
        "P over its bound tends to 1": sympy.limit(
            pairs(n) / (n**4 * g**3 / ((g - 1) ** 2 * (g + 1))), n, sympy.oo
        )
        - 1,
    }


def geometric_bounds_are_exact(case: tuple[int, int]) -> bool:
    """Sides 1, r, ..., r^(K-1): by how much L and P stay below their bounds, and the growth of windows."""
    ratio, scales = case
    sides = tuple(ratio**k for k in range(scales))
    n, g, schedule = sides[-1], ratio**2, square_schedule(sides)
    below = token_bound(n, Fraction(ratio)) - token_count(schedule)
    pairs_below = pair_bound(n, Fraction(ratio)) - visible_pairs(schedule)
    windows = range(1, scales + 2)
    return (
        below == Fraction(1, g - 1)
        and pairs_below == Fraction((g + g**2) * n**2 - 1, (g - 1) ** 2 * (g + 1))
        and all(token_bound(n, Fraction(5, 4), m) == m * n**2 * Fraction(25, 9) for m in windows)
        and [least_growth(sides, m) for m in windows]
        == [Fraction(ratio**m) if m < scales else None for m in windows]
    )


def every_side_identities() -> dict[str, Any]:
    """Induction on n for the schedule 1, 2, ..., n, and the growth of L and P."""
    import sympy

    n = sympy.Symbol("n", positive=True)
    tokens = n * (n + 1) * (2 * n + 1) / 6
    fourth = n * (n + 1) * (2 * n + 1) * (3 * n**2 + 3 * n - 1) / 30
    pairs = (tokens**2 + fourth) / 2
    return {
        "L, first": tokens.subs(n, 1) - 1,
        "L, step": tokens - tokens.subs(n, n - 1) - n**2,
        "sum of fourth powers, first": fourth.subs(n, 1) - 1,
        "sum of fourth powers, step": fourth - fourth.subs(n, n - 1) - n**4,
        "L / n^3 tends to 1/3": sympy.limit(tokens / n**3, n, sympy.oo) - sympy.Rational(1, 3),
        "P / n^6 tends to 1/18": sympy.limit(pairs / n**6, n, sympy.oo) - sympy.Rational(1, 18),
    }


def every_side_is_most(sides: Sides) -> bool:
    """No schedule ending in n has more tokens than 1, 2, ..., n."""
    n = sides[-1]
    return 6 * token_count(square_schedule(sides)) <= n * (n + 1) * (2 * n + 1)


@lemma("lem-token-count", title="Tokens and exact work", statement_uses=("def-var",))
def token_count_lemma(run: Run) -> Iterator[Evidence]:
    """Identities by algebra; masks counted, bounds compared and operations tallied on all small schedules."""
    largest = run.pick(quick=8, full=11)
    schedules = all_sides(largest)
    count = 2**largest - 1
    scope = f"all {count} increasing sequences of sides up to {largest}"
    yield symbolic(PAIRS, "six scales of any areas", pair_identity())
    yield exhaustive(PAIRS, f"{scope}, the mask counted", schedules, count, pairs_are_right)
    small = run.pick(quick=3, full=4)
    work = list(product(all_sides(small), (1, 3), (1, 2)))
    words = f"all {2**small - 1} schedules with sides up to {small}, d = 1, 3, d_v = 1, 2, operations tallied"
    yield exhaustive(WORK, words, work, 4 * (2**small - 1), work_is(stated_work))
    yield exhaustive(
        "(1) it takes P exponentials and P + L d_v divisions",
        words,
        work,
        4 * (2**small - 1),
        division_and_exponentials,
    )
    yield exhaustive(GROWTH, f"{scope}, every window", schedules, count, growth_bounds_hold)
    yield symbolic(CLOSED, "every ratio r and every number of scales", closed_form_identities())
    geometric = list(product((2, 3, 4), range(1, 7)))
    words = "ratios 2, 3 and 4, up to six scales, and their distance from the bounds of (2)"
    yield exhaustive(CLOSED, words, geometric, 18, geometric_bounds_are_exact)
    yield symbolic(EVERY, "every n", every_side_identities())
    yield exhaustive(EVERY, scope, schedules, count, every_side_is_most)
    yield exhaustive(
        RELEASED,
        "1, 2, 3, 4, 5, 6, 8, 10, 13, 16: L = 680, P = 286,434",
        [RELEASED_SIDES],
        1,
        released_counts,
    )


def released_counts(sides: Sides) -> bool:
    """Count tokens and visible pairs of the mask."""
    seen = block_causal_mask(sides)
    return (len(seen), int(np.count_nonzero(seen))) == (680, 286_434) and pairs_are_right(sides)


@token_count_lemma.control("all pairs are counted, as if there were no mask")
def without_mask(run: Run) -> Evidence:
    """Full attention would make (d + d_v) L^2 multiplications."""

    def full(case: WorkCase) -> int:
        return (case[1] + case[2]) * token_count(square_schedule(case[0])) ** 2

    return exhaustive(WORK, "sides 1, 2, 3, d = d_v = 1", [((1, 2, 3), 1, 1)], 1, work_is(full))


@token_count_lemma.control("a scale is not counted as attending to itself")
def without_own_scale(run: Run) -> Evidence:
    """Then a single scale would have no pairs."""

    def earlier(case: WorkCase) -> int:
        return stated_work(case) - (case[1] + case[2]) * sum(side**4 for side in case[0])

    return exhaustive(WORK, "sides 1, 2, 3, d = d_v = 1", [((1, 2, 3), 1, 1)], 1, work_is(earlier))


@token_count_lemma.control("the mean growth in place of the least")
def mean_growth(run: Run) -> Evidence:
    """The released sides grow by 16^(1/9) = 1.36 on average, which would allow 557 tokens only."""
    n, steps = RELEASED_SIDES[-1], len(RELEASED_SIDES) - 1
    growth = Fraction(n ** (1 / steps)).limit_denominator(1000)
    return exhaustive(
        GROWTH,
        f"the released schedule, L = 680 against {float(token_bound(n, growth)):.0f}",
        [RELEASED_SIDES],
        1,
        lambda sides: token_count(square_schedule(sides)) < token_bound(n, growth),
    )


@token_count_lemma.control("the schedule 1, 2, ..., n is taken to have at most 4 n^2 tokens")
def too_many_scales(run: Run) -> Evidence:
    """It does up to n = 10, and fails from then on."""
    return exhaustive(
        EVERY,
        "n = 1, ..., 16",
        range(1, 17),
        16,
        lambda n: token_count(square_schedule(range(1, n + 1))) <= 4 * n**2,
    )


@token_count_lemma.control("the closed form of ratio 2 is used for the released schedule")
def closed_form_elsewhere(run: Run) -> Evidence:
    """It gives 341."""
    return exhaustive(
        CLOSED,
        "the released schedule",
        [RELEASED_SIDES],
        1,
        lambda sides: 3 * token_count(square_schedule(sides)) == 4 * sides[-1] ** 2 - 1,
    )
