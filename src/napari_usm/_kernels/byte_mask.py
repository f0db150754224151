"""The blur of planes of bytes in integers, for the pass of `mask`.

Rows are blurred down to 16 bits, in units of 1/256 less 128, and that is all that is
rounded before the blur is turned into float32: see `filters.taps.byte_taps`. It takes
0.6 times as long as in float32.
"""

import numpy as np
from numba import literally

from napari_usm._kernels.buffers import buffer
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_blurred_row, finished
from napari_usm._kernels.integers import (
    BYTES,
    add_integers,
    add_product,
    all_equal,
    as_floats,
    byte_columns,
    byte_rows,
    load_bytes,
    load_integers,
    store_bytes,
    store_interleaved,
)
from napari_usm._kernels.memory import (
    DETAIL,
    EDGES,
    IMAGE,
    LINES,
    RESULT,
    RING,
    load,
    store,
)
from napari_usm._kernels.vectors import LANES, broadcast, multiplied_added, store_vector

# Rows of a mask that are blurred down at a time: of four, twelve are loaded for radius
# 4, of eight sixteen.
TALL = 8

# A unit of the sums.
_UNIT = np.float32(2.0**-23)


@kernel
def byte_rows_blurred(out, to, apart, source, starts, taps, vectors, count):
    """Eight rows of bytes, blurred over those around them.

    out     : `LINES`, int16; row r of them goes to ``to + r * apart``, followed by
              room for `BYTES` pixels
    source  : `RING`, uint8
    starts  : (2 * radius + 8,), where the rows begin in `source`, from the one `radius`
              before the first on
    taps    : (1 + radius,) int32, in units of 2**-15; radius 4, 8, 12 or 16
    vectors : the same for `byte_rows`
    count   : pixels of a row
    """
    if count < BYTES:
        # A vector would reach beyond the row.
        held = buffer(starts.size * BYTES, source.dtype)
        places = np.empty(starts.size, np.int64)
        for k in range(starts.size):
            places[k] = k * BYTES
            for x in range(count):
                store(held, places[k] + x, load(source, starts[k] + x, RING), RING)
        source, starts, count = held, places, BYTES
    if taps.size == 5:
        _rows(out, to, apart, source, starts, vectors, count, 4)
    elif taps.size == 9:
        _rows(out, to, apart, source, starts, vectors, count, 8)
    elif taps.size == 13:
        _rows(out, to, apart, source, starts, vectors, count, 12)
    else:
        _rows(out, to, apart, source, starts, vectors, count, 16)


@kernel
def _rows(out, to, apart, source, starts, vectors, count, pairs):
    pairs = literally(pairs)
    for x in range(0, count, BYTES):
        # The last vector ends with the row.
        place = min(x, count - BYTES)
        byte_rows(
            out,
            to + place,
            apart,
            source,
            starts,
            place,
            vectors,
            pairs,
            TALL,
            RING,
            LINES,
        )


@kernel
def finish_blurring_bytes(
    image,
    at,
    stride,
    line,
    begin,
    apart,
    step,
    taps,
    vectors,
    across,
    count,
    rows,
    result,
    edges,
    to,
    to_stride,
    finish,
):
    """Blur rows of a mask along themselves, and do the last steps.

    line          : `LINES`, int16
    taps, vectors : as for `byte_rows_blurred`
    The others are those of `finish_blurring`.
    """
    done = 0
    places = at, stride, begin, apart, to, to_stride
    if step == 1 and finish[1] <= 0:
        done = count // BYTES * BYTES
        if taps.size == 5:
            _finish_bytes(
                image, line, vectors, result, edges, places, done, rows, finish, 4
            )
        elif taps.size == 9:
            _finish_bytes(
                image, line, vectors, result, edges, places, done, rows, finish, 8
            )
        elif taps.size == 13:
            _finish_bytes(
                image, line, vectors, result, edges, places, done, rows, finish, 12
            )
        else:
            _finish_bytes(
                image, line, vectors, result, edges, places, done, rows, finish, 16
            )
    if done < count:
        for r in range(rows):
            place, own = begin + r * apart + done, at + r * stride + done
            left, goal = count - done, to + r * to_stride + done
            _across(across, line, place, step, taps, left)
            finish_blurred_row(
                image, own, across, left, result, edges, goal, finish, None
            )


@kernel
def _finish_bytes(
    image, line, vectors, result, edges, places, count, rows, finish, pairs
):
    """Blur across and finish whole vectors, without a threshold."""
    pairs = literally(pairs)
    at, stride, begin, apart, to, to_stride = places
    amount, _, _, low, high, rounding = finish
    amounts, lows, highs = broadcast(amount), broadcast(low), broadcast(high)
    roundings, less = broadcast(rounding), broadcast(-_UNIT)
    for r in range(rows):
        place, own, goal = begin + r * apart, at + r * stride, to + r * to_stride
        for x in range(0, count, BYTES):
            sums = byte_columns(line, place + x, vectors, pairs, LINES)
            even, odd = load_bytes(image, own + x, IMAGE)
            # Times a power of two: exact, so this is rounded as a difference is.
            even_detail = multiplied_added(less, as_floats(sums[0]), even)
            odd_detail = multiplied_added(less, as_floats(sums[1]), odd)
            if edges.size > 0:
                store_interleaved(edges, goal + x, even_detail, odd_detail, EDGES)
            if result.size > 0:
                even = finished(even, even_detail, amounts, lows, highs, roundings)
                odd = finished(odd, odd_detail, amounts, lows, highs, roundings)
                store_bytes(result, goal + x, even, odd, RESULT)


@kernel
def _across(across, line, at, step, taps, count):
    """One row, blurred along itself, in float32; `DETAIL`."""
    unit = broadcast(_UNIT)
    for x in range(0, count, LANES):
        here = load_integers(line, at + x, LINES)
        total = add_product(all_equal(128 * 2**23), here, taps[0])
        for k in range(1, taps.size):
            before = load_integers(line, at + x - k * step, LINES)
            behind = load_integers(line, at + x + k * step, LINES)
            total = add_product(total, add_integers(before, behind), taps[k])
        store_vector(across, x, unit * as_floats(total), LANES, DETAIL)
