"""The released models: the demonstration, torch as an oracle for cosine attention, and named values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from reductions.upper_bound.released_model import (
    SIDES,
    attention_scale,
    cosine_attention,
    normalised,
    paying_side,
    released_criterion,
)


def test_cosine_attention_as_the_released_code_computes_it():
    generator = np.random.default_rng(0)
    queries, keys, values = generator.standard_normal((3, 30, 64)) * 7
    learned = math.log(4.0)
    q, k, v = (torch.tensor(x) for x in (queries, keys, values))
    scale = torch.tensor(learned).clamp_max(math.log(100)).exp()
    q = torch.nn.functional.normalize(q, dim=-1).mul(scale)
    k = torch.nn.functional.normalize(k, dim=-1)
    expected = torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], scale=1.0)[0]
    found = cosine_attention(queries, keys, values, attention_scale(learned))
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-6)


def test_scales():
    assert attention_scale(math.log(4)) == pytest.approx(4)
    assert attention_scale(9.0) == attention_scale(math.log(100)) == 100
    assert attention_scale(-math.inf) == 0
    np.testing.assert_array_equal(normalised([[0.0, 0.0], [3.0, 4.0]]), [[0, 0], [0.6, 0.8]])


def test_named_values():
    assert [sum(side**2 for side in sides) for sides in SIDES.values()] == [680, 2240]
    found = released_criterion(256, 4, 1e-3)
    assert (found.degree.least, found.degree.sufficient, found.rank) == (9, 9, math.comb(73, 9))
    assert not found.plan.pays
    assert paying_side(found) == 2**19
    assert released_criterion(256, 0.5, 0.1).plan.pays
    assert released_criterion(512, 1, 0.2).degree.sufficient == 2
    huge = released_criterion(512, 100, 1e-3)
    assert 100 < huge.degree.least <= huge.degree.sufficient < 120
    assert not huge.degree.coefficients


def test_argument_errors():
    with pytest.raises(ValueError, match=r"Argument 'pixels' must be one of \[256, 512\], not 1024"):
        released_criterion(1024, 1, 0.1)
    with pytest.raises(ValueError, match="Argument 'scale' must be above 0 and at most 100, not 101"):
        released_criterion(256, 101, 0.1)
    with pytest.raises(ValueError, match="Argument 'learned_logarithm' must be a number, not nan"):
        attention_scale(math.nan)
