"""The distributed PCP on a tower of curves: the constants of lem-pcp-asymptotics, and where they come from.

The tower is that of Garcia and Stichtenoth over the field with l^2 elements: its curves have l - 1 times
as many points as their genus, and more. That is cited; nothing here builds a code on it. What is computed
are the sizes that lem-distributed-pcp has on it: the length of the code, the number of messages, and the
choice of T and l that keeps the messages below N^eta.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

LEAST_ROOT = 11
"""The least l: from here on l / (l - 5) is at most 11/6."""


def tower_genus(root: int, level: int) -> int:
    """Return the genus of curve number ``level`` = m >= 1: (l^ceil(m/2) - 1)(l^floor(m/2) - 1) < l^m."""
    larger, smaller = pow(root, -(-level // 2)), pow(root, level // 2)
    return int((larger - 1) * (smaller - 1))


def tower_points(root: int, level: int) -> int:
    """Return (l^2 - l) l^(m - 1): the curve has at least so many affine points over the field."""
    return int((root - 1) * pow(root, level))


@dataclass(frozen=True)
class TowerCode:
    """The sizes of a one-point code on the tower with s0 = ``block`` information points.

    Attributes
    ----------
    root
        l, a prime; the field has l^2 elements.
    level
        The number of the curve.
    block
        s0 >= 1.
    """

    root: int
    level: int
    block: int

    @property
    def genus(self) -> int:
        """The genus of the curve."""
        return tower_genus(self.root, self.level)

    @property
    def degree(self) -> int:
        """Pole order s0 + genus: by Riemann and Roch the code has dimension at least s0 + 1."""
        return self.block + self.genus

    @property
    def squared_degree(self) -> int:
        """The largest agreement with a wrong message."""
        return 2 * self.degree

    @property
    def length(self) -> int:
        """The number of points that are used, twice the squared degree: s in the instances."""
        return 4 * self.degree

    @property
    def message_digits(self) -> int:
        """At most so many field elements make a message, as many as a function of the squared degree."""
        return self.squared_degree + 1


def tower_code(root: int, block: int) -> TowerCode:
    """Return the code on the first curve with (l - 5) l^level >= 4 s0: it has 4 (s0 + genus) points.

    Raises
    ------
    ValueError
        If l is below 11 or s0 below 1.
    """
    if root < LEAST_ROOT:
        raise ValueError(f"Argument 'root' must be a prime of at least {LEAST_ROOT}, not {root}.")
    if block < 1:
        raise ValueError(f"Argument 'block' must be at least 1, not {block}.")
    level = 1
    while (root - 5) * root**level < 4 * block:
        level += 1
    return TowerCode(root, level, block)


@dataclass(frozen=True)
class AsymptoticPCP:
    """The choice of T and l for OV with m <= c log2 N and at most N^eta messages.

    Attributes
    ----------
    density
        c.
    loss
        eta.
    blocks
        T, a power of two with 72 c beta <= eta T, where l has beta bits.
    root
        The least prime l > T: so the weights 1, ..., 1 have no zero sum.
    """

    density: Fraction
    loss: Fraction
    blocks: int
    root: int

    @property
    def bits(self) -> int:
        """beta >= log2 l."""
        return self.root.bit_length()

    @property
    def alphabet(self) -> int:
        """D / s = l^(2T): an integer with more digits than one wants to see."""
        return int(self.root ** (2 * self.blocks))

    @property
    def log_alphabet(self) -> int:
        """An integer from log2(D / s) on: 2 T beta."""
        return 2 * self.blocks * self.bits

    @property
    def from_log_vectors(self) -> int:
        """The least log2 N from which the proof has at most N^eta messages: ceil(76 beta / eta)."""
        return -int(-76 * self.bits / self.loss // 1)

    def block(self, log_vectors: int) -> int:
        """Return s0 = ceil(c log2 N / T), at least 1."""
        return max(1, -int(-self.density * log_vectors / self.blocks // 1))

    def log_messages(self, log_vectors: int) -> int:
        """Return an upper bound on log2 of the number of messages, 2 beta digits."""
        return 2 * self.bits * tower_code(self.root, self.block(log_vectors)).message_digits


def choose(density: Fraction, loss: Fraction) -> AsymptoticPCP:
    """Choose T and l for c and eta: T is the least power of two that serves.

    Raises
    ------
    ValueError
        If c or eta is not positive.
    """
    from sympy import nextprime

    for name, value in (("density", density), ("loss", loss)):
        if not value > 0:
            raise ValueError(f"Argument {name!r} must be positive, not {value}.")
    blocks = 16
    while True:
        root = int(nextprime(blocks))
        if 72 * density * root.bit_length() <= loss * blocks:
            return AsymptoticPCP(Fraction(density), Fraction(loss), blocks, root)
        blocks *= 2
