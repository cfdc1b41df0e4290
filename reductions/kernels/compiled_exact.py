"""The compiled part of exact attention: logits, weights and sums of a tile of pairs, while it is in cache.

The lanes of a register are queries, so that nothing ever runs across lanes: a tile of queries is held one row
per variable, entries of keys and values are numbers that a register is multiplied by, and a query's
maximum is taken lane by lane. :mod:`reductions.kernels.exact_kernel` calls it.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from reductions.kernels import tiles, vector_exponential, vector_registers
from reductions.kernels.compiled_cache import cached_with
from reductions.kernels.tiles import KEY_TILE, QUERY_REGISTERS, REGISTER
from reductions.kernels.vector_registers import (
    add,
    add_to_double,
    larger,
    load,
    multiply_add,
    power_of_two,
    store,
    zero,
)

_compile = cached_with(numba.njit, tiles, vector_exponential, vector_registers)
_kernel = _compile(nogil=True, error_model="numpy")
_part = _compile(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_part
def _transpose_queries(queries: Any, first: Any, x: Any) -> None:
    """Write the tile of queries from ``first`` on, one row per variable; absent queries are zero."""
    present = min(x.shape[1], queries.shape[0] - first)
    for b in range(present):
        for i in range(x.shape[0]):
            x[i, b] = queries[first + b, i]
    for i in range(x.shape[0]):
        for b in range(present, x.shape[1]):
            x[i, b] = 0


@_part
def _logits(keys: Any, first: Any, count: Any, x: Any, logits: Any, peak: Any) -> None:
    """Write the logits of ``count`` keys from ``first`` on, and raise ``peak`` to the largest."""
    nothing = zero(x, REGISTER)
    n = REGISTER // x.itemsize
    m0, m1, m2, m3 = (
        load(peak, 0, 0, nothing),
        load(peak, 0, n, nothing),
        load(peak, 0, 2 * n, nothing),
        load(peak, 0, 3 * n, nothing),
    )
    whole = count - count % 4
    for j in range(0, whole, 4):
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = nothing
        s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = nothing
        for i in range(x.shape[0]):
            x0, x1 = load(x, i, 0, nothing), load(x, i, n, nothing)
            x2, x3 = load(x, i, 2 * n, nothing), load(x, i, 3 * n, nothing)
            k0, k1 = keys[first + j, i], keys[first + j + 1, i]
            k2, k3 = keys[first + j + 2, i], keys[first + j + 3, i]
            s00, s01 = multiply_add(k0, x0, s00), multiply_add(k0, x1, s01)
            s02, s03 = multiply_add(k0, x2, s02), multiply_add(k0, x3, s03)
            s10, s11 = multiply_add(k1, x0, s10), multiply_add(k1, x1, s11)
            s12, s13 = multiply_add(k1, x2, s12), multiply_add(k1, x3, s13)
            s20, s21 = multiply_add(k2, x0, s20), multiply_add(k2, x1, s21)
            s22, s23 = multiply_add(k2, x2, s22), multiply_add(k2, x3, s23)
            s30, s31 = multiply_add(k3, x0, s30), multiply_add(k3, x1, s31)
            s32, s33 = multiply_add(k3, x2, s32), multiply_add(k3, x3, s33)
        _store_four(logits, j, s00, s01, s02, s03)
        _store_four(logits, j + 1, s10, s11, s12, s13)
        _store_four(logits, j + 2, s20, s21, s22, s23)
        _store_four(logits, j + 3, s30, s31, s32, s33)
        m0 = larger(larger(m0, larger(s00, s10)), larger(s20, s30))
        m1 = larger(larger(m1, larger(s01, s11)), larger(s21, s31))
        m2 = larger(larger(m2, larger(s02, s12)), larger(s22, s32))
        m3 = larger(larger(m3, larger(s03, s13)), larger(s23, s33))
    for j in range(whole, count):
        s0 = s1 = s2 = s3 = nothing
        for i in range(x.shape[0]):
            k = keys[first + j, i]
            s0 = multiply_add(k, load(x, i, 0, nothing), s0)
            s1 = multiply_add(k, load(x, i, n, nothing), s1)
            s2 = multiply_add(k, load(x, i, 2 * n, nothing), s2)
            s3 = multiply_add(k, load(x, i, 3 * n, nothing), s3)
        _store_four(logits, j, s0, s1, s2, s3)
        m0, m1, m2, m3 = larger(m0, s0), larger(m1, s1), larger(m2, s2), larger(m3, s3)
    _store_four(peak, 0, m0, m1, m2, m3)


@_part
def _store_four(array: Any, row: Any, s0: Any, s1: Any, s2: Any, s3: Any) -> None:
    n = REGISTER // array.itemsize
    store(array, row, 0, s0)
    store(array, row, n, s1)
    store(array, row, 2 * n, s2)
    store(array, row, 3 * n, s3)


@_part
def _raise_reference(peak: Any, magic: Any, reference: Any, totals: Any) -> None:
    """Raise the references to the rounded peaks, and divide the totals by the same powers of two."""
    for b in range(peak.shape[1]):
        higher = peak[0, b] + magic
        if higher > reference[0, b]:
            # A difference of integers: exact, and so is the factor, unless it underflows.
            factor = math.ldexp(1.0, int(max(reference[0, b] - higher, -3000)))
            for c in range(totals.shape[0]):
                totals[c, b] *= factor
            reference[0, b] = higher


@_part
def _weights(logits: Any, count: Any, reference: Any, totals: Any) -> None:
    """Turn logits into weights, and add these to the last row of the totals."""
    nothing = zero(logits, REGISTER)
    n = REGISTER // logits.itemsize
    r0, r1 = load(reference, 0, 0, nothing), load(reference, 0, n, nothing)
    r2, r3 = load(reference, 0, 2 * n, nothing), load(reference, 0, 3 * n, nothing)
    s0 = s1 = s2 = s3 = nothing
    for j in range(count):
        w0 = power_of_two(load(logits, j, 0, nothing), r0)
        w1 = power_of_two(load(logits, j, n, nothing), r1)
        w2 = power_of_two(load(logits, j, 2 * n, nothing), r2)
        w3 = power_of_two(load(logits, j, 3 * n, nothing), r3)
        _store_four(logits, j, w0, w1, w2, w3)
        s0, s1, s2, s3 = add(s0, w0), add(s1, w1), add(s2, w2), add(s3, w3)
    _add_four(totals, totals.shape[0] - 1, s0, s1, s2, s3)


@_part
def _add_four(totals: Any, row: Any, s0: Any, s1: Any, s2: Any, s3: Any) -> None:
    n = totals.shape[1] // QUERY_REGISTERS
    add_to_double(totals, row, 0, s0)
    add_to_double(totals, row, n, s1)
    add_to_double(totals, row, 2 * n, s2)
    add_to_double(totals, row, 3 * n, s3)


@_part
def _sums(values: Any, first: Any, count: Any, weights: Any, totals: Any) -> None:
    """Add the weighted sums of ``count`` values from ``first`` on to the totals."""
    nothing = zero(weights, REGISTER)
    n = REGISTER // weights.itemsize
    columns = values.shape[1]
    whole = columns - columns % 4
    for c in range(0, whole, 4):
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = nothing
        s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = nothing
        for j in range(count):
            w0, w1 = load(weights, j, 0, nothing), load(weights, j, n, nothing)
            w2, w3 = load(weights, j, 2 * n, nothing), load(weights, j, 3 * n, nothing)
            v0, v1 = values[first + j, c], values[first + j, c + 1]
            v2, v3 = values[first + j, c + 2], values[first + j, c + 3]
            s00, s01 = multiply_add(v0, w0, s00), multiply_add(v0, w1, s01)
            s02, s03 = multiply_add(v0, w2, s02), multiply_add(v0, w3, s03)
            s10, s11 = multiply_add(v1, w0, s10), multiply_add(v1, w1, s11)
            s12, s13 = multiply_add(v1, w2, s12), multiply_add(v1, w3, s13)
            s20, s21 = multiply_add(v2, w0, s20), multiply_add(v2, w1, s21)
            s22, s23 = multiply_add(v2, w2, s22), multiply_add(v2, w3, s23)
            s30, s31 = multiply_add(v3, w0, s30), multiply_add(v3, w1, s31)
            s32, s33 = multiply_add(v3, w2, s32), multiply_add(v3, w3, s33)
        _add_four(totals, c, s00, s01, s02, s03)
        _add_four(totals, c + 1, s10, s11, s12, s13)
        _add_four(totals, c + 2, s20, s21, s22, s23)
        _add_four(totals, c + 3, s30, s31, s32, s33)
    for c in range(whole, columns):
        s0 = s1 = s2 = s3 = nothing
        for j in range(count):
            v = values[first + j, c]
            s0 = multiply_add(v, load(weights, j, 0, nothing), s0)
            s1 = multiply_add(v, load(weights, j, n, nothing), s1)
            s2 = multiply_add(v, load(weights, j, 2 * n, nothing), s2)
            s3 = multiply_add(v, load(weights, j, 3 * n, nothing), s3)
        _add_four(totals, c, s0, s1, s2, s3)


@_part
def _divide(totals: Any, first: Any, output: Any) -> None:
    columns = output.shape[1]
    for b in range(min(totals.shape[1], output.shape[0] - first)):
        for c in range(columns):
            output[first + b, c] = totals[c, b] / totals[columns, b]


@_kernel
def attend(queries: Any, keys: Any, values: Any, magic: Any, output: Any) -> None:
    """Write softmax attention of every query to all keys.

    Parameters
    ----------
    queries, keys, values
        (L_q, d), (L_k, d), (L_k, d_v), C-contiguous, of the kernel's type; the inner products of queries and
        keys are the logits in base 2.
    magic
        That of the type's exponential, as a number of the type.
    output
        Float64 (L_q, d_v), written.
    """
    tile = QUERY_REGISTERS * (REGISTER // keys.itemsize)
    x = np.empty((queries.shape[1], tile), keys.dtype)
    logits = np.empty((KEY_TILE, tile), keys.dtype)
    peak = np.empty((1, tile), keys.dtype)
    reference = np.empty((1, tile), keys.dtype)
    totals = np.empty((values.shape[1] + 1, tile), np.float64)
    for first in range(0, queries.shape[0], tile):
        _transpose_queries(queries, first, x)
        totals[:, :] = 0
        peak[:, :] = -np.inf
        reference[:, :] = -np.inf
        for start in range(0, keys.shape[0], KEY_TILE):
            count = min(KEY_TILE, keys.shape[0] - start)
            _logits(keys, start, count, x, logits, peak)
            _raise_reference(peak, magic, reference, totals)
            _weights(logits, count, reference, totals)
            _sums(values, start, count, logits, totals)
        _divide(totals, first, output)


@_kernel
def powers_of_two(exponents: Any, reference: Any, powers: Any) -> None:
    """Write 2^(s - m) for rows of four registers; the reference, one row, is magic + m. For tests."""
    totals = np.zeros((1, exponents.shape[1]))
    powers[:, :] = exponents
    _weights(powers, exponents.shape[0], reference, totals)
