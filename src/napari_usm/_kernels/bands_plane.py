"""Three weighted bands in one pass over a plane: blurs, weights, combine, limits, cast.

Four rows at a time go from blur to blur: each has a ring of as many rows as the next
one needs, and as the sum of the bands does, which comes last. Rows are kept with their
borders along the columns. Above the first row and below the last most borders see to
themselves: the blur of a mirrored image is the mirrored blur. Only where a border
repeats a row or is constant, what comes out of a blur there is put right.
"""

import numpy as np

from napari_usm._kernels.bands import variance_of, weigh_row
from napari_usm._kernels.buffers import buffer, fill_borders, padded, set_outside
from napari_usm._kernels.compiled import kernel
from napari_usm._kernels.finish import finish_row
from napari_usm._kernels.memory import DETAIL, IMAGE, LINES, RING, load, store
from napari_usm._kernels.sweeps import ROWS, across_blurred, rows_blurred

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
    weights,
    units,
    result,
    edges,
    target,
    finish,
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
              mean's the least, and that of the wide one across is the margin
    core    : first and last + 1 row, first and last + 1 column to compute
    noise   : see `variance_of`
    weights, units : see `weigh_row`
    result, edges, finish : as for `mask.sharpen_planes`
    target  : row r of the core goes to ``target[0] + r * target[1]``
    """
    start, stride, step = source
    narrow_down, narrow_across, wide_down, wide_across, mean_down, mean_across = taps
    first, last, left, right = core
    near, far = narrow_down.size // ROWS, wide_down.size // ROWS
    margin = wide_across.size - 1
    wide = padded(columns.size * step, 4)
    four = ROWS * wide
    pixels = _ring((2 * near + 1) * four)
    once = _ring((max(2 * near, near + far + 1) + 1) * four)
    twice = _ring((2 * far + 1) * four)
    rest, sizes = _ring(2 * four), _ring(3 * four)
    grows = noise[1] > 0
    noises = _ring(3 * four if grows else 0)
    down, louder = buffer(four, _f), buffer(four if grows else 0, _f)
    row, ratios = buffer(wide, _f), buffer(wide, _f)
    level = buffer(wide if grows else 1, _f)
    level[0] = variance_of(outside, noise)
    frame = wide, margin, step, columns, ends, outside
    before = 2 * near + far + 1
    at, inside = (margin + left) * step, (right - left) * step
    for coming in range(2 * before + (last - first + ROWS - 1) // ROWS):
        if not _take(pixels, coming, image, source, rows, units[0], frame):
            return False
        group = coming - near
        if group < near:
            continue
        _blur(once, pixels, group, narrow_down, narrow_across, down, row, frame)
        group -= near
        if group < 2 * near:
            continue
        _blur(twice, once, group, narrow_down, narrow_across, down, row, frame)
        group -= far
        if group < 2 * near + far:
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
        top = first + (group - before) * ROWS
        for r in range(min(ROWS, last - top)):
            across_blurred(row, down, r * wide + at, step, mean_across, inside)
            if grows:
                across_blurred(level, louder, r * wide + at, step, mean_across, inside)
            place = (group * ROWS + r) * wide
            own = start + (top + r) * stride + left * step
            starts = (
                own,
                place % once.size + at,
                place % twice.size + at,
                place % rest.size + at,
            )
            images = image, once, twice, rest
            weigh_row(images, starts, units, row, level, ratios, weights, inside)
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
def _blur(out, ring, group, down_taps, across_taps, down, row, frame):
    """Four rows of a ring to the next, blurred down and across, with their borders."""
    wide, margin, step, columns, _, outside = frame
    _rows_around(down, ring, group, down_taps, frame, outside)
    count = (columns.size - 2 * margin) * step
    for r in range(ROWS):
        across_blurred(row, down, r * wide + margin * step, step, across_taps, count)
        at = (group * ROWS + r) * wide % out.size
        for x in range(count):
            store(out, at + margin * step + x, load(row, x, DETAIL), RING)
        fill_borders(out, at, columns, margin, step, outside)
    _put_right(out, group, frame, outside)


@kernel
def _rows_around(down, ring, group, taps, frame, outside):
    """Four rows of a ring, blurred down."""
    wide, _, step, columns, _, _ = frame
    reach = taps.size - 1
    near = np.empty(2 * reach + ROWS, np.int64)
    for k in range(near.size):
        near[k] = (group * ROWS - reach + k) * wide % ring.size
    count = columns.size * step
    rows_blurred(down, 0, wide, ring, near, taps, count, ROWS, RING, LINES)
    if columns[0] < 0:
        for r in range(ROWS):
            set_outside(down, r * wide, columns, step, outside)


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
