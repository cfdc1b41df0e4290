"""Check the arguments of the fast attention, and turn them into arrays that kernels take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reductions.problem import require_matrix_shape

Matrix = NDArray[np.floating[Any]]

_EXACT_INTEGER = 2**53


@dataclass(frozen=True, eq=False)
class Inputs:
    """Checked arguments: contiguous arrays of one dtype, float32 or float64, with the very numbers given."""

    queries: Matrix
    keys: Matrix
    values: Matrix
    temperature: float
    tolerance: float


def checked_inputs(
    queries: ArrayLike, keys: ArrayLike, values: ArrayLike, temperature: float, tolerance: float
) -> Inputs:
    """Return the arguments as arrays, or raise.

    Whole numbers become float64, float16 becomes float32, and where one array is float64 all become
    float64; no number changes. That entries are finite is seen later, where their extents are measured.

    Raises
    ------
    TypeError
        If an argument is no array of real numbers that float64 can hold.
    ValueError
        If shapes do not fit, there is no key, the temperature is not a positive number, or the tolerance
        is negative or not a number.
    """
    temperature = _number("temperature", temperature)
    if not 0 < temperature < math.inf:
        raise ValueError(f"Argument 'temperature' must be a positive number, not {temperature}.")
    tolerance = _number("tolerance", tolerance)
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"Argument 'tolerance' must be a finite number >= 0, not {tolerance}.")
    q, k, v = (_array(name, a) for name, a in (("queries", queries), ("keys", keys), ("values", values)))
    require_matrix_shape("queries", q.shape)
    require_matrix_shape("keys", k.shape, q.shape[1])
    require_matrix_shape("values", v.shape)
    if not len(k):
        raise ValueError("Argument 'keys' must have at least one row, not none.")
    if len(v) != len(k):
        raise ValueError(f"Argument 'values' must have {len(k)} rows, one for each key, not {len(v)}.")
    dtype = np.result_type(q, k, v)
    q, k, v = (np.ascontiguousarray(array, dtype=dtype) for array in (q, k, v))
    return Inputs(q, k, v, temperature, tolerance)


def checked_scale_ends(scale_ends: Sequence[int], tokens: int) -> list[int]:
    """Return the number of tokens up to each scale as a list of ints, or raise.

    Raises
    ------
    TypeError
        If it is not a sequence of whole numbers.
    ValueError
        If the numbers do not increase from at least 1 to the number of tokens.
    """
    given = np.asarray(scale_ends)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise TypeError(f"Argument 'scale_ends' must be a sequence of whole numbers, not {scale_ends!r}.")
    ends: list[int] = given.tolist()
    if not ends or ends[0] < 1 or any(b <= a for a, b in pairwise(ends)):
        raise ValueError(f"Argument 'scale_ends' must increase from at least 1, not be {ends}.")
    if ends[-1] != tokens:
        raise ValueError(
            f"Argument 'scale_ends' must end with {tokens}, the number of tokens, not {ends[-1]}."
        )
    return ends


def require_finite(name: str, finite: bool) -> None:
    """Raise ValueError unless an array's entries are finite."""
    if not finite:
        raise ValueError(f"Argument {name!r} must have finite entries, not NaN or infinity.")


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"Argument {name!r} must be a real number, not {value!r}.") from None


def _array(name: str, given: Any) -> NDArray[Any]:
    if isinstance(given, np.ma.MaskedArray):
        raise TypeError(f"Argument {name!r} must be an array without a mask of its own, not a masked array.")
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"Argument {name!r} must be an array of real numbers, not {type(given).__name__}."
        ) from None
    native = array.dtype.newbyteorder("=")
    if native == np.float16:
        return array.astype(np.float32)
    if native in (np.float32, np.float64):
        return array.astype(native, copy=False)
    if array.dtype.kind not in "biu":
        raise TypeError(f"Argument {name!r} must be an array of float32 or float64, not of {array.dtype}.")
    # Compared as Python's integers: the absolute value of the least int64 is no int64.
    if array.size and max(-int(array.min()), int(array.max())) > _EXACT_INTEGER:
        raise ValueError(f"Argument {name!r} must have whole numbers up to 2^53 in size, not larger ones.")
    return array.astype(np.float64)
