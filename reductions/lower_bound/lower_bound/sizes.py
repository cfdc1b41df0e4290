"""The sizes of gap-Max-IP instances and of the VAR models made of them, in closed form.

Each is a composition of the parameter maps of the reductions (thm-lower-bound), written down for numbers
of any size: what is large is an integer or a logarithm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

from reductions.lower_bound.isolation import SPACING
from reductions.lower_bound.pcp_asymptotics import choose, tower_code
from reductions.problems.approximate_var import Reading
from reductions.problems.gap_sizes import GapSizes
from reductions.problems.interpolation import Kernel


def stretch(reading: Reading, kernel: Kernel) -> int:
    """Return n / 2^ceil(v/4): 1 from one token; 2 sigma with all maps given, half a map with sigma a slot."""
    return 1 if reading is Reading.START_AND_POSITIONS else 2 * SPACING[kernel]


def log_side(reading: Reading, kernel: Kernel, variables: int) -> int:
    """Return log2 n for v >= 1 variables."""
    return stretch(reading, kernel).bit_length() - 1 + -(-variables // 4)


def side_overhead(reading: Reading, kernel: Kernel, saving: Fraction) -> Fraction:
    """Return log2 of the largest n^(4 - q) / 2^((1 - q/4) v): that of v = 1 modulo 4."""
    return (4 - saving) * (log_side(reading, kernel, 1) - Fraction(1, 4))


def tower_sizes(density: Fraction, loss: Fraction, log_vectors: int) -> GapSizes:
    """Return the sizes on a tower of curves, for N = 2^log_vectors and m = c log2 N (lem-pcp-asymptotics)."""
    chosen = choose(density, loss)
    code = tower_code(chosen.root, chosen.block(log_vectors))
    messages = float(chosen.log_messages(log_vectors))
    name = f"distributed PCP, tower over F_{chosen.root}^2, T = {chosen.blocks:,}"
    return GapSizes(
        code.length * chosen.alphabet, code.length, Fraction(code.length, 2), messages, name, True
    )


@dataclass(frozen=True)
class ModelSizes:
    """The sizes of one VAR model at tau = d.

    Attributes
    ----------
    log_side
        log2 n.
    dimension
        d.
    gap, most
        The gap of the inner products, and the largest absolute value that counts for the logit bound.
    channels
        The most channels that a layer reads or writes.
    """

    log_side: int
    dimension: int = field(repr=False)
    gap: Fraction
    most: Fraction
    channels: int = field(repr=False)

    @property
    def tokens(self) -> int:
        """L = (4 n^2 - 1)/3, of the scales 1, 2, 4, ..., n."""
        return int((4 ** (self.log_side + 1) - 1) // 3)

    @property
    def log_tokens(self) -> float:
        """ln(16 L)."""
        return math.log(16 * self.tokens)

    @property
    def log2_entry_bound(self) -> float:
        """log2 R, where R = sqrt(2 d ln(16 L) / gap)."""
        ratio = 2 * self.dimension / self.gap
        return (math.log2(ratio.numerator) - math.log2(ratio.denominator) + math.log2(self.log_tokens)) / 2

    @property
    def entry_bound(self) -> float:
        """R; infinity where no float is as large."""
        return 2.0**self.log2_entry_bound if self.log2_entry_bound < 1000 else math.inf

    @property
    def logit_bound(self) -> float:
        """b = 2 ln(16 L) most / gap, whatever tau is."""
        return 2 * self.log_tokens * float(self.most / self.gap)


def maps_sizes(encoding: GapSizes, log_vectors: int, kernel: Kernel) -> ModelSizes:
    """Return the sizes in reading maps: gap-Max-IP to attention to VAR, N = 2^log_vectors per side."""
    side = log_side(Reading.MAPS, kernel, 2 * log_vectors)
    most = Fraction(encoding.threshold + encoding.base)
    return ModelSizes(
        side, encoding.var_dimension, Fraction(encoding.gap), most, 2 * encoding.var_dimension + 1
    )


def inference_sizes(variables: int, clauses: int) -> ModelSizes:
    """Return the sizes in reading start+positions."""
    side = log_side(Reading.START_AND_POSITIONS, Kernel.BICUBIC, variables)
    channels = max(2 * side + 2, 2 * clauses + 1)
    return ModelSizes(side, clauses + 1, Fraction(1), max(clauses, 1) - Fraction(1, 2), channels)
