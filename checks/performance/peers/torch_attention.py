"""The exact baseline: torch's fused ``scaled_dot_product_attention`` on the processor.

Padding few coordinates with zeros to a multiple of 16 changes no logit and makes the kernel faster; the
faster of the two is the baseline. A block-causal mask costs more than one call for each scale, since a
fused kernel computes what the mask then hides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from checks.performance.data import Inputs, Matrix

if TYPE_CHECKING:
    import torch

LANES = 16
"""Coordinates that the kernel works on at a time."""


class TorchAttention:
    """Exact attention of some inputs, with tensors made beforehand.

    Parameters
    ----------
    inputs
        Q, K, V and the temperature.
    padded
        Whether Q, K and V are padded with zero columns to a multiple of 16.
    """

    def __init__(self, inputs: Inputs, *, padded: bool = False) -> None:
        import torch

        self._columns = inputs.values.shape[1]
        missing = -inputs.queries.shape[1] % LANES if padded else 0
        self._scale = 1 / inputs.temperature
        self._tensors = [
            torch.from_numpy(np.pad(matrix, ((0, 0), (0, missing))))
            for matrix in (inputs.queries, inputs.keys, inputs.values)
        ]

    def outputs(self) -> Matrix:
        """Return Att(Q, K, V; tau), one call."""
        queries, keys, values = self._tensors
        return self._numpy(self._attend(queries, keys, values, None))

    def parts(self, count: int) -> list[Callable[[], Matrix]]:
        """Return calls for equal parts of the queries; the kernel works on few queries at a time anyway."""
        bounds = np.linspace(0, len(self._tensors[0]), count + 1).astype(int).tolist()
        keys = len(self._tensors[1])
        return [partial(self._rows, [(start, end, keys)]) for start, end in pairwise(bounds)]

    def pyramid_parts(self, scale_ends: Sequence[int], count: int) -> list[Callable[[], Matrix]]:
        """Return calls for parts of :meth:`pyramid`: the last scale, most of the work, is cut."""
        starts = (0, *scale_ends[:-1])
        scales = [(start, end, end) for start, end in zip(starts, scale_ends, strict=True)]
        start, end, keys = scales[-1]
        bounds = np.linspace(start, end, count + 1).astype(int).tolist()
        blocks = [[(low, high, keys)] for low, high in pairwise(bounds)]
        blocks[0] = scales[:-1] + blocks[0]
        return [partial(self._rows, block) for block in blocks]

    def pyramid(self, scale_ends: Sequence[int]) -> Matrix:
        """Return block-causal attention, one call for each scale: its queries with all keys up to its end."""
        starts = (0, *scale_ends[:-1])
        return self._rows([(start, end, end) for start, end in zip(starts, scale_ends, strict=True)])

    def masked_pyramid(self, scale_ends: Sequence[int]) -> Matrix:
        """Return block-causal attention, one call with a mask of 0 and minus infinity."""
        queries, keys, values = self._tensors
        return self._numpy(self._attend(queries, keys, values, self._mask(scale_ends)))

    def _rows(self, blocks: Sequence[tuple[int, int, int]]) -> Matrix:
        """Return the outputs of blocks of queries (first, end, keys that they see)."""
        import torch

        queries, keys, values = self._tensors
        outputs = [
            self._attend(queries[start:end], keys[:seen], values[:seen], None) for start, end, seen in blocks
        ]
        return self._numpy(torch.cat(outputs))

    def _mask(self, scale_ends: Sequence[int]) -> torch.Tensor:
        import torch

        ends = torch.tensor(np.repeat(scale_ends, np.diff((0, *scale_ends))))
        hidden = torch.arange(len(ends))[None, :] >= ends[:, None]
        return torch.zeros(hidden.shape).masked_fill_(hidden, -torch.inf)

    def _attend(self, queries: Any, keys: Any, values: Any, mask: Any) -> torch.Tensor:
        from torch.nn.functional import scaled_dot_product_attention

        return scaled_dot_product_attention(
            queries[None, None], keys[None, None], values[None, None], attn_mask=mask, scale=self._scale
        )[0, 0]

    def _numpy(self, outputs: torch.Tensor) -> Matrix:
        result: Matrix = outputs[:, : self._columns].numpy()
        return result
