"""Random choices that are the same on every machine and in every version of NumPy.

NumPy promises stability of its bit generators' raw output, not of the distributions made from it. The hard
instances are identified by hashes, so they are drawn from the raw output alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class RawBits:
    """A stream of choices made from the 64-bit outputs of PCG64.

    Parameters
    ----------
    seed
        A nonnegative integer, or a sequence of them; 0 is a seed.
    """

    def __init__(self, seed: int | tuple[int, ...]) -> None:
        self._generator = np.random.PCG64(np.random.SeedSequence(seed))

    def words(self, *shape: int) -> NDArray[np.uint64]:
        """Return uniform 64-bit words."""
        return np.asarray(self._generator.random_raw(int(np.prod(shape, dtype=np.int64))), np.uint64).reshape(
            shape
        )

    def matrix(self, rows: int, columns: int, ones_in_256: int) -> NDArray[np.uint8]:
        """Return a 0/1 matrix whose entries are 1 with probability ones_in_256 / 256."""
        words = -(-rows * columns // 8)
        draws = self.words(words).astype("<u8", copy=False).view(np.uint8)[: rows * columns]
        return (draws < ones_in_256).astype(np.uint8).reshape(rows, columns)

    def below(self, bound: int, *shape: int) -> NDArray[np.int64]:
        """Return integers 0 ... bound - 1, uniform to within bound / 2^64."""
        return (self.words(*shape) % np.uint64(bound)).astype(np.int64)

    def choice(self, count: int, size: int) -> NDArray[np.int64]:
        """Return ``size`` different integers below ``count``, in increasing order."""
        order = np.argsort(self.words(count), kind="stable")
        return np.sort(order[:size]).astype(np.int64)
