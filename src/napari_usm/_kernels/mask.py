"""The linear masks in one pass: blur, detail, threshold, combine, limits, cast.

Rows come into a ring with their borders: in the image's own type, or of four planes
at once, blurred over those around. Four of them at a time are blurred down, then each
across; what is left stays in registers and the first-level cache. Nothing is compiled
for a radius: taps are filled up with zeros to one pair or a multiple of four, which
changes no bit.
"""

import numpy as np

from napari_usm._kernels.buffers import buffer, fill_borders, padded, set_outside
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_mask_row
from napari_usm._kernels.memory import IMAGE, LINES, RING, load, store
from napari_usm._kernels.sweeps import ROWS, across_blurred, rows_blurred


@kernel
def sharpen_planes(
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
    """Sharpen one plane, or up to four; whether all pixels that were met are finite.

    If not, what has been written is of no use.

    image         : (n,); pixel c of row r of plane p is at
                    ``start + p * depth + r * stride + c * step``
    source        : start, depth, stride, step
    planes        : the plane, if it is not blurred over others; else
                    (2 * radius + 4,), the planes to take from `radius` before the
                    first of the four on
    rows, columns : (count + 2 * radius,), where the pixel at each place from
                    -radius on is taken from; -1 for the value `outside`
    *_taps        : (1 + radius,), float32, radius 1 or a multiple of `PAIRS`: down the
                    rows and along the columns; over the planes it may be None
    core          : how many planes, first and last + 1 row, first and last + 1 column
    row_type      : (0,), of the type that rows are kept in: the image's, or float32
                    where planes are blurred
    result, edges : (m,), of the image's type and float32; one of no pixels is not wanted
    target        : row r of the core of plane p goes to
                    ``target[0] + p * target[1] + r * target[2]``
    finish        : see `finish_row`
    outside       : of the type of `row_type`
    """
    start, depth, stride, step = source
    # What is None is known when a kernel is compiled: only one branch is.
    if deep_taps is None:
        layers, deep = 1, 0
    else:
        layers, deep = ROWS, deep_taps.size - 1
    reach_rows, reach = row_taps.size - 1, column_taps.size - 1
    count_planes, first, last, left, right = core
    height = rows.size - 2 * reach_rows
    held = 2 * reach_rows + ROWS
    wide = padded(columns.size * step, row_type.itemsize)
    thick = held * wide
    inside = (right - left) * step
    ring = buffer(layers * thick, row_type.dtype)
    down = buffer(ROWS * wide, np.float32)
    across = buffer(inside, np.float32)
    starts, near = np.empty(planes.size, np.int64), np.empty(held, np.int64)
    coming = first - reach_rows
    for row in range(first, last, ROWS):
        while coming < row + ROWS + reach_rows:
            # Rows beyond the last that is needed only meet taps of zero.
            place = rows[min(coming, height - 1 + reach_rows) + reach_rows]
            at = coming % held * wide
            coming += 1
            if place < 0:
                ring[at : at + columns.size * step] = outside
                continue
            starts[:] = start + planes * depth + place * stride
            begin, count = at + reach * step, (columns.size - 2 * reach) * step
            if deep_taps is None:
                here = starts[0]
                for x in range(count):
                    store(ring, begin + x, load(image, here + x, IMAGE), RING)
            else:
                rows_blurred(
                    ring, begin, thick, image, starts, deep_taps, count, IMAGE, RING
                )
            for plane in range(count_planes):
                line = at + plane * thick
                if not _with_borders(ring, line, columns, step, reach, outside):
                    return False
        for plane in range(count_planes):
            for k in range(held):
                near[k] = (row - reach_rows + k) % held * wide + plane * thick
            count = columns.size * step
            rows_blurred(down, 0, wide, ring, near, row_taps, count, RING, LINES)
            if columns[0] < 0:
                for r in range(ROWS):
                    set_outside(down, r * wide, columns, step, outside)
            middle = start + planes[deep + plane] * depth + left * step
            for r in range(row, min(row + ROWS, last)):
                at = (r - row) * wide + (reach + left) * step
                across_blurred(across, down, at, step, column_taps, inside)
                own = middle + r * stride
                to = target[0] + plane * target[1] + (r - first) * target[2]
                finish_mask_row(
                    image, own, across, inside, result, edges, to, finish, None
                )
    return True


@kernel
def _with_borders(ring, at, columns, step, reach, outside):
    """Give a row its borders; whether all of it is finite, and its sums will be.

    A tap of zero makes NaN of a sum that is infinite.
    """
    finite = True
    for x in range((columns.size - 2 * reach) * step):
        several = ring.dtype.type(4) * load(ring, at + reach * step + x, RING)
        finite &= several - several == 0
    fill_borders(ring, at, columns, reach, step, outside)
    return finite
