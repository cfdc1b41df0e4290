"""Feature-map reconstruction: torch as the definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reductions.layers.convolution import Convolution, convolve
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.schedule import RELEASED_SIDES, square_schedule
from reductions.upper_bound.feature_map_reconstruction import Reconstruction


def random_reconstruction(sides, rule, channels, seed=0):
    generator = np.random.default_rng(seed)
    convolutions = tuple(
        Convolution(generator.standard_normal((3, 3, *channels)), generator.standard_normal(channels[1]))
        for _ in sides
    )
    reconstruction = Reconstruction(square_schedule(sides), rule, convolutions)
    maps = [generator.standard_normal((side, side, channels[0])) for side in sides]
    return reconstruction, maps


def in_torch(reconstruction, maps):
    """What the released code computes: interpolate, convolve, add."""
    total = 0
    kernel = reconstruction.interpolation.kernel
    options = {} if kernel is Kernel.NEAREST else {"align_corners": False}
    for grid, convolution in zip(maps, reconstruction.convolutions, strict=True):
        image = torch.from_numpy(grid).permute(2, 0, 1)[None]
        fine = torch.nn.functional.interpolate(image, size=reconstruction.shape, mode=kernel.value, **options)
        filters = torch.from_numpy(convolution.filters.copy()).permute(3, 2, 0, 1)
        total = total + torch.nn.functional.conv2d(
            fine, filters, torch.from_numpy(convolution.bias.copy()), padding=1
        )
    return total[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("kernel", Kernel)
@pytest.mark.parametrize("sides", [(1,), (1, 2, 3), RELEASED_SIDES])
def test_torch_computes_the_same(kernel, sides):
    reconstruction, maps = random_reconstruction(sides, Interpolation(kernel), (5, 4))
    np.testing.assert_allclose(reconstruction(maps), in_torch(reconstruction, maps), rtol=0, atol=1e-12)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True).map(sorted),
    st.builds(Interpolation, st.sampled_from(Kernel), st.floats(-1, 0), st.booleans()),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.integers(0, 2**32),
)
@settings(deadline=None)
def test_errors_stay_below_the_bound(sides, rule, channels, seed):
    reconstruction, maps = random_reconstruction(sides, rule, channels, seed)
    generator = np.random.default_rng(seed)
    errors = generator.uniform(0, 1, len(sides))
    off = [x + e * generator.choice([-1, 1], x.shape) for x, e in zip(maps, errors, strict=True)]
    moved = np.abs(reconstruction(off) - reconstruction(maps)).max()
    assert moved <= reconstruction.error_bound(errors.tolist()) * (1 + 1e-12)


def test_the_released_schedule_costs():
    # 680 tokens of 32 channels, ten 3 x 3 convolutions of 32 channels on 16 x 16.
    reconstruction, _ = random_reconstruction(RELEASED_SIDES, Interpolation(), (32, 32))
    convolutions = 10 * (3 * 16 - 2) ** 2 * 32 * 32
    assert convolutions < reconstruction.multiplications() < 1.03 * convolutions
    assert reconstruction.multiplications() < reconstruction.multiplication_bound()


@pytest.mark.parametrize("side", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [1, 3])
def test_norm_of_a_convolution_is_attained(side, size):
    generator = np.random.default_rng(side)
    convolution = Convolution(generator.standard_normal((size, size, 2, 3)))
    unit = np.eye(side * side * 2).reshape(-1, side, side, 2)
    operator = np.stack([convolution(image) for image in unit])
    assert np.abs(operator).sum(axis=0).max() == pytest.approx(convolution.norm((side, side)), rel=1e-12)
    assert convolution.norm((side, side)) <= convolution.norm() * (1 + 1e-12)


def test_centre_tap_is_a_matrix_for_every_pixel():
    generator = np.random.default_rng(0)
    image, weights = generator.standard_normal((4, 5, 2)), generator.standard_normal((2, 3))
    np.testing.assert_allclose(Convolution.centre_tap(weights)(image), image @ weights, atol=1e-15)
    np.testing.assert_allclose(convolve(image, weights[None, None]), image @ weights, atol=1e-15)


def test_argument_errors():
    reconstruction, maps = random_reconstruction((1, 2), Interpolation(), (2, 1))
    with pytest.raises(ValueError, match="Argument 'maps' must hold 2 token maps, not 1"):
        reconstruction(maps[:1])
    with pytest.raises(ValueError, match="Argument 'maps' must hold a map of shape"):
        reconstruction(maps[::-1])
    with pytest.raises(ValueError, match="one per scale, not 1"):
        Reconstruction(reconstruction.schedule, Interpolation(), reconstruction.convolutions[:1])
    other = Convolution(np.zeros((3, 3, 2, 2)))
    with pytest.raises(ValueError, match="the same channels"):
        Reconstruction(reconstruction.schedule, Interpolation(), (reconstruction.convolutions[0], other))
    single = Convolution(np.zeros((1, 1, 2, 1)))
    with pytest.raises(ValueError, match="3 x 3"):
        Reconstruction(reconstruction.schedule, Interpolation(), (single, single))
    with pytest.raises(ValueError, match="k = 1 or 3"):
        Convolution(np.zeros((2, 2, 1, 1)))
    with pytest.raises(ValueError, match="Argument 'bias' must have shape"):
        Convolution(np.zeros((3, 3, 1, 2)), np.zeros(3))
    with pytest.raises(ValueError, match="Argument 'filters' must be finite"):
        Convolution(np.full((1, 1, 1, 1), np.nan))
