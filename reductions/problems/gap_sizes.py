"""The sizes of gap-Max-IP instances, and the sizes of the attention and the VAR models made of them at τ = d.

They are written down for numbers of any size, as the accounts of the lower bound need them; that they are
the parameter maps' and what is built is checked by lem-route-crossover and thm-lower-bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reductions.codes.proof_system import ProofSystem


@dataclass(frozen=True)
class GapSizes:
    """The sizes of gap-Max-IP instances whose inner products lie in [0, s].

    Attributes
    ----------
    dimension, threshold, gap
        D, s and Δ > 0. An orthogonal pair has the inner product s, all other products are in [0, s - Δ].
    log_instances
        log2 of the number of instances, of which one call each decides.
    name
        What makes them, in words.
    cited
        Whether that rests on a citation.
    """

    dimension: int = field(repr=False)
    threshold: int
    gap: int | Fraction
    log_instances: float = 0.0
    name: str = ""
    cited: bool = False

    def __post_init__(self) -> None:
        if self.dimension < 0 or self.threshold < 0 or not self.gap > 0:
            raise ValueError(
                "Arguments 'dimension' and 'threshold' must be at least 0 and 'gap' above 0, not "
                f"{self.dimension}, {self.threshold} and {self.gap}."
            )

    @property
    def reference(self) -> int:
        """p = max(1, ⌈|s - Δ/2|⌉), the number of reference coordinates."""
        return max(1, math.ceil(abs(self.threshold - Fraction(self.gap) / 2)))

    @property
    def base(self) -> int:
        """p' = max(0, ⌈2Δ - s⌉), the number of base coordinates that the VAR model adds."""
        return max(0, math.ceil(2 * self.gap - self.threshold))

    @property
    def attention_dimension(self) -> int:
        """D + p, the dimension of queries and keys of the attention."""
        return self.dimension + self.reference

    @property
    def var_dimension(self) -> int:
        """D + p + p', that of the VAR model."""
        return self.attention_dimension + self.base

    @property
    def logit_ratio(self) -> Fraction:
        """s/Δ: m on the direct route, 1/ε on the other."""
        return Fraction(self.threshold) / self.gap

    @property
    def entry_ratio(self) -> Fraction:
        """(D + p)/Δ: 3m on the direct route."""
        return Fraction(self.attention_dimension) / self.gap

    @property
    def var_logit_ratio(self) -> Fraction:
        """(s + p')/Δ; max(s/Δ, 2) where s and Δ are integers."""
        return Fraction(self.threshold + self.base) / self.gap

    @property
    def var_entry_ratio(self) -> Fraction:
        """(D + p + p')/Δ."""
        return Fraction(self.var_dimension) / self.gap

    def entry_bound(self, keys: int) -> float:
        """Return R = √(2 (D + p)/Δ ln 4N), for N keys."""
        return math.sqrt(2 * self.entry_ratio * math.log(4 * keys))

    def logit_bound(self, keys: int, orthogonal: bool = True) -> float:
        """Return b = 2 (s/Δ) ln 4N with an orthogonal pair, and (2 s/Δ - 1) ln 4N without one, for s >= Δ."""
        return (2 * self.logit_ratio - (not orthogonal)) * math.log(4 * keys)

    def var_entry_bound(self, tokens: int) -> float:
        """Return R = √(2 (D + p + p')/Δ ln 16L), for a model with L tokens."""
        return math.sqrt(2 * self.var_entry_ratio * math.log(16 * tokens))

    def var_logit_bound(self, tokens: int, orthogonal: bool = True) -> float:
        """Return b = 2 max(s/Δ, 2) ln 16L with an orthogonal pair, ln 16L less without one, for s >= Δ."""
        return (2 * self.var_logit_ratio - (not orthogonal)) * math.log(16 * tokens)


def complement_sizes(coordinates: int) -> GapSizes:
    """Return D = 2m, s = m and Δ = 1, those of the complement encoding."""
    return GapSizes(2 * coordinates, coordinates, 1, name="complement encoding")


def pcp_sizes(system: ProofSystem) -> GapSizes:
    """Return the sizes of a finite proof system, one that is built, with all its messages."""
    return GapSizes(
        system.dimension,
        system.code.length,
        system.gap,
        math.log2(system.message_count),
        f"distributed PCP, {system.code.name}, T = {system.blocks}",
    )
