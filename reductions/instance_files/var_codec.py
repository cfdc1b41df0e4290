"""How a VAR instance becomes named tensors: the start token, the maps X_k, positions P_k, weights by layer.

A token map is stored by the positions and the values of its nonzero tokens; a zero map is not stored.
Projections that read a slice of the channels are parameters: [start, stop, channels].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reductions.instance_files.codec import Codec, Parameters, Tensors, require_tensors
from reductions.problems.approximate_var import ApproximateVar, Reading
from reductions.problems.interpolation import Interpolation, Kernel
from reductions.problems.token_map import TokenMap
from reductions.problems.var_model import ChannelSlice, FeedForward, Layer, SelfAttention, VarModel

_NUMBERS = (
    "threshold",
    "yes_bound",
    "no_bound",
    "entry_bound",
    "logit_bound",
    "entry_error",
    "read_out_channel",
)
_ATTENTION = {
    "W_Q": "query_weights",
    "W_K": "key_weights",
    "W_V": "value_weights",
    "W_O": "output_weights",
}


def to_tensors(problem: ApproximateVar) -> tuple[Tensors, Parameters]:
    """Return the tensors by name, and the parameters as plain data."""
    model = problem.model
    tensors: Tensors = {"start_token": problem.start_token, "read_outs": problem.read_outs}
    for scale, token_map in enumerate(problem.maps, 1):
        if len(token_map.positions):
            tensors[f"X_{scale}.positions"] = token_map.positions
            tensors[f"X_{scale}.tokens"] = token_map.tokens
    for scale, table in enumerate(model.position_table, 1):
        if table is not None:
            tensors[f"P_{scale}"] = table
    layers: list[dict[str, Any]] = []
    for index, layer in enumerate(model.layers, 1):
        if isinstance(layer, FeedForward):
            tensors[f"layer_{index}.W"] = layer.weights
            layers.append({"kind": "feed-forward"})
        else:
            slices = {}
            for name, field in _ATTENTION.items():
                weights = getattr(layer, field)
                if isinstance(weights, ChannelSlice):
                    slices[name] = [weights.start, weights.stop, weights.channels]
                else:
                    tensors[f"layer_{index}.{name}"] = weights
            layers.append({"kind": "attention", "temperature": layer.temperature, "slices": slices})
    interpolation = model.interpolation
    return tensors, {
        "reading": str(problem.reading),
        "schedule": [list(shape) for shape in model.schedule],
        "kernel": str(interpolation.kernel),
        "a": interpolation.a,
        "aligned": interpolation.aligned,
        "layers": layers,
        **{name: getattr(problem, name) for name in _NUMBERS},
    }


def from_tensors(tensors: Tensors, parameters: Parameters) -> ApproximateVar:
    """Rebuild the instance; ValueError, TypeError or KeyError where the data is none."""
    expected = {"reading", "schedule", "kernel", "a", "aligned", "layers", *_NUMBERS}
    if set(parameters) != expected:
        raise ValueError(f"the parameters must be {', '.join(sorted(expected))}")
    schedule = tuple((_integer("schedule", h), _integer("schedule", w)) for h, w in parameters["schedule"])
    reading = Reading(parameters["reading"])
    layout = {"start_token": ("float64", 1), "read_outs": ("int64", 1)}
    for scale in range(1, len(schedule) if reading is Reading.MAPS else 1):
        if f"X_{scale}.positions" in tensors or f"X_{scale}.tokens" in tensors:
            layout |= {f"X_{scale}.positions": ("int64", 2), f"X_{scale}.tokens": ("float64", 2)}
    for scale in range(1, len(schedule) + 1):
        if f"P_{scale}" in tensors:
            layout[f"P_{scale}"] = ("float64", 2)
    for index, entry in enumerate(parameters["layers"], 1):
        layout |= {f"layer_{index}.{name}": ("float64", 2) for name in _stored_weights(entry)}
    require_tensors(tensors, layout)
    layers = [_layer(tensors, index, entry) for index, entry in enumerate(parameters["layers"], 1)]
    tables = tuple(tensors.get(f"P_{scale}") for scale in range(1, len(schedule) + 1))
    aligned = parameters["aligned"]
    if not isinstance(aligned, bool):
        raise ValueError(f"parameter 'aligned' must be true or false, not {aligned!r:.40}")
    interpolation = Interpolation(Kernel(parameters["kernel"]), _number("a", parameters["a"]), aligned)
    model = VarModel(
        schedule, interpolation, tuple(layers), tables if any(table is not None for table in tables) else ()
    )
    maps = []
    for scale, shape in enumerate(schedule[:-1] if reading is Reading.MAPS else (), 1):
        if f"X_{scale}.positions" in tensors:
            maps.append(TokenMap(shape, tensors[f"X_{scale}.positions"], tensors[f"X_{scale}.tokens"]))
        else:
            maps.append(TokenMap.zero(shape, model.channels))
    numbers = {name: _number(name, parameters[name]) for name in _NUMBERS[:-1]}
    return ApproximateVar(
        model=model,
        reading=reading,
        start_token=tensors["start_token"],
        maps=tuple(maps),
        read_outs=tensors["read_outs"],
        read_out_channel=_integer("read_out_channel", parameters["read_out_channel"]),
        **numbers,
    )


def _stored_weights(entry: Mapping[str, Any]) -> list[str]:
    """Return the names of a layer's tensors."""
    if entry["kind"] == "feed-forward":
        return ["W"]
    if entry["kind"] != "attention":
        raise ValueError(f"a layer must be of kind 'feed-forward' or 'attention', not {entry['kind']!r:.40}")
    return [name for name in _ATTENTION if name not in entry["slices"]]


def _layer(tensors: Tensors, index: int, entry: Mapping[str, Any]) -> Layer:
    if entry["kind"] == "feed-forward":
        return FeedForward(tensors[f"layer_{index}.W"])
    weights: dict[str, Any] = {}
    for name, field in _ATTENTION.items():
        if name in entry["slices"]:
            bounds = entry["slices"][name]
            weights[field] = ChannelSlice(*(_integer("slices", bound) for bound in bounds))
        else:
            weights[field] = tensors[f"layer_{index}.{name}"]
    return SelfAttention(**weights, temperature=_number("temperature", entry["temperature"]))


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"parameter {name!r} must be a number, not {value!r:.40}")
    return float(value)


def _integer(name: str, value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"parameter {name!r} must hold integers, not {value!r:.40}")
    return value


def _entry_bounds(problem: ApproximateVar) -> Mapping[str, float]:
    """In reading maps: R on the start token, and R/w^2 <= 4 R on the slots' tokens (value channel: 1)."""
    if problem.reading is not Reading.MAPS:
        return {}
    largest = max(problem.entry_bound, 1.0)
    stored = [scale for scale, token_map in enumerate(problem.maps, 1) if len(token_map.positions)]
    return {"start_token": largest, **{f"X_{scale}.tokens": 4 * largest for scale in stored}}


def _work(problem: ApproximateVar) -> float:
    return float(len(problem.read_outs) * problem.model.tokens * problem.attention_layer.dimension)


def _read_out(problem: ApproximateVar) -> Mapping[str, Any]:
    return {
        "positions": "read_outs",
        "threshold": problem.threshold,
        "tolerated_error": problem.tolerated_error,
    }


CODEC = Codec(ApproximateVar, to_tensors, from_tensors, _entry_bounds, _work, _read_out)
