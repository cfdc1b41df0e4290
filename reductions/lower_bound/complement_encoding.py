"""Complement encoding: from orthogonal vectors to gap maximum inner product with gap 1.

Orthogonality asks for a small inner product; Max-IP asks for a large one. Complementing the left
vectors turns one into the other: ⟨(1-a, a), (1, 1-b)⟩ = m - ⟨a, b⟩, coordinate by coordinate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from reductions.choices import Route
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.orthogonal_vectors import OrthogonalVectors, Pair
from reductions.reduction import Kind, Reduced, Reduction, is_flag, size

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class ComplementEncodingReduced(Reduced[OrthogonalVectors, GapMaxInnerProduct]):
    """An OV instance and its encoding: the same pairs are witnesses of both."""

    source: OrthogonalVectors
    target: GapMaxInnerProduct

    def map_witness(self, witness: Any) -> Pair:
        """Return the same pair of indices.

        Raises
        ------
        ValueError
            If ``witness`` is no orthogonal pair.
        """
        if not self.source.verify(witness):
            raise ValueError(f"Argument 'witness' must be an orthogonal pair, not {witness!r}.")
        return int(witness[0]), int(witness[1])

    def extract_solution(self, solution: Any) -> Pair | None:
        """Return the same pair of indices; map None (no pair reaches s) to None.

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
                f"{self.target.threshold}, not {solution!r}."
            )
        return int(solution[0]), int(solution[1])


class ComplementEncoding(Reduction[OrthogonalVectors, GapMaxInnerProduct]):
    """OV with m coordinates to gap-Max-IP with Δ = 1 (``lem-complement-encoding``).

    Parameters
    ----------
    signed
        False: a to (1-a, a), b to (1, 1-b); D = 2m, s = m, all inner products in [0, m].
        True: a to -a, b to b; D = m, s = 0, all inner products in [-m, 0].
    """

    name: ClassVar[str] = "complement-encoding"
    parameter_kinds: ClassVar[Mapping[str, Kind]] = {"signed": is_flag}
    only_for: ClassVar[tuple[StrEnum, ...]] = (Route.DIRECT,)

    def __init__(self, signed: bool = False) -> None:
        self.signed = signed

    def map_instance(self, source: OrthogonalVectors) -> ComplementEncodingReduced:
        """Encode every vector."""
        a, b = source.left.astype(np.float64), source.right.astype(np.float64)
        if self.signed:
            target = GapMaxInnerProduct(0 - a, b, threshold=0, gap=1)
        else:
            target = GapMaxInnerProduct(
                np.hstack([1 - a, a]), np.hstack([np.ones_like(b), 1 - b]), threshold=a.shape[1], gap=1
            )
        return ComplementEncodingReduced(source, target)

    def parameter_map(self) -> Mapping[str, sympy.Expr]:
        """Sizes of the target in N and m."""
        import sympy

        vectors, coordinates = size("N"), size("m")
        return {
            "N_u": vectors,
            "N_v": vectors,
            "D": coordinates if self.signed else 2 * coordinates,
            "s": sympy.Integer(0) if self.signed else coordinates,
            "gap": sympy.Integer(1),
        }

    def parameters(self) -> Mapping[str, Any]:
        """Whether the signed variant was used."""
        return {"signed": self.signed}
