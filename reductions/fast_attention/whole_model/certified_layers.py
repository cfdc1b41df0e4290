"""The layers of a VAR model at work: keys and values so far, own errors and magnitudes of every scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np

from reductions.fast_attention.approximate_attention import (
    Way,
    approximate_attention,
    approximate_pyramid_attention,
)
from reductions.fast_attention.certificate import AttentionCertificate
from reductions.fast_attention.whole_model.layer_rounding import (
    attention_local_error,
    largest,
    product_rounding,
)
from reductions.layers.arrays import Floats
from reductions.layers.norms import largest_product
from reductions.problems.var_model import FeedForward, SelfAttention, VarModel
from reductions.upper_bound.decoder.layers import AttentionBounds
from reductions.upper_bound.error_propagation import AttentionMagnitudes


@dataclass
class CertifiedLayers:
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
