"""In which order the kernels take the monomials of a set.

Interior rows come first, as in the set. Among the leaves, long runs x[i] * (consecutive interior rows) come
next: their rows are never made, since x[i] can go to the other factor of the contraction. What
is left comes last, and is made in chunks.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reductions.kernels.tiles import CHUNK, ROW_BLOCK


class Monomials(Hashable, Protocol):
    """What the kernels need to know of a set of monomials.

    Attributes
    ----------
    dimension
        Number of variables.
    exponents
        Shape (r, d): monomial j is the product of the variables to the powers ``exponents[j]``.
    parent, axis
        Shape (r,): monomial j is monomial ``parent[j]`` times variable ``axis[j]``.
    interior
        Number of monomials that are a parent; they come first.
    """

    @property
    def dimension(self) -> int: ...  # noqa: D102
    @property
    def exponents(self) -> NDArray[np.int16]: ...  # noqa: D102
    @property
    def parent(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def axis(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def interior(self) -> int: ...  # noqa: D102
    def __len__(self) -> int: ...


@dataclass(frozen=True, eq=False)
class KernelPlan:
    """The order of the rows and the runs among them.

    Attributes
    ----------
    order
        Shape (r,): row j of the kernels' state is monomial ``order[j]`` of the set.
    parent, axis
        Shape (r,), int32, in this order: row j is interior row ``parent[j]`` times x[``axis[j]``].
    interior
        Number of interior rows.
    runs
        Shape (n, 4), int32: (row, count, parent, axis) says that ``count`` rows from ``row`` on are x[axis]
        times the interior rows from ``parent`` on. At most CHUNK rows, a multiple of ROW_BLOCK.
    rest
        The first row that belongs to no run; the leaves from there on are made.
    """

    order: NDArray[np.intp]
    parent: NDArray[np.int32]
    axis: NDArray[np.int32]
    interior: int
    runs: NDArray[np.int32]
    rest: int


@lru_cache(maxsize=32)
def kernel_plan(monomials: Monomials, shortest: int = CHUNK) -> KernelPlan:
    """Find the runs of at least ``shortest`` leaves; shorter ones cost more than they save."""
    parent, axis, interior = monomials.parent, monomials.axis, monomials.interior
    leaves = np.arange(interior, len(monomials))
    # A run ends where the axis changes or the parents do not follow one another.
    broken = (np.diff(axis[leaves]) != 0) | (np.diff(parent[leaves]) != 1)
    runs, order, rest = [], [np.arange(interior)], []
    row = interior
    for leaf in np.split(leaves, np.flatnonzero(broken) + 1):
        length = len(leaf) - len(leaf) % ROW_BLOCK if len(leaf) >= shortest else 0
        for start in range(0, length, CHUNK):
            count = min(CHUNK, length - start)
            runs.append((row, count, parent[leaf[start]], axis[leaf[start]]))
            row += count
        order.append(leaf[:length])
        rest.append(leaf[length:])
    permutation = np.concatenate(order + rest)
    table = np.array(runs, np.int32).reshape(-1, 4)
    return KernelPlan(permutation, parent[permutation], axis[permutation], interior, table, row)
