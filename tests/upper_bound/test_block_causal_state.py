"""One pass over the pyramid: the fused state against a dense mask."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from reductions.polynomials.exponential import minimax_polynomial
from reductions.problems.schedule import RELEASED_SIDES, square_schedule
from reductions.upper_bound.block_causal_state import (
    BlockCausalState,
    ReadableState,
    block_causal_attention,
    exact_weights,
    masked_sums,
    multiplications,
)
from reductions.upper_bound.monomial_features import feature_count, total_degree
from reductions.upper_bound.weight_perturbation import weighted_mean_error

ENDS = tuple(np.cumsum(np.square(RELEASED_SIDES)).tolist())


def pyramid(d: int, ends=ENDS, d_v: int = 3, seed: int = 0) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(seed)
    return tuple(generator.uniform(-1, 1, (ends[-1], width)) for width in (d, d, d_v))


def by_torch(queries, keys, values, ends, temperature) -> np.ndarray:
    """Softmax under a dense block-causal mask."""
    scale = np.repeat(np.arange(len(ends)), np.diff((0, *ends)))
    tensors = (torch.from_numpy(array) for array in (queries, keys, values))
    return torch.nn.functional.scaled_dot_product_attention(
        *tensors, attn_mask=torch.from_numpy(scale[:, None] >= scale), scale=1 / temperature
    ).numpy()


def polynomial_attention(queries, keys, values, ends, coefficients, temperature) -> np.ndarray:
    """The masked formula with the polynomial's values in place of exponentials."""
    scale = np.repeat(np.arange(len(ends)), np.diff((0, *ends)))
    weights = np.polynomial.polynomial.polyval(queries @ keys.T / temperature, coefficients)
    weights *= scale[:, None] >= scale
    return weights @ values / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("dtype", "rounding"), [(np.float32, 2e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize("degree", [0, 1, 2, 5])
def test_the_pass_equals_the_masked_formula(dtype, rounding, degree):
    arrays = pyramid(4)
    coefficients = minimax_polynomial(degree, -1.0, 1.0).coefficients
    found = block_causal_attention(*arrays, ENDS, coefficients, 4.0, dtype=dtype)
    assert found.shape == (680, 3)
    expected = polynomial_attention(*arrays, ENDS, coefficients, 4.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding)


@pytest.mark.parametrize("degree", [1, 3, 6])
def test_the_error_against_softmax(degree):
    arrays = pyramid(4, seed=1)
    polynomial = minimax_polynomial(degree, -1.0, 1.0)
    found = block_causal_attention(*arrays, ENDS, polynomial.coefficients, 4.0, dtype=np.float64)
    error = np.abs(found - by_torch(*arrays, ENDS, 4.0)).max()
    assert error <= weighted_mean_error(1.0, polynomial.error) + 1e-12


def test_one_state_serves_smaller_degrees():
    queries, keys, values = pyramid(3, (40,))
    state = BlockCausalState(3, 3, 5, dtype=np.float64)
    state.absorb(keys, values)
    for degree in range(6):
        coefficients = minimax_polynomial(degree, -1.0, 1.0).coefficients
        expected = polynomial_attention(queries, keys, values, (40,), coefficients, 3.0)
        np.testing.assert_allclose(state.attend(queries, coefficients, 3.0), expected, rtol=0, atol=1e-12)


def test_the_state_does_not_grow():
    _, keys, values = pyramid(4)
    state = BlockCausalState(4, 3, 3)
    shapes = set()
    for start, stop in pairwise((0, *ENDS)):
        state.absorb(keys[start:stop], values[start:stop])
        shapes.add(state.sums.shape)
    assert shapes == {(35, 4)}
    assert state.tokens == 680


def test_absorbing_in_other_pieces_changes_rounding_only():
    _, keys, values = pyramid(4)
    whole, pieces = BlockCausalState(4, 3, 3), BlockCausalState(4, 3, 3)
    whole.absorb(keys, values)
    for start, stop in pairwise((0, 7, 8, 300, 680)):
        pieces.absorb(keys[start:stop], values[start:stop])
    np.testing.assert_allclose(whole.sums, pieces.sums, rtol=0, atol=1e-3)


def test_the_readable_state_on_floats():
    ends = (1, 5)
    arrays = [array.tolist() for array in pyramid(2, ends)]
    coefficients = (1.0, 1.0, 0.5)
    monomials = total_degree(2, 2)
    state, weights = ReadableState(monomials, 3), exact_weights(monomials, coefficients, 0.5)
    found = []
    for start, stop in pairwise((0, *ends)):
        state.absorb(arrays[1][start:stop], arrays[2][start:stop])
        found += state.attend(arrays[0][start:stop], weights)
    for (numerators, denominator), (right, total) in zip(
        found, masked_sums(*arrays, ends, coefficients, 0.5), strict=True
    ):
        np.testing.assert_allclose((*numerators, denominator), (*right, total), rtol=1e-12)


@pytest.mark.parametrize("degree", range(5))
def test_numbers_of_multiplications(degree):
    schedule = square_schedule(RELEASED_SIDES)
    count = multiplications(schedule, 4, 3, degree)
    r = feature_count(4, degree)
    assert count <= 4 * r * 4 * 680
    assert (count == 10 * 4) == (degree == 0)  # weights times state, nothing else


def test_argument_errors():
    state = BlockCausalState(2, 1, 2)
    with pytest.raises(ValueError, match="must absorb a token before"):
        state.attend(np.ones((1, 2)), (1.0,), 1.0)
    state.absorb(np.ones((1, 2)), np.ones((1, 1)))
    with pytest.raises(ValueError, match="Argument 'coefficients' must have at most 3 entries"):
        state.attend(np.ones((1, 2)), (1.0, 1.0, 0.5, 0.1), 1.0)
