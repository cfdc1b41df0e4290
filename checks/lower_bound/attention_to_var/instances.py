"""Instances for the check of ``lem-attention-to-var``: small, extremal and random 0/1 vectors in a model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checks.exact.stated_reals import StatedReals, bounds_hold
from checks.exact.stated_var import Bits, stated_maps
from checks.exact.var_outputs import OutputBounds, Truth, verifies_yes_rows_only
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.attention import AttentionInstance, ReferenceKeyAttention
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.problems.schedule import RELEASED_SIDES, Schedule, square_schedule
from reductions.reduction import size

BOUNDS = OutputBounds(Fraction(7, 10), Fraction(1, 16), Fraction(3, 8), Fraction(5, 16))

BICUBIC = Interpolation()

GapCase = tuple[Fraction, Fraction]
"""A threshold s and a gap."""
RELEASED = square_schedule(RELEASED_SIDES)
RULES = (
    BICUBIC,
    Interpolation(aligned=True),
    Interpolation(Kernel.BILINEAR),
    Interpolation(Kernel.BILINEAR, aligned=True),
    Interpolation(Kernel.NEAREST),
)
SCHEDULES: tuple[Schedule | None, ...] = (None, ((3, 7), (5, 9)), ((1, 1), (1, 2), (6, 3), (10, 4)))
"""The default, two scales with 21 start tokens, and four whose last one is far from square."""
TEMPERATURES = (None, 1.0, 500.0)


def rule_in_words(rule: Interpolation) -> str:
    """Name a rule."""
    return f"{rule.kernel}, aligned" if rule.aligned else str(rule.kernel)


@cache
def ov_chain(rule: Interpolation, schedule: Schedule | None = None, temperature: float | None = None) -> Any:
    """OV -> gap-Max-IP -> attention -> VAR."""
    return ComplementEncoding() >> _from_gap_max_ip(rule, schedule, temperature)


@cache
def _from_gap_max_ip(rule: Interpolation, schedule: Schedule | None, temperature: float | None) -> Any:
    return GapMaxIPToAttention() >> AttentionToVar(rule, schedule, temperature)


@dataclass(frozen=True, eq=False)
class MapsCase:
    """0/1 vectors, L_q and N of them, and the choices that the reduction leaves open."""

    left: Bits
    right: Bits
    rule: Interpolation = BICUBIC
    schedule: Schedule | None = None
    temperature: float | None = None

    def __repr__(self) -> str:
        vectors = f"left {self.left.tolist()}, right {self.right.tolist()}"
        if self.left.size + self.right.size > 100:
            vectors = f"{len(self.left)} x {len(self.right)} vectors, m = {self.left.shape[1]}"
        rule, temperature = rule_in_words(self.rule), self.temperature or "d"
        return f"{vectors}, {rule}, schedule {self.schedule}, τ = {temperature}"

    @cached_property
    def orthogonal(self) -> NDArray[np.bool_]:
        """Which pairs are orthogonal, in integers."""
        pairs: NDArray[np.bool_] = self.left.astype(np.int64) @ self.right.astype(np.int64).T == 0
        return pairs

    @cached_property
    def rows(self) -> Truth:
        """Which left vectors have an orthogonal partner."""
        return np.asarray(self.orthogonal.any(axis=1))

    @cached_property
    def reduced(self) -> Any:
        """The model with the way back; from OV where both sides have the same number of vectors."""
        choices = self.rule, self.schedule, self.temperature
        if len(self.left) == len(self.right):
            return ov_chain(*choices).map_instance(OrthogonalVectors(self.left, self.right))
        left = np.hstack([1 - self.left, self.left])
        right = np.hstack([np.ones_like(self.right), 1 - self.right])
        source = GapMaxInnerProduct(left, right, self.left.shape[1], 1)
        return _from_gap_max_ip(*choices).map_instance(source)

    def stated(self) -> StatedReals:
        """The real numbers that the statement gives."""
        return stated_maps(self.left, self.right, self.rule, self.reduced.target.model.schedule)

    def is_the_stated_model(self) -> bool:
        """Tell whether rule, schedule, temperature, reading and the promised numbers are the given ones."""
        target: ApproximateVar = self.reduced.target
        model, layer = target.model, target.attention_layer
        given = float(layer.dimension) if self.temperature is None else self.temperature
        return (
            model.interpolation == self.rule
            and self.schedule in (None, model.schedule)
            and len(model.layers) == 1
            and layer.temperature == given
            and target.reading is Reading.MAPS
            and BOUNDS.are_declared(target, ov_chain(self.rule, self.schedule, self.temperature))
        )

    def keeps_bounds(self) -> bool:
        """Tell whether YES rows read out at least 7/10 and NO rows at most 1/16, on three rows at most."""
        target: ApproximateVar = self.reduced.target
        rows = np.unique([0, len(self.left) // 2, len(self.left) - 1])
        few = replace(target, read_outs=target.read_outs[rows])
        return BOUNDS.hold(few.outputs(), self.rows[rows])

    def is_decided(self) -> bool:
        """Tell whether all rows keep the bounds, are decided in the whole error ball, and lead back."""
        if not self.is_the_stated_model():
            return False
        target: ApproximateVar = self.reduced.target
        rows, outputs = self.rows, target.outputs()
        if not (
            BOUNDS.hold(outputs, rows)
            and BOUNDS.decide(target, outputs, rows)
            and verifies_yes_rows_only(target, rows)
            and not self.reduced.source.verify((len(self.left), 0))
        ):
            return False
        pair = self.reduced.extract_solution(BOUNDS.worst(outputs, rows))
        if pair is None:
            return not rows.any()
        return bool(self.orthogonal[pair]) and self.reduced.map_witness(pair) == pair[0]


def small_instances(queries: int, keys: int, dimension: int) -> Iterator[tuple[Bits, Bits]]:
    """All 2^((L_q + N) m) pairs of sides."""
    for bits in product((0, 1), repeat=(queries + keys) * dimension):
        vectors = np.array(bits, dtype=np.uint8).reshape(queries + keys, dimension)
        yield vectors[:queries], vectors[queries:]


def small_cases() -> Iterator[MapsCase]:
    """One or two vectors per side, of which at most one coordinate; every rule, schedule and temperature."""
    for shape in ((1, 1, 0), (1, 1, 1), (2, 1, 1), (1, 2, 1)):
        for (left, right), rule, schedule, temperature in product(
            small_instances(*shape), RULES, SCHEDULES, TEMPERATURES
        ):
            yield MapsCase(left, right, rule, schedule, temperature)


def extremal_cases(rules: Iterable[Interpolation]) -> Iterator[MapsCase]:
    """As many keys as it takes to feel ln 16L: all at s - Δ, then one of them, the last, at s.

    Aligned rules make a single full copy of it, so one token in the last tile of keys has the maximum.
    """
    ones = np.ones((1024, 1), dtype=np.uint8)
    one_zero = ones.copy()
    one_zero[-1] = 0
    for rule, right in product(rules, (ones, one_zero)):
        yield MapsCase(ones, right, rule)


def half_used_slots() -> Iterator[MapsCase]:
    """Few vectors, also more queries than keys or fewer, for arithmetic with many digits."""
    generator = np.random.default_rng(0)
    for (queries, keys), dimension, rule, schedule in product(
        ((1, 1), (1, 3), (3, 1), (2, 2)), (0, 1, 3), RULES, (None, ((2, 9), (3, 17)))
    ):
        left, right = (generator.integers(0, 2, (n, dimension), dtype=np.uint8) for n in (queries, keys))
        yield MapsCase(left, right, rule, schedule)


def gap_cases() -> list[GapCase]:
    """Thresholds 0, 1/2, ..., 3 and gaps 1/2, 1, ..., 3."""
    halves = [Fraction(t, 2) for t in range(7)]
    return list(product(halves, halves[1:]))


@cache
def _stated_dimension() -> Any:
    return (GapMaxIPToAttention() >> AttentionToVar(Interpolation(Kernel.NEAREST))).parameter_map()["d"]


def is_lifted(case: GapCase) -> bool:
    """Count the base coordinates that are built and stated: max(0, ceil(2 gap - s)).

    The vectors' products are 1, 1, 1 and 2, so the first pair that reaches s is known.
    """
    import sympy

    threshold, gap = case
    vectors = np.array([[1, 0], [1, 1]])
    made = GapMaxIPToAttention().map_instance(
        GapMaxInnerProduct(vectors, vectors, float(threshold), float(gap))
    )
    source = made.target
    to_var = AttentionToVar(Interpolation(Kernel.NEAREST))
    built = to_var.map_instance(source).target
    exact = {"N_u": 2, "N_v": 2, "D": 2, "s": sympy.nsimplify(threshold), "gap": sympy.nsimplify(gap)}
    stated = _stated_dimension().subs({size(name): number for name, number in exact.items()})
    dimension = source.attention.queries.shape[1] + max(0, math.ceil(2 * gap - threshold))
    first = (0, 0) if threshold <= 1 else (1, 1) if threshold <= 2 else None
    return built.attention_layer.dimension == dimension == stated and source.solve_brute_force() == first


SIGNS = (
    ([[-0.5, 1.0]], [[1.0, 0.0]], False),
    ([[0.5, 1.0]], [[-1.0, 0.0]], False),
    ([[-0.5, 1.0]], [[-3.0, 1.0]], True),
)
"""A query and a key with entries of either sign, and whether their product is nonnegative."""


def signs_are_read(case: tuple[list[list[float]], list[list[float]], bool]) -> bool:
    """Build, or be refused, by the sign of the logit; b is the largest sum of absolute products."""
    queries, keys, nonnegative = case
    layer = AttentionInstance(np.array(queries), np.array([*keys, [0.0, 1.0]]), np.array([[1.0], [0.0]]), 1.0)
    source = ReferenceKeyAttention(layer, 1.0, 0.25)
    try:
        target = AttentionToVar(Interpolation(Kernel.NEAREST)).map_instance(source).target
    except ValueError as error:
        return not nonnegative and "must have logits >= 0" in str(error)
    return nonnegative and bounds_hold(target, attained=True)


def random_case(generator: np.random.Generator) -> MapsCase:
    """Draw up to 16 vectors per side, with an orthogonal pair planted in every second instance."""
    dimension = int(generator.integers(1, 13))
    planted = True if generator.random() < 0.5 else None
    drawn = OrthogonalVectors.random(16, dimension, density=0.6, seed=generator, planted=planted)
    queries, keys = generator.integers(12, 17, 2)
    return MapsCase(drawn.left[:queries], drawn.right[:keys], BICUBIC, RELEASED)
