"""Correlation with symmetric taps along one axis, in float32 or float64.

The order of a pixel's operations is that of `sweeps`.
"""

import numpy as np

from napari_usm._kernels.buffers import fill_borders
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.memory import IMAGE, RESULT, RING, load, multiply_add, store
from napari_usm._kernels.sweeps import four


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
            near = index[i : i + 2 * radius + 1]
            k = _first(out, at, source, start, near, inner, taps, inner)
            while k <= radius:
                if k + 3 <= radius and near.min() >= 0:
                    _four_pairs(out, at, source, start, near, inner, k, taps, inner)
                    k += 4
                    continue
                before, after = near[radius - k], near[radius + k]
                first, first_at = beyond, 0
                second, second_at = beyond, 0
                if before >= 0:
                    first, first_at = source, start + before * inner
                if after >= 0:
                    second, second_at = source, start + after * inner
                _pair(out, at, first, first_at, second, second_at, taps[k], inner)
                k += 1


@kernel
def correlate_lines(source, out, taps, index, step, outside):
    """Correlate the middle one of three axes, for a short last axis.

    Each line of length * step pixels is copied with its borders, so that the
    pixel k places away is k * step further on. Arguments as above.
    """
    radius = taps.size - 1
    length = index.size - 2 * radius
    count = length * step
    line = np.empty(index.size * step, source.dtype)
    near = np.arange(2 * radius + 1)
    for start in range(0, source.size, count):
        for x in range(count):
            store(line, radius * step + x, load(source, start + x, IMAGE), RING)
        fill_borders(line, 0, index, radius, step, outside)
        k = _first(out, start, line, 0, near, step, taps, count)
        while k <= radius:
            if k + 3 <= radius:
                _four_pairs(out, start, line, 0, near, step, k, taps, count)
                k += 4
                continue
            before, after = (radius - k) * step, (radius + k) * step
            _pair(out, start, line, before, line, after, taps[k], count)
            k += 1


@kernel
def _first(out, at, source, start, near, stride, taps, count):
    """The centre, and four pairs if all are there; the distance of the next pair.

    near : (1 + 2 * radius,), what each is at, in `stride` from `start` on
    """
    radius = taps.size - 1
    a0, w0 = start + near[radius] * stride, taps[0]
    if radius < 4 or near.min() < 0:
        for x in range(count):
            store(out, at + x, w0 * load(source, a0 + x, RING), RESULT)
        return 1
    w1, w2, w3, w4 = taps[1], taps[2], taps[3], taps[4]
    a1, b1 = start + near[radius - 1] * stride, start + near[radius + 1] * stride
    a2, b2 = start + near[radius - 2] * stride, start + near[radius + 2] * stride
    a3, b3 = start + near[radius - 3] * stride, start + near[radius + 3] * stride
    a4, b4 = start + near[radius - 4] * stride, start + near[radius + 4] * stride
    for x in range(count):
        p1 = load(source, a1 + x, RING) + load(source, b1 + x, RING)
        p2 = load(source, a2 + x, RING) + load(source, b2 + x, RING)
        p3 = load(source, a3 + x, RING) + load(source, b3 + x, RING)
        p4 = load(source, a4 + x, RING) + load(source, b4 + x, RING)
        term = w0 * load(source, a0 + x, RING)
        store(out, at + x, four(term, w1, p1, w2, p2, w3, p3, w4, p4), RESULT)
    return 5


@kernel
def _four_pairs(out, at, source, start, near, stride, k, taps, count):
    """Four pairs more, the nearest k away; `out` is read and written once for all."""
    w1, w2, w3, w4 = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
    before, after = near.size // 2 - k, near.size // 2 + k
    a1, b1 = start + near[before] * stride, start + near[after] * stride
    a2, b2 = start + near[before - 1] * stride, start + near[after + 1] * stride
    a3, b3 = start + near[before - 2] * stride, start + near[after + 2] * stride
    a4, b4 = start + near[before - 3] * stride, start + near[after + 3] * stride
    for x in range(count):
        p1 = load(source, a1 + x, RING) + load(source, b1 + x, RING)
        p2 = load(source, a2 + x, RING) + load(source, b2 + x, RING)
        p3 = load(source, a3 + x, RING) + load(source, b3 + x, RING)
        p4 = load(source, a4 + x, RING) + load(source, b4 + x, RING)
        term = load(out, at + x, RESULT)
        store(out, at + x, four(term, w1, p1, w2, p2, w3, p3, w4, p4), RESULT)


@kernel
def _pair(out, at, first, first_at, second, second_at, tap, count):
    for x in range(count):
        pair = load(first, first_at + x, RING) + load(second, second_at + x, RING)
        term = load(out, at + x, RESULT)
        store(out, at + x, multiply_add(tap, pair, term), RESULT)
