"""The exact baseline: torch's fused ``scaled_dot_product_attention`` on the processor.

Padding few coordinates with zeros to a multiple of 16 changes no logit and makes the kernel faster; the
faster of the two is the baseline. A block-causal mask costs more than one call for each scale, since a
fused kernel computes what the mask then hides.
"""

from __future__ import annotations

from collections.abc import Sequence
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

    def pyramid(self, scale_ends: Sequence[int]) -> Matrix:
        """Return block-causal attention, one call for each scale: its queries with all keys up to its end."""
        import torch

        queries, keys, values = self._tensors
        starts = (0, *scale_ends[:-1])
        return self._numpy(
            torch.cat(
                [
                    self._attend(queries[start:end], keys[:end], values[:end], None)
                    for start, end in zip(starts, scale_ends, strict=True)
                ]
            )
        )

    def masked_pyramid(self, scale_ends: Sequence[int]) -> Matrix:
        """Return block-causal attention, one call with a mask of 0 and minus infinity."""
        queries, keys, values = self._tensors
        return self._numpy(self._attend(queries, keys, values, self._mask(scale_ends)))

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
