"""Monomial features: a polynomial of a logit is an inner product of short vectors of monomials.

P(<q, k>/tau) = sum over alpha of w_alpha q^alpha k^alpha, with one term for each monomial alpha of degree at
most g in d variables: C(d + g, g) of them (lem-monomial-features). A :class:`MonomialSet` lists the
monomials in an order in which each one is an earlier one times a single variable, so that a token's
monomials cost one multiplication each.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Memory of the table of exponents, in bytes, beyond which a set of monomials is refused.
_LARGEST_TABLE = 1 << 30


@dataclass(frozen=True, eq=False)
class MonomialSet:
    """A set of monomials that contains every divisor of each of its members.

    Row 0 is the constant. Rows that are another row's parent come first, in the order of their degrees;
    the *leaves*, which are nobody's parent, come last.

    Attributes
    ----------
    exponents
        Shape (r, d), int16: row j is the monomial x^alpha with alpha = ``exponents[j]``.
    parent, axis
        Shape (r,), int32: monomial j is monomial ``parent[j]`` times x[``axis[j]``], where ``axis[j]`` is
        the first variable of the monomial and ``parent[j] < j``. The constant has parent -1 and axis -1.
    interior
        Number of rows that are not leaves; the constant counts as interior.
    """

    exponents: NDArray[np.int16]
    parent: NDArray[np.int32]
    axis: NDArray[np.int32]
    interior: int

    def __post_init__(self) -> None:
        for name, kind in (("exponents", np.int16), ("parent", np.int32), ("axis", np.int32)):
            array = np.array(getattr(self, name), dtype=kind)
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def dimension(self) -> int:
        """The number d of variables."""
        return int(self.exponents.shape[1])

    @cached_property
    def degrees(self) -> NDArray[np.int64]:
        """Shape (r,): the degree of each monomial."""
        degrees: NDArray[np.int64] = self.exponents.sum(axis=1, dtype=np.int64)
        degrees.setflags(write=False)
        return degrees

    @property
    def degree(self) -> int:
        """The largest degree."""
        return int(self.degrees.max())


def feature_count(dimension: int, degree: int) -> int:
    """Return C(d + g, g), the number of monomials of degree at most g in d variables."""
    return math.comb(_natural("dimension", dimension, 1) + _natural("degree", degree, 0), degree)


@lru_cache(maxsize=64)
def total_degree(dimension: int, degree: int) -> MonomialSet:
    """Return all monomials of degree at most ``degree``.

    They are listed degree by degree and, within a degree, by their nondecreasing lists of variables in
    lexicographic order. So the monomials that begin with x[i] are x[i] times those of one degree less that
    begin with x[i] or later: a contiguous end of the previous block. The set of a smaller degree is a prefix.

    Parameters
    ----------
    dimension
        d >= 1.
    degree
        g >= 0.

    Raises
    ------
    ValueError
        If an argument is out of range, or the table of exponents would exceed 1 GiB.
    """
    count = feature_count(dimension, degree)
    if 2 * count * dimension > _LARGEST_TABLE:
        raise ValueError(
            f"Argument 'degree' must be smaller: {count} monomials of degree at most {degree} "
            f"in {dimension} variables do not fit in a table of 1 GiB."
        )
    exponents = np.zeros((count, dimension), np.int16)
    parent, axis = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    # starts[i]: the first row of the previous degree whose first variable is i or later.
    starts, stop = np.zeros(dimension, np.int64), 1
    for _ in range(degree):
        next_starts, row = np.empty_like(starts), stop
        for i in range(dimension):
            size = stop - int(starts[i])
            block = slice(row, row + size)
            parent[block] = np.arange(starts[i], stop)
            axis[block] = i
            exponents[block] = exponents[starts[i] : stop]
            exponents[block, i] += 1
            next_starts[i], row = row, row + size
        starts, stop = next_starts, row
    interior = feature_count(dimension, degree - 1) if degree else 1
    return MonomialSet(exponents, parent, axis, interior)


def downward_closed(exponents: ArrayLike) -> MonomialSet:
    """Return a given set of monomials, ordered for :class:`MonomialSet`.

    Parameters
    ----------
    exponents
        Shape (r, d), whole numbers >= 0: distinct rows in any order, with every monomial also its divisors.

    Raises
    ------
    ValueError
        If the rows are not such a set.
    """
    rows = np.asarray(exponents)
    if rows.ndim != 2 or not rows.size or rows.dtype.kind not in "iu" or rows.min() < 0:
        raise ValueError(
            "Argument 'exponents' must be a matrix of whole numbers >= 0 with a row and a column at least."
        )
    if rows.max() >= 1 << 15:
        raise ValueError(f"Argument 'exponents' must be below 32768, not {rows.max()}.")
    # Graded, then by lists of variables: larger powers of earlier variables come first.
    rows = rows[np.lexsort((*(-rows.astype(np.int64).T[::-1]), rows.sum(axis=1)))].astype(np.int16)
    words = _words(rows)
    by_word = np.argsort(words)
    if (words[by_word][1:] == words[by_word][:-1]).any():
        raise ValueError("Argument 'exponents' must have distinct rows.")

    def divisors(axis: NDArray[np.int64], members: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of the given members divided by one variable each."""
        quotients = rows[members]
        quotients[np.arange(len(members)), axis] -= 1
        place = np.searchsorted(words, _words(quotients), sorter=by_word)
        found = by_word[np.minimum(place, len(words) - 1)]
        missing = (rows[found] != quotients).any(axis=1)
        if missing.any():
            raise ValueError(
                "Argument 'exponents' must contain the divisors of its rows, "
                f"but {tuple(quotients[missing.argmax()].tolist())} is missing."
            )
        return found

    for i in range(rows.shape[1]):
        members = np.flatnonzero(rows[:, i])
        divisors(np.full(len(members), i), members)
    parent, axis = np.full(len(rows), -1), np.full(len(rows), -1)
    axis[1:] = (rows[1:] > 0).argmax(axis=1)
    parent[1:] = divisors(axis[1:], np.arange(1, len(rows)))
    is_parent = np.zeros(len(rows), bool)
    is_parent[0] = True
    is_parent[parent[1:]] = True
    order = np.argsort(~is_parent, kind="stable")
    rank = np.argsort(order)
    return MonomialSet(
        rows[order], np.where(parent[order] < 0, -1, rank[parent[order]]), axis[order], int(is_parent.sum())
    )


def _words(rows: NDArray[np.int16]) -> NDArray[np.bytes_]:
    """Return each row as one string of bytes, so that rows can be sorted and looked up."""
    return np.ascontiguousarray(rows).view(f"S{2 * rows.shape[1]}").ravel()


def exponents(dimension: int, degree: int) -> NDArray[np.int16]:
    """Return the exponents of :func:`total_degree`, shape (C(d+g, g), d)."""
    return total_degree(dimension, degree).exponents


def multinomials(monomials: MonomialSet) -> NDArray[np.float64]:
    """Return |alpha|! / (alpha_1! ... alpha_d!) for each monomial, shape (r,).

    Whole numbers, exact up to 2^53 and correctly rounded beyond.
    """
    # A multinomial of degree p is at most d^p; times p it must fit in a word, else Python's numbers count.
    fits = monomials.degree * monomials.dimension**monomials.degree < 1 << 63
    counts: NDArray[Any] = np.ones(len(monomials), np.int64 if fits else object)
    for degree in range(1, monomials.degree + 1):
        rows = np.flatnonzero(monomials.degrees == degree)
        powers = monomials.exponents[rows, monomials.axis[rows]].astype(counts.dtype)
        counts[rows] = counts[monomials.parent[rows]] * degree // powers
    return counts.astype(np.float64)


def weights(
    monomials: MonomialSet, coefficients: Sequence[float] | NDArray[np.float64], temperature: float
) -> NDArray[np.float64]:
    """Return w_alpha = c_|alpha| multinomial(alpha) / tau^|alpha| for each monomial, shape (r,).

    Parameters
    ----------
    monomials
        The set; its degree is at most that of the polynomial.
    coefficients
        c_0, ..., c_g of P(x) = sum of c_p x^p.
    temperature
        tau > 0.

    Returns
    -------
    numpy.ndarray
        Float64, each within four roundings of its value where neither tau^p nor a product leaves the range.

    Raises
    ------
    ValueError
        If the temperature is not a positive number, or a coefficient is missing or a weight not finite.
    """
    if not (temperature > 0 and math.isfinite(temperature)):
        raise ValueError(f"Argument 'temperature' must be a positive number, not {temperature}.")
    if len(coefficients) <= monomials.degree:
        raise ValueError(
            f"Argument 'coefficients' must have {monomials.degree + 1} entries or more, "
            f"not {len(coefficients)}."
        )
    powers = np.arange(len(coefficients))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        scaled = np.asarray(coefficients, np.float64) / np.float64(temperature) ** powers
        result: NDArray[np.float64] = scaled[monomials.degrees] * multinomials(monomials)
    if not np.isfinite(result).all():
        raise ValueError("Argument 'temperature' must be such that all weights are finite; one is not.")
    return result


def monomials(x: Any, degree: int | MonomialSet) -> Any:
    """Return the monomials of every row of ``x``.

    Parameters
    ----------
    x
        Shape (L, d), an array of any library of the Python array API standard.
    degree
        The largest total degree, or a set of monomials.

    Returns
    -------
    array
        Shape (L, r), of the same library, dtype and device: column j is monomial j of the set.
    """
    from array_api_compat import array_namespace, device

    xp = array_namespace(x)
    members = degree if isinstance(degree, MonomialSet) else total_degree(x.shape[1], degree)
    if x.ndim != 2 or x.shape[1] != members.dimension:
        raise ValueError(f"Argument 'x' must be of shape (L, {members.dimension}), not {tuple(x.shape)}.")

    def index(rows: NDArray[Any]) -> Any:
        return xp.asarray(rows.astype(np.int64), device=device(x))

    blocks = [xp.ones((x.shape[0], 1), dtype=x.dtype, device=device(x))]
    where = np.zeros(len(members), np.int64)  # the column of each monomial in its degree's block
    listed = [np.zeros(1, np.int64)]
    for p in range(1, members.degree + 1):
        rows = np.flatnonzero(members.degrees == p)
        where[rows] = np.arange(len(rows))
        parents = xp.take(blocks[-1], index(where[members.parent[rows]]), axis=1)
        blocks.append(parents * xp.take(x, index(members.axis[rows]), axis=1))
        listed.append(rows)
    return xp.take(xp.concat(blocks, axis=1), index(np.argsort(np.concatenate(listed))), axis=1)


def features(queries: Any, keys: Any, coefficients: Sequence[float], temperature: float) -> tuple[Any, Any]:
    """Return phi(Q) and psi(K) with <phi(q), psi(k)> = P(<q, k>/tau).

    Parameters
    ----------
    queries, keys
        Q and K, shapes (L_q, d) and (L_k, d), arrays of one library of the array API standard.
    coefficients
        c_0, ..., c_g of P, of any signs.
    temperature
        tau > 0.

    Returns
    -------
    (array, array)
        Shapes (L_q, r) and (L_k, r) with r = C(d + g, g). All weights are on the side of the queries.
    """
    from array_api_compat import array_namespace, device

    xp = array_namespace(queries, keys)
    members = total_degree(queries.shape[1], len(coefficients) - 1)
    factors = xp.asarray(
        weights(members, coefficients, temperature), dtype=queries.dtype, device=device(queries)
    )
    return monomials(queries, members) * factors, monomials(keys, members)


def symmetric_features(x: Any, coefficients: Sequence[float], temperature: float) -> Any:
    """Return phi(X) with <phi(q), phi(k)> = P(<q, k>/tau): one map for queries and keys.

    Raises
    ------
    ValueError
        If a coefficient is negative: then no such real map exists.
    """
    if min(coefficients) < 0:
        raise ValueError(
            f"Argument 'coefficients' must not be negative, but one is {min(coefficients)}: "
            "its square root is not real, and no other real map serves queries and keys alike."
        )
    from array_api_compat import array_namespace, device

    xp = array_namespace(x)
    members = total_degree(x.shape[1], len(coefficients) - 1)
    roots = np.sqrt(weights(members, coefficients, temperature))
    return monomials(x, members) * xp.asarray(roots, dtype=x.dtype, device=device(x))


def least_feature_count(dimension: int, coefficients: Sequence[float]) -> int:
    """Return the least length of phi and psi: the sum of C(d + p - 1, p) over p with c_p != 0."""
    dimension = _natural("dimension", dimension, 1)
    return sum(math.comb(dimension + p - 1, p) for p, c in enumerate(coefficients) if c)


def principal_lattice(dimension: int, degree: int) -> NDArray[np.int64]:
    """Return the C(d + g, g) points of whole numbers >= 0 with sum at most g.

    Only the zero polynomial of degree at most g vanishes on all of them.
    """
    return exponents(dimension, degree).astype(np.int64)


def _natural(name: str, value: int, least: int) -> int:
    value = operator.index(value)
    if value < least:
        raise ValueError(f"Argument {name!r} must be a whole number >= {least}, not {value}.")
    return value
