"""How far a weighted mean moves when its weights are multiplied by factors near 1 (lem-weight-perturbation).

Attention outputs are weighted means of values. Whoever replaces an exponential by a polynomial, or is
handed logits that are a little off, multiplies the weights by factors; only the ratio of the largest to
the smallest factor counts. All bounds are sharp, and all floats returned are rounded up.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

from reductions.layers.directed_rounding import round_up

# The computed value of 2 eps / (1 + sqrt((1 - eps)(1 + eps))) is off by less than five roundings of 2^-53
# each, and the product with the value bound by one more: eight make up for them.
_UP = 1 + 2.0**-50
_LEAST = 2.0**-1073  # two units of the smallest subnormal, for products that underflow


def weighted_mean_error(value_bound: float, epsilon: float) -> float:
    """Return 2v tanh(artanh(eps)/2) = 2v eps / (1 + sqrt(1 - eps^2)), rounded up.

    Multiply positive weights by factors in [1 - eps, 1 + eps]: their weighted mean of numbers in [-v, v]
    moves by at most that, and by exactly that in :func:`equality_case`.

    Parameters
    ----------
    value_bound
        v >= 0.
    epsilon
        0 <= eps < 1.

    Returns
    -------
    float
        At least the bound B, at most (1 + 2^-49) B + 2^-1071 (infinity where that exceeds float64).

    Raises
    ------
    ValueError
        If v is negative or not a number, or eps is not in [0, 1).
    """
    _require_value_bound(value_bound)
    if not 0 <= epsilon < 1:
        raise ValueError(f"Argument 'epsilon' must be at least 0 and below 1, not {epsilon}.")
    if not value_bound or not epsilon:
        return 0.0
    # Nothing cancels: where 1 - sqrt(1 - eps^2) would lose all digits, this form loses none.
    share = 2 * epsilon / (1 + math.sqrt((1 - epsilon) * (1 + epsilon)))
    return value_bound * share * _UP + _LEAST


def logit_error(value_bound: float, eta: float) -> float:
    """Return 2v tanh(eta/2), rounded up: the bound where every logit of a row moves by at most eta.

    Parameters
    ----------
    value_bound
        v >= 0.
    eta
        eta >= 0; infinity stands for logits of which nothing is known, and gives 2v.

    Returns
    -------
    float
        At least the bound B, at most (1 + 2^-49) B + 2^-1071.

    Raises
    ------
    ValueError
        If v or eta is negative or not a number.
    """
    _require_value_bound(value_bound)
    if not eta >= 0:
        raise ValueError(f"Argument 'eta' must be at least 0, not {eta}.")
    if not value_bound or not eta:
        return 0.0
    if eta < 2.0**-27:  # 2 tanh(eta/2) <= eta <= 2 tanh(eta/2) (1 + eta^2), and eta/2 may underflow
        return value_bound * eta * _UP + _LEAST
    if eta > 40:  # 1 - tanh(20) < 2^-56
        return value_bound * 2 * _UP
    return value_bound * (2 * _tanh_up(eta / 2)) * _UP + _LEAST


def ratio_error(value_bound: float, ratio: float) -> float:
    """Return 2v (sqrt(kappa) - 1) / (sqrt(kappa) + 1), rounded up; kappa is max f / min f over the factors f.

    Raises
    ------
    ValueError
        If v is negative or not a number, or kappa is not a number from 1 on.
    """
    _require_value_bound(value_bound)
    if not 1 <= ratio < math.inf:
        raise ValueError(f"Argument 'ratio' must be a number from 1 on, not {ratio}.")
    if not value_bound or ratio == 1:
        return 0.0
    if ratio > 2.0**120:  # the share is above 1 - 2^-58
        return value_bound * 2 * _UP
    # (kappa - 1) / (sqrt(kappa) + 1)^2: seven roundings, and one of the product with the value bound.
    share = 2 * (ratio - 1) / (1 + math.sqrt(ratio)) ** 2
    return value_bound * share * (1 + 2.0**-49) + _LEAST


def compose(*epsilons: float) -> float:
    """Return the eps of several perturbations in a row, rounded up: artanh(eps) is the sum of the artanhs.

    For two it is (eps_1 + eps_2) / (1 + eps_1 eps_2). The value bound 2v tanh(artanh(eps)/2) then holds for
    the product of the factors, which need not lie in [1 - eps, 1 + eps] itself, but does after division
    by a constant.

    Raises
    ------
    ValueError
        If an eps is not in [0, 1), or the result rounds to 1.
    """
    total = Fraction(0)
    for epsilon in epsilons:
        if not 0 <= epsilon < 1:
            raise ValueError(f"Argument 'epsilons' must hold numbers from 0 on and below 1, not {epsilon}.")
        total = (total + Fraction(epsilon)) / (1 + total * Fraction(epsilon))
        total = Fraction(round_up(total))  # so that the fractions stay short
    if total >= 1:
        raise ValueError("Argument 'epsilons' must compose to a number that float64 tells from 1.")
    return float(total)


class EqualityCase(NamedTuple):
    """Two tokens for which the bound is attained: the mean moves from -v t to v t."""

    weights: tuple[Any, Any]
    factors: tuple[Any, Any]
    values: tuple[Any, Any]


def epsilon_of(t: Any) -> Any:
    """Return eps = 2t / (1 + t^2), whose bound is 2v t, since artanh(eps) = 2 artanh(t)."""
    return 2 * t / (1 + t * t)


def equality_case(value_bound: Any, t: Any) -> EqualityCase:
    """Return the case of equality for eps = ``epsilon_of(t)``: the lighter token gains, the heavier loses.

    Parameters
    ----------
    value_bound
        v: a number or a symbol.
    t
        tanh(artanh(eps)/2), between 0 and 1: a float, a fraction (then all is exact) or a symbol.
    """
    epsilon = epsilon_of(t)
    return EqualityCase(
        weights=((1 - t) / 2, (1 + t) / 2),
        factors=(1 + epsilon, 1 - epsilon),
        values=(value_bound, -value_bound),
    )


def weighted_mean(weights: Any, values: Any) -> Any:
    """Return sum(w x) / sum(w) of two sequences, in the arithmetic of their entries."""
    return sum(w * x for w, x in zip(weights, values, strict=True)) / sum(weights)


def _tanh_up(x: float) -> float:
    """Return tanh(x) for x > 0, rounded up, from an enclosure by Arb."""
    from flint import arb, ctx

    with ctx.workprec(80):
        mantissa, exponent = arb(x).tanh().upper().man_exp()
    return round_up(Fraction(int(mantissa)) * Fraction(2) ** int(exponent))


def _require_value_bound(value_bound: float) -> None:
    if not value_bound >= 0:
        raise ValueError(f"Argument 'value_bound' must be at least 0, not {value_bound}.")
