"""Nyströmformer: softmax attention through landmarks that are means of segments of tokens.

Source: Xiong et al., Nyströmformer: A Nyström-Based Algorithm for Approximating Self-Attention (arXiv
2102.03902), equation 13 and section 3.2; the iterative pseudoinverse is the one of section 3.2.1 (Razavi
et al.), with 6 steps.

Deviations: no skip connection by a convolution, which would add a learnt term; the segments' sizes differ
by at most one where the landmarks do not divide the tokens (their code asks for divisibility); with
``exact_inverse`` the pseudoinverse is that of LAPACK, which is what the iteration converges to, in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from checks.performance.data import Inputs

if TYPE_CHECKING:
    import torch

STEPS = 6
"""Steps of the iterative pseudoinverse, the paper's number."""


def nystromformer(
    inputs: Inputs, landmarks: int, *, exact_inverse: bool = True, steps: int = STEPS
) -> NDArray[Any]:
    """Approximate attention with landmarks.

    Parameters
    ----------
    inputs
        Q, K, V and the temperature.
    landmarks
        m, at least 1 and at most L.
    exact_inverse
        Whether the pseudoinverse is computed by LAPACK, everything in float64, instead of iteratively in
        float32.
    steps
        Steps of the iteration.

    Raises
    ------
    ValueError
        If the number of landmarks is out of range.
    """
    import torch

    tokens = min(len(inputs.queries), len(inputs.keys))
    if not 1 <= landmarks <= tokens:
        raise ValueError(f"Argument 'landmarks' must be from 1 to {tokens}, not {landmarks}.")
    dtype = torch.float64 if exact_inverse else torch.float32
    queries, keys, values = (
        torch.from_numpy(np.array(matrix)).to(dtype)
        for matrix in (inputs.queries, inputs.keys, inputs.values)
    )
    queries = queries / inputs.temperature
    query_means, key_means = segment_means(queries, landmarks), segment_means(keys, landmarks)
    left = torch.softmax(queries @ key_means.T, dim=1)
    middle = torch.softmax(query_means @ key_means.T, dim=1)
    right = torch.softmax(query_means @ keys.T, dim=1)
    inverse = torch.linalg.pinv(middle) if exact_inverse else iterative_pseudoinverse(middle, steps)
    outputs: NDArray[Any] = (left @ (inverse @ (right @ values))).numpy()
    return outputs


def segment_means(points: torch.Tensor, segments: int) -> torch.Tensor:
    """Return the means of consecutive segments whose sizes differ by at most one."""
    import torch

    if len(points) % segments == 0:
        return points.reshape(segments, -1, points.shape[1]).mean(dim=1)
    return torch.stack([part.mean(dim=0) for part in torch.tensor_split(points, segments)])


def iterative_pseudoinverse(matrix: torch.Tensor, steps: int = STEPS) -> torch.Tensor:
    """Return an approximate pseudoinverse by matrix products only, of third order.

    Z <- Z (13 I - A Z (15 I - A Z (7 I - A Z))) / 4, from Z = A^T / (|A|_1 |A|_inf).
    """
    import torch

    identity = torch.eye(len(matrix), dtype=matrix.dtype)
    estimate = matrix.T / (matrix.abs().sum(dim=0).max() * matrix.abs().sum(dim=1).max())
    for _ in range(steps):
        product = matrix @ estimate
        estimate = (
            estimate @ (13 * identity - product @ (15 * identity - product @ (7 * identity - product))) / 4
        )
    return estimate
