"""Sums of gradients from which the norms for every gain follow, in one pass.

A difference of ``image + detail / gain`` is ``a + b / gain``. Its size is
``|a| + s * b / gain``, s the sign of a, until it changes sign at ``gain = -b / a``:
so there are two sums over all pixels, and two for each gain over those that have
changed sign there. The former vectorise. The latter concern 1 to 20 % of the pixels,
which are flagged on the way and then picked, 64 flags at a time: to ask at every
pixel takes longer than all the rest, for a wrong guess of the processor costs as
much as 20 pixels.
"""

import numpy as np

from napari_usm._kernels.bits import count_bits, lowest_bit, nonzero_bits
from napari_usm._kernels.compiled import kernel, summing
from napari_usm._kernels.memory import load, store

# The buffers: what is only read, rows of x and of z, rows added up, sizes and slopes,
# flags, and the places of those that are set.
_READ, _X, _Z, _SUMS, _TERMS, _FLAGS, _PICKED = range(7)

# Pixels of a run. What it leaves behind, 17 kB in int32, stays in the first-level
# cache, and its sums in 32 bits: a slope of 16-bit pixels is at most 20 * 65535.
_RUN = 512

# Flagged is where ``flag * size + _PARTS * slope < 0``, `flag` being `_PARTS` times
# the least gain or a little less. Up to `_MOST`, that stays within 32 bits too.
_PARTS = 64
_MOST = 2.0**12

# Flags picked before it is asked whether there are more.
_AT_ONCE = 8


@summing
def box_planes(
    image, places, stride, rows, columns, core, outside, x, z, limits, table, found
):
    """Add up the differences of planes and of nine times their detail by a box.

    Differences that reach over the border are 0. A pixel that is not finite makes
    some sum NaN or infinite.

    image         : (n,), uint8, uint16 or float32; row r of plane p is at
                    ``places[0] + p * places[1] + r * stride``
    places        : start of the first plane, pixels from plane to plane, planes
    rows, columns : (count + 2,), where the pixel at each place from -1 on is taken
                    from; -1 for the value `outside`
    core          : first and last + 1 row, first and last + 1 column of the pixels
                    that differences start from
    x, z          : (2 * (columns of the core + 1),), room for two rows: int32, which
                    holds all differences of integers exactly, or float64
    limits, table : nine times the gains, see `_add_changed`
    found         : (4, 2, K + 2), int64 or float64, added to: for the differences
                    across, down and mixed as `gradient_plane` does, and at
                    ``[3, 0, 0]`` the sum of ``|x|``
    """
    first, last, left, right = core
    inside = right - left
    height, width = rows.size - 2, columns.size - 2
    down = np.empty(width + 2, x.dtype)
    beyond = np.full(width, outside, image.dtype)
    terms = np.empty(6 * _RUN, x.dtype)
    flags = np.zeros(3 * _RUN, np.uint8)
    picked = np.empty(3 * _RUN + _AT_ONCE, np.uint16)
    flag = x.dtype.type(min(_PARTS * limits[0], _MOST))
    for plane in range(places[2]):
        start = places[0] + plane * places[1]
        here, there = 0, inside + 1
        for row in range(first, last + 1):
            if row < height:
                at = start + row * stride
                above, above_at = image, start + rows[row] * stride
                below, below_at = image, start + rows[row + 2] * stride
                if rows[row] < 0:
                    above, above_at = beyond, 0
                if rows[row + 2] < 0:
                    below, below_at = beyond, 0
                _add_rows(down, above, above_at, image, at, below, below_at)
                _add_beyond(down, 0, columns[0], outside)
                _add_beyond(down, width + 1, columns[width + 1], outside)
                _box_row(
                    x, z, there, down, image, at + left, left, width - left, inside
                )
            else:
                x[there : there + inside + 1] = x[here : here + inside + 1]
                z[there : there + inside + 1] = z[here : here + inside + 1]
            here, there = there, here
            if row == first:
                continue
            for begin in range(0, inside, _RUN):
                count = min(_RUN, inside - begin)
                if count < _RUN:
                    flags[:] = 0
                _box_run(
                    x, z, there + begin, here + begin, count, flag, terms, flags, found
                )
                _add_changed(terms, flags, picked, limits, table, found)


@summing
def gradient_plane(
    image, detail, start, stride, rows, columns, first, second, limits, table, found
):
    """Add up one difference of one plane.

    image, detail : (n,) float64; NaN in `image` where a pixel is invalid
    rows, columns : pixels that differences start from, none for a count below 1
    start, stride : first pixel, and pixels from row to row
    first, second : distances of the pixels that are subtracted; 0 for no second one
    limits, table : the gains, see `_add_changed`
    found         : (1, 2, K + 2), added to: ``|a|`` and ``s * b``; at 0 < k < K + 1
                    those that have changed sign at k gains, at K + 1 all of them
    """
    terms = np.empty(2 * _RUN, image.dtype)
    flags = np.zeros(_RUN, np.uint8)
    picked = np.empty(_RUN + _AT_ONCE, np.uint16)
    every = found.shape[2] - 1
    for row in range(rows):
        for begin in range(0, columns, _RUN):
            at = start + row * stride + begin
            count = min(_RUN, columns - begin)
            if count < _RUN:
                flags[:] = 0
            sizes, slopes = 0.0, 0.0
            for i in range(count):
                p = at + i
                a = load(image, p + first, _READ) - load(image, p, _READ)
                b = load(detail, p + first, _READ) - load(detail, p, _READ)
                if second > 0:
                    p += second
                    a = (load(image, p + first, _READ) - load(image, p, _READ)) - a
                    b = (load(detail, p + first, _READ) - load(detail, p, _READ)) - b
                valid = a == a
                size = abs(a) if valid else 0.0
                slope = _slope(a, b, terms) if valid else 0.0
                sizes += size
                slopes += slope
                _note(terms, flags, i, size, slope, limits[0] * size + slope < 0)
            found[0, 0, every] += sizes
            found[0, 1, every] += slopes
            _add_changed(terms, flags, picked, limits, table, found)


@summing
def _add_rows(down, above, above_at, image, at, below, below_at):
    kind = down.dtype.type
    for i in range(down.size - 2):
        upper, lower = (
            load(above, above_at + i, _READ),
            load(below, below_at + i, _READ),
        )
        pixels = kind(kind(upper) + kind(lower)) + kind(load(image, at + i, _READ))
        store(down, 1 + i, kind(pixels), _SUMS)


@summing
def _add_beyond(down, place, column, outside):
    kind = down.dtype.type
    down[place] = down[1 + column] if column >= 0 else kind(3 * kind(outside))


@summing
def _box_row(x, z, to, down, image, at, left, width, inside):
    """One row of x and of nine times its detail, and a pixel more."""
    kind = x.dtype.type
    for i in range(min(width, inside + 1)):
        pixel = kind(load(image, at + i, _READ))
        store(x, to + i, pixel, _X)
        p = left + i
        ends = kind(load(down, p, _SUMS) + load(down, p + 2, _SUMS))
        box = kind(ends + load(down, p + 1, _SUMS))
        store(z, to + i, kind(kind(9 * pixel) - box), _Z)
    if width == inside:
        x[to + inside] = x[to + inside - 1]
        z[to + inside] = z[to + inside - 1]


@summing
def _box_run(x, z, here, there, count, flag, terms, flags, found):
    """The three differences of a run, from one row to the next."""
    kind = x.dtype.type
    across, across_slope = kind(0), kind(0)
    down, down_slope = kind(0), kind(0)
    mixed, mixed_slope = kind(0), kind(0)
    pixels = kind(0)
    for i in range(count):
        p, q = here + i, there + i
        x0, z0 = load(x, p, _X), load(z, p, _Z)
        x1, z1 = load(x, q, _X), load(z, q, _Z)
        a, b = kind(load(x, p + 1, _X) - x0), kind(load(z, p + 1, _Z) - z0)
        size, slope = abs(a), _slope(a, b, x)
        across, across_slope = kind(across + size), kind(across_slope + slope)
        _note(terms, flags, i, size, slope, _changes(size, slope, flag, x))
        c, d = kind(x1 - x0), kind(z1 - z0)
        size, slope = abs(c), _slope(c, d, x)
        down, down_slope = kind(down + size), kind(down_slope + slope)
        _note(terms, flags, _RUN + i, size, slope, _changes(size, slope, flag, x))
        a = kind(kind(load(x, q + 1, _X) - x1) - a)
        b = kind(kind(load(z, q + 1, _Z) - z1) - b)
        size, slope = abs(a), _slope(a, b, x)
        mixed, mixed_slope = kind(mixed + size), kind(mixed_slope + slope)
        _note(terms, flags, 2 * _RUN + i, size, slope, _changes(size, slope, flag, x))
        pixels = kind(pixels + abs(x0))
    every = found.shape[2] - 1
    found[0, 0, every] += across
    found[0, 1, every] += across_slope
    found[1, 0, every] += down
    found[1, 1, every] += down_slope
    found[2, 0, every] += mixed
    found[2, 1, every] += mixed_slope
    found[3, 0, 0] += pixels


@summing
def _slope(a, b, like):
    """By how much ``|a + b * t|`` grows with t, beside t = 0."""
    kind = like.dtype.type
    return abs(b) if a == 0 else (b if a > 0 else kind(-b))


@summing
def _changes(size, slope, flag, like):
    kind = like.dtype.type
    return kind(kind(flag * size) + kind(_PARTS * slope)) < 0


@summing
def _note(terms, flags, i, size, slope, changes):
    """Keep size and slope of a pixel, and whether it changes sign at any gain."""
    store(terms, i, size, _TERMS)
    store(terms, flags.size + i, slope, _TERMS)
    store(flags, i, np.uint8(changes), _FLAGS)


@kernel
def _add_changed(terms, flags, picked, limits, table, found):
    """Add the flagged pixels of a run to the number of gains that change their sign.

    limits : (K + 1,) float64, the gains, and infinity
    table  : (cells + 2,) int32, the gains below the lower end of each cell; the
             largest gain is at the end of the first `cells`, all of one size
    """
    scale = (table.size - 2) / limits[limits.size - 2]
    end = float(table.size - 1)
    for j in range(_pick(flags, picked)):
        i = load(picked, j, _PICKED)
        size, slope = load(terms, i, _TERMS), load(terms, flags.size + i, _TERMS)
        limit = -float(slope) / float(size)
        k = load(table, int(min(limit * scale, end)), _READ)
        while load(limits, k, _READ) < limit:
            k += 1
        # Unsigned: then numba does not ask whether they are negative.
        part, place = np.uint64(i) // np.uint64(_RUN), np.uint64(k)
        found[part, np.uint64(0), place] += size
        found[part, np.uint64(1), place] += slope


@kernel
def _pick(flags, picked):
    """Places of the flags that are set.

    Eight are written for every 64 flags, and more only where there are more: to ask
    after every one would be guessed wrong once in 64 flags, for 20 cycles.
    """
    number = 0
    for begin in range(0, flags.size, 64):
        bits = nonzero_bits(flags, begin)
        after = number + count_bits(bits)
        for start in range(number, after, _AT_ONCE):
            for j in range(_AT_ONCE):
                store(picked, start + j, begin + lowest_bit(bits), _PICKED)
                bits &= bits - np.uint64(1)
        number = after
    return number
