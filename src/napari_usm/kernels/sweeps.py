"""Blurs with symmetric taps in sweeps over rows: one row deep, four rows down, one row across.

Four pairs of taps in a sweep: two take 1.1 to 1.4 times as long, eight no less. The
order of a pixel's operations is fixed: the centre, then a multiply-add for every
distance, outwards.
"""

import numpy as np

from napari_usm.kernels.compiled import kernel
from napari_usm.kernels.memory import (
    DETAIL,
    IMAGE,
    LINES,
    RING,
    load,
    multiply_add,
    store,
)

# Pairs of taps in one sweep, and rows that are blurred down at a time (one at a time
# takes 1.3 times as long).
PAIRS = 4
ROWS = 4

_f = np.float32


@kernel
def deep_first(row, at, image, starts, taps, count):
    """The centre and the first four pairs of planes, for one row of a plane.

    starts : (1 + 2 * radius,), where the row begins in the planes from -radius on
    """
    w0, w1, w2, w3, w4 = taps[0], taps[1], taps[2], taps[3], taps[4]
    middle = taps.size - 1
    a0, a1, a2 = starts[middle - 4], starts[middle - 3], starts[middle - 2]
    a3, a4, a5 = starts[middle - 1], starts[middle], starts[middle + 1]
    a6, a7, a8 = starts[middle + 2], starts[middle + 3], starts[middle + 4]
    for x in range(count):
        c = w0 * _f(load(image, a4 + x, IMAGE))
        p1 = _f(load(image, a3 + x, IMAGE)) + _f(load(image, a5 + x, IMAGE))
        p2 = _f(load(image, a2 + x, IMAGE)) + _f(load(image, a6 + x, IMAGE))
        p3 = _f(load(image, a1 + x, IMAGE)) + _f(load(image, a7 + x, IMAGE))
        p4 = _f(load(image, a0 + x, IMAGE)) + _f(load(image, a8 + x, IMAGE))
        store(row, at + x, four(c, w1, p1, w2, p2, w3, p3, w4, p4), RING)


@kernel
def deep_more(row, at, image, starts, k, taps, count):
    """Four pairs of planes more, the nearest k away."""
    w1, w2, w3, w4 = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
    middle = taps.size - 1
    a1, b1 = starts[middle - k], starts[middle + k]
    a2, b2 = starts[middle - k - 1], starts[middle + k + 1]
    a3, b3 = starts[middle - k - 2], starts[middle + k + 2]
    a4, b4 = starts[middle - k - 3], starts[middle + k + 3]
    for x in range(count):
        p1 = _f(load(image, a1 + x, IMAGE)) + _f(load(image, b1 + x, IMAGE))
        p2 = _f(load(image, a2 + x, IMAGE)) + _f(load(image, b2 + x, IMAGE))
        p3 = _f(load(image, a3 + x, IMAGE)) + _f(load(image, b3 + x, IMAGE))
        p4 = _f(load(image, a4 + x, IMAGE)) + _f(load(image, b4 + x, IMAGE))
        term = _f(load(row, at + x, RING))
        store(row, at + x, four(term, w1, p1, w2, p2, w3, p3, w4, p4), RING)


@kernel
def down_first(down, ring, wide, held, row, taps, count):
    """The centre and the first four pairs of rows, for four rows."""
    w0, w1, w2, w3, w4 = taps[0], taps[1], taps[2], taps[3], taps[4]
    a0, a1 = (row - 4) % held * wide, (row - 3) % held * wide
    a2, a3 = (row - 2) % held * wide, (row - 1) % held * wide
    a4, a5 = row % held * wide, (row + 1) % held * wide
    a6, a7 = (row + 2) % held * wide, (row + 3) % held * wide
    a8, a9 = (row + 4) % held * wide, (row + 5) % held * wide
    a10, a11 = (row + 6) % held * wide, (row + 7) % held * wide
    for x in range(count):
        c0, c1 = _f(load(ring, a0 + x, RING)), _f(load(ring, a1 + x, RING))
        c2, c3 = _f(load(ring, a2 + x, RING)), _f(load(ring, a3 + x, RING))
        c4, c5 = _f(load(ring, a4 + x, RING)), _f(load(ring, a5 + x, RING))
        c6, c7 = _f(load(ring, a6 + x, RING)), _f(load(ring, a7 + x, RING))
        c8, c9 = _f(load(ring, a8 + x, RING)), _f(load(ring, a9 + x, RING))
        c10, c11 = _f(load(ring, a10 + x, RING)), _f(load(ring, a11 + x, RING))
        store(
            down,
            x,
            four(w0 * c4, w1, c3 + c5, w2, c2 + c6, w3, c1 + c7, w4, c0 + c8),
            LINES,
        )
        store(
            down,
            wide + x,
            four(w0 * c5, w1, c4 + c6, w2, c3 + c7, w3, c2 + c8, w4, c1 + c9),
            LINES,
        )
        store(
            down,
            2 * wide + x,
            four(w0 * c6, w1, c5 + c7, w2, c4 + c8, w3, c3 + c9, w4, c2 + c10),
            LINES,
        )
        store(
            down,
            3 * wide + x,
            four(w0 * c7, w1, c6 + c8, w2, c5 + c9, w3, c4 + c10, w4, c3 + c11),
            LINES,
        )


@kernel
def down_more(down, ring, wide, held, row, k, taps, count):
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
        c0, c1 = _f(load(ring, a0 + x, RING)), _f(load(ring, a1 + x, RING))
        c2, c3 = _f(load(ring, a2 + x, RING)), _f(load(ring, a3 + x, RING))
        c4, c5 = _f(load(ring, a4 + x, RING)), _f(load(ring, a5 + x, RING))
        c6 = _f(load(ring, a6 + x, RING))
        d0, d1 = _f(load(ring, b0 + x, RING)), _f(load(ring, b1 + x, RING))
        d2, d3 = _f(load(ring, b2 + x, RING)), _f(load(ring, b3 + x, RING))
        d4, d5 = _f(load(ring, b4 + x, RING)), _f(load(ring, b5 + x, RING))
        d6 = _f(load(ring, b6 + x, RING))
        s0, s1 = load(down, x, LINES), load(down, wide + x, LINES)
        s2, s3 = load(down, 2 * wide + x, LINES), load(down, 3 * wide + x, LINES)
        store(
            down,
            x,
            four(s0, w1, c3 + d0, w2, c2 + d1, w3, c1 + d2, w4, c0 + d3),
            LINES,
        )
        store(
            down,
            wide + x,
            four(s1, w1, c4 + d1, w2, c3 + d2, w3, c2 + d3, w4, c1 + d4),
            LINES,
        )
        store(
            down,
            2 * wide + x,
            four(s2, w1, c5 + d2, w2, c4 + d3, w3, c3 + d4, w4, c2 + d5),
            LINES,
        )
        store(
            down,
            3 * wide + x,
            four(s3, w1, c6 + d3, w2, c5 + d4, w3, c4 + d5, w4, c3 + d6),
            LINES,
        )


@kernel
def across_first(across, down, at, step, taps, count):
    """The centre and the first four pairs of columns of one row."""
    w0, w1, w2, w3, w4 = taps[0], taps[1], taps[2], taps[3], taps[4]
    for x in range(count):
        i = at + x
        c = w0 * load(down, i, LINES)
        p1 = load(down, i - step, LINES) + load(down, i + step, LINES)
        p2 = load(down, i - 2 * step, LINES) + load(down, i + 2 * step, LINES)
        p3 = load(down, i - 3 * step, LINES) + load(down, i + 3 * step, LINES)
        p4 = load(down, i - 4 * step, LINES) + load(down, i + 4 * step, LINES)
        store(across, x, four(c, w1, p1, w2, p2, w3, p3, w4, p4), DETAIL)


@kernel
def across_more(across, down, at, step, k, taps, count):
    """Four pairs of columns more, the nearest k away."""
    w1, w2, w3, w4 = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
    before, after = at - k * step, at + k * step
    for x in range(count):
        i, j = before + x, after + x
        p1 = load(down, i, LINES) + load(down, j, LINES)
        p2 = load(down, i - step, LINES) + load(down, j + step, LINES)
        p3 = load(down, i - 2 * step, LINES) + load(down, j + 2 * step, LINES)
        p4 = load(down, i - 3 * step, LINES) + load(down, j + 3 * step, LINES)
        term = load(across, x, DETAIL)
        store(across, x, four(term, w1, p1, w2, p2, w3, p3, w4, p4), DETAIL)


@kernel
def four(term, w1, p1, w2, p2, w3, p3, w4, p4):
    """Four multiply-adds in order of distance."""
    term = multiply_add(w2, p2, multiply_add(w1, p1, term))
    return multiply_add(w4, p4, multiply_add(w3, p3, term))
