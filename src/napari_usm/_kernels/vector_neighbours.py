"""Pixels compared with their nearest neighbours, in vectors of the image's type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from napari_usm._kernels.memory import address, apart
from napari_usm._kernels.vectors import FLOATS, INTS, LANES, from_pixels, vector

if TYPE_CHECKING:
    from collections.abc import Sequence


@intrinsic
def beyond_nearest(context, image, rows, x, step, buffer):
    """Return how far pixels are beyond all but one of their four nearest neighbours.

    image : (n,)
    rows  : for each row a tuple of where the one above, it, and the one below begin
    x     : the first of `LANES` pixels of each row
    step  : from column to column

    Returns vectors: a tuple of the distance in each row, 0 where a pixel is between its
    neighbours; the largest of these; and of second highest neighbours the smallest.
    """
    if not isinstance(buffer, types.IntegerLiteral):
        return None
    number, count = buffer.literal_value, len(rows)
    each = types.UniTuple(vector, count)
    returned = types.Tuple((each, vector, vector))

    def generate(context, builder, signature, arguments):
        kind = signature.args[0].dtype
        several = ir.VectorType(context.get_data_type(kind), LANES)
        pair = signature.replace(args=(signature.args[0], types.intp))
        x, step = (
            context.cast(builder, arguments[k], signature.args[k], types.intp)
            for k in (2, 3)
        )

        def pixels(start, away=None):
            at = builder.add(start, x)
            if away is not None:
                at = away(at, step)
            pointer, align = address(context, builder, pair, (arguments[0], at))
            place = builder.bitcast(pointer, several.as_pointer())
            return apart(builder, builder.load(place, align=align), number)

        order = _Order(builder, kind)
        distances, highs = [], []
        for row in range(count):
            starts = builder.extract_value(arguments[1], row)
            above, own, below = (builder.extract_value(starts, k) for k in range(3))
            pixel = pixels(own)
            vertical = pixels(above), pixels(below)
            across = pixels(own, builder.sub), pixels(own, builder.add)
            # Of two pairs the larger of the smaller, and the smaller of the larger.
            one = order.larger(order.smaller(*vertical), order.smaller(*across))
            other = order.smaller(order.larger(*vertical), order.larger(*across))
            high, low = order.larger(one, other), order.smaller(one, other)
            over = order.difference(order.larger(pixel, high), high)
            under = order.difference(order.larger(low, pixel), pixel)
            distances.append(order.farther(over, under))
            highs.append(high)
        far = [order.distance(found) for found in distances]
        farthest = order.distance(_of_all(distances, order.farther))
        high = from_pixels(builder, _of_all(highs, order.smaller), kind)
        far = context.make_tuple(builder, each, far)
        return context.make_tuple(builder, returned, (far, farthest, high))

    return returned(image, rows, x, step, buffer), generate


class _Order:
    """Emits comparisons of vectors of pixels."""

    def __init__(self, builder: ir.IRBuilder, kind: Any) -> None:
        self.builder, self.kind = builder, kind

    def smaller(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return self.builder.select(self._is_below(a, b), a, b)

    def larger(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return self.builder.select(self._is_below(a, b), b, a)

    def difference(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Return a - b, which is not negative; of integers without a sign."""
        if self.kind == types.float32:
            return self.builder.fsub(a, b)
        return self.builder.sub(a, b)

    def farther(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Return the larger of two differences."""
        if self.kind == types.float32:
            return self.larger(a, b)
        return self.builder.select(self.builder.icmp_unsigned("<", a, b), b, a)

    def distance(self, difference: ir.Value) -> ir.Value:
        """Return a difference in float32."""
        if self.kind == types.float32:
            return difference
        return self.builder.sitofp(self.builder.zext(difference, INTS), FLOATS)

    def _is_below(self, a: ir.Value, b: ir.Value) -> ir.Value:
        if self.kind == types.float32:
            return self.builder.fcmp_ordered("<", a, b)
        if self.kind in types.signed_domain:
            return self.builder.icmp_signed("<", a, b)
        return self.builder.icmp_unsigned("<", a, b)


def _of_all(values: Sequence[ir.Value], chosen: Any) -> ir.Value:
    """Return what is chosen of the values, each with that of those before it."""
    found = values[0]
    for value in values[1:]:
        found = chosen(found, value)
    return found
