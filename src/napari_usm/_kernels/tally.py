"""Statistics of a plane, in one pass over image and result.

Integers are compared and added up in integers, as many at a time as a register holds.
"""

import numpy as np

from napari_usm._kernels.buffers import buffer
from napari_usm._kernels.compiled import kernel
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
from napari_usm._kernels.memory import EDGES, IMAGE, RESULT, load, prefetch, store
from napari_usm._kernels.vectors import (
    LANES,
    added_to_totals,
    broadcast,
    larger,
    largest,
    load_vector,
    no_totals,
    one_before,
    one_behind,
    smaller,
    some_at_limits,
    total_of,
    where_finite,
)

# The buffers, next to image, result and edge map: the lowest and highest of three rows,
# with borders.
_LOW, _HIGH = 2, 3

# Pixels that are counted at a time: few, as the edge map is read for all of them where
# one is at a limit, and at most 2**13, or their sums do not fit into the lanes.
_RUN = 2**11

_f = np.float32


@kernel
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
    clipped       : (2, channels) int64, added to: results below and above the limits
    found         : (6,) float64: largest over- and undershoot, added to in the
                    others: their sums, that of the change, and pixels that count
    """
    start, stride, step = source
    first, last, left, right = core
    finish = unpacked(numbers)
    wide, inside = ends[0] * step, (right - left) * step
    # Floats of columns that have another vector behind them wait in registers.
    direct = 0
    if bounds is None and step == 1:
        direct = max(min(inside, wide - left - LANES), 0) // LANES * LANES
    low, high = (
        buffer(inside - direct + 2 * step, image.dtype),
        buffer(inside - direct + 2 * step, image.dtype),
    )
    for row in range(first, last):
        here = start + row * stride
        lines = start + above[row] * stride, here, start + below[row] * stride
        rest = left * step + direct, step, ends, inside - direct
        _local_range(lowest, highest, lines, *rest, low, high)
        for begin in range(0, inside, _RUN):
            count, x = min(_RUN, inside - begin), left * step + begin
            to = target[0] + (row - first) * target[1] + begin
            # Both rows that are read for the next row of results.
            ahead = 2 * stride, target[1]
            run = image, here + x, result, to, ahead, low, high
            if bounds is not None:
                at_limits = _add_integers(*run, begin, step, count, found, bounds)
            else:
                done = max(min(direct - begin, count), 0)
                ranges = lowest, highest, lines, x, ends[1]
                place = begin + done - direct, step, done, count
                at_limits = _add_floats(*run, *ranges, *place, found, finish)
            # The edge map is read only where a result is at a limit.
            if at_limits:
                _count_clipped(
                    image,
                    here + x,
                    edges,
                    to,
                    begin,
                    count,
                    channels,
                    inner,
                    finish,
                    clipped,
                )


@kernel
def _local_range(lowest, highest, lines, x, step, ends, count, low, high):
    """Lowest and highest of three rows, for some columns and one on either side.

    lines : where the three rows begin
    x     : where the columns begin in them, `count` pixels
    """
    wide = ends[0] * step
    begin, end = max(x - step, 0), min(x + count + step, wide)
    for place in range(begin, end):
        to = place - x + step
        store(low, to, _least(lowest, lines, place), _LOW)
        store(high, to, _most(highest, lines, place), _HIGH)
    for to in range(begin - x + step):
        place = (1 + ends[1]) * step + x - step + to
        store(low, to, _least(lowest, lines, place), _LOW)
        store(high, to, _most(highest, lines, place), _HIGH)
    for to in range(end - x + step, count + 2 * step):
        place = ends[2] * step + to + x - step - wide
        store(low, to, _least(lowest, lines, place), _LOW)
        store(high, to, _most(highest, lines, place), _HIGH)


@kernel
def _least(lowest, lines, place):
    """Return the lowest of three rows at a place."""
    above, here, below = lines
    ends = min(load(lowest, above + place, IMAGE), load(lowest, below + place, IMAGE))
    return min(ends, load(lowest, here + place, IMAGE))


@kernel
def _most(highest, lines, place):
    """Return the highest of three rows at a place."""
    above, here, below = lines
    ends = max(load(highest, above + place, IMAGE), load(highest, below + place, IMAGE))
    return max(ends, load(highest, here + place, IMAGE))


@kernel
def _add_integers(
    image, pixels, result, to, ahead, low, high, x, step, count, found, bounds
):
    """Add up a run of integers; return whether some may have been cut off."""
    # The last vector is filled up by a pixel that adds nothing: it is all of them.
    same = same_lanes(image, load(result, to, RESULT))
    least, most = same, same
    most_over, most_under = no_lanes(image), no_lanes(image)
    over_sums, under_sums = no_sums(image), no_sums(image)
    before_sums, after_sums = no_sums(image), no_sums(image)
    for i in range(0, count, lanes_of(image)):
        left, p, q, r = count - i, x + i, x + i + step, x + i + 2 * step
        prefetch(image, pixels + ahead[0] + i)
        prefetch(result, to + ahead[1] + i)
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


@kernel
def _add_floats(
    image,
    pixels,
    result,
    to,
    ahead,
    low,
    high,
    lowest,
    highest,
    lines,
    x,
    border,
    place,
    step,
    done,
    count,
    found,
    finish,
):
    """Add up a run of floats; return whether some may have been cut off.

    The first `done` are taken from the image at `x`, as by `_add_neighbours`; the
    others from low and high at `place`.
    """
    nothing = broadcast(_f(0))
    extremes = broadcast(_f(np.inf)), broadcast(_f(-np.inf)), nothing, nothing
    totals, counted = (no_totals(), no_totals(), no_totals()), nothing
    if done > 0:
        rows = lowest, highest, lines, x, border, done
        extremes, totals, counted = _add_neighbours(
            image, result, to, ahead, *rows, extremes, totals, counted
        )
    for i in range(done, count, LANES):
        # The last vector is filled up by zeros, which add nothing.
        left, p = count - i, place + i - done
        q, r = p + step, p + 2 * step
        upper = larger(
            load_vector(high, p, left, _HIGH), load_vector(high, r, left, _HIGH)
        )
        upper = larger(upper, load_vector(high, q, left, _HIGH))
        lower = smaller(
            load_vector(low, p, left, _LOW), load_vector(low, r, left, _LOW)
        )
        lower = smaller(lower, load_vector(low, q, left, _LOW))
        after = load_vector(result, to + i, left, RESULT)
        before = load_vector(image, pixels + i, left, IMAGE)
        extremes, totals, counted = _noted(
            before, after, lower, upper, extremes, totals, counted
        )
    least, most, most_over, most_under = extremes
    found[0] = max(found[0], np.float64(largest(most_over)))
    found[1] = max(found[1], np.float64(largest(most_under)))
    found[2] += total_of(totals[0])
    found[3] += total_of(totals[1])
    found[4] += total_of(totals[2])
    found[5] += total_of(added_to_totals(no_totals(), counted)) - -count % LANES
    return some_at_limits(least, most, broadcast(finish[3]), broadcast(finish[4]))


@kernel
def _add_neighbours(
    image,
    result,
    to,
    ahead,
    lowest,
    highest,
    lines,
    x,
    border,
    count,
    extremes,
    totals,
    counted,
):
    """Add up whole vectors of columns next to each other, none of them the last.

    lines  : where three rows begin
    x      : the first column; `border` is the one before it if that is 0
    """
    above, here, below = lines
    others = highest.ctypes.data != lowest.ctypes.data
    nothing = broadcast(_f(0))
    place = x - 1 if x > 0 else border
    low_before = broadcast(_least(lowest, lines, place))
    high_before = broadcast(_most(highest, lines, place))
    low, high, before = low_before, high_before, nothing
    for i in range(-LANES, count, LANES):
        # Those of the next vector, for its first column is a neighbour too.
        place = x + i + LANES
        a = load_vector(lowest, above + place, LANES, IMAGE)
        b = load_vector(lowest, here + place, LANES, IMAGE)
        c = load_vector(lowest, below + place, LANES, IMAGE)
        pixels = b
        low_after = smaller(smaller(a, c), b)
        if others:
            pixels = load_vector(image, here + place, LANES, IMAGE)
            a = load_vector(highest, above + place, LANES, IMAGE)
            b = load_vector(highest, here + place, LANES, IMAGE)
            c = load_vector(highest, below + place, LANES, IMAGE)
        high_after = larger(larger(a, c), b)
        if i >= 0:
            prefetch(image, here + ahead[0] + x + i)
            prefetch(result, to + ahead[1] + i)
            lower = smaller(one_before(low_before, low), one_behind(low, low_after))
            upper = larger(one_before(high_before, high), one_behind(high, high_after))
            lower, upper = smaller(lower, low), larger(upper, high)
            after = load_vector(result, to + i, LANES, RESULT)
            extremes, totals, counted = _noted(
                before, after, lower, upper, extremes, totals, counted
            )
            low_before, high_before = low, high
        low, high, before = low_after, high_after, pixels
    return extremes, totals, counted


@kernel
def _noted(before, after, lower, upper, extremes, totals, counted):
    """Return all that is added up, with one vector more."""
    nothing, one = broadcast(_f(0)), broadcast(_f(1))
    change = after - before
    # Where image or result is not finite, neither is their difference.
    over = where_finite(change, larger(nothing, after - upper))
    under = where_finite(change, larger(nothing, lower - after))
    extremes = (
        smaller(extremes[0], after),
        larger(extremes[1], after),
        larger(extremes[2], over),
        larger(extremes[3], under),
    )
    totals = (
        added_to_totals(totals[0], over),
        added_to_totals(totals[1], under),
        added_to_totals(totals[2], where_finite(change, change)),
    )
    return extremes, totals, counted + where_finite(change, one)


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
