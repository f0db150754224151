"""The last steps of every one-pass kernel, for rows."""

import numpy as np
from numba import literally

from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import DETAIL, EDGES, IMAGE, LINES, RESULT
from napari_usm._kernels.sweeps import across_blurred
from napari_usm._kernels.vector_sums import columns_sum
from napari_usm._kernels.vectors import (
    LANES,
    broadcast,
    larger,
    load_vector,
    smaller,
    square_root,
    store_vector,
    zero_below,
)


@kernel
def unpacked(numbers):
    """Return the parameters of the last steps as `finish_row` takes them.

    numbers : (11,), float32, the same in a row: an array is passed in a tenth of the
              time that so many numbers take
    """
    rule = numbers[2] != 0, numbers[3], numbers[4], numbers[5], numbers[6], numbers[7]
    return numbers[0], numbers[1], rule, numbers[8], numbers[9], numbers[10]


@kernel
def finish_blurring(
    image,
    at,
    stride,
    line,
    begin,
    apart,
    step,
    taps,
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

    image, at, stride : `IMAGE`, where its first row begins, and from row to row
    line, begin, apart : `LINES`, likewise, with neighbours before and behind each row
    step          : from column to column
    taps          : (1 + radius,), float32
    across        : `DETAIL`, float32, with room for a row
    count, rows   : pixels of a row, and how many rows
    result, edges, finish : as for `finish_row`
    to, to_stride : where their first row begins, and from row to row
    """
    done = 0
    places = at, stride, begin, apart, to, to_stride
    if step == 1 and finish[1] <= 0:
        done = count // LANES * LANES
        if taps.size == 2:
            _finish_vectors(
                image, line, taps, result, edges, places, done, rows, finish, 1
            )
        elif taps.size == 5:
            _finish_vectors(
                image, line, taps, result, edges, places, done, rows, finish, 4
            )
        elif taps.size == 9:
            _finish_vectors(
                image, line, taps, result, edges, places, done, rows, finish, 8
            )
        elif taps.size == 13:
            _finish_vectors(
                image, line, taps, result, edges, places, done, rows, finish, 12
            )
        elif taps.size == 17:
            _finish_vectors(
                image, line, taps, result, edges, places, done, rows, finish, 16
            )
        else:
            done = 0
    if done < count:
        for r in range(rows):
            place, own = begin + r * apart + done, at + r * stride + done
            left, goal = count - done, to + r * to_stride + done
            across_blurred(across, line, place, step, taps, left)
            finish_blurred_row(
                image, own, across, left, result, edges, goal, finish, None
            )


@kernel
def _finish_vectors(
    image, line, taps, result, edges, places, count, rows, finish, pairs
):
    """Blur across and finish whole vectors, without a threshold."""
    pairs = literally(pairs)
    at, stride, begin, apart, to, to_stride = places
    amount, _, _, low, high, rounding = finish
    amounts, lows, highs = broadcast(amount), broadcast(low), broadcast(high)
    roundings = broadcast(rounding)
    for r in range(rows):
        place, own, goal = begin + r * apart, at + r * stride, to + r * to_stride
        for x in range(0, count, LANES):
            pixel = load_vector(image, own + x, LANES, IMAGE)
            detail = pixel - columns_sum(line, place + x, 1, taps, pairs, LINES)
            if edges.size > 0:
                store_vector(edges, goal + x, detail, LANES, EDGES)
            if result.size > 0:
                value = finished(pixel, detail, amounts, lows, highs, roundings)
                store_vector(result, goal + x, value, LANES, RESULT)


@kernel
def finish_blurred_row(image, at, blurred, count, result, edges, to, finish, largest):
    """From a row of the blur, in `DETAIL`, to the result's; the others as below.

    `largest` limits the detail; None where it cannot overflow, which is known when the
    kernel is compiled.
    """
    _finish(image, at, blurred, 0, True, count, result, edges, to, finish, largest)


@kernel
def finish_row(image, at, detail, begin, count, result, edges, to, finish):
    """From a row of detail to the result's: the steps of `filters`, in their order.

    image, at     : `IMAGE`, and where its row begins
    detail, begin : `DETAIL`, float32, and where the row begins
    result, edges : `RESULT` of the image's type and `EDGES`, float32, whose row
                    begins at `to`; one of no pixels is not wanted
    finish        : amount, threshold, its rule, low, high and rounding; float32,
                    `rounding` is 0.5 for integers. The rule is whether it is hard, and
                    constant, slope, zero, floor and share of the noise that it follows,
                    as in `filters.threshold.DetailNoise`, if the slope is above 0: the
                    threshold is then a multiple of that
    """
    _finish(image, at, detail, begin, None, count, result, edges, to, finish, None)


@kernel
def _finish(
    image, at, line, begin, is_blurred, count, result, edges, to, finish, largest
):
    """Do the last steps for a row that is blurred; if that is None, for detail."""
    amount, threshold, rule, low, high, rounding = finish
    hard, constant, slope, zero, floor, share = rule
    amounts, lows, highs = broadcast(amount), broadcast(low), broadcast(high)
    roundings, limit = broadcast(rounding), broadcast(threshold)
    constants, slopes, zeros = broadcast(constant), broadcast(slope), broadcast(zero)
    floors, shares, minus = (
        broadcast(floor),
        broadcast(share),
        broadcast(np.float32(-1)),
    )
    for x in range(0, count, LANES):
        left = count - x
        pixel = load_vector(image, at + x, left, IMAGE)
        detail = load_vector(line, begin + x, left, DETAIL)
        if is_blurred is not None:
            detail = pixel - detail
        if largest is not None:
            most = broadcast(largest)
            detail = smaller(larger(detail, most * minus), most)
        if threshold > 0:
            if slope > 0:
                level = pixel - shares * detail - zeros
                noise = square_root(larger(constants + slopes * level, floors))
                limit = broadcast(threshold) * noise
            if hard:
                detail = zero_below(detail, limit)
            else:
                detail = detail - smaller(larger(detail, limit * minus), limit)
        if edges.size > 0:
            store_vector(edges, to + x, detail, left, EDGES)
        if result.size > 0:
            value = finished(pixel, detail, amounts, lows, highs, roundings)
            store_vector(result, to + x, value, left, RESULT)


@kernel
def finished(pixel, detail, amounts, lows, highs, roundings):
    """Return results before the cast, in vectors."""
    return smaller(larger(pixel + amounts * detail, lows), highs) + roundings
