"""Vectors of float32 in registers: loads, stores, arithmetic.

They are LLVM's own vectors, which it cuts to what the machine has: four lanes on plain
x86-64 and ARM64, eight with AVX2, sixteen with AVX-512. No operation crosses lanes, and
each is rounded as the scalar one, so results are the same to the last bit everywhere.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    register_model,
    type_callable,
)

from napari_usm._kernels.memory import address, apart

if TYPE_CHECKING:
    from collections.abc import Callable

# Pixels in a vector.
LANES = 16

FLOATS = ir.VectorType(ir.FloatType(), LANES)
DOUBLES = ir.VectorType(ir.DoubleType(), LANES)
INTS = ir.VectorType(ir.IntType(32), LANES)
INDEX = ir.IntType(64)


class VectorType(types.Type):
    """Numba's type of `LANES` values of float32."""

    def __init__(self) -> None:
        super().__init__(name="Vector")


class TotalsType(types.Type):
    """Numba's type of `LANES` sums in float64."""

    def __init__(self) -> None:
        super().__init__(name="Totals")


vector, totals = VectorType(), TotalsType()


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, FLOATS)


@register_model(TotalsType)
class _TotalsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, DOUBLES)


def _arithmetic(operation: Callable[..., Any], instruction: str) -> None:
    @type_callable(operation)
    def type_of(context):
        def typer(a, b):
            return vector if a is vector and b is vector else None

        return typer

    @lower_builtin(operation, VectorType, VectorType)
    def lower(context, builder, signature, arguments):
        return getattr(builder, instruction)(*arguments)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")


@intrinsic
def load_vector(context, array, index, count, buffer):
    """Pixels from ``array[index]`` on, in float32; `count` of them, the others are 0.

    Nothing beyond the last is read.
    """
    if not isinstance(buffer, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        pointer, align = address(context, builder, signature, arguments)
        kind = signature.args[0].dtype
        element = context.get_data_type(kind)
        several = ir.VectorType(element, LANES)
        number = signature.args[3].literal_value
        count = context.cast(builder, arguments[2], signature.args[2], types.intp)
        all_of_them = builder.icmp_signed(">=", count, INDEX(LANES))
        slot = cgutils.alloca_once(builder, several)
        with builder.if_else(all_of_them, likely=True) as (whole, part):
            with whole:
                place = builder.bitcast(pointer, several.as_pointer())
                every = apart(builder, builder.load(place, align=align), number)
                after_all = builder.block
            with part:
                builder.store(ir.Constant(several, [0] * LANES), slot)
                lanes = builder.bitcast(slot, element.as_pointer())
                with cgutils.for_range(builder, count) as loop:
                    one = builder.load(builder.gep(pointer, [loop.index]), align=align)
                    apart(builder, one, number)
                    builder.store(one, builder.gep(lanes, [loop.index]))
                some = builder.load(slot)
                after_some = builder.block
        value = builder.phi(several)
        value.add_incoming(every, after_all)
        value.add_incoming(some, after_some)
        return from_pixels(builder, value, kind)

    return vector(array, index, count, buffer), generate


@intrinsic
def store_vector(context, array, index, value, count, buffer):
    """``array[index]`` and so on, `count` of them; rounded down to integers."""
    if not isinstance(buffer, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        pointer, align = address(context, builder, signature, arguments)
        kind = signature.args[0].dtype
        element = context.get_data_type(kind)
        several = ir.VectorType(element, LANES)
        number = signature.args[4].literal_value
        value = to_pixels(builder, arguments[2], kind, several)
        count = context.cast(builder, arguments[3], signature.args[3], types.intp)
        all_of_them = builder.icmp_signed(">=", count, INDEX(LANES))
        slot = cgutils.alloca_once(builder, several)
        with builder.if_else(all_of_them, likely=True) as (whole, part):
            with whole:
                place = builder.bitcast(pointer, several.as_pointer())
                apart(builder, builder.store(value, place, align=align), number)
            with part:
                builder.store(value, slot)
                lanes = builder.bitcast(slot, element.as_pointer())
                with cgutils.for_range(builder, count) as loop:
                    one = builder.load(builder.gep(lanes, [loop.index]))
                    place = builder.gep(pointer, [loop.index])
                    apart(builder, builder.store(one, place, align=align), number)
        return context.get_dummy_value()

    return types.void(array, index, value, count, buffer), generate


@intrinsic
def store_rows(context, array, index, apart_by, values, buffer):
    """Store a tuple of vectors, each `apart_by` further than the one before."""
    if not isinstance(buffer, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        pointer, align = address(context, builder, signature, arguments)
        kind = signature.args[0].dtype
        several = ir.VectorType(context.get_data_type(kind), LANES)
        number = signature.args[4].literal_value
        step = context.cast(builder, arguments[2], signature.args[2], types.intp)
        for value in cgutils.unpack_tuple(builder, arguments[3]):
            value = to_pixels(builder, value, kind, several)
            place = builder.bitcast(pointer, several.as_pointer())
            apart(builder, builder.store(value, place, align=align), number)
            pointer = builder.gep(pointer, [step])
        return context.get_dummy_value()

    return types.void(array, index, apart_by, values, buffer), generate


@intrinsic
def broadcast(context, value):
    """Return a vector of one float32."""

    def generate(context, builder, signature, arguments):
        return splat(builder, arguments[0])

    return vector(types.float32), generate


@intrinsic
def multiplied_added(context, factor, other, term):
    """``factor * other + term`` of each lane, rounded once."""

    def generate(context, builder, signature, arguments):
        return call(builder, "fma", *arguments)

    return vector(vector, vector, vector), generate


@intrinsic
def larger(context, a, b):
    """``max(a, b)`` of each lane, as Python has it: `a` where they compare as equal."""

    def generate(context, builder, signature, arguments):
        a, b = arguments
        return builder.select(builder.fcmp_ordered(">", b, a), b, a)

    return vector(vector, vector), generate


@intrinsic
def smaller(context, a, b):
    """``min(a, b)`` of each lane, likewise."""

    def generate(context, builder, signature, arguments):
        a, b = arguments
        return builder.select(builder.fcmp_ordered("<", b, a), b, a)

    return vector(vector, vector), generate


@intrinsic
def zero_below(context, value, limit):
    """``0 if abs(value) < limit else value`` of each lane."""

    def generate(context, builder, signature, arguments):
        value, limit = arguments
        size = call(builder, "fabs", value)
        weak = builder.fcmp_ordered("<", size, limit)
        return builder.select(weak, ir.Constant(FLOATS, [0.0] * LANES), value)

    return vector(vector, vector), generate


@intrinsic
def square_root(context, value):
    """Root of each lane."""

    def generate(context, builder, signature, arguments):
        return call(builder, "sqrt", *arguments)

    return vector(vector), generate


@intrinsic
def is_zero(context, value):
    """Return whether all lanes are 0; NaN is not."""

    def generate(context, builder, signature, arguments):
        zero = ir.Constant(FLOATS, [0.0] * LANES)
        equal = builder.fcmp_ordered("==", arguments[0], zero)
        bits = builder.bitcast(equal, ir.IntType(LANES))
        return builder.icmp_unsigned("==", bits, ir.IntType(LANES)(-1))

    return types.boolean(vector), generate


@intrinsic
def is_any_above(context, a, b):
    """Return whether any lane of `a` is larger than that of `b`; NaN is not."""

    def generate(context, builder, signature, arguments):
        above = builder.fcmp_ordered(">", *arguments)
        bits = builder.bitcast(above, ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.IntType(LANES)(0))

    return types.boolean(vector, vector), generate


@intrinsic
def chosen_above(context, a, b, value, other):
    """``value if a > b else other`` of each lane."""

    def generate(context, builder, signature, arguments):
        a, b, value, other = arguments
        return builder.select(builder.fcmp_ordered(">", a, b), value, other)

    return vector(vector, vector, vector, vector), generate


@intrinsic
def where_finite(context, tested, value):
    """``value if tested is finite else 0`` of each lane."""

    def generate(context, builder, signature, arguments):
        tested, value = arguments
        zero = ir.Constant(FLOATS, [0.0] * LANES)
        finite = builder.fcmp_ordered("==", builder.fsub(tested, tested), zero)
        return builder.select(finite, value, zero)

    return vector(vector, vector), generate


@intrinsic
def largest(context, value):
    """Return the largest of all lanes, none of which is NaN."""

    def generate(context, builder, signature, arguments):
        def larger_of(a, b):
            return builder.select(builder.fcmp_ordered(">", b, a), b, a)

        return _reduced(builder, arguments[0], larger_of)

    return types.float32(vector), generate


@intrinsic
def some_at_limits(context, least, most, low, high):
    """Return whether some lane of `least` or `most` is at `low` or `high`, or beyond."""

    def generate(context, builder, signature, arguments):
        least, most, low, high = arguments
        reached = builder.or_(
            builder.fcmp_ordered("<=", least, low),
            builder.fcmp_ordered(">=", most, high),
        )
        bits = ir.IntType(LANES)
        return builder.icmp_unsigned("!=", builder.bitcast(reached, bits), bits(0))

    return types.boolean(vector, vector, vector, vector), generate


@intrinsic
def one_before(context, before, value):
    """Return for each lane the one before it, in a row of two vectors."""

    def generate(context, builder, signature, arguments):
        lanes = ir.Constant(INTS, list(range(LANES - 1, 2 * LANES - 1)))
        return builder.shuffle_vector(*arguments, lanes)

    return vector(vector, vector), generate


@intrinsic
def one_behind(context, value, behind):
    """Return for each lane the one behind it, in a row of two vectors."""

    def generate(context, builder, signature, arguments):
        lanes = ir.Constant(INTS, list(range(1, LANES + 1)))
        return builder.shuffle_vector(*arguments, lanes)

    return vector(vector, vector), generate


@intrinsic
def no_totals(context):
    """Return sums in float64 that are 0."""

    def generate(context, builder, signature, arguments):
        return constant(DOUBLES, 0.0)

    return totals(), generate


@intrinsic
def added_to_totals(context, sums, value):
    """Return sums in float64 with a vector added, lane by lane."""

    def generate(context, builder, signature, arguments):
        sums, value = arguments
        return builder.fadd(sums, builder.fpext(value, DOUBLES))

    return totals(totals, vector), generate


@intrinsic
def total_of(context, sums):
    """Return the sum of all lanes."""

    def generate(context, builder, signature, arguments):
        return _reduced(builder, arguments[0], builder.fadd)

    return types.float64(totals), generate


def _reduced(builder: ir.IRBuilder, value: ir.Value, of_two: Any) -> ir.Value:
    """Reduce a vector to a number, by halves."""
    count = LANES
    while count > 1:
        count //= 2
        nothing = ir.Constant(value.type, ir.Undefined)
        halves = [
            ir.Constant(
                ir.VectorType(ir.IntType(32), count), list(range(at, at + count))
            )
            for at in (0, count)
        ]
        value = of_two(*(builder.shuffle_vector(value, nothing, k) for k in halves))
    return builder.extract_element(value, ir.IntType(32)(0))


def constant(kind: ir.VectorType, value: float) -> ir.Constant:
    return ir.Constant(kind, [value] * LANES)


def splat(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    nothing = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    one = builder.insert_element(nothing, value, ir.IntType(32)(0))
    return builder.shuffle_vector(one, nothing, ir.Constant(INTS, [0] * LANES))


def call(builder: ir.IRBuilder, name: str, *arguments: ir.Value) -> ir.Value:
    """Call one of LLVM's own functions on vectors of float32."""
    kind = ir.FunctionType(FLOATS, [FLOATS] * len(arguments))
    function = cgutils.get_or_insert_function(
        builder.module, kind, f"llvm.{name}.v{LANES}f32"
    )
    return builder.call(function, arguments)


def from_pixels(builder: ir.IRBuilder, values: ir.Value, kind: Any) -> ir.Value:
    """Pixels in float32: exact, for there are none wider than 16 bits."""
    if kind == types.float32:
        return values
    return builder.sitofp(as_integers(builder, values, kind), FLOATS)


def as_integers(builder: ir.IRBuilder, values: ir.Value, kind: Any) -> ir.Value:
    """Pixels of an integer type, in 32 bits."""
    extended = builder.sext if kind in types.signed_domain else builder.zext
    return extended(values, INTS)


def to_pixels(
    builder: ir.IRBuilder, values: ir.Value, kind: Any, several: ir.VectorType
) -> ir.Value:
    """Pixels of float32, rounded down to those of an integer type, which holds them."""
    if kind == types.float32:
        return values
    if kind in types.signed_domain:
        values = call(builder, "floor", values)
    return builder.trunc(builder.fptosi(values, INTS), several)
