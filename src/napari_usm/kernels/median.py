"""Medians of square windows, two rows at a time.

What the windows of both rows have in common is put in order once. Columns are
sorted first, each of them once for all windows that it is in; what is left to do
for a pixel stays in registers.
"""

import numpy as np

from napari_usm.kernels.compiled import kernel
from napari_usm.kernels.memory import load, store
from napari_usm.kernels.networks import network

# Numbers of the buffers, as `memory` wants them literally: the image and the medians
# of two rows 2, the result 1, sorted columns 4.

#: Widths of window that there is a kernel for.
SIZES = (3, 5)

# Rows of sorted columns that a pair of rows of medians comes from.
_HELD = 6

_sort_3 = network("0,1 1,2 0,1", "0 1 2")
_sort_4 = network("0,1 2,3 0,2 1,3 1,2", "0 1 2 3")

# Three sorted columns: the largest of the smallest, the middle of the middle, the
# smallest of the largest; of these three the middle.
MEDIAN_OF_9 = "0,3 3,6 1,4 4,7 1,4 2,5 2,8 6,4 4,2 6,4", "4"

# Five sorted columns of four rows: the six of these twenty values that can be the
# median once five more have come, in order. Batcher's odd-even merges of columns 0
# and 1, of 2 and 3, of these two, and with column 4; less every exchange without
# which the medians are right for all columns of zeros and ones, and so for all
# columns.
MIDDLE_6_OF_20 = (
    """
    0,4 2,6 2,4 1,5 3,7 3,5 1,2 3,4 5,6
    8,12 10,14 10,12 9,13 11,15 11,13 9,10 11,12 13,14
    0,8 4,12 4,8 2,10 6,14 6,10 2,4 6,8 10,12
    1,9 5,13 5,9 3,11 7,15 7,11 3,5 7,9 11,13 3,4 5,6 7,8 9,10 11,12
    8,16 4,8 12,16 10,18 6,10 6,8 10,12
    9,17 5,9 13,17 3,19 11,19 7,11 7,9 11,13 7,8 9,10 11,12
    """,
    "7 8 9 10 11 12",
)

# Those six, and five values more: these are sorted, and the sixth smallest of two
# sorted rows a and b is the smallest of all max(a[i], b[4 - i]) and a[5].
MEDIAN_OF_6_AND_5 = (
    """
    6,9 7,10 6,8 7,9 6,7 8,10 7,8 9,10 8,9
    0,10 1,9 2,8 3,7 4,6 5,6 7,8 9,10 5,7 5,9
    """,
    "5",
)

_median_of_9 = network(*MEDIAN_OF_9)
_middle_6_of_20 = network(*MIDDLE_6_OF_20)
_median_of_6_and_5 = network(*MEDIAN_OF_6_AND_5)


@kernel
def median_plane(image, start, stride, rows, columns, step, size, out):
    """Median around every pixel of a plane.

    image         : (n,); row r of the plane is at ``start + r * stride``, its
                    columns are `step` pixels apart
    rows, columns : (count + size - 1,), where the pixel at each place from
                    -(size // 2) on is taken from
    size          : one of `SIZES`
    out           : like `image`
    """
    reach = size // 2
    height = rows.size - 2 * reach
    wide = (columns.size - 2 * reach) * step
    held = held_columns(image, columns, step)
    pair = np.empty(2 * wide, image.dtype)
    for row in range(height):
        if row % 2 == 0:
            median_pair(
                image, start, stride, row, rows, columns, step, size, held, pair
            )
        here, to = row % 2 * wide, start + row * stride
        for x in range(wide):
            store(out, to + x, load(pair, here + x, 2), 1)


@kernel
def held_columns(image, columns, step):
    """Room for the sorted columns of a pair of rows."""
    return np.empty(_HELD * columns.size * step, image.dtype)


@kernel
def median_pair(image, start, stride, row, rows, columns, step, size, held, pair):
    """Medians around the pixels of a row and of the next, one row behind the other.

    image, start, stride, rows, columns, step, size : as for `median_plane`
    row  : of the plane; behind its last row come pixels of no meaning
    held : made by `held_columns`
    pair : (2 * count * step,), buffer 2 like `image`
    """
    if size == 3:
        _sort_columns_3(held, image, start, stride, row, rows, columns, step)
        _fill_borders(held, columns, step, 1)
        _medians_3(pair, held, columns, step)
    else:
        _sort_columns_5(held, image, start, stride, row, rows, columns, step)
        _fill_borders(held, columns, step, 2)
        _medians_5(pair, held, columns, step)


@kernel
def _sort_columns_3(held, image, start, stride, row, rows, columns, step):
    """Rows of smallest, middle and largest, first for one row, then for the next."""
    padded = columns.size * step
    above, here = (
        _row_at(start, stride, rows, row),
        _row_at(start, stride, rows, row + 1),
    )
    below = _row_at(start, stride, rows, row + 2)
    end = _row_at(start, stride, rows, row + 3)
    for x in range(padded - 2 * step):
        b, c = load(image, here + x, 2), load(image, below + x, 2)
        low, middle, high = _sort_3((b, c, load(image, above + x, 2)))
        to = step + x
        store(held, to, low, 4)
        store(held, padded + to, middle, 4)
        store(held, 2 * padded + to, high, 4)
        low, middle, high = _sort_3((b, c, load(image, end + x, 2)))
        store(held, 3 * padded + to, low, 4)
        store(held, 4 * padded + to, middle, 4)
        store(held, 5 * padded + to, high, 4)


@kernel
def _sort_columns_5(held, image, start, stride, row, rows, columns, step):
    """The four common rows in order, then the row above them and the row below."""
    padded = columns.size * step
    above = _row_at(start, stride, rows, row)
    first = _row_at(start, stride, rows, row + 1)
    second = _row_at(start, stride, rows, row + 2)
    third = _row_at(start, stride, rows, row + 3)
    fourth = _row_at(start, stride, rows, row + 4)
    below = _row_at(start, stride, rows, row + 5)
    for x in range(padded - 4 * step):
        a, b, c, d = _sort_4(
            (
                load(image, first + x, 2),
                load(image, second + x, 2),
                load(image, third + x, 2),
                load(image, fourth + x, 2),
            )
        )
        to = 2 * step + x
        store(held, to, a, 4)
        store(held, padded + to, b, 4)
        store(held, 2 * padded + to, c, 4)
        store(held, 3 * padded + to, d, 4)
        store(held, 4 * padded + to, load(image, above + x, 2), 4)
        store(held, 5 * padded + to, load(image, below + x, 2), 4)


@kernel
def _row_at(start, stride, rows, place):
    return start + rows[min(place, rows.size - 1)] * stride


@kernel
def _fill_borders(held, columns, step, reach):
    """Beyond the border a column is that of the pixel that it is taken from."""
    padded = columns.size * step
    for k in range(_HELD):
        for side in range(2 * reach):
            place = side if side < reach else columns.size - 1 - (side - reach)
            source = k * padded + (columns[place] + reach) * step
            for c in range(step):
                held[k * padded + place * step + c] = held[source + c]


@kernel
def _medians_3(pair, held, columns, step):
    padded = columns.size * step
    wide = padded - 2 * step
    for k in range(2):
        here, to = 3 * k * padded, k * wide
        for x in range(wide):
            i = here + x
            window = (
                _column_3(held, i, padded)
                + _column_3(held, i + step, padded)
                + _column_3(held, i + 2 * step, padded)
            )
            store(pair, to + x, _median_of_9(window)[0], 2)


@kernel
def _medians_5(pair, held, columns, step):
    padded = columns.size * step
    wide = padded - 4 * step
    for x in range(wide):
        common = _middle_6_of_20(
            _column_4(held, x, padded)
            + _column_4(held, x + step, padded)
            + _column_4(held, x + 2 * step, padded)
            + _column_4(held, x + 3 * step, padded)
            + _column_4(held, x + 4 * step, padded)
        )
        above = common + _row_5(held, 4 * padded + x, step)
        below = common + _row_5(held, 5 * padded + x, step)
        store(pair, x, _median_of_6_and_5(above)[0], 2)
        store(pair, wide + x, _median_of_6_and_5(below)[0], 2)


@kernel
def _column_3(held, at, padded):
    return load(held, at, 4), load(held, at + padded, 4), load(held, at + 2 * padded, 4)


@kernel
def _column_4(held, at, padded):
    return (*_column_3(held, at, padded), load(held, at + 3 * padded, 4))


@kernel
def _row_5(held, at, step):
    return (
        load(held, at, 4),
        load(held, at + step, 4),
        load(held, at + 2 * step, 4),
        load(held, at + 3 * step, 4),
        load(held, at + 4 * step, 4),
    )
