"""The decoder: from the feature map to an image of three channels; its cost and its error propagation.

ResNet blocks and attention with residual branches, without normalisation layers, and nearest
up-sampling. Attention is the only part that is quadratic in the number of pixels; it may be exact or
approximate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution, Doubling, Grid, like, textbook_convolution
from reductions.layers.norms import column_norm
from reductions.lower_bound.token_count import textbook_attention
from reductions.problems.attention import attention
from reductions.problems.schedule import Shape
from reductions.problems.var_model import SelfAttention, VarModel
from reductions.upper_bound.decoder.layers import (
    Attend,
    AttentionBlock,
    AttentionBounds,
    DecoderLayer,
    ResidualBlock,
    textbook_attention_cost,
)
from reductions.upper_bound.feature_map_reconstruction import Reconstruction

COLOURS = 3
"""Channels of an image: red, green, blue."""


@dataclass(frozen=True, eq=False)
class Decoder:
    """The weights of a decoder: its layers, of which the last is a convolution to three channels."""

    layers: tuple[DecoderLayer, ...]

    def __post_init__(self) -> None:
        if not self.layers or not isinstance(self.layers[-1], Convolution):
            raise ValueError("Argument 'layers' must end with a convolution.")
        if self.layers[-1].channels[1] != COLOURS:
            raise ValueError(
                f"Argument 'layers' must end with a convolution to 3 channels, "
                f"not to {self.layers[-1].channels[1]}."
            )
        channels = [layer.channels for layer in self.layers if not isinstance(layer, Doubling)]
        for (_, leaving), (entering, _) in pairwise(channels):
            if leaving != entering:
                raise ValueError(
                    f"Argument 'layers' must fit together: {leaving} channels leave a layer and {entering} "
                    "enter the next."
                )

    @property
    def channels(self) -> int:
        """Channels of the feature map."""
        return next(layer.channels[0] for layer in self.layers if not isinstance(layer, Doubling))

    @property
    def factor(self) -> int:
        """2^u for u doublings: how many times longer the image's sides are."""
        return int(2 ** sum(isinstance(layer, Doubling) for layer in self.layers))

    @property
    def attention_blocks(self) -> tuple[AttentionBlock, ...]:
        """The attention blocks, in order."""
        return tuple(layer for layer in self.layers if isinstance(layer, AttentionBlock))

    def __call__(self, feature_map: Floats, attend: Attend = attention) -> Floats:
        """Return the image.

        Parameters
        ----------
        feature_map
            Shape (n_h, n_w, c).
        attend
            How attention is computed; default: exactly.

        Returns
        -------
        numpy.ndarray
            Shape (2^u n_h, 2^u n_w, 3).
        """
        if np.ndim(feature_map) != 3 or np.shape(feature_map)[2] != self.channels:
            raise ValueError(
                f"Argument 'feature_map' must have shape (n, n, {self.channels}), "
                f"not {np.shape(feature_map)}."
            )
        image = np.asarray(feature_map, dtype=np.float64)
        for layer in self.layers:
            image = layer(image, attend) if isinstance(layer, AttentionBlock) else layer(image)
        return image

    def stages(self, shape: Shape) -> Iterator[tuple[DecoderLayer, Shape]]:
        """Yield every layer with the shape of the image that enters it."""
        height, width = shape
        for layer in self.layers:
            yield layer, (height, width)
            if isinstance(layer, Doubling):
                height, width = 2 * height, 2 * width

    def multiplications(
        self, shape: Shape, attention_cost: Callable[[int, int, int], int] = textbook_attention_cost
    ) -> int:
        """Return how many multiplications the decoder needs on a feature map of that shape, exactly.

        ``attention_cost`` tells those of attending itself from the pixels, d and d_v.
        """
        total = 0
        for layer, (height, width) in self.stages(shape):
            if isinstance(layer, Convolution):
                total += layer.multiplications((height, width))
            elif isinstance(layer, ResidualBlock):
                total += sum(part.multiplications((height, width)) for part in layer.parts())
            elif isinstance(layer, AttentionBlock):
                weights, pixels = layer.weights, height * width
                values = int(weights.value_weights.shape[1])
                total += layer.multiplications(pixels) + attention_cost(pixels, weights.dimension, values)
        return total

    def lipschitz(self, bounds: Sequence[AttentionBounds], shape: Shape | None = None) -> tuple[float, ...]:
        """Return every layer's factor lambda: it enlarges errors of its input at most by that.

        Parameters
        ----------
        bounds
            One a attention block: they hold for both of the runs that are compared.
        shape
            Of the feature map; None: so large that every filter shows all its taps somewhere.
        """
        remaining, factors = iter(bounds), []
        for layer, stage in self.stages(shape or (3, 3)):
            if isinstance(layer, AttentionBlock):
                factors.append(layer.norm(next(remaining)))
            else:
                factors.append(1.0 if isinstance(layer, Doubling) else layer.norm(stage))
        return tuple(factors)

    def error_bound(
        self,
        error: float,
        bounds: Sequence[AttentionBounds],
        attention_errors: Sequence[float],
        shape: Shape | None = None,
    ) -> float:
        """Return the bound on the image's error: e -> lambda e, plus w_O epsilon at an attention block.

        Parameters
        ----------
        error
            Of the feature map.
        bounds, shape
            As in :meth:`lipschitz`.
        attention_errors
            epsilon of every attention block: how far what is computed is from Att of the computed Q, K, V.
        """
        remaining = iter(attention_errors)
        for layer, factor in zip(self.layers, self.lipschitz(bounds, shape), strict=True):
            error = factor * error
            if isinstance(layer, AttentionBlock):
                error += column_norm(layer.weights.output_weights) * next(remaining)
        return error


@dataclass(frozen=True, eq=False)
class ImageModel:
    """A VAR model with what makes pixels of its token maps: from tokens to image."""

    model: VarModel
    reconstruction: Reconstruction
    decoder: Decoder

    def __post_init__(self) -> None:
        if self.reconstruction.schedule != self.model.schedule:
            raise ValueError("Argument 'reconstruction' must have the schedule of the model.")
        if self.reconstruction.channels[0] != self.model.layers[-1].channels[1]:
            raise ValueError(
                f"Argument 'reconstruction' must take the {self.model.layers[-1].channels[1]} channels that "
                f"the model leaves, not {self.reconstruction.channels[0]}."
            )
        if self.decoder.channels != self.reconstruction.channels[1]:
            raise ValueError(
                f"Argument 'decoder' must take {self.reconstruction.channels[1]} channels, "
                f"not {self.decoder.channels}."
            )

    def image_of(self, outputs: Sequence[Floats], attend: Attend = attention) -> Floats:
        """Return the image of the model's outputs, one array of shape (h_k w_k, c') a scale."""
        maps = [x.reshape(*shape, -1) for x, shape in zip(outputs, self.model.schedule, strict=True)]
        return self.decoder(self.reconstruction(maps), attend)


def identity_image_model(model: VarModel, doublings: int = 0, channel: int = 0) -> ImageModel:
    """Return an image model whose image shows one output channel of the last scale, in all three colours.

    Reconstruction ignores all scales but the last, whose filters are the identity's centre taps; the
    decoder has a ResNet block and an attention block, both with zero residual branches, a doubling with a
    centre-tap convolution for each of ``doublings``, and reads the channel out. Every image pixel is the
    value of its token exactly, in float64 too: all that happens to it is times 1 and plus 0
    (lem-decoder-identity).
    """
    channels = model.layers[-1].channels[1]
    if not 0 <= channel < channels:
        raise ValueError(f"Argument 'channel' must be one of the {channels} output channels, not {channel}.")
    one = Convolution.centre_tap(np.eye(channels))
    nothing = Convolution(np.zeros((3, 3, channels, channels)))
    scales = len(model.schedule)
    reconstruction = Reconstruction(model.schedule, model.interpolation, (*[nothing] * (scales - 1), one))
    ones = np.ones((channels, 1))
    silent = SelfAttention(ones, ones, ones, np.zeros((1, channels)), 1.0)
    read_out = np.zeros((channels, COLOURS))
    read_out[channel] = 1
    middle: list[DecoderLayer] = [one, ResidualBlock(one, nothing), AttentionBlock(silent)]
    for _ in range(doublings):
        middle += [Doubling(), one]
    return ImageModel(model, reconstruction, Decoder((*middle, Convolution.centre_tap(read_out))))


def textbook_decoder(
    decoder: Decoder, feature_map: Grid, exponential: Callable[[Any], Any]
) -> list[list[list[Any]]]:
    """Decode number by number, for numbers of any type that can be compared with 0: the definition.

    Parameters
    ----------
    decoder
        The weights.
    feature_map
        Shape (n_h, n_w, c).
    exponential
        The exponential function of the number type.
    """
    return textbook_layers(decoder.layers, feature_map, exponential)


def textbook_layers(
    layers: Sequence[DecoderLayer], feature_map: Grid, exponential: Callable[[Any], Any]
) -> list[list[list[Any]]]:
    """Apply some layers number by number."""
    image: Any = feature_map
    for layer in layers:
        if isinstance(layer, Doubling):
            image = [[pixel for pixel in row for _ in range(2)] for row in image for _ in range(2)]
        elif isinstance(layer, Convolution):
            image = textbook_convolution(image, layer)
        elif isinstance(layer, ResidualBlock):
            branch = textbook_convolution(_rectified(image), layer.first)
            branch = textbook_convolution(_rectified(branch), layer.second)
            straight = image if layer.shortcut is None else textbook_convolution(image, layer.shortcut)
            image = _sum(straight, branch)
        else:
            image = _sum(image, _attended(image, layer.weights, exponential))
    result: list[list[list[Any]]] = image
    return result


def _rectified(image: Grid) -> list[list[list[Any]]]:
    return [[[x if x > 0 else x - x for x in pixel] for pixel in row] for row in image]


def _sum(one: Grid, other: Grid) -> list[list[list[Any]]]:
    return [
        [[x + y for x, y in zip(*pixels, strict=True)] for pixels in zip(*rows, strict=True)]
        for rows in zip(one, other, strict=True)
    ]


def _times(rows: Sequence[Sequence[Any]], weights: Any) -> list[list[Any]]:
    matrix = np.asarray(weights, dtype=np.float64).T.tolist()
    return [
        [sum(x * like(w, x) for x, w in zip(row, column, strict=True)) for column in matrix] for row in rows
    ]


def _attended(image: Grid, layer: SelfAttention, exponential: Callable[[Any], Any]) -> list[list[list[Any]]]:
    height, width = len(image), len(image[0])
    pixels = [pixel for row in image for pixel in row]
    queries, keys = _times(pixels, layer.query_weights), _times(pixels, layer.key_weights)
    values = _times(pixels, layer.value_weights)
    temperature = like(layer.temperature, pixels[0][0])
    attended = textbook_attention(queries, keys, values, ((height, width),), temperature, exponential)
    rows = _times(attended, layer.output_weights)
    return [rows[i * width : (i + 1) * width] for i in range(height)]
