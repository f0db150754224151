"""Vectors of float32 in registers: loads, stores, arithmetic.

They are LLVM's own vectors, which it cuts to what the machine has: four lanes on plain
x86-64 and ARM64, eight with AVX2, sixteen with AVX-512. No operation crosses lanes, and
each is rounded as the scalar one, so results are the same to the last bit everywhere.

The compiler finds vectors in scalar loops too, but not in sums over as many rows as
these kernels keep in registers: a mask of sigma 1 then takes 1.8 times as long.
"""

from __future__ import annotations

import operator
from functools import partial
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    register_model,
    type_callable,
)

from napari_usm._kernels.memory import TABLES, address, apart

if TYPE_CHECKING:
    from collections.abc import Callable

# Pixels in a vector.
LANES = 16


def _shuffles_any_lanes() -> bool:
    """Return whether one instruction shifts 16 lanes: with AVX2 it takes several."""
    try:
        return bool(get_host_cpu_features().get("avx512f", False))
    except RuntimeError:  # of a processor that LLVM cannot name
        return False


_SHUFFLES = _shuffles_any_lanes()

_floats = ir.VectorType(ir.FloatType(), LANES)
_ints = ir.VectorType(ir.IntType(32), LANES)
_index = ir.IntType(64)


class VectorType(types.Type):
    """Numba's type of `LANES` values of float32."""

    def __init__(self) -> None:
        super().__init__(name="Vector")


vector = VectorType()


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _floats)


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
        all_of_them = builder.icmp_signed(">=", count, _index(LANES))
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
        return _as_floats(builder, value, kind)

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
        value = _from_floats(builder, arguments[2], kind, several)
        count = context.cast(builder, arguments[3], signature.args[3], types.intp)
        all_of_them = builder.icmp_signed(">=", count, _index(LANES))
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
            value = _from_floats(builder, value, kind, several)
            place = builder.bitcast(pointer, several.as_pointer())
            apart(builder, builder.store(value, place, align=align), number)
            pointer = builder.gep(pointer, [step])
        return context.get_dummy_value()

    return types.void(array, index, apart_by, values, buffer), generate


@intrinsic
def broadcast(context, value):
    """Return a vector of one float32."""

    def generate(context, builder, signature, arguments):
        return _broadcast(builder, arguments[0])

    return vector(types.float32), generate


@intrinsic
def multiplied_added(context, factor, other, term):
    """``factor * other + term`` of each lane, rounded once."""

    def generate(context, builder, signature, arguments):
        return _call(builder, "fma", *arguments)

    return vector(vector, vector, vector), generate


@intrinsic
def add_products(context, a, b, total):
    """``a * b + total`` of each lane, rounded once."""

    def generate(context, builder, signature, arguments):
        return _call(builder, "fma", *arguments)

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
        size = _call(builder, "fabs", value)
        weak = builder.fcmp_ordered("<", size, limit)
        return builder.select(weak, ir.Constant(_floats, [0.0] * LANES), value)

    return vector(vector, vector), generate


@intrinsic
def square_root(context, value):
    """Root of each lane."""

    def generate(context, builder, signature, arguments):
        return _call(builder, "sqrt", *arguments)

    return vector(vector), generate


@intrinsic
def is_zero(context, value):
    """Return whether all lanes are 0; NaN is not."""

    def generate(context, builder, signature, arguments):
        zero = ir.Constant(_floats, [0.0] * LANES)
        equal = builder.fcmp_ordered("==", arguments[0], zero)
        bits = builder.bitcast(equal, ir.IntType(LANES))
        return builder.icmp_unsigned("==", bits, ir.IntType(LANES)(-1))

    return types.boolean(vector), generate


@intrinsic
def rows_sum(context, source, starts, x, taps, pairs, rows, buffer):
    """Weighted sums of the rows around each of `rows` rows: the nearest `pairs`.

    source : (n,)
    starts : (2 * radius + rows,), where the rows begin in `source`, from the one
             `radius` before the first on; `LANES` pixels from `x` on are taken
    taps   : (1 + radius,), float32

    Returns a tuple of vectors. A row that several of them need is loaded once.
    """
    literals = pairs, rows, buffer
    if not all(isinstance(n, types.IntegerLiteral) for n in literals):
        return None
    near, count, number = (n.literal_value for n in literals)
    returned = types.UniTuple(vector, count)

    def generate(context, builder, signature, arguments):
        rows = _Rows(context, builder, signature, arguments, number)
        sums = [builder.fmul(rows.tap(_index(0)), rows.row(i)) for i in range(count)]
        sums = rows.added(sums, _index(1), near)
        return context.make_tuple(builder, returned, sums)

    return returned(source, starts, x, taps, pairs, rows, buffer), generate


@intrinsic
def rows_added(context, source, starts, x, taps, pairs, sums, first, buffer):
    """The same sums with `pairs` of rows more, the nearest `first` away."""
    literals = pairs, buffer
    if not all(isinstance(n, types.IntegerLiteral) for n in literals):
        return None
    near, number = (n.literal_value for n in literals)
    returned = sums

    def generate(context, builder, signature, arguments):
        rows = _Rows(context, builder, signature, arguments, number)
        first = context.cast(builder, arguments[6], signature.args[6], types.intp)
        sums = cgutils.unpack_tuple(builder, arguments[5])
        return context.make_tuple(builder, returned, rows.added(sums, first, near))

    return returned(source, starts, x, taps, pairs, sums, first, buffer), generate


@intrinsic
def columns_sum(context, line, at, step, taps, pairs, buffer):
    """Weighted sum of the columns around ``line[at]`` and so on: the nearest `pairs`.

    Of no pairs it is the columns themselves.

    line : (n,), float32, in which columns are `step` apart
    taps : (1 + radius,), float32
    """
    if not all(isinstance(n, types.IntegerLiteral) for n in (pairs, buffer)):
        return None
    near, number = pairs.literal_value, buffer.literal_value

    def generate(context, builder, signature, arguments):
        columns = _Columns(context, builder, signature, arguments, number)
        centre = columns.column(_index(0))
        if near == 0:
            return centre
        total = builder.fmul(columns.tap(_index(0)), centre)
        if step == types.IntegerLiteral(1):
            return columns.near_added(centre, total, near)
        return columns.added(total, _index(1), near)

    return vector(line, at, step, taps, pairs, buffer), generate


@intrinsic
def columns_added(context, line, at, step, taps, pairs, sums, first, buffer):
    """The same sum with `pairs` of columns more, the nearest `first` away."""
    if not all(isinstance(n, types.IntegerLiteral) for n in (pairs, buffer)):
        return None
    near, number = pairs.literal_value, buffer.literal_value

    def generate(context, builder, signature, arguments):
        columns = _Columns(context, builder, signature, arguments, number)
        first = context.cast(builder, arguments[6], signature.args[6], types.intp)
        return columns.added(arguments[5], first, near)

    return vector(line, at, step, taps, pairs, sums, first, buffer), generate


@intrinsic
def laplacians(context, source, starts, x, step, weights, rows, buffer):
    """Negative Laplacians of `rows` rows: a tuple of vectors.

    source  : (n,)
    starts  : (rows + 2,), where the rows begin in `source`, from the one above the
              first on; `LANES` pixels from `x` on are taken, and their neighbours
    step    : from column to column
    weights : of the second differences down and across, float32
    """
    literals = rows, buffer
    if not all(isinstance(n, types.IntegerLiteral) for n in literals):
        return None
    count, number = (n.literal_value for n in literals)
    kind = source.dtype
    returned = types.UniTuple(vector, count)

    def generate(context, builder, signature, arguments):
        values = dict(zip(("source", "starts"), signature.args, strict=False))
        data, starts = (
            context.make_array(values[name])(context, builder, argument).data
            for name, argument in zip(values, arguments, strict=False)
        )
        x, step = (
            context.cast(builder, arguments[k], signature.args[k], types.intp)
            for k in (2, 3)
        )
        down, across = (
            _broadcast(builder, weight)
            for weight in cgutils.unpack_tuple(builder, arguments[4])
        )
        # In integers sums are exact, and fewer are converted.
        plus, minus, numbers = (
            (builder.fadd, builder.fsub, _as_floats)
            if kind == types.float32
            else (builder.add, builder.sub, _as_integers)
        )

        def pixels(at):
            several = ir.VectorType(context.get_data_type(kind), LANES)
            place = builder.bitcast(builder.gep(data, [at]), several.as_pointer())
            align = context.get_abi_sizeof(several.element)
            value = apart(builder, builder.load(place, align=align), number)
            return numbers(builder, value, kind)

        def floats(value):
            return value if value.type == _floats else builder.sitofp(value, _floats)

        places = []
        for row in range(count + 2):
            start = builder.load(builder.gep(starts, [_index(row)]), align=8)
            places.append(builder.add(apart(builder, start, TABLES), x))
        centres = [pixels(place) for place in places]
        found = []
        for row in range(1, count + 1):
            twice = plus(centres[row], centres[row])
            away = plus(centres[row - 1], centres[row + 1])
            before = pixels(builder.sub(places[row], step))
            behind = pixels(builder.add(places[row], step))
            first = builder.fmul(down, floats(minus(twice, away)))
            second = builder.fmul(across, floats(minus(twice, plus(before, behind))))
            found.append(builder.fadd(first, second))
        return context.make_tuple(builder, returned, found)

    return returned(source, starts, x, step, weights, rows, buffer), generate


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
            _broadcast(
                builder,
                context.cast(builder, arguments[k], signature.args[k], types.i4),
            )
            for k in (2, 3)
        )
        constant = partial(_constant, _ints)
        stored = builder.bitcast(arguments[1], _ints)
        at = builder.sub(builder.ashr(stored, constant(digits)), first)
        mantissa = builder.and_(stored, constant(2**digits - 1))
        share = _constant(_floats, 2.0**-digits)
        along = builder.fmul(builder.sitofp(mantissa, _floats), share)
        # The last of all is one beyond the row before it.
        inside = builder.icmp_signed("<", at, rows)
        along = builder.select(inside, along, _constant(_floats, 1.0))
        at = builder.select(inside, at, builder.sub(rows, constant(1)))
        at = builder.mul(at, constant(width))
        row = ir.VectorType(ir.FloatType(), width)
        loaded = []
        for lane in range(LANES):
            place = builder.extract_element(at, ir.IntType(32)(lane))
            place = builder.gep(data.data, [builder.zext(place, _index)])
            value = builder.load(builder.bitcast(place, row.as_pointer()), align=4)
            loaded.append(apart(builder, value, TABLES))
        both = ir.Constant(_ints, list(range(LANES)))
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
            place = builder.bitcast(pointer, _floats.as_pointer())
            value = builder.load(place, align=align)
            values.append(apart(builder, value, kinds[6].literal_value))
            pointer = builder.gep(pointer, [step])
        values = _transposed(builder, values)
        tile = signature.replace(args=kinds[3:5])
        pointer, align = address(context, builder, tile, arguments[3:5])
        step = context.cast(builder, arguments[5], kinds[5], types.intp)
        for value in values:
            place = builder.bitcast(pointer, _floats.as_pointer())
            stored = builder.store(value, place, align=align)
            apart(builder, stored, kinds[7].literal_value)
            pointer = builder.gep(pointer, [step])
        return context.get_dummy_value()

    returned = types.void(source, at, apart_by, out, to, out_apart, read, written)
    return returned, generate


class _Sum:
    """Emits weighted sums of vectors from memory."""

    def __init__(
        self, context: Any, builder: ir.IRBuilder, source: Any, taps: Any, number: int
    ) -> None:
        self.context, self.builder, self.number = context, builder, number
        kind, array = source
        self.kind = kind.dtype
        self.source = context.make_array(kind)(context, builder, array).data
        kind, array = taps
        weights = context.make_array(kind)(context, builder, array)
        self.taps = weights.data
        length = cgutils.unpack_tuple(builder, weights.shape)[0]
        self.reach = builder.sub(length, _index(1))

    def tap(self, distance: ir.Value) -> ir.Value:
        """Weight of what is at a distance, in all lanes."""
        value = self.builder.load(self.builder.gep(self.taps, [distance]), align=4)
        return _broadcast(self.builder, apart(self.builder, value, TABLES))

    def pixels(self, at: ir.Value) -> ir.Value:
        """`LANES` pixels, in float32."""
        element = self.context.get_data_type(self.kind)
        several = ir.VectorType(element, LANES).as_pointer()
        pointer = self.builder.bitcast(self.builder.gep(self.source, [at]), several)
        align = self.context.get_abi_sizeof(element)
        value = apart(
            self.builder, self.builder.load(pointer, align=align), self.number
        )
        return _as_floats(self.builder, value, self.kind)


class _Rows(_Sum):
    """Emits sums of rows; row 0 is the first that a sum is wanted for."""

    def __init__(
        self,
        context: Any,
        builder: ir.IRBuilder,
        signature: Any,
        arguments: Any,
        number: int,
    ) -> None:
        source, starts, x, taps = zip(signature.args[:4], arguments[:4], strict=True)
        super().__init__(context, builder, source, taps, number)
        self.starts = context.make_array(starts[0])(context, builder, starts[1]).data
        self.x = context.cast(builder, x[1], x[0], types.intp)

    def row(self, place: int, away: ir.Value | None = None) -> ir.Value:
        """Return pixels of the row `place`, or of the one that is further `away`."""
        builder = self.builder
        at = builder.add(self.reach, _index(place))
        if away is not None:
            at = builder.add(at, away)
        start = builder.load(builder.gep(self.starts, [at]), align=8)
        return self.pixels(builder.add(apart(builder, start, TABLES), self.x))

    def added(self, sums: list[ir.Value], first: ir.Value, pairs: int) -> list[Any]:
        """Sums with that many pairs more, the nearest `first` away."""
        builder, count = self.builder, len(sums)
        back = builder.sub(_index(0), first)
        above: dict[int, ir.Value] = {}
        below: dict[int, ir.Value] = {}
        for k in range(pairs):
            tap = self.tap(builder.add(first, _index(k)))
            for i in range(count):
                if i - k not in above:
                    above[i - k] = self.row(i - k, back)
                if i + k not in below:
                    below[i + k] = self.row(i + k, first)
                pair = builder.fadd(above[i - k], below[i + k])
                sums[i] = _call(builder, "fma", tap, pair, sums[i])
        return sums


class _Columns(_Sum):
    """Emits sums of columns; column 0 is that of the first lane."""

    def __init__(
        self,
        context: Any,
        builder: ir.IRBuilder,
        signature: Any,
        arguments: Any,
        number: int,
    ) -> None:
        line, at, step, taps = zip(signature.args[:4], arguments[:4], strict=True)
        super().__init__(context, builder, line, taps, number)
        self.at = context.cast(builder, at[1], at[0], types.intp)
        self.step = (
            _index(step[0].literal_value)
            if isinstance(step[0], types.IntegerLiteral)
            else context.cast(builder, step[1], step[0], types.intp)
        )

    def column(self, place: ir.Value) -> ir.Value:
        """Return the columns `place` steps further."""
        builder = self.builder
        return self.pixels(builder.add(self.at, builder.mul(place, self.step)))

    def near_added(self, centre: ir.Value, total: ir.Value, pairs: int) -> ir.Value:
        """Sum with the nearest pairs, of columns next to each other."""
        builder = self.builder
        before, behind = self.column(_index(-LANES)), self.column(_index(LANES))
        for k in range(1, pairs + 1):
            if _SHUFFLES and k % 2 == 0:
                left = _shifted(builder, before, centre, LANES - k)
                right = _shifted(builder, centre, behind, k)
            else:
                left, right = self.column(_index(-k)), self.column(_index(k))
            pair = builder.fadd(left, right)
            total = _call(builder, "fma", self.tap(_index(k)), pair, total)
        return total

    def added(self, total: ir.Value, first: ir.Value, pairs: int) -> ir.Value:
        """Sum with that many pairs more, the nearest `first` away."""
        builder = self.builder
        for k in range(pairs):
            distance = builder.add(first, _index(k))
            before = self.column(builder.sub(_index(0), distance))
            pair = builder.fadd(before, self.column(distance))
            total = _call(builder, "fma", self.tap(distance), pair, total)
        return total


def _shifted(builder, a, b, n):
    """Return the lanes from the n-th of a on, followed by the first of b."""
    lanes = ir.Constant(_ints, list(range(n, n + LANES)))
    a, b = builder.bitcast(a, _ints), builder.bitcast(b, _ints)
    return builder.bitcast(builder.shuffle_vector(a, b, lanes), _floats)


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
                    builder.shuffle_vector(*pair, ir.Constant(_ints, chosen))
                    for chosen in (first, second)
                )
        half //= 2
    return values


def _constant(kind: ir.VectorType, value: float) -> ir.Constant:
    return ir.Constant(kind, [value] * LANES)


def _broadcast(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    nothing = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    one = builder.insert_element(nothing, value, ir.IntType(32)(0))
    return builder.shuffle_vector(one, nothing, ir.Constant(_ints, [0] * LANES))


def _call(builder: ir.IRBuilder, name: str, *arguments: ir.Value) -> ir.Value:
    """Call one of LLVM's own functions on vectors of float32."""
    kind = ir.FunctionType(_floats, [_floats] * len(arguments))
    function = cgutils.get_or_insert_function(
        builder.module, kind, f"llvm.{name}.v{LANES}f32"
    )
    return builder.call(function, arguments)


def _as_floats(builder: ir.IRBuilder, values: ir.Value, kind: Any) -> ir.Value:
    """Pixels in float32: exact, for there are none wider than 16 bits."""
    if kind == types.float32:
        return values
    return builder.sitofp(_as_integers(builder, values, kind), _floats)


def _as_integers(builder: ir.IRBuilder, values: ir.Value, kind: Any) -> ir.Value:
    """Pixels of an integer type, in 32 bits."""
    extended = builder.sext if kind in types.signed_domain else builder.zext
    return extended(values, _ints)


def _from_floats(
    builder: ir.IRBuilder, values: ir.Value, kind: Any, several: ir.VectorType
) -> ir.Value:
    """Pixels of float32, rounded down to those of an integer type, which holds them."""
    if kind == types.float32:
        return values
    if kind in types.signed_domain:
        values = _call(builder, "floor", values)
    return builder.trunc(builder.fptosi(values, _ints), several)
