"""Statistics of a plane, in one pass over image and result.

Integers are compared and added up in integers, as many at a time as a register holds.
"""

import numpy as np

from napari_usm._kernels.buffers import buffer
from napari_usm._kernels.compiled import kernel, summing
from napari_usm._kernels.finish import unpacked
from napari_usm._kernels.lanes import (
    added_lanes,
    excess,
    lanes_of,
    lanes_total,
    larger_lanes,
    largest_lane,
    load_lanes,
    no_lanes,
    no_sums,
    same_lanes,
    smaller_lanes,
    some_outside,
)
from napari_usm._kernels.memory import EDGES, IMAGE, RESULT, load, store

# The buffers, next to image, result and edge map: the lowest and highest of three rows,
# with borders, and what over- and undershoot are in.
_LOW, _HIGH, _OVER, _UNDER = 2, 3, 4, 6

# Pixels that are counted at a time: few, as the edge map is read for all of them where
# one is at a limit, and at most 2**13, or their sums do not fit into the lanes.
_RUN = 2**11

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
    numbers,
    bounds,
    over,
    under,
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
    numbers       : see `finish.unpacked`
    bounds        : of the image's type, the largest result that may be cut off below,
                    and the smallest one above; None for floats
    over, under   : (columns of the core * step,) float32, room for the largest over-
                    and undershoot in each column; None for integers
    clipped       : (2, channels) int64, added to: results below and above the limits
    found         : (6,) float64: largest over- and undershoot, added to in the
                    others: their sums, that of the change, and pixels that count
    """
    start, stride, step = source
    first, last, left, right = core
    finish = unpacked(numbers)
    wide, inside = ends[0] * step, (right - left) * step
    low, high = (
        buffer(wide + 2 * step, image.dtype),
        buffer(wide + 2 * step, image.dtype),
    )
    if over is not None:
        over[:] = 0
        under[:] = 0
    for row in range(first, last):
        here = start + row * stride
        others = start + above[row] * stride, start + below[row] * stride
        _local_range(lowest, highest, here, others, wide, low, high)
        _add_ends(low, high, step, ends)
        for begin in range(0, inside, _RUN):
            count = min(_RUN, inside - begin)
            x, pixels = left * step + begin, here + left * step + begin
            to = target[0] + (row - first) * target[1] + begin
            run = image, pixels, result, to, low, high, x, step, count
            at_limits = False
            if bounds is not None:
                at_limits = _add_integers(*run, found, bounds)
            if over is not None:
                columns = over[begin:], under[begin:]
                at_limits = _add_floats(*run, found, finish, *columns)
            # The edge map is read only where a result is at a limit.
            if at_limits:
                _count_clipped(
                    image,
                    pixels,
                    edges,
                    to,
                    begin,
                    count,
                    channels,
                    inner,
                    finish,
                    clipped,
                )
    if over is not None:
        found[0] = max(found[0], over.max())
        found[1] = max(found[1], under.max())


@kernel
def _local_range(lowest, highest, here, others, wide, low, high):
    """Lowest and highest of three rows, at each column."""
    step = (low.size - wide) // 2
    above, below = others
    for x in range(wide):
        upper, lower = load(lowest, above + x, IMAGE), load(lowest, below + x, IMAGE)
        value = min(min(upper, lower), load(lowest, here + x, IMAGE))
        store(low, step + x, value, _LOW)
        upper, lower = load(highest, above + x, IMAGE), load(highest, below + x, IMAGE)
        value = max(max(upper, lower), load(highest, here + x, IMAGE))
        store(high, step + x, value, _HIGH)


@kernel
def _add_ends(low, high, step, ends):
    """Give the rows of lowest and highest their borders."""
    for c in range(step):
        before, after = (1 + ends[1]) * step + c, (1 + ends[2]) * step + c
        end = (1 + ends[0]) * step + c
        store(low, c, load(low, before, _LOW), _LOW)
        store(high, c, load(high, before, _HIGH), _HIGH)
        store(low, end, load(low, after, _LOW), _LOW)
        store(high, end, load(high, after, _HIGH), _HIGH)


@kernel
def _add_integers(image, pixels, result, to, low, high, x, step, count, found, bounds):
    """Add up a run of integers; return whether some may have been cut off."""
    # The last vector is filled up by a pixel that adds nothing: it is all of them.
    same = same_lanes(image, load(result, to, RESULT))
    least, most = same, same
    most_over, most_under = no_lanes(image), no_lanes(image)
    over_sums, under_sums = no_sums(image), no_sums(image)
    before_sums, after_sums = no_sums(image), no_sums(image)
    for i in range(0, count, lanes_of(image)):
        left, p, q, r = count - i, x + i, x + i + step, x + i + 2 * step
        value = load_lanes(result, to + i, left, same, RESULT)
        least, most = smaller_lanes(least, value), larger_lanes(most, value)
        upper = larger_lanes(
            load_lanes(high, p, left, same, _HIGH),
            load_lanes(high, r, left, same, _HIGH),
        )
        upper = larger_lanes(upper, load_lanes(high, q, left, same, _HIGH))
        lower = smaller_lanes(
            load_lanes(low, p, left, same, _LOW), load_lanes(low, r, left, same, _LOW)
        )
        lower = smaller_lanes(lower, load_lanes(low, q, left, same, _LOW))
        over, under = excess(value, upper), excess(lower, value)
        most_over = larger_lanes(most_over, over)
        most_under = larger_lanes(most_under, under)
        over_sums = added_lanes(over_sums, over)
        under_sums = added_lanes(under_sums, under)
        pixel = load_lanes(image, pixels + i, left, same, IMAGE)
        before_sums = added_lanes(before_sums, pixel)
        after_sums = added_lanes(after_sums, value)
    found[0] = max(found[0], largest_lane(most_over))
    found[1] = max(found[1], largest_lane(most_under))
    found[2] += lanes_total(over_sums)
    found[3] += lanes_total(under_sums)
    found[4] += lanes_total(after_sums) - lanes_total(before_sums)
    found[5] += count
    lowest, highest = same_lanes(image, bounds[0]), same_lanes(image, bounds[1])
    return some_outside(least, lowest, highest) or some_outside(most, lowest, highest)


@summing
def _add_floats(
    image,
    pixels,
    result,
    to,
    low,
    high,
    x,
    step,
    count,
    found,
    finish,
    over,
    under,
):
    """Add up a run of floats; return whether some may have been cut off.

    over, under : the largest so far in each column: the largest of a whole row is not
                  found by vectors
    """
    over_sum, under_sum, change_sum, counted = 0.0, 0.0, 0.0, _f(0)
    at_limits = _f(0)
    for i in range(count):
        after = load(result, to + i, RESULT)
        # Where image or result is not finite, neither is their difference.
        change = after - load(image, pixels + i, IMAGE)
        counts = change - change == 0
        p = x + i
        sides = max(load(high, p, _HIGH), load(high, p + 2 * step, _HIGH))
        more = after - max(sides, load(high, p + step, _HIGH))
        sides = min(load(low, p, _LOW), load(low, p + 2 * step, _LOW))
        less = min(sides, load(low, p + step, _LOW)) - after
        more = max(more, _f(0)) if counts else _f(0)
        less = max(less, _f(0)) if counts else _f(0)
        store(over, i, max(load(over, i, _OVER), more), _OVER)
        store(under, i, max(load(under, i, _UNDER), less), _UNDER)
        over_sum += np.float64(more)
        under_sum += np.float64(less)
        change_sum += np.float64(change if counts else _f(0))
        counted += _f(counts)
        at_limits += _f((after <= finish[3]) | (after >= finish[4]))
    found[2] += over_sum
    found[3] += under_sum
    found[4] += change_sum
    found[5] += counted
    return at_limits > 0


@kernel
def _count_clipped(
    image, pixels, edges, to, begin, count, channels, inner, finish, clipped
):
    """Count the results of a run that were cut off."""
    below, above = np.int32(0), np.int32(0)
    for i in range(count):
        shown = _shown(image, edges, pixels + i, to + i, finish)
        below += np.int32(_is_below(shown, finish))
        above += np.int32(_is_above(shown, finish))
    if channels == 1 or below + above == 0:
        clipped[0, 0] += below
        clipped[1, 0] += above
        return
    for i in range(count):
        shown = _shown(image, edges, pixels + i, to + i, finish)
        channel = (begin + i) // inner % channels
        clipped[0, channel] += _is_below(shown, finish)
        clipped[1, channel] += _is_above(shown, finish)


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
