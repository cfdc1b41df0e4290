"""The compiled part of the fused kernels: monomials of a tile of tokens, contracted while in cache.

Importing this module imports numba (.5 s) but compiles nothing: a function is compiled for the types of its
arguments when it is first called, and kept on disk. :mod:`reductions.kernels.fused_kernels` calls it.

A tile holds the monomials of TILE tokens *monomial-major*: row j is monomial j of all tokens, which is
row ``parent[j]`` times the row of the variable ``axis[j]``. Interior rows are stored. Leaves are not: in a
run of leaves with one axis, the variable is moved to the other side of the contraction, and the parents' rows
serve; other leaves are made CHUNK rows at a time, contracted, and forgotten (see
:mod:`reductions.kernels.row_order`). No flag of fast mathematics is set.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from reductions.kernels import tiles, vector_exponential, vector_registers
from reductions.kernels.compiled_cache import cached_with
from reductions.kernels.tiles import CHUNK, COLUMN_BLOCK, REGISTER, ROW_BLOCK, TILE
from reductions.kernels.vector_registers import (
    add,
    add_to_double,
    lane_sum,
    load,
    multiply_add,
    store,
    zero,
)

_HALF = 32

_compile = cached_with(numba.njit, tiles, vector_exponential, vector_registers)
_kernel = _compile(nogil=True, error_model="numpy")
# Called by compiled code only, so without wrappers for Python: they compile a little faster.
_part = _compile(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_kernel
def largest_bits(bits: Any, mask: Any, largest: Any) -> None:
    """Put into ``largest`` each column's largest magnitude: without the sign, floats order as integers do."""
    for row in range(bits.shape[0]):
        for i in range(bits.shape[1]):
            largest[i] = max(largest[i], bits[row, i] & mask)


@_part
def _transpose_tokens(tokens: Any, first: Any, scale: Any, x: Any) -> None:
    """Write the tile of scaled tokens from ``first`` on, one row per variable; absent tokens are zero."""
    present = min(TILE, tokens.shape[0] - first)
    for b in range(present):
        for i in range(x.shape[0]):
            x[i, b] = tokens[first + b, i] * scale[i]
    for i in range(x.shape[0]):
        for b in range(present, TILE):
            x[i, b] = 0


@_part
def _copy_values(values: Any, first: Any, scale: Any, wide: Any, narrow: Any) -> None:
    """Write [values, 1] of a tile: the first columns token-major, the others column-major."""
    present = min(TILE, values.shape[0] - first)
    columns, limit = values.shape[1], wide.shape[1]
    wide[:, :] = 0
    narrow[:, :] = 0
    for b in range(present):
        for c in range(min(columns, limit)):
            wide[b, c] = values[first + b, c] * scale[c]
        for c in range(limit, columns):
            narrow[c - limit, b] = values[first + b, c] * scale[c]
        # An absent token has features too (its constant is 1), so its column of ones must be zero.
        if columns < limit:
            wide[b, columns] = 1
        else:
            narrow[columns - limit, b] = 1


@_part
def _multiply_rows(source: Any, x: Any, parent: Any, axis: Any, first: Any, target: Any, into: Any) -> None:
    """Make the rows of the monomials from ``first`` to the end of ``parent`` out of their parents' rows."""
    for j in range(first, parent.shape[0]):
        row, p, i = into + j - first, parent[j], axis[j]
        for b in range(TILE):
            target[row, b] = source[p, b] * x[i, b]


@_part
def _absorb_columns(
    phi: Any, first: Any, rows: Any, wide: Any, column: Any, state: Any, base: Any, nothing: Any
) -> None:
    """Add phi @ wide, for the columns of one register, to the rows of the state from ``base`` on."""
    for a in range(first, first + rows, ROW_BLOCK):
        t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = nothing
        for start in range(0, TILE, CHUNK):
            s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = nothing
            for b in range(start, start + CHUNK):
                v = load(wide, b, column, nothing)
                s0 = multiply_add(phi[a, b], v, s0)
                s1 = multiply_add(phi[a + 1, b], v, s1)
                s2 = multiply_add(phi[a + 2, b], v, s2)
                s3 = multiply_add(phi[a + 3, b], v, s3)
                s4 = multiply_add(phi[a + 4, b], v, s4)
                s5 = multiply_add(phi[a + 5, b], v, s5)
                s6 = multiply_add(phi[a + 6, b], v, s6)
                s7 = multiply_add(phi[a + 7, b], v, s7)
            t0, t1, t2, t3 = add(t0, s0), add(t1, s1), add(t2, s2), add(t3, s3)
            t4, t5, t6, t7 = add(t4, s4), add(t5, s5), add(t6, s6), add(t7, s7)
        row = base + a - first
        add_to_double(state, row, column, t0)
        add_to_double(state, row + 1, column, t1)
        add_to_double(state, row + 2, column, t2)
        add_to_double(state, row + 3, column, t3)
        add_to_double(state, row + 4, column, t4)
        add_to_double(state, row + 5, column, t5)
        add_to_double(state, row + 6, column, t6)
        add_to_double(state, row + 7, column, t7)


@_part
def _absorb_column(
    phi: Any, first: Any, rows: Any, narrow: Any, c: Any, state: Any, column: Any, base: Any
) -> None:
    """Add phi @ narrow[c] to one column of the state; here the registers run along the tokens."""
    nothing = zero(phi, REGISTER)
    lanes = REGISTER // phi.itemsize
    for a in range(first, first + rows, 4):
        s0 = s1 = s2 = s3 = nothing
        for b in range(0, TILE, lanes):
            v = load(narrow, c, b, nothing)
            s0 = multiply_add(load(phi, a, b, nothing), v, s0)
            s1 = multiply_add(load(phi, a + 1, b, nothing), v, s1)
            s2 = multiply_add(load(phi, a + 2, b, nothing), v, s2)
            s3 = multiply_add(load(phi, a + 3, b, nothing), v, s3)
        row = base + a - first
        state[row, column] += lane_sum(s0)
        state[row + 1, column] += lane_sum(s1)
        state[row + 2, column] += lane_sum(s2)
        state[row + 3, column] += lane_sum(s3)


@_part
def _absorb_rows(phi: Any, first: Any, rows: Any, wide: Any, narrow: Any, state: Any, base: Any) -> None:
    """Add phi @ [values, 1] to the state; past ``rows`` rows phi is zero up to a multiple of ROW_BLOCK."""
    lanes = REGISTER // phi.itemsize
    limit = wide.shape[1]
    whole = limit - limit % lanes
    for column in range(0, whole, lanes):
        _absorb_columns(phi, first, rows, wide, column, state, base, zero(phi, REGISTER))
    if whole < limit:
        _absorb_columns(phi, first, rows, wide, whole, state, base, zero(phi, _HALF))
    for c in range(narrow.shape[0]):
        _absorb_column(phi, first, rows, narrow, c, state, limit + c, base)


@_part
def _multiply_values(wide: Any, narrow: Any, x: Any, i: Any, lifted_wide: Any, lifted_narrow: Any) -> None:
    """Multiply [values, 1] of a tile by variable i of the tokens."""
    for b in range(TILE):
        for c in range(wide.shape[1]):
            lifted_wide[b, c] = wide[b, c] * x[i, b]
    for c in range(narrow.shape[0]):
        for b in range(TILE):
            lifted_narrow[c, b] = narrow[c, b] * x[i, b]


@_kernel
def absorb(
    keys: Any,
    values: Any,
    key_scale: Any,
    value_scale: Any,
    parent: Any,
    axis: Any,
    interior: Any,
    runs: Any,
    rest: Any,
    wide: Any,
    narrow: Any,
    state: Any,
) -> None:
    """Add the sum over keys of monomials(k) [v, 1] to the state.

    Parameters
    ----------
    keys, values
        (L, d) and (L, d_v).
    key_scale, value_scale
        Float64 (d,) and (d_v,): powers of two by which columns are multiplied.
    parent, axis, interior, runs, rest
        A :class:`~reductions.kernels.row_order.KernelPlan`.
    wide, narrow
        Buffers (TILE, w) and (n, TILE) of the kernel's type: w + n >= d_v + 1 columns.
    state
        Float64 (r + ROW_BLOCK, w + n), rows in the plan's order.
    """
    phi = np.zeros((interior + ROW_BLOCK, TILE), wide.dtype)
    leaves = np.zeros((CHUNK, TILE), wide.dtype)
    x = np.empty((keys.shape[1], TILE), wide.dtype)
    lifted_wide, lifted_narrow = np.empty_like(wide), np.empty_like(narrow)
    count = parent.shape[0]
    phi[0, :] = 1
    for first in range(0, keys.shape[0], TILE):
        _transpose_tokens(keys, first, key_scale, x)
        _copy_values(values, first, value_scale, wide, narrow)
        _multiply_rows(phi, x, parent[:interior], axis[:interior], 1, phi, 1)
        _absorb_rows(phi, 0, interior, wide, narrow, state, 0)
        lifted = -1
        for run in range(runs.shape[0]):
            # The sum over tokens of (x phi) v is that of phi (x v): x goes to the side with fewer rows.
            row, rows, source, i = runs[run]
            if i != lifted:
                _multiply_values(wide, narrow, x, i, lifted_wide, lifted_narrow)
                lifted = i
            _absorb_rows(phi, source, rows, lifted_wide, lifted_narrow, state, row)
        for base in range(rest, count, CHUNK):
            stop = min(base + CHUNK, count)
            _multiply_rows(phi, x, parent[:stop], axis[:stop], base, leaves, 0)
            if stop - base < CHUNK:
                leaves[stop - base :, :] = 0
            _absorb_rows(leaves, 0, stop - base, wide, narrow, state, base)


@_part
def _emit_columns(
    phi: Any, first: Any, rows: Any, weighted: Any, base: Any, c: Any, x: Any, i: Any, sums: Any
) -> None:
    """Add x[i] * (weighted.T @ phi) to COLUMN_BLOCK rows of the sums, for at most CHUNK rows of phi."""
    nothing = zero(phi, REGISTER)
    n = REGISTER // phi.itemsize
    for b in range(0, TILE, 4 * n):
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = nothing
        s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = nothing
        for a in range(rows):
            p0, p1 = load(phi, first + a, b, nothing), load(phi, first + a, b + n, nothing)
            p2, p3 = load(phi, first + a, b + 2 * n, nothing), load(phi, first + a, b + 3 * n, nothing)
            w0, w1 = weighted[base + a, c], weighted[base + a, c + 1]
            w2, w3 = weighted[base + a, c + 2], weighted[base + a, c + 3]
            s00, s01 = multiply_add(w0, p0, s00), multiply_add(w0, p1, s01)
            s02, s03 = multiply_add(w0, p2, s02), multiply_add(w0, p3, s03)
            s10, s11 = multiply_add(w1, p0, s10), multiply_add(w1, p1, s11)
            s12, s13 = multiply_add(w1, p2, s12), multiply_add(w1, p3, s13)
            s20, s21 = multiply_add(w2, p0, s20), multiply_add(w2, p1, s21)
            s22, s23 = multiply_add(w2, p2, s22), multiply_add(w2, p3, s23)
            s30, s31 = multiply_add(w3, p0, s30), multiply_add(w3, p1, s31)
            s32, s33 = multiply_add(w3, p2, s32), multiply_add(w3, p3, s33)
        _add_registers(sums, c, b, x, i, s00, s01, s02, s03)
        _add_registers(sums, c + 1, b, x, i, s10, s11, s12, s13)
        _add_registers(sums, c + 2, b, x, i, s20, s21, s22, s23)
        _add_registers(sums, c + 3, b, x, i, s30, s31, s32, s33)


@_part
def _add_registers(sums: Any, c: Any, b: Any, x: Any, i: Any, s0: Any, s1: Any, s2: Any, s3: Any) -> None:
    """Add four registers, times x[i], to consecutive entries of a row of the sums."""
    n = REGISTER // sums.itemsize
    store(sums, c, b, multiply_add(load(x, i, b, s0), s0, load(sums, c, b, s0)))
    store(sums, c, b + n, multiply_add(load(x, i, b + n, s0), s1, load(sums, c, b + n, s0)))
    store(sums, c, b + 2 * n, multiply_add(load(x, i, b + 2 * n, s0), s2, load(sums, c, b + 2 * n, s0)))
    store(sums, c, b + 3 * n, multiply_add(load(x, i, b + 3 * n, s0), s3, load(sums, c, b + 3 * n, s0)))


@_part
def _emit_column(
    phi: Any, first: Any, rows: Any, weighted: Any, base: Any, c: Any, x: Any, i: Any, sums: Any
) -> None:
    """Add x[i] * (weighted[:, c] @ phi) to one row of the sums, for at most CHUNK rows of phi."""
    nothing = zero(phi, REGISTER)
    n = REGISTER // phi.itemsize
    for b in range(0, TILE, 8 * n):
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = nothing
        for a in range(rows):
            w, row = weighted[base + a, c], first + a
            s0 = multiply_add(w, load(phi, row, b, nothing), s0)
            s1 = multiply_add(w, load(phi, row, b + n, nothing), s1)
            s2 = multiply_add(w, load(phi, row, b + 2 * n, nothing), s2)
            s3 = multiply_add(w, load(phi, row, b + 3 * n, nothing), s3)
            s4 = multiply_add(w, load(phi, row, b + 4 * n, nothing), s4)
            s5 = multiply_add(w, load(phi, row, b + 5 * n, nothing), s5)
            s6 = multiply_add(w, load(phi, row, b + 6 * n, nothing), s6)
            s7 = multiply_add(w, load(phi, row, b + 7 * n, nothing), s7)
        _add_registers(sums, c, b, x, i, s0, s1, s2, s3)
        _add_registers(sums, c, b + 4 * n, x, i, s4, s5, s6, s7)


@_part
def _emit_rows(phi: Any, first: Any, rows: Any, weighted: Any, base: Any, x: Any, i: Any, sums: Any) -> None:
    """Add x[i] * (weighted.T @ phi) to the sums, for at most CHUNK rows of phi."""
    columns = sums.shape[0]
    whole = columns - columns % COLUMN_BLOCK
    for c in range(0, whole, COLUMN_BLOCK):
        _emit_columns(phi, first, rows, weighted, base, c, x, i, sums)
    for c in range(whole, columns):
        _emit_column(phi, first, rows, weighted, base, c, x, i, sums)


@_part
def _flush(sums: Any, totals: Any) -> None:
    """Add the sums of a segment to the totals in float64, and clear them."""
    nothing = zero(sums, REGISTER)
    for c in range(sums.shape[0]):
        for b in range(0, TILE, REGISTER // sums.itemsize):
            add_to_double(totals, c, b, load(sums, c, b, nothing))
            store(sums, c, b, nothing)


@_part
def _count_chunk(chunks: Any, sums: Any, totals: Any) -> Any:
    """Count a chunk; after TILE // CHUNK of them, a segment is complete."""
    if (chunks + 1) % (TILE // CHUNK) == 0:
        _flush(sums, totals)
    return chunks + 1


@_part
def _divide(totals: Any, scale: Any, first: Any, output: Any) -> None:
    """Write the tile's outputs: weighted sums of the values over the sum of the weights."""
    columns = output.shape[1]
    for b in range(min(TILE, output.shape[0] - first)):
        inverse = 1.0 / totals[columns, b]
        for c in range(columns):
            output[first + b, c] = totals[c, b] * inverse * scale[c]


@_kernel
def emit(
    queries: Any,
    query_scale: Any,
    parent: Any,
    axis: Any,
    interior: Any,
    runs: Any,
    rest: Any,
    weighted: Any,
    value_scale: Any,
    output: Any,
) -> None:
    """Write <monomials(q), weighted[:, :-1]> / <monomials(q), weighted[:, -1]> for every query.

    Parameters
    ----------
    queries
        (L, d).
    query_scale, value_scale
        Float64 (d,) and (d_v,): powers of two by which the queries' and the outputs' columns are multiplied.
    parent, axis, interior, runs, rest
        A :class:`~reductions.kernels.row_order.KernelPlan`.
    weighted
        (r, d_v + 1) of the kernel's type, rows in the plan's order.
    output
        (L, d_v), written.
    """
    dimension, count = queries.shape[1], parent.shape[0]
    phi = np.empty((interior, TILE), weighted.dtype)
    leaves = np.empty((CHUNK, TILE), weighted.dtype)
    # A last row of ones is the factor of what is summed as it is.
    x = np.ones((dimension + 1, TILE), weighted.dtype)
    sums = np.zeros((weighted.shape[1], TILE), weighted.dtype)
    totals = np.empty((weighted.shape[1], TILE), np.float64)
    phi[0, :] = 1
    for first in range(0, queries.shape[0], TILE):
        _transpose_tokens(queries, first, query_scale, x[:dimension])
        _multiply_rows(phi, x, parent[:interior], axis[:interior], 1, phi, 1)
        totals[:, :] = 0
        chunks = 0
        for base in range(0, interior, CHUNK):
            rows = min(CHUNK, interior - base)
            _emit_rows(phi, base, rows, weighted, base, x, dimension, sums)
            chunks = _count_chunk(chunks, sums, totals)
        for run in range(runs.shape[0]):
            row, rows, source, i = runs[run]
            _emit_rows(phi, source, rows, weighted, row, x, i, sums)
            chunks = _count_chunk(chunks, sums, totals)
        for base in range(rest, count, CHUNK):
            stop = min(base + CHUNK, count)
            _multiply_rows(phi, x, parent[:stop], axis[:stop], base, leaves, 0)
            _emit_rows(leaves, 0, stop - base, weighted, base, x, dimension, sums)
            chunks = _count_chunk(chunks, sums, totals)
        _flush(sums, totals)
        _divide(totals, value_scale, first, output)
