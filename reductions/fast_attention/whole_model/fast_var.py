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

import numpy as np

from reductions.fast_attention.approximate_attention import Way
from reductions.fast_attention.whole_model.certified_decoder import CertifiedDecoding, reconstruction_error
from reductions.fast_attention.whole_model.certified_layers import CertifiedLayers
from reductions.fast_attention.whole_model.certified_run import CertifiedImage, FastVarRun
from reductions.fast_attention.whole_model.error_chain import propagate_model
from reductions.fast_attention.whole_model.layer_rounding import interpolation_rounding, largest
from reductions.layers.arrays import Floats
from reductions.layers.directed_rounding import ROUNDING, up
from reductions.problems.token_map import TokenMap
from reductions.problems.var_model import VarModel
from reductions.upper_bound.decoder import ImageModel


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
    layers = CertifiedLayers(model, tolerance, threads, method)
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
    decoding = CertifiedDecoding(feature_map, feature_error, tolerance, threads, method)
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
