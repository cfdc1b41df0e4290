"""A VAR model from tokens to image, with a proved bound on the image's error.

Every attention layer, the decoder's too, is computed by low rank where that is proved good (or exactly, on
request); everything else as it stands. The bound is on the distance of every image entry from that of the
model over the real numbers, so that it covers approximation *and* rounding: each layer's own error, from
its certificate and from the analysis of its roundings, is carried through all that follows
(lem-error-composition, lem-feature-map-reconstruction, lem-decoder).

What it rests on: IEEE arithmetic with rounding to nearest, sums of products in any order, and for exact
attention an exp within four units in the last place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np

from reductions.convolution import Convolution, Doubling, Floats
from reductions.decoder_layers import AttentionBlock, AttentionBounds, DecoderLayer, ResidualBlock
from reductions.fast_attention.approximate_attention import (
    Way,
    approximate_attention,
    approximate_pyramid_attention,
)
from reductions.fast_attention.certificate import AttentionCertificate
from reductions.fast_attention.error_chain import ScaleErrors, propagate_model
from reductions.fast_attention.layer_rounding import (
    attention_local_error,
    convolution_rounding,
    convolution_size,
    gamma,
    interpolation_rounding,
    largest,
    product_rounding,
)
from reductions.norms import ROUNDING, largest_product, sum_up, times, up
from reductions.problems.var_model import FeedForward, SelfAttention, TokenMap, VarModel
from reductions.upper_bound.decoder import ImageModel
from reductions.upper_bound.error_propagation import (
    AttentionMagnitudes,
    AttentionStage,
    convolution_lipschitz,
    interpolation_lipschitz,
)
from reductions.upper_bound.feature_map_reconstruction import Reconstruction


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


def compare_runs(
    pipeline: ImageModel,
    start_token: Floats,
    maps: Sequence[TokenMap] | None = None,
    *,
    tolerance: float,
    threads: int | None = None,
    method: Way = "low-rank",
) -> FastVarRun:
    """Run a model exactly and fast; arguments as for :func:`certified_image`."""
    exact = certified_image(pipeline, start_token, maps, tolerance=0.0, threads=threads, method="exact")
    fast = certified_image(pipeline, start_token, maps, tolerance=tolerance, threads=threads, method=method)
    return FastVarRun(exact, fast)


def image_within(
    pipeline: ImageModel,
    start_token: Floats,
    maps: Sequence[TokenMap] | None = None,
    *,
    error: float,
    threads: int | None = None,
    attempts: int = 6,
) -> CertifiedImage:
    """Return an image whose proved error is at most ``error``, tightening the layers' tolerance as needed.

    Raises
    ------
    ValueError
        If that many attempts do not reach it; the message names what was reached.
    """
    if not error > 0:
        raise ValueError(f"Argument 'error' must be positive, not {error}.")
    tolerance, found = error, None
    for _ in range(attempts):
        found = certified_image(
            pipeline, start_token, maps, tolerance=tolerance, threads=threads, method="auto"
        )
        if found.error_bound <= error:
            return found
        # The bound is nearly proportional to the tolerance where the tolerance is what matters.
        tolerance *= min(0.5, error / found.error_bound / 2)
    assert found is not None
    raise ValueError(
        f"Argument 'error' must be larger: {attempts} attempts reached {found.error_bound:.3g}, not {error}."
    )


def certified_image(
    pipeline: ImageModel,
    start_token: Floats,
    maps: Sequence[TokenMap] | None = None,
    *,
    tolerance: float,
    threads: int | None = None,
    method: Way = "auto",
) -> CertifiedImage:
    """Run a VAR model from tokens to image.

    Parameters
    ----------
    pipeline
        Model, reconstruction and decoder.
    start_token
        Shape (channels,).
    maps
        X_1, ..., X_{K-1}: all token maps are given, and every attention layer passes the pyramid once.
        None: the model draws, scale by scale.
    tolerance
        The error that is allowed on every entry of every attention layer; at 0 attention is exact, in
        float64.
    threads
        How many to use; None for one a processor.
    method
        "auto": what is estimated to be faster; "low-rank": always; "exact": never approximate.

    Raises
    ------
    ValueError
        If the input does not belong to the model, or low rank was asked for and cannot meet the tolerance.
    """
    model = pipeline.model
    model.require_input(start_token, maps)
    layers = _Layers(model, tolerance, threads, method)
    outputs: list[Floats] = []
    rounding = 0.0  # of the interpolations (and positions) that make tokens of maps
    if maps is not None:
        tokens = []
        for scale in range(len(model.schedule)):
            made, added = _tokens(model, scale, start_token, maps[scale - 1].dense() if scale else None)
            tokens.append(made)
            rounding = max(rounding, added)
        outputs = layers.apply(tokens)
    else:
        for scale, shape in enumerate(model.schedule):
            before = outputs[-1].reshape(*model.schedule[scale - 1], -1) if scale else None
            made, added = _tokens(model, scale, start_token, before)
            if scale:
                # What interpolation rounds is charged to the map before it, which it does not shrink.
                layers.local_errors[-1][-1] = up(layers.local_errors[-1][-1] + added)
            else:
                rounding = added
            outputs += layers.apply([made])
            assert len(outputs[-1]) == shape[0] * shape[1]
    scales = propagate_model(
        model, layers.magnitudes, layers.local_errors, drawn=maps is None, initial=rounding
    )
    grids = [x.reshape(*shape, -1) for x, shape in zip(outputs, model.schedule, strict=True)]
    feature_map = pipeline.reconstruction(grids)
    feature_error = reconstruction_error(pipeline.reconstruction, grids, [scale.output for scale in scales])
    decoding = _Decoding(feature_map, feature_error, tolerance, threads, method)
    for layer in pipeline.decoder.layers:
        decoding.apply(layer)
    return CertifiedImage(
        decoding.image,
        tuple(outputs),
        decoding.error,
        tuple(scales),
        feature_error,
        tuple(map(tuple, layers.certificates)),
        tuple(decoding.certificates),
        (*layers.attention_bounds(), *decoding.attention_bounds),
    )


def _tokens(model: VarModel, scale: int, start_token: Floats, coarse: Floats | None) -> tuple[Floats, float]:
    """Return the tokens of a scale as they enter the layers, and a bound on their rounding."""
    height, width = model.schedule[scale]
    if coarse is None:
        tokens, rounding = np.tile(np.asarray(start_token, np.float64), (height * width, 1)), 0.0
    else:
        tokens = model.interpolation.apply(coarse, (height, width)).reshape(height * width, -1)
        rounding = interpolation_rounding(largest(coarse))
    table = model.position_table[scale] if model.position_table else None
    if table is not None:
        tokens = tokens + table
        rounding = up(rounding + ROUNDING * largest(tokens))
    return tokens, rounding


@dataclass
class _Layers:
    """The model's layers at work: keys and values so far, errors and magnitudes of every scale."""

    model: VarModel
    tolerance: float
    threads: int | None
    method: Way
    magnitudes: list[list[AttentionMagnitudes]] = field(default_factory=list)
    local_errors: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        layers = [layer for layer in self.model.layers if isinstance(layer, SelfAttention)]
        self.certificates: list[list[AttentionCertificate]] = [[] for _ in layers]
        self._keys = [np.empty((0, layer.dimension)) for layer in layers]
        self._values = [np.empty((0, layer.value_weights.shape[1])) for layer in layers]
        self._seen = [AttentionMagnitudes(0.0, 0.0, 0.0) for _ in layers]
        self._entries = [0.0 for _ in layers]
        self._value_bounds = [0.0 for _ in layers]

    def attention_bounds(self) -> list[AttentionBounds]:
        """Return the bounds of every attention layer over all tokens so far."""
        return [
            AttentionBounds(max(seen.query, seen.key), value)
            for seen, value in zip(self._seen, self._value_bounds, strict=True)
        ]

    def apply(self, scales: Sequence[Floats]) -> list[Floats]:
        """Send the tokens of the next scales through all layers; return their outputs."""
        ends = [0, *accumulate(len(tokens) for tokens in scales)]
        parts = [slice(start, stop) for start, stop in pairwise(ends)]
        tokens = np.concatenate(scales)
        magnitudes: list[list[AttentionMagnitudes]] = [[] for _ in parts]
        local: list[list[float]] = [[] for _ in parts]
        number = 0
        for layer in self.model.layers:
            if isinstance(layer, FeedForward):
                for scale, part in enumerate(parts):
                    local[scale].append(product_rounding(layer.weights, largest(tokens[part])))
                tokens = layer(tokens)
            else:
                tokens = self._attend(number, layer, tokens, parts, magnitudes, local)
                number += 1
        self.magnitudes += magnitudes
        self.local_errors += local
        return [tokens[part] for part in parts]

    def _attend(
        self,
        number: int,
        layer: SelfAttention,
        tokens: Floats,
        parts: Sequence[slice],
        magnitudes: list[list[AttentionMagnitudes]],
        local: list[list[float]],
    ) -> Floats:
        self._keys[number] = np.concatenate([self._keys[number], tokens @ layer.key_weights])
        self._values[number] = np.concatenate([self._values[number], tokens @ layer.value_weights])
        attended, certificates = self._attention(
            tokens @ layer.query_weights, self._keys[number], self._values[number], parts, layer.temperature
        )
        self.certificates[number] += certificates
        for scale, (part, certificate) in enumerate(zip(parts, certificates, strict=True)):
            own = AttentionMagnitudes.measured(layer, tokens[part])
            seen = self._seen[number] = self._seen[number].join(own)
            met = AttentionMagnitudes(own.query, seen.key, seen.output)
            self._entries[number] = max(self._entries[number], largest(tokens[part]))
            values = largest_product(tokens[part], [np.asarray(layer.value_weights)])
            self._value_bounds[number] = max(self._value_bounds[number], values)
            magnitudes[scale].append(met)
            local[scale].append(
                attention_local_error(
                    layer, met, self._entries[number], largest(attended[part]), certificate.error_bound
                )
            )
        outputs: Floats = attended @ layer.output_weights
        return outputs

    def _attention(
        self, queries: Floats, keys: Floats, values: Floats, parts: Sequence[slice], temperature: float
    ) -> tuple[Floats, list[AttentionCertificate]]:
        if len(parts) > 1:
            ends = [part.stop for part in parts]
            pyramid = approximate_pyramid_attention(
                queries,
                keys,
                values,
                ends,
                temperature=temperature,
                tolerance=self.tolerance,
                threads=self.threads,
                method=self.method,
            )
            return pyramid.output, list(pyramid.certificate.scales)
        single = approximate_attention(
            queries,
            keys,
            values,
            temperature=temperature,
            tolerance=self.tolerance,
            threads=self.threads,
            method=self.method,
        )
        return single.output, [single.certificate]


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
    return sum_up(np.array(parts))


@dataclass
class _Decoding:
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
