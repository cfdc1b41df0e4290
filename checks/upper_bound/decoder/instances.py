"""Small decoders for the check of lem-decoder, and what is measured on them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution, Doubling
from reductions.problems.schedule import Shape
from reductions.problems.var_model import SelfAttention
from reductions.upper_bound.decoder import Decoder
from reductions.upper_bound.decoder.layers import AttentionBlock, AttentionBounds, DecoderLayer, ResidualBlock

PLANS = ("C", "RC", "AC", "UC", "RARUC", "CAUSC", "SAARUCC")
"""Layers: C convolution, R ResNet block, S a wider one with a shortcut, A attention, U doubling."""

WIDE = "BC"
"""Attention whose values have one channel more than the image, and a convolution."""


def drawn_decoder(plan: str, channels: int, seed: int, scale: float = 8.0) -> Decoder:
    """Return a decoder with random weights in multiples of 1/8, exact in float64."""
    generator = np.random.default_rng(seed)

    def eighths(*shape: int) -> Floats:
        return generator.integers(-8, 9, shape) / scale

    def convolution(outgoing: int, size: int = 3, incoming: int = channels) -> Convolution:
        return Convolution(eighths(size, size, incoming, outgoing), eighths(outgoing))

    layers: list[DecoderLayer] = []
    for index, letter in enumerate(plan):
        last = index == len(plan) - 1
        if letter == "C":
            layers.append(convolution(3 if last else channels))
        elif letter in "RS":
            shortcut = convolution(channels, 1) if letter == "S" else None
            wide = channels + (letter == "S")
            branch = convolution(wide), convolution(channels, incoming=wide)
            layers.append(ResidualBlock(*branch, shortcut))
        elif letter in "AB":
            query, key = eighths(channels, 2), eighths(channels, 2)
            wide = channels + (letter == "B")
            value, out = eighths(channels, wide), eighths(wide, channels)
            layers.append(AttentionBlock(SelfAttention(query, key, value, out, 2.0)))
        else:
            layers.append(Doubling())
    return Decoder(tuple(layers))


def drawn_image(shape: Shape, channels: int, seed: int) -> Floats:
    """Return a random image of multiples of 1/4 in [-1, 1]."""
    return np.random.default_rng(seed).integers(-4, 5, (*shape, channels)) / 4


def as_grid(image: Floats, number: Any = Fraction) -> list[list[list[Any]]]:
    """Return an image as nested lists of numbers of a given type."""
    return [[[number(x) for x in pixel] for pixel in row] for row in image.tolist()]


def measured_bounds(decoder: Decoder, *images: Floats) -> list[AttentionBounds]:
    """Return the largest |entries| of Q, K and of V at every attention block, over the given feature maps.

    Evaluated in float64, and enlarged by far more than its roundings.
    """
    found: dict[int, list[float]] = {}
    for image in images:
        current = image
        for index, layer in enumerate(decoder.layers):
            if isinstance(layer, AttentionBlock):
                queries, keys, values = layer.projections(current)
                entry = max(np.abs(queries).max(), np.abs(keys).max())
                known = found.setdefault(index, [0.0, 0.0])
                known[0] = max(known[0], float(entry) * (1 + 2.0**-40))
                known[1] = max(known[1], float(np.abs(values).max()) * (1 + 2.0**-40))
            current = layer(current)
    return [AttentionBounds(*found[index]) for index in sorted(found)]
