"""Medians of square windows, by networks of exchanges on whole rows."""

import numpy as np

from napari_usm.kernels.compiled import kernel
from napari_usm.kernels.memory import load, store

# Numbers of the buffers, as `memory` wants them literally: the image 0, the result 1,
# rows with their borders 3, the window's pixels side by side 4.

# Pixels at a time: 25 rows of 256 float32 stay in the first-level cache.
_CHUNK = 256

# After these exchanges of (smaller, larger) the middle one is in the middle. Of 9:
# A. W. Paeth, "Median finding on a 3 x 3 grid", Graphics Gems, 1990; of 25: the one
# of N. Devillard, "Fast median search", 1998.
_OF_9 = """
1,2 4,5 7,8 0,1 3,4 6,7 1,2 4,5 7,8 0,3 5,8 4,7 3,6 1,4 2,5 4,7 4,2 6,4 4,2
"""
_OF_25 = """
0,1 3,4 2,4 2,3 6,7 5,7 5,6 9,10 8,10 8,9 12,13 11,13 11,12 15,16 14,16 14,15 18,19
17,19 17,18 21,22 20,22 20,21 23,24 2,5 3,6 0,6 0,3 4,7 1,7 1,4 11,14 8,14 8,11 12,15
9,15 9,12 13,16 10,16 10,13 20,23 17,23 17,20 21,24 18,24 18,21 19,22 8,17 9,18 0,18
0,9 10,19 1,19 1,10 11,20 2,20 2,11 12,21 3,21 3,12 13,22 4,22 4,13 14,23 5,23 5,14
15,24 6,24 6,15 7,16 7,19 13,21 15,23 7,13 7,15 1,9 3,11 5,17 11,17 9,17 4,10 6,12 7,14
4,6 4,7 12,14 10,14 6,7 10,12 6,10 6,17 12,17 7,17 7,10 12,18 7,12 10,18 12,20 10,20
10,12
"""


def _exchanges(text):
    pairs = [pair.split(",") for pair in text.split()]
    return np.array(pairs, dtype=np.int64)


#: Exchanges for the widths of window that there is a network for.
NETWORKS = {3: _exchanges(_OF_9), 5: _exchanges(_OF_25)}


@kernel
def median_plane(image, start, stride, rows, columns, step, exchanges, out):
    """Median around every pixel of a plane.

    image         : (n,); row r of the plane is at ``start + r * stride``, its
                    columns are `step` pixels apart
    rows, columns : (count + size - 1,), where the pixel at each place from
                    -(size // 2) on is taken from
    exchanges     : (m, 2), for a window of size * size pixels
    out           : like `image`
    """
    window = exchanges.max() + 1
    size = 3 if window == 9 else 5
    height = rows.size - size + 1
    wide = (columns.size - size + 1) * step
    padded = columns.size * step
    lines = np.empty(size * padded, image.dtype)
    held = np.empty(window * _CHUNK, image.dtype)
    for place in range(size - 1):
        _fill(lines, place * padded, image, start + rows[place] * stride, columns, step)
    for row in range(height):
        place = row + size - 1
        line = place % size * padded
        _fill(lines, line, image, start + rows[place] * stride, columns, step)
        for first in range(0, wide, _CHUNK):
            count = min(_CHUNK, wide - first)
            for across in range(size):
                for down in range(size):
                    at = down * padded + first + across * step
                    _copy(held, (across * size + down) * _CHUNK, lines, at, count)
            for k in range(exchanges.shape[0]):
                one, other = exchanges[k, 0] * _CHUNK, exchanges[k, 1] * _CHUNK
                _exchange(held, one, other, count)
            middle = window // 2 * _CHUNK
            to = start + row * stride + first
            for x in range(count):
                store(out, to + x, load(held, middle + x, 4), 1)


@kernel
def _fill(lines, at, image, start, columns, step):
    """One row of the image, with its borders."""
    for place in range(columns.size):
        for c in range(step):
            value = load(image, start + columns[place] * step + c, 0)
            store(lines, at + place * step + c, value, 3)


@kernel
def _copy(held, to, lines, at, count):
    for x in range(count):
        store(held, to + x, load(lines, at + x, 3), 4)


@kernel
def _exchange(held, lower, upper, count):
    for x in range(count):
        a, b = load(held, lower + x, 4), load(held, upper + x, 4)
        store(held, lower + x, min(a, b), 4)
        store(held, upper + x, max(a, b), 4)
