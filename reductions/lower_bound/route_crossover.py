"""When the distributed PCP makes smaller numbers than the complement encoding (lem-route-crossover).

Both routes end in a gap-Max-IP instance with dimension D, threshold s and gap Δ, and the attention
instance made of it has the logit bound 2 (s/Δ) ln(4N) and, at temperature d, the squared entry bound
2 ((D + p)/Δ) ln(4N). So two ratios decide, one for each criterion; they are never compared with each
other. All ratios are exact fractions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from reductions.codes.proof_system import ProofSystem


@dataclass(frozen=True)
class Route:
    """What a route from orthogonal vectors leaves for attention.

    Attributes
    ----------
    name
        In words.
    dimension, threshold, gap
        D, s >= Δ and Δ >= 1 of its gap-Max-IP instances, integers. An orthogonal pair has the inner
        product s, all other products are in [0, s - Δ].
    """

    name: str
    dimension: int
    threshold: int
    gap: int

    def __post_init__(self) -> None:
        if not 1 <= self.gap <= self.threshold <= self.dimension:
            raise ValueError(
                "Arguments 'gap', 'threshold' and 'dimension' must increase from 1 on, not be "
                f"{self.gap}, {self.threshold} and {self.dimension}."
            )

    @property
    def reference(self) -> int:
        """p = ⌈s - Δ/2⌉, the number of reference coordinates."""
        return math.ceil(self.threshold - Fraction(self.gap, 2))

    @property
    def base(self) -> int:
        """p' = max(0, 2Δ - s), the number of base coordinates that the VAR model adds."""
        return max(0, 2 * self.gap - self.threshold)

    @property
    def logit_ratio(self) -> Fraction:
        """s/Δ: m on the direct route, 1/ε on the other."""
        return Fraction(self.threshold, self.gap)

    @property
    def entry_ratio(self) -> Fraction:
        """(D + p)/Δ: 3m on the direct route."""
        return Fraction(self.dimension + self.reference, self.gap)

    @property
    def var_logit_ratio(self) -> Fraction:
        """(s + p')/Δ = max(s/Δ, 2)."""
        return Fraction(self.threshold + self.base, self.gap)

    @property
    def var_entry_ratio(self) -> Fraction:
        """(D + p + p')/Δ."""
        return self.entry_ratio + Fraction(self.base, self.gap)

    def entry_bound(self, keys: int) -> float:
        """Return R = √(2 (D + p)/Δ ln 4N) at temperature d, for N keys."""
        return math.sqrt(2 * self.entry_ratio * math.log(4 * keys))

    def logit_bound(self, keys: int, orthogonal: bool = True) -> float:
        """Return b = 2 (s/Δ) ln 4N with an orthogonal pair, and (2 s/Δ - 1) ln 4N without one."""
        return (2 * self.logit_ratio - (not orthogonal)) * math.log(4 * keys)

    def var_entry_bound(self, tokens: int) -> float:
        """Return R = √(2 (D + p + p')/Δ ln 16L) at temperature d, for a model with L tokens."""
        return math.sqrt(2 * self.var_entry_ratio * math.log(16 * tokens))

    def var_logit_bound(self, tokens: int, orthogonal: bool = True) -> float:
        """Return b = 2 max(s/Δ, 2) ln 16L with an orthogonal pair, ln 16L less without one."""
        return (2 * self.var_logit_ratio - (not orthogonal)) * math.log(16 * tokens)


def direct_route(coordinates: int) -> Route:
    """Return the route by the complement encoding of vectors with m >= 1 coordinates.

    Raises
    ------
    ValueError
        If m < 1.
    """
    if coordinates < 1:
        raise ValueError(f"Argument 'coordinates' must be at least 1, not {coordinates}.")
    return Route(f"direct, m = {coordinates}", 2 * coordinates, coordinates, 1)


def gap_route(system: ProofSystem) -> Route:
    """Return the route by a distributed PCP, one call a message; it is the same for all m up to s0 T.

    Raises
    ------
    ValueError
        If the system is not sound.
    """
    fault = system.fault()
    if fault is not None:
        raise ValueError(f"Argument 'system' must be sound, not one where {fault}.")
    return Route(
        f"{system.code.name}, s0 = {system.code.block}, T = {system.blocks}",
        system.dimension,
        system.code.length,
        system.gap,
    )


def full_alphabet_route(order: int, length: int, bound: int, blocks: int) -> Route:
    """Return the gap route whose alphabets are the whole field at every point: D = len q^T.

    Parameters
    ----------
    order, length, bound, blocks
        q, the number of points, the degree of the squared code (below ``length``), and T.
    """
    name = f"{length} points over F_{order}, T = {blocks}, full alphabets"
    return Route(name, length * order**blocks, length, length - bound)


def entry_crossover(order: int, blocks: int, epsilon: Fraction) -> Fraction:
    """Return (q^T + 1)/(3ε): from here on a gap route with q, T and ε has the smaller entries.

    With full alphabets it is right up to 1/6: see part 6 of the lemma.

    Raises
    ------
    ValueError
        If ε is not in (0, 1].
    """
    if not 0 < epsilon <= 1:
        raise ValueError(f"Argument 'epsilon' must be above 0 and at most 1, not {epsilon}.")
    symbols: int = order**blocks
    return (symbols + 1) / (3 * Fraction(epsilon))


def exponent_loss(message_bits: float, log_keys: float) -> float:
    """Return η = log2|W| / log2 N: |W| calls in time N^(2-δ) each take N^(2-δ+η).

    Raises
    ------
    ValueError
        If log2 N is not positive.
    """
    if not log_keys > 0:
        raise ValueError(f"Argument 'log_keys' must be positive, not {log_keys}.")
    return message_bits / log_keys


def least_blocks(
    order: int, genus_share: Fraction, density: Fraction | float, saving: Fraction | float
) -> int:
    """Return the least T >= (1 + γ) c log2 q / δ: with so many blocks messages cost less than the saving.

    It is exact, whether log2 q is an integer or not.

    Parameters
    ----------
    order
        q.
    genus_share
        γ = g/s0 of a one-point code with k >= 2g: |W| < q^((1 + γ) s0), so that η < δ by part 7.
    density
        c, where m = c log2 N; a float is the fraction that it stands for.
    saving
        δ > 0, likewise.

    Raises
    ------
    ValueError
        If δ is not positive.
    """
    import sympy

    if not saving > 0:
        raise ValueError(f"Argument 'saving' must be positive, not {saving}.")
    slope = (1 + Fraction(genus_share)) * Fraction(density) / Fraction(saving)
    return int(sympy.ceiling(sympy.Rational(slope) * sympy.log(order, 2)))
