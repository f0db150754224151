"""Loads, stores and multiply-adds that say what the compiler cannot know.

It cannot know that two arrays never overlap, and then checks at run time or does
not vectorise at all: with plain indexing the blur of four rows takes 25 ms where
it takes 2.5 ms with these. Each buffer of a kernel has a number, one of those below,
given at every access to it; accesses with different numbers are taken to be apart.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

# The image, what is written of the result, rows of the image with their borders, rows
# on their way, a row of detail, and what is written of the edge map.
IMAGE, RESULT, RING, LINES, DETAIL, EDGES = range(6)
# A kernel of other buffers has names of its own for up to as many. The last is that
# of weights and places, which no kernel writes while it reads them.
TABLES = 7
_BUFFERS = 8

# Vectors as wide as the machine has: on Intel's LLVM otherwise takes half of them,
# and a mask of sigma 1 takes 1.2 times as long. llvmlite has no list of such
# attributes, so its check is passed by.
_WIDE = '"prefer-vector-width"="512"'


@intrinsic
def load(context, array, index, buffer):
    """``array[index]`` of a one-dimensional array, without negative indices."""
    if not isinstance(buffer, types.IntegerLiteral):
        return None  # numba then asks again, with the literal
    number = buffer.literal_value

    def generate(context, builder, signature, arguments):
        pointer, align = address(context, builder, signature, arguments)
        value = builder.load(pointer, align=align)
        return apart(builder, value, number)

    return array.dtype(array, index, buffer), generate


@intrinsic
def store(context, array, index, value, buffer):
    """``array[index] = value`` of a one-dimensional array.

    A float is rounded down to an integer, which must be able to hold it.
    """
    if not isinstance(buffer, types.IntegerLiteral):
        return None
    number = buffer.literal_value

    def generate(context, builder, signature, arguments):
        pointer, align = address(context, builder, signature, arguments)
        kind = signature.args[0].dtype
        value = arguments[2]
        if kind in types.signed_domain and signature.args[2] in types.real_domain:
            floor = builder.module.declare_intrinsic("llvm.floor", [value.type])
            value = builder.call(floor, [value])
        value = context.cast(builder, value, signature.args[2], kind)
        apart(builder, builder.store(value, pointer, align=align), number)
        return context.get_dummy_value()

    return types.void(array, index, value, buffer), generate


@intrinsic
def load_some(context, array, index, step, count, buffer):
    """``array[index]``, ``array[index + step]`` and so on: a tuple of `count`."""
    if not all(isinstance(n, types.IntegerLiteral) for n in (count, buffer)):
        return None
    number, length = buffer.literal_value, count.literal_value
    returned = types.UniTuple(array.dtype, length)

    def generate(context, builder, signature, arguments):
        pointer, align = address(context, builder, signature, arguments)
        step = context.cast(builder, arguments[2], signature.args[2], types.intp)
        values = []
        for _ in range(length):
            value = builder.load(pointer, align=align)
            values.append(apart(builder, value, number))
            pointer = builder.gep(pointer, [step])
        return context.make_tuple(builder, returned, values)

    return returned(array, index, step, count, buffer), generate


@intrinsic
def prefetch(context, array, index):
    """Have the cache line of ``array[index]`` read; it need not be in the array."""

    def generate(context, builder, signature, arguments):
        pointer, _ = address(context, builder, signature, arguments)
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(
            builder.module, kind, "llvm.prefetch.p0i8"
        )
        # To read, into the first-level cache, of data.
        how = number(0), number(3), number(1)
        builder.call(function, [builder.bitcast(pointer, byte), *how])
        return context.get_dummy_value()

    return types.void(array, index), generate


@intrinsic
def multiply_add(context, factor, other, term):
    """``factor * other + term``, rounded once."""

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return term(term, term, term), generate


def address(
    context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any
) -> tuple[ir.Value, int]:
    """Return the address of an array's element, and the alignment of its type.

    Array and index are the first two arguments.
    """
    array_type, index_type = signature.args[:2]
    data = context.make_array(array_type)(context, builder, arguments[0]).data
    index = context.cast(builder, arguments[1], index_type, types.intp)
    align = context.get_abi_sizeof(context.get_data_type(array_type.dtype))
    return builder.gep(data, [index]), align


def apart(builder: ir.IRBuilder, access: ir.Instruction, number: int) -> ir.Instruction:
    """Mark an access as apart from those with all other numbers."""
    set.add(builder.function.attributes, _WIDE)
    module = builder.module
    domain = module.add_metadata(["napari-usm"])
    scopes = [
        module.add_metadata([f"napari-usm buffer {k}", domain]) for k in range(_BUFFERS)
    ]
    others = [scope for k, scope in enumerate(scopes) if k != number]
    access.set_metadata("alias.scope", module.add_metadata([scopes[number]]))
    access.set_metadata("noalias", module.add_metadata(others))
    return access
