"""A mask whose blur is done on a coarser grid: to the grid, and back to the result.

On the way there the image's own pixels are read once, up to eight rows at a time; on
the way back the blur is subtracted, and everything else done, for as many. Along the
columns sixteen rows go side by side, one in each lane: pixels of a row that are
`factor` apart do not lie next to each other, but those of a column do.
"""

import numpy as np

from napari_usm._kernels.buffers import buffer, padded
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_blurred_row, finished, unpacked
from napari_usm._kernels.memory import (
    DETAIL,
    EDGES,
    IMAGE,
    LINES,
    RESULT,
    RING,
    TABLES,
    load,
)
from napari_usm._kernels.vector_tables import transpose
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
def reduce_plane(image, source, rows, columns, row_taps, column_taps, points, target):
    """From the pixels of a plane to its grid points; whether all were finite.

    image         : (n,); column c of row r is at ``start + r * stride + c * step``
    source        : start, stride, step
    rows, columns : ((points + 3) * factor,), where the pixel at each place from the
                    first tap of the first grid point on is taken from
    *_taps        : (4 * factor,), float32
    points        : (m,), float32
    target        : row r of the grid points goes to ``target[0] + r * target[1]``
    """
    start, stride, step = source
    factor = row_taps.size // 4
    begin, end = columns.min() * step, (columns.max() + 1) * step
    count = end - begin
    wide = padded(count + LANES, 4)
    sums = buffer(4 * wide, np.float32)
    # Rows of grid points, not yet along the columns; and those as columns.
    done = buffer(LANES * wide, np.float32)
    turned = buffer(LANES * wide, np.float32)
    across = (columns.size // (column_taps.size // 4) - 3) * step
    found = buffer(LANES * padded(across + LANES, 4), np.float32)
    tile = buffer(LANES * LANES, np.float32)
    near = np.empty(factor, np.int64)
    for segment in range(rows.size // factor):
        for k in range(factor):
            near[k] = start + begin + rows[segment * factor + k] * stride
        row = (segment - 3) % LANES
        for first in range(0, factor, _ROWS):
            last = min(first + _ROWS, factor)
            finite = _add_rows(
                sums,
                wide,
                segment,
                done,
                row * wide,
                image,
                near,
                count,
                row_taps,
                first,
                last,
            )
        if segment < 3:
            continue
        if not finite:
            return False
        if row == LANES - 1 or segment == rows.size // factor - 1:
            for x in range(0, count, LANES):
                transpose(done, x, wide, turned, x * LANES, LANES, DETAIL, RING)
            _reduce_columns(found, turned, columns, begin, column_taps, step)
            to = target[0] + (segment - 3 - row) * target[1]
            for x in range(0, across, LANES):
                transpose(found, x * LANES, LANES, tile, 0, LANES, LINES, DETAIL)
                for k in range(row + 1):
                    several = load_vector(tile, k * LANES, LANES, DETAIL)
                    at = to + k * target[1] + x
                    store_vector(points, at, several, across - x, RESULT)
    return True


@kernel
def _reduce_columns(out, lines, columns, begin, taps, step):
    """To grid points along the columns of `LANES` rows.

    out, lines : `LINES` and `RING`: pixels of all rows for each column in turn
    columns, begin : see `reduce_plane`, and the first of `lines`
    """
    factor = taps.size // 4
    for c in range(step):
        # Sums of the four grid points whose splines reach a column, from the newest on.
        zero = broadcast(_f(0))
        s0, s1, s2, s3 = zero, zero, zero, zero
        for segment in range(columns.size // factor):
            for k in range(factor):
                column = load(columns, segment * factor + k, TABLES)
                at = (column * step - begin + c) * LANES
                pixel = load_vector(lines, at, LANES, RING)
                tap = broadcast(load(taps, k, TABLES))
                s0 = multiplied_added(tap, pixel, s0)
                tap = broadcast(load(taps, k + factor, TABLES))
                s1 = multiplied_added(tap, pixel, s1)
                tap = broadcast(load(taps, k + 2 * factor, TABLES))
                s2 = multiplied_added(tap, pixel, s2)
                tap = broadcast(load(taps, k + 3 * factor, TABLES))
                s3 = multiplied_added(tap, pixel, s3)
            if segment >= 3:
                at = ((segment - 3) * step + c) * LANES
                store_vector(out, at, s3, LANES, LINES)
            s0, s1, s2, s3 = zero, s0, s1, s2


@kernel
def _add_rows(sums, wide, segment, done, to, image, near, count, taps, first, last):
    """Add rows of a segment to the sums of the four grid points above them.

    The oldest of them goes to ``done[to]`` and so on; whether it is finite there.

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
            store_vector(done, to + x, g, LANES, DETAIL)
            store_vector(done, to + y, h, LANES, DETAIL)
            # What pairs of grid points add up to is finite too.
            g, h = four * g, four * h
            total = total + ((g - g) + (h - h))
    return is_zero(total)


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
    numbers,
    largest,
):
    """Sharpen one plane of a block, whose blur is known at grid points.

    image, source : as for `reduce_plane`
    points        : (m,), float32, the blur at grid points, `step` apart
    first         : where the one before that at the first row and column of the block
                    is, and points from row to row
    *_taps        : (4 * factor,), float32, those of a pixel's four splines of sum 1
    core          : first and last + 1 row, first and last + 1 column to compute
    result, edges, numbers : as for `mask.sharpen_planes`
    target        : row r of the core goes to ``target[0] + r * target[1]``
    largest       : the largest float32 for pixels of that type, whose difference from
                    a blur that is finite may overflow; None for integers
    """
    start, stride, step = source
    top, bottom, left, right = core
    finish = unpacked(numbers)
    factor = row_taps.size // 4
    inside = (right - left) * step
    wide = padded(inside + LANES, 4)
    # Rows of grid points, along the columns at pixels: two batches in turn.
    near = buffer(2 * LANES * wide, np.float32)
    turned = buffer(LANES * padded(inside + LANES, 4), np.float32)
    blurred = buffer(_ROWS * wide if finish[1] > 0 else 0, np.float32)
    final = (bottom - 1) // factor + 3
    coming, row = top // factor // LANES * LANES, top
    while row < bottom:
        # Rows between the same grid points.
        j, phase = row // factor, row % factor
        rows = min(factor - phase, bottom - row, _ROWS)
        while coming <= j + 3:
            _expand_columns(
                turned,
                points,
                first,
                max(coming, top // factor),
                min(coming + LANES - 1, final),
                column_taps,
                left,
                right,
                step,
            )
            to = coming % (2 * LANES) * wide
            for x in range(0, inside, LANES):
                transpose(turned, x * LANES, LANES, near, to + x, wide, RING, LINES)
            coming += LANES
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
def _expand_columns(out, points, first, begin, end, taps, left, right, step):
    """To the pixels from `left` to `right` along rows of grid points.

    out        : `RING`, pixels of `LANES` rows for each column in turn
    points, first : see `sharpen_plane`
    begin, end : the first row and the last, of those with the same ``row // LANES``
    """
    factor = taps.size // 4
    low, high = left // factor * step, ((right - 1) // factor + 4) * step
    count = high - low
    wide = padded(count + LANES, 4)
    lines = buffer(LANES * wide, np.float32)
    turned = buffer(LANES * wide, np.float32)
    for row in range(begin, end + 1):
        at, to = first[0] + row * first[1] + low, row % LANES * wide
        for x in range(0, count, LANES):
            several = load_vector(points, at + x, count - x, IMAGE)
            store_vector(lines, to + x, several, LANES, DETAIL)
    for x in range(0, count, LANES):
        transpose(lines, x, wide, turned, x * LANES, LANES, DETAIL, LINES)
    for point in range(left // factor, (right - 1) // factor + 1):
        for c in range(step):
            at = (point * step - low + c) * LANES
            p0 = load_vector(turned, at, LANES, LINES)
            p1 = load_vector(turned, at + step * LANES, LANES, LINES)
            p2 = load_vector(turned, at + 2 * step * LANES, LANES, LINES)
            p3 = load_vector(turned, at + 3 * step * LANES, LANES, LINES)
            here = max(point * factor, left)
            for x in range(here, min((point + 1) * factor, right)):
                term = _spline(taps, x - point * factor, p0, p1, p2, p3)
                store_vector(out, ((x - left) * step + c) * LANES, term, LANES, RING)


@kernel
def _spline(taps, phase, p0, p1, p2, p3):
    """Sum of the four splines that reach a pixel between grid points."""
    factor = taps.size // 4
    term = broadcast(load(taps, 3 * factor + phase, TABLES)) * p0
    tap = broadcast(load(taps, 2 * factor + phase, TABLES))
    term = multiplied_added(tap, p1, term)
    tap = broadcast(load(taps, factor + phase, TABLES))
    term = multiplied_added(tap, p2, term)
    tap = broadcast(load(taps, phase, TABLES))
    return multiplied_added(tap, p3, term)


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

    near  : `LINES`, two batches of rows of grid points, `wide` apart
    j     : the first of the four rows of grid points that are needed
    phase : of the first row, behind that grid point; the others follow
    rows  : how many
    The others are those of `sharpen_plane` and `finish_blurring`.
    """
    batches = 2 * LANES
    a0, a1 = j % batches * wide, (j + 1) % batches * wide
    a2, a3 = (j + 2) % batches * wide, (j + 3) % batches * wide
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
            term = _spline(taps, phase + k, p0, p1, p2, p3)
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
                value = finished(pixel, detail, amounts, lows, highs, roundings)
                store_vector(result, goal, value, left, RESULT)
