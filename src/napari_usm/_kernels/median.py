"""Medians of square windows, two rows at a time.

What the windows of both rows have in common is put in order once: first the columns,
each once for all windows that it is in. What is left to do for a pixel stays in
registers: exchanges of whole rows in memory take four times as long for 5 x 5.
Chunks of columns that stay in the first-level cache, and merged columns shared by
neighbours, were tried: neither is faster.
"""

import numpy as np

from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import DETAIL, RESULT, RING, load, load_some, store
from napari_usm._kernels.networks import network

# Buffers: the image and the medians of two rows `RING`, sorted columns `DETAIL`.

#: Widths of window that there is a kernel for.
SIZES = (3, 5)

#: Rows of sorted columns that a pair of rows of medians comes from.
HELD = 6

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
    wide = (columns.size - size + 1) * step
    held = np.empty(HELD * columns.size * step, image.dtype)
    pair = np.empty(2 * wide, image.dtype)
    for row in range(rows.size - size + 1):
        if row % 2 == 0:
            median_pair(
                pair,
                0,
                wide,
                held,
                image,
                start,
                stride,
                row,
                rows,
                columns,
                step,
                size,
            )
        here, to = row % 2 * wide, start + row * stride
        for x in range(wide):
            store(out, to + x, load(pair, here + x, RING), RESULT)


@kernel
def median_pair(
    out, to, other, held, image, start, stride, row, rows, columns, step, size
):
    """Medians around the pixels of a row and of the next.

    out  : `RING` like `image`; the first row goes to `to`, the second to `other`:
           behind the last row of the plane pixels of no meaning
    held : (`HELD` * columns.size * step,)
    The others are those of `median_plane`.
    """
    reach = size // 2
    padded = columns.size * step
    wide = padded - 2 * reach * step
    r0 = start + rows[row] * stride
    r1, r2 = start + rows[row + 1] * stride, start + rows[row + 2] * stride
    last = rows.size - 1
    r3 = start + rows[min(row + 3, last)] * stride
    begin = reach * step
    if size == 3:
        # Smallest, middle and largest, of three rows and of the next three.
        for x in range(wide):
            common = load(image, r1 + x, RING), load(image, r2 + x, RING)
            low, middle, high = _sort_3((*common, load(image, r0 + x, RING)))
            i = begin + x
            store(held, i, low, DETAIL)
            store(held, padded + i, middle, DETAIL)
            store(held, 2 * padded + i, high, DETAIL)
            low, middle, high = _sort_3((*common, load(image, r3 + x, RING)))
            store(held, 3 * padded + i, low, DETAIL)
            store(held, 4 * padded + i, middle, DETAIL)
            store(held, 5 * padded + i, high, DETAIL)
    else:
        # The four common rows in order, the row above them and the row below.
        r4 = start + rows[row + 4] * stride
        r5 = start + rows[min(row + 5, last)] * stride
        for x in range(wide):
            a, b = load(image, r1 + x, RING), load(image, r2 + x, RING)
            c, d = load(image, r3 + x, RING), load(image, r4 + x, RING)
            a, b, c, d = _sort_4((a, b, c, d))
            i = begin + x
            store(held, i, a, DETAIL)
            store(held, padded + i, b, DETAIL)
            store(held, 2 * padded + i, c, DETAIL)
            store(held, 3 * padded + i, d, DETAIL)
            store(held, 4 * padded + i, load(image, r0 + x, RING), DETAIL)
            store(held, 5 * padded + i, load(image, r5 + x, RING), DETAIL)
    for side in range(2 * reach):
        # Beyond the border a column is that of the pixel that it is taken from.
        place = side if side < reach else columns.size - 1 - (side - reach)
        source = (columns[place] + reach) * step
        for k in range(0, HELD * padded, padded):
            for c in range(step):
                held[k + place * step + c] = held[k + source + c]
    if size == 3:
        for k in range(2):
            here, at = 3 * k * padded, other if k else to
            for x in range(wide):
                i = here + x
                window = (
                    *load_some(held, i, padded, 3, DETAIL),
                    *load_some(held, i + step, padded, 3, DETAIL),
                    *load_some(held, i + 2 * step, padded, 3, DETAIL),
                )
                store(out, at + x, _median_of_9(window)[0], RING)
    else:
        for x in range(wide):
            common = _middle_6_of_20(
                (
                    *load_some(held, x, padded, 4, DETAIL),
                    *load_some(held, x + step, padded, 4, DETAIL),
                    *load_some(held, x + 2 * step, padded, 4, DETAIL),
                    *load_some(held, x + 3 * step, padded, 4, DETAIL),
                    *load_some(held, x + 4 * step, padded, 4, DETAIL),
                )
            )
            above = load_some(held, 4 * padded + x, step, 5, DETAIL)
            below = load_some(held, 5 * padded + x, step, 5, DETAIL)
            store(out, to + x, _median_of_6_and_5((*common, *above))[0], RING)
            store(out, other + x, _median_of_6_and_5((*common, *below))[0], RING)
