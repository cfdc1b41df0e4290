"""Powers of two of a vector: what exp costs most in exact attention, with a proved error.

Logits are kept in base 2, s = logit * log2(e). With n the integer nearest to s and r = s - n, which is exact,

    2^(s - m) = 2^(n - m) * 2^r,    |r| <= 1/2,

for any integer m. A polynomial P stands in for 2^r; the power of two is added to its exponent, which is exact
too. So the only errors are those of P and of its evaluation: :class:`Exponential` states both.

A number n is added to MAGIC = 3/2 * 2^(bits of the mantissa), so that it appears in the lowest bits of the
sum. That holds for |s| <= LARGEST. The reference m is given as MAGIC + m.

``subquartic bench dispatcher`` justifies this module: there exact attention is compared with a library's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Number = np.dtype[Any]


@dataclass(frozen=True)
class Exponential:
    """What computes powers of two in one type.

    Attributes
    ----------
    coefficients
        Of P, lowest first; numbers of the type, positive.
    error
        A bound on |P(r) 2^-r - 1| over [-1/2, 1/2], over the real numbers. The tests prove it in intervals.
    magic
        3/2 * 2^(bits of the mantissa).
    largest
        |s| may be so large.
    mantissa
        Bits that are stored of it.
    least
        Exponents n - m below it are replaced by it: the result stays a normal number.
    """

    coefficients: tuple[float, ...]
    error: float
    magic: float
    largest: float
    mantissa: int
    least: int

    def relative_error(self, unit: float) -> float:
        """Bound the relative error of a computed power of two, if its exponent is not replaced.

        Horner's rule computes q_i = q_(i+1) r + c_i with two roundings at most, of product and sum; what
        q_i is off by reaches the result times |r|^i <= 2^-i. With A_i >= |q_i| the same sums at r = 1/2,
        the result is off by at most u sum_i 2^-i (A_i + A_(i+1)/2), where 1.01 makes up for higher orders,
        and it is at least 2^(-1/2) > 0.707.
        """
        sizes = [0.0]
        for coefficient in reversed(self.coefficients):
            sizes.append(sizes[-1] / 2 + coefficient)
        sizes.reverse()
        roundings = sum(2.0**-i * (sizes[i] + sizes[i + 1] / 2) for i in range(len(self.coefficients)))
        return self.error + 1.01 * unit * roundings / 0.707


EXPONENTIALS = {
    np.dtype(np.float32): Exponential(
        coefficients=(
            1.0,
            0.693142831325531,
            0.24022351205348969,
            0.0555739663541317,
            0.009666047990322113,
            0.0011122728465124965,
        ),
        error=4.53e-7,
        magic=1.5 * 2.0**23,
        largest=2.0**20,
        mantissa=23,
        least=-125,
    ),
    np.dtype(np.float64): Exponential(
        coefficients=(
            1.0,
            0.6931471805599457,
            0.240226506959101,
            0.05550410866478784,
            0.009618129107606184,
            0.0013333558153983446,
            0.00015403530441920988,
            1.5252726908168384e-05,
            1.3215443880280762e-06,
            1.0180973676574643e-07,
            7.07168509017253e-09,
            3.9880246968055293e-10,
        ),
        error=5.48e-16,
        magic=1.5 * 2.0**52,
        largest=2.0**49,
        mantissa=52,
        least=-1021,
    ),
}
"""One for each type; polynomials of degree 5 and 11."""
