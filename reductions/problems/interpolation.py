"""Up-interpolation of token maps: nearest, bilinear and Keys bicubic, for any ratio.

Along one axis, interpolation from ``coarse`` to ``fine >= coarse`` pixels is a matrix M with one row
a fine pixel. Fine pixel i samples the coarse axis at the position s(i) and takes the weighted mean

    M[i, j] = sum of W(s(i) - k) over the integers k whose nearest pixel is j (replicated border).

In two dimensions the operator is the Kronecker product of the two axes' matrices. Position and
border follow ``torch.nn.functional.interpolate(..., align_corners=False)``.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reductions.choices import Kernel as Kernel

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array


def keys_inner(x: Any, a: Any) -> Any:
    """Return the Keys kernel at distance 0 <= x <= 1, for numbers or symbols (Keys 1981, equation 4)."""
    return (a + 2) * x**3 - (a + 3) * x**2 + 1


def keys_outer(x: Any, a: Any) -> Any:
    """Return the Keys kernel at distance 1 <= x <= 2, for numbers or symbols."""
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a


@dataclass(frozen=True)
class Interpolation:
    """An interpolation rule; :meth:`matrix` gives its operator for each pair of sizes.

    Attributes
    ----------
    kernel
        Which kernel weighs the coarse pixels.
    a
        The parameter of the Keys kernel, between -1 and 0; torch uses -3/4. Ignored by the other kernels.
    aligned
        Where fine pixel i samples the coarse axis. False: half-pixel centres, (i + 1/2) h/h' - 1/2.
        True: i h/h'. Nearest takes pixel floor(i h/h') in both cases.

    Raises
    ------
    ValueError
        If ``kernel`` is no kernel's name or ``a`` lies outside [-1, 0].
    """

    kernel: Kernel = Kernel.BICUBIC
    a: float = -0.75
    aligned: bool = False

    def __post_init__(self) -> None:
        names = ", ".join(repr(str(kernel)) for kernel in Kernel)
        if self.kernel not in list(Kernel):
            raise ValueError(f"Argument 'kernel' must be one of {names}, not {self.kernel!r}.")
        if not -1 <= self.a <= 0:
            raise ValueError(f"Argument 'a' must be between -1 and 0, not {self.a!r}.")
        object.__setattr__(self, "kernel", Kernel(self.kernel))
        object.__setattr__(self, "a", float(self.a))

    @property
    def support_radius(self) -> float:
        """Half the width of the kernel: 1/2, 1 or 2 coarse pixels."""
        return {Kernel.NEAREST: 0.5, Kernel.BILINEAR: 1.0, Kernel.BICUBIC: 2.0}[self.kernel]

    def matrix(self, coarse: int, fine: int) -> csr_array:
        """Return the operator of one axis.

        Parameters
        ----------
        coarse, fine
            Numbers of pixels, 1 <= coarse <= fine.

        Returns
        -------
        csr_array
            Shape (fine, coarse), float64, read-only. An entry is stored exactly where the weight is not
            zero (barring underflow), and is within 16 * 2^-53 of it: each tap is a product or a sum of
            terms of one sign, so its relative error is below 8 * 2^-53; at a border at most three taps
            are added, with absolute values that sum to at most 3/2.

        Raises
        ------
        ValueError
            If the sizes are not positive integers or ``fine < coarse``.
        """
        return _matrix(self, *_sizes(coarse, fine))

    def exact_matrix(self, coarse: int, fine: int) -> list[list[Fraction]]:
        """Return the operator of one axis in rational arithmetic, straight from the definition.

        The rows are those of :meth:`matrix`, with ``a`` taken as the exact value of the float.
        """
        coarse, fine = _sizes(coarse, fine)
        rows = [[Fraction(0)] * coarse for _ in range(fine)]
        for i, row in enumerate(rows):
            position = self.position(i, coarse, fine)
            if self.kernel is Kernel.NEAREST:
                row[position.__floor__()] = Fraction(1)
                continue
            first = position.__floor__() - 1
            for k in range(first, first + 4):
                row[min(max(k, 0), coarse - 1)] += self.weight(position - k)
        return rows

    def position(self, i: int, coarse: int, fine: int) -> Fraction:
        """Return where fine pixel ``i`` samples the coarse axis, in coarse pixels, exactly."""
        if self.aligned or self.kernel is Kernel.NEAREST:
            return Fraction(i * coarse, fine)
        return Fraction((2 * i + 1) * coarse - fine, 2 * fine)

    def weight(self, offset: Fraction) -> Fraction:
        """Return W(offset) exactly: the weight of a coarse pixel at that distance from the sample.

        Nearest takes the pixel at or before its sample, so there W is 1 on [0, 1).
        """
        distance = abs(offset)
        if self.kernel is Kernel.NEAREST:
            return Fraction(0 <= offset < 1)
        if self.kernel is Kernel.BILINEAR:
            return max(1 - distance, Fraction(0))
        if distance >= 2:
            return Fraction(0)
        piece = keys_inner if distance <= 1 else keys_outer
        return Fraction(piece(distance, Fraction(self.a)))

    def apply(self, grid: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Interpolate a token map.

        Parameters
        ----------
        grid
            Shape (h, w, c).
        shape
            The fine shape (h', w').

        Returns
        -------
        ndarray
            Shape (h', w', c), float64: the Kronecker product of the axes' operators, applied to each channel.

        Raises
        ------
        ValueError
            If ``grid`` has not three axes, or a fine side is shorter than the coarse one.
        """
        grid = np.asarray(grid, dtype=np.float64)
        if grid.ndim != 3:
            raise ValueError(f"Argument 'grid' must have shape (h, w, c), not {grid.shape}.")
        (h, w, channels), (fine_h, fine_w) = grid.shape, shape
        tall = self.matrix(h, fine_h) @ grid.reshape(h, w * channels)
        turned = tall.reshape(fine_h, w, channels).transpose(1, 0, 2).reshape(w, fine_h * channels)
        wide = self.matrix(w, fine_w) @ turned
        return np.ascontiguousarray(wide.reshape(fine_w, fine_h, channels).transpose(1, 0, 2))

    def block(
        self, coarse_shape: tuple[int, int], fine_shape: tuple[int, int], rows: slice, columns: ArrayLike
    ) -> csr_array:
        """Return some rows and columns of the operator of a map.

        Parameters
        ----------
        coarse_shape, fine_shape
            The shapes (h, w) and (h', w').
        rows
            A slice of the h' * w' fine pixels in row-major order, without a step.
        columns
            Shape (count, 2): the row and column of each coarse pixel that is wanted.

        Returns
        -------
        csr_array
            Shape (rows, count), float64. Time and memory are proportional to what is stored and to the sides.

        Raises
        ------
        ValueError
            If the slice has a step, or a coarse pixel lies outside the coarse map.
        """
        from scipy.sparse import coo_array

        (h, w), (fine_h, fine_w) = coarse_shape, fine_shape
        start, stop, step = rows.indices(fine_h * fine_w)
        if step != 1:
            raise ValueError(f"Argument 'rows' must be a slice without a step, not {rows!r}.")
        pixels = _pixels(columns, coarse_shape)
        stop = max(start, stop)
        first, last = start // fine_w, -(-stop // fine_w)
        tall = _columns(self.matrix(h, fine_h)[first:last], pixels[:, 0])
        wide = _columns(self.matrix(w, fine_w), pixels[:, 1])
        # Pair each entry of a column of `tall` with every entry of the same column of `wide`.
        column = np.repeat(np.arange(len(pixels)), np.diff(tall.indptr))
        partners = np.diff(wide.indptr)[column]
        left = np.repeat(np.arange(tall.nnz), partners)
        within = np.arange(left.size) - np.repeat(np.cumsum(partners) - partners, partners)
        right = wide.indptr[column[left]] + within
        row = (first + tall.indices[left].astype(np.int64)) * fine_w + wide.indices[right] - start
        kept = (row >= 0) & (row < stop - start)
        weights = (tall.data[left] * wide.data[right])[kept]
        entries = (weights, (row[kept], column[left][kept]))
        return coo_array(entries, shape=(stop - start, len(pixels))).tocsr()


@lru_cache(maxsize=256)
def _matrix(rule: Interpolation, coarse: int, fine: int) -> csr_array:
    from scipy.sparse import coo_array

    taps = {Kernel.NEAREST: _nearest_taps, Kernel.BILINEAR: _linear_taps, Kernel.BICUBIC: _cubic_taps}
    first, weights = taps[rule.kernel](rule, coarse, fine)
    if coarse == 1:  # all taps fall on the one pixel, and their sum is exactly 1
        first, weights = np.zeros(fine, dtype=np.int64), np.ones((fine, 1))
    column = np.clip(first[:, None] + np.arange(weights.shape[1]), 0, coarse - 1)
    row = np.broadcast_to(np.arange(fine)[:, None], weights.shape)
    matrix = coo_array((weights.ravel(), (row.ravel(), column.ravel())), shape=(fine, coarse)).tocsr()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    for array in (matrix.data, matrix.indices, matrix.indptr):
        array.setflags(write=False)
    return matrix


Taps = tuple[NDArray[np.int64], NDArray[np.float64]]
"""The first coarse pixel, shape (fine,), and the weights of it and its successors, shape (fine, taps)."""


def _nearest_taps(rule: Interpolation, coarse: int, fine: int) -> Taps:
    return np.arange(fine, dtype=np.int64) * coarse // fine, np.ones((fine, 1))


def _linear_taps(rule: Interpolation, coarse: int, fine: int) -> Taps:
    numerator, denominator = _positions(rule, coarse, fine)
    # Beyond the outermost centres all the weight is on the border pixel: the sample may be moved there.
    floor, phase, rest = _split(np.clip(numerator, 0, (coarse - 1) * denominator), denominator)
    return floor, np.stack([rest, phase], axis=1)


def _cubic_taps(rule: Interpolation, coarse: int, fine: int) -> Taps:
    floor, x, y = _split(*_positions(rule, coarse, fine))
    a = rule.a
    # The Keys polynomials at 1 + x, x, y = 1 - x, 1 + y, factored so that no two terms cancel: for a <= 0
    # the terms of each bracket are nonnegative. Zeros come out as zeros, mirror images as equal floats.
    weights = [a * x * y**2, y * (y * (1 + 2 * x) - a * x**2), x * (x * (1 + 2 * y) - a * y**2), a * y * x**2]
    return floor - 1, np.stack(weights, axis=1)


def _positions(rule: Interpolation, coarse: int, fine: int) -> tuple[NDArray[np.int64], int]:
    """Return the numerators and the common denominator of all sample positions."""
    i = np.arange(fine, dtype=np.int64)
    return (i * coarse, fine) if rule.aligned else ((2 * i + 1) * coarse - fine, 2 * fine)


def _split(
    numerator: NDArray[np.int64], denominator: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Split positions into floor, phase and 1 - phase; each of the two is rounded only once."""
    floor, remainder = np.divmod(numerator, denominator)
    return floor, remainder / denominator, (denominator - remainder) / denominator


def _columns(matrix: csr_array, columns: NDArray[np.int64]) -> csc_array:
    return matrix.tocsc()[:, columns]


def _pixels(columns: ArrayLike, shape: tuple[int, int]) -> NDArray[np.int64]:
    pixels = np.asarray(columns)
    if pixels.ndim != 2 or pixels.shape[1] != 2 or (pixels.size and pixels.dtype.kind not in "iu"):
        raise ValueError(
            "Argument 'columns' must be integers of shape (count, 2), "
            f"not {pixels.dtype} of shape {pixels.shape}."
        )
    if pixels.size and (pixels.min() < 0 or (pixels >= np.asarray(shape)).any()):
        raise ValueError(f"Argument 'columns' must be pixels of a map of shape {tuple(shape)}.")
    return pixels.astype(np.int64)


def _sizes(coarse: int, fine: int) -> tuple[int, int]:
    coarse, fine = operator.index(coarse), operator.index(fine)
    if coarse < 1:
        raise ValueError(f"Argument 'coarse' must be at least 1, not {coarse}.")
    if fine < coarse:
        raise ValueError(
            f"Argument 'fine' must be at least the coarse size {coarse}, not {fine}: "
            "only up-interpolation is defined."
        )
    return coarse, fine
