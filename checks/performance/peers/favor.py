"""FAVOR+: attention by positive orthogonal random features, the method of the Performer.

Source: Choromanski et al., Rethinking Attention with Performers (arXiv 2009.14794), Lemma 1, its hyperbolic
variant, and section 2.4 on orthogonal features.

Deviations, all in the method's favour: features are not multiplied by 1/sqrt(m), which cancels; instead of
adding a constant such as 1e-4 to each feature, which biases the result, the exponent is made stable by
subtracting a maximum (by row for queries, over all rows for keys), which cancels too; arithmetic is
float32, as everywhere in practice, unless float64 is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from checks.performance.data import Inputs

if TYPE_CHECKING:
    import torch


def favor(
    inputs: Inputs, features: int, seed: int, *, hyperbolic: bool = True, double: bool = False
) -> NDArray[Any]:
    """Approximate attention with random features.

    Parameters
    ----------
    inputs
        Q, K, V and the temperature.
    features
        m: their number. The hyperbolic variant uses m / 2 directions w, each with exp(<w, x>) and exp(-<w,
        x>).
    seed
        Seed of the directions.
    hyperbolic
        Whether to use both signs.
    double
        Whether to compute in float64.

    Raises
    ------
    ValueError
        If there are not enough features for one direction.
    """
    import torch

    directions = features // 2 if hyperbolic else features
    if directions < 1:
        raise ValueError(f"Argument 'features' must be at least {1 + hyperbolic}, not {features}.")
    dtype = torch.float64 if double else torch.float32
    queries, keys, values = (
        torch.from_numpy(np.array(matrix)).to(dtype)
        for matrix in (inputs.queries, inputs.keys, inputs.values)
    )
    # exp(<q, k> / tau) is the kernel exp(<x, y>) of x = q / sqrt(tau), y = k / sqrt(tau).
    weights = orthogonal_directions(directions, queries.shape[1], seed).to(dtype) * inputs.temperature**-0.5
    key_exponents = _exponents(keys, weights, inputs.temperature, hyperbolic)
    key_features = torch.exp_(key_exponents.sub_(key_exponents.max()))
    query_exponents = _exponents(queries, weights, inputs.temperature, hyperbolic)
    query_features = torch.exp_(query_exponents.sub_(query_exponents.amax(dim=1, keepdim=True)))
    numerators = query_features @ (key_features.T @ values)
    denominators = query_features @ key_features.sum(dim=0)
    outputs: NDArray[Any] = (numerators / denominators[:, None]).numpy()
    return outputs


def orthogonal_directions(count: int, dimension: int, seed: int) -> torch.Tensor:
    """Return directions (count, dimension), orthogonal in blocks, each as long as a Gaussian vector."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    blocks = []
    for _ in range(-(-count // dimension)):
        gaussian = torch.randn(dimension, dimension, generator=generator, dtype=torch.float64)
        orthogonal, triangular = torch.linalg.qr(gaussian)
        # With the signs of R the distribution is that of Haar, as the proof of the method wants it.
        blocks.append((orthogonal * torch.sign(torch.diagonal(triangular))).T)
    lengths = torch.randn(count, dimension, generator=generator, dtype=torch.float64).norm(dim=1)
    directions: torch.Tensor = torch.cat(blocks)[:count] * lengths[:, None]
    return directions


def _exponents(
    points: torch.Tensor, weights: torch.Tensor, temperature: float, hyperbolic: bool
) -> torch.Tensor:
    """Return <w, x> - |x|^2 / 2 for all points x / sqrt(tau), and -<w, x> - |x|^2 / 2."""
    import torch

    projections = points @ weights.T
    squares = (points * points).sum(dim=1, keepdim=True) / (2 * temperature)
    if hyperbolic:
        return torch.cat([projections - squares, -projections - squares], dim=1)
    return projections - squares
