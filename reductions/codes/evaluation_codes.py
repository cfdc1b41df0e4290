"""Evaluation codes with systematic encoders: Reed-Solomon codes and one-point codes on curves.

A code evaluates the functions of a space L(kP) - poles only at one point P, of order at most k - at
points. P itself can serve as one more point: there a function's "value" is its leading coefficient,
the coefficient of its pole of order exactly k. Leading coefficients multiply like values, and a product
fg of two functions, not zero, has at most 2k zeros, P counted where the pole of fg is of lower order.

Reed-Solomon codes are the case of the line: L(kP) are the polynomials of degree at most k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reductions.codes.finite_field import Elements, FiniteField, row_reduce

Point = tuple[int, ...] | None
"""The coordinates of a point; None is the point at infinity P."""

Weierstrass = tuple[int, int, int, int, int]
"""a1, a2, a3, a4, a6 of the curve y² + a1 xy + a3 y = x³ + a2 x² + a4 x + a6."""

ELLIPTIC_CURVES: dict[int, Weierstrass] = {
    2: (0, 0, 1, 1, 0),
    3: (0, 0, 0, 2, 1),
    4: (0, 0, 1, 0, 0),
    5: (0, 0, 0, 3, 0),
    7: (0, 0, 0, 0, 3),
    8: (1, 1, 0, 0, 1),
    9: (0, 0, 0, 1, 0),
    11: (0, 0, 0, 1, 3),
    13: (0, 0, 0, 0, 4),
    16: (0, 0, 1, 0, 8),
}
"""For each field order a curve with as many points as an elliptic curve over that field can have."""


@dataclass(frozen=True, eq=False)
class EvaluationCode:
    """A linear code with a systematic encoder.

    Attributes
    ----------
    name
        In words.
    field
        GF(q).
    points
        The ``length`` evaluation points.
    encoders
        Array (s0, length): row j holds the values of E_j, which is 1 at information point j and 0 at
        the other information points.
    information
        The s0 columns of the information points.
    squared_degree
        A product of two codewords, or a sum of such products, has at most this many zeros, unless it
        is zero. For a one-point code this is 2k.
    """

    name: str
    field: FiniteField
    points: tuple[Point, ...]
    encoders: Elements
    information: tuple[int, ...]
    squared_degree: int

    def __post_init__(self) -> None:
        encoders = self.field.elements("encoders", self.encoders)
        if encoders.shape != (len(self.information), len(self.points)):
            raise ValueError(
                f"Argument 'encoders' must have the shape {(len(self.information), len(self.points))}, "
                f"not {encoders.shape}."
            )
        if not np.array_equal(encoders[:, self.information], np.eye(len(encoders))):
            raise ValueError("Argument 'encoders' must be the identity on the information points.")
        encoders.setflags(write=False)
        object.__setattr__(self, "encoders", encoders)

    @property
    def length(self) -> int:
        """The number of evaluation points."""
        return len(self.points)

    @property
    def block(self) -> int:
        """The number s0 of information points: how many bits one codeword carries."""
        return len(self.information)


def reed_solomon(field: FiniteField, block: int, infinity: bool = True) -> EvaluationCode:
    """Return the code of the polynomials of degree below ``block``, at all field elements.

    Parameters
    ----------
    block
        s0, from 1 to the number of points.
    infinity
        Whether to add the point at infinity: the coefficient of x^(s0 - 1).

    Raises
    ------
    ValueError
        If there are fewer points than information points.
    """
    points: list[Point] = [(x,) for x in range(field.order)]
    if infinity:
        points.append(None)
    if not 1 <= block <= len(points):
        raise ValueError(f"Argument 'block' must be from 1 to {len(points)}, the points, not {block}.")
    x = np.arange(field.order)
    values = np.stack([field.power(x, i) for i in range(block)])
    leading = np.arange(block) == block - 1
    return _systematic(f"Reed–Solomon over F_{field.order}", field, points, values, leading, 2 * (block - 1))


def elliptic(field: FiniteField, pole_order: int, curve: Weierstrass | None = None) -> EvaluationCode:
    """Return the code of L(kP) on an elliptic curve, at all its points.

    Parameters
    ----------
    pole_order
        k: 0, or at least 2; s0 = max(1, k). The functions are x^i y^j, j <= 1, of pole order 2i + 3j <= k.
    curve
        Its coefficients a1, a2, a3, a4, a6. None: a curve with the most points over this field.

    Raises
    ------
    ValueError
        If the curve is singular, none is listed for this field, k is no pole number, or k is not below
        the number of points.
    """
    if curve is None:
        if field.order not in ELLIPTIC_CURVES:
            listed = ", ".join(map(str, ELLIPTIC_CURVES))
            raise ValueError(
                f"Argument 'curve' must be given for GF({field.order}): curves are listed for {listed}."
            )
        curve = ELLIPTIC_CURVES[field.order]
    a1, a2, a3, a4, a6 = map(int, field.elements("curve", curve))
    if discriminant(field, curve) == 0:
        raise ValueError(f"Argument 'curve' must be smooth: {curve} has the discriminant 0.")
    x, y = _plane(field)
    add, multiply = field.add, field.multiply
    left = multiply(y, add(add(y, multiply(a1, x)), a3))
    right = add(multiply(x, add(multiply(x, add(x, a2)), a4)), a6)
    on_curve = np.flatnonzero(left == right)
    return _one_point(f"elliptic over F_{field.order}", field, x[on_curve], y[on_curve], (2, 3), pole_order)


def hermitian(field: FiniteField, pole_order: int) -> EvaluationCode:
    """Return the code of L(kP) on the Hermitian curve y^r + y = x^(r+1) over GF(r²), at all its points.

    The curve has r³ affine points and genus r(r-1)/2. The functions are x^i y^j, j < r, of pole order
    ri + (r+1)j <= k.

    Raises
    ------
    ValueError
        If the field's order is no square, k is no pole number, or k is not below the number of points.
    """
    root = round(field.order**0.5)
    if root * root != field.order:
        raise ValueError(f"Argument 'field' must have a square number of elements, not {field.order}.")
    x, y = _plane(field)
    on_curve = np.flatnonzero(field.add(field.power(y, root), y) == field.power(x, root + 1))
    name = f"Hermitian over F_{field.order}"
    return _one_point(name, field, x[on_curve], y[on_curve], (root, root + 1), pole_order)


def discriminant(field: FiniteField, curve: Weierstrass) -> int:
    """Return the discriminant of a Weierstrass equation; the curve is smooth iff it is not 0."""
    a1, a2, a3, a4, a6 = curve

    def total(*terms: tuple[int, ...]) -> int:
        """Sum of products whose first factor is an ordinary integer."""
        result = 0
        for number, *factors in terms:
            product = number % field.characteristic
            for factor in factors:
                product = int(field.multiplication[product, factor])
            result = int(field.addition[result, product])
        return result

    b2 = total((1, a1, a1), (4, a2))
    b4 = total((2, a4), (1, a1, a3))
    b6 = total((1, a3, a3), (4, a6))
    b8 = total((1, a1, a1, a6), (4, a2, a6), (-1, a1, a3, a4), (1, a2, a3, a3), (-1, a4, a4))
    return total((-1, b2, b2, b8), (-8, b4, b4, b4), (-27, b6, b6), (9, b2, b4, b6))


def pole_numbers(orders: tuple[int, int], most: int) -> list[int]:
    """Return, in increasing order, the pole numbers up to ``most``: the sums of ``orders`` with repetition.

    >>> pole_numbers((3, 4), 9)
    [0, 3, 4, 6, 7, 8, 9]
    """
    a, b = orders
    return sorted({a * i + b * j for i in range(most // a + 1) for j in range((most - a * i) // b + 1)})


def _plane(field: FiniteField) -> tuple[Elements, Elements]:
    """Return x and y of all pairs, in lexicographic order."""
    x, y = np.divmod(np.arange(field.order**2), field.order)
    return x.astype(np.uint8), y.astype(np.uint8)


def _one_point(
    name: str, field: FiniteField, x: Elements, y: Elements, orders: tuple[int, int], pole_order: int
) -> EvaluationCode:
    """Return the code of x^i y^j, j < a, on a smooth curve y^a + ... = x^b + ... with coprime a < b.

    There x and y have their only poles at P, of the orders a and b, and these functions with
    ai + bj <= k are a basis of L(kP), all with leading coefficient 1 and no two of one order.
    """
    a, b = orders
    numbers = pole_numbers(orders, max(0, pole_order) + a)
    if pole_order not in numbers:
        near = [max((n for n in numbers if n < pole_order), default=0)]
        near.append(min(n for n in numbers if n > pole_order))
        raise ValueError(
            f"Argument 'pole_order' must be a pole number (a sum of {a}s and {b}s), not {pole_order}: the "
            f"nearest are {' and '.join(map(str, dict.fromkeys(near)))}."
        )
    if pole_order > len(x):
        raise ValueError(
            f"Argument 'pole_order' must be at most {len(x)}, the affine points, not {pole_order}."
        )
    basis = sorted((a * i + b * j, i, j) for i in range(pole_order // a + 1) for j in range(a))
    basis = [function for function in basis if function[0] <= pole_order]
    values = np.stack([field.multiply(field.power(x, i), field.power(y, j)) for _, i, j in basis])
    leading = np.array([order == pole_order for order, _, _ in basis])
    points: list[Point] = [*zip(x.tolist(), y.tolist(), strict=True), None]
    return _systematic(name, field, points, values, leading, 2 * pole_order)


def _systematic(
    name: str,
    field: FiniteField,
    points: list[Point],
    values: Elements,
    leading: np.ndarray[tuple[int], np.dtype[np.bool_]],
    squared_degree: int,
) -> EvaluationCode:
    """Make the encoders from the basis functions' values at affine points and leading coefficients."""
    generator = np.hstack([values, leading[:, None]])[:, : len(points)].astype(np.uint8)
    encoders, information = row_reduce(field, generator)
    if len(information) != len(generator):  # not for k <= affine points: a function has at most k zeros
        raise ArithmeticError(f"{name}: the functions are dependent at these points.")
    return EvaluationCode(name, field, tuple(points), encoders, information, squared_degree)
