"""Laplacian sharpening in one pass: median, Laplacian, threshold, combine, cast.

Four rows at a time, from the image itself or from a ring of rows of its median, which
is never written as a whole. Pixels whose neighbours lie beyond a border are done one by
one: a ring of rows with borders took twice as long for float32.
"""

import numpy as np

from napari_usm._kernels.buffers import buffer, padded
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_row, finished, unpacked
from napari_usm._kernels.median import HELD, median_pair
from napari_usm._kernels.memory import DETAIL, EDGES, IMAGE, RESULT, RING, load, store
from napari_usm._kernels.vector_sums import laplacians
from napari_usm._kernels.vectors import (
    LANES,
    broadcast,
    is_zero,
    load_vector,
    store_rows,
)

# Buffers: what Laplacians are taken of `RING`, rows of detail `DETAIL`; the median's
# buffer of sorted columns is `DETAIL` too.

# Rows at a time, and rows of medians in the ring: those, their neighbours, and one more
# where medians come in pairs.
_ROWS = 4
_CALM = 8

_f = np.float32


@kernel
def sharpen_plane(
    image,
    calm,
    start,
    stride,
    rows,
    columns,
    step,
    calming,
    row_weight,
    column_weight,
    core,
    result,
    edges,
    target,
    numbers,
    outside,
):
    """Sharpen one plane of a block; whether all pixels that it met were finite.

    If not, what it has written is of no use.

    image, calm   : (n,), of one type; row r of the plane is at
                    ``start + r * stride``, its columns are `step` pixels apart
    rows, columns : (count + 2,), where the calm pixel at each place from -1 on is
                    taken from; -1 for the value `outside`
    calming       : size, rows and columns as for `median.median_plane`, of the median
                    that `calm` still needs; or None
    *_weight      : float32, of the second differences down and across
    core          : first and last + 1 row, first and last + 1 column to compute
    target        : row r of the core goes to ``target[0] + r * target[1]``
    The others are those of `mask.sharpen_planes`.
    """
    first, last, left, right = core
    finish = unpacked(numbers)
    count = (columns.size - 2) * step
    begin, inside = left * step, (right - left) * step
    wide = padded(inside, 4)
    detail = buffer(_ROWS * wide if finish[1] > 0 else 0, np.float32)
    weights = row_weight, column_weight
    near = np.empty(_ROWS + 2, np.int64)
    # Rows, and pixels of a row, all of whose neighbours are in the image.
    upper, lower = first + (rows[first] < 0), last - (rows[last + 1] < 0)
    before, behind = max(begin, step), min(begin + inside, count - step)
    if lower - upper < _ROWS or behind - before < LANES:
        upper, lower, before, behind = last, last, begin, begin
    reach = 0
    source = calm
    if calming is not None:
        size, median_rows, median_columns = calming
        reach = size // 2
        held = np.empty(HELD * median_columns.size * step, calm.dtype)
        apart = padded(count, calm.itemsize)
        ring = buffer(_CALM * apart, calm.dtype)
        source = ring
    ready, met = first - 1, max(first - 1 - reach, 0)
    top = first
    while top < last:
        several = upper <= top < lower
        height = _ROWS if several else 1
        if several:
            # Some rows may be done twice.
            top = min(top, lower - _ROWS)
        if calming is not None:
            while ready <= top + height:
                while met < min(ready + reach + 2, rows.size - 2):
                    if not _is_finite(calm, start + met * stride, count):
                        return False
                    met += 1
                place = rows[ready + 1]
                follows = ready <= last and rows[ready + 2] == place + 1
                here, other = ready % _CALM * apart, (ready + 1) % _CALM * apart
                if place >= 0:
                    median_pair(
                        ring,
                        here,
                        other,
                        held,
                        calm,
                        start,
                        stride,
                        place,
                        median_rows,
                        median_columns,
                        step,
                        size,
                    )
                ready += 2 if place >= 0 and follows else 1
        for k in range(height + 2):
            place = rows[top + k]
            if place < 0:
                near[k] = -1
            elif calming is None:
                near[k] = start + place * stride
            else:
                near[k] = (top - 1 + k) % _CALM * apart
        at = start + top * stride
        to = target[0] + (top - first) * target[1] - begin
        finite = True
        if several:
            finite &= _four_rows(
                image,
                at,
                stride,
                source,
                near,
                before,
                behind,
                step,
                weights,
                result,
                edges,
                to,
                target[1],
                detail,
                wide,
                begin,
                finish,
            )
        for row in range(height):
            for side in range(2):
                # Before the vectors and behind them; all pixels if there are none.
                here = behind if side == 1 and several else begin
                end = before if side == 0 and several else begin + inside
                if side == 1 and not several:
                    continue
                finite &= _one_by_one(
                    image,
                    at + row * stride,
                    source,
                    near,
                    row,
                    here,
                    end,
                    columns,
                    step,
                    weights,
                    result,
                    edges,
                    to + row * target[1],
                    detail,
                    row * wide,
                    begin,
                    finish,
                    outside,
                )
            if finish[1] > 0:
                own, goal = at + row * stride + begin, to + row * target[1] + begin
                finish_row(
                    image, own, detail, row * wide, inside, result, edges, goal, finish
                )
        if not finite:
            return False
        top += height
    return True


@kernel
def _four_rows(
    image,
    at,
    stride,
    source,
    near,
    first,
    last,
    step,
    weights,
    result,
    edges,
    to,
    to_stride,
    detail,
    wide,
    begin,
    finish,
):
    """Pixels from `first` to `last` of four rows; whether their detail is finite.

    With a threshold the detail goes to `detail`, else it is finished here.
    """
    amount, threshold, _, low, high, rounding = finish
    amounts, lows, highs = broadcast(amount), broadcast(low), broadcast(high)
    roundings, total = broadcast(rounding), broadcast(_f(0))
    # Vectors begin at cache lines of the result, but for the first and the last.
    skipped = (result.ctypes.data // result.itemsize + to + first) % LANES
    for place in range(first - skipped, last, LANES):
        x = min(max(place, first), last - LANES)
        four = laplacians(source, near, x, step, weights, _ROWS, RING)
        if image.dtype.type(0.5) != 0:
            a, b, c, d = four
            total = total + ((a - a) + (b - b)) + ((c - c) + (d - d))
        if threshold > 0:
            store_rows(detail, x - begin, wide, four, DETAIL)
            continue
        if edges.size > 0:
            store_rows(edges, to + x, to_stride, four, EDGES)
        if result.size > 0:
            a, b, c, d = four
            own = at + x
            last_steps = amounts, lows, highs, roundings
            a = finished(load_vector(image, own, LANES, IMAGE), a, *last_steps)
            own += stride
            b = finished(load_vector(image, own, LANES, IMAGE), b, *last_steps)
            own += stride
            c = finished(load_vector(image, own, LANES, IMAGE), c, *last_steps)
            own += stride
            d = finished(load_vector(image, own, LANES, IMAGE), d, *last_steps)
            store_rows(result, to + x, to_stride, (a, b, c, d), RESULT)
    return is_zero(total)


@kernel
def _one_by_one(
    image,
    at,
    source,
    near,
    row,
    first,
    last,
    columns,
    step,
    weights,
    result,
    edges,
    to,
    detail,
    detail_at,
    begin,
    finish,
    outside,
):
    """Pixels from `first` to `last` of one row, likewise."""
    amount, threshold, _, low, high, rounding = finish
    finite = True
    for x in range(first, last):
        column, c = x // step, x % step
        twice = _f(2) * _f(load(source, near[row + 1] + x, RING))
        above = _pixel(source, near[row], x, outside)
        below = _pixel(source, near[row + 2], x, outside)
        one, other = columns[column], columns[column + 2]
        before = after = outside
        if one >= 0:
            before = _pixel(source, near[row + 1], one * step + c, outside)
        if other >= 0:
            after = _pixel(source, near[row + 1], other * step + c, outside)
        away, aside = above + below, before + after
        found = weights[0] * (twice - away) + weights[1] * (twice - aside)
        finite &= found - found == 0
        if threshold > 0:
            store(detail, detail_at + x - begin, found, DETAIL)
            continue
        if edges.size > 0:
            store(edges, to + x, found, EDGES)
        if result.size > 0:
            value = _f(load(image, at + x, IMAGE)) + amount * found
            store(result, to + x, min(max(value, low), high) + rounding, RESULT)
    return finite


@kernel
def _pixel(source, start, x, outside):
    return outside if start < 0 else _f(load(source, start + x, RING))


@kernel
def _is_finite(image, start, count):
    """Return whether the Laplacian of a row is finite: up to 8 times its pixels."""
    if image.dtype.type(0.5) == 0:
        return True
    several, total = broadcast(_f(16)), broadcast(_f(0))
    for x in range(0, count, LANES):
        value = several * load_vector(image, start + x, count - x, RING)
        total = total + (value - value)
    return is_zero(total)
