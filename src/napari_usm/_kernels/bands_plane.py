"""Three weighted bands in one pass over a plane: blurs, weights, combine, limits, cast.

Four rows at a time go from blur to blur: each has a ring of as many rows as the next
one needs, and as the sum of the bands does, which comes last. Rows are kept with their
borders along the columns. Above the first row and below the last most borders see to
themselves: the blur of a mirrored image is the mirrored blur. Only where a border
repeats a row or is constant, what comes out of a blur there is put right.

Impulses are replaced as rows come in: the rows of the image around them are at hand.
The floor of a row is that of the rows that come later too, so with it the last steps
wait longer.
"""

import numpy as np
from numba import literally

from napari_usm._kernels.bands import variance_of
from napari_usm._kernels.buffers import buffer, fill_borders, padded, set_outside
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_row, unpacked
from napari_usm._kernels.floor_plane import (
    GROUPS,
    REACH,
    floors_down,
    ground_across,
    group_floor,
)
from napari_usm._kernels.impulses import clean_rows, quick_noise
from napari_usm._kernels.memory import DETAIL, IMAGE, LINES, RING, load, store
from napari_usm._kernels.sweeps import ROWS, across_blurred, rows_blurred
from napari_usm._kernels.vector_sums import columns_sum
from napari_usm._kernels.vector_tables import interpolated
from napari_usm._kernels.vectors import (
    LANES,
    broadcast,
    larger,
    load_vector,
    smaller,
    store_vector,
)

_f = np.float32


@kernel
def sharpen_bands(
    image,
    source,
    rows,
    columns,
    ends,
    outside,
    taps,
    core,
    noise,
    impulses,
    ground,
    weights,
    units,
    result,
    edges,
    target,
    numbers,
):
    """Sharpen one plane; whether all pixels that were met are finite.

    If not, what has been written is of no use.

    image   : (n,); pixel c of row r is at ``start + r * stride + c * step``
    source  : start, stride, step
    rows    : where the row at each place is taken from, from as many places before the
              first row of the core on as all blurs reach together; -1 for `outside`
    columns : (count + 2 * margin,), likewise for each column, from -margin on
    ends    : place in `rows` of the first row, and of the one beyond the last, where
              what was blurred is to be put right there; else beyond all places
    outside : float32, in the unit of the blurs
    taps    : those of the narrow blur down and across, of the wide one, and of the
              local mean: (1 + radius,), float32, each radius a multiple of `ROWS`, the
              mean's the least, and that of the wide one across is the margin, or
              `REACH` if that is more and there is a ground
    core    : first and last + 1 row, first and last + 1 column to compute
    noise   : see `variance_of`
    impulses: rows of the image, 0 if impulses are taken as they are; noise of the
              pixels around them; share of what is taken from them that is detail
    ground  : share of what is below the ground that is lifted, 0 for none, below 0 if
              the ground is bright and nothing above it; and its height above the floor,
              or below the ceiling, in standard deviations of the noise
    weights, units : see `bands.weigh_row`
    result, edges, numbers : as for `mask.sharpen_planes`
    target  : row r of the core goes to ``target[0] + r * target[1]``
    """
    start, stride, step = source
    narrow_down, narrow_across, wide_down, wide_across, mean_down, mean_across = taps
    first, last, left, right = core
    finish = unpacked(numbers)
    near, far = narrow_down.size // ROWS, wide_down.size // ROWS
    length, own_noise, correction = impulses
    share, rise = ground
    lifts, cleans = share != 0, length > 0
    upside = _f(-1) if share < 0 else _f(1)
    # Groups that the third blur waits for behind the second.
    wait = max(far, GROUPS - 1) if lifts else far
    margin = max(wide_across.size - 1, REACH if lifts else 0)
    before = 2 * near + wait + 1
    wide = padded(columns.size * step, 4)
    four = ROWS * wide
    pixels = _ring((before if cleans else 2 * near) * four + four)
    once = _ring((max(2 * near, near + wait + 1) + 1) * four)
    twice = _ring((wait + max(far, GROUPS + 1 if lifts else 0) + 1) * four)
    rest, sizes = _ring(2 * four), _ring(3 * four)
    grows = noise[1] > 0
    noises = _ring(3 * four if grows else 0)
    # Before and behind blurred rows a vector may be read.
    down = buffer(four + 2 * LANES, _f)
    louder = buffer(four + 2 * LANES if grows else 0, _f)
    row = buffer(wide, _f)
    # Rows of the pixels that have impulses, and raised floors.
    cleaned = np.zeros(pixels.size // wide, np.bool_)
    quick = quick_noise(own_noise)
    spare = wide + 2 * LANES if lifts else 0
    floors = _ring((wait + GROUPS + 1) * wide if lifts else 0)
    lines = buffer(3 * wide + spare if lifts else 0, _f)
    fours, sixteens, raised = buffer(spare, _f), buffer(spare, _f), buffer(spare, _f)
    table = _table(weights[0])
    level = buffer(wide if grows else 1, _f)
    level[0] = variance_of(outside, noise)
    frame = wide, margin, step, columns, ends, outside
    at, inside = (margin + left) * step, (right - left) * step
    for coming in range(2 * before + (last - first + ROWS - 1) // ROWS):
        if not _take(pixels, coming, image, source, rows, units[0], frame):
            return False
        if cleans:
            noises_of = own_noise, quick
            _clean(
                pixels,
                cleaned,
                coming,
                image,
                source,
                rows,
                length,
                units[0],
                noises_of,
                frame,
            )
        group = coming - near
        if group < near:
            continue
        _blur(once, pixels, group, narrow_down, narrow_across, down, row, frame)
        group -= near
        if group < 2 * near:
            continue
        _blur(twice, once, group, narrow_down, narrow_across, down, row, frame)
        if lifts:
            group_floor(floors, twice, group, upside, frame)
        group -= wait
        if group < 2 * near + wait:
            continue
        _blur(rest, twice, group, wide_down, wide_across, down, row, frame)
        _third_band(sizes, twice, rest, group, frame)
        if grows:
            _noise(noises, once, group, noise, frame)
        group -= 1
        if group < before:
            continue
        _rows_around(down, sizes, group, mean_down, frame, _f(0))
        if grows:
            constant = variance_of(outside, noise)
            _rows_around(louder, noises, group, mean_down, frame, constant)
        if lifts:
            floors_down(lines, floors, twice, group, upside, frame)
        top = first + (group - before) * ROWS
        for r in range(min(ROWS, last - top)):
            here = LANES + r * wide + at
            across_blurred(row, down, here, step, mean_across, inside)
            if grows:
                across_blurred(level, louder, here, step, mean_across, inside)
            place = (group * ROWS + r) * wide
            own = start + (top + r) * stride + left * step
            if lifts:
                begin = r * wide + at
                ground_across(
                    raised,
                    lines,
                    begin,
                    step,
                    fours,
                    sixteens,
                    rise,
                    upside,
                    noise,
                    inside,
                )
            _weigh(
                image,
                own,
                pixels,
                place % pixels.size + at,
                cleaned[place // wide % cleaned.size],
                correction,
                once,
                place % once.size + at,
                twice,
                place % twice.size + at,
                rest,
                place % rest.size + at,
                row,
                level,
                raised,
                share,
                table,
                weights,
                units,
                inside,
            )
            to = target[0] + (top + r - first) * target[1]
            finish_row(image, own, row, 0, inside, result, edges, to, finish)
    return True


@kernel
def _ring(count):
    """Rows to come: what they hold until then meets taps of zero, so it is finite."""
    ring = buffer(count, _f)
    ring[:] = _f(0)
    return ring


@kernel
def _take(ring, group, image, source, rows, scale, frame):
    """Four rows of the image with their borders; whether they, and sums, are finite."""
    start, stride, step = source
    wide, margin, _, columns, _, outside = frame
    finite = True
    for r in range(ROWS):
        place = group * ROWS + r
        at = place * wide % ring.size
        # Rows beyond the last that is needed only meet taps of zero.
        taken = rows[min(place, rows.size - 1)]
        if taken < 0:
            ring[at : at + wide] = outside
            continue
        begin, here = at + margin * step, start + taken * stride
        for x in range((columns.size - 2 * margin) * step):
            pixel = load(image, here + x, IMAGE)
            several = image.dtype.type(4) * pixel
            finite &= several - several == 0
            store(ring, begin + x, _f(pixel) * scale, RING)
        fill_borders(ring, at, columns, margin, step, outside)
    return finite


@kernel
def _clean(ring, cleaned, group, image, source, rows, length, scale, noises, frame):
    """Replace the impulses of four rows, and note which rows have any."""
    start, stride, step = source
    wide, margin, _, columns, _, outside = frame
    starts, places = np.empty((ROWS, 3), np.int64), np.empty(ROWS, np.int64)
    for r in range(ROWS):
        place = group * ROWS + r
        places[r] = place * wide % ring.size + margin * step
        # Rows beyond the border are those next to it here, and then as they were.
        taken = max(rows[min(place, rows.size - 1)], 0)
        above = taken - 1 if taken > 0 else 1
        below = taken + 1 if taken + 1 < length else length - 2
        starts[r, 0] = start + above * stride
        starts[r, 1] = start + taken * stride
        starts[r, 2] = start + below * stride
    first = group * ROWS % cleaned.size
    found = cleaned[first : first + ROWS]
    count = columns.size - 2 * margin
    clean_rows(ring, places, image, starts, count, step, scale, noises, found)
    for r in range(ROWS):
        at = places[r] - margin * step
        if rows[min(group * ROWS + r, rows.size - 1)] < 0:
            ring[at : at + wide] = outside
        elif found[r]:
            fill_borders(ring, at, columns, margin, step, outside)


@kernel
def _blur(out, ring, group, down_taps, across_taps, down, row, frame):
    """Four rows of a ring to the next, blurred down and across, with their borders."""
    wide, margin, step, columns, _, outside = frame
    four = ROWS * wide
    _rows_around(down, ring, group, down_taps, frame, outside)
    count = (columns.size - 2 * margin) * step
    begin, at = margin * step, group * four % out.size
    size = across_taps.size
    if step == 1 and count >= LANES and size == 5:
        _across(out, at + begin, down, begin, wide, across_taps, count, 4)
    elif step == 1 and count >= LANES and size == 9:
        _across(out, at + begin, down, begin, wide, across_taps, count, 8)
    elif step == 1 and count >= LANES and size == 17:
        _across(out, at + begin, down, begin, wide, across_taps, count, 16)
    else:
        for r in range(ROWS):
            here = LANES + r * wide + begin
            across_blurred(row, down, here, step, across_taps, count)
            for x in range(count):
                store(out, at + r * wide + begin + x, load(row, x, DETAIL), RING)
    for r in range(ROWS):
        fill_borders(out, at + r * wide, columns, margin, step, outside)
    _put_right(out, group, frame, outside)


@kernel
def _across(out, to, down, begin, wide, taps, count, pairs):
    """Four rows that are blurred down, blurred across."""
    pairs = literally(pairs)
    for r in range(ROWS):
        here, there = LANES + r * wide + begin, to + r * wide
        for place in range(0, count, LANES):
            # The last vector ends with the row.
            x = min(place, count - LANES)
            term = columns_sum(down, here + x, 1, taps, pairs, LINES)
            store_vector(out, there + x, term, LANES, RING)


@kernel
def _table(weights):
    """Rows of eight for `interpolated`."""
    rows = weights.size // 6
    table = np.zeros(rows * 8, np.float32)
    for row in range(rows):
        for k in range(6):
            table[row * 8 + k] = weights[row * 6 + k]
    return table


@kernel
def _weigh(
    image,
    own,
    pixels,
    a0,
    is_cleaned,
    correction,
    once,
    a1,
    twice,
    a2,
    rest,
    a3,
    row,
    noise,
    ground,
    share,
    table,
    weights,
    units,
    count,
):
    """Do the steps of `bands.weigh_row`, in vectors, and lift the sum to the ground.

    Of an impulse a share of what it differs from its neighbours is added.
    """
    scales, unit = broadcast(units[0]), broadcast(units[1])
    _, ends, factor, (_, _, first) = weights
    factors, one = broadcast(factor), broadcast(_f(1))
    least, most = broadcast(ends[0]), broadcast(ends[1])
    rows = table.size // 8
    everywhere = noise.size == 1
    level = broadcast(noise[0])
    upsides = broadcast(_f(-1) if share < 0 else _f(1))
    corrections, shares, zero = (
        broadcast(correction),
        broadcast(share),
        broadcast(_f(0)),
    )
    for x in range(0, count, LANES):
        if not everywhere:
            level = load_vector(noise, x, LANES, DETAIL)
        size = load_vector(row, x, LANES, DETAIL) * factors
        ratio = size * size / level - one
        # Nothing at all, NaN, counts as little.
        ratio = smaller(most, larger(least, ratio))
        w1, w2, w3 = interpolated(table, ratio, first, rows)
        pixel = load_vector(image, own + x, count - x, IMAGE) * scales
        clean = pixel
        if is_cleaned:
            clean = load_vector(pixels, a0 + x, LANES, RING)
        inner = load_vector(once, a1 + x, LANES, RING)
        outer = load_vector(twice, a2 + x, LANES, RING)
        far = load_vector(rest, a3 + x, LANES, RING)
        total = (clean - inner) * w1 + (inner - outer) * w2 + (outer - far) * w3
        if share != 0:
            below = load_vector(ground, x, LANES, DETAIL) - upsides * (clean + total)
            total = total + shares * larger(below, zero)
        if is_cleaned:
            total = total + corrections * (clean - pixel)
        store_vector(row, x, total * unit, LANES, DETAIL)


@kernel
def _rows_around(down, ring, group, taps, frame, outside):
    """Four rows of a ring, blurred down."""
    wide, _, step, columns, _, _ = frame
    reach = taps.size - 1
    near = np.empty(2 * reach + ROWS, np.int64)
    for k in range(near.size):
        near[k] = (group * ROWS - reach + k) * wide % ring.size
    count = columns.size * step
    rows_blurred(down, LANES, wide, ring, near, taps, count, ROWS, RING, LINES)
    if columns[0] < 0:
        for r in range(ROWS):
            set_outside(down, LANES + r * wide, columns, step, outside)


@kernel
def _third_band(sizes, twice, rest, group, frame):
    """Return how large the third band is, for four rows."""
    for r in range(ROWS):
        place = (group * ROWS + r) * frame[0]
        a, b, to = place % twice.size, place % rest.size, place % sizes.size
        for x in range(frame[0]):
            band = load(twice, a + x, RING) - load(rest, b + x, RING)
            store(sizes, to + x, abs(band), RING)
    _put_right(sizes, group, frame, _f(0))


@kernel
def _noise(noises, once, group, noise, frame):
    """The variance of the noise, for four rows."""
    for r in range(ROWS):
        place = (group * ROWS + r) * frame[0]
        a, to = place % once.size, place % noises.size
        for x in range(frame[0]):
            variance = variance_of(load(once, a + x, RING), noise)
            store(noises, to + x, variance, RING)
    _put_right(noises, group, frame, variance_of(frame[5], noise))


@kernel
def _put_right(ring, group, frame, outside):
    """Mend four rows beyond the first row and the last."""
    wide, _, _, columns, ends, _ = frame
    begin, end = ends
    for place in range(group * ROWS, (group + 1) * ROWS):
        at = place * wide % ring.size
        if columns[0] < 0:
            if place < begin or place >= end:
                ring[at : at + wide] = outside
        elif place >= end:
            before = (place - 1) * wide % ring.size
            ring[at : at + wide] = ring[before : before + wide]
        elif place == begin:
            oldest = (group + 1) * ROWS - ring.size // wide
            for other in range(max(0, oldest), begin):
                to = other * wide % ring.size
                ring[to : to + wide] = ring[at : at + wide]
