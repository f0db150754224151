"""A mask whose blur is done on a coarser grid: to the grid, and back to the result.

On the way there the image's own pixels are read once, up to eight rows at a time; on
the way back the blur is subtracted, and everything else done, for as many.
"""

import numpy as np

from napari_usm._kernels.buffers import buffer, padded
from napari_usm._kernels.coarse import expand_line, reduce_line
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_blurred_row
from napari_usm._kernels.memory import (
    DETAIL,
    EDGES,
    IMAGE,
    LINES,
    RESULT,
    RING,
    TABLES,
    load,
    store,
)
from napari_usm._kernels.vectors import (
    LANES,
    broadcast,
    is_zero,
    larger,
    load_vector,
    multiplied_added,
    smaller,
    store_vector,
)

# Rows at a time, at most: of more, the processor no longer fetches all in time.
_ROWS = 8

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
    start, stride, step = source
    factor = row_taps.size // 4
    across = columns.size // (column_taps.size // 4) - 3
    begin, end = columns.min() * step, (columns.max() + 1) * step
    count = end - begin
    wide = padded(count + LANES, 4)
    sums = buffer(4 * wide, np.float32)
    row = buffer(max(count, LANES), np.float32)
    line = buffer(columns.size * step, np.float32)
    apart = padded((across + 3) * step, 4)
    phases = buffer(column_taps.size // 4 * apart, np.float32)
    near = np.empty(factor, np.int64)
    for segment in range(rows.size // factor):
        for k in range(factor):
            near[k] = start + begin + rows[segment * factor + k] * stride
        for first in range(0, factor, _ROWS):
            last = min(first + _ROWS, factor)
            finite = _add_rows(
                sums, wide, segment, row, image, near, count, row_taps, first, last
            )
        if segment < 3:
            continue
        if not finite:
            return False
        for place in range(inside[0]):
            _fill_place(line, row, begin, columns, place, step)
        for place in range(inside[1], columns.size):
            _fill_place(line, row, begin, columns, place, step)
        taken = columns[inside[0]] * step - begin
        for x in range((inside[1] - inside[0]) * step):
            store(line, inside[0] * step + x, load(row, taken + x, DETAIL), RING)
        to = target[0] + (segment - 3) * target[1]
        reduce_line(points, to, line, phases, apart, column_taps, across, step)
    return True


@kernel
def _add_rows(sums, wide, segment, row, image, near, count, taps, first, last):
    """Add rows of a segment to the sums of the four grid points above them.

    The oldest of them is finished in `row`; whether it is finite there.

    sums, wide  : `LINES`, and from sum to sum; the last vector of a row has a place for
                  itself
    near        : where the pixels of each row of the segment begin
    first, last : of the segment's rows
    """
    factor = taps.size // 4
    # Of the four grid points whose splines reach these rows, the newest begins.
    s0, s1 = segment % 4 * wide, (segment + 3) % 4 * wide
    s2, s3 = (segment + 2) % 4 * wide, (segment + 1) % 4 * wide
    zero = broadcast(_f(0))
    four, total = broadcast(_f(4)), zero
    left, end = min(count, LANES), max(count - LANES, 0)
    # Two vectors at a time: each multiply-add waits for the one before.
    for place in range(0, count, 2 * LANES):
        x, y = min(place, end), min(place + LANES, end)
        other = place + LANES
        a, b = zero, zero
        if first > 0:
            a = load_vector(sums, s0 + place, LANES, LINES)
            b = load_vector(sums, s0 + other, LANES, LINES)
        c = load_vector(sums, s1 + place, LANES, LINES)
        d = load_vector(sums, s1 + other, LANES, LINES)
        e = load_vector(sums, s2 + place, LANES, LINES)
        f = load_vector(sums, s2 + other, LANES, LINES)
        g = load_vector(sums, s3 + place, LANES, LINES)
        h = load_vector(sums, s3 + other, LANES, LINES)
        for k in range(first, last):
            at = load(near, k, TABLES)
            p = load_vector(image, at + x, left, IMAGE)
            q = load_vector(image, at + y, left, IMAGE)
            tap = broadcast(load(taps, k, TABLES))
            a, b = multiplied_added(tap, p, a), multiplied_added(tap, q, b)
            tap = broadcast(load(taps, k + factor, TABLES))
            c, d = multiplied_added(tap, p, c), multiplied_added(tap, q, d)
            tap = broadcast(load(taps, k + 2 * factor, TABLES))
            e, f = multiplied_added(tap, p, e), multiplied_added(tap, q, f)
            tap = broadcast(load(taps, k + 3 * factor, TABLES))
            g, h = multiplied_added(tap, p, g), multiplied_added(tap, q, h)
        store_vector(sums, s0 + place, a, LANES, LINES)
        store_vector(sums, s0 + other, b, LANES, LINES)
        store_vector(sums, s1 + place, c, LANES, LINES)
        store_vector(sums, s1 + other, d, LANES, LINES)
        store_vector(sums, s2 + place, e, LANES, LINES)
        store_vector(sums, s2 + other, f, LANES, LINES)
        if last < factor:
            store_vector(sums, s3 + place, g, LANES, LINES)
            store_vector(sums, s3 + other, h, LANES, LINES)
        else:
            store_vector(row, x, g, LANES, DETAIL)
            store_vector(row, y, h, LANES, DETAIL)
            # What pairs of grid points add up to is finite too.
            g, h = four * g, four * h
            total = total + ((g - g) + (h - h))
    return is_zero(total)


@kernel
def _fill_place(line, row, begin, columns, place, step):
    for c in range(step):
        value = load(row, columns[place] * step - begin + c, DETAIL)
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
    blurred = buffer(_ROWS * wide if finish[1] > 0 else 0, np.float32)
    spare = buffer(inside, np.float32)
    coming, row = top // factor, top
    while row < bottom:
        # Rows between the same grid points.
        j, phase = row // factor, row % factor
        rows = min(factor - phase, bottom - row, _ROWS)
        while coming < j + 4:
            at = first[0] + coming * first[1]
            to = coming % 4 * wide
            expand_line(near, to, points, at, spare, column_taps, left, right, step)
            coming += 1
        own = start + row * stride + left * step
        to = target[0] + (row - top) * target[1]
        _finish_rows(
            image,
            own,
            stride,
            near,
            wide,
            j,
            row_taps,
            phase,
            rows,
            inside,
            blurred,
            result,
            edges,
            to,
            target[1],
            finish,
            largest,
        )
        if finish[1] > 0:
            for k in range(rows):
                finish_blurred_row(
                    image,
                    own + k * stride,
                    blurred[k * wide : k * wide + inside],
                    inside,
                    result,
                    edges,
                    to + k * target[1],
                    finish,
                    largest,
                )
        row += rows


@kernel
def _finish_rows(
    image,
    at,
    stride,
    near,
    wide,
    j,
    taps,
    phase,
    rows,
    count,
    blurred,
    result,
    edges,
    to,
    to_stride,
    finish,
    largest,
):
    """Finish rows between the same grid points.

    With a threshold the blur goes to `blurred`, in rows `wide` apart.

    near  : `LINES`, the grid points' rows around, from the j-th modulo 4 on
    taps, phase : see `expand_row`
    """
    factor = taps.size // 4
    a0, a1 = j % 4 * wide, (j + 1) % 4 * wide
    a2, a3 = (j + 2) % 4 * wide, (j + 3) % 4 * wide
    amount, threshold, _, low, high, rounding = finish
    amounts, lows, highs = broadcast(amount), broadcast(low), broadcast(high)
    roundings = broadcast(rounding)
    left, end = min(count, LANES), max(count - LANES, 0)
    for place in range(0, count, LANES):
        # The last vector ends with the row.
        x = min(place, end)
        p0 = load_vector(near, a0 + x, LANES, LINES)
        p1 = load_vector(near, a1 + x, LANES, LINES)
        p2 = load_vector(near, a2 + x, LANES, LINES)
        p3 = load_vector(near, a3 + x, LANES, LINES)
        for k in range(rows):
            tap = broadcast(load(taps, 3 * factor + phase + k, TABLES))
            term = tap * p0
            tap = broadcast(load(taps, 2 * factor + phase + k, TABLES))
            term = multiplied_added(tap, p1, term)
            tap = broadcast(load(taps, factor + phase + k, TABLES))
            term = multiplied_added(tap, p2, term)
            tap = broadcast(load(taps, phase + k, TABLES))
            term = multiplied_added(tap, p3, term)
            if threshold > 0:
                store_vector(blurred, k * wide + x, term, LANES, DETAIL)
                continue
            pixel = load_vector(image, at + k * stride + x, left, IMAGE)
            detail = pixel - term
            if largest is not None:
                most = broadcast(largest)
                detail = smaller(larger(detail, broadcast(-largest)), most)
            goal = to + k * to_stride + x
            if edges.size > 0:
                store_vector(edges, goal, detail, left, EDGES)
            if result.size > 0:
                value = smaller(larger(pixel + amounts * detail, lows), highs)
                store_vector(result, goal, value + roundings, left, RESULT)
