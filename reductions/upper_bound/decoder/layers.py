"""The layers of an image decoder without normalisation: convolutions, ResNet blocks, attention, doubling.

Each layer knows its channels, its shape of output, how many multiplications it takes and by which factor
it enlarges errors, in the max-norm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution, Doubling
from reductions.layers.norms import column_norm
from reductions.problems.attention import attention
from reductions.problems.schedule import Shape
from reductions.problems.var_model import SelfAttention
from reductions.upper_bound.block_causal_state import multiplications

Attend = Callable[[Floats, Floats, Floats, float], Floats]
"""(Q, K, V, tau) -> Att(Q, K, V; tau), exactly or approximately."""


@dataclass(frozen=True, eq=False)
class ResidualBlock:
    """Y -> S(Y) + C2(max(0, C1(max(0, Y)))), where S is the identity or a 1 x 1 convolution.

    Attributes
    ----------
    first, second
        C1 and C2.
    shortcut
        S; None is the identity, for which C2 must return as many channels as C1 takes.
    """

    first: Convolution
    second: Convolution
    shortcut: Convolution | None = None

    def __post_init__(self) -> None:
        if self.first.channels[1] != self.second.channels[0]:
            raise ValueError(
                f"Argument 'second' must take {self.first.channels[1]} channels, "
                f"not {self.second.channels[0]}."
            )
        shortcut = (self.first.channels[0],) * 2 if self.shortcut is None else self.shortcut.channels
        if shortcut != self.channels:
            raise ValueError(
                f"Argument 'shortcut' must map {self.channels[0]} channels to {self.channels[1]}, "
                f"not {shortcut[0]} to {shortcut[1]}."
            )

    @property
    def channels(self) -> tuple[int, int]:
        """Channels in and out."""
        return self.first.channels[0], self.second.channels[1]

    def __call__(self, image: Floats) -> Floats:
        """Apply the block."""
        branch = self.second(np.maximum(self.first(np.maximum(image, 0.0)), 0.0))
        straight = image if self.shortcut is None else self.shortcut(image)
        total: Floats = straight + branch
        return total

    def parts(self) -> tuple[Convolution, ...]:
        """Return the convolutions of the block."""
        return (self.first, self.second, *([] if self.shortcut is None else [self.shortcut]))

    def norm(self, shape: Shape | None = None) -> float:
        """Return ||S|| + ||C2|| ||C1||."""
        straight = 1.0 if self.shortcut is None else self.shortcut.norm(shape)
        return straight + self.second.norm(shape) * self.first.norm(shape)


@dataclass(frozen=True)
class AttentionBounds:
    """What bounds an attention layer's inputs: R for the entries of Q and K, v for those of V."""

    entry: float
    value: float


@dataclass(frozen=True, eq=False)
class AttentionBlock:
    """Y -> Y + Att(Y W_Q, Y W_K, Y W_V; tau) W_O over all pixels, without a mask."""

    weights: SelfAttention

    def __post_init__(self) -> None:
        if self.weights.channels[0] != self.weights.channels[1]:
            raise ValueError(
                "Argument 'weights' must return as many channels as it takes, "
                f"not {self.weights.channels[1]} for {self.weights.channels[0]}."
            )

    @property
    def channels(self) -> tuple[int, int]:
        """Channels in and out."""
        return self.weights.channels

    def projections(self, image: Floats) -> tuple[Floats, Floats, Floats]:
        """Return Q, K and V of an image, a row a pixel."""
        pixels = image.reshape(-1, image.shape[2])
        layer = self.weights
        return pixels @ layer.query_weights, pixels @ layer.key_weights, pixels @ layer.value_weights

    def __call__(self, image: Floats, attend: Attend = attention) -> Floats:
        """Apply the block with a given way of attending."""
        attended = attend(*self.projections(image), self.weights.temperature)
        total: Floats = image + (attended @ self.weights.output_weights).reshape(image.shape)
        return total

    def norm(self, bounds: AttentionBounds) -> float:
        """Return 1 + w_O (w_V + v d R (w_Q + w_K) / tau), for two images that both keep the bounds."""
        layer = self.weights
        query, key, value, out = (
            column_norm(np.asarray(getattr(layer, f"{name}_weights")))
            for name in ("query", "key", "value", "output")
        )
        logit = layer.dimension * bounds.entry * (query + key) / layer.temperature
        return 1 + out * (value + bounds.value * logit)

    def multiplications(self, pixels: int) -> int:
        """Return those of the projections and of W_O; attending itself is counted apart."""
        layer = self.weights
        incoming, outgoing = layer.channels
        values = int(layer.value_weights.shape[1])
        return pixels * (incoming * (2 * layer.dimension + values) + values * outgoing)


DecoderLayer = Convolution | ResidualBlock | AttentionBlock | Doubling


def textbook_attention_cost(pixels: int, dimension: int, values: int) -> int:
    """Return N^2 (d + d_v), the multiplications of attention over N pixels by the textbook."""
    return pixels**2 * (dimension + values)


def low_rank_attention_cost(degree: int) -> Callable[[int, int, int], int]:
    """Return the multiplications of attention by a polynomial of that degree (lem-block-causal-state)."""
    return lambda pixels, dimension, values: multiplications(((pixels, 1),), dimension, values, degree)
