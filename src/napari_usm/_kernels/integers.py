"""Sums of bytes in vectors of integers: exact in any order, so equal on all machines.

Weights are in units of 2**-15, so that they fit into 16 bits, and two products at a
time are added up in 32 bits: on x86 that is one instruction (``pmaddwd``, or
``vpdpwssd`` with the sum), which LLVM chooses. They come in pairs for that, a pair in
32 bits: see `filters.fused.mask.byte_taps`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from napari_usm._kernels.memory import TABLES, address, apart
from napari_usm._kernels.vectors import (
    FLOATS,
    INDEX,
    INTS,
    LANES,
    as_integers,
    splat,
    vector,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# Pixels in a vector of 16 bits.
BYTES = 2 * LANES

_bytes = ir.VectorType(ir.IntType(8), BYTES)
_shorts = ir.VectorType(ir.IntType(16), BYTES)
_products = ir.VectorType(ir.IntType(32), BYTES)


class IntegersType(types.Type):
    """Numba's type of `LANES` values of int32."""

    def __init__(self) -> None:
        super().__init__(name="Integers")


integers = IntegersType()


@register_model(IntegersType)
class _IntegersModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, INTS)


@intrinsic
def byte_rows(
    context, out, to, apart_by, source, starts, x, weights, pairs, rows, read, written
):
    """Blur rows of bytes over those around them, `BYTES` pixels from `x` on.

    out     : (n,) int16; row r of them goes to ``to + r * apart_by``, in units of
              1/256 less 128, rounded half up
    source  : (m,) uint8
    starts  : (2 * pairs + rows,), where the rows begin in `source`
    weights : ((2 * pairs + 2) * `BYTES`,) int16, in vectors of one pair of weights
              each: pairs from the first row on, then from the row before it on
    rows    : how many, an even number
    read, written : the buffers that `source` and `out` are
    """
    literals = pairs, rows, read, written
    if not all(isinstance(n, types.IntegerLiteral) for n in literals):
        return None
    reach, count, from_buffer, to_buffer = (n.literal_value for n in literals)

    def generate(context, builder, signature, arguments):
        _, _, _, source, starts, x, weights = arguments[:7]
        kinds = signature.args
        source = context.make_array(kinds[3])(context, builder, source).data
        starts = context.make_array(kinds[4])(context, builder, starts).data
        x = context.cast(builder, x, kinds[5], types.intp)
        table = context.make_array(kinds[6])(context, builder, weights).data

        def row(place):
            start = builder.load(builder.gep(starts, [INDEX(place)]), align=8)
            at = builder.add(apart(builder, start, TABLES), x)
            return _load_bytes(builder, builder.gep(source, [at]), from_buffer)

        # Rounding of the shift by 7, and 128 less.
        bias = ir.Constant(INTS, [64 - 128 * 2**15] * LANES)
        sums = [[bias, bias] for _ in range(count)]
        for j in range(reach + count // 2):
            above, below = row(2 * j), row(2 * j + 1)
            halves = [_interleaved(builder, above, below, half) for half in (0, 1)]
            for i in range(count):
                # Every second row begins one pair of rows later.
                place = j - i // 2
                if 0 <= place <= reach:
                    weight = _pair(builder, table, place + i % 2 * (reach + 1))
                    sums[i] = [
                        _dot(builder, total, half, weight)
                        for total, half in zip(sums[i], halves, strict=True)
                    ]
        pointer, _ = address(context, builder, signature, arguments)
        step = context.cast(builder, arguments[2], kinds[2], types.intp)
        for low, high in sums:
            place = builder.bitcast(pointer, _shorts.as_pointer())
            value = _packed(builder, low, high)
            apart(builder, builder.store(value, place, align=2), to_buffer)
            pointer = builder.gep(pointer, [step])
        return context.get_dummy_value()

    returned = types.void(
        out, to, apart_by, source, starts, x, weights, pairs, rows, read, written
    )
    return returned, generate


@intrinsic
def byte_columns(context, line, at, weights, pairs, buffer):
    """Weighted sums of the columns around ``line[at]`` and so on, `BYTES` of them.

    line    : (n,) int16, as `byte_rows` gives it
    weights : as for `byte_rows`

    Returns those of the even and of the odd columns, in units of 2**-23.
    """
    if not all(isinstance(n, types.IntegerLiteral) for n in (pairs, buffer)):
        return None
    reach, number = pairs.literal_value, buffer.literal_value
    returned = types.UniTuple(integers, 2)

    def generate(context, builder, signature, arguments):
        pointer, _ = address(context, builder, signature, arguments)
        table = arguments[2]
        table = context.make_array(signature.args[2])(context, builder, table).data
        even = odd = ir.Constant(INTS, [128 * 2**23] * LANES)
        for j in range(reach + 1):
            place = builder.gep(pointer, [INDEX(2 * j - reach)])
            place = builder.bitcast(place, _shorts.as_pointer())
            values = apart(builder, builder.load(place, align=2), number)
            even = _dot(builder, even, values, _pair(builder, table, j))
            odd = _dot(builder, odd, values, _pair(builder, table, j + reach + 1))
        return context.make_tuple(builder, returned, [even, odd])

    return returned(line, at, weights, pairs, buffer), generate


@intrinsic
def load_integers(context, array, index, buffer):
    """`LANES` pixels of 8 or 16 bits."""
    if not isinstance(buffer, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        pointer, align = address(context, builder, signature, arguments)
        kind = signature.args[0].dtype
        several = ir.VectorType(context.get_data_type(kind), LANES)
        value = builder.load(
            builder.bitcast(pointer, several.as_pointer()), align=align
        )
        apart(builder, value, signature.args[2].literal_value)
        return as_integers(builder, value, kind)

    return integers(array, index, buffer), generate


@intrinsic
def add_product(context, total, value, factor):
    """``total + value * factor`` of each lane, for an integer factor."""

    def generate(context, builder, signature, arguments):
        factor = context.cast(builder, arguments[2], signature.args[2], types.int32)
        product = builder.mul(arguments[1], splat(builder, factor))
        return builder.add(arguments[0], product)

    return integers(integers, integers, factor), generate


@intrinsic
def all_equal(context, value):
    """Return an integer in all lanes."""

    def generate(context, builder, signature, arguments):
        value = context.cast(builder, arguments[0], signature.args[0], types.int32)
        return splat(builder, value)

    return integers(value), generate


@intrinsic
def add_integers(context, a, b):
    """``a + b`` of each lane."""

    def generate(context, builder, signature, arguments):
        return builder.add(*arguments)

    return integers(integers, integers), generate


@intrinsic
def as_floats(context, value):
    """Return integers in float32, rounded to the nearest."""

    def generate(context, builder, signature, arguments):
        return builder.sitofp(arguments[0], FLOATS)

    return vector(integers), generate


@intrinsic
def load_bytes(context, array, index, buffer):
    """`BYTES` pixels in float32: the even ones and the odd ones."""
    if not isinstance(buffer, types.IntegerLiteral):
        return None
    returned = types.UniTuple(vector, 2)

    def generate(context, builder, signature, arguments):
        pointer, _ = address(context, builder, signature, arguments)
        shorts = _load_bytes(builder, pointer, signature.args[2].literal_value)
        both = builder.bitcast(shorts, INTS)
        even = builder.and_(both, ir.Constant(INTS, [0xFFFF] * LANES))
        odd = builder.lshr(both, ir.Constant(INTS, [16] * LANES))
        values = [builder.sitofp(half, FLOATS) for half in (even, odd)]
        return context.make_tuple(builder, returned, values)

    return returned(array, index, buffer), generate


@intrinsic
def store_bytes(context, array, index, even, odd, buffer):
    """Store `BYTES` pixels of float32 from 0 up to less than 256, rounded down."""
    if not isinstance(buffer, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        pointer, _ = address(context, builder, signature, arguments)
        number = signature.args[4].literal_value
        even, odd = (builder.fptosi(half, INTS) for half in arguments[2:4])
        odd = builder.shl(odd, ir.Constant(INTS, [16] * LANES))
        shorts = builder.bitcast(builder.or_(even, odd), _shorts)
        place = builder.bitcast(pointer, _bytes.as_pointer())
        stored = builder.store(builder.trunc(shorts, _bytes), place, align=1)
        apart(builder, stored, number)
        return context.get_dummy_value()

    return types.void(array, index, even, odd, buffer), generate


@intrinsic
def store_interleaved(context, array, index, even, odd, buffer):
    """Store `BYTES` values of float32, given the even ones and the odd ones."""
    if not isinstance(buffer, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        pointer, _ = address(context, builder, signature, arguments)
        number = signature.args[4].literal_value
        for half in (0, 1):
            places = []
            for lane in range(half * LANES // 2, (half + 1) * LANES // 2):
                places += [lane, LANES + lane]
            value = builder.shuffle_vector(
                arguments[2], arguments[3], ir.Constant(INTS, places)
            )
            place = builder.gep(pointer, [INDEX(half * LANES)])
            place = builder.bitcast(place, FLOATS.as_pointer())
            apart(builder, builder.store(value, place, align=4), number)
        return context.get_dummy_value()

    return types.void(array, index, even, odd, buffer), generate


def _load_bytes(builder: ir.IRBuilder, pointer: ir.Value, number: int) -> ir.Value:
    place = builder.bitcast(pointer, _bytes.as_pointer())
    value = apart(builder, builder.load(place, align=1), number)
    return builder.zext(value, _shorts)


def _pair(builder: ir.IRBuilder, table: ir.Value, place: int) -> ir.Value:
    """Two weights, in all pairs of lanes."""
    pointer = builder.gep(table, [INDEX(place * BYTES)])
    pointer = builder.bitcast(pointer, _shorts.as_pointer())
    return apart(builder, builder.load(pointer, align=2), TABLES)


def _dot(
    builder: ir.IRBuilder, total: ir.Value, values: ir.Value, weights: ir.Value
) -> ir.Value:
    """Add the products of values and weights, of two lanes each, to a total."""
    values, weights = (builder.sext(v, _products) for v in (values, weights))
    products = builder.mul(values, weights)
    even, odd = (
        _shuffled(builder, products, products, range(first, BYTES, 2))
        for first in (0, 1)
    )
    return builder.add(total, builder.add(even, odd))


def _interleaved(
    builder: ir.IRBuilder, a: ir.Value, b: ir.Value, half: int
) -> ir.Value:
    """Lanes of two rows in turn: the first or second four of every eight."""
    places = []
    for group in range(0, BYTES, 8):
        for lane in range(group + 4 * half, group + 4 * half + 4):
            places += [lane, BYTES + lane]
    return _shuffled(builder, a, b, places)


def _packed(builder: ir.IRBuilder, low: ir.Value, high: ir.Value) -> ir.Value:
    """From sums of both halves, which are in units of 2**-15, to 16 bits."""
    seven = ir.Constant(INTS, [7] * LANES)
    # Only the lower 16 bits matter: LLVM packs them in one instruction if it sees that
    # the upper ones are 0.
    lower = ir.Constant(INTS, [0xFFFF] * LANES)
    shorts = [
        builder.bitcast(builder.and_(builder.ashr(sums, seven), lower), _shorts)
        for sums in (low, high)
    ]
    places = []
    for group in range(0, BYTES, 8):
        places += range(group, group + 8, 2)
        places += range(BYTES + group, BYTES + group + 8, 2)
    return _shuffled(builder, *shorts, places)


def _shuffled(
    builder: ir.IRBuilder, a: ir.Value, b: ir.Value, places: Sequence[int]
) -> ir.Value:
    kind = ir.VectorType(ir.IntType(32), len(places))
    return builder.shuffle_vector(a, b, ir.Constant(kind, list(places)))
