"""Hot and dead pixels: single pixels far outside the range of the eight around them."""

import numpy as np

from napari_usm._kernels.bands import variance_of
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import IMAGE, RING, load, store
from napari_usm._kernels.networks import network
from napari_usm._kernels.vectors import (
    LANES,
    broadcast,
    chosen_above,
    is_any_above,
    larger,
    load_vector,
    smaller,
    store_vector,
)

_f = np.float32

# Eight values in order by 19 exchanges; kept are the second lowest, the two in the
# middle and the second highest. So two impulses may touch.
_ordered = network(
    "0,2 1,3 4,6 5,7 0,4 1,5 2,6 3,7 0,1 2,3 4,5 6,7 2,4 3,5 1,4 3,6 1,2 3,4 5,6",
    "1 3 4 6",
)


@kernel
def cleaned(pixel, around, noise):
    """Return a pixel, or the median of those around it if it is an impulse.

    pixel  : a float
    around : its eight neighbours
    noise  : as for `bands.variance_of`
    """
    total = pixel
    for each in around:
        total += each
    if total - total != 0:
        return pixel
    kind = type(pixel)
    low, before, behind, high = _ordered(around)
    middle = (before + behind) * kind(0.5)
    span = kind(1.5) * (high - low)
    far = max(pixel - (high + span), (low - span) - pixel)
    if far > 0 and far * far > kind(36) * variance_of(middle, noise):
        return middle
    return pixel


@kernel
def _stand_out(row, above, below, beyond):
    """How far pixels are beyond all but one of their four nearest neighbours.

    An impulse is farther away. One pass without branches: in vectors.
    """
    last = row.size - 1
    for x in range(1, last):
        pixel, up, down = row[x], above[x], below[x]
        back, next_ = row[x - 1], row[x + 1]
        high = max(min(up, down), min(back, next_))
        low = min(max(up, down), max(back, next_))
        beyond[x] = max(pixel - high, low - pixel)
    for x, other in ((0, 1), (last, last - 1)):
        pixel, up, down, back = row[x], above[x], below[x], row[other]
        high = max(min(up, down), back)
        low = min(max(up, down), back)
        beyond[x] = max(pixel - high, low - pixel)


@kernel
def find_impulses(values, noises, places, medians):
    """Find the impulses of planes; return how many there are.

    values  : (planes, rows, columns), at least two rows and two columns
    noises  : (planes or 1, 4), as for `bands.variance_of`
    places  : (n,), where each of the first n lies in `values`, overwritten
    medians : (n,), the median around it, overwritten
    """
    planes, height, width = values.shape
    kind = values.dtype.type
    found = 0
    beyond = np.empty(width, values.dtype)
    for plane in range(planes):
        own = noises[min(plane, noises.shape[0] - 1)]
        noise = own[0], own[1], own[2], own[3]
        # A little less than 6: rounding does not matter.
        least = kind(5.9) * own[3] ** kind(0.5)
        for y in range(height):
            above, below = abs(y - 1), y + 1 if y + 1 < height else height - 2
            _stand_out(
                values[plane, y], values[plane, above], values[plane, below], beyond
            )
            for x in range(width):
                if beyond[x] <= least:
                    continue
                left, right = abs(x - 1), x + 1 if x + 1 < width else width - 2
                pixel = values[plane, y, x]
                around = (
                    values[plane, above, left],
                    values[plane, above, x],
                    values[plane, above, right],
                    values[plane, y, left],
                    values[plane, y, right],
                    values[plane, below, left],
                    values[plane, below, x],
                    values[plane, below, right],
                )
                median = cleaned(pixel, around, noise)
                if median != pixel and pixel - pixel == 0:
                    if found < places.size:
                        places[found] = (plane * height + y) * width + x
                        medians[found] = median
                    found += 1
    return found


@kernel
def quick_noise(noise):
    """Return multiples of the noise, for a test with the nearest four pixels alone.

    An impulse is further from h, the second or third highest of them, than k times the
    noise at h. With the noise at the median m, k would be 6. Where m is darker than h,
    its noise is less, but the eight span h - m at least, 1.5 times which counts too:
    k is the minimum of ``(6 s(m) + 1.5 (h - m)) / s(h)`` over all m and h.
    """
    constant, growth, zero, least = noise
    square = _f(36)
    if growth > 0:
        ratio = min(least ** _f(0.5) / growth, _f(2))
        square = _f(9) * ratio * (_f(4) - ratio)
    square *= _f(0.96)  # rounding does not matter
    return square * constant, square * growth, zero, square * least


@kernel
def clean_row(ring, at, image, rows, count, step, scale, noise, quick):
    """Replace the impulses of a row of pixels; whether there are any.

    ring, at : `RING`, and where the pixels are, times `scale`
    image    : `IMAGE`
    rows     : where the row above begins in it, the row, and the one below
    count    : columns, at least two
    step     : from column to column
    noise    : as for `bands.variance_of`
    quick    : see `quick_noise`
    """
    total, found = count * step, False
    inner = total - 2 * step
    edge = step if inner >= LANES else total
    for k in range(edge if edge == total else 2 * edge):
        x = k if k < edge else total - 2 * edge + k
        found |= _clean_pixel(ring, at, image, rows, x, total, step, scale, noise)
    if edge == total:
        return found
    for k in range(0, inner, LANES):
        # The last vector ends with the row.
        x = step + min(k, inner - LANES)
        if _is_suspect(image, rows, x, step, scale, quick):
            found |= _clean_pixels(ring, at, image, rows, x, step, scale, noise)
    return found


@kernel
def _clean_pixel(ring, at, image, rows, x, total, step, scale, noise):
    """Replace one pixel if it is an impulse, and return whether it is one."""
    above, row, below = rows
    left = x - step if x >= step else x + step
    right = x + step if x + step < total else x - step
    around = (
        _f(load(image, above + left, IMAGE)) * scale,
        _f(load(image, above + x, IMAGE)) * scale,
        _f(load(image, above + right, IMAGE)) * scale,
        _f(load(image, row + left, IMAGE)) * scale,
        _f(load(image, row + right, IMAGE)) * scale,
        _f(load(image, below + left, IMAGE)) * scale,
        _f(load(image, below + x, IMAGE)) * scale,
        _f(load(image, below + right, IMAGE)) * scale,
    )
    pixel = _f(load(image, row + x, IMAGE)) * scale
    clean = cleaned(pixel, around, noise)
    store(ring, at + x, clean, RING)
    return clean != pixel


@kernel
def _is_suspect(image, rows, x, step, scale, quick):
    """Return whether there may be an impulse in a vector."""
    above, row, below = rows
    constant, growth, zero, least = quick
    pixel = load_vector(image, row + x, LANES, IMAGE)
    up = load_vector(image, above + x, LANES, IMAGE)
    down = load_vector(image, below + x, LANES, IMAGE)
    left = load_vector(image, row + x - step, LANES, IMAGE)
    right = load_vector(image, row + x + step, LANES, IMAGE)
    high = larger(smaller(up, down), smaller(left, right))
    low = smaller(larger(up, down), larger(left, right))
    scales = broadcast(scale)
    far = larger(larger(pixel - high, low - pixel) * scales, broadcast(_f(0)))
    level = broadcast(growth) * (high * scales - broadcast(zero))
    level = larger(level + broadcast(constant), broadcast(least))
    return is_any_above(far * far, level)


@kernel
def _clean_pixels(ring, at, image, rows, x, step, scale, noise):
    """Do the steps of `cleaned` for a vector; whether there is an impulse."""
    above, row, below = rows
    constant, growth, zero, least = noise
    scales = broadcast(scale)
    around = (
        load_vector(image, above + x - step, LANES, IMAGE) * scales,
        load_vector(image, above + x, LANES, IMAGE) * scales,
        load_vector(image, above + x + step, LANES, IMAGE) * scales,
        load_vector(image, row + x - step, LANES, IMAGE) * scales,
        load_vector(image, row + x + step, LANES, IMAGE) * scales,
        load_vector(image, below + x - step, LANES, IMAGE) * scales,
        load_vector(image, below + x, LANES, IMAGE) * scales,
        load_vector(image, below + x + step, LANES, IMAGE) * scales,
    )
    pixel = load_vector(image, row + x, LANES, IMAGE) * scales
    low, before, behind, high = _ordered(around)
    middle = (before + behind) * broadcast(_f(0.5))
    span = broadcast(_f(1.5)) * (high - low)
    far = larger(pixel - (high + span), (low - span) - pixel)
    far = larger(far, broadcast(_f(0)))
    level = broadcast(growth) * (middle - broadcast(zero))
    level = larger(level + broadcast(constant), broadcast(least))
    level = broadcast(_f(36)) * level
    far = far * far
    if not is_any_above(far, level):
        return False
    clean = chosen_above(far, level, middle, pixel)
    store_vector(ring, at + x, clean, LANES, RING)
    return True
