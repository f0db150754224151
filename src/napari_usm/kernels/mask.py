"""The linear masks in one pass: blur, detail, threshold, combine, limits, cast.

Rows come into a ring in the image's own type, with their borders. Four rows at a
time are blurred down, four pairs of rows in a sweep (one row at a time takes 1.3
times as long), then each of them across; what is left stays in registers and the
first-level cache. Nothing is compiled for a radius: taps are filled up with zeros
to a multiple of four pairs, which changes no bit.
"""

import numpy as np

from napari_usm.kernels.compiled import kernel
from napari_usm.kernels.finish import finish_row
from napari_usm.kernels.memory import load, multiply_add, store

# Pairs of taps in one sweep, and rows at a time.
PAIRS = 4
_ROWS = 4

# Numbers of the buffers, as `memory` wants them literally:
# the ring 0, the result 1, the image 2, rows blurred down 3, a row of detail 4.

_f = np.float32


@kernel
def sharpen_plane(
    image,
    start,
    stride,
    rows,
    columns,
    step,
    row_taps,
    column_taps,
    core,
    result,
    result_start,
    result_stride,
    amount,
    threshold,
    hard,
    low,
    high,
    rounding,
    outside,
):
    """Sharpen one plane of a block.

    image         : (n,), uint8, uint16 or float32; row r of the plane is at
                    ``start + r * stride``, its columns are `step` pixels apart
    rows, columns : (count + 2 * radius,), where the pixel at each place from
                    -radius on is taken from; -1 for the value `outside`
    *_taps        : (1 + radius,), float32, radius a multiple of `PAIRS`, above 0:
                    down the rows, and along the columns
    core          : first and last + 1 row, first and last + 1 column to compute
    result        : (m,), of the image's type: row r of the core goes to
                    ``result_start + r * result_stride``
    amount, threshold, low, high, rounding : float32; `rounding` is 0.5 for integers
    """
    reach_rows, reach = row_taps.size - 1, column_taps.size - 1
    first, last, left, right = core
    height = rows.size - 2 * reach_rows
    held = 2 * reach_rows + _ROWS
    count = columns.size * step
    wide = _padded(count, image.itemsize)
    inside = (right - left) * step
    ring = np.empty(held * wide, image.dtype)
    down = np.empty(_ROWS * wide, np.float32)
    across = np.empty(inside, np.float32)
    coming = first - reach_rows
    for row in range(first, last, _ROWS):
        while coming < row + _ROWS + reach_rows:
            # Rows beyond the last that is needed only meet taps of zero.
            place = rows[min(coming, height - 1 + reach_rows) + reach_rows]
            at = coming % held * wide
            if place >= 0:
                _fill(
                    ring,
                    at,
                    image,
                    start + place * stride,
                    columns,
                    step,
                    reach,
                    outside,
                )
            else:
                ring[at : at + count] = outside
            coming += 1
        _down_first(down, ring, wide, held, row, row_taps, count)
        for k in range(1 + PAIRS, reach_rows + 1, PAIRS):
            _down_more(down, ring, wide, held, row, k, row_taps, count)
        if columns[0] < 0:
            for r in range(_ROWS):
                _set_outside(down, r * wide, columns, step, outside)
        for r in range(row, min(row + _ROWS, last)):
            middle = (reach + left) * step
            at = (r - row) * wide + middle
            _across_first(across, down, at, step, column_taps, inside)
            for k in range(1 + PAIRS, reach + 1, PAIRS):
                _across_more(across, down, at, step, k, column_taps, inside)
            own = r % held * wide + middle
            for x in range(inside):
                pixel = _f(load(ring, own + x, 0))
                store(across, x, pixel - load(across, x, 4), 4)
            finish_row(
                result,
                result_start + (r - first) * result_stride,
                ring,
                own,
                across,
                inside,
                amount,
                threshold,
                hard,
                low,
                high,
                rounding,
            )


@kernel
def _padded(count, itemsize):
    """Pixels from one row of a ring to the next: an odd number of cache lines.

    Rows that are 4096 bytes apart push each other out of the cache: 2048 pixels
    of float32 then take 1.8 times as long.
    """
    line = 64 // itemsize
    lines = (count + line - 1) // line
    return (lines + 1 - lines % 2) * line


@kernel
def _fill(ring, at, image, start, columns, step, reach, outside):
    """One row of the image, with its borders."""
    count = columns.size - 2 * reach
    for x in range(count * step):
        store(ring, at + reach * step + x, load(image, start + x, 2), 0)
    for place in range(reach):
        _fill_place(ring, at, image, start, columns, step, place, outside)
        _fill_place(
            ring, at, image, start, columns, step, reach + count + place, outside
        )


@kernel
def _fill_place(ring, at, image, start, columns, step, place, outside):
    for c in range(step):
        if columns[place] >= 0:
            value = load(image, start + columns[place] * step + c, 2)
            store(ring, at + place * step + c, value, 0)
        else:
            store(ring, at + place * step + c, outside, 0)


@kernel
def _set_outside(down, at, columns, step, outside):
    """A constant is the same when it is blurred, to the last bit."""
    for place in range(columns.size):
        if columns[place] < 0:
            for c in range(step):
                down[at + place * step + c] = outside


@kernel
def _down_first(down, ring, wide, held, row, taps, count):
    """The centre and the first four pairs of rows, for four rows."""
    w0, w1, w2, w3, w4 = taps[0], taps[1], taps[2], taps[3], taps[4]
    a0, a1 = (row - 4) % held * wide, (row - 3) % held * wide
    a2, a3 = (row - 2) % held * wide, (row - 1) % held * wide
    a4, a5 = row % held * wide, (row + 1) % held * wide
    a6, a7 = (row + 2) % held * wide, (row + 3) % held * wide
    a8, a9 = (row + 4) % held * wide, (row + 5) % held * wide
    a10, a11 = (row + 6) % held * wide, (row + 7) % held * wide
    for x in range(count):
        c0, c1 = _f(load(ring, a0 + x, 0)), _f(load(ring, a1 + x, 0))
        c2, c3 = _f(load(ring, a2 + x, 0)), _f(load(ring, a3 + x, 0))
        c4, c5 = _f(load(ring, a4 + x, 0)), _f(load(ring, a5 + x, 0))
        c6, c7 = _f(load(ring, a6 + x, 0)), _f(load(ring, a7 + x, 0))
        c8, c9 = _f(load(ring, a8 + x, 0)), _f(load(ring, a9 + x, 0))
        c10, c11 = _f(load(ring, a10 + x, 0)), _f(load(ring, a11 + x, 0))
        store(
            down,
            x,
            _four(w0 * c4, w1, c3 + c5, w2, c2 + c6, w3, c1 + c7, w4, c0 + c8),
            3,
        )
        store(
            down,
            wide + x,
            _four(w0 * c5, w1, c4 + c6, w2, c3 + c7, w3, c2 + c8, w4, c1 + c9),
            3,
        )
        store(
            down,
            2 * wide + x,
            _four(w0 * c6, w1, c5 + c7, w2, c4 + c8, w3, c3 + c9, w4, c2 + c10),
            3,
        )
        store(
            down,
            3 * wide + x,
            _four(w0 * c7, w1, c6 + c8, w2, c5 + c9, w3, c4 + c10, w4, c3 + c11),
            3,
        )


@kernel
def _down_more(down, ring, wide, held, row, k, taps, count):
    """Four pairs of rows more, the nearest k away, for four rows."""
    w1, w2, w3, w4 = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
    a0, a1 = (row - k - 3) % held * wide, (row - k - 2) % held * wide
    a2, a3 = (row - k - 1) % held * wide, (row - k) % held * wide
    a4, a5 = (row - k + 1) % held * wide, (row - k + 2) % held * wide
    a6 = (row - k + 3) % held * wide
    b0, b1 = (row + k) % held * wide, (row + k + 1) % held * wide
    b2, b3 = (row + k + 2) % held * wide, (row + k + 3) % held * wide
    b4, b5 = (row + k + 4) % held * wide, (row + k + 5) % held * wide
    b6 = (row + k + 6) % held * wide
    for x in range(count):
        c0, c1 = _f(load(ring, a0 + x, 0)), _f(load(ring, a1 + x, 0))
        c2, c3 = _f(load(ring, a2 + x, 0)), _f(load(ring, a3 + x, 0))
        c4, c5 = _f(load(ring, a4 + x, 0)), _f(load(ring, a5 + x, 0))
        c6 = _f(load(ring, a6 + x, 0))
        d0, d1 = _f(load(ring, b0 + x, 0)), _f(load(ring, b1 + x, 0))
        d2, d3 = _f(load(ring, b2 + x, 0)), _f(load(ring, b3 + x, 0))
        d4, d5 = _f(load(ring, b4 + x, 0)), _f(load(ring, b5 + x, 0))
        d6 = _f(load(ring, b6 + x, 0))
        s0, s1 = load(down, x, 3), load(down, wide + x, 3)
        s2, s3 = load(down, 2 * wide + x, 3), load(down, 3 * wide + x, 3)
        store(down, x, _four(s0, w1, c3 + d0, w2, c2 + d1, w3, c1 + d2, w4, c0 + d3), 3)
        store(
            down,
            wide + x,
            _four(s1, w1, c4 + d1, w2, c3 + d2, w3, c2 + d3, w4, c1 + d4),
            3,
        )
        store(
            down,
            2 * wide + x,
            _four(s2, w1, c5 + d2, w2, c4 + d3, w3, c3 + d4, w4, c2 + d5),
            3,
        )
        store(
            down,
            3 * wide + x,
            _four(s3, w1, c6 + d3, w2, c5 + d4, w3, c4 + d5, w4, c3 + d6),
            3,
        )


@kernel
def _across_first(across, down, at, step, taps, count):
    """The centre and the first four pairs of columns of one row."""
    w0, w1, w2, w3, w4 = taps[0], taps[1], taps[2], taps[3], taps[4]
    for x in range(count):
        i = at + x
        c = w0 * load(down, i, 3)
        p1 = load(down, i - step, 3) + load(down, i + step, 3)
        p2 = load(down, i - 2 * step, 3) + load(down, i + 2 * step, 3)
        p3 = load(down, i - 3 * step, 3) + load(down, i + 3 * step, 3)
        p4 = load(down, i - 4 * step, 3) + load(down, i + 4 * step, 3)
        store(across, x, _four(c, w1, p1, w2, p2, w3, p3, w4, p4), 4)


@kernel
def _across_more(across, down, at, step, k, taps, count):
    """Four pairs of columns more, the nearest k away."""
    w1, w2, w3, w4 = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
    before, after = at - k * step, at + k * step
    for x in range(count):
        i, j = before + x, after + x
        p1 = load(down, i, 3) + load(down, j, 3)
        p2 = load(down, i - step, 3) + load(down, j + step, 3)
        p3 = load(down, i - 2 * step, 3) + load(down, j + 2 * step, 3)
        p4 = load(down, i - 3 * step, 3) + load(down, j + 3 * step, 3)
        store(across, x, _four(load(across, x, 4), w1, p1, w2, p2, w3, p3, w4, p4), 4)


@kernel
def _four(term, w1, p1, w2, p2, w3, p3, w4, p4):
    """Four multiply-adds in order of distance."""
    term = multiply_add(w2, p2, multiply_add(w1, p1, term))
    return multiply_add(w4, p4, multiply_add(w3, p3, term))
