"""The last steps of every one-pass kernel, for one row."""

import numpy as np

from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import DETAIL, EDGES, IMAGE, RESULT, load, store

_f = np.float32


@kernel
def finish_mask_row(image, at, blurred, count, result, edges, to, finish, largest):
    """From a row of the blur to the result's; arguments as below.

    Without a threshold that is one loop, and no row of detail is written and read
    again. `largest` limits the detail; None where it cannot overflow, which is known
    when the kernel is compiled.
    """
    amount, threshold, _, low, high, rounding = finish
    if threshold > 0 or result.size == 0:
        for x in range(count):
            pixel = _f(load(image, at + x, IMAGE))
            store(blurred, x, _detail(pixel, load(blurred, x, DETAIL), largest), DETAIL)
        finish_row(image, at, blurred, count, result, edges, to, finish)
    elif edges.size > 0:
        for x in range(count):
            pixel = _f(load(image, at + x, IMAGE))
            detail = _detail(pixel, load(blurred, x, DETAIL), largest)
            store(edges, to + x, detail, EDGES)
            value = pixel + amount * detail
            store(result, to + x, min(max(value, low), high) + rounding, RESULT)
    else:
        for x in range(count):
            pixel = _f(load(image, at + x, IMAGE))
            value = pixel + amount * _detail(pixel, load(blurred, x, DETAIL), largest)
            store(result, to + x, min(max(value, low), high) + rounding, RESULT)


@kernel
def _detail(pixel, blurred, largest):
    if largest is None:
        return pixel - blurred
    return min(max(pixel - blurred, -largest), largest)


@kernel
def finish_row(image, at, detail, count, result, edges, to, finish):
    """From a row of detail to the result's: the steps of `filters`, in their order.

    image, at     : `IMAGE`, and where its row begins
    detail        : `DETAIL`, float32, overwritten
    result, edges : `RESULT` of the image's type and `EDGES`, float32, whose row
                    begins at `to`; one of no pixels is not wanted
    finish        : amount, threshold, its rule, low, high and rounding; float32,
                    `rounding` is 0.5 for integers. The rule is whether it is hard, and
                    constant, slope, zero, floor and share of the noise that it follows,
                    as in `filters.threshold.DetailNoise`, if the slope is above 0: the
                    threshold is then a multiple of that
    """
    amount, threshold, rule, low, high, rounding = finish
    hard, constant, slope, zero, floor, share = rule
    if threshold > 0:
        for x in range(count):
            d = load(detail, x, DETAIL)
            limit = threshold
            if slope > 0:
                level = _f(load(image, at + x, IMAGE)) - share * d - zero
                limit = threshold * np.sqrt(max(constant + slope * level, floor))
            if not hard:
                d = d - min(max(d, -limit), limit)
            elif abs(d) < limit:
                d = _f(0)
            store(detail, x, d, DETAIL)
    if edges.size > 0:
        for x in range(count):
            store(edges, to + x, load(detail, x, DETAIL), EDGES)
    if result.size > 0:
        for x in range(count):
            pixel = _f(load(image, at + x, IMAGE))
            value = pixel + amount * load(detail, x, DETAIL)
            store(result, to + x, min(max(value, low), high) + rounding, RESULT)
