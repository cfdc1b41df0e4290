"""The tower's genera, points and alphabets written down, without the functions that compute them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import isqrt

import numpy as np

from checks.evidence import Relation
from reductions.codes.finite_field import FiniteField
from reductions.lower_bound.lower_bound.sizes import tower_sizes
from reductions.lower_bound.pcp_asymptotics import (
    AsymptoticPCP,
    TowerCode,
    choose,
    tower_code,
    tower_genus,
    tower_points,
)

LEVELS = (1, 2, 3, 4)

Sizes = tuple[int, int, int, int]
"""At levels 1 to 4."""


def genera(root: int) -> Sizes:
    """Garcia and Stichtenoth's genera, multiplied out."""
    return 0, root**2 - 2 * root + 1, root**3 - root**2 - root + 1, root**4 - 2 * root**2 + 1


def points(root: int) -> Sizes:
    """l^2 - l choices of the first coordinate, and l of each later one."""
    first = root * root - root
    return first, first * root, first * root * root, first * root * root * root


def tower_claims(roots: tuple[int, ...]) -> Iterator[tuple[str, int, Relation, int]]:
    """Yield: genera and points of the first four curves are those."""
    for root in roots:
        for level, genus, number in zip(LEVELS, genera(root), points(root), strict=True):
            yield f"genus, l = {root}, level {level}", tower_genus(root, level), "==", genus
            yield f"points, l = {root}, level {level}", tower_points(root, level), "==", number


def counted_points(root: int) -> tuple[int, ...]:
    """Count the points over F_{l^2} of x_{i+1}^l + x_{i+1} = x_i^l / (x_i^(l-1) + 1), x_1^l + x_1 != 0."""
    field = FiniteField(root * root)
    elements = np.arange(field.order)
    traces = field.add(field.power(elements, root), elements)
    denominators = field.add(field.power(elements, root - 1), 1)
    values = field.multiply(field.power(elements, root), field.inversion[denominators])
    steps = ((traces[None] == values[:, None]) & (denominators != 0)[:, None]).astype(np.int64)
    ends = (traces != 0).astype(np.int64)
    counts = []
    for _ in LEVELS:
        counts.append(int(ends.sum()))
        ends = ends @ steps
    return tuple(counts)


def has_counted_points(root: int) -> bool:
    """As many points as the tower's sizes say, at each of the first four levels."""
    return counted_points(root) == tuple(tower_points(root, level) for level in LEVELS)


CHOICES = {
    (Fraction(1), Fraction(1)): (1024, 1031, 11, 22_528),
    (Fraction(1), Fraction(1, 8)): (8192, 8209, 14, 229_376),
    (Fraction(10), Fraction(1, 10)): (131_072, 131_101, 18, 4_718_592),
}
"""T, l, beta and 2 T beta for c and eta."""


def has_stated_alphabet(pair: tuple[Fraction, Fraction]) -> bool:
    """The alphabet is l^(2T), which has at most 2 T beta bits, and D is s times as large."""
    chosen = choose(*pair)
    symbols = chosen.root * chosen.root  # l^(2T) by squaring, T being a power of two
    for _ in range(chosen.blocks.bit_length() - 1):
        symbols *= symbols
    numbers = chosen.blocks, chosen.root, chosen.bits, chosen.log_alphabet
    return (
        numbers == CHOICES[pair]
        and chosen.alphabet == symbols
        and chosen.log_alphabet - 2 * chosen.blocks < symbols.bit_length() <= chosen.log_alphabet
        and all(has_stated_dimension(chosen, symbols, log_vectors) for log_vectors in (10, 10**6))
    )


def is_first_level(code: TowerCode) -> bool:
    """The level is the first that serves; degree, length and digits are those of the proof."""
    root, level, block = code.root, code.level, code.block
    serves = (root - 5) * root**level >= 4 * block
    first = level == 1 or (root - 5) * root ** (level - 1) < 4 * block
    degree = block + tower_genus(root, level)
    sizes = code.genus + block, code.degree, code.squared_degree, code.length, code.message_digits
    return serves and first and sizes == (degree, degree, 2 * degree, 4 * degree, 2 * degree + 1)


def is_stated_choice(pair: tuple[Fraction, Fraction]) -> bool:
    """T is the least power of two from 16 on that serves and l the next prime; s0 and the logarithms."""
    density, loss = pair
    chosen = choose(density, loss)
    blocks, bits, start = chosen.blocks, chosen.bits, chosen.from_log_vectors
    half = _next_prime(blocks // 2)
    least = blocks == 16 or 72 * density * half.bit_length() > loss * blocks / 2
    return (
        (chosen.density, chosen.loss, chosen.root) == (density, loss, _next_prime(blocks))
        and blocks & (blocks - 1) == 0
        and 72 * density * bits <= loss * blocks
        and least
        and 2 ** (bits - 1) < chosen.root < 2**bits
        and start * loss >= 76 * bits > (start - 1) * loss
        and all(has_stated_messages(chosen, x) for x in (1, start, start + 1, 1000 * start))
    )


def has_stated_messages(chosen: AsymptoticPCP, log_vectors: int) -> bool:
    """s0 is c log2 N / T, rounded up, and a message has 2 B bits a digit."""
    block = chosen.block(log_vectors)
    enough = block * chosen.blocks >= chosen.density * log_vectors
    tight = block == 1 or (block - 1) * chosen.blocks < chosen.density * log_vectors
    digits = tower_code(chosen.root, block).message_digits
    return block >= 1 and enough and tight and chosen.log_messages(log_vectors) == 2 * chosen.bits * digits


def _next_prime(number: int) -> int:
    """The least prime above ``number``, by trial division."""
    candidate = number + 1
    while any(candidate % d == 0 for d in range(2, isqrt(candidate) + 1)):
        candidate += 1
    return candidate


def has_stated_dimension(chosen: AsymptoticPCP, symbols: int, log_vectors: int) -> bool:
    """D = len l^(2T) and gap s/2 in the encoding that the model's sizes are computed from."""
    encoding = tower_sizes(chosen.density, chosen.loss, log_vectors)
    return encoding.dimension == encoding.threshold * symbols and 2 * encoding.gap == encoding.threshold
