"""Distributed PCP: from orthogonal vectors to gap maximum inner product with a gap that is a constant share.

Two vectors are encoded block by block with an evaluation code. Every key b'_j holds, one-hot at every
point x, the values of b_j's codewords there; a query a'_i(P) marks the values with which the message P
would be the truth at x. So ⟨a'_i(P), b'_j⟩ counts the points where P is the truth: all of them for the one
right message of an orthogonal pair, at most the degree of the squared code otherwise. The queries of
all messages are one OR: N·|W| queries against the same N keys, or one instance after another.

Source: Abboud, Rubinstein and Williams (arXiv 1706.06407), Rubinstein (arXiv 1803.00904). The compact
alphabets, the weights and the constants are worked out here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

import numpy as np

from reductions.choices import Route
from reductions.codes.evaluation_codes import EvaluationCode
from reductions.codes.finite_field import Elements, zero_sum_free
from reductions.codes.proof_system import ProofSystem, TooManyMessages
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.orthogonal_vectors import OrthogonalVectors, Pair
from reductions.reduction import Kind, Reduced, Reduction, is_count, is_integer, size

if TYPE_CHECKING:
    import sympy

MOST_MESSAGES = 1 << 16
MOST_ENTRIES = 1 << 26
"""Of the left matrix of one rectangular instance: half a GiB as float64."""


class MessageInstances(Sequence[GapMaxInnerProduct]):
    """One gap-Max-IP instance a message, N queries and the same N keys each: the answer is their OR.

    Instances are built when they are asked for; the encoded vectors are shared.
    """

    def __init__(self, system: ProofSystem, messages: Elements, source: OrthogonalVectors) -> None:
        self.system, self.messages, self.source = system, messages, source
        self.forms = system.forms(source.left)
        self.columns = system.key_columns(source.right)
        self.keys = np.zeros((len(self.columns), system.dimension))
        np.put_along_axis(self.keys, self.columns, 1, axis=1)
        self.keys.setflags(write=False)

    def __len__(self) -> int:
        return len(self.messages)

    @overload
    def __getitem__(self, index: int) -> GapMaxInnerProduct: ...
    @overload
    def __getitem__(self, index: slice) -> list[GapMaxInnerProduct]: ...
    def __getitem__(self, index: int | slice) -> GapMaxInnerProduct | list[GapMaxInnerProduct]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self._instance(self.system.queries(self.forms, self.messages[index]).astype(np.float64))

    def rectangular(self) -> GapMaxInnerProduct:
        """Return the one instance that has the queries of all messages: row number message * N + i.

        Raises
        ------
        ValueError
            If its left matrix would have more than 2^26 entries.
        """
        entries = self.forms.size * len(self)
        if entries > MOST_ENTRIES:
            raise ValueError(
                f"Argument 'source' must have fewer vectors: {len(self):,} messages make "
                f"{len(self.forms) * len(self):,} queries of dimension {self.system.dimension:,}, "
                f"{entries:,} entries, over {MOST_ENTRIES:,}; build one instance a message instead."
            )
        queries = [self.system.queries(self.forms, message) for message in self.messages]
        return self._instance(np.concatenate(queries).astype(np.float64))

    def right_message(self, pair: Pair) -> int:
        """Return the number of the message P* with which an orthogonal pair reaches the threshold."""
        truth = self.forms[pair[0], self.columns[pair[1]]]
        return int(np.flatnonzero((self.messages == truth).all(axis=1))[0])

    def _instance(self, queries: np.ndarray[Any, np.dtype[np.float64]]) -> GapMaxInnerProduct:
        return GapMaxInnerProduct(queries, self.keys, threshold=self.system.code.length, gap=self.system.gap)


@dataclass(frozen=True)
class DistributedPCPReduced(Reduced[OrthogonalVectors, GapMaxInnerProduct]):
    """An OV instance and its rectangular instance; ``instances`` has the parts, one per message."""

    source: OrthogonalVectors
    target: GapMaxInnerProduct
    instances: MessageInstances

    def map_witness(self, witness: Any) -> Pair:
        """Return the query of the pair's one right message, and the same key.

        Raises
        ------
        ValueError
            If ``witness`` is no orthogonal pair.
        """
        if not self.source.verify(witness):
            raise ValueError(f"Argument 'witness' must be an orthogonal pair, not {witness!r}.")
        i, j = int(witness[0]), int(witness[1])
        return self.instances.right_message((i, j)) * len(self.source.left) + i, j

    def extract_solution(self, solution: Any) -> Pair | None:
        """Return the orthogonal pair of a query and a key; map None (no pair reaches s) to None.

        Raises
        ------
        ValueError
            If ``solution`` is neither None nor a pair that reaches the threshold.
        """
        if solution is None:
            return None
        if not self.target.verify(solution):
            raise ValueError(
                "Argument 'solution' must be None or a pair with an inner product of at least "
                f"{self.target.threshold:g}, not {solution!r}."
            )
        return int(solution[0]) % len(self.source.left), int(solution[1])


class DistributedPCP(Reduction[OrthogonalVectors, GapMaxInnerProduct]):
    """OV with at most s0·T coordinates to gap-Max-IP (``lem-distributed-pcp``).

    Parameters
    ----------
    code
        An evaluation code with s0 information points and ``len`` points.
    blocks
        T: how many blocks of s0 coordinates a vector is split into.
    weights
        λ, T field elements of which no nonempty subset sums to zero; None for 1, ..., 1 where T < p,
        and the first that :func:`~reductions.codes.finite_field.zero_sum_free` gives otherwise.
    messages
        "all": every element of W. "feasible": only those that are right for some orthogonal pair.
    most_messages
        The number of messages above which the reduction refuses to be made.

    Raises
    ------
    ValueError
        If T > e(p - 1), the weights have a zero sum, the squared code's degree is not below ``len``, or
        there are too many messages.
    """

    name: ClassVar[str] = "distributed-pcp"
    parameter_kinds: ClassVar[Mapping[str, Kind]] = {
        "code": lambda value: isinstance(value, str),
        "information_points": is_count,
        "points": is_count,
        "squared_degree": is_integer,
        "blocks": is_count,
        "weights": lambda value: (
            isinstance(value, list | tuple) and bool(value) and all(map(is_integer, value))
        ),
        "messages": lambda value: value in ("all", "feasible"),
    }
    only_for: ClassVar[tuple[StrEnum, ...]] = (Route.PCP,)

    def __init__(
        self,
        code: EvaluationCode,
        blocks: int,
        weights: Sequence[int] | None = None,
        messages: Literal["all", "feasible"] = "all",
        most_messages: int = MOST_MESSAGES,
    ) -> None:
        if messages not in ("all", "feasible"):
            raise ValueError(f"Argument 'messages' must be 'all' or 'feasible', not {messages!r}.")
        field = code.field
        most_blocks = field.degree * (field.characteristic - 1)
        if not 1 <= blocks <= most_blocks:
            raise ValueError(
                f"Argument 'blocks' must be from 1 to e(p - 1) = {most_blocks} over F_{field.order}, "
                f"not {blocks}."
            )
        chosen = zero_sum_free(field, blocks) if weights is None else tuple(weights)
        self.system = ProofSystem(code, blocks, chosen)
        fault = self.system.fault()
        if fault is not None:
            raise ValueError(
                f"Arguments 'code' and 'weights' must make a sound system, not {code.name} with "
                f"{code.block} information points: {fault}."
            )
        self.messages = messages
        listed = self.system.all_messages if messages == "all" else self.system.feasible_messages
        try:
            self.message_list = listed(most_messages)
        except TooManyMessages as error:
            raise ValueError(
                f"Argument 'most_messages' must be larger, or 'code' another one: {error}."
            ) from None

    def message_instances(self, source: OrthogonalVectors) -> MessageInstances:
        """Return the instances one by one, a message each, each with N queries.

        Raises
        ------
        ValueError
            If the source has more than s0·T coordinates.
        """
        coordinates, most = source.left.shape[1], self.system.coordinates
        if coordinates > most:
            raise ValueError(
                f"Argument 'source' must have at most {most} coordinates ({self.system.code.block} "
                f"information points times {self.system.blocks} blocks), not {coordinates}."
            )
        return MessageInstances(self.system, self.message_list, source)

    def map_instance(self, source: OrthogonalVectors) -> DistributedPCPReduced:
        """Build the rectangular instance, N times as many queries as messages against N keys.

        Raises
        ------
        ValueError
            If the source has more than s0·T coordinates, or the instance would be too large.
        """
        instances = self.message_instances(source)
        return DistributedPCPReduced(source, instances.rectangular(), instances)

    def parameter_map(self) -> Mapping[str, sympy.Expr]:
        """Sizes of the target in N; they are the same for every m up to s0·T."""
        import sympy

        return {
            "N_u": len(self.message_list) * size("N"),
            "N_v": size("N"),
            "D": sympy.Integer(self.system.dimension),
            "s": sympy.Integer(self.system.code.length),
            "gap": sympy.Integer(self.system.gap),
        }

    def parameters(self) -> Mapping[str, Any]:
        """The code, the blocks, the weights and which messages."""
        code = self.system.code
        return {
            "code": code.name,
            "information_points": code.block,
            "points": code.length,
            "squared_degree": code.squared_degree,
            "blocks": self.system.blocks,
            "weights": list(self.system.weights),
            "messages": self.messages,
        }
