"""Blurs with symmetric taps: several rows over those around them, or one along itself.

The order of a pixel's operations is fixed: the centre, then a multiply-add for every
distance, outwards. Sums stay in registers up to 16 pairs of taps; what is further away
is added in sweeps of four pairs. Taps are filled up with zeros to one pair or a multiple
of four, so there are five lengths to compile and not sixteen.
"""

import numpy as np
from numba import literally

from napari_usm._kernels.buffers import buffer
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import DETAIL, LINES, multiply_add
from napari_usm._kernels.vector_sums import (
    columns_added,
    columns_sum,
    rows_added,
    rows_sum,
)
from napari_usm._kernels.vectors import LANES, load_vector, store_rows, store_vector

# Pairs of taps in one sweep, and the most that there is a loop for without sweeps.
PAIRS = 4
UNROLLED = 16

# Planes, and rows of the bands, that are blurred at a time.
ROWS = 4


@kernel
def rows_blurred(out, to, apart, source, starts, taps, count, rows, read, written):
    """Several rows, blurred over those around them.

    out           : row r of them goes to ``to + r * apart``, followed by room for
                    `LANES` pixels
    starts        : (2 * radius + rows,), where the rows begin in `source`, from the one
                    `radius` before the first on
    taps          : (1 + radius,), float32
    count         : pixels of a row
    rows          : how many
    read, written : the buffers that `source` and `out` are
    """
    rows, read, written = literally(rows), literally(read), literally(written)
    if count < LANES:
        # A vector would reach beyond the row.
        held = buffer(starts.size * LANES, source.dtype)
        places = np.empty(starts.size, np.int64)
        for k in range(starts.size):
            places[k] = k * LANES
            line = load_vector(source, starts[k], count, read)
            store_vector(held, places[k], line, LANES, read)
        source, starts, count = held, places, LANES
    if taps.size == 2:
        _rows(out, to, apart, source, starts, taps, count, 1, rows, read, written)
    elif taps.size == 5:
        _rows(out, to, apart, source, starts, taps, count, 4, rows, read, written)
    elif taps.size == 9:
        _rows(out, to, apart, source, starts, taps, count, 8, rows, read, written)
    elif taps.size == 13:
        _rows(out, to, apart, source, starts, taps, count, 12, rows, read, written)
    elif taps.size == 17:
        _rows(out, to, apart, source, starts, taps, count, 16, rows, read, written)
    else:
        _rows_far(out, to, apart, source, starts, taps, count, rows, read, written)


@kernel
def _rows(out, to, apart, source, starts, taps, count, pairs, rows, read, written):
    pairs, rows = literally(pairs), literally(rows)
    read, written = literally(read), literally(written)
    for x in range(0, count, LANES):
        # The last vector ends with the row.
        place = min(x, count - LANES)
        sums = rows_sum(source, starts, place, taps, pairs, rows, read)
        store_rows(out, to + place, apart, sums, written)


@kernel
def _rows_far(out, to, apart, source, starts, taps, count, rows, read, written):
    rows, read, written = literally(rows), literally(read), literally(written)
    for x in range(0, count, LANES):
        place = min(x, count - LANES)
        sums = rows_sum(source, starts, place, taps, UNROLLED, rows, read)
        for k in range(1 + UNROLLED, taps.size, PAIRS):
            sums = rows_added(source, starts, place, taps, PAIRS, sums, k, read)
        store_rows(out, to + place, apart, sums, written)


@kernel
def across_blurred(across, rows, at, step, taps, count):
    """One row, blurred along itself; both have room for `LANES` pixels more."""
    if taps.size == 2:
        for x in range(0, count, LANES):
            term = columns_sum(rows, at + x, step, taps, 1, LINES)
            store_vector(across, x, term, LANES, DETAIL)
        return
    for x in range(0, count, LANES):
        term = columns_sum(rows, at + x, step, taps, PAIRS, LINES)
        store_vector(across, x, term, LANES, DETAIL)
    for k in range(1 + PAIRS, taps.size, PAIRS):
        for x in range(0, count, LANES):
            term = load_vector(across, x, LANES, DETAIL)
            term = columns_added(rows, at + x, step, taps, PAIRS, term, k, LINES)
            store_vector(across, x, term, LANES, DETAIL)


@kernel
def four(term, w1, p1, w2, p2, w3, p3, w4, p4):
    """Four multiply-adds in order of distance."""
    term = multiply_add(w2, p2, multiply_add(w1, p1, term))
    return multiply_add(w4, p4, multiply_add(w3, p3, term))
