from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.problem import Answer
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.reduction import size

VARIANTS = pytest.mark.parametrize("signed", [False, True])


@st.composite
def instances(draw):
    shape = (draw(st.integers(1, 6)), draw(st.integers(0, 20)))
    bits = arrays(np.uint8, shape, elements=st.integers(0, 1))
    return OrthogonalVectors(draw(bits), draw(bits))


@VARIANTS
@given(source=instances())
def test_products_answers_and_witnesses(signed, source):
    reduced = ComplementEncoding(signed).map_instance(source)
    overlaps = source.left.astype(int) @ source.right.astype(int).T
    products = reduced.target.inner_products(slice(None))
    m = source.left.shape[1]
    assert np.array_equal(products, -overlaps if signed else m - overlaps)
    assert reduced.target.threshold == (0 if signed else m)
    assert reduced.target.answer() is (Answer.YES if (overlaps == 0).any() else Answer.NO)
    assert reduced.extract_solution(reduced.target.solve_brute_force()) == source.solve_brute_force()
    for pair in source.orthogonal_pairs():
        assert reduced.target.verify(reduced.map_witness(pair))
        assert reduced.extract_solution(reduced.map_witness(pair)) == tuple(pair)


@VARIANTS
def test_entries_are_signed_bits_without_negative_zeros(signed):
    target = ComplementEncoding(signed).map_instance(OrthogonalVectors.random(8, 9, seed=2)).target
    for side in (target.left, target.right):
        assert set(side.ravel().tolist()) <= {-1.0, 0.0, 1.0}
        assert not np.signbit(side[side == 0]).any()


@VARIANTS
@pytest.mark.parametrize("shape", [(1, 0), (1, 1), (3, 7), (64, 20)])
def test_parameter_map(signed, shape):
    source = OrthogonalVectors.random(*shape, seed=0)
    reduction = ComplementEncoding(signed)
    sizes = {size(name): value for name, value in source.sizes.items()}
    mapped = {name: float(e.subs(sizes)) for name, e in reduction.parameter_map().items()}
    assert mapped == reduction.map_instance(source).target.sizes
    assert reduction.parameters() == {"signed": signed}
    assert reduction.error_budget() is None


@VARIANTS
def test_wrong_witnesses_and_solutions_are_refused(signed):
    reduced = ComplementEncoding(signed).map_instance(OrthogonalVectors([[1, 0], [1, 1]], [[0, 1], [1, 1]]))
    assert reduced.extract_solution(None) is None
    for pair in [(1, 1), (0, 2), (-2, -2), (0,), "00"]:
        with pytest.raises(ValueError, match="must be an orthogonal pair"):
            reduced.map_witness(pair)
        with pytest.raises(ValueError, match="must be None or a pair"):
            reduced.extract_solution(pair)
