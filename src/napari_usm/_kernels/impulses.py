"""Hot and dead pixels: single pixels far outside the range of the eight around them."""

import numpy as np

from napari_usm._kernels.bands import variance_of
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import IMAGE, RING, load, store
from napari_usm._kernels.networks import network
from napari_usm._kernels.sweeps import ROWS
from napari_usm._kernels.vector_neighbours import beyond_nearest
from napari_usm._kernels.vectors import (
    LANES,
    broadcast,
    chosen_above,
    is_any_above,
    larger,
    load_vector,
    store_vector,
)

_f = np.float32

# An impulse is beyond the eight pixels around it by so many times their span, and by
# the standard deviation of the noise times `_NOISE`. The image of a point that a pixel
# samples with a sigma of 0.5 pixels or more is nearer than that: with 1.5 spans half of
# such spots were lost.
_SPANS = _f(4.5)
_NOISE = _f(6)

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
    span = kind(_SPANS) * (high - low)
    far = max(pixel - (high + span), (low - span) - pixel)
    if far > 0 and far * far > kind(_NOISE * _NOISE) * variance_of(middle, noise):
        return middle
    return pixel


@kernel
def _stand_out(row, above, below, beyond):
    """Write how far pixels are beyond all but one of their four nearest neighbours.

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

    An impulse is above h, the second highest of them, or below the second lowest, by
    more than k times the noise at h. With the noise at the median m, k is 6. Where m is
    darker than h its noise is less, but the eight span h - m at least, and c times that
    counts too: k is the minimum of ``(6 s(m) + c (h - m)) / s(h)``, for all m and h. Its
    square is ``4 c r (6 - c r)`` with r the least noise over the growth, up to 3 / c.
    """
    constant, growth, zero, least = noise
    square = _NOISE * _NOISE
    if growth > 0:
        ratio = _SPANS * min(least ** _f(0.5) / growth, _NOISE / 2 / _SPANS)
        square = _f(4) * ratio * (_NOISE - ratio)
    square *= _f(0.96)  # rounding does not matter
    return square * constant, square * growth, zero, square * least


@kernel
def clean_rows(ring, places, image, starts, count, step, scale, noises, cleaned):
    """Replace the impulses of four rows of pixels.

    ring    : `RING`
    places  : where the pixels of each row are in it, times `scale`
    image   : `IMAGE`
    starts  : (4, 3), where the row above begins in it, the row, and the one below
    count   : columns, at least two
    step    : from column to column
    noises  : as for `bands.variance_of`, and `quick_noise` of it
    cleaned : (4,), whether a row had any; overwritten
    """
    noise, quick = noises
    total = count * step
    inner = total - 2 * step
    edge = step if inner >= LANES else (total + 1) // 2
    cleaned[:] = False
    for r in range(ROWS):
        rows = starts[r, 0], starts[r, 1], starts[r, 2]
        for k in range(2 * edge):
            x = k if k < edge else total - 2 * edge + k
            cleaned[r] |= _clean_pixel(
                ring, places[r], image, rows, x, total, step, scale, noise
            )
    if inner < LANES:
        return
    rows0 = starts[0, 0], starts[0, 1], starts[0, 2]
    rows1 = starts[1, 0], starts[1, 1], starts[1, 2]
    rows2 = starts[2, 0], starts[2, 1], starts[2, 2]
    rows3 = starts[3, 0], starts[3, 1], starts[3, 2]
    four = rows0, rows1, rows2, rows3
    for k in range(0, inner, LANES):
        # The last vector ends with the row.
        x = step + min(k, inner - LANES)
        far, farthest, high = beyond_nearest(image, four, x, step, IMAGE)
        level = _level(high, scale, quick)
        if not _is_beyond(farthest, level, scale):
            continue
        for r in range(ROWS):
            if _is_beyond(far[r], level, scale):
                cleaned[r] |= _clean_pixels(
                    ring, places[r], image, four[r], x, step, scale, noise
                )


@kernel
def _level(intensity, scale, noise):
    """Return the variance of the noise at an intensity in units of the image."""
    constant, growth, zero, least = noise
    above = intensity * broadcast(scale) - broadcast(zero)
    level = broadcast(growth) * above + broadcast(constant)
    return larger(level, broadcast(least))


@kernel
def _is_beyond(far, level, scale):
    """Return whether a distance is above the standard deviation anywhere."""
    far = far * broadcast(scale)
    return is_any_above(far * far, level)


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
def _clean_pixels(ring, at, image, rows, x, step, scale, noise):
    """Do the steps of `cleaned` for a vector; whether there is an impulse."""
    above, row, below = rows
    scales = broadcast(scale)
    around = (
        load_vector(image, above + x - step, LANES, IMAGE),
        load_vector(image, above + x, LANES, IMAGE),
        load_vector(image, above + x + step, LANES, IMAGE),
        load_vector(image, row + x - step, LANES, IMAGE),
        load_vector(image, row + x + step, LANES, IMAGE),
        load_vector(image, below + x - step, LANES, IMAGE),
        load_vector(image, below + x, LANES, IMAGE),
        load_vector(image, below + x + step, LANES, IMAGE),
    )
    pixel = load_vector(image, row + x, LANES, IMAGE)
    low, before, behind, high = _ordered(around)
    # Powers of 2 are exact, so they may come late.
    middle = (before + behind) * broadcast(_f(0.5))
    span = broadcast(_SPANS) * (high - low)
    far = larger(pixel - (high + span), (low - span) - pixel)
    far = larger(far, broadcast(_f(0))) * scales
    level = broadcast(_NOISE * _NOISE) * _level(middle, scale, noise)
    far = far * far
    if not is_any_above(far, level):
        return False
    clean = chosen_above(far, level, middle, pixel) * scales
    store_vector(ring, at + x, clean, LANES, RING)
    return True
