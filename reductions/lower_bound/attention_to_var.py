"""Attention with a reference key -> VAR in reading maps: the instance survives an up-interpolation step.

Every query and key gets a slot of the last but one scale; isolation lets one fine pixel a slot carry
the slot's token exactly, while all others carry t times it with |t| <= 1. The start token is the
reference key, the scales in between are zero. A lower temperature (larger entries) makes the gap wide
enough for the L tokens that now take part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from reductions.layers.arrays import Floats
from reductions.lower_bound.isolation import SPACING, grid_slots
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.attention import AttentionInstance, ReferenceKeyAttention
from reductions.problems.interpolation import Interpolation
from reductions.problems.schedule import (
    Schedule,
    geometric_sides,
    require_schedule,
    square_schedule,
    token_count,
)
from reductions.problems.token_map import TokenMap
from reductions.problems.var_model import ChannelSlice, SelfAttention, VarModel
from reductions.reduction import MODEL_KINDS, Kind, Reduced, Reduction, size

if TYPE_CHECKING:
    import sympy

YES_BOUND = 7 / 10
NO_BOUND = 1 / 16
THRESHOLD = 3 / 8
ENTRY_ERROR = 512 * 2.0**-53


@dataclass(frozen=True)
class AttentionToVarReduced(Reduced[ReferenceKeyAttention, ApproximateVar]):
    """The result of :class:`AttentionToVar`."""

    source: ReferenceKeyAttention
    target: ApproximateVar

    def map_witness(self, witness: tuple[int, int]) -> int:
        """Map a query that attends to a key to that query's read-out."""
        if not self.source.verify(witness):
            raise ValueError(
                f"Argument 'witness' must be a query and a key above the reference, not {witness!r}."
            )
        return int(witness[0])

    def extract_solution(self, solution: Floats) -> Floats:
        """Map read-outs within the tolerated error to approximate outputs of the source: 1 or 0 per row.

        Every row is decided. For a source with gap g >= ln(4 N), N keys, they are outputs within its
        tolerated error: where the read-out is YES the exact output is at least 4/5, where NO at most 1/5.
        """
        return self.target.decide_rows(solution).astype(np.float64)


class AttentionToVar(Reduction[ReferenceKeyAttention, ApproximateVar]):
    """Attention with a reference key and logits >= 0 to a VAR model in reading maps.

    Parameters
    ----------
    interpolation
        Kernel, a in [-1, 0], and convention. Default: bicubic as in torch.
    schedule
        At least two scales, of which the last but one has enough slots. Default: 1, 2, 4, ..., n with
        the least n that fits by the spacing 1, 2 or 4 of the kernel.
    temperature
        tau of the model; default: the dimension of its queries, the convention of AS23.
    """

    name: ClassVar[str] = "attention-to-var"
    parameter_kinds: ClassVar[Mapping[str, Kind]] = MODEL_KINDS
    only_for: ClassVar[tuple[StrEnum, ...]] = (Reading.MAPS,)

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
        if self.schedule is not None and len(self.schedule) < 2:
            raise ValueError("Argument 'schedule' must have at least two scales, not one.")
        self.temperature = temperature

    def schedule_for(self, slots: int) -> Schedule:
        """Return the given schedule, or the default one for that many slots."""
        if self.schedule is not None:
            return self.schedule
        side = SPACING[self.interpolation.kernel] * (math.isqrt(slots - 1) + 1)
        return square_schedule(geometric_sides(2 * 2 ** (side - 1).bit_length()))

    def map_instance(self, source: ReferenceKeyAttention) -> AttentionToVarReduced:
        """Build the model and its token maps.

        Raises
        ------
        ValueError
            If a logit is negative (a kernel with negative weights would turn its sign around), if all
            queries and keys are zero (then no row is a YES or a NO row), or if the schedule has too few
            slots.
        """
        _require_nonnegative_logits(source)
        return AttentionToVarReduced(source, self.build(source))

    def build(self, source: ReferenceKeyAttention, base: int | None = None) -> ApproximateVar:
        """Build the target alone, also where a logit is negative, which :meth:`map_instance` refuses.

        Such a target may not decide the source: the negative controls call this method to show just that.
        ``base`` is the number of base coordinates; None is :func:`base_coordinates`.
        """
        layer = source.attention
        queries, keys = len(layer.queries), len(layer.keys) - 1
        schedule = self.schedule_for(max(queries, keys))
        coarse, fine = schedule[-2:]
        slots = grid_slots(self.interpolation, coarse, fine, max(queries, keys))

        # All logits, the reference's too, are raised by a constant until the reference's is 3 g or more.
        if base is None:
            base = base_coordinates(source)
        d = layer.queries.shape[1] + base
        tau = float(d) if self.temperature is None else self.temperature
        entry = layer.entry_bound
        factor = math.sqrt(math.log(16 * token_count(schedule)) / source.logit_gap * tau / layer.temperature)
        padded_queries = factor * np.hstack([layer.queries, np.full((queries, base), entry)])
        padded_keys = factor * np.hstack([layer.keys, np.full((keys + 1, base), entry)])

        tokens = np.zeros((len(slots.weight), 2 * d + 1))
        tokens[:queries, :d] = padded_queries
        tokens[:keys, d : 2 * d] = padded_keys[:-1]
        tokens[:keys, -1] = 1
        start_token = np.concatenate([np.zeros(d), padded_keys[-1], [0.0]])
        last_map = TokenMap(coarse, slots.coarse, tokens / slots.weight[:, None])

        channels = 2 * d + 1
        attention = SelfAttention(
            query_weights=ChannelSlice(0, d, channels),
            key_weights=ChannelSlice(d, 2 * d, channels),
            value_weights=ChannelSlice(2 * d, channels, channels),
            output_weights=np.ones((1, 1)),
            temperature=tau,
        )
        middle = tuple(TokenMap.zero(shape, channels) for shape in schedule[:-2])
        return ApproximateVar(
            model=VarModel(schedule, self.interpolation, (attention,)),
            reading=Reading.MAPS,
            start_token=start_token,
            maps=(*middle, last_map),
            read_outs=slots.fine[:queries, 0] * fine[1] + slots.fine[:queries, 1],
            threshold=THRESHOLD,
            yes_bound=YES_BOUND,
            no_bound=NO_BOUND,
            entry_bound=factor * entry,
            logit_bound=factor**2 / tau * (_absolute_product_bound(layer) + base * entry**2),
            # An interpolation weight is off by at most 16 units of 2^-53; t is a quotient of products of
            # two such weights, the divisor at least 1/4; the rest is the scaling of the entries.
            entry_error=ENTRY_ERROR,
        )

    def parameter_map(self) -> Mapping[str, sympy.Expr]:
        """Sizes of the model in L_q, L_k, d, tau, rho, g and R of the attention instance."""
        import sympy

        queries, keys = size("L_q"), size("L_k") - 1
        g, rho, entry = size("g"), size("rho"), size("R")
        if self.schedule is None:
            spacing = SPACING[self.interpolation.kernel]
            side = spacing * sympy.ceiling(sympy.sqrt(sympy.Max(queries, keys)))
            n: sympy.Expr = 2 * 2 ** sympy.ceiling(sympy.log(side, 2))
            scales: sympy.Expr = sympy.log(n, 2) + 1
            tokens: sympy.Expr = (4 * n**2 - 1) / 3
        else:
            n = sympy.Integer(max(self.schedule[-1]))
            scales = sympy.Integer(len(self.schedule))
            tokens = sympy.Integer(token_count(self.schedule))
        base = sympy.Max(0, sympy.ceiling((3 * g - rho) * size("tau") / entry**2))
        d = size("d") + base
        tau = d if self.temperature is None else sympy.Rational(*float(self.temperature).as_integer_ratio())
        factor = sympy.sqrt(sympy.log(16 * tokens) / g * tau / size("tau"))
        return {"n": n, "K": scales, "L": tokens, "c": 2 * d + 1, "d": d, "N": queries, "R": factor * entry}

    def error_budget(self) -> sympy.Expr:
        """5/16: outputs are at least 7/10 or at most 1/16, the threshold is 3/8."""
        import sympy

        return sympy.Rational(5, 16)

    def parameters(self) -> Mapping[str, Any]:
        """The kernel, the schedule and the temperature, where given."""
        return {
            "kernel": str(self.interpolation.kernel),
            "a": self.interpolation.a,
            "aligned": self.interpolation.aligned,
            "schedule": self.schedule,
            "temperature": self.temperature,
        }


def base_coordinates(source: ReferenceKeyAttention) -> int:
    """Return how many coordinates, each raising every logit by R^2/tau, lift the reference logit to 3 g.

    For gap-Max-IP with threshold s and gap Delta this is max(0, ceil(2 Delta - s)).

    Raises
    ------
    ValueError
        If R = 0.
    """
    layer = source.attention
    if layer.entry_bound == 0:
        raise ValueError("Argument 'source' must have a nonzero entry among its queries and keys.")
    missing = (3 * source.logit_gap - source.reference_logit) * layer.temperature / layer.entry_bound**2
    # The quotient is an integer for dyadic s and Delta, up to rounding: do not round noise up.
    return max(0, math.ceil(missing * (1 - 1e-12) - 1e-12))


def _require_nonnegative_logits(source: ReferenceKeyAttention) -> None:
    layer = source.attention
    # The reference key may be negative: base coordinates lift it.
    if (layer.queries >= 0).all() and (layer.keys[:-1] >= 0).all():
        return
    smallest = min(float(logits[:, :-1].min()) for _, logits in layer.logit_blocks())
    if smallest < -source.logit_tolerance:  # below zero by more than rounding
        raise ValueError(f"Argument 'source' must have logits >= 0, not {smallest:.6g}.")


def _absolute_product_bound(layer: AttentionInstance) -> float:
    """Return max over queries and keys of sum_i |q_i| |k_i|."""
    absolute = AttentionInstance(np.abs(layer.queries), np.abs(layer.keys), layer.values, 1.0)
    return absolute.logit_bound
