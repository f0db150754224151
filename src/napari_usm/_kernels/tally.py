"""Statistics of a plane, in one pass over image and result."""

import numpy as np

from napari_usm._kernels.buffers import buffer
from napari_usm._kernels.compiled import kernel, summing
from napari_usm._kernels.memory import EDGES, IMAGE, RESULT, load, store

# The buffers, beside image, result and edge map: the lowest and highest of three rows,
# with borders, and what over- and undershoot are in.
_LOW, _HIGH, _OVER, _UNDER = 2, 3, 4, 6

# Pixels that are counted in float32 at a time: exact up to 2**24.
_RUN = 2**20

_f = np.float32


@summing
def tally_plane(
    image,
    lowest,
    highest,
    source,
    above,
    below,
    ends,
    core,
    result,
    edges,
    target,
    channels,
    inner,
    finish,
    clipped,
    found,
):
    """Count what was cut off, and add up how far the result goes beyond its range.

    image         : (n,); pixel c of row r is at ``start + r * stride + c * step``
    lowest, highest : (n,), of that type: the range along other axes, if there are any
    source        : start, stride, step
    above, below  : (rows,), the row next to each
    ends          : how many columns, the one before the first and after the last
    core          : first and last + 1 row, first and last + 1 column to count
    result, edges : (m,), of the image's type and float32; row r of the core is at
                    ``target[0] + r * target[1]``
    channels, inner : of pixel x of a row of the core, ``x // inner % channels`` is the
                    channel
    finish        : as for `finish_row`
    clipped       : (2, channels) int64, added to: results below and above the limits
    found         : (6,) float64: largest over- and undershoot, added to in the
                    others: their sums, that of the change, and pixels that count
    """
    start, stride, step = source
    first, last, left, right = core
    wide, inside = ends[0] * step, (right - left) * step
    low, high = (
        buffer(wide + 2 * step, image.dtype),
        buffer(wide + 2 * step, image.dtype),
    )
    # The largest in each column: the one of a whole row is not found by vectors.
    over, under = buffer(inside, np.float32), buffer(inside, np.float32)
    over[:] = 0
    under[:] = 0
    for row in range(first, last):
        here = start + row * stride
        a, b = start + above[row] * stride, start + below[row] * stride
        for x in range(wide):
            upper, lower = load(lowest, a + x, IMAGE), load(lowest, b + x, IMAGE)
            value = min(min(upper, lower), load(lowest, here + x, IMAGE))
            store(low, step + x, value, _LOW)
            upper, lower = load(highest, a + x, IMAGE), load(highest, b + x, IMAGE)
            value = max(max(upper, lower), load(highest, here + x, IMAGE))
            store(high, step + x, value, _HIGH)
        for c in range(step):
            before, after = (1 + ends[1]) * step + c, (1 + ends[2]) * step + c
            store(low, c, load(low, before, _LOW), _LOW)
            store(high, c, load(high, before, _HIGH), _HIGH)
            store(low, step + wide + c, load(low, after, _LOW), _LOW)
            store(high, step + wide + c, load(high, after, _HIGH), _HIGH)
        pixels, to = here + left * step, target[0] + (row - first) * target[1]
        for begin in range(0, inside, _RUN):
            end = min(begin + _RUN, inside)
            cut_low, cut_high = _f(0), _f(0)
            over_sum, under_sum, change_sum, counted = 0.0, 0.0, 0.0, _f(0)
            for i in range(begin, end):
                shown = _shown(image, edges, pixels + i, to + i, finish)
                cut_low += _f(_is_below(shown, finish))
                cut_high += _f(_is_above(shown, finish))
                after = _f(load(result, to + i, RESULT))
                # Where image or result is not finite, neither is their difference.
                change = after - _f(load(image, pixels + i, IMAGE))
                counts = change - change == 0
                x = left * step + i
                beside = max(load(high, x, _HIGH), load(high, x + 2 * step, _HIGH))
                more = after - _f(max(beside, load(high, x + step, _HIGH)))
                beside = min(load(low, x, _LOW), load(low, x + 2 * step, _LOW))
                less = _f(min(beside, load(low, x + step, _LOW))) - after
                more = max(more, _f(0)) if counts else _f(0)
                less = max(less, _f(0)) if counts else _f(0)
                store(over, i, max(load(over, i, _OVER), more), _OVER)
                store(under, i, max(load(under, i, _UNDER), less), _UNDER)
                over_sum += np.float64(more)
                under_sum += np.float64(less)
                change_sum += np.float64(change if counts else _f(0))
                counted += _f(counts)
            found[2] += over_sum
            found[3] += under_sum
            found[4] += change_sum
            found[5] += counted
            if channels == 1:
                clipped[0, 0] += int(cut_low)
                clipped[1, 0] += int(cut_high)
            elif cut_low + cut_high > 0:
                for i in range(begin, end):
                    shown = _shown(image, edges, pixels + i, to + i, finish)
                    channel = i // inner % channels
                    clipped[0, channel] += _is_below(shown, finish)
                    clipped[1, channel] += _is_above(shown, finish)
    found[0] = max(found[0], over.max())
    found[1] = max(found[1], under.max())


@kernel
def _shown(image, edges, at, to, finish):
    """The result as its type would show it, before it saturates."""
    amount, _, _, _, _, rounding = finish
    raw = _f(load(image, at, IMAGE)) + amount * load(edges, to, EDGES)
    return np.floor(raw + rounding) if rounding > 0 else raw


@kernel
def _is_below(shown, finish):
    return shown - shown == 0 and shown < finish[3]


@kernel
def _is_above(shown, finish):
    return shown - shown == 0 and shown > finish[4]
