"""Vector registers for compiled kernels: a few instructions on short vectors, spelt out.

A compiler that vectorises loops by itself decides anew in every version what stays in a register. The
kernels of this package spell it out instead: a value of type *vector* is a row of floats that LLVM keeps in
registers (one of 64 bytes where the processor has AVX-512, several smaller ones elsewhere). The functions
below are usable in compiled code only. None assumes that a number is finite, and none lets
the compiler change an order of summation; a product may be fused with the addition that follows it.

``subquartic bench gemm`` justifies this module: it measures what fraction of the speed of a library's matrix
product the low-rank kernels reach.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending
from numba.core import cgutils as _cgutils
from numba.core import types
from numba.extending import models, register_model

from reductions.kernels.vector_exponential import EXPONENTIALS

# Typed in part only: to a type checker an intrinsic has the arguments of its generator.
intrinsic: Any = extending.intrinsic
cgutils: Any = _cgutils

_INT32 = ir.IntType(32)


class Vector(types.Type):
    """The numba type of a vector of ``lanes`` floats."""

    def __init__(self, dtype: Any, lanes: int) -> None:
        self.dtype = dtype
        self.lanes = lanes
        super().__init__(name=f"Vector({dtype}, {lanes})")


def _llvm(vector: Vector) -> Any:
    scalar = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}[vector.dtype]
    return ir.VectorType(scalar, vector.lanes)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, _llvm(vector))


def _address(context: Any, builder: Any, array: Any, arguments: Any, vector: Vector) -> Any:
    """Return where the entries [row, column], [row, column + 1], ... of a C-contiguous matrix begin."""
    struct = context.make_array(array)(context, builder, arguments[0])
    pointer = cgutils.get_item_pointer(context, builder, array, struct, list(arguments[1:3]))
    return builder.bitcast(pointer, _llvm(vector).as_pointer())


@intrinsic(prefer_literal=True)
def zero(typing_context: Any, array: Any, size: Any) -> Any:
    """zero(array, size): a vector of ``size`` bytes (a literal) of zeros of the array's type."""
    vector = Vector(array.dtype, size.literal_value * 8 // array.dtype.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(_llvm(vector), [0.0] * vector.lanes)

    return vector(array, size), generate


@intrinsic
def load(typing_context: Any, array: Any, row: Any, column: Any, like: Any) -> Any:
    """load(array, row, column, like): the entries from [row, column] on, as many as ``like`` has."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments, like)
        return builder.load(address, align=array.dtype.bitwidth // 8)

    return like(array, types.intp, types.intp, like), generate


@intrinsic
def store(typing_context: Any, array: Any, row: Any, column: Any, vector: Any) -> Any:
    """store(array, row, column, vector): write the entries from [row, column] on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments, vector)
        builder.store(arguments[3], address, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, vector), generate


@intrinsic
def add_to_double(typing_context: Any, array: Any, row: Any, column: Any, vector: Any) -> Any:
    """add_to_double(array, row, column, vector): add it, widened, to entries of a float64 matrix."""
    double = Vector(types.float64, vector.lanes)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, arguments, double)
        widened = arguments[3]
        if vector.dtype != types.float64:
            widened = builder.fpext(widened, _llvm(double))
        builder.store(builder.fadd(builder.load(address, align=8), widened), address, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, vector), generate


@intrinsic
def add(typing_context: Any, left: Any, right: Any) -> Any:
    """add(left, right): the sum of two vectors."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments)

    return left(left, left), generate


@intrinsic
def larger(typing_context: Any, left: Any, right: Any) -> Any:
    """larger(left, right): the larger entry of each lane, neither being NaN."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return left(left, left), generate


@intrinsic
def multiply_add(typing_context: Any, factor: Any, vector: Any, total: Any) -> Any:
    """multiply_add(factor, vector, total): total + factor * vector; the factor is a number or a vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = _llvm(vector)
        multiplier = arguments[0]
        if not isinstance(factor, Vector):
            undefined = ir.Constant(kind, ir.Undefined)
            first = builder.insert_element(undefined, multiplier, ir.Constant(_INT32, 0))
            multiplier = builder.shuffle_vector(first, undefined, _lanes([0] * vector.lanes))
        return _fmuladd(builder, vector, multiplier, arguments[1], arguments[2])

    return vector(factor, vector, vector), generate


@intrinsic
def power_of_two(typing_context: Any, exponents: Any, reference: Any) -> Any:
    """power_of_two(s, magic + m): 2^(s - m), as :mod:`reductions.kernels.vector_exponential` says."""
    exponential = EXPONENTIALS[np.dtype(exponents.dtype.name)]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, lanes = _llvm(exponents), exponents.lanes
        integers = ir.VectorType(ir.IntType(exponents.dtype.bitwidth), lanes)

        def all_lanes(of: Any, number: float) -> Any:
            return ir.Constant(of, [number] * lanes)

        magic = all_lanes(kind, exponential.magic)
        shifted = builder.fadd(arguments[0], magic)
        rest = builder.fsub(arguments[0], builder.fsub(shifted, magic))
        result = all_lanes(kind, exponential.coefficients[-1])
        for coefficient in exponential.coefficients[-2::-1]:
            result = _fmuladd(builder, exponents, result, rest, all_lanes(kind, coefficient))
        power = builder.sub(builder.bitcast(shifted, integers), builder.bitcast(arguments[1], integers))
        least = all_lanes(integers, exponential.least)
        power = builder.select(builder.icmp_signed(">", power, least), power, least)
        power = builder.shl(power, all_lanes(integers, exponential.mantissa))
        return builder.bitcast(builder.add(builder.bitcast(result, integers), power), kind)

    return exponents(exponents, exponents), generate


@intrinsic
def lane_sum(typing_context: Any, vector: Any) -> Any:
    """lane_sum(vector): the sum of its entries, halves first."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (rest,), lanes = arguments, vector.lanes
        while lanes > 1:
            undefined = ir.Constant(rest.type, ir.Undefined)
            low = builder.shuffle_vector(rest, undefined, _lanes(range(lanes // 2)))
            high = builder.shuffle_vector(rest, undefined, _lanes(range(lanes // 2, lanes)))
            rest, lanes = builder.fadd(low, high), lanes // 2
        return builder.extract_element(rest, ir.Constant(_INT32, 0))

    return vector.dtype(vector), generate


def _fmuladd(builder: Any, vector: Vector, factor: Any, other: Any, total: Any) -> Any:
    kind = _llvm(vector)
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(kind, [kind] * 3),
        f"llvm.fmuladd.v{vector.lanes}f{vector.dtype.bitwidth}",
    )
    return builder.call(function, [factor, other, total])


def _lanes(numbers: Any) -> Any:
    listed = list(numbers)
    return ir.Constant(ir.VectorType(_INT32, len(listed)), listed)
