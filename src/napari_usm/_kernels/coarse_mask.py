"""A mask whose blur is done on a coarser grid: to the grid, and back to the result.

On the way there the image's own pixels are read once, up to four rows at a time;
on the way back the blur is subtracted, and everything else done, row by row.
"""

import numpy as np

from napari_usm._kernels.buffers import buffer, padded
from napari_usm._kernels.coarse import expand_line, expand_row, reduce_line
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_blurred_row
from napari_usm._kernels.memory import (
    IMAGE,
    LINES,
    RING,
    load,
    store,
)
from napari_usm._kernels.sweeps import four

# Rows that are added in one sweep.
_ROWS = 4

_f = np.float32


@kernel
def reduce_plane(
    image, source, rows, columns, inside, row_taps, column_taps, points, target
):
    """From the pixels of a plane to its grid points; whether all were finite.

    image         : (n,); column c of row r is at ``start + r * stride + c * step``
    source        : start, stride, step
    rows, columns : ((points + 3) * factor,), where the pixel at each place from the
                    first tap of the first grid point on is taken from
    inside        : first and last + 1 of `columns` that are in order
    *_taps        : (4 * factor,), float32
    points        : (m,), float32
    target        : row r of the grid points goes to ``target[0] + r * target[1]``
    """
    step = source[2]
    factor = row_taps.size // 4
    across = columns.size // (column_taps.size // 4) - 3
    begin, end = columns.min() * step, (columns.max() + 1) * step
    count = end - begin
    wide = padded(count, 4)
    sums = buffer(4 * wide, np.float32)
    line = buffer(columns.size * step, np.float32)
    apart = padded((across + 3) * step, 4)
    phases = buffer(column_taps.size // 4 * apart, np.float32)
    for segment in range(rows.size // factor):
        # Of the four grid points whose splines reach these rows, the newest begins.
        newest = segment % 4 * wide
        sums[newest : newest + count] = 0
        for row in range(0, factor, _ROWS):
            _add_rows(
                sums, wide, count, image, source, begin, rows, segment, row, row_taps
            )
        if segment < 3:
            continue
        oldest = (segment - 3) % 4 * wide
        for place in range(inside[0]):
            _fill_place(line, sums, oldest - begin, columns, place, step)
        for place in range(inside[1], columns.size):
            _fill_place(line, sums, oldest - begin, columns, place, step)
        first = oldest - begin + columns[inside[0]] * step
        finite = True
        for x in range((inside[1] - inside[0]) * step):
            value = load(sums, first + x, LINES)
            # What pairs of grid points add up to is finite too.
            several = _f(4) * value
            finite &= several - several == 0
            store(line, inside[0] * step + x, value, RING)
        if not finite:
            return False
        to = target[0] + (segment - 3) * target[1]
        reduce_line(points, to, line, phases, apart, column_taps, across, step)
    return True


@kernel
def _add_rows(sums, wide, count, image, source, begin, rows, segment, row, taps):
    """Four rows of a segment to the sums of the four grid points above them."""
    start, stride, _ = source
    factor = taps.size // 4
    # Beyond the segment, the last row again with taps of zero.
    places = rows[segment * factor : (segment + 1) * factor]
    last = factor - 1
    a0 = start + begin + places[row] * stride
    a1 = start + begin + places[min(row + 1, last)] * stride
    a2 = start + begin + places[min(row + 2, last)] * stride
    a3 = start + begin + places[min(row + 3, last)] * stride
    s0, s1 = segment % 4 * wide, (segment + 3) % 4 * wide
    s2, s3 = (segment + 2) % 4 * wide, (segment + 1) % 4 * wide
    t00, t01, t02, t03 = _taps_of(taps, 0, row)
    t10, t11, t12, t13 = _taps_of(taps, 1, row)
    t20, t21, t22, t23 = _taps_of(taps, 2, row)
    t30, t31, t32, t33 = _taps_of(taps, 3, row)
    for x in range(count):
        c0, c1 = _f(load(image, a0 + x, IMAGE)), _f(load(image, a1 + x, IMAGE))
        c2, c3 = _f(load(image, a2 + x, IMAGE)), _f(load(image, a3 + x, IMAGE))
        term = four(load(sums, s0 + x, LINES), t00, c0, t01, c1, t02, c2, t03, c3)
        store(sums, s0 + x, term, LINES)
        term = four(load(sums, s1 + x, LINES), t10, c0, t11, c1, t12, c2, t13, c3)
        store(sums, s1 + x, term, LINES)
        term = four(load(sums, s2 + x, LINES), t20, c0, t21, c1, t22, c2, t23, c3)
        store(sums, s2 + x, term, LINES)
        term = four(load(sums, s3 + x, LINES), t30, c0, t31, c1, t32, c2, t33, c3)
        store(sums, s3 + x, term, LINES)


@kernel
def _taps_of(taps, age, row):
    """Four taps of the grid point that began `age` segments ago."""
    factor, at = taps.size // 4, age * (taps.size // 4) + row
    zero, left = _f(0), factor - row
    return (
        taps[at],
        taps[at + 1] if left > 1 else zero,
        taps[at + 2] if left > 2 else zero,
        taps[at + 3] if left > 3 else zero,
    )


@kernel
def _fill_place(line, sums, at, columns, place, step):
    for c in range(step):
        value = load(sums, at + columns[place] * step + c, LINES)
        store(line, place * step + c, value, RING)


@kernel
def sharpen_plane(
    image,
    source,
    points,
    first,
    row_taps,
    column_taps,
    core,
    result,
    edges,
    target,
    finish,
    largest,
):
    """Sharpen one plane of a block, whose blur is known at grid points.

    image, source : as for `reduce_plane`
    points        : (m,), float32, the blur at grid points, `step` apart
    first         : where the one before that at the first row and column of the block
                    is, and points from row to row
    *_taps        : (4 * factor,), float32, those of a pixel's four splines of sum 1
    core          : first and last + 1 row, first and last + 1 column to compute
    result, edges, finish : as for `mask.sharpen_planes`
    target        : row r of the core goes to ``target[0] + r * target[1]``
    largest       : the largest float32 for pixels of that type, whose difference from
                    a blur that is finite may overflow; None for integers
    """
    start, stride, step = source
    top, bottom, left, right = core
    factor = row_taps.size // 4
    inside = (right - left) * step
    wide = padded(inside, 4)
    near = buffer(4 * wide, np.float32)
    blurred = buffer(inside, np.float32)
    spare = buffer(inside, np.float32)
    coming = top // factor
    for row in range(top, bottom):
        j = row // factor
        while coming < j + 4:
            at = first[0] + coming * first[1]
            to = coming % 4 * wide
            expand_line(near, to, points, at, spare, column_taps, left, right, step)
            coming += 1
        a0, a1 = j % 4 * wide, (j + 1) % 4 * wide
        a2, a3 = (j + 2) % 4 * wide, (j + 3) % 4 * wide
        phase = row % factor
        expand_row(blurred, 0, near, a0, a1, a2, a3, row_taps, phase, inside)
        own = start + row * stride + left * step
        to = target[0] + (row - top) * target[1]
        finish_blurred_row(
            image, own, blurred, inside, result, edges, to, finish, largest
        )
