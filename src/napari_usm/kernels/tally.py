"""What a method did to the pixels of a block, in one pass over image and result."""

import numpy as np

from napari_usm.kernels.compiled import summing
from napari_usm.kernels.memory import DETAIL, EDGES, IMAGE, LINES, RESULT, load

_f = np.float32


@summing
def tally_pixels(
    image, result, edges, lowest, highest, channels, inner, finish, clipped, found
):
    """Count what was cut off, and add up how far the result goes beyond its range.

    image, result   : (outer * channels * inner,)
    edges           : likewise, float32
    lowest, highest : likewise, of the image's type: the local range of the image
    finish          : as for `finish_row`
    clipped         : (2, channels) int64, added to: results below and above the limits
    found           : (6,) float64: largest over- and undershoot, added to in the
                      others: their sums, that of the change, and pixels that count
    """
    amount, _, _, low, high, rounding = finish
    over, under = found[0], found[1]
    over_sum, under_sum, change_sum, pixels = 0.0, 0.0, 0.0, 0
    for begin in range(0, image.size, inner):
        below, above = 0, 0
        for x in range(begin, begin + inner):
            before = _f(load(image, x, IMAGE))
            raw = before + amount * load(edges, x, EDGES)
            shown = np.floor(raw + rounding) if rounding > 0 else raw
            finite = shown - shown == 0
            below += finite and shown < low
            above += finite and shown > high
            after = np.float64(load(result, x, RESULT))
            # Where image or result is not finite, neither is their difference.
            change = after - before
            counts = change - change == 0
            more = max(after - load(highest, x, LINES), 0.0) if counts else 0.0
            less = max(load(lowest, x, DETAIL) - after, 0.0) if counts else 0.0
            over = max(over, more)
            under = max(under, less)
            over_sum += more
            under_sum += less
            change_sum += change if counts else 0.0
            pixels += counts
        channel = begin // inner % channels
        clipped[0, channel] += below
        clipped[1, channel] += above
    found[0] = over
    found[1] = under
    found[2] += over_sum
    found[3] += under_sum
    found[4] += change_sum
    found[5] += pixels
