"""What thm-upper-bound needs to know of a pipeline, measured on its exact run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from reductions.fast_attention.whole_model.certified_run import CertifiedImage
from reductions.fast_attention.whole_model.fast_var import certified_image
from reductions.layers.arrays import Floats
from reductions.layers.convolution import Convolution, Doubling
from reductions.layers.norms import column_norm
from reductions.problems.token_map import TokenMap
from reductions.problems.var_model import FeedForward, SelfAttention, VarModel
from reductions.upper_bound.decoder import ImageModel
from reductions.upper_bound.decoder.layers import AttentionBlock, AttentionBounds, DecoderLayer, ResidualBlock
from reductions.upper_bound.error_propagation import (
    convolution_lipschitz,
    feed_forward_lipschitz,
    interpolation_lipschitz,
)
from reductions.upper_bound.upper_bound import Account, Attending, Demand


def measured_demand(
    pipeline: ImageModel, start_token: Floats, maps: Sequence[TokenMap] | None = None
) -> tuple[Demand, CertifiedImage]:
    """Measure what the theorem needs on the exact run; return it with that run."""
    model, decoder = pipeline.model, pipeline.decoder
    run = certified_image(pipeline, start_token, maps, tolerance=0.0, method="exact")
    layers = [layer for layer in model.layers if isinstance(layer, SelfAttention)]
    blocks = [layer.weights for layer in decoder.attention_blocks]
    bounds = run.attention_bounds
    factors = [_attention_growth(*pair) for pair in zip((*layers, *blocks), bounds, strict=True)]
    scales = len(model.schedule) if maps is None else 1
    growth = scales * (sum(factors[: len(layers)]) + _feed_forward_growth(model))
    if maps is None:
        steps = pairwise(model.schedule)
        stretches = [interpolation_lipschitz(model.interpolation, *step) for step in steps]
        growth += (scales - 1) * math.log(max([1.0, *stretches]))
    growth += _log_at_least_one(sum(pipeline.reconstruction.amplifications()))
    remaining = iter(factors[len(layers) :])
    for layer in decoder.layers:
        if isinstance(layer, AttentionBlock):
            growth += next(remaining)
        else:
            growth += _log_at_least_one(decoder_growth(layer))
    height, width = model.schedule[-1]
    attending = [
        Attending(model.tokens, layer.dimension, int(layer.value_weights.shape[1]), len(model.schedule))
        for layer in layers
    ]
    for stage, (h, w) in decoder.stages((height, width)):
        if isinstance(stage, AttentionBlock):
            weights = stage.weights
            attending.append(Attending(h * w, weights.dimension, int(weights.value_weights.shape[1])))
    every = list(zip((*layers, *blocks), bounds, strict=True))
    demand = Demand(
        side=max(height, width),
        half_width=max(x.dimension * bound.entry**2 / x.temperature for x, bound in every),
        log_values=_log_at_least_one(max(_values(layer, bound) for layer, bound in every)),
        stages=scales * len(layers) + len(blocks),
        log_growth=growth,
        attending=tuple(attending),
        elsewhere=multiplications_elsewhere(pipeline),
    )
    return demand, run


def allowed_tolerance(pipeline: ImageModel, found: Account) -> float:
    """Return 2 U epsilon / w_O, the least over the layers: what every entry of attention may be off by."""
    layers = [layer for layer in pipeline.model.layers if isinstance(layer, SelfAttention)]
    layers += [block.weights for block in pipeline.decoder.attention_blocks]
    allowed = 2 * math.exp(found.demand.log_values) * found.epsilon
    return min(allowed / column_norm(layer.output_weights) for layer in layers)


def decoder_growth(layer: DecoderLayer) -> float:
    """Return lambda of a decoder layer that is no attention block."""
    if isinstance(layer, Convolution):
        return convolution_lipschitz(layer)
    if isinstance(layer, ResidualBlock):
        straight = 1.0 if layer.shortcut is None else convolution_lipschitz(layer.shortcut)
        return straight + convolution_lipschitz(layer.first) * convolution_lipschitz(layer.second)
    if isinstance(layer, Doubling):
        return 1.0
    raise TypeError(f"Argument 'layer' must be a decoder layer without attention, not {layer!r}.")


def multiplications_elsewhere(pipeline: ImageModel) -> int:
    """Return the multiplications outside of attending; reading channels off is charged as a product."""
    model = pipeline.model
    total = 0
    for (h, w), (fine_h, fine_w) in pairwise(model.schedule):
        rule = model.interpolation
        total += model.channels * (rule.matrix(h, fine_h).nnz * w + fine_h * rule.matrix(w, fine_w).nnz)
    for layer in model.layers:
        incoming, outgoing = layer.channels
        if isinstance(layer, FeedForward):
            total += model.tokens * incoming * outgoing
        else:
            values = int(layer.value_weights.shape[1])
            total += model.tokens * (incoming * (2 * layer.dimension + values) + values * outgoing)
    decoding = pipeline.decoder.multiplications(model.schedule[-1], lambda pixels, d, values: 0)
    return int(total) + pipeline.reconstruction.multiplications() + decoding


def _attention_growth(layer: SelfAttention, bounds: AttentionBounds) -> float:
    """Return ln(1 + w_O (w_V + max(1, v) d (2 w R + w_Q w_K) / tau)), a residual branch included."""
    query, key, value, out = (
        column_norm(np.asarray(getattr(layer, f"{name}_weights")))
        for name in ("query", "key", "value", "output")
    )
    logits = layer.dimension * ((query + key) * bounds.entry + query * key) / layer.temperature
    return math.log1p(out * value + max(1.0, out * bounds.value) * logits)


def _feed_forward_growth(model: VarModel) -> float:
    norms = [
        feed_forward_lipschitz(layer.weights) for layer in model.layers if isinstance(layer, FeedForward)
    ]
    return sum(map(_log_at_least_one, norms))


def _values(layer: SelfAttention, bounds: AttentionBounds) -> float:
    """Return w_O (v + w_V)."""
    return column_norm(layer.output_weights) * (bounds.value + column_norm(np.asarray(layer.value_weights)))


def _log_at_least_one(factor: float) -> float:
    return math.log(max(1.0, factor))
