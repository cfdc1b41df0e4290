"""Gap maximum inner product to attention: a reference key turns a gap into outputs near 1 or near 0.

Write c = s - Δ/2 for the middle of the gap and N for the number of keys v_j. Every query gets p
coordinates that only the reference key sees, so that this key's logit is βc/τ for every query. With
β = 2τ ln(4N)/Δ a key with ⟨u, v⟩ >= s outweighs it by a factor 4N, and the keys with
⟨u, v⟩ <= s - Δ together weigh at most a quarter of it.

Source: the idea of letting keys compete in a softmax with known competitors is that of Alman and Song
(arXiv 2302.13214); the reference coordinates and the constants are the project's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from reductions.layers.arrays import Floats
from reductions.problems.attention import AttentionInstance, ReferenceKeyAttention
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.orthogonal_vectors import Pair
from reductions.reduction import Kind, Reduced, Reduction, is_temperature, size

if TYPE_CHECKING:
    import sympy


def reference_coordinates(middle: float) -> Floats:
    """Return r ∈ [-1, 1]^p whose entries sum to ``middle``, p = max(1, ⌈|middle|⌉).

    It is ±(1, ..., 1, remainder). No step rounds: the remainder is the difference of two floats
    within a factor of two of each other (or ``middle`` itself). So r sums to ``middle`` exactly,
    where entries middle/p would not.

    >>> reference_coordinates(2.5)
    array([1. , 1. , 0.5])
    """
    coordinates = np.ones(max(1, math.ceil(abs(middle))))
    coordinates[-1] = abs(middle) - (len(coordinates) - 1)
    return math.copysign(1.0, middle) * coordinates


@dataclass(frozen=True)
class GapMaxIPReduced(Reduced[GapMaxInnerProduct, ReferenceKeyAttention]):
    """The attention instance, with the vectors it was made from."""

    source: GapMaxInnerProduct
    target: ReferenceKeyAttention

    def map_witness(self, witness: Any) -> Pair:
        """Return the same pair: query i and key j.

        Raises
        ------
        ValueError
            If ``witness`` is not a pair (i, j) with ⟨u_i, v_j⟩ >= s.
        """
        if not self.source.verify(witness):
            raise ValueError(
                f"Argument 'witness' must be a pair (i, j) with an inner product of at least "
                f"{self.source.threshold}, not {witness!r}."
            )
        row, column = witness
        return int(row), int(column)

    def extract_solution(self, solution: npt.ArrayLike) -> Pair | None:
        """Return a pair (i, j) with ⟨u_i, v_j⟩ >= s, or None for a NO instance.

        The rows whose output exceeds 1/2 are tried in order, each by one linear scan of the v_j, until a
        scan finds a pair. In a promise instance every YES row is among them. So one scan is enough if no
        row is strictly between YES and NO; the promise allows such rows in a YES instance, and each that
        comes before the first YES row may cost one scan more.

        Parameters
        ----------
        solution
            Outputs (N_u,), each off by less than 3/10.

        Raises
        ------
        ValueError
            If ``solution`` is not of that shape or cannot be within 3/10 of the exact outputs: for a
            source within its promise this includes a row decided YES without a pair in any such row.
        """
        rows = np.flatnonzero(self.target.decide_rows(solution))
        for row in map(int, rows):
            partner = self.source.partner(row)
            if partner is not None:
                return row, partner
        if len(rows):
            raise ValueError(
                "Argument 'solution' must be outputs within 3/10 of the exact ones (of a source within its "
                f"promise): query {rows[0]} is decided YES, but no query that is has a key to prove it."
            )
        return None


class GapMaxIPToAttention(Reduction[GapMaxInnerProduct, ReferenceKeyAttention]):
    """Gap maximum inner product to attention with a reference key (``lem-gap-max-ip-to-attention``).

    Parameters
    ----------
    temperature
        τ > 0. None, the convention of Alman and Song, is τ = d, the number of coordinates of the
        queries built.

    Raises
    ------
    ValueError
        If τ is not a positive number.
    """

    name: ClassVar[str] = "gap-max-ip-to-attention"
    parameter_kinds: ClassVar[Mapping[str, Kind]] = {"temperature": is_temperature}

    def __init__(self, temperature: float | None = None) -> None:
        if temperature is not None and not 0 < temperature < math.inf:
            raise ValueError(f"Argument 'temperature' must be a positive number or None, not {temperature}.")
        self.temperature = temperature

    def map_instance(self, source: GapMaxInnerProduct) -> GapMaxIPReduced:
        """Build the queries √β(u_i, 1_p), the keys √β(v_j, 0_p) and the reference key √β(0, r)."""
        middle = source.threshold - source.gap / 2
        reference = reference_coordinates(middle)
        (queries, dimension), keys = source.left.shape, len(source.right)
        temperature = float(dimension + len(reference)) if self.temperature is None else self.temperature

        logit_gap = math.log(4 * keys)
        beta = 2 * temperature * logit_gap / source.gap
        scale = math.sqrt(beta)
        layer = AttentionInstance(
            queries=scale * np.hstack([source.left, np.ones((queries, len(reference)))]),
            keys=scale
            * np.vstack(
                [
                    np.hstack([source.right, np.zeros((keys, len(reference)))]),
                    np.concatenate([np.zeros(dimension), reference]),
                ]
            ),
            values=np.concatenate([np.ones(keys), np.zeros(1)])[:, None],
            temperature=temperature,
        )
        reference_logit = 2 * logit_gap * middle / source.gap
        return GapMaxIPReduced(source, ReferenceKeyAttention(layer, reference_logit, logit_gap))

    def parameter_map(self) -> Mapping[str, sympy.Expr]:
        """L_q, L_k, d, τ, ρ, g and R in N_u, N_v, D, s and Δ (``gap``).

        R = √β exactly, since the queries' reference coordinates are √β. For the logit bound see
        :meth:`logit_bound`.
        """
        import sympy

        middle, log_keys = size("s") - size("gap") / 2, sympy.log(4 * size("N_v"))
        dimension = size("D") + sympy.Max(1, sympy.ceiling(sympy.Abs(middle)))
        temperature = (
            dimension
            if self.temperature is None
            else sympy.Rational(*float(self.temperature).as_integer_ratio())
        )
        return {
            "L_q": size("N_u"),
            "L_k": size("N_v") + 1,
            "d": dimension,
            "tau": temperature,
            "rho": 2 * log_keys * middle / size("gap"),
            "g": log_keys,
            "R": sympy.sqrt(2 * temperature * log_keys / size("gap")),
        }

    def logit_bound(self) -> sympy.Expr:
        """Return b = 2 ln(4N_v) max(M, |s - Δ/2|) / Δ, with the symbol M for max |⟨u_i, v_j⟩|.

        It does not depend on τ. M is at most D; for the direct route from orthogonal vectors it is at
        most their dimension m. As M is no size of the source, b is no entry of the parameter map.
        """
        import sympy

        middle = size("s") - size("gap") / 2
        return 2 * sympy.log(4 * size("N_v")) * sympy.Max(size("M"), sympy.Abs(middle)) / size("gap")

    def error_budget(self) -> sympy.Expr:
        """3/10: any smaller additive error leaves every YES row above 1/2 and every NO row below."""
        import sympy

        tolerated = ReferenceKeyAttention.tolerated_error
        return sympy.Rational(tolerated.numerator, tolerated.denominator)

    def parameters(self) -> Mapping[str, Any]:
        """The temperature, None for τ = d."""
        return {"temperature": self.temperature}
