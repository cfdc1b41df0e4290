"""Block-causal attention in one pass: within its bound of the dense mask, and linear work in the tokens."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from reductions.fast_attention.approximate_attention import (
    approximate_attention,
    approximate_pyramid_attention,
)
from reductions.fast_attention.certificate import Method
from reductions.problems.schedule import RELEASED_SIDES, geometric_sides

RELEASED_ENDS = np.cumsum(np.square(RELEASED_SIDES))


def pyramid(ends, d: int, d_v: int = 3, seed: int = 0, dtype=np.float64) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(seed)
    return tuple(generator.uniform(-1, 1, (ends[-1], width)).astype(dtype) for width in (d, d, d_v))


def masked(queries, keys, values, ends, temperature) -> np.ndarray:
    """Softmax under a dense block-causal mask, by torch in float64."""
    scale = np.repeat(np.arange(len(ends)), np.diff((0, *ends)))
    tensors = (torch.from_numpy(array.astype(np.float64)) for array in (queries, keys, values))
    return torch.nn.functional.scaled_dot_product_attention(
        *tensors, attn_mask=torch.from_numpy(scale[:, None] >= scale), scale=1 / temperature
    ).numpy()


def within(arrays, ends, temperature, tolerance, method="auto"):
    """Compare with the dense mask, scale by scale; return the certificate."""
    output, certificate = approximate_pyramid_attention(
        *arrays, ends, temperature=temperature, tolerance=tolerance, method=method
    )
    off = np.abs(output - masked(*arrays, ends, temperature))
    slack = 1e-13 * np.abs(arrays[2]).max()
    for start, stop, scale in zip((0, *ends[:-1]), ends, certificate.scales, strict=True):
        assert off[start:stop].max() <= scale.error_bound + slack
        assert (scale.queries, scale.keys) == (stop - start, stop)
    assert certificate.error_bound == max(scale.error_bound for scale in certificate.scales)
    return certificate


@pytest.mark.parametrize("method", ["auto", "low-rank", "exact"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tolerance", [1e-1, 1e-3, 1e-5])
def test_against_the_dense_mask(method, dtype, tolerance):
    arrays = pyramid(RELEASED_ENDS, 4, dtype=dtype)
    certificate = within(arrays, RELEASED_ENDS, 4.0, tolerance, method)
    assert certificate.within_tolerance
    if method != "auto":
        assert {scale.method for scale in certificate.scales} == {Method(method)}


@pytest.mark.parametrize("seed", range(12))
def test_random_pyramids(seed):
    generator = np.random.default_rng(seed)
    ends = np.cumsum(np.square(np.unique(generator.integers(1, 16, 6))))
    d = int(generator.integers(1, 7))
    queries, keys, values = pyramid(ends, d, seed=seed)
    if seed % 3 == 1:  # keys far from 0, values too
        keys, values = keys + 5, values * 0.1 - 40
    if seed % 3 == 2:  # each scale larger than the ones before
        keys = keys * np.linspace(0.1, 1, len(keys))[:, None]
    temperature = float(np.abs(queries @ (keys - keys.mean(axis=0)).T).max())
    certificate = within(
        (queries, keys, values), ends, temperature, 10.0 ** -generator.integers(1, 6), "low-rank"
    )
    assert certificate.within_tolerance


def test_each_scale_has_its_own_interval_and_degree():
    arrays = list(pyramid(RELEASED_ENDS, 3))
    arrays[1] *= np.linspace(0.02, 1, 680)[:, None]
    certificate = within(arrays, RELEASED_ENDS, 1.0, 1e-3, "low-rank")
    degrees = [scale.degree for scale in certificate.scales]
    assert degrees[0] < degrees[-1] == certificate.state_degree
    widths = [scale.high - scale.low for scale in certificate.scales]
    assert widths[0] < widths[-1] / 2


def test_early_scales_are_exact_and_late_ones_low_rank():
    ends = np.cumsum(np.square(geometric_sides(64)))
    certificate = within(pyramid(ends, 8, dtype=np.float32), ends, 8.0, 1e-3)
    methods = [scale.method for scale in certificate.scales]
    assert methods[:3] == [Method.EXACT] * 3
    assert methods[-1] is Method.LOW_RANK
    changes = sum(a is not b for a, b in pairwise(methods))
    assert changes == 1


def test_one_scale_is_full_attention():
    arrays = pyramid([300], 4)
    options = {"temperature": 4.0, "tolerance": 1e-3, "method": "low-rank"}
    output, certificate = approximate_pyramid_attention(*arrays, [300], **options)
    single = approximate_attention(*arrays, **options)
    assert (output == single.output).all()
    assert certificate.operations == single.certificate.operations
    assert certificate.error_bound == single.certificate.error_bound


def test_a_later_scale_changes_no_earlier_output():
    ends = [10, 50, 200]
    queries, keys, values = pyramid(ends, 3)
    options = {"temperature": 3.0, "tolerance": 1e-3, "method": "exact"}
    whole = approximate_pyramid_attention(queries, keys, values, ends, **options).output
    part = approximate_pyramid_attention(queries[:50], keys[:50], values[:50], ends[:2], **options).output
    np.testing.assert_allclose(whole[:50], part, rtol=0, atol=1e-13)


def counted(n: int, method: str) -> int:
    """Multiply-adds of a pass over sides 1, 2, 4, ..., n, from the numbers of a certificate."""
    ends = np.cumsum(np.square(geometric_sides(n)))
    return approximate_pyramid_attention(
        *pyramid(ends, 4, dtype=np.float32), ends, temperature=4.0, tolerance=1e-2, method=method
    ).certificate.operations


def exponents(counts: list[int]) -> list[float]:
    """Local exponents between sides n and 2n."""
    return [math.log2(b / a) for a, b in pairwise(counts)]


def test_exponents_of_counted_operations():
    fast = exponents([counted(n, "low-rank") for n in (16, 32, 64)])
    assert all(1.95 < exponent < 2.05 for exponent in fast)
    exact = exponents([counted(n, "exact") for n in (8, 16, 32)])
    assert all(3.95 < exponent < 4.05 for exponent in exact)


@pytest.mark.slow
def test_exponents_of_counted_operations_at_larger_sides():
    fast = exponents([counted(n, "auto") for n in (128, 256, 512)])
    assert all(1.99 < exponent < 2.01 for exponent in fast)


def test_the_certificate_can_be_read():
    certificate = approximate_pyramid_attention(
        *pyramid(RELEASED_ENDS, 4), RELEASED_ENDS, temperature=4.0, tolerance=1e-2, method="low-rank"
    ).certificate
    fields = json.loads(json.dumps(certificate.as_dict()))
    assert len(fields["scales"]) == 10
    assert fields["operations"] == certificate.operations
    assert fields["within_tolerance"] is True
    assert certificate.tolerance == 1e-2
    text = str(certificate)
    assert len(text.splitlines()) == 12
    assert "within the tolerance 0.01" in text
    assert certificate._repr_html_().count("<tr>") == 11
