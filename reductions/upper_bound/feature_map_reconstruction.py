"""Feature-map reconstruction: f = sum_k conv_k(up(X_k)), with its exact cost and its error propagation.

Every token map is stretched to the shape of the last one, sent through a 3 x 3 convolution of its own
with zero padding, and added up. The map is linear (affine with biases), so there is nothing to approximate:
the fast run and the exact run execute the same operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution, Grid, textbook_convolution
from reductions.lower_bound.interpolation_weights import operator_norm
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import Schedule, Shape, require_schedule

TAPS = {Kernel.NEAREST: 1, Kernel.BILINEAR: 2, Kernel.BICUBIC: 4}
"""How many coarse pixels a fine pixel reads along one axis, at most."""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """The weights of feature-map reconstruction.

    Attributes
    ----------
    schedule
        The shapes of the token maps; the last one is the shape of the feature map.
    interpolation
        The kernel and convention of up-interpolation.
    convolutions
        One 3 x 3 convolution a scale, all from c to c' channels.
    """

    schedule: Schedule
    interpolation: Interpolation
    convolutions: tuple[Convolution, ...]

    def __post_init__(self) -> None:
        require_schedule(self.schedule)
        if len(self.convolutions) != len(self.schedule):
            raise ValueError(
                f"Argument 'convolutions' must hold {len(self.schedule)} convolutions, one per scale, "
                f"not {len(self.convolutions)}."
            )
        if len({convolution.channels for convolution in self.convolutions}) != 1:
            raise ValueError("Argument 'convolutions' must all have the same channels in and out.")
        if any(convolution.filters.shape[0] != 3 for convolution in self.convolutions):
            raise ValueError("Argument 'convolutions' must have 3 x 3 filters.")

    @property
    def channels(self) -> tuple[int, int]:
        """Channels of a token and of the feature map."""
        return self.convolutions[0].channels

    @property
    def shape(self) -> Shape:
        """Height and width of the feature map."""
        return self.schedule[-1]

    def __call__(self, maps: Sequence[Floats]) -> Floats:
        """Return the feature map.

        Parameters
        ----------
        maps
            X_1, ..., X_K, each of shape (h_k, w_k, c).

        Returns
        -------
        numpy.ndarray
            Shape (n, n, c').

        Raises
        ------
        ValueError
            If a map has another shape.
        """
        if len(maps) != len(self.schedule):
            raise ValueError(f"Argument 'maps' must hold {len(self.schedule)} token maps, not {len(maps)}.")
        total: Floats = np.zeros((*self.shape, self.channels[1]))
        for shape, token_map, convolution in zip(self.schedule, maps, self.convolutions, strict=True):
            if np.shape(token_map) != (*shape, self.channels[0]):
                raise ValueError(
                    f"Argument 'maps' must hold a map of shape {(*shape, self.channels[0])}, "
                    f"not {np.shape(token_map)}."
                )
            total += convolution(self.interpolation.apply(token_map, self.shape))
        return total

    def multiplications(self) -> int:
        """Return how many multiplications :meth:`__call__` needs, exactly.

        Stretching costs one a stored weight and channel, first along the height, then along the width.
        """
        height, width = self.shape
        channels, total = self.channels[0], 0
        for (h, w), convolution in zip(self.schedule, self.convolutions, strict=True):
            tall = self.interpolation.matrix(h, height).nnz * w
            wide = self.interpolation.matrix(w, width).nnz * height
            total += (tall + wide) * channels + convolution.multiplications(self.shape)
        return total

    def multiplication_bound(self) -> int:
        """Return K n_h n_w c (9 c' + 2 t), t the taps of the kernel: never less than the exact count."""
        height, width = self.shape
        channels, outgoing = self.channels
        taps = TAPS[self.interpolation.kernel]
        return len(self.schedule) * height * width * channels * (9 * outgoing + 2 * taps)

    def amplifications(self) -> tuple[float, ...]:
        """Return Lambda_k ||W_k|| for every scale: by how much an error of X_k grows at most."""
        return tuple(
            float(operator_norm(self.interpolation, shape, self.shape)) * convolution.norm(self.shape)
            for shape, convolution in zip(self.schedule, self.convolutions, strict=True)
        )

    def error_bound(self, errors: Sequence[float]) -> float:
        """Return sum_k Lambda_k ||W_k|| e_k: the feature map's error if map k is off by at most e_k."""
        return float(sum(a * e for a, e in zip(self.amplifications(), errors, strict=True)))


Matrix = Sequence[Sequence[Any]]


def textbook_stretch(token_map: Grid, tall: Matrix, wide: Matrix) -> list[list[list[Any]]]:
    """Up-interpolate number by number: rows first, then columns, skipping weights that are zero.

    Parameters
    ----------
    token_map
        Shape (h, w, c), numbers of any type.
    tall, wide
        The operators of the two axes, shapes (h', h) and (w', w).
    """
    columns = range(len(token_map[0]))
    stretched = [[_combine(row, [line[j] for line in token_map]) for j in columns] for row in tall]
    return [[_combine(row, line) for row in wide] for line in stretched]


def _combine(weights: Sequence[Any], pixels: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the weighted sum of pixels; a weight of zero costs nothing."""
    seen = [(weight, pixel) for weight, pixel in zip(weights, pixels, strict=True) if weight]
    totals = [x * seen[0][0] for x in seen[0][1]]
    for weight, pixel in seen[1:]:
        totals = [total + x * weight for total, x in zip(totals, pixel, strict=True)]
    return totals


def textbook_reconstruction(
    reconstruction: Reconstruction, maps: Sequence[Grid], operators: Sequence[tuple[Matrix, Matrix]]
) -> list[list[list[Any]]]:
    """Reconstruct number by number, for numbers of any type: the definition.

    Parameters
    ----------
    reconstruction
        The weights.
    maps
        X_1, ..., X_K.
    operators
        The pair of axis operators of every scale, for example from ``Interpolation.exact_matrix``.
    """
    totals: list[list[list[Any]]] | None = None
    for token_map, (tall, wide), convolution in zip(
        maps, operators, reconstruction.convolutions, strict=True
    ):
        image = textbook_convolution(textbook_stretch(token_map, tall, wide), convolution)
        if totals is None:
            totals = image
            continue
        totals = [
            [[x + y for x, y in zip(*pixels, strict=True)] for pixels in zip(*rows, strict=True)]
            for rows in zip(totals, image, strict=True)
        ]
    assert totals is not None
    return totals
