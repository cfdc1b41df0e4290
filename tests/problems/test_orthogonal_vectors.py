from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reductions.problems.orthogonal_vectors import OrthogonalVectors

# Word boundaries of the bit packing, and several blocks of pairs.
SHAPES = [(1, 0), (3, 0), (1, 1), (5, 7), (4, 8), (6, 63), (6, 64), (6, 65), (3, 128), (3, 130), (700, 3)]


def products(instance):
    return instance.left.astype(int) @ instance.right.astype(int).T


@st.composite
def instances(draw):
    shape = (draw(st.integers(1, 6)), draw(st.integers(0, 70)))
    sparse = arrays(np.uint8, shape, elements=st.integers(0, 1), fill=st.just(0))
    return OrthogonalVectors(draw(sparse), draw(sparse))


@given(instances())
def test_orthogonal_pairs_are_the_zeros_of_the_product(instance):
    expected = np.argwhere(products(instance) == 0)
    assert np.array_equal(instance.orthogonal_pairs(), expected)
    assert instance.solve_brute_force() == (tuple(expected[0]) if len(expected) else None)
    count = len(instance.left)
    verified = [p for p in itertools.product(range(count), repeat=2) if instance.verify(p)]
    assert verified == list(map(tuple, expected))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("density", [0.1, 0.5, 0.95])
def test_brute_force_at_word_and_block_boundaries(shape, density):
    instance = OrthogonalVectors.random(*shape, density, seed=1)
    assert np.array_equal(instance.orthogonal_pairs(), np.argwhere(products(instance) == 0))


def test_the_last_pair_and_the_last_coordinate_count():
    left, right = np.zeros((600, 129)), np.zeros((600, 129))
    left[:, 128] = right[:, 128] = 1
    assert OrthogonalVectors(left, right).solve_brute_force() is None
    right[-1, 128] = 0
    left[:-1, 0] = right[-1, 0] = 1
    assert OrthogonalVectors(left, right).orthogonal_pairs().tolist() == [[599, 599]]


def test_without_coordinates_every_pair_is_orthogonal():
    instance = OrthogonalVectors(np.zeros((3, 0)), np.zeros((3, 0)))
    assert len(instance.orthogonal_pairs()) == 9
    assert instance.answer() == "YES"


def test_arrays_are_private_and_read_only():
    given_array = np.ones((2, 2), dtype=np.uint8)
    instance = OrthogonalVectors(given_array, given_array)
    given_array[0, 0] = 0
    assert instance.left.all()
    with pytest.raises(ValueError, match="read-only"):
        instance.left[0, 0] = 0
    assert instance.sizes == {"N": 2, "m": 2}


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        ([0, 1], [0, 1], "'left' must be a matrix"),
        ([[0, 2]], [[0, 1]], "'left' must have entries 0 and 1, not 2"),
        ([[0, 1]], [[0, float("nan")]], "'right' must have entries 0 and 1, not nan"),
        ([[0, 1]], [[0, 1], [1, 1]], r"'right' must have the shape \(1, 2\)"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "'left' must have at least one vector"),
    ],
)
def test_wrong_arguments(left, right, message):
    with pytest.raises(ValueError, match=message):
        OrthogonalVectors(left, right)


@pytest.mark.parametrize("witness", [(0, 2), (-1, 0), (0,), (0, 0, 0), None, 0, (0.0, 0.0), "00"])
def test_malformed_witnesses_prove_nothing(witness):
    assert not OrthogonalVectors(np.zeros((2, 1)), np.zeros((2, 1))).verify(witness)


@pytest.mark.parametrize("N", [1, 2, 3, 17, 64])
@pytest.mark.parametrize("m", [1, 2, 5, 24, 70])
@pytest.mark.parametrize("density", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("near_threshold", [False, True])
def test_planted_pairs_exist_and_certified_absence_holds(N, m, density, near_threshold):
    for seed in range(3):
        yes = OrthogonalVectors.random(N, m, density, seed, True, near_threshold)
        assert (products(yes) == 0).any()
        no = OrthogonalVectors.random(N, m, density, seed, False, near_threshold)
        assert (products(no) > 0).all()
        assert yes.left.shape == no.left.shape == (N, m)


@pytest.mark.parametrize("planted", [True, False, None])
def test_near_threshold_makes_products_of_one_common(planted):
    near = OrthogonalVectors.random(64, 48, 0.5, 0, planted, near_threshold=True)
    far = OrthogonalVectors.random(64, 48, 0.5, 0, planted)
    assert (products(near) == 1).sum() >= 32
    assert (products(near) == 1).sum() > 10 * (products(far) == 1).sum()


def test_random_is_reproducible():
    one, two, other = (OrthogonalVectors.random(9, 9, 0.5, seed) for seed in (0, np.random.default_rng(0), 1))
    assert np.array_equal(one.left, two.left)
    assert np.array_equal(one.right, two.right)
    assert not np.array_equal(one.left, other.left)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"N": 0, "m": 1}, "'N' must be at least 1, not 0"),
        ({"N": 1, "m": -1}, "'m' must be at least 0, not -1"),
        ({"N": 1, "m": 1, "density": 1.5}, "'density' must be between 0 and 1, not 1.5"),
        ({"N": 1, "m": 0, "planted": False}, "'m' must be at least 1 here, not 0"),
        ({"N": 1, "m": 0, "near_threshold": True}, "'m' must be at least 1 here, not 0"),
    ],
)
def test_impossible_requests(arguments, message):
    with pytest.raises(ValueError, match=message):
        OrthogonalVectors.random(**arguments)


def test_without_coordinates_a_pair_is_planted():
    assert OrthogonalVectors.random(2, 0, planted=True).answer() == "YES"
