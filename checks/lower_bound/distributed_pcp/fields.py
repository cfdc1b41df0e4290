"""Field axioms and zero sums of weights, from the tables, for the check of the distributed PCP."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, product

import numpy as np

from reductions.codes.evaluation_codes import reed_solomon
from reductions.codes.finite_field import FiniteField
from reductions.codes.proof_system import ProofSystem

WEIGHT_ORDERS = (2, 3, 4, 5, 7, 8)
"""Prime fields, and fields of characteristic 2: sums modulo p, and bit by bit."""

WEIGHT_COUNT = sum(q + q**2 + q**3 for q in WEIGHT_ORDERS)


def is_field(field: FiniteField) -> bool:
    """All field axioms for all elements, pairs and triples, and both look-ups the same as the tables."""
    q = field.order
    a, b, c = np.arange(q)[:, None, None], np.arange(q)[:, None], np.arange(q)
    add, multiply = field.addition, field.multiplication
    both = np.array_equal(add, field.add(b, c)) and np.array_equal(multiply, field.multiply(b, c))
    commutative = np.array_equal(add, add.T) and np.array_equal(multiply, multiply.T)
    neutral = np.array_equal(add[0], c) and np.array_equal(multiply[1], c) and not multiply[0].any()
    inverse = not add[c, field.negation].any() and bool((multiply[c[1:], field.inversion[1:]] == 1).all())
    associative = all(np.array_equal(t[t[a, b], c], t[a, t[b, c]]) for t in (add, multiply))
    distributive = np.array_equal(multiply[a, add[b, c]], add[multiply[a, b], multiply[a, c]])
    elements = add.max() == multiply.max() == q - 1
    return all((both, commutative, neutral, inverse, associative, distributive, elements))


def weight_systems() -> Iterator[ProofSystem]:
    """Yield a system for every choice of one, two or three weights over the small fields."""
    for order in WEIGHT_ORDERS:
        code = reed_solomon(FiniteField(order), 1)
        for blocks in (1, 2, 3):
            for weights in product(range(order), repeat=blocks):
                yield ProofSystem(code, blocks, weights)


def names_zero_sum(system: ProofSystem) -> bool:
    """The fault is that the weights, which it names, sum to zero, iff some do; no table is used."""
    order, weights = system.code.field.order, system.weights
    choices = chain.from_iterable(combinations(weights, k) for k in range(1, len(weights) + 1))
    zero = any(_sum(order, choice) == 0 for choice in choices)
    return system.fault() == (f"some of the weights {weights} sum to zero" if zero else None)


def _sum(order: int, choice: tuple[int, ...]) -> int:
    if order in (4, 8):
        return int(np.bitwise_xor.reduce(choice))
    return sum(choice) % order
