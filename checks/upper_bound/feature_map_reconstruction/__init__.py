"""Check of lem-feature-map-reconstruction: the definition, its exact cost, and how errors pass through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from checks.evidence import Claims, Evidence, certified, exhaustive
from checks.evidence.registry import Run, lemma
from checks.exact.counting import Counted, Tally
from checks.lower_bound.token_count import all_sides
from reductions.layers.convolution import Convolution
from reductions.lower_bound.interpolation_weights import lebesgue_constant, operator_norm
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import Schedule, square_schedule
from reductions.upper_bound.feature_map_reconstruction import (
    Matrix,
    Reconstruction,
    textbook_reconstruction,
)

DEFINITION = "(1) f is what the textbook computes number by number in rational arithmetic"
COST = "(2) the multiplications are as many as stated, tallied"
BOUND = "(2) there are at most K n_h n_w c (9 c' + 2 t) of them"
ERROR = "(3) errors of the maps grow at most by Lambda_k ||W_k||, summed over the scales"
SHARP = "(3) the last scale, and centre taps on every scale, attain the bound"

RULES = (
    Interpolation(),
    Interpolation(aligned=True),
    Interpolation(a=-1.0),
    Interpolation(Kernel.BILINEAR),
    Interpolation(Kernel.NEAREST),
)
OBLONG: tuple[Schedule, ...] = (((1, 2), (2, 3), (3, 5)), ((4, 1), (5, 1)), ((2, 4), (6, 7)))


class Case(NamedTuple):
    """A schedule, a rule, the channels in and out, and whether the filters have centre taps only."""

    schedule: Schedule
    rule: Interpolation
    channels: tuple[int, int] = (2, 2)
    centred: bool = False

    def build(self) -> Reconstruction:
        """Return random filters of eighths, exact in float64 as are their sums."""
        generator = np.random.default_rng(sum(h * w for h, w in self.schedule))
        shape = (3, 3, *self.channels)
        convolutions = []
        for _ in self.schedule:
            filters = generator.integers(-8, 9, shape) / 8
            if self.centred:
                filters[np.arange(9).reshape(3, 3) != 4] = 0
            convolutions.append(Convolution(filters, generator.integers(-8, 9, self.channels[1]) / 8))
        return Reconstruction(self.schedule, self.rule, tuple(convolutions))

    def operators(self) -> list[tuple[Matrix, Matrix]]:
        """Return the axis operators of every scale, in rational arithmetic."""
        height, width = self.schedule[-1]
        return [
            (self.rule.exact_matrix(h, height), self.rule.exact_matrix(w, width)) for h, w in self.schedule
        ]


def schedules(largest: int) -> list[Schedule]:
    """Return all square schedules with sides up to ``largest``, and three oblong ones."""
    return [*(square_schedule(sides) for sides in all_sides(largest)), *OBLONG]


def drawn_maps(case: Case) -> list[NDArray[np.int64]]:
    """Return random maps of small integers."""
    generator = np.random.default_rng(len(case.schedule))
    return [generator.integers(-8, 9, (h, w, case.channels[0])) for h, w in case.schedule]


def is_the_definition(case: Case) -> bool:
    """Compare the array program with rational arithmetic; float64 is off by far less than 2^-35."""
    reconstruction, maps = case.build(), drawn_maps(case)
    exact_maps = [[[[Fraction(x) for x in p] for p in row] for row in grid.tolist()] for grid in maps]
    exact = textbook_reconstruction(reconstruction, exact_maps, case.operators())
    computed = reconstruction([grid.astype(np.float64) for grid in maps]).tolist()
    return all(
        abs(Fraction(x) - y) <= Fraction(1, 2**35)
        for rows in zip(computed, exact, strict=True)
        for pixels in zip(*rows, strict=True)
        for x, y in zip(*pixels, strict=True)
    )


def cost_is(stated: Callable[[Reconstruction], int]) -> Callable[[Case], bool]:
    """Return the predicate that tallies the textbook's multiplications and compares."""

    def holds(case: Case) -> bool:
        reconstruction, tally = case.build(), Tally()
        maps = [
            [[[Counted(x, tally) for x in p] for p in row] for row in grid.tolist()]
            for grid in drawn_maps(case)
        ]
        textbook_reconstruction(reconstruction, maps, case.operators())
        return tally.multiplications == stated(reconstruction)

    return holds


def within_bound(case: Case) -> bool:
    """Compare the exact count with K n_h n_w c (9 c' + 2 t)."""
    reconstruction = case.build()
    taps = {Kernel.NEAREST: 1, Kernel.BILINEAR: 2, Kernel.BICUBIC: 4}[case.rule.kernel]
    height, width = case.schedule[-1]
    bound = len(case.schedule) * height * width * case.channels[0] * (9 * case.channels[1] + 2 * taps)
    return reconstruction.multiplications() <= bound == reconstruction.multiplication_bound()


@cache
def exact_rows(case: Case) -> list[NDArray[Any]]:
    """Return, per scale, the sum of |coefficients| of that scale's map in every entry of f, as Fractions.

    The coefficients come from running the textbook on unit maps, with the biases taken away.
    """
    built = case.build()
    convolutions = tuple(Convolution(convolution.filters) for convolution in built.convolutions)
    reconstruction = Reconstruction(case.schedule, case.rule, convolutions)
    operators, incoming = case.operators(), case.channels[0]
    zeros = [[[[Fraction(0)] * incoming for _ in range(w)] for _ in range(h)] for h, w in case.schedule]
    sums = []
    for scale, (h, w) in enumerate(case.schedule):
        total: Any = 0
        for i, j, s in product(range(h), range(w), range(incoming)):
            zeros[scale][i][j][s] = Fraction(1)
            image = textbook_reconstruction(reconstruction, zeros, operators)
            zeros[scale][i][j][s] = Fraction(0)
            total = total + np.abs(np.array(image, dtype=object))
        sums.append(total)
    return sums


Factors = Callable[[Reconstruction], list[Fraction]]


def stated_factors(reconstruction: Reconstruction) -> list[Fraction]:
    """Return Lambda_k ||W_k||, written down anew: the filters are multiples of 1/8."""
    factors = []
    for shape, convolution in zip(reconstruction.schedule, reconstruction.convolutions, strict=True):
        stretch = operator_norm(reconstruction.interpolation, shape, reconstruction.shape)
        factors.append(stretch * Fraction(np.abs(convolution.filters).sum(axis=(0, 1, 2)).max()))
    return factors


def error_claims(
    cases: list[Case],
    factors: Factors = stated_factors,
    total: Callable[[list[Fraction]], Any] = sum,
) -> Claims:
    """Yield, per scale, the largest row sum against the factor; and all scales together at once.

    ``total`` combines the factors for errors of 1 on all scales. That the computed amplifications are
    these numbers, up to their last bits, or less on thin maps, is claimed along the way.
    """
    for case in cases:
        reconstruction, rows = case.build(), exact_rows(case)
        stated = factors(reconstruction)
        name = f"{case.schedule}, {case.rule}, centred {case.centred}"
        for scale, (sums, factor) in enumerate(zip(rows, stated, strict=True)):
            yield f"{name}, scale {scale + 1}", max(sums.flat), "<=", factor
            computed = Fraction(reconstruction.amplifications()[scale])
            slack = 1 + Fraction(1, 2**45)
            yield f"{name}, scale {scale + 1}, computed", max(sums.flat), "<=", computed * slack
            yield f"{name}, scale {scale + 1}, no more than stated", computed, "<=", factor * slack
            limit = lebesgue_constant(case.rule) ** 2
            yield (
                f"{name}, scale {scale + 1}, Lebesgue",
                operator_norm(case.rule, case.schedule[scale], reconstruction.shape),
                "<=",
                limit,
            )
        yield f"{name}, all scales", max(np.sum(rows, axis=0).flat), "<=", total(stated)
        errors = [Fraction(1, 2**scale) for scale in range(len(rows))]
        moved = sum((sums * error for sums, error in zip(rows, errors, strict=True)), start=Fraction(0))
        found = Fraction(reconstruction.error_bound([float(error) for error in errors])) * slack
        yield f"{name}, error bound", max(np.asarray(moved).flat), "<=", found
        apart = (a * e for a, e in zip(reconstruction.amplifications(), errors, strict=True))
        yield f"{name}, error bound, no more than stated", found, "<=", Fraction(sum(apart)) * slack**3


def attained_claims(cases: list[Case]) -> Claims:
    """Yield equality at the last scale with sides of 3 or more, and at every scale for centre taps."""
    for case in cases:
        rows, factors = exact_rows(case), stated_factors(case.build())
        for scale, (sums, factor) in enumerate(zip(rows, factors, strict=True)):
            if case.centred or (scale == len(rows) - 1 and min(case.schedule[-1]) >= 3):
                yield f"{case.schedule}, {case.rule}, scale {scale + 1}", max(sums.flat), "==", factor


@lemma(
    "lem-feature-map-reconstruction",
    title="Feature-map reconstruction",
    statement_uses=("def-var", "def-interpolation", "lem-lebesgue"),
    source="TJY24",
)
def feature_map_reconstruction(run: Run) -> Iterator[Evidence]:
    """Rational arithmetic against the array program; tallied multiplications; exact operator norms."""
    side = run.pick(quick=3, full=4)
    some = schedules(side)
    cases = list(product(some, RULES))
    count = len(RULES) * (2**side - 1 + len(OBLONG))
    words = f"all square schedules with sides up to {side} and three oblong ones, five rules, c = c' = 2"
    yield exhaustive(DEFINITION, words, (Case(*case) for case in cases), count, is_the_definition)
    channels = ((1, 1), (2, 3))
    words = f"the same schedules and rules, (c, c') = {channels}"
    tallied = [Case(*case, shape) for case, shape in product(cases, channels)]
    yield exhaustive(COST, words, tallied, 2 * count, cost_is(Reconstruction.multiplications))
    most = run.pick(quick=7, full=10)
    larger = [Case(*case, (3, 2)) for case in product(schedules(most), RULES)]
    words = f"all square schedules with sides up to {most} and three oblong ones, five rules"
    yield exhaustive(BOUND, words, larger, len(RULES) * (2**most - 1 + len(OBLONG)), within_bound)
    few = run.pick(quick=[((1, 1), (2, 2), (3, 3)), ((3, 3), (4, 4)), OBLONG[0]], full=some)
    norms = [Case(s, rule, (1, 2), centred) for s, rule in product(few, RULES) for centred in (False, True)]
    words = f"{len(few)} schedules, five rules, full filters and centre taps, exact operators"
    yield certified(ERROR, words, error_claims(norms))
    yield certified(SHARP, words, attained_claims(norms))


NAMED = Case(((3, 3), (6, 6)), Interpolation(), (1, 1), centred=True)


@feature_map_reconstruction.control("interpolation is taken to have norm 1, its negative weights forgotten")
def without_lebesgue(run: Run) -> Evidence:
    """Bicubic interpolation enlarges an error of alternating signs."""

    def forgetful(reconstruction: Reconstruction) -> list[Fraction]:
        return [
            Fraction(np.abs(convolution.filters).sum(axis=(0, 1, 2)).max())
            for convolution in reconstruction.convolutions
        ]

    return certified(ERROR, "3 x 3 -> 6 x 6, bicubic, centre taps", error_claims([NAMED], forgetful))


@feature_map_reconstruction.control("a convolution's norm is its largest entry")
def largest_entry(run: Run) -> Evidence:
    """Nine pixels can be off at once."""

    def entries(reconstruction: Reconstruction) -> list[Fraction]:
        return [
            operator_norm(reconstruction.interpolation, shape, reconstruction.shape)
            * Fraction(np.abs(convolution.filters).max())
            for shape, convolution in zip(reconstruction.schedule, reconstruction.convolutions, strict=True)
        ]

    case = NAMED._replace(centred=False)
    return certified(ERROR, "3 x 3 -> 6 x 6, bicubic, full filters", error_claims([case], entries))


@feature_map_reconstruction.control("the worst scale in place of the sum over the scales")
def worst_scale(run: Run) -> Evidence:
    """All maps can be off at once."""
    return certified(ERROR, "3 x 3 -> 6 x 6, bicubic, centre taps", error_claims([NAMED], total=max))


@feature_map_reconstruction.control("nine taps at every pixel, the border included")
def taps_off_the_image(run: Run) -> Evidence:
    """Zero padding costs nothing there."""

    def padded(reconstruction: Reconstruction) -> int:
        height, width = reconstruction.shape
        per_pixel = 9 * reconstruction.channels[0] * reconstruction.channels[1]
        taken = reconstruction.convolutions[0].multiplications((height, width))
        return reconstruction.multiplications() + len(reconstruction.schedule) * (
            height * width * per_pixel - taken
        )

    return exhaustive(COST, "3 x 3 -> 6 x 6, bicubic", [NAMED], 1, cost_is(padded))
