"""The weights of up-interpolation: their sums, the polynomials they reproduce, their absolute sums.

Closed forms for one axis (lem-partition-of-unity, lem-keys-kernel, lem-lebesgue). A fine pixel is
described by its position s on the coarse axis: its *phase* is s - floor(s), and it is *interior* if
none of its four taps falls off the axis, so that no weight is clamped.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import Any

from reductions.problems.interpolation import Interpolation, Kernel, keys_inner, keys_outer


def keys_taps(phase: Any, a: Any) -> tuple[Any, Any, Any, Any]:
    """Return the four Keys weights of the coarse pixels floor(s) - 1, ..., floor(s) + 2.

    Parameters
    ----------
    phase
        s - floor(s), between 0 and 1: a number or a symbol.
    a
        The kernel's parameter, any number or symbol.
    """
    rest = 1 - phase
    return (
        keys_outer(1 + phase, a),
        keys_inner(phase, a),
        keys_inner(rest, a),
        keys_outer(1 + rest, a),
    )


def keys_moment(phase: Any, a: Any, degree: int) -> Any:
    """Return sum_k W(s - k) (k - s)^degree, the moment of the four taps about their sample."""
    taps = keys_taps(phase, a)
    return sum(weight * (offset - phase) ** degree for offset, weight in zip(range(-1, 3), taps, strict=True))


def phase(position: Fraction) -> Fraction:
    """Return s - floor(s)."""
    return position - position.__floor__()


def is_interior(position: Fraction, coarse: int) -> bool:
    """Tell whether all four taps lie on the axis: 1 <= s < coarse - 2."""
    return 1 <= position < coarse - 2


def row_norm(rule: Interpolation, coarse: int, fine: int, row: int) -> Fraction:
    """Return the sum of the absolute weights of a fine pixel, by the formula of lem-lebesgue.

    Parameters
    ----------
    rule
        The interpolation; its ``a`` is read as the exact value of the float.
    coarse, fine
        Numbers of pixels, 1 <= coarse <= fine.
    row
        The fine pixel, 0 <= row < fine.

    Raises
    ------
    ValueError
        If the sizes do not fit or there is no such row.
    """
    _require_sizes(coarse, fine)
    if not 0 <= row < fine:
        raise ValueError(f"Argument 'row' must be between 0 and {fine - 1}, not {row}.")
    if rule.kernel is not Kernel.BICUBIC:
        return Fraction(1)
    position = rule.position(row, coarse, fine)
    x = phase(position)
    y = 1 - x
    # Where a side is clamped, its negative outer tap joins larger ones of the other sign and is not seen.
    left_tap = x * y**2 if position >= 1 else Fraction(0)
    right_tap = y * x**2 if position < coarse - 2 else Fraction(0)
    # A single pixel collects all four taps, whatever their signs.
    negative = left_tap + right_tap if coarse > 1 else Fraction(0)
    return 1 + 2 * abs(Fraction(rule.a)) * negative


def lebesgue_bound(rule: Interpolation, coarse: int, fine: int) -> Fraction:
    """Return 1 + (|a|/2) (1 - eta/q^2): no fine pixel's absolute weights sum to more.

    Here p/q is coarse/fine in lowest terms, and eta is 0 if phase 1/2 occurs (for half-pixel centres if
    p is even, in the aligned convention if q is even) and 1 otherwise. The bound is attained if
    coarse - 3 >= p, since then there are interior pixels of every phase that occurs.

    Raises
    ------
    ValueError
        If the sizes are not positive integers or ``fine < coarse``.
    """
    _require_sizes(coarse, fine)
    if rule.kernel is not Kernel.BICUBIC:
        return Fraction(1)
    common = gcd(coarse, fine)
    p, q = coarse // common, fine // common
    meets_half = (q if rule.aligned else p) % 2 == 0
    missing = Fraction(0) if meets_half else Fraction(1, q * q)
    return 1 + abs(Fraction(rule.a)) / 2 * (1 - missing)


def lebesgue_constant(rule: Interpolation) -> Fraction:
    """Return the supremum of :func:`lebesgue_bound` over all sizes: 1 + |a|/2; 1 if not bicubic."""
    return Fraction(1) if rule.kernel is not Kernel.BICUBIC else 1 + abs(Fraction(rule.a)) / 2


def operator_norm(
    rule: Interpolation, coarse_shape: tuple[int, int], fine_shape: tuple[int, int]
) -> Fraction:
    """Return the norm of up-interpolation of maps from max-norm to max-norm, exactly.

    It is the product over the two axes of the largest row norm.

    Raises
    ------
    ValueError
        If a fine side is shorter than the coarse one, or a side is not positive.
    """
    norm = Fraction(1)
    for coarse, fine in zip(coarse_shape, fine_shape, strict=True):
        _require_sizes(coarse, fine)
        norm *= max(row_norm(rule, coarse, fine, row) for row in range(fine))
    return norm


def _require_sizes(coarse: int, fine: int) -> None:
    if not 1 <= coarse <= fine:
        raise ValueError(
            f"Arguments 'coarse' and 'fine' must satisfy 1 <= coarse <= fine, not {coarse} and {fine}."
        )
