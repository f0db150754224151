"""Rows of pixels that a kernel keeps for itself."""

import numpy as np

from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import RING, load, store

# From this many pixels on, a row is worth a loop of its own.
LONG = 64

_LINE = 64  # bytes of a cache line


@kernel
def buffer(count, dtype):
    """Memory for `count` pixels, at the beginning of a cache line.

    Else each vector may lie across two lines: up to twice the time, by chance. A vector
    that begins in it may end behind it.
    """
    spare = np.empty(count + 2 * _LINE, dtype)
    first = -spare.ctypes.data % _LINE // spare.itemsize
    return spare[first : first + count]


@kernel
def padded(count, itemsize):
    """Pixels from one row to the next: an odd number of cache lines.

    Rows that are 4096 bytes apart push each other out of the cache: 2048 pixels
    of float32 then take 1.8 times as long.
    """
    line = _LINE // itemsize
    lines = (count + line - 1) // line
    return (lines + 1 - lines % 2) * line


@kernel
def fill_borders(line, at, index, radius, step, outside):
    """Give a row its borders.

    line, at : `RING`, and where the row begins, borders included; pixels are `step`
               apart
    index    : (count + 2 * radius,), the pixel at each place; -1 for `outside`
    """
    for side in range(2 * radius):
        place = side if side < radius else index.size - 1 - (side - radius)
        for c in range(step):
            value = outside
            if index[place] >= 0:
                value = load(line, at + (radius + index[place]) * step + c, RING)
            store(line, at + place * step + c, value, RING)


@kernel
def set_outside(line, at, index, step, outside):
    """Give a blurred row the constant beyond its ends, as it is to the last bit.

    line, at, index : as for `fill_borders`, of no buffer of its own
    """
    for place in range(index.size):
        if index[place] < 0:
            for c in range(step):
                line[at + place * step + c] = outside
