"""Isolation: slots on the coarse map whose tokens reach the fine map without being mixed.

A *slot* is a coarse pixel together with the fine pixel under its largest interpolation weight. Slots
whose interpolation supports are pairwise disjoint do not mix: divide each slot's token by its weight,
and after up-interpolation its fine pixel carries the token exactly, while every other fine pixel
carries t times the token of one slot, |t| <= 1, or the zero token (lem-isolation).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reductions.problems.interpolation import Interpolation, Kernel

SPACING = {Kernel.NEAREST: 1, Kernel.BILINEAR: 2, Kernel.BICUBIC: 4}
"""Coarse pixels this far apart on an axis have disjoint supports, at every ratio."""


class Slot(NamedTuple):
    """A slot of one axis.

    Attributes
    ----------
    coarse
        The coarse pixel.
    fine
        The fine pixel on which the coarse one has its largest weight, the first of them in a tie.
    weight
        That weight, at least 1/2.
    """

    coarse: int
    fine: int
    weight: float


@dataclass(frozen=True, eq=False)
class Slots:
    """Slots of a map, in row-major order of their coarse pixels.

    Attributes
    ----------
    coarse, fine
        Shape (count, 2), int64: row and column of each slot's coarse and fine pixel.
    weight
        Shape (count,): the weights, each the product of the two axes' weights, at least 1/4.
    """

    coarse: NDArray[np.int64]
    fine: NDArray[np.int64]
    weight: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name, kind in (("coarse", np.int64), ("fine", np.int64), ("weight", np.float64)):
            array = np.array(getattr(self, name), dtype=kind)
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.weight)


def axis_slots(interpolation: Interpolation, coarse: int, fine: int) -> list[Slot]:
    """Choose slots on one axis greedily, from the first pixel on.

    Parameters
    ----------
    interpolation
        The rule.
    coarse, fine
        Numbers of pixels, 1 <= coarse <= fine.

    Returns
    -------
    list of Slot
        Slots with pairwise disjoint supports, at least :func:`slots_per_axis_at_least` of them.

    Raises
    ------
    ValueError
        If the sizes are not positive integers or ``fine < coarse``.
    """
    columns = interpolation.matrix(coarse, fine).tocsc()
    taken = np.zeros(fine, dtype=bool)
    slots = []
    for j in range(columns.shape[1]):
        entries = slice(columns.indptr[j], columns.indptr[j + 1])
        support, weights = columns.indices[entries], columns.data[entries]
        if taken[support].any():
            continue
        taken[support] = True
        largest = int(np.argmax(weights))
        slots.append(Slot(j, int(support[largest]), float(weights[largest])))
    return slots


def slots_per_axis_at_least(kernel: Kernel, coarse: int) -> int:
    """Return ceil(coarse / g): so many slots :func:`axis_slots` finds at least, whatever the ratio.

    The spacing g is 1, 2 and 4 for nearest, bilinear and bicubic.
    """
    return -(-coarse // SPACING[Kernel(kernel)])


def largest_weight_at_least(interpolation: Interpolation, coarse: int, fine: int) -> Fraction:
    """Return omega = W(coarse / (2 fine)): every column's largest weight is at least this, and omega >= 1/2.

    For nearest omega is 1. A slot's entries grow by at most 1 / (omega of the rows * omega of the columns).
    """
    if interpolation.kernel is Kernel.NEAREST:
        return Fraction(1)
    return interpolation.weight(Fraction(coarse, 2 * fine))


def capacity(interpolation: Interpolation, coarse_shape: tuple[int, int], fine_shape: tuple[int, int]) -> int:
    """Return how many slots :func:`grid_slots` can give: the product of the two axes' numbers."""
    axes = zip(coarse_shape, fine_shape, strict=True)
    rows, columns = (len(axis_slots(interpolation, *sizes)) for sizes in axes)
    return rows * columns


def grid_slots(
    interpolation: Interpolation, coarse_shape: tuple[int, int], fine_shape: tuple[int, int], count: int
) -> Slots:
    """Return the first ``count`` slots of a map: all pairs of a row's slot and a column's, row by row.

    Parameters
    ----------
    interpolation
        The rule.
    coarse_shape, fine_shape
        The shapes (h, w) and (h', w'), with h <= h' and w <= w'.
    count
        How many slots are wanted.

    Raises
    ------
    ValueError
        If a fine side is shorter than the coarse one, ``count`` is negative, or fewer slots fit.
    """
    count = operator.index(count)
    rows, columns = (
        axis_slots(interpolation, coarse, fine) for coarse, fine in zip(coarse_shape, fine_shape, strict=True)
    )
    fit = len(rows) * len(columns)
    if not 0 <= count <= fit:
        raise ValueError(
            f"Argument 'count' must be between 0 and {fit}, the number of slots that fit "
            f"from {tuple(coarse_shape)} to {tuple(fine_shape)}, not {count}."
        )
    row, column = np.divmod(np.arange(count), len(columns))
    (row_coarse, row_fine, row_weight), (column_coarse, column_fine, column_weight) = (
        np.array(slots).T for slots in (rows, columns)
    )
    return Slots(
        coarse=np.stack([row_coarse[row], column_coarse[column]], axis=1).astype(np.int64),
        fine=np.stack([row_fine[row], column_fine[column]], axis=1).astype(np.int64),
        weight=row_weight[row] * column_weight[column],
    )
