"""Norms of matrices, rounded up."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from reductions.layers.norms import column_norm, largest_product, product_norm

matrices = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-1e3, 1e3))


@given(matrices)
def test_column_norm_is_rounded_up(matrix):
    exact = max(sum(abs(Fraction(x)) for x in column) for column in matrix.T.tolist())
    assert exact <= Fraction(column_norm(matrix)) <= exact * (1 + Fraction(1, 2**50)) + Fraction(1, 2**1070)
    assert column_norm(matrix) == pytest.approx(np.linalg.norm(matrix, 1))


def test_products():
    generator = np.random.default_rng(0)
    first, second = generator.standard_normal((5, 7)), generator.standard_normal((7, 3))
    tokens = generator.standard_normal((9, 5))
    assert product_norm(first, second) == pytest.approx(np.linalg.norm(first @ second, 1), rel=1e-12)
    assert product_norm(first, second) > np.linalg.norm(first @ second, 1)
    assert largest_product(tokens, [first, second]) == pytest.approx(
        np.abs(tokens @ first @ second).max(), rel=1e-12
    )
    assert largest_product(tokens, [first]) > np.abs(tokens @ first).max()
    assert largest_product(tokens[:0], [first]) == 0
    assert column_norm(np.zeros((2, 0))) == 0


def test_argument_errors():
    with pytest.raises(ValueError, match="Argument 'weights' must be a matrix"):
        column_norm([1.0, 2.0])
