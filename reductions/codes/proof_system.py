"""The distributed proof system: two halves of a vector pair, a message, and a test at every code point.

Alice holds a, Bob holds b, both in {0,1}^m, m <= s0 T. Each splits into T blocks of s0 bits and encodes
them: α_t = Σ_j a_tj E_j and β_t likewise. A message is an element P of W = span{E_i E_j : i < j}. At the
point x the test compares P(x) with P*(x) = Σ_t λ_t α_t(x) β_t(x), and the agreement of (a, b, P) is the
number of points where they are equal. If ⟨a, b⟩ = 0 then P* is itself a message, and P* agrees everywhere.
If not, P* - P is not zero at the information points, so it has at most ``bound`` zeros, whatever P.

Nothing here refuses a system that is not sound: :meth:`ProofSystem.fault` says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reductions.codes.evaluation_codes import EvaluationCode
from reductions.codes.finite_field import Elements, row_reduce, span

Indices = NDArray[np.int64]

_LARGEST_INDEX = 2**62


class TooManyMessages(ValueError):
    """There are more messages than a stated limit."""


@dataclass(frozen=True, eq=False)
class ProofSystem:
    """The proof system of a code, a number of blocks and their weights.

    Attributes
    ----------
    code
        An evaluation code with s0 information points.
    blocks
        T >= 1.
    weights
        λ, T field elements.
    """

    code: EvaluationCode
    blocks: int
    weights: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.blocks < 1:
            raise ValueError(f"Argument 'blocks' must be at least 1, not {self.blocks}.")
        if len(self.weights) != self.blocks:
            raise ValueError(f"Argument 'weights' must hold {self.blocks} elements, not {len(self.weights)}.")
        weights = self.code.field.elements("weights", self.weights)
        object.__setattr__(self, "weights", tuple(map(int, weights)))

    @property
    def coordinates(self) -> int:
        """s0 T, the largest m."""
        return self.code.block * self.blocks

    @property
    def bound(self) -> int:
        """The largest agreement of a pair that is not orthogonal, or of a wrong message."""
        return self.code.squared_degree

    @property
    def gap(self) -> int:
        """Δ = len - bound, as far as degrees tell; see :meth:`fault` where it is not positive."""
        return self.code.length - self.bound

    def fault(self) -> str | None:
        """Return, in words, why degrees or weights do not make the system sound; None where they do."""
        if self.gap <= 0:
            return (
                f"its squared code has degree {self.bound}, not below the {self.code.length} points, which "
                "leaves no more than the gap 1 that a single point makes"
            )
        if 0 in self.code.field.subset_sums(self.weights, nonempty=True):
            return f"some of the weights {self.weights} sum to zero"
        return None

    # ---- messages ----------------------------------------------------------------------------------

    @cached_property
    def message_basis(self) -> tuple[Elements, tuple[int, ...]]:
        """A reduced basis of W and its pivot columns."""
        encoders = self.code.encoders
        pairs = [self.code.field.multiply(f, g) for f, g in combinations(encoders, 2)]
        return row_reduce(self.code.field, np.array(pairs, dtype=np.uint8).reshape(-1, self.code.length))

    @property
    def message_count(self) -> int:
        """|W|."""
        return int(self.code.field.order ** len(self.message_basis[0]))

    def all_messages(self, most: int) -> Elements:
        """Return W, of shape (|W|, len), in the order of :meth:`message_number`.

        Raises
        ------
        TooManyMessages
            If |W| > most.
        """
        if self.message_count > most:
            q, dimension = self.code.field.order, len(self.message_basis[0])
            raise TooManyMessages(
                f"there are {q}^{dimension} = {self.message_count:,} messages, over {most:,}"
            )
        return span(self.code.field, self.message_basis[0])

    def message_number(self, messages: Elements) -> Indices:
        """Return the row of :meth:`all_messages` that each element of W is, shape (..., len) to (...)."""
        q, pivots = self.code.field.order, self.message_basis[1]
        digits = messages[..., pivots].astype(np.int64)
        return digits @ q ** np.arange(len(pivots))[::-1].astype(np.int64)

    def feasible_messages(self, most: int) -> Elements:
        """Return the P* of all orthogonal pairs in {0,1}^(s0 T), in the order of their numbers.

        They are the sums of one message a block, a block's messages being the products of two codewords
        with disjoint sets of ones. Fewer than W where s0 is large and T small.

        Raises
        ------
        TooManyMessages
            If there are more than ``most``, or |W| >= 2^62.
        """
        if self.message_count >= _LARGEST_INDEX:
            raise TooManyMessages(f"there are {self.message_count:,} messages in W, over 2^62")
        field, encoders = self.code.field, self.code.encoders
        sides = np.array(list(product(((0, 0), (1, 0), (0, 1)), repeat=self.code.block)), dtype=np.uint8)
        products = field.multiply(
            field.matmul(sides[..., 0], encoders), field.matmul(sides[..., 1], encoders)
        )
        block = np.unique(products, axis=0)
        reached = np.zeros((1, self.code.length), dtype=np.uint8)
        for weight in self.weights:
            parts = [field.add(reached, field.multiply(weight, part)) for part in block]
            numbers = np.concatenate([self.message_number(part) for part in parts])
            _, first = np.unique(numbers, return_index=True)
            if len(first) > most:  # adding a block never makes fewer
                raise TooManyMessages(f"there are at least {len(first):,} feasible messages, over {most:,}")
            reached = np.concatenate(parts)[first]
        return reached

    # ---- vectors -----------------------------------------------------------------------------------

    @cached_property
    def alphabets(self) -> tuple[tuple[int, ...], ...]:
        """Σ(x) for every point x: the sums of subsets of (E_1(x), ..., E_s0(x)), all that β_t(x) can be."""
        return tuple(self.code.field.subset_sums(column) for column in self.code.encoders.T)

    @cached_property
    def symbols(self) -> tuple[NDArray[np.uint8], ...]:
        """Σ(x)^T for every point x: arrays of shape (|Σ(x)|^T, T) in lexicographic order."""
        return tuple(
            np.array(list(product(alphabet, repeat=self.blocks)), dtype=np.uint8)
            for alphabet in self.alphabets
        )

    @property
    def widths(self) -> Indices:
        """|Σ(x)|^T for every point."""
        return np.array([len(alphabet) ** self.blocks for alphabet in self.alphabets], dtype=np.int64)

    @property
    def dimension(self) -> int:
        """D = Σ_x |Σ(x)|^T."""
        return sum(len(alphabet) ** self.blocks for alphabet in self.alphabets)

    def encode(self, vectors: ArrayLike) -> Elements:
        """Return α_t(x) of 0/1 vectors (N, m), m <= s0 T, padded by zeros: shape (N, T, len)."""
        bits = np.asarray(vectors, dtype=np.uint8)
        padded = np.zeros((len(bits), self.coordinates), dtype=np.uint8)
        padded[:, : bits.shape[1]] = bits
        return self.code.field.matmul(padded.reshape(-1, self.blocks, self.code.block), self.code.encoders)

    def key_columns(self, right: ArrayLike) -> Indices:
        """Return, for every vector and point x, the one column (x, μ) where its key is 1: shape (N, len)."""
        values = self.encode(right)
        starts = np.concatenate([[0], np.cumsum(self.widths)[:-1]])
        columns = np.zeros((len(values), self.code.length), dtype=np.int64)
        for x, alphabet in enumerate(self.alphabets):
            ranks = np.searchsorted(alphabet, values[:, :, x])
            columns[:, x] = starts[x] + ranks @ len(alphabet) ** np.arange(self.blocks)[::-1]
        return columns

    def forms(self, left: ArrayLike) -> Elements:
        """Return Σ_t λ_t α_t(x) μ_t for every vector and column (x, μ): shape (N, D)."""
        field = self.code.field
        weighted = field.multiply(self.encode(left), np.array(self.weights, dtype=np.uint8)[:, None])
        return np.hstack([field.matmul(weighted[:, :, x], mu.T) for x, mu in enumerate(self.symbols)])

    def queries(self, forms: Elements, message: Elements) -> NDArray[np.bool_]:
        """Return a'(P): True at (x, μ) iff the form there equals P(x); shape (N, D)."""
        matches: NDArray[np.bool_] = forms == np.repeat(message, self.widths)
        return matches

    # ---- soundness ---------------------------------------------------------------------------------

    @cached_property
    def squares(self) -> Elements:
        """E_j² for every j."""
        return self.code.field.multiply(self.code.encoders, self.code.encoders)

    def overlap_values(self) -> Iterator[tuple[int, ...]]:
        """Yield what P* can be on the information points: v in Σ(λ)^s0, v = 0 first.

        v_j is the sum of the λ_t over the blocks t in which a and b share the bit j.
        """
        return product(self.code.field.subset_sums(self.weights), repeat=self.code.block)

    def best_agreement(self, overlap: ArrayLike) -> int:
        """Return the largest agreement of any message with a pair whose P* is ``overlap`` on I.

        It is the same for all such pairs: P* is in Σ_j v_j E_j² + W, and W is a group.
        """
        squares = self.code.field.matmul(np.asarray(overlap, dtype=np.uint8)[None], self.squares)[0]
        return int((self._messages == squares).sum(axis=1).max())

    @cached_property
    def _messages(self) -> Elements:
        return self.all_messages(2**20)
