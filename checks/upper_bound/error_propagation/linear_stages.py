"""Interpolations and convolutions of small maps as matrices, against their stated constants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution, convolve
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import Shape
from reductions.upper_bound.error_propagation import convolution_lipschitz, interpolation_lipschitz

RULES = (
    Interpolation(Kernel.NEAREST),
    Interpolation(Kernel.BILINEAR),
    *(Interpolation(a=a, aligned=aligned) for a in (-1.0, -0.75, -0.5) for aligned in (False, True)),
)
KERNELS_IN_WORDS = "all 19,683 kernels with taps -1, 0, 1"

Stretch = tuple[Interpolation, Shape, Shape]
KernelCase = tuple[Shape, tuple[int, ...]]

_TIGHT = 1 + 2.0**-48


def interpolation_cases(largest: int) -> tuple[Iterator[Stretch], int, str]:
    """Return all pairs of axes 1 <= coarse <= fine <= largest, for eight rules."""
    axes = [(h, f) for f in range(1, largest + 1) for h in range(1, f + 1)]
    cases = ((rule, (h, w), (f, g)) for rule, (h, f), (w, g) in product(RULES, axes, axes))
    scope = f"all maps with sides up to {largest}: nearest, bilinear, bicubic with a = -1, -3/4, -1/2; exact"
    return cases, len(RULES) * (largest * (largest + 1) // 2) ** 2, scope


@cache
def _largest_row(rule: Interpolation, coarse: int, fine: int) -> Any:
    """Return the rows of one axis, the largest l1 norm of a row, and that row's signs and index."""
    rows = rule.exact_matrix(coarse, fine)
    row = max(rows, key=lambda row: sum(map(abs, row)))
    signs = [1 if weight >= 0 else -1 for weight in row]
    return rows, sum(map(abs, row)), signs, rows.index(row)


def interpolation_is_sharp(
    case: Stretch, constant: Callable[[Interpolation, Shape, Shape], float] = interpolation_lipschitz
) -> bool:
    """Compare the zero map and one of entries +-1: interpolated, they differ by the constant at one pixel."""
    rule, coarse, fine = case
    (rows, tall, signs, i), (columns, wide, signs2, j) = (
        _largest_row(rule, *axis) for axis in zip(coarse, fine, strict=True)
    )
    moved = sum(
        rows[i][k] * columns[j][m] * signs[k] * signs2[m] for k in range(coarse[0]) for m in range(coarse[1])
    )
    # No row of the Kronecker product has a larger norm than the product of the largest of each.
    bound = constant(*case)
    return bool(moved == tall * wide and moved <= bound <= moved * _TIGHT)


@cache
def _operators(shape: Shape) -> Floats:
    """Return the nine matrices by which the taps of a kernel act on maps of a shape, from unit images."""
    height, width = shape
    operators = np.zeros((9, height * width, height * width))
    for tap in range(9):
        filters = np.zeros((3, 3, 1, 1))
        filters[tap // 3, tap % 3] = 1
        for pixel in range(height * width):
            image = np.zeros((height, width, 1))
            image[divmod(pixel, width)] = 1
            operators[tap, :, pixel] = convolve(image, filters).ravel()
    return operators


def convolution_cases(shapes: tuple[Shape, ...]) -> tuple[Iterator[KernelCase], int]:
    """Return all kernels with taps -1, 0, 1, for every shape."""
    return product(shapes, product((-1, 0, 1), repeat=9)), len(shapes) * 3**9


def kernel_is_sharp(case: KernelCase, constant: Callable[[Floats], float] | None = None) -> bool:
    """Compare the constant with the largest row of the operator's matrix, which an image of +-1 attains."""
    shape, taps = case
    matrix = np.tensordot(taps, _operators(shape), axes=1)
    largest = np.abs(matrix).sum(axis=1).max()
    if constant is None:
        bound = convolution_lipschitz(Convolution(np.array(taps, float).reshape(3, 3, 1, 1)), shape)
    else:
        bound = constant(np.array(taps))
    return bool(largest <= bound <= largest * _TIGHT)
