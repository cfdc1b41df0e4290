"""Instances for the check of ``lem-attention-to-var``: small, extremal and random 0/1 vectors in a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checks.stated_reals import StatedReals
from checks.stated_var import Bits, stated_maps
from checks.var_outputs import OutputBounds, Truth, verifies_yes_rows_only
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.problems.var_model import RELEASED_SIDES, Schedule, square_schedule

BOUNDS = OutputBounds(Fraction(7, 10), Fraction(1, 16), Fraction(3, 8), Fraction(5, 16))

BICUBIC = Interpolation()
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


def in_words(rule: Interpolation) -> str:
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
        return f"{vectors}, {in_words(self.rule)}, schedule {self.schedule}, τ = {self.temperature or 'd'}"

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
    """One or two vectors a side, of which at most one coordinate; every rule, schedule and temperature."""
    for shape in ((1, 1, 0), (1, 1, 1), (2, 1, 1), (1, 2, 1)):
        for (left, right), rule, schedule, temperature in product(
            small_instances(*shape), RULES, SCHEDULES, TEMPERATURES
        ):
            yield MapsCase(left, right, rule, schedule, temperature)


def extremal_cases(rules: Iterable[Interpolation]) -> Iterator[MapsCase]:
    """As many keys as it takes to feel ln 16L: all at s - Δ, then one of them, the last, at s."""
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


def random_case(generator: np.random.Generator) -> MapsCase:
    """Draw up to 16 vectors a side, with an orthogonal pair planted in every second instance."""
    dimension = int(generator.integers(1, 13))
    planted = True if generator.random() < 0.5 else None
    drawn = OrthogonalVectors.random(16, dimension, density=0.6, seed=generator, planted=planted)
    queries, keys = generator.integers(12, 17, 2)
    return MapsCase(drawn.left[:queries], drawn.right[:keys], BICUBIC, RELEASED)
