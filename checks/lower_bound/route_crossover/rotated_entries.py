"""Other coordinates for the gap route's queries and keys: the same logits, other largest entries.

A key of the distributed PCP has one 1 per point. So subtracting a constant from a query's block of a
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
from reductions.lower_bound.distributed_pcp import MOST_MESSAGES, MessageInstances
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.problems.attention import AttentionInstance
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.orthogonal_vectors import OrthogonalVectors

Matrix = NDArray[np.float64]


class Turn(StrEnum):
    """Which orthogonal matrix is applied."""

    NONE = "none"
    BLOCKS = "each block"
    WHOLE = "all D coordinates"


class Centre(StrEnum):
    """What is subtracted from the entries of a query's block."""

    NONE = "0"
    SHARE = "1/|Σ(x)|"
    HALF = "1/2"


def hartley_transformed(vectors: Matrix, signs: NDArray[Any]) -> Matrix:
    """Return the vectors, rows, with signed entries and then the orthogonal Hartley transform of them."""
    transformed = np.fft.fft(vectors * signs, axis=1)
    turned: Matrix = (transformed.real - transformed.imag) / math.sqrt(vectors.shape[1])
    return turned


def turned(vectors: Matrix, widths: list[int], signs: NDArray[Any]) -> Matrix:
    """Apply :func:`hartley_transformed` to every block of columns."""
    stops = np.cumsum(widths)[:-1]
    parts = zip(np.split(vectors, stops, axis=1), np.split(signs, stops), strict=True)
    return np.hstack([hartley_transformed(*part) for part in parts])


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


def built_attention(source: GapMaxInnerProduct) -> AttentionInstance:
    """Return the layer that is built."""
    return GapMaxIPToAttention().map_instance(source).target.attention


def measure(
    source: GapMaxInnerProduct, widths: list[int], centre: list[float], turn: Turn, seed: int
) -> Measured:
    """Build the layer from centred and rotated vectors: the weights and outputs of :func:`built_attention`.

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


@dataclass(frozen=True)
class Trial:
    """A gap-Max-IP instance whose keys have one 1 in each block.

    Attributes
    ----------
    source
        The instance.
    widths
        Of the blocks.
    share
        One over the number of symbols of every block's alphabet: about the mean of a query's block.
    """

    source: GapMaxInnerProduct
    widths: list[int]
    share: list[float]

    def measure(self, centre: Centre, turn: Turn, seed: int = 0) -> Measured:
        """Measure one choice of coordinates."""
        subtracted = {
            Centre.NONE: [0.0] * len(self.widths),
            Centre.SHARE: self.share,
            Centre.HALF: [0.5] * len(self.widths),
        }
        return measure(self.source, self.widths, subtracted[centre], turn, seed)

    def floor(self) -> float:
        """No rotation without centring has a smaller ratio: max‖u‖ max‖v‖ / Δ."""
        norms = (np.linalg.norm(side, axis=1).max() for side in (self.source.left, self.source.right))
        return float(math.prod(norms)) / self.source.gap


def gap_trial(system: ProofSystem, vectors: int = 16, messages: int = 16, seed: int = 1) -> Trial:
    """Take random vectors with an orthogonal pair, its right message and random other ones."""
    source = OrthogonalVectors.random(vectors, system.coordinates, seed=seed, planted=True)
    instances = MessageInstances(system, system.feasible_messages(MOST_MESSAGES), source)
    pair = source.solve_brute_force()
    drawn = np.random.default_rng(seed).integers(len(instances), size=messages).tolist()
    chosen = drawn if pair is None else sorted({*drawn, instances.right_message(pair)})
    left = np.concatenate([instances[message].left for message in chosen])
    target = GapMaxInnerProduct(left, instances.keys, system.code.length, system.gap)
    return Trial(target, system.widths.tolist(), [1 / len(alphabet) for alphabet in system.alphabets])


def direct_trial(coordinates: int, vectors: int = 16, seed: int = 1) -> Trial:
    """Write the complement encoding with one-hot keys: blocks (1, 1 - a) against (1 - b, b)."""
    source = OrthogonalVectors.random(vectors, coordinates, seed=seed, planted=True)
    a, b = source.left.astype(np.float64), source.right.astype(np.float64)
    left = np.stack([np.ones_like(a), 1 - a], axis=2).reshape(vectors, -1)
    right = np.stack([1 - b, b], axis=2).reshape(vectors, -1)
    target = GapMaxInnerProduct(left, right, coordinates, 1)
    return Trial(target, [2] * coordinates, [0.5] * coordinates)
