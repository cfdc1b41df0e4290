"""A certificate that a polynomial is near exp, and its checker in exact integer arithmetic.

The checker trusts nothing that produced the certificate: it uses Python's integers and fractions only.
Why its acceptance proves the bound is part of lem-exp-polynomial.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

_BITS = 256
"""Binary places of the enclosures of exp."""


class CertificateError(ValueError):
    """The certificate does not prove its claim."""


@dataclass(frozen=True)
class Certificate:
    """The claim |P(x) e^-x - 1| <= error on [low, high], with pieces that prove it.

    Attributes
    ----------
    coefficients
        Of P, float64, lowest first.
    low, high
        The interval.
    error
        The claimed bound.
    pieces
        Closed intervals (start, end) that cover [low, high] from left to right: on each, the derivative of
        P e^-x has one sign, or the piece is so short that it does not matter.
    """

    coefficients: tuple[float, ...]
    low: float
    high: float
    error: float
    pieces: tuple[tuple[float, float], ...]


def verify_certificate(certificate: Certificate) -> None:
    """Prove |P(x) e^-x - 1| <= error for all real x in [low, high], or refuse.

    On a piece [s, t] every x is within (t - s)/2 of an end, so |h(x)| is at most the larger of |h(s)|, |h(t)|
    plus (t - s)/2 max |h'|, where h = P e^-x - 1 and h' = (P' - P) e^-x; the second term is not needed if
    P' - P has one sign on the piece. Both are read off the Bernstein coefficients of P' - P.

    Raises
    ------
    CertificateError
        If the claim does not follow; the message says where.
    """
    numbers = (*certificate.coefficients, certificate.low, certificate.high, certificate.error)
    if not certificate.coefficients or not all(math.isfinite(number) for number in numbers):
        raise CertificateError("There must be coefficients, and all numbers must be finite.")
    _verify_cover(certificate)
    for start, end, bound in _piecewise_bounds(certificate):
        if bound > Fraction(certificate.error):
            raise CertificateError(
                f"On [{start}, {end}] the error may be {float(bound):.17g}, above {certificate.error:.17g}."
            )


def proved_error(certificate: Certificate) -> Fraction:
    """Return the bound on |P(x) e^-x - 1| over [low, high] that the pieces prove, whatever is claimed.

    Raises
    ------
    CertificateError
        If the pieces do not cover the interval.
    """
    _verify_cover(certificate)
    return max(bound for _, _, bound in _piecewise_bounds(certificate))


def proved_lower_bound(points: Sequence[float]) -> Fraction:
    """Return a lower bound on max |P(x) e^-x - 1| over g + 2 points, for *every* P of degree at most g.

    With w_i = prod_{j != i} 1/(x_i - x_j) the functional f -> sum w_i f(x_i) vanishes at P, so the bound is
    |sum w_i e^{x_i}| / sum |w_i| e^{x_i}.

    Raises
    ------
    CertificateError
        If there are fewer than two points or they do not increase.
    """
    if len(points) < 2 or any(not x < y for x, y in pairwise(points)):
        raise CertificateError("There must be at least two points, and they must increase.")
    exact = [Fraction(x) for x in points]
    low = high = total = Fraction(0)
    for i, x in enumerate(exact):
        weight = 1 / math.prod((x - y for j, y in enumerate(exact) if j != i), start=Fraction(1))
        below, above = (weight * bound for bound in exponential_bounds(x))
        low, high = low + min(below, above), high + max(below, above)
        total += max(abs(below), abs(above))
    return max(Fraction(0), low, -high) / total


def _piecewise_bounds(certificate: Certificate) -> Iterator[tuple[float, float, Fraction]]:
    """Yield every piece with a bound on the error there."""
    coefficients = [Fraction(c) for c in certificate.coefficients]
    slope = [(i + 1) * c for i, c in enumerate(coefficients[1:])] + [Fraction(0)]
    slope = [derivative - c for derivative, c in zip(slope, coefficients, strict=True)]
    errors = {x: _error_at(coefficients, Fraction(x)) for piece in certificate.pieces for x in piece}
    for start, end in certificate.pieces:
        least, largest = _bernstein_range(slope, Fraction(start), Fraction(end))
        slack = Fraction(0)
        if least < 0 < largest:
            falls_by = exponential_bounds(-Fraction(start))[1]
            slack = (Fraction(end) - Fraction(start)) / 2 * max(-least, largest) * falls_by
        yield start, end, max(errors[start], errors[end]) + slack


def _verify_cover(certificate: Certificate) -> None:
    """Check that the pieces reach from low to high without a gap."""
    reached = certificate.low
    for start, end in certificate.pieces:
        if start != reached or not start <= end:
            raise CertificateError(f"The pieces leave a gap: after {reached} comes [{start}, {end}].")
        reached = end
    if not certificate.pieces or reached != certificate.high:
        raise CertificateError(f"The pieces end at {reached}, not at {certificate.high}.")


def _error_at(coefficients: Sequence[Fraction], x: Fraction) -> Fraction:
    """Return an upper bound of |P(x) e^-x - 1|."""
    value = Fraction(0)
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return max(abs(value * bound - 1) for bound in exponential_bounds(-x))


def _bernstein_range(
    polynomial: Sequence[Fraction], start: Fraction, end: Fraction
) -> tuple[Fraction, Fraction]:
    """Return the least and the largest Bernstein coefficient on [start, end]: all values lie between them."""
    n = len(polynomial) - 1
    width = end - start
    # All numbers are dyadic: with D a common denominator, p(start + width y) D is computed in integers.
    scale = max(c.denominator for c in polynomial)
    step = max(start.denominator, width.denominator)
    s, w = int(start * step), int(width * step)
    integers = [int(c * scale) * step ** (n - i) for i, c in enumerate(polynomial)]
    # Taylor shift by s: synthetic division, again and again.
    for i in range(n):
        for j in range(n - 1, i - 1, -1):
            integers[j] += s * integers[j + 1]
    powers = [a * w**i for i, a in enumerate(integers)]
    # binomial(n, i) times the i-th Bernstein coefficient is the sum of binomial(n - j, i - j) a_j: the
    # reversed polynomial shifted by 1 and reversed.
    mixed = powers[::-1]
    for i in range(n):
        for j in range(n - 1, i - 1, -1):
            mixed[j] += mixed[j + 1]
    denominator = scale * step**n
    bernstein = [Fraction(c, denominator * math.comb(n, i)) for i, c in enumerate(reversed(mixed))]
    return min(bernstein), max(bernstein)


def exponential_bounds(x: Fraction) -> tuple[Fraction, Fraction]:
    """Return fractions around e^x."""
    if x < 0:
        low, high = exponential_bounds(-x)
        return 1 / high, 1 / low
    halvings = max(0, math.ceil(2 * x)).bit_length()
    one = 1 << (_BITS + 2 * halvings)
    y = x / 2**halvings  # 0 <= y <= 1/2
    least = greatest = below = above = one
    n = 0
    while above > 1:
        n += 1
        below = below * y.numerator // (y.denominator * n)
        above = -(-above * y.numerator // (y.denominator * n))
        least += below
        greatest += above
    greatest += 1 + above  # the terms left out are at most half, a quarter, ... of the last one
    for _ in range(halvings):
        least = least * least // one
        greatest = -(-greatest * greatest // one)
    return Fraction(least, one), Fraction(greatest, one)
