"""Worst-case errors against exact attention in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from checks.performance.data import Inputs
from reductions.layers.streamed_attention import streamed_attention

Rows = NDArray[np.intp]


class Reference:
    """Exact attention in float64 on all rows, or on evenly spaced ones where there are many.

    Parameters
    ----------
    inputs
        Q, K, V and the temperature.
    most_rows
        How many rows are computed at most.
    threads
        Threads of the computation.
    """

    def __init__(self, inputs: Inputs, *, most_rows: int, threads: int) -> None:
        count = len(inputs.queries)
        self.rows: Rows = np.unique(np.linspace(0, count - 1, min(count, most_rows)).astype(np.intp))
        queries, keys, values = (
            matrix.astype(np.float64) for matrix in (inputs.queries[self.rows], inputs.keys, inputs.values)
        )
        self._outputs = streamed_attention(queries, keys, values, inputs.temperature, threads=threads)

    def error(self, outputs: NDArray[Any]) -> float:
        """Return the largest absolute difference of an entry; infinity where one is not a number."""
        difference = np.abs(outputs[self.rows].astype(np.float64) - self._outputs)
        return float(np.where(np.isnan(difference), np.inf, difference).max())


class PyramidReference:
    """Exact block-causal attention in float64, on evenly spaced rows of each scale."""

    def __init__(self, inputs: Inputs, scale_ends: tuple[int, ...], *, most_rows: int, threads: int) -> None:
        self._parts: list[tuple[Rows, NDArray[np.float64]]] = []
        keys, values = inputs.keys.astype(np.float64), inputs.values.astype(np.float64)
        for start, end in zip((0, *scale_ends[:-1]), scale_ends, strict=True):
            rows = np.unique(np.linspace(start, end - 1, min(end - start, most_rows)).astype(np.intp))
            queries = inputs.queries[rows].astype(np.float64)
            outputs = streamed_attention(
                queries, keys[:end], values[:end], inputs.temperature, threads=threads
            )
            self._parts.append((rows, outputs))

    def error(self, outputs: NDArray[Any]) -> float:
        """Return the largest absolute difference of an entry; infinity where one is not a number."""
        worst = 0.0
        for rows, exact in self._parts:
            difference = np.abs(outputs[rows].astype(np.float64) - exact)
            worst = max(worst, float(np.where(np.isnan(difference), np.inf, difference).max()))
        return worst
