"""The error of a whole VAR model, scale by scale and layer by layer (lem-error-composition)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reductions.problems.var_model import FeedForward, VarModel
from reductions.upper_bound.error_propagation import (
    AttentionMagnitudes,
    AttentionStage,
    LipschitzStage,
    feed_forward_lipschitz,
    interpolation_lipschitz,
    propagate,
    require_error,
)


@dataclass(frozen=True)
class ScaleErrors:
    """Bounds on the difference of an exact and an approximate run at one scale.

    Attributes
    ----------
    entering
        The tokens' largest difference as they enter each layer; the last entry is that of the outputs.
    logit_moves
        For each attention layer, by how much a logit of the exact run differs from that of the approximate
        one: if the approximate run's logits lie in [lo, hi], the exact run's lie in [lo - eta, hi + eta].
    """

    entering: tuple[float, ...]
    logit_moves: tuple[float, ...]

    @property
    def output(self) -> float:
        """The bound on the scale's outputs."""
        return self.entering[-1]


def attention_stages(model: VarModel, magnitudes: Sequence[AttentionMagnitudes]) -> list[AttentionStage]:
    """Return the stages of the model's attention layers, in order, with the magnitudes given for each."""
    layers = [layer for layer in model.layers if not isinstance(layer, FeedForward)]
    if len(magnitudes) != len(layers):
        raise ValueError(
            f"Argument 'magnitudes' must have {len(layers)} entries per scale, one an attention layer, "
            f"not {len(magnitudes)}."
        )
    return [AttentionStage.of(layer, given) for layer, given in zip(layers, magnitudes, strict=True)]


def propagate_model(
    model: VarModel,
    magnitudes: Sequence[Sequence[AttentionMagnitudes]],
    local_errors: Sequence[Sequence[float]],
    *,
    drawn: bool,
    initial: float = 0.0,
) -> list[ScaleErrors]:
    """Bound the difference of an exact and an approximate run of a VAR model, a scale at a time.

    Parameters
    ----------
    magnitudes
        For every scale, for every attention layer: bounds on the scale's queries, and on keys and outputs
        of all the tokens that it sees, in one of the two runs (the same throughout).
    local_errors
        For every scale, for every layer (feed-forward ones too): by how much the approximate run's outputs
        of that layer at that scale may differ from the exact layer's at the approximate run's own tokens.
    drawn
        Whether the model draws, so that a scale's errors enter the next one through up-interpolation.
        Otherwise its maps are given, and every scale starts with ``initial``.
    initial
        By how much the start token (and the given maps, interpolated) may differ.

    Returns
    -------
    list of ScaleErrors
        One a scale.

    Raises
    ------
    ValueError
        If there are not as many entries as scales and layers, or an error is negative.
    """
    for name, given in (("magnitudes", magnitudes), ("local_errors", local_errors)):
        if len(given) != len(model.schedule):
            raise ValueError(
                f"Argument {name!r} must have {len(model.schedule)} entries, one per scale, not {len(given)}."
            )
    result: list[ScaleErrors] = []
    # Per layer, the largest error of the tokens of all scales so far, which the attention layers see.
    seen = [0.0] * len(model.layers)
    for scale, shape in enumerate(model.schedule):
        error = require_error("initial", initial)
        if drawn and scale:
            norm = interpolation_lipschitz(model.interpolation, model.schedule[scale - 1], shape)
            error = LipschitzStage(norm).growth(result[-1].output)
        result.append(_through_layers(model, magnitudes[scale], local_errors[scale], error, seen))
    return result


def _through_layers(
    model: VarModel,
    magnitudes: Sequence[AttentionMagnitudes],
    local_errors: Sequence[float],
    error: float,
    seen: list[float],
) -> ScaleErrors:
    """Carry one scale's error through the layers; ``seen`` is brought up to date."""
    if len(local_errors) != len(model.layers):
        raise ValueError(
            f"Argument 'local_errors' must have {len(model.layers)} entries per scale, one per layer, "
            f"not {len(local_errors)}."
        )
    stages = iter(attention_stages(model, magnitudes))
    entering, moves = [error], []
    for index, (layer, local) in enumerate(zip(model.layers, local_errors, strict=True)):
        seen[index] = max(seen[index], error)
        if isinstance(layer, FeedForward):
            grown = LipschitzStage(feed_forward_lipschitz(layer.weights)).growth(error)
        else:
            stage = next(stages)
            moves.append(stage.logit_move(error, seen[index]))
            grown = stage.growth(error, seen[index])
        # One more stage that adds the local error only, for the same rounding as everywhere.
        error = propagate([LipschitzStage(1.0)], [local], grown)[-1]
        entering.append(error)
    return ScaleErrors(tuple(entering), tuple(moves))
