"""Small finite fields as tables, and the little linear algebra over them that codes need.

An element of GF(p^e) is an integer 0 <= a < p^e whose base-p digits are the coefficients of a
polynomial over GF(p), the constant term first; so 0 and 1 are zero and one, and p is a root of the
modulus. Sums and products of elements are table look-ups, not sums and products of these integers.

The library galois would do as much, but takes 2 s to import, and so stays what it is: the tests' independent
oracle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Elements = NDArray[np.uint8]
"""An array of field elements."""

Integers = int | NDArray[np.integer[Any]]
"""One element, or an array of elements of any integer type."""

LARGEST_ORDER = 64

CONWAY: dict[int, tuple[int, tuple[int, ...]]] = {
    4: (2, (1, 1, 1)),
    8: (2, (1, 1, 0, 1)),
    9: (3, (2, 2, 1)),
    16: (2, (1, 1, 0, 0, 1)),
    25: (5, (2, 4, 1)),
    27: (3, (1, 2, 0, 1)),
    32: (2, (1, 0, 1, 0, 0, 1)),
    49: (7, (3, 6, 1)),
    64: (2, (1, 1, 0, 1, 1, 0, 1)),
}
"""Characteristic and Conway polynomial (constant term first) of the extension fields up to 64."""

FIELD_ORDERS = tuple(
    sorted([q for q in range(2, LARGEST_ORDER + 1) if all(q % d for d in range(2, q))] + list(CONWAY))
)
"""The orders of the fields that there are up to 64."""


@dataclass(frozen=True)
class FiniteField:
    """The field with ``order`` elements; fields of one order are equal.

    Parameters
    ----------
    order
        A prime power q = p^e, at most 64.

    Attributes
    ----------
    characteristic, degree
        p and e.
    addition, multiplication
        Tables of shape (q, q).
    negation, inversion
        Tables of shape (q,); ``inversion[0]`` is 0 and means nothing.

    Raises
    ------
    ValueError
        If there is no field of this order, or it is above 64.
    """

    order: int
    characteristic: int = field(init=False, compare=False, repr=False)
    degree: int = field(init=False, compare=False, repr=False)
    addition: Elements = field(init=False, compare=False, repr=False)
    multiplication: Elements = field(init=False, compare=False, repr=False)
    negation: Elements = field(init=False, compare=False, repr=False)
    inversion: Elements = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        q = self.order
        if q not in FIELD_ORDERS:
            raise ValueError(f"Argument 'order' must be a prime power from 2 to {LARGEST_ORDER}, not {q!r}.")
        p, modulus = CONWAY.get(q, (q, (0, 1)))
        e = len(modulus) - 1
        place = p ** np.arange(e)
        digits = np.arange(q)[:, None] // place % p
        addition = (digits[:, None] + digits[None]) % p @ place
        product, shifted = np.zeros((q, q, e), dtype=np.int64), digits
        for i in range(e):  # shifted holds x^i b for every b
            product += digits[:, i, None, None] * shifted
            carry = np.hstack([np.zeros((q, 1), dtype=np.int64), shifted[:, :-1]])
            shifted = (carry - shifted[:, -1:] * modulus[:-1]) % p
        multiplication = product % p @ place
        _, inversion = np.nonzero(multiplication[1:] == 1)
        if len(inversion) != q - 1:
            raise ArithmeticError(f"The modulus of GF({q}) is not irreducible.")
        tables = {
            "addition": addition,
            "multiplication": multiplication,
            "negation": -digits % p @ place,
            "inversion": np.concatenate([[0], inversion]),
        }
        object.__setattr__(self, "characteristic", p)
        object.__setattr__(self, "degree", e)
        for name, table in tables.items():
            elements = table.astype(np.uint8)
            elements.setflags(write=False)
            object.__setattr__(self, name, elements)

    def elements(self, argument: str, values: ArrayLike) -> Elements:
        """Return ``values`` as an array of elements; ValueError names ``argument`` where they are none."""
        given = np.asarray(values)
        wrong = given[~np.isin(given, np.arange(self.order))]
        if wrong.size:
            raise ValueError(
                f"Argument {argument!r} must hold elements 0 to {self.order - 1} of GF({self.order}), "
                f"not {wrong[0]!r}."
            )
        return given.astype(np.uint8)

    def add(self, a: Integers, b: Integers) -> Elements:
        """Return a + b, elementwise with broadcasting."""
        sums: Elements = self.addition[a, b]
        return sums

    def multiply(self, a: Integers, b: Integers) -> Elements:
        """Return a b, elementwise with broadcasting."""
        products: Elements = self.multiplication[a, b]
        return products

    def inverse(self, a: int) -> int:
        """Return 1/a; ZeroDivisionError for a = 0."""
        if a == 0:
            raise ZeroDivisionError(f"0 has no inverse in GF({self.order}).")
        return int(self.inversion[a])

    def power(self, a: Integers, exponent: int) -> Elements:
        """Return a^exponent elementwise, exponent >= 0; a^0 = 1, for a = 0 too."""
        result = np.ones(np.shape(a), dtype=np.uint8)
        for _ in range(exponent):
            result = self.multiply(result, a)
        return result

    def sum(self, values: Elements, axis: int = 0) -> Elements:
        """Return the sum along an axis."""
        total = np.zeros(np.delete(values.shape, axis), dtype=np.uint8)
        for part in np.moveaxis(values, axis, 0):
            total = self.add(total, part)
        return total

    def matmul(self, a: Elements, b: Elements) -> Elements:
        """Return the matrix product over the field: (..., k) times (k, n) is (..., n)."""
        product = np.zeros((*a.shape[:-1], b.shape[1]), dtype=np.uint8)
        for k, row in enumerate(b):
            product = self.add(product, self.multiply(a[..., k, None], row))
        return product

    def subset_sums(self, values: ArrayLike, nonempty: bool = False) -> tuple[int, ...]:
        """Return, in increasing order, the sums of all (or all nonempty) subsets of ``values``."""
        sums: set[int] = set()
        for value in np.asarray(values).tolist():
            sums |= {value} | {int(self.addition[s, value]) for s in sums}
        return tuple(sorted(sums if nonempty else sums | {0}))


def row_reduce(field: FiniteField, matrix: Elements) -> tuple[Elements, tuple[int, ...]]:
    """Return the reduced row echelon form without zero rows, and its pivot columns.

    The pivots are the lexicographically first columns that are independent and span the columns.
    """
    rows = np.array(matrix, dtype=np.uint8)
    pivots: list[int] = []
    for column in range(rows.shape[1]):
        rank = len(pivots)
        candidates = np.flatnonzero(rows[rank:, column])
        if len(candidates) == 0:
            continue
        chosen = rank + int(candidates[0])
        rows[[rank, chosen]] = rows[[chosen, rank]]
        rows[rank] = field.multiply(field.inverse(int(rows[rank, column])), rows[rank])
        others = np.arange(len(rows)) != rank
        factors = field.negation[rows[others, column]]
        rows[others] = field.add(rows[others], field.multiply(factors[:, None], rows[rank]))
        pivots.append(column)
    return rows[: len(pivots)], tuple(pivots)


def span(field: FiniteField, basis: Elements) -> Elements:
    """Return all q^k combinations of k rows; row number Σ_i c_i q^(k-1-i) has the coefficients c."""
    combinations = np.zeros((1, basis.shape[1]), dtype=np.uint8)
    for row in basis:
        multiples = field.multiply(np.arange(field.order)[:, None], row)
        combinations = field.add(combinations[:, None], multiples).reshape(-1, basis.shape[1])
    return combinations


def zero_sum_free(field: FiniteField, count: int) -> tuple[int, ...]:
    """Return ``count`` field elements of which no nonempty subset sums to zero.

    The first p - 1 are 1, the next p - 1 are the element p (the root of the modulus), and so on: a
    subset sum has the number of chosen elements of each kind as its digits, and none reaches p.

    Raises
    ------
    ValueError
        If count > e(p - 1): then there are none (Olson).
    """
    p, e = field.characteristic, field.degree
    if not 0 <= count <= e * (p - 1):
        raise ValueError(
            f"Argument 'count' must be from 0 to e(p - 1) = {e * (p - 1)} over F_{field.order}, not {count}: "
            "more elements always have a zero sum."
        )
    return tuple(p ** (t // (p - 1)) for t in range(count))
