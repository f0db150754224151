"""Tables that are looked up by vectors, and blocks of pixels that are transposed."""

from __future__ import annotations

from functools import partial

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from napari_usm._kernels.memory import TABLES, address, apart
from napari_usm._kernels.vectors import (
    FLOATS,
    INDEX,
    INTS,
    LANES,
    constant,
    splat,
    vector,
)


@intrinsic
def interpolated(context, table, value, first, rows):
    """Look three numbers up by the exponent of each lane, on the way to the next.

    table : (rows * 8,), float32: for each power of 2 three numbers and how far it is to
            those of the next, two that are not used
    value : from the first power of 2 to the one beyond the last
    first : exponent of the first, as it is stored in a float32

    Returns a tuple of three vectors. Rows are loaded whole, and put in columns: to
    gather each column took three times as long.
    """
    digits, width = 23, 8
    returned = types.UniTuple(vector, 3)

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0])
        first, rows = (
            splat(
                builder,
                context.cast(builder, arguments[k], signature.args[k], types.i4),
            )
            for k in (2, 3)
        )
        whole = partial(constant, INTS)
        stored = builder.bitcast(arguments[1], INTS)
        at = builder.sub(builder.ashr(stored, whole(digits)), first)
        mantissa = builder.and_(stored, whole(2**digits - 1))
        share = constant(FLOATS, 2.0**-digits)
        along = builder.fmul(builder.sitofp(mantissa, FLOATS), share)
        # The last of all is one beyond the row before it.
        inside = builder.icmp_signed("<", at, rows)
        along = builder.select(inside, along, constant(FLOATS, 1.0))
        at = builder.select(inside, at, builder.sub(rows, whole(1)))
        at = builder.mul(at, whole(width))
        row = ir.VectorType(ir.FloatType(), width)
        loaded = []
        for lane in range(LANES):
            place = builder.extract_element(at, ir.IntType(32)(lane))
            place = builder.gep(data.data, [builder.zext(place, INDEX)])
            value = builder.load(builder.bitcast(place, row.as_pointer()), align=4)
            loaded.append(apart(builder, value, TABLES))
        both = ir.Constant(INTS, list(range(LANES)))
        values = [
            builder.shuffle_vector(loaded[k], loaded[k + width], both)
            for k in range(width)
        ]
        values = _transposed(builder, values)
        numbers = [
            builder.fadd(values[k], builder.fmul(along, values[k + 3]))
            for k in range(3)
        ]
        return context.make_tuple(builder, returned, numbers)

    return returned(table, value, first, rows), generate


@intrinsic
def transpose(context, source, at, apart_by, out, to, out_apart, read, written):
    """Write the rows of a square tile as columns.

    source : float32, `LANES` rows of as many pixels from ``source[at]`` on, each
             `apart_by` behind the one before
    out    : likewise
    """
    if not all(isinstance(n, types.IntegerLiteral) for n in (read, written)):
        return None

    def generate(context, builder, signature, arguments):
        values = []
        kinds = signature.args
        tile = signature.replace(args=kinds[:2])
        pointer, align = address(context, builder, tile, arguments[:2])
        step = context.cast(builder, arguments[2], kinds[2], types.intp)
        for _ in range(LANES):
            place = builder.bitcast(pointer, FLOATS.as_pointer())
            value = builder.load(place, align=align)
            values.append(apart(builder, value, kinds[6].literal_value))
            pointer = builder.gep(pointer, [step])
        values = _transposed(builder, values)
        tile = signature.replace(args=kinds[3:5])
        pointer, align = address(context, builder, tile, arguments[3:5])
        step = context.cast(builder, arguments[5], kinds[5], types.intp)
        for value in values:
            place = builder.bitcast(pointer, FLOATS.as_pointer())
            stored = builder.store(value, place, align=align)
            apart(builder, stored, kinds[7].literal_value)
            pointer = builder.gep(pointer, [step])
        return context.get_dummy_value()

    returned = types.void(source, at, apart_by, out, to, out_apart, read, written)
    return returned, generate


def _transposed(builder: ir.IRBuilder, values: list[ir.Value]) -> list[ir.Value]:
    """Return the columns of square tiles side by side: row k is ``values[k]``."""
    values, half = list(values), len(values) // 2
    while half:
        lanes = range(LANES)
        first = [k if k & half == 0 else k - half + LANES for k in lanes]
        second = [k + half if k & half == 0 else k + LANES for k in lanes]
        for row in range(len(values)):
            if row & half == 0:
                pair = values[row], values[row + half]
                values[row], values[row + half] = (
                    builder.shuffle_vector(*pair, ir.Constant(INTS, chosen))
                    for chosen in (first, second)
                )
        half //= 2
    return values
