"""To a coarser grid and back along one axis, by cubic B-splines.

Grid point j lies at pixel ``j * factor``. Down there it is the mean of the pixels
around it, weighted by the spline; back up a pixel is the sum of the four splines that
reach it. Taps are used in order, one multiply-add each.
"""

import numpy as np

from napari_usm._kernels.buffers import LONG
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import (
    DETAIL,
    LINES,
    RESULT,
    RING,
    load,
    multiply_add,
    store,
)
from napari_usm._kernels.sweeps import four


@kernel
def reduce_axis(source, out, taps, index, length, step, outside):
    """To grid points along the middle one of three axes.

    source : (outer * length * step,), float32 or float64
    out    : (outer * points * step,), of that type
    taps   : (4 * factor,), of that type: the spline from two grid points below on
    index  : ((points + 3) * factor,), where the pixel at each place from the first
             tap of the first grid point on is taken from; -1 for the value `outside`
    """
    factor = taps.size // 4
    points = index.size // factor - 3
    line = np.empty(index.size * step if step < LONG else step, source.dtype)
    line[:] = outside
    wide = (points + 3) * step if step < LONG else 0
    phases = np.empty(factor * wide, source.dtype)
    for outer in range(source.size // (length * step)):
        start, to = outer * length * step, outer * points * step
        if step < LONG:
            for place in range(index.size):
                for c in range(step):
                    if index[place] >= 0:
                        value = source[start + index[place] * step + c]
                        line[place * step + c] = value
            reduce_line(out, to, line, phases, wide, taps, points, step)
            continue
        out[to : to + points * step] = 0
        for i in range(points):
            for k in range(taps.size):
                place = index[i * factor + k]
                if place < 0:
                    _add(out, to + i * step, line, 0, taps[k], step)
                else:
                    at = start + place * step
                    _add(out, to + i * step, source, at, taps[k], step)


@kernel
def expand_axis(source, out, taps, first, length, step):
    """To `length` pixels along the middle one of three axes.

    source : (outer * points * step,), float32 or float64
    out    : (outer * length * step,), of that type
    taps   : (4 * factor,), of that type: the spline from two grid points below on
    first  : place of the grid point before that at the first pixel
    """
    factor = taps.size // 4
    outers = out.size // (length * step)
    points = source.size // (outers * step)
    spare = np.empty(points * step if step < LONG else 0, source.dtype)
    for outer in range(outers):
        start, to = (outer * points + first) * step, outer * length * step
        if step < LONG:
            expand_line(out, to, source, start, spare, taps, 0, length, step)
            continue
        for x in range(length):
            a0 = start + x // factor * step
            a1, a2, a3 = a0 + step, a0 + 2 * step, a0 + 3 * step
            at, phase = to + x * step, x % factor
            expand_row(out, at, source, a0, a1, a2, a3, taps, phase, step)


@kernel
def reduce_line(out, to, line, phases, wide, taps, points, step):
    """To grid points along a line with its borders; pixels are `step` apart.

    phases : (factor * wide,), for the pixels of each phase side by side: loops over
             pixels `factor` apart made the way to the grid twice as long
    """
    factor, count = taps.size // 4, points * step
    for phase in range(factor):
        for c in range(step):
            at, i = phase * wide + c, phase * step + c
            for point in range(points + 3):
                value = load(line, i + point * factor * step, RING)
                store(phases, at + point * step, value, LINES)
    out[to : to + count] = 0
    for k in range(0, taps.size, 4):
        a0 = k % factor * wide + k // factor * step
        a1 = (k + 1) % factor * wide + (k + 1) // factor * step
        a2 = (k + 2) % factor * wide + (k + 2) // factor * step
        a3 = (k + 3) % factor * wide + (k + 3) // factor * step
        w0, w1, w2, w3 = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
        for x in range(count):
            p0, p1 = load(phases, a0 + x, LINES), load(phases, a1 + x, LINES)
            p2, p3 = load(phases, a2 + x, LINES), load(phases, a3 + x, LINES)
            term = load(out, to + x, RESULT)
            store(out, to + x, four(term, w0, p0, w1, p1, w2, p2, w3, p3), RESULT)


@kernel
def expand_line(out, to, line, at, spare, taps, left, right, step):
    """To the pixels from `left` to `right` along a line of grid points.

    line, at : `RING`, and where the grid point before that at pixel 0 begins
    spare    : for the pixels of one phase side by side
    """
    factor = taps.size // 4
    for phase in range(factor):
        w0, w1 = taps[3 * factor + phase], taps[2 * factor + phase]
        w2, w3 = taps[factor + phase], taps[phase]
        first = (left - phase + factor - 1) // factor
        last = (right - phase + factor - 1) // factor
        begin = at + first * step
        for x in range((last - first) * step):
            i = begin + x
            term = w0 * load(line, i, RING)
            term = multiply_add(w1, load(line, i + step, RING), term)
            term = multiply_add(w2, load(line, i + 2 * step, RING), term)
            term = multiply_add(w3, load(line, i + 3 * step, RING), term)
            store(spare, x, term, DETAIL)
        pixel = to + (first * factor + phase - left) * step
        for c in range(step):
            for point in range(last - first):
                value = load(spare, point * step + c, DETAIL)
                store(out, pixel + point * factor * step + c, value, LINES)


@kernel
def expand_row(out, to, rows, a0, a1, a2, a3, taps, phase, count):
    """To one row of pixels from the four rows of grid points at a0 to a3."""
    factor = taps.size // 4
    w0, w1 = taps[3 * factor + phase], taps[2 * factor + phase]
    w2, w3 = taps[factor + phase], taps[phase]
    for x in range(count):
        term = w0 * load(rows, a0 + x, LINES)
        term = multiply_add(w1, load(rows, a1 + x, LINES), term)
        term = multiply_add(w2, load(rows, a2 + x, LINES), term)
        term = multiply_add(w3, load(rows, a3 + x, LINES), term)
        store(out, to + x, term, DETAIL)


@kernel
def _add(out, to, row, at, tap, count):
    for x in range(count):
        term = load(out, to + x, RESULT)
        store(out, to + x, multiply_add(tap, load(row, at + x, RING), term), RESULT)
