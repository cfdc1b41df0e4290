"""k-SAT -> VAR in reading start+positions: the formula is in the weights, the input is one zero token.

Pixel p of the last scale carries the bits of its own index and a flag, both from the position table.
One feed-forward layer reads the bits as a half assignment, once for each half of the variables, and
writes both clause vectors; attention compares every left half with every right half.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from reductions.layers.arrays import Floats
from reductions.lower_bound.split_and_list import SplitAndList, SplitAndListReduced
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.cnf import CNF
from reductions.problems.interpolation import Interpolation
from reductions.problems.schedule import (
    Schedule,
    geometric_sides,
    require_schedule,
    square_schedule,
    token_count,
)
from reductions.problems.var_model import FeedForward, SelfAttention, VarModel
from reductions.reduction import MODEL_KINDS, Kind, Reduced, Reduction, size

if TYPE_CHECKING:
    import sympy

YES_BOUND = 16 / 17
NO_BOUND = 1 / 16
THRESHOLD = 1 / 2
ENTRY_ERROR = 8 * 2.0**-53


def pixel_bits(pixels: int) -> int:
    """Return the number of bits of a pixel index: the largest p with 2^p <= pixels."""
    return pixels.bit_length() - 1


def position_table(schedule: Schedule, channels: int) -> tuple[Floats | None, ...]:
    """Return the position table: nothing but on the last scale, whose pixels get bits, flag and zeros.

    It depends on the schedule alone. Channel t < p holds bit t of the row-major pixel index; channel p
    is the flag, 1.
    """
    height, width = schedule[-1]
    pixels = height * width
    bits = pixel_bits(pixels)
    table = np.zeros((pixels, channels))
    table[:, :bits] = (np.arange(pixels)[:, None] >> np.arange(bits)) & 1
    table[:, bits] = 1
    return (*[None] * (len(schedule) - 1), table)


def clause_weights(formula: CNF, bits: int) -> Floats:
    """Return W of the feed-forward layer x -> max(0, x W), shape (bits + 2, 2 m + 1).

    Column c < m computes max(0, flag - #literals of clause c that the bits, read as values of the first
    half of the variables, satisfy); column m + c the same for the second half; column 2m copies the flag.
    A positive literal is satisfied by a bit 1 and counts x, a negative one counts flag - x. The last
    input channel, the layer's own output, is read by nobody.
    """
    half = (formula.variables + 1) // 2
    clauses = len(formula.clauses)
    weights = np.zeros((bits + 2, 2 * clauses + 1))
    weights[bits] = 1
    for column, clause in enumerate(formula.clauses):
        for literal in clause:
            variable = abs(literal) - 1
            side, bit = divmod(variable, half)
            at = side * clauses + column
            if literal > 0:
                weights[bit, at] -= 1
            else:
                weights[bit, at] += 1
                weights[bits, at] -= 1
    return weights


@dataclass(frozen=True)
class SatToVarInferenceReduced(Reduced[CNF, ApproximateVar]):
    """The result of :class:`SatToVarInference`."""

    source: CNF
    target: ApproximateVar
    listed: SplitAndListReduced

    def map_witness(self, witness: tuple[bool, ...]) -> int:
        """Map a model to the read-out whose pixel index is its first half."""
        return int(self.listed.map_witness(witness)[0])

    def extract_solution(self, solution: Floats) -> tuple[bool, ...] | None:
        """Map read-outs within the tolerated error to a satisfying assignment, or None where there is none.

        The partner of the first YES row is found by one linear scan of the right halves.

        Raises
        ------
        ValueError
            If a YES row has no partner: then ``solution`` was not within the tolerated error.
        """
        yes = np.flatnonzero(self.target.decide_rows(solution))
        if not len(yes):
            return None
        vectors = self.listed.target
        partners = np.flatnonzero(~(vectors.right & vectors.left[yes[0]]).any(axis=1))
        if not len(partners):
            raise ValueError(
                f"Argument 'solution' must be within {self.target.tolerated_error} of the outputs."
            )
        return self.listed.extract_solution((int(yes[0]), int(partners[0])))


class SatToVarInference(Reduction[CNF, ApproximateVar]):
    """CNF formulas with at most 2 p variables to a VAR model whose last scale has 2^p pixels or more.

    Parameters
    ----------
    interpolation
        Of the model; any will do.
    schedule
        Default: 1, 2, 4, ..., n with the least n >= 2 that has enough pixels.
    temperature
        tau; default: the attention dimension m + 1, the convention of AS23.
    """

    name: ClassVar[str] = "sat-to-var-inference"
    parameter_kinds: ClassVar[Mapping[str, Kind]] = MODEL_KINDS
    only_for: ClassVar[tuple[StrEnum, ...]] = (Reading.START_AND_POSITIONS,)

    def __init__(
        self,
        interpolation: Interpolation | None = None,
        schedule: Schedule | None = None,
        temperature: float | None = None,
    ) -> None:
        if temperature is not None and not 0 < temperature < math.inf:
            raise ValueError(f"Argument 'temperature' must be a positive number or None, not {temperature}.")
        self.interpolation = interpolation or Interpolation()
        self.schedule = None if schedule is None else require_schedule(schedule)
        self.temperature = temperature

    def schedule_for(self, variables: int) -> Schedule:
        """Return the schedule for a formula of that many variables.

        Raises
        ------
        ValueError
            If the given schedule has no start token of its own or too few pixels.
        """
        bits = (variables + 1) // 2
        if self.schedule is None:
            return square_schedule(geometric_sides(2 ** max(1, (bits + 1) // 2)))
        if len(self.schedule) < 2:
            raise ValueError("Argument 'schedule' must have at least two scales, not one.")
        height, width = self.schedule[-1]
        if pixel_bits(height * width) < bits:
            raise ValueError(
                f"Argument 'schedule' must end in at least {2**bits} pixels for {variables} variables, "
                f"not {height} x {width}."
            )
        return self.schedule

    def map_instance(self, source: CNF) -> SatToVarInferenceReduced:
        """Build the model. Its size is fixed by the schedule; only the weights know the formula."""
        schedule = self.schedule_for(source.variables)
        height, width = schedule[-1]
        bits = pixel_bits(height * width)
        clauses = len(source.clauses)
        d = clauses + 1
        tau = float(d) if self.temperature is None else self.temperature
        beta = 2 * tau * math.log(16 * token_count(schedule))
        root = math.sqrt(beta)

        query_weights = np.zeros((2 * clauses + 1, d))
        query_weights[:clauses, :clauses] = -root * np.eye(clauses)
        query_weights[-1, -1] = root
        key_weights = np.zeros((2 * clauses + 1, d))
        key_weights[clauses:-1, :clauses] = root * np.eye(clauses)
        key_weights[-1, -1] = root / 2
        value_weights = np.zeros((2 * clauses + 1, 1))
        value_weights[-1, 0] = 1
        # The output channel is the last one; the feed-forward layer gives it weight zero.
        channels = bits + 2
        output_weights = np.zeros((1, channels))
        output_weights[0, -1] = 1
        attention = SelfAttention(query_weights, key_weights, value_weights, output_weights, tau)
        model = VarModel(
            schedule,
            self.interpolation,
            (FeedForward(clause_weights(source, bits)), attention),
            position_table(schedule, channels),
        )
        listed = SplitAndList().map_instance(source)
        target = ApproximateVar(
            model=model,
            reading=Reading.START_AND_POSITIONS,
            start_token=np.zeros(channels),
            maps=(),
            read_outs=np.arange(len(listed.target.left)),
            read_out_channel=channels - 1,
            threshold=THRESHOLD,
            yes_bound=YES_BOUND,
            no_bound=NO_BOUND,
            entry_bound=root,
            logit_bound=beta / tau * (clauses + 0.5),
            entry_error=ENTRY_ERROR,
        )
        return SatToVarInferenceReduced(source, target, listed)

    def parameter_map(self) -> Mapping[str, sympy.Expr]:
        """Sizes of the model in v and m."""
        import sympy

        v, m = size("v"), size("m")
        if self.schedule is None:
            n = 2 ** sympy.Max(1, sympy.ceiling(sympy.ceiling(v / 2) / 2))
            scales: sympy.Expr = sympy.log(n, 2) + 1
            tokens: sympy.Expr = (4 * n**2 - 1) / 3
            bits: sympy.Expr = 2 * sympy.log(n, 2)
        else:
            height, width = self.schedule[-1]
            n = sympy.Integer(max(height, width))
            scales = sympy.Integer(len(self.schedule))
            tokens = sympy.Integer(token_count(self.schedule))
            bits = sympy.Integer(pixel_bits(height * width))
        tau = (
            m + 1 if self.temperature is None else sympy.Rational(*float(self.temperature).as_integer_ratio())
        )
        beta = 2 * tau * sympy.log(16 * tokens)
        return {
            "n": n,
            "K": scales,
            "L": tokens,
            "c": bits + 2,
            "d": m + 1,
            "N": 2 ** sympy.ceiling(v / 2),
            "R": sympy.sqrt(beta),
        }

    def error_budget(self) -> sympy.Expr:
        """7/16: outputs are at least 16/17 or at most 1/16, the threshold is 1/2."""
        import sympy

        return sympy.Rational(7, 16)

    def parameters(self) -> Mapping[str, Any]:
        """The kernel, the schedule and the temperature, where given."""
        return {
            "kernel": str(self.interpolation.kernel),
            "a": self.interpolation.a,
            "aligned": self.interpolation.aligned,
            "schedule": self.schedule,
            "temperature": self.temperature,
        }
