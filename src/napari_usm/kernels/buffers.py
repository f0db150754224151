"""Rows of pixels that a kernel keeps for itself."""

import numpy as np

from napari_usm.kernels.compiled import kernel

_LINE = 64  # bytes of a cache line


@kernel
def buffer(count, dtype):
    """Memory for `count` pixels, at the beginning of a cache line.

    Else each vector may lie across two lines: up to twice the time, by chance.
    """
    spare = np.empty(count + _LINE, dtype)
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
