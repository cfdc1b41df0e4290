"""Instances for the check of ``lem-sat-to-var-inference``: formulas, and the choices of the reduction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product

import numpy as np

from checks.exact.stated_reals import attention_inputs, bounds_hold, stands_for
from checks.exact.stated_var import falsified, stated_inference
from checks.exact.var_outputs import OutputBounds, Truth
from reductions.lower_bound.sat_to_var_inference import SatToVarInference, SatToVarInferenceReduced
from reductions.problems.approximate_var import Reading
from reductions.problems.cnf import CNF, random_k_sat
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import RELEASED_SIDES, Schedule, square_schedule

BOUNDS = OutputBounds(Fraction(16, 17), Fraction(1, 16), Fraction(1, 2), Fraction(7, 16))

BICUBIC = Interpolation()
SCHEDULES: tuple[Schedule, ...] = (
    ((1, 1), (2, 2), (4, 4)),
    ((1, 2), (2, 3)),
    ((1, 1), (2, 2), (3, 3)),
    ((2, 2), (2, 4), (2, 8)),
)
"""Last scales of 16, 6, 9 and 16 pixels: not all powers of two, not all square."""


@dataclass(frozen=True, eq=False)
class InferenceCase:
    """A formula and the choices that the reduction leaves open."""

    formula: CNF
    rule: Interpolation = BICUBIC
    schedule: Schedule | None = None
    temperature: float | None = None

    def __repr__(self) -> str:
        shown = (
            str(self.formula) if len(self.formula.clauses) < 20 else f"{len(self.formula.clauses)} clauses"
        )
        return f"{shown}, {self.rule.kernel}, schedule {self.schedule}, τ = {self.temperature or 'd'}"

    @cached_property
    def reduction(self) -> SatToVarInference:
        """The reduction with these choices."""
        return SatToVarInference(self.rule, self.schedule, self.temperature)

    @cached_property
    def reduced(self) -> SatToVarInferenceReduced:
        """The model with the way back."""
        return self.reduction.map_instance(self.formula)

    @cached_property
    def products(self) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        """How many clauses each pair of half assignments falsifies, (2^⌈v/2⌉, 2^⌊v/2⌋), in integers."""
        first = (self.formula.variables + 1) // 2
        second = self.formula.variables - first
        sides = []
        for offset, count in ((0, first), (first, second)):
            rows = [
                falsified(self.formula, {offset + t + 1: index >> t & 1 for t in range(count)})
                for index in range(2**count)
            ]
            sides.append(np.array(rows, dtype=np.int64).reshape(2**count, -1))
        return sides[0] @ sides[1].T

    @cached_property
    def extendable(self) -> Truth:
        """Which left half assignments extend to a satisfying one."""
        return np.asarray((self.products == 0).any(axis=1))

    def is_decided(self) -> bool:
        """Tell whether all rows keep the bounds, are decided in the whole error ball, and lead back."""
        target, rows = self.reduced.target, self.extendable
        outputs = target.outputs()
        few = np.unique([0, len(rows) // 3, len(rows) - 1]) if len(rows) > 16 else np.arange(len(rows))
        if not (
            BOUNDS.are_declared(target, self.reduction)
            and BOUNDS.hold(outputs, rows)
            and BOUNDS.decide(target, outputs, rows)
            and all(target.verify(int(row)) == rows[row] for row in few)
            and not target.verify(-1)
            and not target.verify(len(rows))
        ):
            return False
        model = self.reduced.extract_solution(BOUNDS.worst(outputs, rows))
        if model is None:
            return not rows.any()
        half = (self.formula.variables + 1) // 2
        row = sum(value << t for t, value in enumerate(model[:half]))
        # A satisfying assignment sets these variables and no others.
        is_model = self.formula.verify(model) and not self.formula.verify((*model, True))
        return is_model and bool(rows[row]) and self.reduced.map_witness(model) == row

    def has_stated_input(self) -> bool:
        """Compare everything but the weights with what the schedule alone determines."""
        target = self.reduced.target
        model = target.model
        height, width = model.schedule[-1]
        bits = next(h for h in range(64) if 2 ** (h + 1) > height * width)
        table = [[*(pixel >> t & 1 for t in range(bits)), 1, 0] for pixel in range(height * width)]
        last = model.position_table[-1]
        given = float(len(self.formula.clauses) + 1) if self.temperature is None else self.temperature
        return (
            self.schedule in (None, model.schedule)
            and model.interpolation == self.rule
            and target.attention_layer.temperature == given
            and target.reading is Reading.START_AND_POSITIONS
            and np.array_equal(target.start_token, np.zeros(bits + 2))
            and all(earlier is None for earlier in model.position_table[:-1])
            and last is not None
            and np.array_equal(last, table)
        )

    def has_stated_entries(self) -> bool:
        """R is attained, no logit exceeds 2 ln 16L |M - 1/2|, entries and outputs are the stated ones.

        The instance declares the bound 2 ln 16L (m + 1/2) on sum |q_i| |k_i| / tau, attained for M = m.
        """
        target = self.reduced.target
        clauses, unit = len(self.formula.clauses), 2 * np.log(16 * target.model.tokens)
        queries, keys, _ = attention_inputs(target)
        most = int(self.products.max())
        logits = abs(queries @ keys.T) / target.attention_layer.temperature
        return (
            bool(np.isclose(target.logit_bound, unit * (clauses + 0.5), rtol=1e-12, atol=0))
            and bool(np.isclose(logits.max(), unit * abs(most - 0.5), rtol=1e-12, atol=0))
            and bounds_hold(target, attained=most == clauses)
            and stands_for(target, stated_inference(self.formula, target.model.schedule))
        )

    def is_refused(self) -> bool:
        """For an unsatisfiable formula: read-outs that are all 1 lead to no assignment, but to a refusal."""
        try:
            self.reduced.extract_solution(np.ones(len(self.reduced.target.read_outs)))
        except ValueError as error:
            return "'solution' must be within" in str(error)
        return False


@dataclass(frozen=True)
class FewPixels:
    """A number of variables and a last scale that is too small for it."""

    variables: int
    last: tuple[int, int]

    def is_refused(self) -> bool:
        """The schedule is refused, and with one pair of variables fewer it is not."""
        reduction = SatToVarInference(schedule=((1, 1), self.last))
        reduction.map_instance(CNF(self.variables - 1, ()))
        try:
            reduction.map_instance(CNF(self.variables, ()))
        except ValueError as error:
            return "'schedule' must end in at least" in str(error)
        return False


def odd_cases() -> Iterator[InferenceCase]:
    """Clauses and shapes that random 3-SAT on powers of two never shows."""
    formulas = (
        CNF(4, ((1, -2, 3, 3, -1, 4), (-1,), (-2, -2), (1, 2, -3), (-4,))),
        CNF(4, ((1, -1), (-1,), (2, -3, 4, 4, 4), (-2,), (3,), (-4, -4))),
        CNF(3, (*((1,),) * 69, (-1,))),
        CNF(4, (*((1, 2),) * 35, *((-3, -3, 4),) * 34, (-1, 3))),
    )
    rules = (BICUBIC, Interpolation(Kernel.BILINEAR, aligned=True), Interpolation(Kernel.NEAREST))
    for choices in product(formulas, rules, SCHEDULES, (None, 1.0, 500.0)):
        yield InferenceCase(*choices)


def stated_cases() -> Iterator[InferenceCase]:
    """Formulas of up to four variables, for arithmetic with many digits."""
    formulas = (
        CNF(0, ((),)),
        CNF(1, ((1, -1), (-1,))),
        CNF(2, ((),)),
        CNF(3, ((1, -2, 3, 3), (-1, -3), (2,))),
        CNF(4, ((1, 2, -3), (-4,), (-1, -2, -3, -4, 4), (), (3, 4))),
        CNF(4, ()),
    )
    schedules = (((1, 1), (2, 2)), *SCHEDULES[:3])
    for index, (formula, schedule) in enumerate(product(formulas, schedules)):
        yield InferenceCase(formula, BICUBIC, schedule, (None, 1.0, 500.0)[index % 3])


def late_maximum() -> InferenceCase:
    """Half assignment 2^11 - 1 of the right is the only partner; its pixel is beyond the first 2,048 keys."""
    units = tuple((variable,) for variable in range(12, 23))
    return InferenceCase(CNF(22, ((1,), *units)), BICUBIC, square_schedule((1, 48)))


def random_case(generator: np.random.Generator) -> InferenceCase:
    """Draw a random 3-CNF near the threshold, on the released schedule."""
    variables = int(generator.integers(9, 13))
    clauses = round(4.26 * variables) + int(generator.integers(-3, 4))
    formula = random_k_sat(variables, clauses, 3, generator)
    return InferenceCase(formula, Interpolation(Kernel.BILINEAR), square_schedule(RELEASED_SIDES))
