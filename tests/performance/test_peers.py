"""Each peer is the method it claims to be: it converges to exact attention where its theory says so."""

import numpy as np
import pytest

from checks.performance.data import FAMILIES, clustered, uniform

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from checks.performance.peers.favor import favor, orthogonal_directions  # noqa: E402
from checks.performance.peers.kernel_features import kernel_nystroem, tensor_sketch  # noqa: E402
from checks.performance.peers.nystromformer import (  # noqa: E402
    iterative_pseudoinverse,
    nystromformer,
    segment_means,
)
from checks.performance.peers.torch_attention import TorchAttention  # noqa: E402
from reductions.problems.attention import attention  # noqa: E402
from tests.forward_error import TORCH_EXP_ULPS, attention_error  # noqa: E402


def exact(inputs):
    return attention(inputs.queries, inputs.keys, inputs.values, inputs.temperature)


def error(outputs, inputs):
    return np.abs(np.asarray(outputs) - exact(inputs)).max()


def rounding(inputs, rows=slice(None), keys=None):
    """Bound torch's rounding of some rows of attention over the first keys, in float32."""
    q, k, v = inputs.queries[rows], inputs.keys[:keys], inputs.values[:keys]
    return attention_error(q, k, v, inputs.temperature, exp_ulps=TORCH_EXP_ULPS)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dimension", [8, 16])
@pytest.mark.parametrize("padded", [False, True])
def test_the_baseline_is_exact(family, dimension, padded):
    inputs = FAMILIES[family](100, dimension, 1.0, 0)
    outputs = TorchAttention(inputs, padded=padded).outputs()
    assert outputs.shape == inputs.values.shape
    assert (np.abs(outputs - exact(inputs)) <= rounding(inputs)).all()


@pytest.mark.parametrize("dimension", [6, 16])
def test_the_block_causal_baselines_agree(dimension):
    ends = (1, 5, 21, 85)
    inputs = clustered(85, dimension, 1.0, 0)
    torch_attention = TorchAttention(inputs, padded=True)
    by_scale, masked = torch_attention.pyramid(ends), torch_attention.masked_pyramid(ends)
    for start, end in zip((0, *ends), ends, strict=False):
        expected = attention(
            inputs.queries[start:end], inputs.keys[:end], inputs.values[:end], inputs.temperature
        )
        allowed = rounding(inputs, slice(start, end), end)
        assert (np.abs(by_scale[start:end] - expected) <= allowed).all()
        assert (np.abs(masked[start:end] - expected) <= allowed).all()


@pytest.mark.parametrize("count", [1, 3, 4])
def test_parts_of_the_baseline_are_the_whole(count):
    ends = (1, 5, 21, 85)
    inputs = clustered(85, 8, 1.0, 0)
    baseline = TorchAttention(inputs, padded=True)
    parts = np.concatenate([part() for part in baseline.parts(count)])
    assert (np.abs(parts - baseline.outputs()) <= 2 * rounding(inputs)).all()
    parts = np.concatenate([part() for part in baseline.pyramid_parts(ends, count)])
    allowed = [rounding(inputs, slice(*scale), scale[1]) for scale in zip((0, *ends), ends, strict=False)]
    assert (np.abs(parts - baseline.pyramid(ends)) <= 2 * np.concatenate(allowed)).all()


@pytest.mark.parametrize("hyperbolic", [False, True])
def test_favor_converges_as_features_grow(hyperbolic):
    inputs = uniform(60, 4, 1.0, 0)

    def mean_error(features):
        runs = [favor(inputs, features, seed, hyperbolic=hyperbolic, double=True) for seed in range(8)]
        return np.mean([error(run, inputs) for run in runs])

    few, many = mean_error(32), mean_error(32 * 64)
    assert many < few / 4  # 8 in theory: the error falls with the root of the features
    assert many < 0.02


def test_favor_averaged_over_seeds_is_near_exact():
    inputs = uniform(40, 3, 1.0, 1)
    outputs = np.mean([favor(inputs, 4096, seed, double=True) for seed in range(4)], axis=0)
    assert error(outputs, inputs) < 0.01


def test_favor_is_stable_for_large_logits():
    outputs = favor(clustered(50, 8, 40.0, 0), 64, 0)
    assert np.isfinite(outputs).all()
    with pytest.raises(ValueError, match="Argument 'features' must be at least 2"):
        favor(uniform(5, 4, 1.0, 0), 1, 0)


def test_directions_are_orthogonal_in_blocks_and_as_long_as_gaussian_vectors():
    directions = orthogonal_directions(600, 6, 0).numpy()
    assert directions.shape == (600, 6)
    products = directions[:6] @ directions[:6].T
    assert np.abs(products - np.diag(np.diag(products))).max() < 1e-12
    assert abs((directions**2).sum(axis=1).mean() - 6) < 0.5  # the mean of chi-squared
    assert np.abs(directions.mean(axis=0)).max() < 0.2


@pytest.mark.parametrize("family", FAMILIES)
def test_nystromformer_with_every_token_a_landmark_is_exact(family):
    inputs = FAMILIES[family](48, 8, 1.0, 0)
    assert error(nystromformer(inputs, 48), inputs) < 1e-6


def test_nystromformer_with_fewer_landmarks_is_not():
    inputs = uniform(48, 8, 4.0, 0)
    few, many = (error(nystromformer(inputs, landmarks), inputs) for landmarks in (4, 40))
    assert 0 < many < few
    for landmarks in (0, 49):
        with pytest.raises(ValueError, match="Argument 'landmarks' must be from 1 to 48"):
            nystromformer(inputs, landmarks)


def test_the_iterative_inverse_converges_to_the_exact_one():
    matrix = torch.softmax(
        torch.randn(10, 10, generator=torch.Generator().manual_seed(0)).double() * 3, dim=1
    )
    errors = [
        float((iterative_pseudoinverse(matrix, steps) - torch.linalg.pinv(matrix)).abs().max())
        for steps in (8, 10, 11, 25)
    ]
    assert errors[0] > errors[1] > errors[2] > errors[3]  # 30, 0.4, 3e-5; then rounding is all that is left
    assert errors[3] < 1e-9
    inputs = uniform(48, 4, 3.0, 0)
    exactly = nystromformer(inputs, 6)
    iteratively = nystromformer(inputs, 6, exact_inverse=False, steps=40)
    assert np.abs(exactly - iteratively).max() < 0.05


def test_segments_that_do_not_divide_the_tokens():
    points = torch.arange(14.0).reshape(7, 2)
    means = segment_means(points, 3)
    assert means.tolist() == [[2.0, 3.0], [7.0, 8.0], [11.0, 12.0]]
    assert torch.equal(segment_means(points, 7), points)


@pytest.mark.parametrize("family", FAMILIES)
def test_kernel_nystroem_with_every_point_a_landmark_is_exact(family):
    inputs = FAMILIES[family](40, 8, 1.0, 0)
    assert error(kernel_nystroem(inputs, 80, 0), inputs) < 1e-4
    assert error(kernel_nystroem(inputs, 1000, 0), inputs) < 1e-4


def test_kernel_nystroem_improves_with_landmarks():
    inputs = uniform(200, 6, 2.0, 0)
    assert error(kernel_nystroem(inputs, 160, 0), inputs) < error(kernel_nystroem(inputs, 10, 0), inputs) / 10


def test_tensor_sketch_tends_to_the_polynomial_kernel():
    inputs, degree = uniform(50, 4, 1.0, 0), 2
    logits = inputs.queries.astype(np.float64) @ inputs.keys.T.astype(np.float64) / inputs.temperature
    kernel = (1 + logits / degree) ** degree
    polynomial = kernel @ inputs.values / kernel.sum(axis=1, keepdims=True)
    runs = [tensor_sketch(inputs, 128, seed, degree=degree) for seed in range(40)]
    one = np.mean([np.abs(run - polynomial).max() for run in runs])
    all_runs = np.abs(np.mean(runs, axis=0) - polynomial).max()
    assert all_runs < one / 3  # random errors cancel
    assert np.abs(tensor_sketch(inputs, 2048, 0, degree=degree) - polynomial).max() < one / 3


def test_tensor_sketch_comes_near_exact_attention_in_a_high_degree():
    inputs = uniform(50, 4, 1.0, 0)
    runs = [tensor_sketch(inputs, 4096, seed, degree=8) for seed in range(10)]
    assert error(np.mean(runs, axis=0), inputs) < 0.03
