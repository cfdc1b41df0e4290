"""Arguments that cannot be used are refused in one line that says what is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from reductions.fast_attention.approximate_attention import (
    approximate_attention,
    approximate_pyramid_attention,
)
from reductions.problems.attention import attention


def arrays(**changes):
    generator = np.random.default_rng(0)
    layer = {name: generator.uniform(-1, 1, (6, 3)) for name in ("queries", "keys", "values")}
    return layer | changes


def attend(temperature=1.0, tolerance=1e-3, **changes):
    options = {name: changes.pop(name) for name in ("threads", "method") if name in changes}
    return approximate_attention(**arrays(**changes), temperature=temperature, tolerance=tolerance, **options)


def with_entry(value, dtype=np.float64):
    array = np.ones((6, 3), dtype)
    array[4, 1] = value
    return array


@pytest.mark.parametrize("name", ["queries", "keys", "values"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_entries_that_are_not_finite(name, value, dtype):
    with pytest.raises(
        ValueError, match=f"^Argument '{name}' must have finite entries, not NaN or infinity.$"
    ):
        attend(**{name: with_entry(value, dtype)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queries": np.ones(3)}, "Argument 'queries' must be a matrix"),
        ({"queries": np.ones((2, 2, 3))}, "Argument 'queries' must be a matrix"),
        ({"keys": np.ones((6, 4))}, "Argument 'keys' must have 3 columns, not 4"),
        ({"keys": np.ones((0, 3))}, "Argument 'keys' must have at least one row, not none"),
        ({"values": np.ones((5, 3))}, "Argument 'values' must have 6 rows, one for each key, not 5"),
        ({"values": np.ones(6)}, "Argument 'values' must be a matrix"),
        ({"temperature": 0.0}, "Argument 'temperature' must be a positive number, not 0.0"),
        ({"temperature": -1}, "Argument 'temperature' must be a positive number, not -1"),
        ({"temperature": math.nan}, "Argument 'temperature' must be a positive number, not nan"),
        ({"temperature": math.inf}, "Argument 'temperature' must be a positive number, not inf"),
        ({"tolerance": -1e-3}, "Argument 'tolerance' must be a finite number >= 0, not -0.001"),
        ({"tolerance": math.nan}, "Argument 'tolerance' must be a finite number >= 0, not nan"),
        ({"tolerance": math.inf}, "Argument 'tolerance' must be a finite number >= 0, not inf"),
        ({"threads": 0}, "Argument 'threads' must be at least 1, not 0"),
        ({"method": "fast"}, "Argument 'method' must be 'auto', 'low-rank' or 'exact', not 'fast'"),
        ({"queries": np.full((6, 3), 2**53 + 2)}, "Argument 'queries' must have whole numbers up to 2\\^53"),
        ({"keys": np.full((6, 3), -(2**63))}, "Argument 'keys' must have whole numbers up to 2\\^53"),
        ({"queries": np.full((6, 3), 1e200), "keys": np.full((6, 3), 1e200)}, "logits exceed the range"),
        ({"values": 1.7e308 * np.eye(6, 3)}, "sums of values exceed the range"),
    ],
)
def test_values_that_are_out_of_range(changes, message):
    with pytest.raises(ValueError, match=message) as raised:
        attend(**changes)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queries": np.ones((6, 3), complex)}, "Argument 'queries' must be an array of float32 or float64"),
        ({"queries": np.ones((6, 3), object)}, "Argument 'queries' must be an array of float32 or float64"),
        ({"keys": "words"}, "Argument 'keys' must be an array of float32 or float64"),
        ({"keys": [[1.0, 2.0, 3.0], [1.0]]}, "Argument 'keys' must be an array of real numbers, not list"),
        ({"values": None}, "Argument 'values' must be an array of float32 or float64"),
        (
            {"values": np.ma.masked_array(np.ones((6, 3)))},
            "Argument 'values' must be an array without a mask",
        ),
        ({"temperature": "warm"}, "Argument 'temperature' must be a real number, not 'warm'"),
        ({"temperature": None}, "Argument 'temperature' must be a real number, not None"),
        ({"tolerance": [1.0, 2.0]}, "Argument 'tolerance' must be a real number"),
        ({"threads": 1.5}, "Argument 'threads' must be a whole number or None, not 1.5"),
        (
            {"queries": torch.ones(6, 3, requires_grad=True)},
            "Argument 'queries' must be an array of real numbers",
        ),
    ],
)
def test_types_that_cannot_be_used(changes, message):
    with pytest.raises(TypeError, match=message) as raised:
        attend(**changes)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="long double is double here")
def test_long_double_is_refused():
    with pytest.raises(TypeError, match="Argument 'queries' must be an array of float32 or float64"):
        attend(queries=np.ones((6, 3), np.longdouble))


@pytest.mark.parametrize("method", ["exact", "low-rank"])
def test_what_is_converted_without_a_change(method):
    layer = arrays(queries=np.arange(-9, 9).reshape(6, 3))
    expected = attention(**layer, temperature=9.0)
    for queries in (
        layer["queries"].tolist(),
        layer["queries"].astype(np.int8),
        layer["queries"].astype(np.float16),
        np.asfortranarray(layer["queries"]),
        np.repeat(layer["queries"], 2, axis=0)[::2],
        layer["queries"].astype(">f8"),
        torch.from_numpy(layer["queries"]),
    ):
        changed = layer | {"queries": queries}
        output, certificate = approximate_attention(**changed, temperature=9, tolerance=1e-6, method=method)
        assert output.dtype == np.float64
        assert np.abs(output - expected).max() <= certificate.error_bound <= 1e-6
    truth = attend(queries=np.eye(6, 3) > 0, method=method).output
    np.testing.assert_allclose(truth, attention(**arrays(queries=np.eye(6, 3)), temperature=1.0), atol=1e-3)


def test_arguments_are_left_alone():
    layer = arrays()
    kept = {name: array.copy() for name, array in layer.items()}
    for array in layer.values():
        array.setflags(write=False)
    approximate_attention(**layer, temperature=1.0, tolerance=1e-2, method="low-rank")
    assert all((layer[name] == kept[name]).all() for name in layer)


@pytest.mark.parametrize(
    ("ends", "error", "message"),
    [
        ([], ValueError, "Argument 'scale_ends' must increase from at least 1, not be \\[\\]"),
        ([0, 6], ValueError, "Argument 'scale_ends' must increase from at least 1"),
        ([3, 3, 6], ValueError, "Argument 'scale_ends' must increase from at least 1"),
        ([1, 5], ValueError, "Argument 'scale_ends' must end with 6, the number of tokens, not 5"),
        ([1, 7], ValueError, "Argument 'scale_ends' must end with 6, the number of tokens, not 7"),
        ([1.5, 6.0], TypeError, "Argument 'scale_ends' must be a sequence of whole numbers"),
        (6, TypeError, "Argument 'scale_ends' must be a sequence of whole numbers"),
    ],
)
def test_scale_ends(ends, error, message):
    with pytest.raises(error, match=message):
        approximate_pyramid_attention(**arrays(), scale_ends=ends, temperature=1.0, tolerance=1e-3)


def test_a_pyramid_needs_a_query_for_each_key():
    with pytest.raises(ValueError, match="Argument 'queries' must have 6 rows, one for each key, not 5"):
        approximate_pyramid_attention(
            **arrays(queries=np.ones((5, 3))), scale_ends=[6], temperature=1.0, tolerance=1e-3
        )


def test_low_rank_that_cannot_meet_the_tolerance():
    for changes in ({"tolerance": 0.0}, {"temperature": 1e-3}, {"tolerance": 1e-300}):
        with pytest.raises(ValueError, match="Argument 'method' must not be 'low-rank' at the tolerance"):
            attend(method="low-rank", **changes)


@pytest.mark.parametrize("method", ["auto", "exact"])
def test_extreme_shapes(method):
    no_queries = attend(queries=np.ones((0, 3)), method=method)
    assert no_queries.output.shape == (0, 3)
    assert no_queries.certificate.queries == 0
    no_values = attend(values=np.ones((6, 0)), method=method)
    assert no_values.output.shape == (6, 0)
    assert no_values.certificate.error_bound == 0
    no_coordinates = attend(queries=np.ones((2, 0)), keys=np.ones((6, 0)), method=method)
    mean = arrays()["values"].mean(axis=0)
    assert np.abs(no_coordinates.output - mean).max() <= no_coordinates.certificate.error_bound < 1e-3
