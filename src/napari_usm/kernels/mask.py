"""The linear masks in one pass: blur, detail, threshold, combine, limits, cast.

Rows come into a ring with their borders: in the image's own type, or blurred over
the planes above and below. Four of them at a time are blurred down, then each across;
what is left stays in registers and the first-level cache. Nothing is compiled for a
radius: taps are filled up with zeros to a multiple of four pairs, which changes no
bit.
"""

import numpy as np

from napari_usm.kernels.buffers import buffer, padded
from napari_usm.kernels.compiled import kernel
from napari_usm.kernels.finish import finish_mask_row
from napari_usm.kernels.memory import IMAGE, RING, load, store
from napari_usm.kernels.sweeps import (
    PAIRS,
    ROWS,
    across_first,
    across_more,
    deep_first,
    deep_more,
    down_first,
    down_more,
)

@kernel
def sharpen_plane(
    image,
    source,
    planes,
    rows,
    columns,
    deep_taps,
    row_taps,
    column_taps,
    core,
    row_type,
    result,
    edges,
    target,
    finish,
    outside,
):
    """Sharpen one plane of a block; whether all pixels that it met were finite.

    If not, what it has written is of no use.

    image         : (n,); pixel c of row r of plane p is at
                    ``start + p * depth + r * stride + c * step``
    source        : start, depth, stride, step
    planes, rows, columns : (count + 2 * radius,), where the pixel at each place from
                    -radius on is taken from, of planes for this one (count 1); -1
                    for the value `outside`, of rows and columns only
    *_taps        : (1 + radius,), float32, radius a multiple of `PAIRS`, above 0: down
                    the rows and along the columns; over the planes it may be 0
    core          : first and last + 1 row, first and last + 1 column to compute
    row_type      : (0,), of the type that rows are kept in: the image's, or float32
                    where planes are blurred
    result, edges : (m,), of the image's type and float32; one of no pixels is not wanted
    target        : row r of the core goes to ``target[0] + r * target[1]``
    finish        : see `finish_row`
    outside       : of the type of `row_type`
    """
    start, depth, stride, step = source
    reach_rows, reach = row_taps.size - 1, column_taps.size - 1
    first, last, left, right = core
    height = rows.size - 2 * reach_rows
    held = 2 * reach_rows + ROWS
    count = columns.size * step
    wide = padded(count, row_type.itemsize)
    inside = (right - left) * step
    ring = buffer(held * wide, row_type.dtype)
    down = buffer(ROWS * wide, np.float32)
    across = buffer(inside, np.float32)
    starts = np.empty(planes.size, np.int64)
    coming = first - reach_rows
    for row in range(first, last, ROWS):
        while coming < row + ROWS + reach_rows:
            # Rows beyond the last that is needed only meet taps of zero.
            place = rows[min(coming, height - 1 + reach_rows) + reach_rows]
            at = coming % held * wide
            if place < 0:
                ring[at : at + count] = outside
            else:
                for k in range(planes.size):
                    starts[k] = start + planes[k] * depth + place * stride
                if not _fill(
                    ring, at, image, starts, deep_taps, columns, step, reach, outside
                ):
                    return False
            coming += 1
        down_first(down, ring, wide, held, row, row_taps, count)
        for k in range(1 + PAIRS, reach_rows + 1, PAIRS):
            down_more(down, ring, wide, held, row, k, row_taps, count)
        if columns[0] < 0:
            for r in range(ROWS):
                _set_outside(down, r * wide, columns, step, outside)
        middle = planes[planes.size // 2] * depth + start + left * step
        for r in range(row, min(row + ROWS, last)):
            at = (r - row) * wide + (reach + left) * step
            across_first(across, down, at, step, column_taps, inside)
            for k in range(1 + PAIRS, reach + 1, PAIRS):
                across_more(across, down, at, step, k, column_taps, inside)
            own = middle + r * stride
            to = target[0] + (r - first) * target[1]
            finish_mask_row(image, own, across, inside, result, edges, to, finish)
    return True


@kernel
def _fill(ring, at, image, starts, taps, columns, step, reach, outside):
    """One row with its borders; whether it is finite."""
    count = (columns.size - 2 * reach) * step
    begin = at + reach * step
    if taps.size == 1:
        for x in range(count):
            store(ring, begin + x, load(image, starts[0] + x, IMAGE), RING)
    else:
        deep_first(ring, begin, image, starts, taps, count)
        for k in range(1 + PAIRS, taps.size, PAIRS):
            deep_more(ring, begin, image, starts, k, taps, count)
    finite = True
    for x in range(count):
        pixel = load(ring, begin + x, RING)
        finite &= pixel - pixel == 0
    for place in range(reach):
        _fill_place(ring, at, columns, step, reach, place, outside)
        _fill_place(ring, at, columns, step, reach, columns.size - 1 - place, outside)
    return finite


@kernel
def _fill_place(ring, at, columns, step, reach, place, outside):
    for c in range(step):
        value = outside
        if columns[place] >= 0:
            value = load(ring, at + (reach + columns[place]) * step + c, RING)
        store(ring, at + place * step + c, value, RING)


@kernel
def _set_outside(down, at, columns, step, outside):
    """A constant is the same when it is blurred, to the last bit."""
    for place in range(columns.size):
        if columns[place] < 0:
            for c in range(step):
                down[at + place * step + c] = outside
