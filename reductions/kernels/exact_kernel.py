"""Exact attention by a compiled kernel, rounded as :mod:`.exact_rounding` bounds.

A tile of queries meets one tile of keys after the other; logits, weights and sums stay in the cache.
Logits are kept in base 2 and compared with an integer near the largest so far, so that rescaling a sum when
the maximum rises multiplies it by a power of two, without rounding.
"""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.kernels.tiles import QUERY_REGISTERS, REGISTER
from reductions.kernels.vector_exponential import EXPONENTIALS

Matrix = NDArray[np.floating[Any]]

_LOG2_E = math.log2(math.e)

# Below this many multiply-adds, starting a thread costs more than it saves.
_WORTH_A_THREAD = 1 << 22


def exact_attention(
    queries: Matrix, keys: Matrix, values: Matrix, temperature: float, *, threads: int = 1
) -> NDArray[np.float64]:
    """Return Att(Q, K, V; tau), computed in the dtype of ``keys``.

    Parameters
    ----------
    queries, keys, values
        Shapes (L_q, d), (L_k, d), (L_k, d_v), with L_k >= 1: float32 or float64, keys and values of one
        dtype. Magnitudes for which :func:`.exact_rounding.exact_kernel_rounding_bound` is finite;
        nothing is checked.
    temperature
        tau > 0.
    threads
        How many at most.

    Returns
    -------
    numpy.ndarray
        Shape (L_q, d_v), float64.
    """
    from reductions.kernels import compiled_exact as compiled

    kind = keys.dtype
    output = np.empty((len(queries), values.shape[1]))
    if not output.size:
        return output
    keys, values = np.ascontiguousarray(keys), np.ascontiguousarray(values)
    magic = kind.type(EXPONENTIALS[kind].magic)

    def attend(part: slice) -> None:
        # Scaling the few queries is cheaper than scaling every logit; float64 makes it one rounding.
        scaled = queries[part].astype(np.float64) / temperature * _LOG2_E
        compiled.attend(scaled.astype(kind), keys, values, magic, output[part])

    tile = QUERY_REGISTERS * REGISTER // kind.itemsize
    tiles = -(-len(queries) // tile)
    cost = len(queries) * len(keys) * (keys.shape[1] + values.shape[1] + 16)
    count = max(1, min(threads, tiles, cost // _WORTH_A_THREAD))
    ends = [tile * (tiles * part // count) for part in range(count + 1)]
    parts = [slice(start, end) for start, end in itertools.pairwise(ends)]
    if count == 1:
        attend(parts[0])
        return output
    with ThreadPoolExecutor(max_workers=count) as pool:
        list(pool.map(attend, parts))
    return output
