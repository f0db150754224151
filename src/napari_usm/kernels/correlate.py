"""Correlation with symmetric taps along one axis, in float32 or float64."""

import numpy as np

from napari_usm.kernels.compiled import kernel
from napari_usm.kernels.memory import load, multiply_add, store

# Numbers of the buffers, as `memory` wants them literally: what is read 0, `out` 1.


@kernel
def correlate_rows(source, out, taps, index, inner, outside):
    """Correlate the middle one of three axes, for a long last axis.

    A reshape to (outer, length, inner) makes any axis the middle one.

    source, out : (outer * length * inner,)
    taps        : (1 + radius,), of their type: the centre and one side
    index       : (length + 2 * radius,), where the pixel at each place from
                  -radius on is taken from; -1 for the value `outside`
    """
    radius = taps.size - 1
    length = index.size - 2 * radius
    beyond = np.full(inner, outside, source.dtype)
    for start in range(0, source.size, length * inner):
        for i in range(length):
            at = start + i * inner
            _centre(out, at, source, at, taps[0], inner)
            for k in range(1, radius + 1):
                before = index[i + radius - k]
                after = index[i + radius + k]
                first, first_at = beyond, 0
                second, second_at = beyond, 0
                if before >= 0:
                    first, first_at = source, start + before * inner
                if after >= 0:
                    second, second_at = source, start + after * inner
                _pair(out, at, first, first_at, second, second_at, taps[k], inner)


@kernel
def correlate_lines(source, out, taps, index, step, outside):
    """Correlate the middle one of three axes, for a short last axis.

    Each line of length * step pixels is copied with its borders, so that the
    pixel k places away is k * step further on. Arguments as above.
    """
    radius = taps.size - 1
    length = index.size - 2 * radius
    line = np.empty(index.size * step, source.dtype)
    for start in range(0, source.size, length * step):
        for place in range(index.size):
            for c in range(step):
                if index[place] >= 0:
                    line[place * step + c] = source[start + index[place] * step + c]
                else:
                    line[place * step + c] = outside
        middle = radius * step
        count = length * step
        _centre(out, start, line, middle, taps[0], count)
        for k in range(1, radius + 1):
            before, after = middle - k * step, middle + k * step
            _pair(out, start, line, before, line, after, taps[k], count)


@kernel
def _centre(out, at, source, source_at, tap, count):
    for x in range(count):
        store(out, at + x, tap * load(source, source_at + x, 0), 1)


@kernel
def _pair(out, at, first, first_at, second, second_at, tap, count):
    for x in range(count):
        pair = load(first, first_at + x, 0) + load(second, second_at + x, 0)
        store(out, at + x, multiply_add(tap, pair, load(out, at + x, 1)), 1)
