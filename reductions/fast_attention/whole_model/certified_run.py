"""What a certified run returns: images with proved bounds, and the comparison of two runs."""

from __future__ import annotations

from dataclasses import dataclass

from reductions.fast_attention.certificate import AttentionCertificate
from reductions.fast_attention.whole_model.error_chain import ScaleErrors
from reductions.fast_attention.whole_model.layer_rounding import largest
from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import up
from reductions.upper_bound.decoder.layers import AttentionBounds


@dataclass(frozen=True, eq=False)
class CertifiedImage:
    """An image, and how far it can be from the image of the same model over the real numbers.

    Attributes
    ----------
    image
        Shape (height, width, 3).
    outputs
        What the model left on every scale, shape (h_k w_k, channels).
    error_bound
        A proved bound on every entry of |image - image over the reals|.
    scales
        The bounds on every scale, layer by layer.
    feature_map_error
        The bound on the feature map.
    certificates
        For each attention layer of the model, one certificate a scale.
    decoder_certificates
        One for each attention block of the decoder.
    attention_bounds
        For each attention layer of the model, then of the decoder: bounds on the entries of Q and K, and on
        those of V, over all tokens of this run, in real arithmetic.
    """

    image: Floats
    outputs: tuple[Floats, ...]
    error_bound: float
    scales: tuple[ScaleErrors, ...]
    feature_map_error: float
    certificates: tuple[tuple[AttentionCertificate, ...], ...]
    decoder_certificates: tuple[AttentionCertificate, ...]
    attention_bounds: tuple[AttentionBounds, ...]

    @property
    def all_certificates(self) -> tuple[AttentionCertificate, ...]:
        """The certificates of the model's layers and the decoder's."""
        return (*(one for layer in self.certificates for one in layer), *self.decoder_certificates)

    @property
    def output_error(self) -> float:
        """The bound on the outputs of the last scale."""
        return self.scales[-1].output


@dataclass(frozen=True, eq=False)
class FastVarRun:
    """An exact run and a fast one of the same model on the same input.

    Attributes
    ----------
    exact, fast
        The two images; "exact" means up to rounding.
    """

    exact: CertifiedImage
    fast: CertifiedImage

    @property
    def bound(self) -> float:
        """A proved bound on |fast image - exact image|: both are near the image over the reals."""
        return up(self.exact.error_bound + self.fast.error_bound)

    @property
    def measured(self) -> float:
        """The largest difference of the two images."""
        return largest(self.fast.image - self.exact.image)

    @property
    def holds(self) -> bool:
        """Whether the measured error is within the bound; if not, something is wrong with the proof."""
        return self.measured <= self.bound
