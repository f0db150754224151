"""The linear masks in one pass: blur, detail, threshold, combine, limits, cast.

Eight rows at a time are blurred down, from the image itself or from a ring of its rows,
then each across; what is left stays in registers and the first-level cache. In volumes
the ring holds rows of eight planes at once, blurred over those around. Nothing is
compiled for a radius: taps are filled up with zeros to one pair or a multiple of four,
which changes no bit.
"""

import numpy as np
from numba import literally

from napari_usm._kernels.buffers import buffer, padded
from napari_usm._kernels.byte_mask import (
    TALL,
    byte_rows_blurred,
    finish_blurring_bytes,
)
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_blurring, unpacked
from napari_usm._kernels.integers import BYTES
from napari_usm._kernels.memory import IMAGE, LINES, RING, load, store
from napari_usm._kernels.sweeps import rows_blurred
from napari_usm._kernels.vectors import (
    LANES,
    broadcast,
    is_zero,
    load_vector,
    store_vector,
)

# Planes that are sharpened at a time in a volume: of four, twelve are read for radius 4,
# of eight sixteen.
PLANES = 8

# Rows so many bytes apart share a place in the first-level cache, which holds that many
# lines there: more push each other out, and a ring of rows takes 0.7 times as long.
_ALIASED = 4096
_WAYS = 8


@kernel
def sharpen_planes(
    image,
    source,
    planes,
    rows,
    columns,
    deep_taps,
    row_taps,
    column_taps,
    byte_taps,
    core,
    row_type,
    result,
    edges,
    target,
    numbers,
    outside,
):
    """Sharpen one plane, or up to eight; whether all pixels that were met are finite.

    If not, what has been written is of no use.

    image         : (n,); pixel c of row r of plane p is at
                    ``start + p * depth + r * stride + c * step``
    source        : start, depth, stride, step
    planes        : the plane, if it is not blurred over others; else
                    (2 * radius + 8,), the planes to take from `radius` before the
                    first of the eight on
    rows, columns : (count + 2 * radius,), where the pixel at each place from
                    -radius on is taken from; -1 for the value `outside`
    *_taps        : (1 + radius,), float32, radius 1 or a multiple of `PAIRS`: down the
                    rows and along the columns; over the planes it may be None
    byte_taps     : down and across, both of them taps and vectors as for
                    `byte_rows_blurred`; then `row_taps` and `column_taps` are None,
                    else this is
    core          : how many planes, first and last + 1 row, first and last + 1 column
    row_type      : (0,), of the type that rows are kept in: the image's, or float32
                    where planes are blurred
    result, edges : (m,), of the image's type and float32; one of no pixels is not wanted
    target        : row r of the core of plane p goes to
                    ``target[0] + p * target[1] + r * target[2]``
    numbers       : see `finish.unpacked`
    outside       : of the type of `row_type`
    """
    start, depth, stride, step = source
    finish = unpacked(numbers)
    # What is None is known when a kernel is compiled: such a branch is not.
    if deep_taps is None:
        layers, deep = 1, 0
    else:
        layers, deep = PLANES, deep_taps.size - 1
    if row_taps is not None:
        reach_rows, reach = row_taps.size - 1, column_taps.size - 1
    if byte_taps is not None:
        reach_rows, reach = byte_taps[0][0].size - 1, byte_taps[1][0].size - 1
    count_planes, first, last, left, right = core
    height, width = rows.size - 2 * reach_rows, columns.size - 2 * reach
    row, inside = width * step, (right - left) * step
    held = 2 * reach_rows + TALL
    # From the beginning of a blurred row to its first pixel, and to the next row.
    lead = padded(reach * step, 2)
    apart = lead + padded(row + reach * step + BYTES, 2)
    if row_taps is not None:
        down = buffer(TALL * apart, np.float32)
        beyond = np.float32(outside)
    if byte_taps is not None:
        down = buffer(TALL * apart, np.int16)
        beyond = np.int16((np.int64(outside) - 128) * 256)
    across = buffer(inside, np.float32)
    near = np.empty(held, np.int64)
    if deep_taps is None:
        constant = columns[0] < 0 or rows[0] < 0 or rows[rows.size - 1] < 0
        # The largest power of two in it says how many of the rows share a place.
        apart_by = stride * image.itemsize
        apart_by = min(max(apart_by & -apart_by, 1), _ALIASED)
        aliased = held * apart_by > _WAYS * _ALIASED
        is_held = constant or aliased or row < BYTES
    else:
        is_held = True
    wide = padded(row, row_type.itemsize)
    thick = held * wide
    ring = buffer(layers * thick if is_held else 0, row_type.dtype)
    starts = np.empty(planes.size, np.int64)
    # The next row to come, and the place in the ring for it.
    coming, newest = first - reach_rows, 0
    for top in range(first, last, TALL):
        while coming < top + TALL + reach_rows:
            # Rows beyond the last that is needed only meet taps of zero.
            place = rows[min(coming, height - 1 + reach_rows) + reach_rows]
            at = newest * wide
            coming += 1
            newest = newest + 1 if newest + 1 < held else 0
            if deep_taps is None:
                here = start + planes[0] * depth + place * stride
                if place < 0:
                    ring[at : at + row] = outside
                elif is_held:
                    if not _take(ring, at, image, here, row):
                        return False
                elif not _is_finite(image, here, row, IMAGE):
                    return False
            else:
                for k in range(starts.size):
                    starts[k] = start + planes[k] * depth + place * stride
                rows_blurred(
                    ring, at, thick, image, starts, deep_taps, row, PLANES, IMAGE, RING
                )
                if image.dtype.type(0.5) != 0:
                    for plane in range(count_planes):
                        if not _is_finite(ring, at + plane * thick, row, RING):
                            return False
        for plane in range(count_planes):
            if is_held:
                for k in range(held):
                    # As many rows as the ring holds, from the oldest on.
                    slot = newest + k if newest + k < held else newest + k - held
                    near[k] = slot * wide + plane * thick
                _blurred_down(down, lead, apart, ring, near, row_taps, byte_taps, row)
            else:
                for k in range(held):
                    place = min(top + k, height - 1 + 2 * reach_rows)
                    near[k] = start + planes[0] * depth + rows[place] * stride
                if deep_taps is None:  # else the image may be of another type
                    _blurred_down(
                        down, lead, apart, image, near, row_taps, byte_taps, row
                    )
            _fill_borders(down, lead, apart, columns, reach, step, beyond)
            own = start + planes[deep + plane] * depth + top * stride + left * step
            to = target[0] + plane * target[1] + (top - first) * target[2]
            place, count = lead + left * step, min(TALL, last - top)
            if row_taps is not None:
                finish_blurring(
                    image,
                    own,
                    stride,
                    down,
                    place,
                    apart,
                    step,
                    column_taps,
                    across,
                    inside,
                    count,
                    result,
                    edges,
                    to,
                    target[2],
                    finish,
                )
            if byte_taps is not None:
                finish_blurring_bytes(
                    image,
                    own,
                    stride,
                    down,
                    place,
                    apart,
                    step,
                    byte_taps[1][0],
                    byte_taps[1][1],
                    across,
                    inside,
                    count,
                    result,
                    edges,
                    to,
                    target[2],
                    finish,
                )
    return True


@kernel
def _blurred_down(down, lead, apart, lines, starts, taps, byte_taps, count):
    if taps is not None:
        rows_blurred(down, lead, apart, lines, starts, taps, count, TALL, RING, LINES)
    if byte_taps is not None:
        half, vectors = byte_taps[0]
        byte_rows_blurred(down, lead, apart, lines, starts, half, vectors, count)


@kernel
def _fill_borders(lines, at, apart, index, radius, step, outside):
    """Give blurred rows their borders.

    lines, at, apart : `LINES`, where the first pixel of the first row is, and from row
                       to row
    index            : as `columns`
    """
    count = index.size - 2 * radius
    for side in range(2 * radius):
        place = side - radius if side < radius else count + side - radius
        taken = index[place + radius]
        for c in range(step):
            for r in range(TALL):
                value = outside
                if taken >= 0:
                    value = lines[at + r * apart + taken * step + c]
                lines[at + r * apart + place * step + c] = value


@kernel
def _take(ring, at, image, start, count):
    """Copy a row into the ring; return whether it is finite, as below."""
    if image.dtype.type(0.5) == 0:
        for x in range(count):
            store(ring, at + x, load(image, start + x, IMAGE), RING)
        return True
    four, total = broadcast(np.float32(4)), broadcast(np.float32(0))
    for x in range(0, count, LANES):
        pixels = load_vector(image, start + x, count - x, IMAGE)
        store_vector(ring, at + x, pixels, LANES, RING)
        several = four * pixels
        total = total + (several - several)
    return is_zero(total)


@kernel
def _is_finite(line, at, count, number):
    """Return whether all pixels of a row are finite, and sums of them will be.

    A tap of zero makes NaN of a sum that is infinite.
    """
    number = literally(number)
    if line.dtype.type(0.5) == 0:
        return True
    four, total = broadcast(np.float32(4)), broadcast(np.float32(0))
    for x in range(0, count, LANES):
        several = four * load_vector(line, at + x, count - x, number)
        total = total + (several - several)
    return is_zero(total)
