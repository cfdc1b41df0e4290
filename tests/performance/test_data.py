import numpy as np
import pytest

from checks.performance.data import FAMILIES, coherent, decaying, near_threshold


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dimension", [6, 8, 16])
@pytest.mark.parametrize("bound", [0.5, 4.0])
def test_shapes_and_the_logit_bound(family, dimension, bound):
    inputs = FAMILIES[family](300, dimension, bound, 3)
    for matrix in (inputs.queries, inputs.keys, inputs.values):
        assert matrix.shape == (300, dimension)
        assert matrix.dtype == np.float32
        assert not matrix.flags.writeable
    assert (inputs.temperature, inputs.logit_bound) == (dimension, bound)
    logits = inputs.queries.astype(np.float64) @ inputs.keys.T.astype(np.float64) / dimension
    assert np.abs(logits).max() <= bound * (1 + 1e-6)
    assert np.abs(inputs.values).max() <= 1


def test_decaying_data_decays():
    inputs = decaying(2000, 16, 1.0, 0)
    spectrum = np.linalg.svd(inputs.keys, compute_uv=False)
    assert np.allclose(spectrum / spectrum[0], 1 / np.arange(1, 17), rtol=0.1)
    logits = inputs.queries.astype(np.float64) @ inputs.keys.T.astype(np.float64) / 16
    assert abs(np.abs(logits).max() - 1) < 1e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_decides(family):
    first, again, other = (FAMILIES[family](64, 8, 1.0, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.keys, again.keys)
    assert not np.array_equal(first.keys, other.keys)


@pytest.mark.parametrize("family", ["clustered", "coherent", "near-threshold"])
def test_hard_families_reach_the_bound(family):
    inputs = FAMILIES[family](400, 16, 1.0, 0)
    logits = inputs.queries @ inputs.keys.T / 16
    assert logits.max() > 0.99
    assert logits.min() < 0.01 if family == "near-threshold" else logits.min() < -0.99


def test_near_threshold_instances_decide_orthogonality():
    inputs = near_threshold(200, 15, 1.0, 0)
    # d = 15: complements of 5 coordinates. The keys' second half are 1 - b, the queries' first half 1 - a.
    complement, right = inputs.queries[:, :5] == 0, inputs.keys[:, 5:10] == 0
    reference = inputs.values[:, 0] == 0
    assert reference.sum() == 1
    orthogonal = (complement.astype(int) @ right.T.astype(int) == 0)[:, ~reference]
    logits = inputs.queries.astype(np.float64) @ inputs.keys.T.astype(np.float64)
    above = logits[:, ~reference] > logits[:, reference]
    assert np.array_equal(above, orthogonal)
    with pytest.raises(ValueError, match="Argument 'dimension' must be at least 3, not 2"):
        near_threshold(10, 2, 1.0, 0)


def test_coherent_values_follow_the_error_of_the_best_polynomial():
    from reductions.polynomials.exponential import minimax_polynomial

    inputs = coherent(400, 16, 1.0, 0)
    logits = inputs.keys.astype(np.float64).sum(axis=1) / 16
    for degree in (1, 2, 3):
        polynomial = minimax_polynomial(degree, -1.0, 1.0)
        errors = np.array([polynomial(x) for x in logits]) * np.exp(-logits) - 1
        agreement = abs((np.sign(errors) * inputs.values[:, degree - 1]).mean())
        assert agreement > 0.6
