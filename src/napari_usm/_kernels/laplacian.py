"""Laplacian sharpening in one pass: median, Laplacian, threshold, combine, cast.

Three rows of the calm image are held as float32, with their borders; it is never
written as a whole. A row is calmed when the first window reaches it, two at a time.
"""

import numpy as np

from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_row
from napari_usm._kernels.median import HELD, median_pair
from napari_usm._kernels.memory import DETAIL, IMAGE, LINES, RESULT, RING, load, store

# Buffers: what is calmed and two calm rows `RING`, calm rows with borders `LINES`; the
# median's own is `DETAIL` too.

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
    finish,
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
    count = (columns.size - 2) * step
    begin, inside = left * step, (right - left) * step
    wide = columns.size * step
    ring = np.empty(3 * wide, np.float32)
    detail = np.empty(inside, np.float32)
    weights = row_weight, column_weight
    amount, threshold, _, low, high, rounding = finish
    reach = 0
    if calming is not None:
        size, median_rows, median_columns = calming
        reach = size // 2
        held = np.empty(HELD * median_columns.size * step, calm.dtype)
        pair = np.empty(2 * count, calm.dtype)
        ready = -2  # row that `pair` begins with
    met = max(first - 1 - reach, 0)
    for coming in range(first - 1, last + 1):
        while met < min(coming + reach + 1, rows.size - 2):
            if not _is_finite(calm, start + met * stride, count):
                return False
            met += 1
        place = rows[coming + 1]
        at = (coming + 1) % 3 * wide
        if place < 0:
            ring[at : at + wide] = outside
        elif calming is None:
            _take(ring, at, calm, start + place * stride, columns, step, outside)
        else:
            if place != ready and place != ready + 1:
                median_pair(
                    pair,
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
                ready = place
            _take(ring, at, pair, (place - ready) * count, columns, step, outside)
        row = coming - 1
        if row < first:
            continue
        own = begin + step
        above, below = row % 3 * wide + own, (row + 2) % 3 * wide + own
        here = (row + 1) % 3 * wide + own
        at = start + row * stride + begin
        to = target[0] + (row - first) * target[1]
        if threshold > 0 or edges.size > 0:
            for x in range(inside):
                found = _detail(ring, above + x, here + x, below + x, step, weights)
                store(detail, x, found, DETAIL)
            finish_row(image, at, detail, 0, inside, result, edges, to, finish)
        else:
            # In one loop float32 without a median takes 0.8 times as long.
            for x in range(inside):
                found = _detail(ring, above + x, here + x, below + x, step, weights)
                value = _f(load(image, at + x, IMAGE)) + amount * found
                store(result, to + x, min(max(value, low), high) + rounding, RESULT)
    return True


@kernel
def _detail(ring, above, here, below, step, weights):
    twice = _f(2) * load(ring, here, LINES)
    away = load(ring, above, LINES) + load(ring, below, LINES)
    beside = load(ring, here - step, LINES) + load(ring, here + step, LINES)
    return weights[0] * (twice - away) + weights[1] * (twice - beside)


@kernel
def _is_finite(image, start, count):
    """Return whether the Laplacian of a row is finite: up to 8 times its pixels."""
    finite = True
    for x in range(count):
        several = image.dtype.type(16) * load(image, start + x, RING)
        finite &= several - several == 0
    return finite


@kernel
def _take(ring, at, calm, start, columns, step, outside):
    """A row of the calm image, with its borders."""
    count = (columns.size - 2) * step
    for x in range(count):
        store(ring, at + step + x, _f(load(calm, start + x, RING)), LINES)
    end = columns.size - 1
    for c in range(step):
        ring[at + c] = _place(calm, start, columns[0], step, c, outside)
        ring[at + end * step + c] = _place(calm, start, columns[end], step, c, outside)


@kernel
def _place(calm, start, column, step, c, outside):
    return outside if column < 0 else _f(calm[start + column * step + c])
