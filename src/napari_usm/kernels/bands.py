"""Weights of three bands by the ratio of signal to noise at each pixel, and their sum.

Weights are known at powers of 2: the exponent of a ratio says between which two it
lies, and its mantissa how far from one to the other.
"""

import numpy as np

from napari_usm.kernels.compiled import kernel
from napari_usm.kernels.memory import (
    DETAIL,
    EDGES,
    IMAGE,
    LINES,
    RESULT,
    RING,
    load,
    store,
)

# Pixels at a time: their ratios stay in the first-level cache.
_ROW = 2048

# A buffer of its own for the noise, and one for the table.
_NOISE = 6


@kernel
def weigh_bands(values, once, twice, rest, size, noise, table, ends, bits, out):
    """Sum of the bands, each times its weight; 0 where `values` is not finite.

    values, once, twice, rest : (n,), an image and its three blurs
    size  : (n,), the local size of the third band in units of which its variance is 1
            where the noise is
    noise : (n,) or (1,), variance of the noise
    table : (octaves * 6,): for each power of 2 three weights and their way to the next
    ends  : smallest and largest ratio: powers of 2, the second one beyond the table
    bits  : (0,) of the integers as wide as a pixel, digits of the mantissa, exponent
            of the smallest ratio as it is stored
    out   : (n,)
    """
    kind = values.dtype.type
    whole, digits, first = bits
    one, share = kind(1), kind(2.0**-digits)
    digits, first = whole.dtype.type(digits), whole.dtype.type(first)
    mask = whole.dtype.type((1 << digits) - 1)
    ratios = np.empty(_ROW, values.dtype)
    stored = ratios.view(whole.dtype)
    rows = whole.dtype.type(table.size // 6)
    everywhere = noise.size == 1
    for start in range(0, values.size, _ROW):
        count = min(_ROW, values.size - start)
        # Only reads and writes are left in these loops: they are vectorised.
        for x in range(count):
            i = start + x
            own = load(size, i, IMAGE)
            level = load(noise, 0 if everywhere else i, _NOISE)
            ratio = own * own / level - one
            # Nothing at all, NaN, counts as little.
            ratio = ratio if ratio > ends[0] else ends[0]
            ratio = ratio if ratio < ends[1] else ends[1]
            store(ratios, x, ratio, LINES)
        for x in range(count):
            i = start + x
            seen = load(stored, x, LINES)
            row = (seen >> digits) - first
            along = kind(seen & mask) * share
            # The last of all is one beyond the row before it.
            along = along if row < rows else one
            at = 6 * (row if row < rows else rows - 1)
            w1 = load(table, at, _NOISE) + along * load(table, at + 3, _NOISE)
            w2 = load(table, at + 1, _NOISE) + along * load(table, at + 4, _NOISE)
            w3 = load(table, at + 2, _NOISE) + along * load(table, at + 5, _NOISE)
            image, inner = load(values, i, RING), load(once, i, DETAIL)
            outer, far = load(twice, i, EDGES), load(rest, i, IMAGE)
            total = (image - inner) * w1 + (inner - outer) * w2 + (outer - far) * w3
            store(out, i, total if image - image == 0 else kind(0), RESULT)
