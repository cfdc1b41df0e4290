"""The order in which the kernels take the monomials, and the kernels on sets with runs of all kinds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reductions.kernels.fused_kernels import key_state, query_outputs
from reductions.kernels.row_order import kernel_plan
from reductions.kernels.tiles import CHUNK, ROW_BLOCK
from reductions.upper_bound.monomial_features import downward_closed, monomials, total_degree


def ragged(seed, dimension, largest):
    """A downward closed set that is no full degree: monomials under a few random corners."""
    generator = np.random.default_rng(seed)
    corners = generator.integers(0, largest + 1, (3, dimension))
    grid = np.stack(np.meshgrid(*[np.arange(largest + 1)] * dimension, indexing="ij"), -1)
    rows = grid.reshape(-1, dimension)
    return downward_closed(rows[(rows[:, None, :] <= corners).all(axis=2).any(axis=1)])


SETS = {
    "constant": total_degree(3, 0),
    "linear": total_degree(40, 1),
    "quadratic": total_degree(40, 2),
    "cubic": total_degree(12, 3),
    "univariate": total_degree(1, 50),
    "ragged": ragged(0, 3, 9),
    "box": downward_closed(np.stack(np.meshgrid(range(50), range(3), indexing="ij"), -1).reshape(-1, 2)),
}


@pytest.mark.parametrize("members", SETS.values(), ids=SETS)
def test_every_row_is_taken_once_and_runs_say_the_truth(members):
    plan = kernel_plan(members)
    np.testing.assert_array_equal(np.sort(plan.order), np.arange(len(members)))
    np.testing.assert_array_equal(plan.order[: plan.interior], np.arange(members.interior))
    np.testing.assert_array_equal(plan.parent, members.parent[plan.order])
    np.testing.assert_array_equal(plan.axis, members.axis[plan.order])
    row = plan.interior
    for first, count, parent, axis in plan.runs.tolist():
        assert first == row
        assert count % ROW_BLOCK == 0
        assert 0 < count <= CHUNK
        assert (plan.axis[first : first + count] == axis).all()
        np.testing.assert_array_equal(plan.parent[first : first + count], parent + np.arange(count))
        assert parent + count <= plan.interior
        row += count
    assert row == plan.rest
    # What the rounding bound relies on.
    chunks = -(-plan.interior // CHUNK) + len(plan.runs) - (-(len(members) - plan.rest) // CHUNK)
    assert chunks <= len(members) / (CHUNK // 2) + 2


def test_runs_exist_where_there_are_many_leaves():
    assert len(kernel_plan(total_degree(16, 3)).runs) > 20
    assert len(kernel_plan(total_degree(16, 2)).runs) == 0


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(sorted(SETS)),
    tokens=st.integers(1, 300),
    columns=st.integers(1, 20),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_kernels_on_any_set(name, tokens, columns, dtype, seed):
    members, generator = SETS[name], np.random.default_rng(seed)
    k, q = (generator.uniform(-1, 1, (tokens, members.dimension)) for _ in range(2))
    v = generator.uniform(-1, 1, (tokens, columns))
    extended = np.hstack([v, np.ones((tokens, 1))])
    features, unit = monomials(k, members), float(np.finfo(dtype).eps)
    state = key_state(k, v, members, dtype=dtype)
    room = (50 + 2 * members.degree) * unit
    assert (np.abs(state - features.T @ extended) <= room * (np.abs(features).T @ np.abs(extended))).all()
    # Weights of one sign on a state of positive numbers: no sum cancels but by the queries' signs.
    weights = generator.uniform(0, 1, len(members)) / len(members)
    state = np.hstack([generator.uniform(-1, 1, (len(members), columns)), np.ones((len(members), 1))])
    weighted = weights[:, None] * state
    weighted[0, -1] += 2
    sums = monomials(q, members) @ weighted
    state[0, -1] = weighted[0, -1] / weights[0]
    output = query_outputs(q, state, weights, members, dtype=dtype)
    np.testing.assert_allclose(output, sums[:, :-1] / sums[:, -1:], atol=4 * room)
