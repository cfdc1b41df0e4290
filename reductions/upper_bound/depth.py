"""What composing many layers costs (rem-depth): degrees, exponents, and a model that really amplifies.

A drawing passes through K = Theta(log n) attention layers, one after the other. If each multiplies errors
by Lambda, the first ones must be right up to Lambda^-K. Natural logarithms throughout: x stands for ln n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reductions.layers.arrays import Floats
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import square_schedule
from reductions.problems.var_model import SelfAttention, VarModel


def local_precision(log_tolerance: float, scales: int, log_constant: float) -> float:
    """Return ln(1/eps) for which local errors eps keep the output's error at most e^-log_tolerance.

    Parameters
    ----------
    log_tolerance
        ln of one over the error allowed at the end.
    scales
        K, how many layers the error passes through, the erring ones included.
    log_constant
        ln Lambda >= 0, for the error of one scale in terms of the one before.

    Returns
    -------
    float
        log_tolerance + ln(1 + Lambda + ... + Lambda^(K-1)), lem-error-composition solved for eps.
    """
    if scales < 1:
        raise ValueError(f"Argument 'scales' must be at least 1, not {scales}.")
    if not log_constant >= 0:
        raise ValueError(f"Argument 'log_constant' must be at least 0, not {log_constant}.")
    if log_constant < 1e-300:
        return log_tolerance + math.log(scales)
    # The geometric sum is Lambda^(K-1) (1 - Lambda^-K) / (1 - 1/Lambda).
    ends = math.log(-math.expm1(-scales * log_constant)) - math.log(-math.expm1(-log_constant))
    return log_tolerance + (scales - 1) * log_constant + ends


def error_window(b: float, degree: float) -> tuple[float, float]:
    """Return (low, high) with low <= ln(1/E_g(b)) <= high, by Taylor's and by Bernstein's argument.

    With nu = g + 1: nu ln(nu/(e b)) - 2b and nu ln(2 nu/b) + 2b; the degree may be a real number.
    """
    if not b > 0 or not degree >= 0:
        raise ValueError("Arguments 'b' and 'degree' must be positive and at least 0.")
    nu = degree + 1
    return nu * math.log(nu / (math.e * b)) - 2 * b, nu * math.log(2 * nu / b) + 2 * b


def degree_window(b: float, precision: float) -> tuple[float, float]:
    """Return real numbers around the least degree g with E_g(b) <= e^-precision.

    Below the first one the error is larger by the upper end of :func:`error_window`, from the second one on
    (the next integer) it is small enough by the lower end. For logarithms far beyond the range of degrees
    that can be computed.
    """

    def least(end: int, start: float) -> float:
        if error_window(b, start - 1)[end] >= precision:
            return 0.0
        low = high = start
        while error_window(b, high - 1)[end] < precision:
            low, high = high, 2 * high
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if error_window(b, middle - 1)[end] < precision else (low, middle)
        return max(high - 1, 0.0)

    # Both ends increase in nu from these starts on; Taylor's is negative at its own.
    return least(1, max(b / (2 * math.e), 1.0)), least(0, max(b, 1.0))


def degree_slope(rho: float, layers: float = 1.0) -> float:
    """Return 2 rho / (1 - 2 rho) * layers: the limit of g / log_2 n where R = (log n)^rho at tau = d.

    Parameters
    ----------
    rho
        0 <= rho < 1/2.
    layers
        Composed attention layers, in units of log_2 n.
    """
    if not 0 <= rho < 0.5:
        raise ValueError(f"Argument 'rho' must be at least 0 and below 1/2, not {rho}.")
    return 2 * rho / (1 - 2 * rho) * layers


def entropy(c: float, gamma: float) -> float:
    """Return H(c, gamma) = (c + gamma) ln(c + gamma) - c ln c - gamma ln gamma.

    Features of degree gamma ln n in dimension c ln n number n^(H + o(1)).
    """
    if not c > 0 or not gamma >= 0:
        raise ValueError("Arguments 'c' and 'gamma' must be positive and at least 0.")
    return gamma * math.log1p(c / gamma) + c * math.log1p(gamma / c) if gamma else 0.0


def scale_exponent(x: float, c: float, gamma: float) -> float:
    """Return the exponent of n in the time that the scale of side n^x takes.

    The cheaper of exact attention, 4x, and of a degree (1 - x) gamma ln n that is enough for the layers
    that follow: 2x + H(c, (1 - x) gamma).
    """
    return 2 * x + min(2 * x, entropy(c, (1 - x) * gamma))


def drawing_exponent(c: float, gamma: float) -> tuple[float, float]:
    """Return (x, theta): the scale n^x that takes longest, and the exponent theta of the whole drawing.

    It is where exact attention and low rank cost the same, or beyond, at the largest of the second.
    """
    if gamma == 0:
        return 1.0, 2.0
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if 2 * middle < entropy(c, (1 - middle) * gamma) else (low, middle)
    # 2x + H(c, (1 - x) gamma) is concave in x; beyond the crossing it may still grow.
    left, right = high, 1.0
    for _ in range(200):
        a, b = left + (right - left) / 3, right - (right - left) / 3
        left, right = (a, right) if scale_exponent(a, c, gamma) < scale_exponent(b, c, gamma) else (left, b)
    best = max(high, (left + right) / 2, key=lambda x: scale_exponent(x, c, gamma))
    return best, scale_exponent(best, c, gamma)


def amplifying_model(bound: float, sides: Sequence[int], dimension: int = 1) -> VarModel:
    """Return the model that multiplies an error by almost R^2 at every scale.

    A token has two channels: an error e, and a sign +-R that the position table provides, on the left and
    on the right half of every scale. Queries read e, keys and values read the sign; weights are 0 and 1,
    and tau = d. Drawn from the start token (e, 0), every output of scale k is (e_k, 0) with e_0 = e and
    e_k = R tanh(R e_{k-1}), at all pixels.

    Parameters
    ----------
    bound
        R > 0.
    sides
        Even sides of the scales, increasing.
    dimension
        d.

    Raises
    ------
    ValueError
        If R is not a positive number, a side is odd, or the sides do not increase.
    """
    if not 0 < bound < math.inf:
        raise ValueError(f"Argument 'bound' must be a positive number, not {bound}.")
    if any(side % 2 for side in sides):
        raise ValueError(f"Argument 'sides' must be even, not {tuple(sides)}.")
    reads_error, reads_sign = np.zeros((2, dimension)), np.zeros((2, dimension))
    reads_error[0] = reads_sign[1] = 1.0
    values, outputs = np.array([[0.0], [1.0]]), np.array([[1.0, 0.0]])
    layer = SelfAttention(reads_error, reads_sign, values, outputs, float(dimension))
    return VarModel(
        square_schedule(sides),
        Interpolation(Kernel.NEAREST),
        (layer,),
        tuple(_signs(side, bound) for side in sides),
    )


def _signs(side: int, bound: float) -> Floats:
    table = np.zeros((side, side, 2))
    table[:, : side // 2, 1], table[:, side // 2 :, 1] = bound, -bound
    return table.reshape(side * side, 2)


def amplified(error: float, bound: float, scales: int) -> float:
    """Return e_scales, where e_0 = error and e_k = R tanh(R e_{k-1})."""
    for _ in range(scales):
        error = bound * math.tanh(bound * error)
    return error
