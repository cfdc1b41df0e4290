"""What may be chosen for a block of queries: exact, low rank, planned features; or why one is refused.

:mod:`reductions.fast_attention.method_choice` chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from reductions.fast_attention.cost_model import FLOAT32, FLOAT64, low_rank_seconds
from reductions.fast_attention.planned_features.feature_plan import FeaturePlan
from reductions.fast_attention.prepared_layer import Block, PreparedLayer
from reductions.layers.directed_rounding import sum_up
from reductions.polynomials.exponential import ExpPolynomial
from reductions.upper_bound.weight_perturbation import epsilon_of

# Near 1 the denominators of the low-rank output lose digits, and rounding outweighs what a degree less saves.
_LARGEST_EPSILON = 0.9


@dataclass(frozen=True)
class Refusal:
    """Why a way to compute attention is not taken.

    Attributes
    ----------
    reason
        In words, for certificates and messages.
    final
        Whether float64 cannot help where float32 was refused.
    """

    reason: str
    final: bool = False


SLOWER = Refusal("low rank is estimated to be slower")


@dataclass(frozen=True)
class Choice:
    """How a block is computed, why, in which dtype, and the two parts of its error.

    The logits, as the method moves them, lie in [``low``, ``high``].
    """

    block: Block
    reason: str
    dtype: np.dtype[Any]
    low: float
    high: float
    approximation_error: float
    rounding_error: float

    @property
    def error_bound(self) -> float:
        """The sum of both errors, rounded up."""
        return sum_up(self.approximation_error, self.rounding_error)


@dataclass(frozen=True)
class ExactChoice(Choice):
    """Exact attention by the compiled kernel or NumPy, in about so many seconds."""

    seconds: float
    compiled: bool


@dataclass(frozen=True)
class LowRankChoice(Choice):
    """All monomials up to the degree of a polynomial; ``seconds`` is an estimate without the state."""

    seconds: float
    polynomial: ExpPolynomial


@dataclass(frozen=True)
class PlannedChoice(Choice):
    """Features planned for the data of the only block."""

    plan: FeaturePlan


BlockChoice = ExactChoice | LowRankChoice
Kind = TypeVar("Kind", bound=Choice)


def by_precision(attempt: Callable[[np.dtype[Any]], list[Kind | Refusal]]) -> list[list[Kind | Refusal]]:
    """Return what is found in float32 and, where that leaves a refusal that is not final, in float64."""
    found = []
    for dtype in (FLOAT32, FLOAT64):
        found.append(attempt(dtype))
        if not any(isinstance(choice, Refusal) and not choice.final for choice in found[-1]):
            break
    return found


def sufficient_epsilon(target: float, value_bound: float) -> float:
    """Return an epsilon with 2 v tanh(artanh(epsilon)/2) <= target, to rounding."""
    share = target / (2 * value_bound) if value_bound else 1.0
    return _LARGEST_EPSILON if share >= 0.5 else min(epsilon_of(share), _LARGEST_EPSILON)


def total_seconds(layer: PreparedLayer, choices: Sequence[BlockChoice]) -> float:
    """Return about how long all blocks take, the state included."""
    used = [choice for choice in choices if isinstance(choice, LowRankChoice)]
    seconds = sum(choice.seconds for choice in choices)
    return seconds + state_seconds(layer, used) if used else seconds


def state_seconds(layer: PreparedLayer, used: Sequence[LowRankChoice]) -> float:
    """Return about how long it takes to absorb the keys that the last of some blocks sees."""
    degree = max(choice.polynomial.degree for choice in used)
    return low_rank_seconds(used[-1].block.keys, *layer.sizes, degree, used[-1].dtype)
