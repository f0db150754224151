"""Hot and dead pixels: single pixels far outside the range of the eight around them."""

import numpy as np

from napari_usm._kernels.bands import variance_of
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.networks import network

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
        least = kind(6) * own[3] ** kind(0.5)
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
