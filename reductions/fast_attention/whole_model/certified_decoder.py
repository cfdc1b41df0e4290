"""Reconstruction and decoder with a bound on the error of what they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from reductions.fast_attention.approximate_attention import Way, approximate_attention
from reductions.fast_attention.certificate import AttentionCertificate
from reductions.fast_attention.whole_model.layer_rounding import (
    attention_local_error,
    convolution_rounding,
    convolution_size,
    gamma,
    interpolation_rounding,
    largest,
)
from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution, Doubling
from reductions.layers.directed_rounding import ROUNDING, sum_up, times, up
from reductions.layers.norms import largest_product
from reductions.upper_bound.decoder.layers import AttentionBlock, AttentionBounds, DecoderLayer, ResidualBlock
from reductions.upper_bound.error_propagation import (
    AttentionMagnitudes,
    AttentionStage,
    convolution_lipschitz,
    interpolation_lipschitz,
)
from reductions.upper_bound.feature_map_reconstruction import Reconstruction


def reconstruction_error(
    reconstruction: Reconstruction, maps: Sequence[Floats], errors: Sequence[float]
) -> float:
    """Bound the feature map's error, from those of the computed maps and from rounding."""
    shape, parts = reconstruction.shape, []
    for coarse, token_map, convolution, error in zip(
        reconstruction.schedule, maps, reconstruction.convolutions, errors, strict=True
    ):
        stretch = interpolation_lipschitz(reconstruction.interpolation, coarse, shape)
        norm, entry = convolution_lipschitz(convolution, shape), largest(token_map)
        fine = up(times(stretch, entry) + interpolation_rounding(entry))
        size = convolution_size(convolution, fine, shape)
        parts.append(up(times(norm, times(stretch, error) + interpolation_rounding(entry))))
        parts.append(convolution_rounding(convolution, fine, shape))
        parts.append(up(times(gamma(len(maps) + 1), 2 * size)))
    return sum_up(*parts)


@dataclass
class CertifiedDecoding:
    """An image on its way through the decoder, with the bound on its error."""

    image: Floats
    error: float
    tolerance: float
    threads: int | None
    method: Way
    certificates: list[AttentionCertificate] = field(default_factory=list)
    attention_bounds: list[AttentionBounds] = field(default_factory=list)

    def apply(self, layer: DecoderLayer) -> None:
        """Send the image through one layer."""
        if isinstance(layer, Doubling):
            self.image = layer(self.image)
        elif isinstance(layer, Convolution):
            self.image, self.error = _convolved(layer, self.image, self.error)
        elif isinstance(layer, ResidualBlock):
            branch, branch_error = _convolved(layer.first, np.maximum(self.image, 0.0), self.error)
            branch, branch_error = _convolved(layer.second, np.maximum(branch, 0.0), branch_error)
            if layer.shortcut is not None:
                self.image, self.error = _convolved(layer.shortcut, self.image, self.error)
            self._add(branch, branch_error)
        else:
            self._attend(layer)

    def _attend(self, block: AttentionBlock) -> None:
        weights = block.weights
        pixels = self.image.reshape(-1, self.image.shape[2])
        magnitudes = AttentionMagnitudes.measured(weights, pixels)
        attended, certificate = approximate_attention(
            *block.projections(self.image),
            temperature=weights.temperature,
            tolerance=self.tolerance,
            threads=self.threads,
            method=self.method,
        )
        self.certificates.append(certificate)
        values = largest_product(pixels, [np.asarray(weights.value_weights)])
        self.attention_bounds.append(AttentionBounds(max(magnitudes.query, magnitudes.key), values))
        local = attention_local_error(
            weights, magnitudes, largest(pixels), largest(attended), certificate.error_bound
        )
        grown = AttentionStage.of(weights, magnitudes).growth(self.error)
        self._add((attended @ weights.output_weights).reshape(self.image.shape), up(grown + local))

    def _add(self, branch: Floats, branch_error: float) -> None:
        self.image = self.image + branch
        self.error = up(self.error + branch_error + ROUNDING * largest(self.image))


def _convolved(convolution: Convolution, image: Floats, error: float) -> tuple[Floats, float]:
    """Return the convolution of an image, and the bound on its error."""
    shape = (image.shape[0], image.shape[1])
    grown = times(convolution_lipschitz(convolution, shape), error)
    return convolution(image), up(grown + convolution_rounding(convolution, largest(image), shape))
