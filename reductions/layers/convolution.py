"""Convolutions of images with zero padding, their norm, and nearest doubling.

Images have shape (height, width, channels). A convolution is a cross-correlation, as in torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reductions.layers.arrays import Floats

Grid = Sequence[Sequence[Sequence[Any]]]
"""An image of numbers of any type, number by number: rows of pixels of channels."""


@dataclass(frozen=True)
class Doubling:
    """Nearest up-sampling by the factor 2: every pixel becomes 2 x 2 equal ones."""

    def __call__(self, image: Floats) -> Floats:
        """Double both sides of an image."""
        return image.repeat(2, axis=0).repeat(2, axis=1)


def convolve(image: Floats, filters: Floats) -> Floats:
    """Return the zero-padded convolution (cross-correlation, as in torch) of an image.

    Parameters
    ----------
    image
        Shape (h, w, channels in).
    filters
        Shape (k, k, channels in, channels out), k odd.
    """
    height, width, _ = image.shape
    reach = filters.shape[0] // 2
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)))
    convolved: Floats = np.zeros((height, width, filters.shape[3]))
    for row in range(filters.shape[0]):
        for column in range(filters.shape[1]):
            convolved += padded[row : row + height, column : column + width] @ filters[row, column]
    return convolved


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution with zero padding and a bias.

    Attributes
    ----------
    filters
        Shape (k, k, channels in, channels out), with k = 1 or 3.
    bias
        Shape (channels out,); None is zero.
    """

    filters: Floats
    bias: Floats | None = None

    def __post_init__(self) -> None:
        filters = np.array(self.filters, dtype=np.float64)
        if filters.ndim != 4 or filters.shape[:2] not in {(1, 1), (3, 3)}:
            raise ValueError(
                "Argument 'filters' must have shape (k, k, channels in, channels out) with k = 1 or 3, "
                f"not {filters.shape}."
            )
        bias = np.zeros(filters.shape[3]) if self.bias is None else np.array(self.bias, dtype=np.float64)
        if bias.shape != filters.shape[3:]:
            raise ValueError(f"Argument 'bias' must have shape {filters.shape[3:]}, not {bias.shape}.")
        for name, array in (("filters", filters), ("bias", bias)):
            if not np.isfinite(array).all():
                raise ValueError(f"Argument {name!r} must be finite.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def centre_tap(cls, weights: Floats) -> Convolution:
        """Return the 3 x 3 convolution that applies a (channels in, channels out) matrix to every pixel."""
        weights = np.asarray(weights, dtype=np.float64)
        filters = np.zeros((3, 3, *weights.shape))
        filters[1, 1] = weights
        return cls(filters)

    @property
    def channels(self) -> tuple[int, int]:
        """Channels in and out."""
        return self.filters.shape[2], self.filters.shape[3]

    def __call__(self, image: Floats) -> Floats:
        """Apply the convolution to an image of shape (h, w, channels in)."""
        assert self.bias is not None
        convolved: Floats = convolve(image, self.filters) + self.bias
        return convolved

    def norm(self, shape: tuple[int, int] | None = None) -> float:
        """Return the norm from max-norm to max-norm, evaluated in float64.

        Parameters
        ----------
        shape
            Of the image. None, or both sides at least 3: the largest sum of |filters| over all that one
            output channel reads. A thinner image never shows a pixel all nine taps.
        """
        absolute = np.abs(self.filters).sum(axis=2)
        windows = [_windows(self.filters.shape[0], side) for side in shape or (3, 3)]
        return max(
            float(absolute[rows, columns].sum(axis=(0, 1)).max(initial=0))
            for rows in windows[0]
            for columns in windows[1]
        )

    def multiplications(self, shape: tuple[int, int]) -> int:
        """Return how many multiplications one application takes: taps off the image take none."""
        incoming, outgoing = self.channels
        size = self.filters.shape[0]
        return visible_taps(size, shape[0]) * visible_taps(size, shape[1]) * incoming * outgoing


def visible_taps(size: int, side: int) -> int:
    """Return how many pairs (pixel, tap of a filter of size 1 or 3) of an axis stay on it: h or 3 h - 2."""
    return size * side - (size - 1)


def _windows(size: int, side: int) -> list[slice]:
    """Return the sets of taps that pixels of an axis see, the largest ones."""
    if size == 1 or side == 1:
        return [slice(size // 2, size // 2 + 1)]
    return [slice(1, 3), slice(0, 2)] if side == 2 else [slice(0, 3)]


def textbook_convolution(image: Grid, convolution: Convolution) -> list[list[list[Any]]]:
    """Convolve number by number, for numbers of any type: the definition, with its exact cost.

    The entries of the filters are passed on as floats; where the image holds Fractions, they are turned
    into Fractions. Taps off the image are skipped.
    """
    height, width = len(image), len(image[0])
    reach = convolution.filters.shape[0] // 2
    incoming, outgoing = convolution.channels
    assert convolution.bias is not None
    filters, bias = convolution.filters.tolist(), convolution.bias.tolist()
    taps = range(-reach, reach + 1)
    result = []
    for i in range(height):
        row = []
        for j in range(width):
            pixel: list[Any] = [like(bias[t], image[i][j][0]) for t in range(outgoing)]
            for di in taps:
                for dj in taps:
                    if not (0 <= i + di < height and 0 <= j + dj < width):
                        continue
                    seen = image[i + di][j + dj]
                    weights = filters[di + reach][dj + reach]
                    for s in range(incoming):
                        for t in range(outgoing):
                            pixel[t] = pixel[t] + seen[s] * like(weights[s][t], seen[s])
            row.append(pixel)
        result.append(row)
    return result


def like(number: float, model: Any) -> Any:
    """Return ``number`` as a Fraction where ``model`` is one, which floats would turn into a float."""
    from fractions import Fraction

    return Fraction(number) if isinstance(model, Fraction) else number
