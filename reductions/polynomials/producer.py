"""The producer of certificates: it finds pieces that let the checker prove a polynomial's error."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from reductions.polynomials.checker import Certificate
from reductions.polynomials.enclosure import enclose_error, rational, slope_polynomial
from reductions.polynomials.exponential import ExpPolynomial
from reductions.polynomials.precision import working_precision

_SHORT = 2.0**-36
"""Width of the pieces around critical points, as a part of the spacing: its square is what it costs."""


def certify(polynomial: ExpPolynomial) -> Certificate:
    """Return a certificate of the polynomial's error, for ``verify_certificate``.

    The pieces are cut next to the real roots of P' - P. Between neighbouring roots the Bernstein coefficients
    have one sign already if all roots are real (Obreshkoff's one-circle theorem); elsewhere pieces are halved
    until the claim follows.

    Raises
    ------
    ArithmeticError
        If the stated error is not one that pieces with float64 ends can prove.
    """
    low, high = polynomial.low, polynomial.high
    _, _, critical = enclose_error(polynomial.coefficients, low, high)
    cuts = {low, high}
    for root in critical:
        radius = max((high - low) * _SHORT / (polynomial.degree + 1), 2 * math.ulp(root))
        cuts.update(cut for cut in (root - radius, root + radius) if low < cut < high)
    ends = sorted(cuts)
    waiting = list(pairwise(ends))[::-1] or [(low, high)]
    pieces = []
    with working_precision(256 + math.ceil(3 * (high - low))):
        proof = _Proof(polynomial)
        while waiting:
            start, end = waiting.pop()
            if proof.holds_on(start, end):
                pieces.append((start, end))
                continue
            middle = start + (end - start) / 2
            if not start < middle < end:
                raise ArithmeticError(f"The error {polynomial.error} is not proved at {start}.")
            waiting += [(middle, end), (start, middle)]
    return Certificate(polynomial.coefficients, low, high, polynomial.error, tuple(pieces))


class _Proof:
    """The checker's criterion, evaluated by FLINT."""

    def __init__(self, polynomial: ExpPolynomial) -> None:
        from flint import arb, arb_poly

        self.error = arb(polynomial.error)
        self.degree = polynomial.degree
        self.slope = slope_polynomial(polynomial.coefficients)
        self.polynomial = arb_poly([arb(c) for c in polynomial.coefficients])

    def holds_on(self, start: float, end: float) -> bool:
        from flint import arb

        largest = max(self._error(start), self._error(end))
        if not largest <= self.error:
            return False
        bernstein = self._bernstein(start, end)
        if all(c >= 0 for c in bernstein) or all(c <= 0 for c in bernstein):
            return True
        width = arb(rational(end) - rational(start)) / 2
        return bool(largest + width * max(abs(arb(c)) for c in bernstein) * (-arb(start)).exp() <= self.error)

    def _error(self, x: float) -> Any:
        from flint import arb

        return abs(self.polynomial(arb(x)) * (-arb(x)).exp() - 1).upper()

    def _bernstein(self, start: float, end: float) -> list[Any]:
        """Return the Bernstein coefficients of P' - P on a piece, in any order."""
        from flint import fmpq_poly

        n = self.degree
        on_unit = self.slope(fmpq_poly([rational(start), rational(end) - rational(start)]))
        reversed_ = fmpq_poly([on_unit[n - i] for i in range(n + 1)])
        shifted = reversed_(fmpq_poly([1, 1]))
        return [shifted[i] / math.comb(n, i) for i in range(n + 1)]
