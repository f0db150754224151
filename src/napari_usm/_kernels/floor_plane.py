"""Smallest value of a square around each pixel, four rows of a plane at a time.

The square of a pixel is as high as eight groups of four rows and one row more: seven
groups are whole, of the first and the last there are parts. Across, sixteen pixels
are four times four.
"""

import numpy as np

from napari_usm._kernels.buffers import set_outside
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import DETAIL, LINES, RING
from napari_usm._kernels.sweeps import ROWS
from napari_usm._kernels.vectors import (
    LANES,
    broadcast,
    larger,
    load_vector,
    smaller,
    square_root,
    store_vector,
)

# Pixels on each side that the ground of an image is looked for in.
REACH = 16

# The same, in groups of rows.
GROUPS = REACH // ROWS

_f = np.float32


@kernel
def group_floor(floors, ring, group, upside, frame):
    """Write the smallest of four rows of a ring to one row of another.

    floors : `RING`, a row for each group
    ring   : `RING`, rows with their borders
    upside : float32, -1 for the largest, whose negative is written, else 1
    frame  : see `bands_plane`
    """
    wide, _, _, _, ends, _ = frame
    to = group * wide % floors.size
    if (group + 1) * ROWS <= ends[0]:
        floors[to : to + wide] = _f(np.inf)
        return
    a, b, c, d = _rows_of(ring, group, frame)
    upsides = broadcast(upside)
    for x in range(0, wide, LANES):
        one = smaller(_at(ring, a + x) * upsides, _at(ring, b + x) * upsides)
        other = smaller(_at(ring, c + x) * upsides, _at(ring, d + x) * upsides)
        store_vector(floors, to + x, smaller(one, other), LANES, RING)


@kernel
def floors_down(lines, floors, ring, group, upside, frame):
    """Write the smallest of the rows around each row of a group, without borders.

    lines  : `LINES`, four rows, and room for a vector behind them
    others : as for `group_floor`
    """
    wide, _, step, columns, _, _ = frame
    a, b, c, d = _rows_of(ring, group - GROUPS, frame)
    e, f, g, h = _rows_of(ring, group + GROUPS, frame)
    g0 = (group - 3) * wide % floors.size
    g1 = (group - 2) * wide % floors.size
    g2 = (group - 1) * wide % floors.size
    g3 = group * wide % floors.size
    g4 = (group + 1) * wide % floors.size
    g5 = (group + 2) * wide % floors.size
    g6 = (group + 3) * wide % floors.size
    upsides = broadcast(upside)
    for x in range(0, wide, LANES):
        inner = smaller(_at(floors, g0 + x), _at(floors, g1 + x))
        inner = smaller(inner, smaller(_at(floors, g2 + x), _at(floors, g3 + x)))
        inner = smaller(inner, smaller(_at(floors, g4 + x), _at(floors, g5 + x)))
        inner = smaller(inner, _at(floors, g6 + x))
        # The rest of the group before, from its last row on; that behind, from its
        # first row on.
        fourth = smaller(inner, _at(ring, d + x) * upsides)
        third = smaller(fourth, _at(ring, c + x) * upsides)
        second = smaller(third, _at(ring, b + x) * upsides)
        first = smaller(second, _at(ring, a + x) * upsides)
        behind = _at(ring, e + x) * upsides
        store_vector(lines, x, smaller(first, behind), LANES, LINES)
        behind = smaller(behind, _at(ring, f + x) * upsides)
        store_vector(lines, wide + x, smaller(second, behind), LANES, LINES)
        behind = smaller(behind, _at(ring, g + x) * upsides)
        store_vector(lines, 2 * wide + x, smaller(third, behind), LANES, LINES)
        behind = smaller(behind, _at(ring, h + x) * upsides)
        store_vector(lines, 3 * wide + x, smaller(fourth, behind), LANES, LINES)
    if columns[0] < 0:
        for r in range(ROWS):
            set_outside(lines, r * wide, columns, step, _f(np.inf))


@kernel
def ground_across(ground, lines, at, step, fours, sixteens, rise, upside, noise, count):
    """Write the ground of a row: the floor, raised by the lowest of its noise.

    ground          : `DETAIL`
    lines, at       : `LINES`, and where the row begins
    step            : from column to column
    fours, sixteens : `DETAIL` and `LINES`, smallest of as many pixels; each has room
                      for the row, its neighbours, and two vectors
    rise            : in standard deviations of the noise
    upside          : as for `group_floor`
    noise           : see `bands.variance_of`
    """
    begin, four = at - REACH * step, 4 * step
    for x in range(0, count + 7 * four, LANES):
        at = begin + x
        one = smaller(_line(lines, at), _line(lines, at + step))
        other = smaller(_line(lines, at + 2 * step), _line(lines, at + 3 * step))
        store_vector(fours, x, smaller(one, other), LANES, DETAIL)
    for x in range(0, count + 4 * four, LANES):
        one = smaller(_row(fours, x), _row(fours, x + four))
        other = smaller(_row(fours, x + 2 * four), _row(fours, x + 3 * four))
        store_vector(sixteens, x, smaller(one, other), LANES, LINES)
    constant, growth, zero, least = noise
    constants, growths = broadcast(constant), broadcast(growth)
    zeros, leasts, rises = broadcast(zero), broadcast(least), broadcast(rise)
    upsides = broadcast(upside)
    everywhere = rises * square_root(larger(constants, leasts))
    for x in range(0, count, LANES):
        floor = smaller(_line(sixteens, x), _line(sixteens, x + 4 * four))
        floor = smaller(floor, _line(lines, begin + x + 8 * four))
        height = everywhere
        if growth > 0:
            level = growths * (floor * upsides - zeros) + constants
            level = larger(level, leasts)
            height = rises * square_root(level)
        store_vector(ground, x, floor + height, LANES, DETAIL)


@kernel
def _rows_of(ring, group, frame):
    """Return where the rows of a group begin; beyond the ends the nearest inside."""
    wide, _, _, _, ends, _ = frame
    first = group * ROWS
    return (
        _inside(first, ends) * wide % ring.size,
        _inside(first + 1, ends) * wide % ring.size,
        _inside(first + 2, ends) * wide % ring.size,
        _inside(first + 3, ends) * wide % ring.size,
    )


@kernel
def _inside(place, ends):
    return min(max(place, ends[0]), ends[1] - 1)


@kernel
def _at(ring, at):
    return load_vector(ring, at, LANES, RING)


@kernel
def _line(lines, at):
    return load_vector(lines, at, LANES, LINES)


@kernel
def _row(row, at):
    return load_vector(row, at, LANES, DETAIL)
