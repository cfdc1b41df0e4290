"""The weights of up-interpolation: torch as the interpolation."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reductions.lower_bound.interpolation_weights import (
    is_interior,
    keys_taps,
    lebesgue_bound,
    lebesgue_constant,
    operator_norm,
    row_norm,
)
from reductions.problems.interpolation import Interpolation, Kernel

rules = st.builds(Interpolation, st.sampled_from(Kernel), st.floats(-1, 0), st.booleans())
axes = st.tuples(st.integers(1, 40), st.integers(1, 40)).map(sorted)


def torch_matrix(kernel: Kernel, coarse: int, fine: int) -> np.ndarray:
    """The operator that torch applies, column by column."""
    options = {} if kernel is Kernel.NEAREST else {"align_corners": False}
    images = torch.eye(coarse, dtype=torch.float64)[:, None, :, None].expand(coarse, 1, coarse, 2)
    out = torch.nn.functional.interpolate(images, size=(fine, 2), mode=kernel.value, **options)
    return out[:, 0, :, 0].T.numpy()


@pytest.mark.parametrize("kernel", Kernel)
@pytest.mark.parametrize(("coarse", "fine"), [(1, 3), (2, 3), (3, 7), (8, 16), (13, 16), (16, 23)])
def test_torch_has_the_stated_sums_and_norms(kernel, coarse, fine):
    rule, matrix = Interpolation(kernel), torch_matrix(kernel, coarse, fine)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=0, atol=1e-14)
    stated = [float(row_norm(rule, coarse, fine, i)) for i in range(fine)]
    np.testing.assert_allclose(np.abs(matrix).sum(axis=1), stated, rtol=0, atol=1e-13)


@settings(deadline=None)
@given(rules, axes)
def test_formulas_against_the_exact_operator(rule, axis):
    coarse, fine = axis
    sums = [sum(map(abs, row)) for row in rule.exact_matrix(coarse, fine)]
    assert sums == [row_norm(rule, coarse, fine, i) for i in range(fine)]
    assert max(sums) <= lebesgue_bound(rule, coarse, fine) <= lebesgue_constant(rule) <= Fraction(3, 2)


@settings(deadline=None)
@given(rules, axes, axes, st.integers(0, 2**32 - 1))
def test_no_map_grows_by_more_than_the_norm(rule, rows, columns, seed):
    coarse, fine = (rows[0], columns[0]), (rows[1], columns[1])
    grid = np.random.default_rng(seed).choice([-1.0, 1.0], size=(*coarse, 1))
    stated = float(operator_norm(rule, coarse, fine))
    assert np.abs(rule.apply(grid, fine)).max() <= stated * (1 + 1e-13)


def test_named_values():
    torch_cubic = Interpolation()
    assert keys_taps(Fraction(3, 4), Fraction(-3, 4)) == (
        Fraction(-9, 256),
        Fraction(67, 256),
        Fraction(225, 256),
        Fraction(-27, 256),
    )
    assert lebesgue_bound(torch_cubic, 8, 16) == 1 + Fraction(3, 8) * Fraction(3, 4)
    assert row_norm(torch_cubic, 8, 16, 6) == Fraction(41, 32)
    assert row_norm(torch_cubic, 8, 16, 0) == 1 + 2 * Fraction(3, 4) * Fraction(9, 16) * Fraction(1, 4)
    assert operator_norm(torch_cubic, (8, 8), (16, 16)) == Fraction(41, 32) ** 2
    assert lebesgue_constant(torch_cubic) == Fraction(11, 8)
    assert lebesgue_bound(torch_cubic, 10, 13) == Fraction(11, 8)  # 10/13 has an even numerator
    assert lebesgue_bound(torch_cubic, 13, 16) == 1 + Fraction(3, 8) * (1 - Fraction(1, 256))


def test_interior_pixels_exist_from_four_coarse_pixels_on():
    assert not any(is_interior(Fraction(n, 7), 3) for n in range(-7, 28))
    assert [n for n in range(5) if is_interior(Fraction(n), 4)] == [1]


def test_argument_errors():
    with pytest.raises(ValueError, match="must satisfy 1 <= coarse <= fine, not 5 and 4"):
        lebesgue_bound(Interpolation(), 5, 4)
    with pytest.raises(ValueError, match="must satisfy 1 <= coarse <= fine, not 0 and 4"):
        operator_norm(Interpolation(), (4, 0), (4, 4))
    with pytest.raises(ValueError, match="Argument 'row' must be between 0 and 15, not 16"):
        row_norm(Interpolation(), 13, 16, 16)
