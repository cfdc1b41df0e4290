"""How a user's attention kernel is called: layout, array library, temperature, scales."""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reductions.conformance.low_precision import Precision

Kernel = Callable[..., Any]


class Arrays(StrEnum):
    """The library whose arrays a kernel takes."""

    NUMPY = "numpy"
    TORCH = "torch"
    JAX = "jax"


class Layout(StrEnum):
    """The shape of queries, keys and values."""

    ROWS = "ld"  # (L, d)
    HEADS = "bhld"  # (1, 1, L, d)


class Temperature(StrEnum):
    """How a kernel learns what divides the logits."""

    AUTO = "auto"  # by the names of its parameters
    TEMPERATURE = "temperature"  # temperature=tau
    SCALE = "scale"  # scale=1/tau
    ROOT = "root"  # not at all: it divides by the square root of d


_NAMES = {"temperature": ("temperature", "tau"), "scale": ("scale", "sm_scale", "softmax_scale")}


@dataclass(frozen=True)
class Convention:
    """How to call a kernel."""

    arrays: Arrays = Arrays.NUMPY
    layout: Layout = Layout.ROWS
    precision: Precision = Precision.FLOAT32
    temperature: Temperature = Temperature.AUTO

    def __post_init__(self) -> None:
        if self.precision is Precision.BFLOAT16 and self.arrays is Arrays.NUMPY:
            raise ValueError(
                "Argument 'precision' must not be bfloat16 for NumPy arrays: NumPy has no such type."
            )


class KernelNotFound(ValueError):
    """The kernel could not be loaded; the message is one line."""


def load_kernel(target: str) -> Kernel:
    """Import MODULE and return its FUNCTION (dots allowed: MODULE:object.method).

    Raises
    ------
    KernelNotFound
        If the text is not MODULE:FUNCTION, the import fails, or there is no such callable.
    """
    module_name, separator, path = target.partition(":")
    if not (module_name and separator and path):
        raise KernelNotFound(f"a kernel is named MODULE:FUNCTION, not {target!r}")
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:  # whatever a user's module does when it is imported
        raise KernelNotFound(
            f"cannot import {module_name}: {type(error).__name__}: {one_line(error)}"
        ) from None
    for name in path.split("."):
        if not hasattr(found, name):
            raise KernelNotFound(f"{module_name} has no {path}")
        found = getattr(found, name)
    if not callable(found):
        raise KernelNotFound(f"{target} is no function but of type {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def one_line(error: BaseException) -> str:
    """Return the first line of an error's message, at most 200 characters."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # of a user's class
        lines = []
    return lines[0][:200] if lines else "no message"


def call(
    kernel: Kernel,
    convention: Convention,
    queries: NDArray[np.float64],
    keys: NDArray[np.float64],
    values: NDArray[np.float64],
    temperature: float,
    scale_ends: tuple[int, ...] | None = None,
) -> NDArray[np.float64]:
    """Call a kernel on one head and return its output, shape (L_q, d_v), as float64.

    Parameters
    ----------
    queries, keys, values
        Shapes (L_q, d), (L_k, d), (L_k, d_v), with numbers of the convention's precision.
    scale_ends
        For block-causal attention: the end of every scale. A kernel with a parameter of that name gets it;
        any other is called once a scale, with the queries of that scale and the keys so far.

    Raises
    ------
    ValueError
        If the output is not one array of real numbers, or has not the shape of an attention output.
    Exception
        Whatever the kernel raises.
    """
    named, queries = _temperature_argument(kernel, convention.temperature, queries, temperature)

    def once(q: NDArray[np.float64], k: NDArray[np.float64], v: NDArray[np.float64], **more: Any) -> Any:
        arguments = (_to_library(array, convention) for array in (q, k, v))
        output = _real_numbers(kernel(*arguments, **named, **more))
        heads = (1, 1) if convention.layout is Layout.HEADS else ()
        shape = (*heads, len(q), v.shape[1])
        if output.shape != shape:
            raise ValueError(f"the output has shape {output.shape} where {shape} was due")
        return output.reshape(len(q), v.shape[1])

    if scale_ends is None:
        return np.asarray(once(queries, keys, values))
    if "scale_ends" in parameter_names(kernel):
        return np.asarray(once(queries, keys, values, scale_ends=scale_ends))
    starts = (0, *scale_ends[:-1])
    return np.concatenate(
        [
            once(queries[start:end], keys[:end], values[:end])
            for start, end in zip(starts, scale_ends, strict=True)
        ]
    )


def parameter_names(kernel: Kernel) -> tuple[str, ...]:
    """Return the names of a kernel's parameters; none where it does not tell (functions written in C)."""
    try:
        return tuple(inspect.signature(kernel).parameters)
    except (TypeError, ValueError):
        return ()


def _temperature_argument(
    kernel: Kernel, how: Temperature, queries: NDArray[np.float64], temperature: float
) -> tuple[dict[str, float], NDArray[np.float64]]:
    """Return the keyword that says the temperature, and the queries, scaled where there is none."""
    names = parameter_names(kernel)
    for kind in ("temperature", "scale"):
        given = next((name for name in _NAMES[kind] if name in names), None)
        if how == kind or (how is Temperature.AUTO and given):
            return {given or kind: temperature if kind == "temperature" else 1 / temperature}, queries
    # The suites' dimensions are powers of four and their temperatures powers of two: this is exact.
    return {}, queries * (math.sqrt(queries.shape[1]) / temperature)


def _to_library(array: NDArray[np.float64], convention: Convention) -> Any:
    if convention.layout is Layout.HEADS:
        array = array[None, None]
    dtype = str(convention.precision)
    if convention.arrays is Arrays.NUMPY:
        return array.astype(dtype)
    if convention.arrays is Arrays.TORCH:
        import torch

        # A copy even in float64: a kernel that writes into its arguments spoils no later scale.
        return torch.from_numpy(np.ascontiguousarray(array)).to(getattr(torch, dtype), copy=True)
    import jax.numpy

    return jax.numpy.asarray(array, dtype=dtype)


def _real_numbers(output: Any) -> NDArray[np.float64]:
    """Return a kernel's output as float64; ``np.asarray`` alone would take text, and drop imaginary parts."""
    if isinstance(output, tuple):
        raise ValueError(f"the kernel returned a tuple of {len(output)} where one array was due")
    if type(output).__module__.partition(".")[0] == "torch":
        array = output.detach().to("cpu")
        if not array.is_complex():
            array = array.double()
        array = array.numpy()
    else:
        array = np.asarray(output)
    if array.dtype.kind in "cSUmM":
        raise ValueError(f"the output is of {array.dtype} where real numbers were due")
    return np.asarray(array, dtype=np.float64)
