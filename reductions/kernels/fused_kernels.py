"""Fused kernels: low-rank attention in two passes that never hold a feature matrix.

:func:`key_state` sums monomials(k) [v, 1] over the keys into a small float64 state, and
:func:`query_outputs` contracts it with the monomials of each query: together they compute

    output[i, c] = sum_alpha w_alpha q_i^alpha S[alpha, c] / sum_alpha w_alpha q_i^alpha S[alpha, d_v]

in O(L r (d_v + 1)) multiply-adds and O(r (d_v + 1)) memory beside input and output (lem-low-rank-attention).
The weights w_alpha act on the state, so one state serves every polynomial and temperature.

Range. Each column of Q, K and V is multiplied by a power of two that brings its largest entry
into [1/2, 1), and the state is scaled back. No monomial exceeds 1, and one that underflows is
negligible; lem-low-rank-rounding counts all of it.
"""

from __future__ import annotations

import itertools
import operator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reductions.kernels.row_order import Monomials, kernel_plan
from reductions.kernels.tiles import REGISTER, ROW_BLOCK, SINGLE_COLUMNS, TILE
from reductions.system.threads import usable_cores

# Below this many multiply-adds, starting a thread costs more than it saves.
_WORTH_A_THREAD = 1 << 22

# Powers of two that scale stay in this range, so that they and their products with an entry are floats.
_LARGEST_EXPONENT = 1000


def key_state(
    keys: ArrayLike,
    values: ArrayLike,
    monomials: Monomials,
    *,
    dtype: Any = np.float32,
    threads: int | None = None,
) -> NDArray[np.float64]:
    """Return S = sum over keys k with value v of monomials(k) [v, 1], shape (r, d_v + 1).

    Parameters
    ----------
    keys, values
        K (L, d) and V (L, d_v), finite, any strides; L = 0 gives zeros.
    monomials
        The monomials in the keys' d variables.
    dtype
        numpy.float32 or numpy.float64: the type of monomials and of sums over 128 tokens. Longer sums
        are float64.
    threads
        How many at most; None: one per processor.

    Raises
    ------
    TypeError
        If an array is not one of real numbers.
    ValueError
        If shapes do not fit, an entry is not finite, or the state exceeds the range of float64.
    """
    key_rows, value_rows = _tokens("keys", keys), _tokens("values", values)
    kind, workers = _kernel_type(dtype), _thread_count(threads)
    _require_variables("keys", key_rows, monomials)
    if len(value_rows) != len(key_rows):
        raise ValueError(
            f"Argument 'values' must have one row for each of the {len(key_rows)} keys, "
            f"not {len(value_rows)}."
        )
    columns = value_rows.shape[1] + 1
    if not len(key_rows):
        return np.zeros((len(monomials), columns))
    from reductions.kernels import compiled_kernels as compiled

    common = np.result_type(key_rows, value_rows)
    key_rows, value_rows = key_rows.astype(common, copy=False), value_rows.astype(common, copy=False)
    key_exponents, value_exponents = _exponents("keys", key_rows), _exponents("values", value_rows)
    scales = np.ldexp(1.0, -key_exponents), np.ldexp(1.0, -value_exponents)
    wide, narrow = _column_split(columns, kind)
    plan = kernel_plan(monomials)
    parts = _parts(len(key_rows), len(monomials) * columns, workers)

    def absorb(part: slice) -> NDArray[np.float64]:
        state = np.zeros((len(monomials) + ROW_BLOCK, wide + narrow))
        compiled.absorb(
            key_rows[part],
            value_rows[part],
            *scales,
            plan.parent,
            plan.axis,
            plan.interior,
            plan.runs,
            plan.rest,
            np.empty((TILE, wide), kind),
            np.empty((narrow, TILE), kind),
            state,
        )
        return state[: len(monomials), :columns]

    states = _run(absorb, parts)
    total = np.empty((len(monomials), columns))
    total[plan.order] = states[0]
    for state in states[1:]:
        total[plan.order] += state
    shift = (monomials.exponents @ key_exponents)[:, None] + np.append(value_exponents, 0)
    with np.errstate(over="ignore"):
        scaled: NDArray[np.float64] = np.ldexp(total, shift)
    if not np.isfinite(scaled).all():
        raise ValueError("Argument 'keys' must be such that the state is in the range of float64; it is not.")
    return scaled


def query_outputs(
    queries: ArrayLike,
    state: ArrayLike,
    weights: ArrayLike,
    monomials: Monomials,
    *,
    dtype: Any = np.float32,
    threads: int | None = None,
) -> NDArray[Any]:
    """Return the outputs of low-rank attention for a state, shape (L, d_v), of type ``dtype``.

    Parameters
    ----------
    queries
        Q (L, d), finite, any strides.
    state
        S (r, d_v + 1) of :func:`key_state`, or a sum of several; its last column counts the keys.
    weights
        w (r,), for instance of :func:`reductions.upper_bound.monomial_features.weights`.
    monomials
        The monomials that the rows of the state belong to.
    dtype
        numpy.float32 or numpy.float64: the type of monomials, weighted state, and sums over 128 monomials.
    threads
        How many at most; None: one per processor.

    Returns
    -------
    numpy.ndarray
        Numbers that mean something where the polynomial is positive on all logits.

    Raises
    ------
    TypeError
        If an array is not one of real numbers.
    ValueError
        If shapes do not fit, an entry is not finite, or the weighted state exceeds the range of float64.
    """
    rows = _tokens("queries", queries)
    kind, workers = _kernel_type(dtype), _thread_count(threads)
    _require_variables("queries", rows, monomials)
    table, factors = np.asarray(state, np.float64), np.asarray(weights, np.float64)
    if table.ndim != 2 or len(table) != len(monomials) or not table.shape[1]:
        raise ValueError(f"Argument 'state' must be of shape ({len(monomials)}, d_v + 1), not {table.shape}.")
    if factors.shape != (len(monomials),):
        raise ValueError(f"Argument 'weights' must be of shape ({len(monomials)},), not {factors.shape}.")
    output = np.empty((len(rows), table.shape[1] - 1), kind)
    if not output.size:
        return output
    from reductions.kernels import compiled_kernels as compiled

    exponents = _exponents("queries", rows)
    with np.errstate(over="ignore", invalid="ignore"):
        weighted = np.ldexp(table * factors[:, None], (monomials.exponents @ exponents)[:, None])
    largest = np.abs(weighted).max(axis=0)
    if not np.isfinite(largest).all():
        raise ValueError("Argument 'state' times the weights must be in the range of float64; it is not.")
    columns = np.frexp(largest)[1]
    plan = kernel_plan(monomials)
    weighted = np.ldexp(weighted, -columns).astype(kind)[plan.order]
    value_scale = np.ldexp(1.0, columns[:-1] - columns[-1])

    def emit(part: slice) -> None:
        compiled.emit(
            rows[part],
            np.ldexp(1.0, -exponents),
            plan.parent,
            plan.axis,
            plan.interior,
            plan.runs,
            plan.rest,
            weighted,
            value_scale,
            output[part],
        )

    _run(emit, _parts(len(rows), weighted.size, workers))
    return output


def _tokens(name: str, array: ArrayLike) -> NDArray[Any]:
    """Return a C-contiguous float32 or float64 matrix with the same entries."""
    given = np.asarray(array)
    if given.dtype.kind not in "fiub":
        raise TypeError(f"Argument {name!r} must be an array of real numbers, not of {given.dtype}.")
    if given.ndim != 2:
        raise ValueError(f"Argument {name!r} must be a matrix, not of shape {given.shape}.")
    narrow = given.dtype.kind == "f" and given.dtype.itemsize <= 4
    return np.ascontiguousarray(given, np.float32 if narrow else np.float64)


def _require_variables(name: str, rows: NDArray[Any], monomials: Monomials) -> None:
    if rows.shape[1] != monomials.dimension:
        raise ValueError(
            f"Argument {name!r} must have the {monomials.dimension} columns of the monomials, "
            f"not {rows.shape[1]}."
        )


def _kernel_type(dtype: Any) -> Any:
    kind = np.dtype(dtype)
    if kind not in (np.float32, np.float64):
        raise ValueError(f"Argument 'dtype' must be float32 or float64, not {kind}.")
    return kind


def _thread_count(threads: int | None) -> int:
    if threads is None:
        return usable_cores()
    count = operator.index(threads)
    if count < 1:
        raise ValueError(f"Argument 'threads' must be at least 1, not {count}.")
    return count


def _exponents(name: str, rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return, per column, e such that its entries times 2^-e are below 1, the largest at least 1/2.

    Columns of zeros get the least exponent, so that their monomials do not count in the range of the others.

    Raises
    ------
    ValueError
        If an entry is not finite.
    """
    from reductions.kernels import compiled_kernels as compiled

    columns = rows.shape[1]
    if not rows.size:
        return np.full(columns, -_LARGEST_EXPONENT)
    # Long rows fill whole registers: sixteen tokens at a time where their number allows.
    folded = rows.reshape(-1, 16 * columns) if len(rows) % 16 == 0 else rows
    integer = np.dtype(f"u{rows.dtype.itemsize}")
    largest = np.zeros(folded.shape[1], integer)
    mask = integer.type(np.iinfo(integer).max >> 1)
    compiled.largest_bits(folded.view(integer), mask, largest)
    magnitudes = largest.reshape(-1, columns).max(axis=0).view(rows.dtype)
    if not np.isfinite(magnitudes).all():
        raise ValueError(f"Argument {name!r} must have finite entries only.")
    exponents: NDArray[np.int64] = np.frexp(magnitudes.astype(np.float64))[1].astype(np.int64)
    exponents[magnitudes == 0] = -_LARGEST_EXPONENT
    return exponents.clip(-_LARGEST_EXPONENT)


def _column_split(columns: int, kind: np.dtype[Any]) -> tuple[int, int]:
    """Return how many columns the key side holds in registers along the columns, and how many one by one."""
    lanes = REGISTER // kind.itemsize
    wide, rest = divmod(columns, lanes)
    # A column by itself costs a sixth of a register of columns, half a register's width more than a half.
    for fits in (0, lanes // 2):
        if fits <= rest <= fits + SINGLE_COLUMNS:
            return wide * lanes + fits, rest - fits
    return wide * lanes + (lanes // 2 if rest < lanes // 2 else lanes), 0


def _parts(tokens: int, cost: int, threads: int) -> list[slice]:
    """Split the tokens into runs of whole tiles of nearly equal length, one per thread."""
    tiles = -(-tokens // TILE)
    count = max(1, min(threads, tiles, tokens * cost // _WORTH_A_THREAD))
    ends = [TILE * (tiles * part // count) for part in range(count + 1)]
    return [slice(start, end) for start, end in itertools.pairwise(ends)]


def _run(work: Any, parts: list[slice]) -> list[Any]:
    if len(parts) == 1:
        return [work(parts[0])]
    with ThreadPoolExecutor(max_workers=len(parts)) as pool:
        return list(pool.map(work, parts))
