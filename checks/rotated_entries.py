"""Other coordinates for the gap route's queries and keys: the same logits, other largest entries.

A key of the distributed PCP has one 1 a point. So subtracting a constant from a query's block of a
point moves the logits of all keys by the same amount, and any orthogonal matrix may be applied to both
sides. What this does to the entry bound inside attention is measured here; nothing is adopted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.codes.proof_system import ProofSystem
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.problems.attention import AttentionInstance
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct

Matrix = NDArray[np.float64]


class Turn(StrEnum):
    """Which orthogonal matrix is applied."""

    NONE = "none"
    BLOCKS = "each block"
    WHOLE = "all D coordinates"


def hartley(vectors: Matrix, signs: NDArray[Any]) -> Matrix:
    """Return the vectors, rows, with signed entries and then the orthogonal Hartley transform of them."""
    transformed = np.fft.fft(vectors * signs, axis=1)
    turned: Matrix = (transformed.real - transformed.imag) / math.sqrt(vectors.shape[1])
    return turned


def turned(vectors: Matrix, widths: list[int], signs: NDArray[Any]) -> Matrix:
    """Apply :func:`hartley` to every block of columns."""
    stops = np.cumsum(widths)[:-1]
    parts = zip(np.split(vectors, stops, axis=1), np.split(signs, stops), strict=True)
    return np.hstack([hartley(*part) for part in parts])


@dataclass(frozen=True)
class Measured:
    """A layer in other coordinates.

    Attributes
    ----------
    instance
        The layer, at temperature d, with balanced queries and keys.
    query_entry, key_entry
        Largest entries of the transformed u_i and v_j, before scaling.
    reference
        The number of reference coordinates.
    lifted
        The number of constant coordinates that would make all logits nonnegative again, as the VAR
        model needs them: those that undo the centring.
    """

    instance: AttentionInstance
    query_entry: float
    key_entry: float
    reference: int
    lifted: int

    @property
    def ratio(self) -> float:
        """R² / (2 ln 4N): to be compared with (D + p)/Δ and 3m."""
        return self.instance.entry_bound**2 / (2 * math.log(4 * (len(self.instance.keys) - 1)))

    @property
    def lifted_ratio(self) -> float:
        """The same with the constant coordinates."""
        d: int = self.instance.queries.shape[1]
        return self.ratio * (d + self.lifted) / d


def plain(source: GapMaxInnerProduct) -> AttentionInstance:
    """Return the layer that is built."""
    return GapMaxIPToAttention().map_instance(source).target.attention


def measure(
    source: GapMaxInnerProduct, widths: list[int], centre: list[float], turn: Turn, seed: int
) -> Measured:
    """Build the layer from centred and rotated vectors: the weights and outputs of :func:`plain`.

    Parameters
    ----------
    source
        Its keys have one 1 in each block.
    widths, centre
        The width of every block, and the number subtracted from a query's entries there.
    turn, seed
        The matrix, and the seed of its signs.
    """
    dimension, keys = source.right.shape[1], len(source.right)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], dimension)
    u, v = source.left - np.repeat(centre, widths), source.right
    if turn is not Turn.NONE:
        blocks = widths if turn is Turn.BLOCKS else [dimension]
        u, v = turned(u, blocks, signs), turned(v, blocks, signs)
    query_entry, key_entry = (float(np.abs(side).max()) for side in (u, v))
    product = query_entry * key_entry
    middle = source.threshold - source.gap / 2 - sum(centre)
    # p entries of at most the largest on either side make the product |middle|; rounding must not add one.
    reference = max(1, math.ceil(abs(middle) / product * (1 - 1e-12)))
    d = dimension + reference
    beta = 2 * d * math.log(4 * keys) / source.gap
    queries = np.hstack([u, np.full((len(u), reference), query_entry)])
    shared = np.full(reference, middle / reference / query_entry)
    reference_key = np.concatenate([np.zeros(dimension), shared])
    all_keys = np.vstack([np.hstack([v, np.zeros((keys, reference))]), reference_key])
    balance = math.sqrt(key_entry / query_entry)
    layer = AttentionInstance(
        math.sqrt(beta) * balance * queries,
        math.sqrt(beta) / balance * all_keys,
        np.concatenate([np.ones(keys), np.zeros(1)])[:, None],
        float(d),
    )
    lifted = math.ceil(sum(centre) / product * (1 - 1e-12))
    return Measured(layer, query_entry, key_entry, reference, lifted)


def shares(system: ProofSystem) -> list[float]:
    """Return 1/|Σ(x)| for every point: about the mean of a query's block."""
    return [1 / len(alphabet) for alphabet in system.alphabets]
