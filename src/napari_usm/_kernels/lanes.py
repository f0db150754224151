"""Vectors of 8- or 16-bit pixels in registers, to compare and to add up.

They are LLVM's own vectors of 64 bytes, which it cuts to what the machine has. Pixels
are unsigned: those of signed types are moved up by half their range when they are
loaded, which keeps their order and their differences. Everything is exact, so that
results are the same everywhere.

The compiler finds vectors in scalar loops too, but as many pixels at a time as it
finds room for their 32-bit sums: a quarter of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from napari_usm._kernels.memory import address, apart

if TYPE_CHECKING:
    from collections.abc import Callable

_BITS = 512

_index, _sum = ir.IntType(64), ir.IntType(32)


class LanesType(types.Type):
    """Numba's type of as many unsigned integers as there is room for."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__(name=f"Lanes({bits})")


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _vector(kind.bits))


@intrinsic
def lanes_of(context, array):
    """Return how many pixels of an array are in a vector."""

    def generate(context, builder, signature, arguments):
        return _index(_BITS // signature.args[0].dtype.bitwidth)

    return types.intp(array), generate


@intrinsic
def no_lanes(context, array):
    """Return a vector of pixels that are 0."""

    def generate(context, builder, signature, arguments):
        return ir.Constant(_vector(signature.return_type.bits), None)

    return LanesType(array.dtype.bitwidth)(array), generate


@intrinsic
def same_lanes(context, array, value):
    """Return a vector of one pixel, of the type of an array."""

    def generate(context, builder, signature, arguments):
        kind = signature.args[0].dtype
        vector = _vector(kind.bitwidth)
        value = context.cast(builder, arguments[1], signature.args[1], kind)
        nothing = ir.Constant(vector, ir.Undefined)
        one = builder.insert_element(nothing, value, ir.IntType(32)(0))
        places = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None)
        lanes = builder.shuffle_vector(one, nothing, places)
        return _shifted(builder, lanes, kind)

    return LanesType(array.dtype.bitwidth)(array, value), generate


@intrinsic
def no_sums(context, array):
    """Return a vector of sums that are 0, each for two pixels of a vector."""

    def generate(context, builder, signature, arguments):
        return ir.Constant(_vector(signature.return_type.bits), None)

    return LanesType(2 * array.dtype.bitwidth)(array), generate


@intrinsic
def load_lanes(context, array, index, count, others, buffer):
    """Pixels from ``array[index]`` on; `count` of them, and then those of `others`.

    Nothing beyond the last is read.
    """
    if not isinstance(buffer, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        kind = signature.args[0].dtype
        pointer, align = address(context, builder, signature, arguments)
        count = context.cast(builder, arguments[2], signature.args[2], types.intp)
        vector = _vector(kind.bitwidth)
        slot = cgutils.alloca_once(builder, vector)
        whole = builder.icmp_signed(">=", count, _index(vector.count))
        with builder.if_else(whole, likely=True) as (all_of_them, some):
            with all_of_them:
                place = builder.bitcast(pointer, vector.as_pointer())
                value = builder.load(place, align=align)
                apart(builder, value, signature.args[4].literal_value)
                whole_block = builder.block
            with some:
                builder.store(_shifted(builder, arguments[3], kind), slot)
                cgutils.raw_memcpy(builder, slot, pointer, count, align)
                part = builder.load(slot)
                part_block = builder.block
        # No slot for both: then whole vectors would go through memory.
        lanes = builder.phi(vector)
        lanes.add_incoming(value, whole_block)
        lanes.add_incoming(part, part_block)
        return _shifted(builder, lanes, kind)

    return others(array, index, count, others, buffer), generate


def _of_two(name: str, text: str) -> Callable[..., Any]:
    """Return LLVM's own function of two vectors."""

    @intrinsic
    def function(context, a, b):
        def generate(context, builder, signature, arguments):
            return _call(builder, name, *arguments)

        return a(a, b), generate

    function.__doc__ = text
    return function


larger_lanes = _of_two("umax", "The larger pixel of each lane.")
smaller_lanes = _of_two("umin", "The smaller pixel of each lane.")
excess = _of_two("usub.sat", "``max(a - b, 0)`` of each lane.")


@intrinsic
def some_outside(context, lanes, low, high):
    """Return whether some pixel is not between those of two other vectors."""

    def generate(context, builder, signature, arguments):
        lanes, low, high = arguments
        outside = builder.or_(
            builder.icmp_unsigned("<=", lanes, low),
            builder.icmp_unsigned(">=", lanes, high),
        )
        bits = ir.IntType(lanes.type.count)
        return builder.icmp_unsigned("!=", builder.bitcast(outside, bits), bits(0))

    return types.boolean(lanes, low, high), generate


@intrinsic
def added_lanes(context, sums, lanes):
    """Return the sums of `no_sums` with the pixels of a vector added."""

    def generate(context, builder, signature, arguments):
        sums, lanes = arguments
        bits = signature.args[1].bits
        pairs = builder.bitcast(lanes, sums.type)
        ones = ir.Constant(sums.type, [2**bits - 1] * sums.type.count)
        shift = ir.Constant(sums.type, [bits] * sums.type.count)
        sums = builder.add(sums, builder.and_(pairs, ones))
        return builder.add(sums, builder.lshr(pairs, shift))

    return sums(sums, lanes), generate


@intrinsic
def lanes_total(context, lanes):
    """Return the sum of all lanes, which must be below 2**32."""

    def generate(context, builder, signature, arguments):
        lanes = arguments[0]
        if lanes.type.element.width < _sum.width:
            lanes = builder.zext(lanes, ir.VectorType(_sum, lanes.type.count))
        return builder.zext(_reduced(builder, "add", lanes), _index)

    return types.int64(lanes), generate


@intrinsic
def largest_lane(context, lanes):
    """Return the largest of all lanes."""

    def generate(context, builder, signature, arguments):
        return builder.zext(_reduced(builder, "umax", arguments[0]), _index)

    return types.int64(lanes), generate


def _vector(bits: int) -> ir.VectorType:
    return ir.VectorType(ir.IntType(bits), _BITS // bits)


def _shifted(builder: ir.IRBuilder, lanes: ir.Value, kind: Any) -> ir.Value:
    """Return signed pixels as unsigned ones of the same order, or the reverse."""
    if kind not in types.signed_domain:
        return lanes
    half = 2 ** (kind.bitwidth - 1)
    return builder.xor(lanes, ir.Constant(lanes.type, [half] * lanes.type.count))


def _call(builder: ir.IRBuilder, name: str, *arguments: ir.Value) -> ir.Value:
    """Call one of LLVM's own functions on vectors."""
    vector = arguments[0].type
    kind = ir.FunctionType(vector, [vector] * len(arguments))
    name = f"llvm.{name}.v{vector.count}i{vector.element.width}"
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, arguments)


def _reduced(builder: ir.IRBuilder, name: str, lanes: ir.Value) -> ir.Value:
    """Reduce a vector to a number by one of LLVM's own functions."""
    vector = lanes.type
    kind = ir.FunctionType(vector.element, [vector])
    name = f"llvm.vector.reduce.{name}.v{vector.count}i{vector.element.width}"
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, [lanes])
