"""The approximations of this package's benchmarks as kernels f(q, k, v, temperature), for ``test-kernel``.

subquartic test-kernel checks.performance.kernels:favor
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from checks.performance.data import Inputs

Matrix = NDArray[np.floating[Any]]


def low_rank(q: Matrix, k: Matrix, v: Matrix, temperature: float) -> Matrix:
    """Low-rank attention where its certificate allows an error of 1e-3, exact attention elsewhere."""
    from reductions.fast_attention.approximate_attention import approximate_attention

    return approximate_attention(q, k, v, temperature=temperature, tolerance=1e-3).output


def degree_4(q: Matrix, k: Matrix, v: Matrix, temperature: float) -> Matrix:
    """Low-rank attention of degree 4, made for logits in [-1, 1], whatever the logits are."""
    from reductions.polynomials.exponential import minimax_polynomial

    polynomial = minimax_polynomial(4, -1.0, 1.0)
    weights = polynomial(q.astype(np.float64) @ k.T.astype(np.float64) / temperature)
    with np.errstate(divide="ignore", invalid="ignore"):  # outside [-1, 1] weights may be anything
        return np.asarray(weights @ v / weights.sum(axis=1, keepdims=True))


def favor(q: Matrix, k: Matrix, v: Matrix, temperature: float) -> Matrix:
    """FAVOR+ with 256 random features."""
    from checks.performance.peers.favor import favor as peer

    return peer(_inputs(q, k, v, temperature), features=256, seed=0)


def nystromformer(q: Matrix, k: Matrix, v: Matrix, temperature: float) -> Matrix:
    """Nyströmformer with 32 landmarks and the exact pseudoinverse."""
    from checks.performance.peers.nystromformer import nystromformer as peer

    return peer(_inputs(q, k, v, temperature), landmarks=min(32, len(q)))


def kernel_nystroem(q: Matrix, k: Matrix, v: Matrix, temperature: float) -> Matrix:
    """The Nyström approximation of the softmax kernel with 64 landmarks."""
    from checks.performance.peers.kernel_features import kernel_nystroem as peer

    return peer(_inputs(q, k, v, temperature), landmarks=min(64, len(q)), seed=0)


def _inputs(q: Matrix, k: Matrix, v: Matrix, temperature: float) -> Inputs:
    return Inputs(q.astype(np.float32), k.astype(np.float32), v.astype(np.float32), temperature, float("nan"))
