"""When the distributed PCP makes smaller numbers than the complement encoding (lem-route-crossover).

Both routes end in a gap-Max-IP instance with dimension D, threshold s and gap Δ, and the attention
instance made of it has the logit bound 2 (s/Δ) ln(4N) and, at temperature d, the squared entry bound
2 ((D + p)/Δ) ln(4N). So two ratios decide, one for each criterion; they are never compared with each
other. All ratios are exact fractions.
"""

from __future__ import annotations

from fractions import Fraction

from reductions.codes.proof_system import ProofSystem
from reductions.problems.gap_sizes import GapSizes, complement_sizes, pcp_sizes


def direct_route(coordinates: int) -> GapSizes:
    """Return the sizes by the complement encoding of vectors with m >= 1 coordinates.

    Raises
    ------
    ValueError
        If m < 1.
    """
    if coordinates < 1:
        raise ValueError(f"Argument 'coordinates' must be at least 1, not {coordinates}.")
    return complement_sizes(coordinates)


def pcp_route(system: ProofSystem) -> GapSizes:
    """Return the sizes by a distributed PCP, one call a message; they are the same for all m up to s0 T.

    Raises
    ------
    ValueError
        If the system is not sound.
    """
    fault = system.fault()
    if fault is not None:
        raise ValueError(f"Argument 'system' must be sound, not one where {fault}.")
    return pcp_sizes(system)


def full_alphabet_route(order: int, length: int, bound: int, blocks: int) -> GapSizes:
    """Return the sizes on a pcp route whose alphabets are the whole field at every point: D = len q^T.

    Parameters
    ----------
    order, length, bound, blocks
        q, the number of points, the degree of the squared code (below ``length``), and T.
    """
    name = f"{length} points over F_{order}, T = {blocks}, full alphabets"
    return GapSizes(length * order**blocks, length, length - bound, name=name)


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
