from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reductions.problem import Answer
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct

EIGHTHS = st.integers(-8, 8).map(lambda k: k / 8)  # products and sums are exact in float64


@st.composite
def instances(draw):
    dimension = draw(st.integers(0, 4))
    left, right = (
        draw(arrays(np.float64, (draw(st.integers(1, 5)), dimension), elements=EIGHTHS)) for _ in range(2)
    )
    return GapMaxInnerProduct(left, right, draw(st.integers(-16, 16)) / 8, draw(st.integers(1, 16)) / 8)


@given(instances())
def test_answers_by_exact_arithmetic(instance):
    exact = {
        (i, j): sum((Fraction(a) * Fraction(b) for a, b in zip(u, v, strict=True)), Fraction(0))
        for (i, u), (j, v) in itertools.product(
            enumerate(instance.left.tolist()), enumerate(instance.right.tolist())
        )
    }
    threshold, gap = Fraction(instance.threshold), Fraction(instance.gap)
    reached = [pair for pair, value in exact.items() if value >= threshold]
    between = [pair for pair, value in exact.items() if threshold - gap < value < threshold]
    assert instance.solve_brute_force() == (reached[0] if reached else None)
    assert [pair for pair in exact if instance.verify(pair)] == reached
    if reached:
        assert instance.answer() is Answer.YES
        assert instance.promise_violation() is None
    elif between:
        assert instance.answer() is Answer.OUTSIDE_PROMISE
        assert instance.promise_violation() == between[0]
    else:
        assert instance.answer() is Answer.NO
        assert instance.promise_violation() is None
    products = instance.inner_products(slice(0, 2))
    assert products.tolist() == [
        [float(exact[i, j]) for j in range(len(instance.right))] for i in range(min(2, len(instance.left)))
    ]


def test_blocks_of_rows():
    left, right = np.zeros((40, 2)), np.ones((100_000, 2))
    left[-1] = 1
    right[:-1] = 0.5
    instance = GapMaxInnerProduct(left, right, threshold=2, gap=1)
    assert instance.solve_brute_force() == (39, 99_999)
    assert instance.answer() is Answer.YES


def test_sizes_and_privacy():
    given_array = np.ones((1, 3))
    instance = GapMaxInnerProduct(given_array, np.zeros((2, 3)), 1, 0.5)
    assert instance.sizes == {"N_u": 1, "N_v": 2, "D": 3, "s": 1.0, "gap": 0.5}
    given_array[:] = 0
    assert instance.left.all()
    with pytest.raises(ValueError, match="read-only"):
        instance.left[0, 0] = 0


@pytest.mark.parametrize(
    ("left", "right", "threshold", "gap", "message"),
    [
        ([1.0], [[1.0]], 0, 1, "'left' must be a matrix"),
        ([[1.5]], [[1.0]], 0, 1, "'left' must have entries between -1 and 1, not 1.5"),
        ([[1.0]], [[np.nan]], 0, 1, "'right' must have entries between -1 and 1, not nan"),
        ([[1.0]], [[1.0, 0.0]], 0, 1, "'right' must have 1 columns, not 2"),
        (np.zeros((0, 1)), [[1.0]], 0, 1, "'left' must have at least one vector"),
        ([[1.0]], [[1.0]], np.inf, 1, "'threshold' must be finite, not inf"),
        ([[1.0]], [[1.0]], 0, 0, "'gap' must be positive and finite, not 0"),
        ([[1.0]], [[1.0]], 0, np.nan, "'gap' must be positive and finite, not nan"),
    ],
)
def test_wrong_arguments(left, right, threshold, gap, message):
    with pytest.raises(ValueError, match=message):
        GapMaxInnerProduct(left, right, threshold, gap)


@pytest.mark.parametrize("witness", [(0, 1), (-1, 0), (0,), None, (0.0, 0)])
def test_malformed_witnesses_prove_nothing(witness):
    assert not GapMaxInnerProduct([[1.0]], [[1.0]], 0, 1).verify(witness)


@given(st.integers(0, 2**32))
def test_a_threshold_that_a_product_just_attains_is_judged_exactly(seed):
    generator = np.random.default_rng(seed)
    left, right = (generator.uniform(-1, 1, (generator.integers(1, 6), 7)) for _ in range(2))
    computed = float((left @ right.T).max())
    instance = GapMaxInnerProduct(left, right, threshold=computed, gap=0.25)
    exact = [[sum(Fraction(a) * Fraction(b) for a, b in zip(u, v, strict=True)) for v in right] for u in left]
    reached = [(i, j) for i, row in enumerate(exact) for j, value in enumerate(row) if value >= computed]
    assert instance.solve_brute_force() == (reached[0] if reached else None)
    assert all(instance.verify(pair) for pair in reached)
    assert (instance.answer() is Answer.YES) == bool(reached)
