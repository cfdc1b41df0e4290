"""How a user's attention kernel is called: layout, array library, temperature, scales.

Run as a script, this file is the process that loads a kernel and calls it. It sees the user's packages, one
of which may be called as this project's are; so it imports none of them, and reads pickles from standard
input and writes them to standard output: see :func:`serve`.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import math
import os
import pickle
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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


class Precision(StrEnum):
    """The type of the arrays that a kernel is given."""

    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"


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
    """Import a module or a file and return a function of it.

    Parameters
    ----------
    target
        MODULE:FUNCTION or FILE.py:FUNCTION; dots are allowed in the latter part (object.method).

    Raises
    ------
    KernelNotFound
        If the text is of neither form, the import fails, or there is no such callable.
    """
    import numpy  # noqa: F401  before a file of that name

    module_name, separator, path = target.rpartition(":")
    if not (module_name and separator and path):
        raise KernelNotFound(f"a kernel is named MODULE:FUNCTION or FILE.py:FUNCTION, not {target!r}")
    try:
        by_file = module_name.endswith(".py")
        found: Any = _import_file(module_name) if by_file else importlib.import_module(module_name)
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


def _import_file(file: str) -> ModuleType:
    """Import a file under its own name; as for ``python FILE``, the files beside it can be imported."""
    path = Path(file).resolve(strict=True)
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(
        path.stem, module
    )  # pickles and dataclasses ask there; a file numpy.py is not NumPy
    spec.loader.exec_module(module)
    return module


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
    import numpy as np

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
    import numpy as np

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
    import numpy as np

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


def pickles() -> tuple[BinaryIO, Callable[[object], None]]:
    """Take standard input and output for pickles: return a file to read, and a function that writes.

    What is printed from now on goes to standard error.
    """
    read, written = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)

    def write(what: object) -> None:
        pickle.dump(what, written)
        written.flush()

    return read, write


def serve() -> None:
    """Load a kernel, then answer one call after the other until there is none; run in the kernel's process.

    Read from standard input: (where to look for modules first, the kernel's name, the four words of the
    convention), then for every call the arguments of :func:`call` from ``queries`` on. Written to standard
    output: why the kernel cannot be loaded, or None; then for every call (why it failed or None, the output,
    seconds).
    """
    requests, answer = pickles()  # so what a kernel prints does not get into the report
    warnings.simplefilter("ignore")  # nor its warnings between the lines of progress
    path, target, (arrays, layout, precision, temperature) = pickle.load(requests)
    sys.path[:0] = [entry for entry in path if entry not in sys.path]
    convention = Convention(Arrays(arrays), Layout(layout), Precision(precision), Temperature(temperature))
    try:
        kernel = load_kernel(target)
    except KernelNotFound as error:
        return answer(str(error))
    answer(None)
    process = os.getpid()
    while True:
        try:
            arguments = pickle.load(requests)
        except EOFError:
            return
        start = time.perf_counter()
        result: tuple[str | None, NDArray[np.float64] | None, float]
        try:
            output = call(kernel, convention, *arguments)
            result = (None, output, time.perf_counter() - start)
        except (Exception, SystemExit) as error:  # whatever a user's kernel raises is its result
            result = (f"{type(error).__name__}: {one_line(error)}", None, 0.0)
        if os.getpid() != process:  # the kernel forked: two answers to one call would shift all that follow
            os._exit(0)
        answer(result)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve()
