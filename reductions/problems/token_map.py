"""Token maps, and tokens that are computed a block of rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reductions.layers.arrays import Floats
from reductions.problem import require_matrix_shape
from reductions.problems.interpolation import Interpolation
from reductions.problems.schedule import Shape

ROW_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class TokenMap:
    """A token map that is zero but for a few tokens.

    Attributes
    ----------
    shape
        Height and width.
    positions
        Shape (count, 2), integers: row and column of each token, all different.
    tokens
        Shape (count, channels).
    """

    shape: Shape
    positions: NDArray[np.int64]
    tokens: Floats

    def __post_init__(self) -> None:
        if np.size(self.positions) and np.asarray(self.positions).dtype.kind not in "iu":
            raise TypeError("Argument 'positions' must be integers.")
        positions = np.array(self.positions, dtype=np.int64)
        tokens = np.array(self.tokens, dtype=np.float64)
        require_matrix_shape("positions", positions.shape, 2)
        require_matrix_shape("tokens", tokens.shape)
        if len(positions) != len(tokens):
            raise ValueError(
                f"Argument 'tokens' must have {len(positions)} rows, one a position, not {len(tokens)}."
            )
        if positions.size and ((positions < 0).any() or (positions >= self.shape).any()):
            raise ValueError(f"Argument 'positions' must lie on the {self.shape[0]} x {self.shape[1]} map.")
        flat = positions[:, 0] * self.shape[1] + positions[:, 1]
        if len(np.unique(flat)) != len(flat):
            raise ValueError("Argument 'positions' must be all different.")
        if not np.isfinite(tokens).all():
            raise ValueError("Argument 'tokens' must be finite.")
        for array in (positions, tokens):
            array.setflags(write=False)
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "tokens", tokens)

    @classmethod
    def zero(cls, shape: Shape, channels: int) -> TokenMap:
        """Return the map whose tokens are all zero."""
        return cls(shape, np.empty((0, 2), np.int64), np.empty((0, channels)))

    @property
    def channels(self) -> int:
        """The length of a token."""
        return int(self.tokens.shape[1])

    def dense(self) -> Floats:
        """Return the map as an array of shape (height, width, channels)."""
        grid = np.zeros((*self.shape, self.channels))
        grid[self.positions[:, 0], self.positions[:, 1]] = self.tokens
        return grid


@dataclass(frozen=True)
class TokenSource:
    """The tokens of one scale, computed a block of rows at a time."""

    count: int
    block: Callable[[int, int], Floats]

    def then(self, layer: Callable[[Floats], Floats]) -> TokenSource:
        """Apply a tokenwise layer to every block."""
        return TokenSource(self.count, lambda start, stop: layer(self.block(start, stop)))

    def blocks(self) -> Iterator[tuple[int, int, Floats]]:
        """Yield (start, stop, tokens) over all rows."""
        for start in range(0, self.count, ROW_BLOCK):
            stop = min(start + ROW_BLOCK, self.count)
            yield start, stop, self.block(start, stop)

    @classmethod
    def of(cls, tokens: Floats) -> TokenSource:
        """Wrap tokens that are already there."""
        return cls(len(tokens), lambda start, stop: tokens[start:stop])


def up_interpolated(token_map: TokenMap, interpolation: Interpolation, shape: Shape) -> TokenSource:
    """Return up(X) on the finer grid, in blocks of rows: (M_h ⊗ M_w) restricted to X's tokens, times them."""

    def block(start: int, stop: int) -> Floats:
        if not len(token_map.positions):
            return np.zeros((stop - start, token_map.channels))
        operator = interpolation.block(token_map.shape, shape, slice(start, stop), token_map.positions)
        return np.asarray(operator @ token_map.tokens)

    return TokenSource(shape[0] * shape[1], block)
