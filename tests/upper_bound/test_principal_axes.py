"""Recentring, principal axes and plans: each construction by itself."""

from __future__ import annotations

import numpy as np
import pytest

from reductions.problems.attention import attention
from reductions.upper_bound.principal_axes import (
    balanced_axes,
    centre,
    identity_axes,
    largest_norm,
    least_half_width,
    recentred,
)


def test_attention_is_kept():
    rng = np.random.default_rng(0)
    queries, keys = rng.normal(size=(20, 5)) + 2, rng.normal(size=(30, 5)) - 1
    values, temperature = rng.normal(size=(30, 2)), 4.0
    arrays = recentred(
        queries,
        keys,
        temperature,
        query_centre=queries.mean(axis=0),
        key_centre=keys.mean(axis=0),
        axes=balanced_axes(queries, keys),
    )
    weights = np.exp(arrays.queries @ arrays.keys.T / temperature) * arrays.key_weights
    output = weights @ values / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(output, attention(queries, keys, values, temperature), rtol=0, atol=1e-13)
    assert arrays.logit_error < 1e-11
    assert arrays.key_weights.max() == 1


def test_nothing_is_promised_where_key_weights_might_vanish():
    zero, far = np.zeros(1), np.array([1000.0])
    keys = np.array([[0.0], [1.0]])
    arrays = recentred(keys, keys, 1.0, query_centre=far, key_centre=zero, axes=identity_axes(1))
    assert arrays.logit_error == np.inf


@pytest.mark.parametrize("dimension", [1, 3, 8])
def test_axes_of_degenerate_data(dimension):
    rng = np.random.default_rng(1)
    line = rng.normal(size=(50, 1)) * rng.normal(size=dimension)
    for queries, keys in ((line, line), (line, 0 * line), (0 * line, 0 * line)):
        axes = balanced_axes(queries, keys)
        defect = axes.queries @ axes.keys.T - np.eye(dimension)
        assert np.abs(defect).max() < 1e-6
        new_queries, new_keys = queries @ axes.queries, keys @ axes.keys
        assert np.abs(new_queries @ new_keys.T - queries @ keys.T).max() < 1e-6
        rest = np.abs(new_queries[:, 1:]).max(initial=0) * np.abs(new_keys[:, 1:]).max(initial=0)
        assert rest < 1e-3 * max(1.0, np.abs(queries @ keys.T).max())


def test_the_walk_nears_the_centre_of_the_smallest_ball():
    rng = np.random.default_rng(2)
    points = np.vstack([rng.normal(size=(400, 3)) * 0.1, [[4.0, 0, 0]], [[0, 4.0, 0]]])
    best = np.array([2.0, 2.0, 0])
    assert largest_norm(points - centre(points, 200)) <= 1.1 * largest_norm(points - best)
    assert largest_norm(points - centre(points, 200)) < largest_norm(points - points.mean(axis=0))


def test_largest_norm_is_an_upper_bound():
    rows = np.random.default_rng(3).normal(size=(200, 7))
    assert largest_norm(rows) >= np.sqrt((rows.astype(np.longdouble) ** 2).sum(axis=1)).max()


def test_no_weights_do_better_than_the_bound():
    rng = np.random.default_rng(4)
    queries, keys = rng.normal(size=(6, 2)), rng.normal(size=(5, 2))
    least = least_half_width(queries, keys, 1.5)
    for _ in range(50):
        moved = queries @ keys.T / 1.5 - rng.normal(size=(6, 1)) - rng.normal(size=5)
        assert np.ptp(moved) / 2 >= least
