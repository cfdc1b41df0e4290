"""Layers for the check of lem-feature-plan, and for the measurements of its page."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reductions.fast_attention.planned_features.plan_search import plan_features
from reductions.fast_attention.planned_features.planned_attention import planned_attention
from reductions.layers.arrays import Floats
from reductions.problems.attention import attention
from reductions.upper_bound.monomial_features import feature_count

FAMILIES = ("uniform", "sphere", "offset", "clustered", "decaying", "heavy-tailed", "few axes")


class Layer(NamedTuple):
    """Queries, keys, values; the temperature; the relative error that is wanted; the type of the kernels."""

    queries: Floats
    keys: Floats
    values: Floats
    temperature: float
    epsilon: float
    dtype: str


def draw_vectors(family: str, count: int, dimension: int, rng: np.random.Generator) -> Floats:
    """Draw the queries or the keys of a family.

    Uniform in a cube; on the sphere; around a point far from 0; around eight points; with variances i^-2
    along turned axes; with norms of Student's t, three degrees of freedom; in a third of the axes, turned.
    """
    normal = rng.normal(size=(count, dimension))
    if family == "uniform":
        return rng.uniform(-1, 1, (count, dimension))
    if family == "sphere":
        return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))
    if family == "offset":
        return rng.normal(size=dimension) * 2 + normal / 2
    if family == "clustered":
        return rng.normal(size=(8, dimension))[rng.integers(8, size=count)] + normal / 5
    if family == "decaying":
        turn, _ = np.linalg.qr(np.random.default_rng(dimension).normal(size=(dimension, dimension)))
        return np.asarray(normal / np.arange(1, dimension + 1) @ turn)
    if family == "heavy-tailed":
        return normal * np.abs(rng.standard_t(3, size=(count, 1)))
    if family == "few axes":
        some = -(-dimension // 3)
        turn = np.random.default_rng(dimension).normal(size=(some, dimension))
        return np.asarray(normal[:, :some] @ turn)
    raise ValueError(f"Argument 'family' must be one of {', '.join(FAMILIES)}, not {family!r}.")


def temperature_for(queries: Floats, keys: Floats, bound: float) -> float:
    """Return tau such that max |q| max |k| / tau is the given bound on the logits."""
    norms = [float(np.linalg.norm(rows, axis=1).max()) for rows in (queries, keys)]
    return norms[0] * norms[1] / bound


def draw_seed(rng: np.random.Generator) -> int:
    """Draw a number that stands for a case: short enough to be read in a report."""
    return int(rng.integers(1 << 32))


def small_layer(seed: int) -> Layer:
    """Return a small layer of any family."""
    rng = np.random.default_rng(seed)
    family, dimension = FAMILIES[rng.integers(len(FAMILIES))], int(rng.integers(1, 7))
    queries, keys = (draw_vectors(family, count, dimension, rng) for count in (48, 40))
    values = rng.choice([-1.0, 1.0], size=(40, 3))
    temperature = temperature_for(queries, keys, float(rng.uniform(0.2, 2.5)))
    return Layer(
        queries,
        keys,
        values,
        temperature,
        10.0 ** -rng.uniform(1, 6),
        ("float32", "float64")[rng.integers(2)],
    )


def layer_is_within_bound(seed: int, key_weights: bool = True) -> bool:
    """Tell whether the output is as near to exact attention as stated, with at most the plain features."""
    layer = small_layer(seed)
    plan = plan_features(layer.queries, layer.keys, layer.temperature, layer.epsilon)
    if plan is None:
        return False
    if not key_weights:
        plan.arrays.key_weights[:] = 1
    result = planned_attention(plan, layer.values, dtype=layer.dtype, threads=1)
    exact = attention(layer.queries, layer.keys, layer.values, layer.temperature)
    plain = plan_features(layer.queries, layer.keys, layer.temperature, layer.epsilon, plain=True)
    dimension = layer.queries.shape[1]
    return bool(
        # Exact attention in float64 is itself off by some roundings.
        np.abs(result.output - exact).max() <= result.error_bound + 2.0**-44
        and plan.epsilon <= layer.epsilon
        and (plain is None or plan.rank <= plain.rank == feature_count(dimension, plain.degree))
    )


def with_rounding_left_out(seed: int) -> bool:
    """Tell whether float32 kernels stay within the approximation's error alone, at a very small one."""
    layer = small_layer(seed)
    plan = plan_features(layer.queries, layer.keys, layer.temperature, 2.0**-24)
    if plan is None:
        return True
    result = planned_attention(plan, layer.values, dtype="float32", threads=1)
    exact = attention(layer.queries, layer.keys, layer.values, layer.temperature)
    return bool(np.abs(result.output - exact).max() <= result.approximation_error)
