"""Norms of gradients for every gain, in one pass."""

import numpy as np

from napari_usm.kernels.compiled import summing
from napari_usm.kernels.memory import load


@summing
def gradient_plane(
    image, detail, start, stride, rows, columns, first, second, gains, found
):
    """Add up one difference of one plane: ``|a + b / gain|`` for every gain at once.

    That is ``|a| + s * b / gain``, s the sign of a, until ``gain = -b / a``: where
    it is 1 to 20 % of the pixels, the two sums are kept by the gains beyond which
    the sign has changed.

    image, detail : (n,) float64; NaN in `image` where a pixel is invalid
    rows, columns : pixels that differences start from, none for a count below 1
    start, stride : first pixel, and pixels from row to row
    first, second : distances of the pixels that are subtracted; 0 for no second one
    gains         : (K,), increasing
    found         : (2, K + 2), added to: ``|a|`` and ``s * b``; at k < K + 1 those
                    that have changed sign at k gains, at K + 1 all of them
    """
    tried = gains.size
    sizes = np.empty(max(columns, 0))
    slopes = np.empty(max(columns, 0))
    for row in range(rows):
        at = start + row * stride
        size_sum = 0.0
        slope_sum = 0.0
        for x in range(columns):
            i = at + x
            a = load(image, i + first, 0) - load(image, i, 0)
            b = load(detail, i + first, 0) - load(detail, i, 0)
            if second > 0:
                i += second
                a = (load(image, i + first, 0) - load(image, i, 0)) - a
                b = (load(detail, i + first, 0) - load(detail, i, 0)) - b
            valid = a == a
            size = abs(a) if valid else 0.0
            slope = (abs(b) if a == 0 else (b if a > 0 else -b)) if valid else 0.0
            sizes[x] = size
            slopes[x] = slope
            size_sum += size
            slope_sum += slope
        found[0, tried + 1] += size_sum
        found[1, tried + 1] += slope_sum
        for x in range(columns):
            if slopes[x] < 0:
                k = _count_below(gains, -slopes[x] / sizes[x])
                found[0, k] += sizes[x]
                found[1, k] += slopes[x]


@summing
def _count_below(gains, limit):
    """How many gains are smaller than `limit`."""
    low, high = 0, gains.size
    while low < high:
        middle = (low + high) // 2
        if gains[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low
