"""Attention kernels as users write them: right ones, and mutants that each have one thing wrong."""

from __future__ import annotations

import os
import time

import numpy as np


def weighted(logits, values):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights @ values / weights.sum(axis=1, keepdims=True)


def exact(q, k, v, temperature):
    return weighted(q @ k.T / q.dtype.type(temperature), v)


def exact_by_scale(q, k, v, *, scale):
    return weighted(q @ k.T * q.dtype.type(scale), v)


def exact_by_root(q, k, v):
    return weighted(q @ k.T / q.dtype.type(q.shape[1] ** 0.5), v)


def exact_in_heads(q, k, v, tau):
    return exact(q[0, 0], k[0, 0], v[0, 0], tau)[None, None]


def exact_in_torch(q, k, v, scale):
    import torch

    return torch.nn.functional.scaled_dot_product_attention(q, k, v, scale=scale)


def exact_in_jax(q, k, v, scale):
    import jax

    weights = jax.nn.softmax(q @ k.T * scale, axis=1)
    return weights @ v


def constant(q, k, v):
    return np.full((len(q), v.shape[1]), v.mean())


def noise(q, k, v):
    return np.random.default_rng(0).random((len(q), v.shape[1]))


def drops_the_first_key(q, k, v, tau):
    return exact(q, k[1:], v[1:], tau)


def drops_the_last_key(q, k, v, tau):
    return exact(q, k[:-1], v[:-1], tau)


def transposed(q, k, v, tau):
    return exact(k, q, v, tau)


def normalises_over_queries(q, k, v, tau):
    weights = np.exp(q @ k.T / tau - (q @ k.T / tau).max())
    return weights / weights.sum(axis=0) @ v


def mask_off_by_one(q, k, v, tau):
    logits = q @ k.T / q.dtype.type(tau)
    logits[np.triu_indices(len(q), 1, len(k))] = -np.inf
    return weighted(logits, v)


def keys_off_by_one(q, k, v, tau):
    return exact(q, np.roll(k, 1, axis=0), v, tau)


def forgets_the_maximum(q, k, v, tau):
    with np.errstate(over="ignore", invalid="ignore"):
        weights = np.exp(q @ k.T / q.dtype.type(tau))
        return weights @ v / weights.sum(axis=1, keepdims=True)


def temperature_doubled(q, k, v, tau):
    return exact(q, k, v, 2 * tau)


def temperature_a_tenth_too_large(q, k, v, tau):
    return exact(q, k, v, 1.1 * tau)


def forgets_the_temperature(q, k, v, tau):
    return weighted(q @ k.T, v)


def divides_by_its_scale(q, k, v, scale):
    return weighted(q @ k.T / q.dtype.type(scale), v)


MUTANTS = (
    "constant",
    "noise",
    "drops_the_first_key",
    "drops_the_last_key",
    "transposed",
    "normalises_over_queries",
    "mask_off_by_one",
    "keys_off_by_one",
    "forgets_the_maximum",
    "temperature_doubled",
    "temperature_a_tenth_too_large",
)


def raises(q, k, v):
    raise RuntimeError("no such luck\nsecond line")


def returns_nan(q, k, v):
    return np.full((len(q), v.shape[1]), np.nan)


def returns_a_row_less(q, k, v):
    return constant(q, k, v)[1:]


def hangs(q, k, v):
    time.sleep(3600)


def ends_its_process(q, k, v):
    os._exit(3)


def fails_on_64_tokens(q, k, v, tau):
    if len(q) == 64:
        raise ValueError("64 is not a number that I like")
    return exact(q, k, v, tau)


def exits(q, k, v):
    raise SystemExit(3)


class Untellable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def raises_what_cannot_be_told(q, k, v):
    raise Untellable


def returns_a_tuple(q, k, v, tau):
    return exact(q, k, v, tau), None


def returns_complex(q, k, v):
    return np.full((len(q), v.shape[1]), 1j)


def forks(q, k, v, tau):
    os.fork()
    return exact(q, k, v, tau)


def writes_into_its_arguments(q, k, v):
    q[:] = k[:] = v[:] = 0
    return v[: len(q)]


def only_the_first_column(q, k, v, tau):
    return exact(q, k, v, tau) * (np.arange(v.shape[1]) == 0)


def values_unsigned(q, k, v, tau):
    return exact(q, k, np.abs(v), tau)


def outputs_in_0_1(q, k, v, tau):
    return np.clip(exact(q, k, v, tau), 0, 1)


def forgets_the_last_query(q, k, v, tau):
    return exact(q, k, v, tau) * (np.arange(1, len(q) + 1) < max(len(q), 2))[:, None]


def pads_with_zeros(q, k, v, tau):
    rows = -len(k) % 16
    return exact(q, *(np.pad(array, ((0, rows), (0, 0))) for array in (k, v)), tau)


not_callable = 3
