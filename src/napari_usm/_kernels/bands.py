"""Weights of three bands by the ratio of signal to noise at each pixel, and their sum.

Weights are known at powers of 2: the exponent of a ratio says between which two it
lies, and its mantissa how far from one to the other.
"""

import numpy as np

from napari_usm._kernels.buffers import buffer
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import DETAIL, IMAGE, LINES, RING, load, store

# Pixels at a time: their ratios stay in the first-level cache.
_ROW = 2048

# A buffer of its own for the table.
_TABLE = 6


@kernel
def weigh_bands(values, once, twice, rest, size, noise, weights, out):
    """Sum of the bands, each times its weight; 0 where `values` is not finite.

    values, once, twice, rest : (n,), an image and its three blurs
    size    : (n,), the local size of the third band
    noise   : (n,) or (1,), variance of the noise
    weights : see `weigh_row`
    out     : (n,)
    """
    kind = values.dtype.type
    row, ratios = buffer(_ROW, values.dtype), buffer(_ROW, values.dtype)
    levels = np.empty(1 if noise.size == 1 else _ROW, values.dtype)
    for start in range(0, values.size, _ROW):
        count = min(_ROW, values.size - start)
        for x in range(count):
            store(row, x, load(size, start + x, IMAGE), DETAIL)
        for x in range(min(count, levels.size)):
            store(levels, x, load(noise, start * (noise.size > 1) + x, IMAGE), DETAIL)
        starts = start, start, start, start
        units = kind(1), kind(1)
        images = values, once, twice, rest
        weigh_row(images, starts, units, row, levels, ratios, weights, count)
        for x in range(count):
            value = load(values, start + x, IMAGE)
            total = load(row, x, DETAIL)
            out[start + x] = total if value - value == 0 else kind(0)


@kernel
def variance_of(intensity, noise):
    """Variance of the noise by its constant, growth, where that begins, and least."""
    constant, growth, zero, least = noise
    # Intensity from the lowest on: in float32 far from 0 nothing else is left of it.
    return max(growth * (intensity - zero) + constant, least)


@kernel
def weigh_row(images, starts, units, row, noise, ratios, weights, count):
    """Sum of the bands of one row, in place of the size of the third.

    images  : an image, `IMAGE`, and its three blurs, `RING`
    starts  : where the row begins in each of them
    units   : what the image is multiplied by to be like its blurs, and the sum by
    row     : `DETAIL`, the local size of the third band, overwritten
    noise   : `DETAIL`, variance of the noise: of each pixel, or one for all
    ratios  : `LINES`, for as many pixels
    weights : what they are found by,
              table  : (octaves * 6,): for each power of 2 three weights and their way
                       to the next
              ends   : smallest and largest ratio: powers of 2, the second one beyond
                       the table
              factor : from the size to units of which its variance is 1 where the
                       noise is
              bits   : (0,) of the integers as wide as a pixel, digits of the mantissa,
                       exponent of the smallest ratio as it is stored
    """
    image, once, twice, rest = images
    a0, a1, a2, a3 = starts
    scale, unit = units
    table, ends, factor, bits = weights
    kind = row.dtype.type
    whole, digits, first = bits
    one, share = kind(1), kind(2.0**-digits)
    digits, first = whole.dtype.type(digits), whole.dtype.type(first)
    mask = whole.dtype.type((1 << digits) - 1)
    stored = ratios.view(whole.dtype)
    rows = whole.dtype.type(table.size // 6)
    everywhere = noise.size == 1
    # Only reads and writes are left in these loops: they are vectorised.
    for x in range(count):
        own = load(row, x, DETAIL) * factor
        level = load(noise, 0 if everywhere else x, DETAIL)
        ratio = own * own / level - one
        # Nothing at all, NaN, counts as little.
        ratio = ratio if ratio > ends[0] else ends[0]
        ratio = ratio if ratio < ends[1] else ends[1]
        store(ratios, x, ratio, LINES)
    for x in range(count):
        seen = load(stored, x, LINES)
        at = (seen >> digits) - first
        along = kind(seen & mask) * share
        # The last of all is one beyond the row before it.
        along = along if at < rows else one
        at = 6 * (at if at < rows else rows - 1)
        w1 = load(table, at, _TABLE) + along * load(table, at + 3, _TABLE)
        w2 = load(table, at + 1, _TABLE) + along * load(table, at + 4, _TABLE)
        w3 = load(table, at + 2, _TABLE) + along * load(table, at + 5, _TABLE)
        own = kind(load(image, a0 + x, IMAGE)) * scale
        inner, outer = load(once, a1 + x, RING), load(twice, a2 + x, RING)
        far = load(rest, a3 + x, RING)
        total = (own - inner) * w1 + (inner - outer) * w2 + (outer - far) * w3
        store(row, x, total * unit, DETAIL)
