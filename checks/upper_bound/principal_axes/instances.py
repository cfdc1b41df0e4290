"""Instances for the check of lem-principal-axes: the plane with symbols, and one instance in fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from checks.evidence import Claims, Evidence, symbolic


def symbolic_axes() -> Evidence:
    """Prove that the coordinates balance both second moments, in the plane and for all numbers."""
    import sympy
    from sympy.polys.matrices import DomainMatrix

    s, t, x, y, z, p, q = symbols = sympy.symbols("s t x y z p q")
    numbers = sympy.QQ.frac_field(*symbols)

    def matrix(rows: list[list[Any]]) -> Any:
        return DomainMatrix([[numbers.from_sympy(entry) for entry in row] for row in rows], (2, 2), numbers)

    def rotation(u: Any) -> Any:
        cosine, sine = (1 - u**2) / (1 + u**2), 2 * u / (1 + u**2)
        return matrix([[cosine, -sine], [sine, cosine]])

    left, right, roots = rotation(s), rotation(t), matrix([[p, sympy.S.Zero], [sympy.S.Zero, q]])
    shares = roots * roots
    key_root = matrix([[x, y], [sympy.S.Zero, z]])
    query_root = left * shares * right.transpose() * key_root.transpose().inv()
    a = key_root.transpose() * right * roots.inv()
    b = query_root.transpose() * left * roots.inv()
    identities = {
        "A^T B = I": a.transpose() * b - DomainMatrix.eye(2, numbers),
        "A^T S_q A = Sigma": (query_root * a).transpose() * (query_root * a) - shares,
        "B^T S_k B = Sigma": (key_root * b).transpose() * (key_root * b) - shares,
    }
    entries = {
        f"{name}, {i}": entry
        for name, result in identities.items()
        for i, entry in enumerate(result.to_Matrix())
    }
    return symbolic("(2) balanced coordinates", "d = 2, all regular roots of the moments", entries)


# Rational data with rational principal axes: R T^T = U diag(3, 1/2) W^T, T as given.
SHARES = (Fraction(3), Fraction(1, 2))


def rational_roots() -> tuple[Any, Any, Any, Any]:
    """Return R and T with R^T R = S_q and T^T T = S_k, and the factors U and W of R T^T = U Sigma W^T."""
    import sympy

    def rotation(a: int, b: int, c: int) -> Any:
        return sympy.Matrix([[a, -b], [b, a]]) / c

    left, right = rotation(3, 4, 5), rotation(5, 12, 13)
    key_root = sympy.Matrix([[2, 1], [0, sympy.Rational(1, 3)]])
    shares = sympy.diag(3, sympy.Rational(1, 2))
    return left * shares * right.T * key_root.T.inv(), key_root, left, right


def squares(matrix: Any) -> Fraction:
    """Return the sum of the squares of the entries."""
    total = sum(entry**2 for entry in matrix)
    return Fraction(int(total.p), int(total.q))


def what_is_left(entries: Sequence[int]) -> Claims:
    """Yield that no bilinear form of rank 1 leaves less than sigma_2^2, as the first axis does."""
    import sympy

    query_root, key_root, left, right = rational_roots()
    whole = query_root * key_root.T
    for u, w in product(product(entries, repeat=2), repeat=2):
        form = sympy.Matrix(u) * sympy.Matrix([w])
        yield f"M = {u} x {w}", squares(whole - query_root * form * key_root.T), ">=", SHARES[1] ** 2
    # In principal coordinates the first axis is the form A E_11 B^T.
    first = key_root.T * right * sympy.diag(sympy.Rational(1, 3), 0) * left.T * query_root
    yield "the first axis", squares(whole - query_root * first * key_root.T), "==", SHARES[1] ** 2


def norms_at_least(entries: Sequence[int]) -> Claims:
    """Yield that in no coordinates the mean squared norms multiply to less than (sigma_1 + sigma_2)^2."""
    import sympy

    query_root, key_root, _, _ = rational_roots()
    for a in product(entries, repeat=4):
        matrix = sympy.Matrix(2, 2, a)
        if matrix.det():
            norms = squares(query_root * matrix) * squares(key_root * matrix.inv().T)
            yield f"A = {a}", norms, ">=", sum(SHARES) ** 2
