"""The decoder: torch as the definition, and formulas decoded from pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.upper_bound.decoder.instances import PLANS, drawn_decoder, drawn_image, measured_bounds
from checks.upper_bound.decoder.pixel_decisions import FormulaCase, decided_from_pixels
from reductions.layers.convolution import Convolution, Doubling
from reductions.problems.approximate_var import Reading
from reductions.problems.attention import attention
from reductions.problems.cnf import random_k_sat
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import square_schedule
from reductions.problems.var_model import SelfAttention, VarModel
from reductions.upper_bound.decoder import Decoder, ImageModel, identity_image_model
from reductions.upper_bound.decoder.layers import (
    AttentionBlock,
    AttentionBounds,
    ResidualBlock,
    low_rank_attention_cost,
)
from reductions.upper_bound.feature_map_reconstruction import Reconstruction


def as_torch_convolution(convolution):
    size, _, incoming, outgoing = convolution.filters.shape
    layer = torch.nn.Conv2d(incoming, outgoing, size, padding=size // 2, dtype=torch.float64)
    layer.weight.data = torch.from_numpy(convolution.filters.copy()).permute(3, 2, 0, 1).contiguous()
    layer.bias.data = torch.from_numpy(convolution.bias.copy())
    return layer


def as_torch(decoder, image):
    """The decoder in torch: conv2d, scaled_dot_product_attention, nearest interpolation."""
    x = torch.from_numpy(image).permute(2, 0, 1)[None]
    with torch.no_grad():
        for layer in decoder.layers:
            if isinstance(layer, Doubling):
                x = torch.nn.functional.interpolate(x, scale_factor=2, mode="nearest")
            elif isinstance(layer, Convolution):
                x = as_torch_convolution(layer)(x)
            elif isinstance(layer, ResidualBlock):
                branch = as_torch_convolution(layer.first)(torch.relu(x))
                branch = as_torch_convolution(layer.second)(torch.relu(branch))
                x = (x if layer.shortcut is None else as_torch_convolution(layer.shortcut)(x)) + branch
            else:
                weights = layer.weights
                pixels = x[0].flatten(1).T
                q, k, v, out = (
                    torch.from_numpy(np.asarray(getattr(weights, f"{name}_weights")).copy())
                    for name in ("query", "key", "value", "output")
                )
                attended = torch.nn.functional.scaled_dot_product_attention(
                    (pixels @ q)[None], (pixels @ k)[None], (pixels @ v)[None], scale=1 / weights.temperature
                )[0]
                x = x + (attended @ out).T.reshape(x.shape)
    return x[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("plan", [*PLANS, "CRARUSUCC"])
@pytest.mark.parametrize("shape", [(1, 1), (5, 6), (8, 8)])
def test_torch_computes_the_same(plan, shape):
    decoder, image = drawn_decoder(plan, 4, 5, scale=32.0), drawn_image(shape, 4, 6)
    expected = as_torch(decoder, image)
    np.testing.assert_allclose(decoder(image), expected, rtol=0, atol=1e-11 * (1 + abs(expected).max()))


@given(st.sampled_from(PLANS), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32), st.floats(0, 1))
@settings(deadline=None, max_examples=50)
def test_errors_stay_below_the_bound(plan, height, width, seed, error):
    decoder, image = drawn_decoder(plan, 2, seed, scale=16.0), drawn_image((height, width), 2, seed)
    moved = image + error * np.random.default_rng(seed).uniform(-1, 1, image.shape)
    bounds = measured_bounds(decoder, image, moved)
    bound = decoder.error_bound(error, bounds, [0.0] * len(bounds), (height, width))
    deviation = abs(decoder(image) - decoder(moved)).max()
    assert deviation <= bound * (1 + 1e-9) + 1e-12
    assert bound <= decoder.error_bound(error, bounds, [0.0] * len(bounds)) * (1 + 1e-12)


def test_low_rank_attention_makes_the_cost_linear_in_the_pixels():
    decoder = drawn_decoder("CRARUC", 4, 0)
    by_monomials = low_rank_attention_cost(4)  # rank 15 in two dimensions
    costs = [decoder.multiplications((n, n), by_monomials) for n in (16, 32, 64)]
    exact = [decoder.multiplications((n, n)) for n in (16, 32, 64)]
    assert costs[1] < 4.2 * costs[0]
    assert costs[2] < 4.2 * costs[1]
    assert exact[2] > 10 * exact[1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kernel", [Kernel.BILINEAR, Kernel.BICUBIC])
def test_random_formulas_are_decoded_from_pixels(kernel, seed):
    formula = random_k_sat(6, 18 + 4 * seed, 3, seed)
    for reading in (Reading.MAPS, Reading.START_AND_POSITIONS):
        assert decided_from_pixels(FormulaCase(formula, reading, kernel, doublings=1))


def small_model():
    ones = np.ones((2, 1))
    layer = SelfAttention(ones, ones, ones, np.ones((1, 2)), 1.0)
    return VarModel(square_schedule([1, 2]), Interpolation(), (layer,))


def test_an_image_of_a_run():
    model = small_model()
    outputs = model.run(np.array([1.0, -2.0]))
    image = identity_image_model(model, doublings=1, channel=1).image_of(outputs)
    assert image.shape == (4, 4, 3)
    assert (image[::2, ::2, 2].ravel() == outputs[-1][:, 1]).all()


def test_attention_may_be_replaced():
    decoder, image = drawn_decoder("AC", 2, 1), drawn_image((2, 2), 2, 1)
    calls = []

    def recording(*arguments):
        calls.append(arguments)
        return attention(*arguments)

    assert (decoder(image, recording) == decoder(image)).all()
    assert len(calls) == len(decoder.attention_blocks) == 1


def test_argument_errors():
    to_rgb = Convolution(np.zeros((3, 3, 2, 3)))
    with pytest.raises(ValueError, match="must end with a convolution"):
        Decoder((to_rgb, Doubling()))
    with pytest.raises(ValueError, match="3 channels, not to 2"):
        Decoder((Convolution(np.zeros((3, 3, 3, 2))),))
    with pytest.raises(ValueError, match="3 channels leave a layer and 2 enter"):
        Decoder((to_rgb, to_rgb))
    with pytest.raises(ValueError, match=r"shape \(n, n, 2\)"):
        Decoder((to_rgb,))(np.zeros((2, 2, 3)))
    with pytest.raises(ValueError, match="Argument 'second' must take 3 channels"):
        ResidualBlock(to_rgb, to_rgb)
    with pytest.raises(ValueError, match="Argument 'shortcut' must map 2 channels to 3"):
        ResidualBlock(to_rgb, Convolution(np.zeros((3, 3, 3, 3))))
    one, two = np.ones((2, 1)), np.ones((1, 3))
    with pytest.raises(ValueError, match="as many channels as it takes, not 3 for 2"):
        AttentionBlock(SelfAttention(one, one, one, two, 1.0))
    with pytest.raises(ValueError, match="one of the 2 output channels, not 2"):
        identity_image_model(small_model(), channel=2)
    right = identity_image_model(small_model())
    with pytest.raises(ValueError, match="the schedule of the model"):
        ImageModel(
            right.model,
            Reconstruction(((1, 1),), Interpolation(), right.reconstruction.convolutions[:1]),
            right.decoder,
        )
    narrow = Reconstruction(right.model.schedule, Interpolation(), (Convolution(np.zeros((3, 3, 1, 2))),) * 2)
    with pytest.raises(ValueError, match="Argument 'reconstruction' must take the 2 channels"):
        ImageModel(right.model, narrow, right.decoder)
    with pytest.raises(ValueError, match="Argument 'decoder' must take 2 channels, not 1"):
        ImageModel(right.model, right.reconstruction, Decoder((Convolution(np.zeros((1, 1, 1, 3))),)))


def test_a_larger_bound_on_entries_gives_a_larger_factor():
    block = drawn_decoder("AC", 2, 1).layers[0]
    assert block.norm(AttentionBounds(1.0, 1.0)) < block.norm(AttentionBounds(2.0, 1.0))
