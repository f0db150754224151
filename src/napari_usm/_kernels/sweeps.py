"""Blurs with symmetric taps in sweeps over rows: four rows at a time, or along one row.

Four pairs of taps in a sweep: two take 1.1 to 1.4 times as long, eight no less. The
order of a pixel's operations is fixed: the centre, then a multiply-add for every
distance, outwards.
"""

import numpy as np
from numba import literally

from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import DETAIL, LINES, load, multiply_add, store

# Pairs of taps in one sweep, and rows that are blurred at a time (one at a time takes
# 1.3 times as long).
PAIRS = 4
ROWS = 4

_f = np.float32


@kernel
def rows_blurred(out, to, apart, source, starts, taps, count, read, written):
    """Four rows, blurred over those around them; arguments as for `rows_first`."""
    read, written = literally(read), literally(written)
    if taps.size == 2:
        rows_near(out, to, apart, source, starts, taps, count, read, written)
        return
    rows_first(out, to, apart, source, starts, taps, count, read, written)
    for k in range(1 + PAIRS, taps.size, PAIRS):
        rows_more(out, to, apart, source, starts, k, taps, count, read, written)


@kernel
def across_blurred(across, rows, at, step, taps, count):
    """One row, blurred along itself."""
    if taps.size == 2:
        across_near(across, rows, at, step, taps, count)
        return
    across_first(across, rows, at, step, taps, count)
    for k in range(1 + PAIRS, taps.size, PAIRS):
        across_more(across, rows, at, step, k, taps, count)


@kernel
def rows_first(out, to, apart, source, starts, taps, count, read, written):
    """The centre and the first four pairs of rows, for four rows.

    out           : row r of the four goes to ``to + r * apart``
    starts        : (2 * radius + 4,), where the rows begin in `source`, from the one
                    `radius` before the first of the four on
    taps          : (1 + radius,), float32
    read, written : the buffers that `source` and `out` are
    """
    read, written = literally(read), literally(written)
    w0, w1, w2, w3, w4 = taps[0], taps[1], taps[2], taps[3], taps[4]
    first = taps.size - 5
    a0, a1, a2 = starts[first], starts[first + 1], starts[first + 2]
    a3, a4, a5 = starts[first + 3], starts[first + 4], starts[first + 5]
    a6, a7, a8 = starts[first + 6], starts[first + 7], starts[first + 8]
    a9, a10, a11 = starts[first + 9], starts[first + 10], starts[first + 11]
    b0, b1, b2, b3 = to, to + apart, to + 2 * apart, to + 3 * apart
    for x in range(count):
        c0, c1 = _f(load(source, a0 + x, read)), _f(load(source, a1 + x, read))
        c2, c3 = _f(load(source, a2 + x, read)), _f(load(source, a3 + x, read))
        c4, c5 = _f(load(source, a4 + x, read)), _f(load(source, a5 + x, read))
        c6, c7 = _f(load(source, a6 + x, read)), _f(load(source, a7 + x, read))
        c8, c9 = _f(load(source, a8 + x, read)), _f(load(source, a9 + x, read))
        c10, c11 = _f(load(source, a10 + x, read)), _f(load(source, a11 + x, read))
        t0 = four(w0 * c4, w1, c3 + c5, w2, c2 + c6, w3, c1 + c7, w4, c0 + c8)
        t1 = four(w0 * c5, w1, c4 + c6, w2, c3 + c7, w3, c2 + c8, w4, c1 + c9)
        t2 = four(w0 * c6, w1, c5 + c7, w2, c4 + c8, w3, c3 + c9, w4, c2 + c10)
        t3 = four(w0 * c7, w1, c6 + c8, w2, c5 + c9, w3, c4 + c10, w4, c3 + c11)
        store(out, b0 + x, t0, written)
        store(out, b1 + x, t1, written)
        store(out, b2 + x, t2, written)
        store(out, b3 + x, t3, written)


@kernel
def rows_more(out, to, apart, source, starts, k, taps, count, read, written):
    """Four pairs of rows more, the nearest k away, for four rows."""
    read, written = literally(read), literally(written)
    w1, w2, w3, w4 = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
    first, last = taps.size - 4 - k, taps.size - 1 + k
    a0, a1, a2 = starts[first], starts[first + 1], starts[first + 2]
    a3, a4, a5 = starts[first + 3], starts[first + 4], starts[first + 5]
    a6 = starts[first + 6]
    b0, b1, b2 = starts[last], starts[last + 1], starts[last + 2]
    b3, b4, b5 = starts[last + 3], starts[last + 4], starts[last + 5]
    b6 = starts[last + 6]
    e0, e1, e2, e3 = to, to + apart, to + 2 * apart, to + 3 * apart
    for x in range(count):
        c0, c1 = _f(load(source, a0 + x, read)), _f(load(source, a1 + x, read))
        c2, c3 = _f(load(source, a2 + x, read)), _f(load(source, a3 + x, read))
        c4, c5 = _f(load(source, a4 + x, read)), _f(load(source, a5 + x, read))
        c6 = _f(load(source, a6 + x, read))
        d0, d1 = _f(load(source, b0 + x, read)), _f(load(source, b1 + x, read))
        d2, d3 = _f(load(source, b2 + x, read)), _f(load(source, b3 + x, read))
        d4, d5 = _f(load(source, b4 + x, read)), _f(load(source, b5 + x, read))
        d6 = _f(load(source, b6 + x, read))
        t0, t1 = _f(load(out, e0 + x, written)), _f(load(out, e1 + x, written))
        t2, t3 = _f(load(out, e2 + x, written)), _f(load(out, e3 + x, written))
        t0 = four(t0, w1, c3 + d0, w2, c2 + d1, w3, c1 + d2, w4, c0 + d3)
        t1 = four(t1, w1, c4 + d1, w2, c3 + d2, w3, c2 + d3, w4, c1 + d4)
        t2 = four(t2, w1, c5 + d2, w2, c4 + d3, w3, c3 + d4, w4, c2 + d5)
        t3 = four(t3, w1, c6 + d3, w2, c5 + d4, w3, c4 + d5, w4, c3 + d6)
        store(out, e0 + x, t0, written)
        store(out, e1 + x, t1, written)
        store(out, e2 + x, t2, written)
        store(out, e3 + x, t3, written)


@kernel
def rows_near(out, to, apart, source, starts, taps, count, read, written):
    """The centre and one pair of rows, for four rows: all that a box needs."""
    read, written = literally(read), literally(written)
    w0, w1 = taps[0], taps[1]
    a0, a1, a2 = starts[0], starts[1], starts[2]
    a3, a4, a5 = starts[3], starts[4], starts[5]
    b0, b1, b2, b3 = to, to + apart, to + 2 * apart, to + 3 * apart
    for x in range(count):
        c0, c1 = _f(load(source, a0 + x, read)), _f(load(source, a1 + x, read))
        c2, c3 = _f(load(source, a2 + x, read)), _f(load(source, a3 + x, read))
        c4, c5 = _f(load(source, a4 + x, read)), _f(load(source, a5 + x, read))
        store(out, b0 + x, multiply_add(w1, c0 + c2, w0 * c1), written)
        store(out, b1 + x, multiply_add(w1, c1 + c3, w0 * c2), written)
        store(out, b2 + x, multiply_add(w1, c2 + c4, w0 * c3), written)
        store(out, b3 + x, multiply_add(w1, c3 + c5, w0 * c4), written)


@kernel
def across_near(across, rows, at, step, taps, count):
    """The centre and one pair of columns of one row."""
    w0, w1 = taps[0], taps[1]
    for x in range(count):
        i = at + x
        pair = load(rows, i - step, LINES) + load(rows, i + step, LINES)
        term = multiply_add(w1, pair, w0 * load(rows, i, LINES))
        store(across, x, term, DETAIL)


@kernel
def across_first(across, rows, at, step, taps, count):
    """The centre and the first four pairs of columns of one row."""
    w0, w1, w2, w3, w4 = taps[0], taps[1], taps[2], taps[3], taps[4]
    for x in range(count):
        i = at + x
        c = w0 * load(rows, i, LINES)
        p1 = load(rows, i - step, LINES) + load(rows, i + step, LINES)
        p2 = load(rows, i - 2 * step, LINES) + load(rows, i + 2 * step, LINES)
        p3 = load(rows, i - 3 * step, LINES) + load(rows, i + 3 * step, LINES)
        p4 = load(rows, i - 4 * step, LINES) + load(rows, i + 4 * step, LINES)
        store(across, x, four(c, w1, p1, w2, p2, w3, p3, w4, p4), DETAIL)


@kernel
def across_more(across, rows, at, step, k, taps, count):
    """Four pairs of columns more, the nearest k away."""
    w1, w2, w3, w4 = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
    before, after = at - k * step, at + k * step
    for x in range(count):
        i, j = before + x, after + x
        p1 = load(rows, i, LINES) + load(rows, j, LINES)
        p2 = load(rows, i - step, LINES) + load(rows, j + step, LINES)
        p3 = load(rows, i - 2 * step, LINES) + load(rows, j + 2 * step, LINES)
        p4 = load(rows, i - 3 * step, LINES) + load(rows, j + 3 * step, LINES)
        term = load(across, x, DETAIL)
        store(across, x, four(term, w1, p1, w2, p2, w3, p3, w4, p4), DETAIL)


@kernel
def four(term, w1, p1, w2, p2, w3, p3, w4, p4):
    """Four multiply-adds in order of distance."""
    term = multiply_add(w2, p2, multiply_add(w1, p1, term))
    return multiply_add(w4, p4, multiply_add(w3, p3, term))
