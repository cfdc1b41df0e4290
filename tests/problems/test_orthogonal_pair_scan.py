from __future__ import annotations

import numpy as np
import pytest

from reductions.problems import orthogonal_vectors
from reductions.problems.orthogonal_vectors import OrthogonalVectors


@pytest.fixture(autouse=True)
def always_scan(monkeypatch):
    monkeypatch.setattr(orthogonal_vectors, "_PAIRS_WORTH_COMPILING", 0)


def first_zero(instance):
    zeros = np.argwhere(instance.left.astype(int) @ instance.right.astype(int).T == 0)
    return tuple(zeros[0]) if len(zeros) else None


# Every number of words that is treated apart, word boundaries, and tiles that are not full.
@pytest.mark.parametrize("m", [0, 1, 31, 32, 33, 64, 65, 128, 129, 200])
@pytest.mark.parametrize("N", [1, 63, 64, 65, 300, 1100])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_scan_finds_the_first_pair(N, m, threads):
    for density in (0.1, 0.3, 0.6):
        instance = OrthogonalVectors.random(N, m, density, seed=N + m)
        assert instance.solve_brute_force(threads) == first_zero(instance)


@pytest.mark.parametrize("m", [30, 60, 120, 150])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_one_pair_anywhere_is_found_and_no_pair_is_none(m, threads):
    N = 1500
    generator = np.random.default_rng(m)
    left = (generator.random((N, m)) < 0.5).astype(np.uint8)
    right = (generator.random((N, m)) < 0.5).astype(np.uint8)
    left[:, -1] = right[:, -1] = right[:, 0] = 1
    assert OrthogonalVectors(left, right).solve_brute_force(threads) is None
    for i, j in ((0, 0), (0, N - 1), (N - 1, 0), (N - 1, N - 1), (63, 1023), (64, 1024), (1007, 5)):
        planted_left, planted_right = left.copy(), right.copy()
        planted_left[i], planted_right[j] = 0, 1
        planted_left[i, 0], planted_right[j, 0] = 1, 0
        assert OrthogonalVectors(planted_left, planted_right).solve_brute_force(threads) == (i, j)


def test_of_several_pairs_the_first_is_returned_whatever_the_threads():
    left, right = np.ones((2000, 40), np.uint8), np.ones((2000, 40), np.uint8)
    left[[130, 1900], 1:] = 0
    right[[7, 1999], 0] = 0
    instance = OrthogonalVectors(left, right)
    assert {instance.solve_brute_force(threads) for threads in (1, 2, 3, 8)} == {(130, 7)}
