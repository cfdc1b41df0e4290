"""Choose how attention is computed: exactly, by low rank, or by features planned for the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from reductions.fast_attention.choice import (
    SLOWER,
    BlockChoice,
    Choice,
    ExactChoice,
    LowRankChoice,
    Refusal,
    state_seconds,
    total_seconds,
)
from reductions.fast_attention.cost_model import (
    FLOAT64,
    LEAST_GAIN,
    PLANNING,
    WORTH_COMPILED,
    WORTH_FEATURE_PLAN,
    WORTH_PLANNING,
    affordable_features,
    exact_seconds,
)
from reductions.fast_attention.exact_choice import exact_choice
from reductions.fast_attention.inputs import Inputs
from reductions.fast_attention.low_rank_choice import SMALL, low_rank_choices
from reductions.fast_attention.prepared_layer import Block, PreparedLayer, prepare

ASKED_FOR = "it was asked for"


def with_fewer_features(
    layer: PreparedLayer, choice: BlockChoice, workers: int
) -> tuple[PreparedLayer, Choice]:
    """Return features planned for the data, where that is estimated to be faster, and the layer to use."""
    seconds, (d, value_dimension) = total_seconds(layer, [choice]), layer.sizes
    if seconds < WORTH_FEATURE_PLAN * workers * max(d, 1):
        return layer, choice
    from reductions.fast_attention.planned_choice import planned_choice

    tokens = choice.block.queries + choice.block.keys
    affordable = affordable_features(LEAST_GAIN * seconds, tokens, d, value_dimension)
    centred = layer.with_centred_values()
    planned = planned_choice(centred, largest_rank=affordable)
    return (layer, choice) if isinstance(planned, Refusal) else (centred, planned)


def method_choices(
    inputs: Inputs, blocks: list[Block], method: str
) -> tuple[PreparedLayer, list[BlockChoice]]:
    """Return the layer to compute with and a choice for every block, exact or low rank."""
    if method not in ("auto", "low-rank", "exact"):
        raise ValueError(f"Argument 'method' must be 'auto', 'low-rank' or 'exact', not {method!r}.")
    if not len(inputs.queries):
        blocks = [Block(0, 0, len(inputs.keys))]
    d, value_dimension = inputs.queries.shape[1], inputs.values.shape[1]

    def worth_planning(choice: ExactChoice) -> bool:
        return choice.seconds >= WORTH_PLANNING and bool(d and value_dimension)

    pairs = sum(block.queries * block.keys for block in blocks)
    large = exact_seconds(pairs, 1, d, value_dimension, FLOAT64, compiled=False) >= WORTH_COMPILED
    layer = prepare(inputs, blocks, move=method == "low-rank" or (method == "auto" and large))
    reason = ASKED_FOR if method == "exact" else SMALL.reason
    exact = [exact_choice(layer, index, reason, compiled=large) for index in range(len(blocks))]
    if method == "exact" or (method == "auto" and not any(map(worth_planning, exact))):
        return layer, [*exact]
    if method == "low-rank":
        return layer, _forced(low_rank_choices(layer, [math.inf] * len(blocks))[-1], inputs.tolerance)
    affordable = [LEAST_GAIN * one.seconds - PLANNING if worth_planning(one) else None for one in exact]
    # Where both come to the same, the reasons of float64 tell more.
    candidates = [
        choose(layer, _with_reasons(exact, low_rank), low_rank)
        for low_rank in reversed(low_rank_choices(layer, affordable))
    ]
    return layer, min(candidates, key=lambda choices: total_seconds(layer, choices))


def _forced(low_rank: list[LowRankChoice | Refusal], tolerance: float) -> list[BlockChoice]:
    """Return low rank of every block, or raise where it is refused."""
    forced: list[BlockChoice] = []
    for choice in low_rank:
        if isinstance(choice, Refusal):
            raise ValueError(
                f"Argument 'method' must not be 'low-rank' at the tolerance {tolerance:.3g}: {choice.reason}."
            )
        forced.append(choice)
    return forced


def _with_reasons(exact: list[ExactChoice], low_rank: list[LowRankChoice | Refusal]) -> list[ExactChoice]:
    """Return the exact choices, each with the reason why low rank was not taken."""
    return [
        replace(choice, reason=(other if isinstance(other, Refusal) else SLOWER).reason)
        for choice, other in zip(exact, low_rank, strict=True)
    ]


def choose(
    layer: PreparedLayer, exact: Sequence[ExactChoice], low_rank: Sequence[LowRankChoice | Refusal]
) -> list[BlockChoice]:
    """Return the choice of every block: low rank where its queries gain, if all gains pay for the state.

    Parameters
    ----------
    layer
        The layer.
    exact, low_rank
        The two choices for each block, or why low rank is none.
    """
    taken: list[BlockChoice] = [
        other if isinstance(choice, Refusal) or choice.seconds >= other.seconds else choice
        for choice, other in zip(low_rank, exact, strict=True)
    ]
    used = [choice for choice in taken if isinstance(choice, LowRankChoice)]
    if used:
        seconds = state_seconds(layer, used) + sum(choice.seconds for choice in used) + PLANNING
        saved = sum(other.seconds for choice, other in zip(taken, exact, strict=True) if choice is not other)
        if seconds > LEAST_GAIN * saved:
            return list(exact)
    return taken
