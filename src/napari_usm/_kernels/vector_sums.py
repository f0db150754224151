"""Weighted sums of rows and columns in vectors, unrolled.

This is where vectors are worth their code: the compiler does not keep sums over as many
rows in registers by itself. A mask of sigma 1 then takes 1.8 times as long.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from napari_usm._kernels.memory import TABLES, apart
from napari_usm._kernels.vectors import (
    FLOATS,
    INDEX,
    INTS,
    LANES,
    as_integers,
    call,
    from_pixels,
    splat,
    vector,
)


def _shuffles_any_lanes() -> bool:
    """Return whether one instruction shifts 16 lanes: with AVX2 it takes several."""
    try:
        return bool(get_host_cpu_features().get("avx512f", False))
    except RuntimeError:  # of a processor that LLVM cannot name
        return False


_SHUFFLES = _shuffles_any_lanes()


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
        sums = [builder.fmul(rows.tap(INDEX(0)), rows.row(i)) for i in range(count)]
        sums = rows.added(sums, INDEX(1), near)
        return context.make_tuple(builder, returned, sums)

    return returned(source, starts, x, taps, pairs, rows, buffer), generate


@intrinsic
def rows_added(context, source, starts, x, taps, pairs, sums, first, buffer):
    """Return the sums with `pairs` more pairs of rows, the nearest `first` away."""
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

    line : (n,), float32, in which columns are `step` apart
    taps : (1 + radius,), float32
    """
    if not all(isinstance(n, types.IntegerLiteral) for n in (pairs, buffer)):
        return None
    near, number = pairs.literal_value, buffer.literal_value

    def generate(context, builder, signature, arguments):
        columns = _Columns(context, builder, signature, arguments, number)
        centre = columns.column(INDEX(0))
        total = builder.fmul(columns.tap(INDEX(0)), centre)
        if step == types.IntegerLiteral(1):
            return columns.near_added(centre, total, near)
        return columns.added(total, INDEX(1), near)

    return vector(line, at, step, taps, pairs, buffer), generate


@intrinsic
def columns_added(context, line, at, step, taps, pairs, sums, first, buffer):
    """Return the sum with `pairs` more pairs of columns, the nearest `first` away."""
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
            splat(builder, weight)
            for weight in cgutils.unpack_tuple(builder, arguments[4])
        )
        # In integers sums are exact, and fewer are converted.
        plus, minus, numbers = (
            (builder.fadd, builder.fsub, from_pixels)
            if kind == types.float32
            else (builder.add, builder.sub, as_integers)
        )

        def pixels(at):
            several = ir.VectorType(context.get_data_type(kind), LANES)
            place = builder.bitcast(builder.gep(data, [at]), several.as_pointer())
            align = context.get_abi_sizeof(several.element)
            value = apart(builder, builder.load(place, align=align), number)
            return numbers(builder, value, kind)

        def floats(value):
            return value if value.type == FLOATS else builder.sitofp(value, FLOATS)

        places = []
        for row in range(count + 2):
            start = builder.load(builder.gep(starts, [INDEX(row)]), align=8)
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
        self.reach = builder.sub(length, INDEX(1))

    def tap(self, distance: ir.Value) -> ir.Value:
        """Weight of what is at a distance, in all lanes."""
        value = self.builder.load(self.builder.gep(self.taps, [distance]), align=4)
        return splat(self.builder, apart(self.builder, value, TABLES))

    def pixels(self, at: ir.Value) -> ir.Value:
        """`LANES` pixels, in float32."""
        element = self.context.get_data_type(self.kind)
        several = ir.VectorType(element, LANES).as_pointer()
        pointer = self.builder.bitcast(self.builder.gep(self.source, [at]), several)
        align = self.context.get_abi_sizeof(element)
        value = apart(
            self.builder, self.builder.load(pointer, align=align), self.number
        )
        return from_pixels(self.builder, value, self.kind)


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
        at = builder.add(self.reach, INDEX(place))
        if away is not None:
            at = builder.add(at, away)
        start = builder.load(builder.gep(self.starts, [at]), align=8)
        return self.pixels(builder.add(apart(builder, start, TABLES), self.x))

    def added(self, sums: list[ir.Value], first: ir.Value, pairs: int) -> list[Any]:
        """Sums with that many pairs more, the nearest `first` away."""
        builder, count = self.builder, len(sums)
        back = builder.sub(INDEX(0), first)
        above: dict[int, ir.Value] = {}
        below: dict[int, ir.Value] = {}
        for k in range(pairs):
            tap = self.tap(builder.add(first, INDEX(k)))
            for i in range(count):
                if i - k not in above:
                    above[i - k] = self.row(i - k, back)
                if i + k not in below:
                    below[i + k] = self.row(i + k, first)
                pair = builder.fadd(above[i - k], below[i + k])
                sums[i] = call(builder, "fma", tap, pair, sums[i])
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
            INDEX(step[0].literal_value)
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
        before, behind = self.column(INDEX(-LANES)), self.column(INDEX(LANES))
        for k in range(1, pairs + 1):
            if _SHUFFLES and k % 2 == 0:
                left = _shifted(builder, before, centre, LANES - k)
                right = _shifted(builder, centre, behind, k)
            else:
                left, right = self.column(INDEX(-k)), self.column(INDEX(k))
            pair = builder.fadd(left, right)
            total = call(builder, "fma", self.tap(INDEX(k)), pair, total)
        return total

    def added(self, total: ir.Value, first: ir.Value, pairs: int) -> ir.Value:
        """Sum with that many pairs more, the nearest `first` away."""
        builder = self.builder
        for k in range(pairs):
            distance = builder.add(first, INDEX(k))
            before = self.column(builder.sub(INDEX(0), distance))
            pair = builder.fadd(before, self.column(distance))
            total = call(builder, "fma", self.tap(distance), pair, total)
        return total


def _shifted(builder, a, b, n):
    """Return the lanes from the n-th of a on, followed by the first of b."""
    lanes = ir.Constant(INTS, list(range(n, n + LANES)))
    a, b = builder.bitcast(a, INTS), builder.bitcast(b, INTS)
    return builder.bitcast(builder.shuffle_vector(a, b, lanes), FLOATS)
