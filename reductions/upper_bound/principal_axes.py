"""Recentring and principal axes: the same attention with smaller logits on fewer axes.

Softmax does not notice when every key is moved by one vector; when every query is, each key gets a weight
of its own, computed exactly (lem-recentring). Queries and keys may also be written in other coordinates,
the ones by A and the others by its inverse transposed; the balanced choice puts as much as possible of the
logits on the first axes (lem-principal-axes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import ROUNDING

_RIDGE = 2.0**-26
_EXP_ROUNDINGS = 8  # NumPy's exp is within 1 unit in the last place; the rest is for the shift
_LARGEST_EXPONENT = 600.0  # key weights below e^-600 of the largest might underflow: nothing is promised


@dataclass(frozen=True, eq=False)
class Axes:
    """Coordinates for queries and keys: Q A and K B with A B^T = I.

    Attributes
    ----------
    queries, keys
        A and B, shape (d, d).
    shares
        Shape (d,), decreasing: sigma_i, the root mean square share of axis i in the logits is sigma_i / tau.
    """

    queries: Floats
    keys: Floats
    shares: Floats


def regular_moments(vectors: Floats) -> Floats:
    """Return X^T X / L plus 2^-26 times its mean eigenvalue on the diagonal: a regular matrix, shape (d, d).

    The identity where all vectors are zero.
    """
    second: Floats = vectors.T @ vectors / len(vectors)
    mean = float(np.trace(second)) / len(second)
    return second + (mean * _RIDGE if mean > 0 else 1.0) * np.eye(len(second))


def balanced_axes(queries: Floats, keys: Floats) -> Axes:
    """Return the coordinates in which queries and keys have the same diagonal second moments.

    Parameters
    ----------
    queries, keys
        Shapes (L_q, d) and (L_k, d); a sample will do, since any coordinates are right and only their quality
        depends on it.

    Returns
    -------
    Axes
        A^T S_q A = B^T S_k B = diag(shares), for the :func:`regular_moments` S_q and S_k.
    """
    # R with R^T R = S.
    roots = [np.linalg.cholesky(regular_moments(rows)).T for rows in (queries, keys)]
    left, shares, right = np.linalg.svd(roots[0] @ roots[1].T)
    scale = np.sqrt(shares)
    return Axes(roots[1].T @ right.T / scale, roots[0].T @ left / scale, shares)


def identity_axes(dimension: int) -> Axes:
    """Return the coordinates as they are."""
    return Axes(np.eye(dimension), np.eye(dimension), np.ones(dimension))


@dataclass(frozen=True, eq=False)
class Recentred:
    """Queries and keys about their centres, in new coordinates, and what that leaves over.

    Attributes
    ----------
    queries, keys
        (Q - q0) A and (K - k0) B, shapes (L_q, d) and (L_k, d), float64.
    key_weights
        Shape (L_k,): proportional to exp(<q0, k - k0>/tau), at most 1.
    logit_error
        eta: the softmax with logits <queries, keys>/tau and these key weights is the one asked for with every
        logit moved by at most eta, in real arithmetic on the stored numbers.
    """

    queries: Floats
    keys: Floats
    key_weights: Floats
    logit_error: float


def recentred(
    queries: Floats,
    keys: Floats,
    temperature: float,
    *,
    query_centre: Floats,
    key_centre: Floats,
    axes: Axes,
) -> Recentred:
    """Move queries and keys to their centres and change coordinates, with a bound on all roundings.

    Parameters
    ----------
    queries, keys
        Q and K, shapes (L_q, d) and (L_k, d), float64, at least one row each.
    temperature
        tau > 0.
    query_centre, key_centre
        q0 and k0, shape (d,).
    axes
        The coordinates.

    Notes
    -----
    All numbers other than zero are taken to lie between 2^-100 and 2^100 in absolute value, where neither
    overflow nor underflow matters.
    """
    dimension = queries.shape[1]
    moved_queries, moved_keys = queries - query_centre, keys - key_centre
    gamma = 2 * (dimension + 3) * ROUNDING
    new_queries, new_keys = moved_queries @ axes.queries, moved_keys @ axes.keys
    radii = largest_norm(moved_queries), largest_norm(moved_keys)

    # A new row is off by gamma |row| |A|, whose norm is at most gamma |row| times the Frobenius norm: the
    # roundings of the shift and of the product. And A B^T is the identity only up to a defect.
    lengths = float(np.linalg.norm(axes.queries)), float(np.linalg.norm(axes.keys))
    defect = float(np.linalg.norm(axes.queries @ axes.keys.T - np.eye(dimension)))
    defect += (2 * gamma + gamma**2 + gamma) * lengths[0] * lengths[1]
    transformed = defect * radii[0] * radii[1]

    direction = query_centre / temperature
    exponents = moved_keys @ direction
    shift = float(exponents.max())
    weights = np.exp(exponents - shift)
    weighted = gamma * float(np.linalg.norm(direction)) * radii[1]
    weighted += ROUNDING * (_EXP_ROUNDINGS + shift - float(exponents.min()))
    if not query_centre.any():
        weighted = 0.0  # all weights are 1, exactly
    elif shift - float(exponents.min()) > _LARGEST_EXPONENT:
        weighted = np.inf
    eta = (transformed / temperature + weighted) * (1 + 2.0**-20) + 2.0**-800
    return Recentred(new_queries, new_keys, weights, eta)


def largest_norm(vectors: Floats) -> float:
    """Return an upper bound on the Euclidean norms of the rows."""
    squares = np.einsum("ij,ij->i", vectors, vectors).max(initial=0.0)
    return float(np.sqrt(squares) * (1 + (vectors.shape[1] + 4) * ROUNDING)) + 2.0**-500


def centre(vectors: Floats, steps: int = 128) -> Floats:
    """Return a point near the centre of the smallest ball around the rows.

    The walk of Badoiu and Clarkson: from the mean, step t goes 1/(t + 1) of the way to the farthest row.
    """
    point: Floats = vectors.mean(axis=0)
    for step in range(1, steps + 1):
        distances = vectors - point
        farthest = vectors[np.einsum("ij,ij->i", distances, distances).argmax()]
        point = point + (farthest - point) / (step + 1)
    return point


def least_half_width(queries: Floats, keys: Floats, temperature: float) -> float:
    """Return max <q - q', k - k'> / (4 tau): no weights of rows and keys make the half-width smaller.

    All pairs are tried: for small sets only.
    """
    differences = [(rows[:, None] - rows[None]).reshape(-1, rows.shape[1]) for rows in (queries, keys)]
    return float((differences[0] @ differences[1].T).max()) / (4 * temperature)
