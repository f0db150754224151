"""Statistics of a window: spectrum, noise by intensity, and its usability."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_usm._estimate.windows import cut_windows, layouts
from napari_usm._filters.blur import blur
from napari_usm._filters.impulses import without_impulses
from napari_usm._filters.local_floor import local_floor
from napari_usm._filters.taps import AxisBlur, gaussian_taps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_usm._estimate.windows import Floats, Layout, Slices
    from napari_usm._filters.dtypes import Array

# Spectra are known at multiples of 1 / 64 cycles per pixel, whatever the window.
_STEPS = 64
FREQUENCIES = np.arange(_STEPS // 2 + 1) / _STEPS

# Frequencies of this length in the plane hold little of an image but its noise; along
# a line there are none above 1/2.
CORNER = {2: 0.55, 1: 0.4}

# Pixels along each side of what the noise is compared with the intensity in.
_CELL = 8
CELLS = (_STEPS // _CELL) ** 2

# What takes the noise off a window before its floor is looked for.
_FINE = AxisBlur(gaussian_taps(1.0, 4))

# What a row begins with.
_HEAD = 14


class Rows(NamedTuple):
    """Statistics of windows, a row for each; further values along the last axis.

    Attributes
    ----------
    used : array
        1 for a window that there is.
    first, second : array
        The axes that it lies along; -1 for a second that is not there.
    whole : array
        Whether its values are whole numbers.
    mean, low, high : array
        Mean, smallest and largest value.
    at_low, at_high, valid : array
        Share of the pixels that are as low, as high, and that are valid at all.
    height, depth : array
        Mean distance of the slightly blurred pixels from the lowest of those around,
        and of the highest from the lowest; NaN along a line.
    contrast : array
        Variance of the pixels.
    corner : array
        Root of the power in the corner of the spectrum.
    rings : array
        Root of the power at each length of a frequency, in steps of 1 / 64.
    down, across : array
        The same along each of the two axes, over all frequencies of the other.
    cell_noise, cell_mean : array
        Noise and mean of the cells; NaN where a smaller window has none.
    """

    used: Floats
    first: Floats
    second: Floats
    whole: Floats
    mean: Floats
    low: Floats
    high: Floats
    at_low: Floats
    at_high: Floats
    valid: Floats
    height: Floats
    depth: Floats
    contrast: Floats
    corner: Floats
    rings: Floats
    down: Floats
    across: Floats
    cell_noise: Floats
    cell_mean: Floats


def rows_of(sums: Floats) -> Rows:
    """The columns of rows of numbers by name."""
    ends = np.cumsum([_HEAD, RING_COUNTS.size, *[FREQUENCIES.size] * 2, *[CELLS] * 2])
    head, *rest = np.split(sums, ends[:-1], axis=-1)
    return Rows(*np.moveaxis(head, -1, 0), *rest)


def those(rows: Rows, which: NDArray[np.bool_]) -> Rows:
    """Some of the windows."""
    return Rows(*(each[which] for each in rows))


def window_rows(
    block: Array,
    axes: Sequence[int],
    kept: Sequence[int],
    core: Slices,
    begins: Sequence[int],
    lengths: Sequence[int],
    weight: Array | None = None,
    clean: bool = True,
) -> Floats | None:
    """Rows of the windows that begin in the core of a block, among those of all.

    Parameters
    ----------
    block : array
        Block with as many neighbours as a window is long.
    axes, kept : sequence of int
        Filtered axes, and those of which every index has windows of its own.
    core : tuple of slice
        The block's own pixels in it.
    begins : sequence of int
        Where the core begins in the image.
    lengths : sequence of int
        Shape of the image.
    weight : array, optional
        Weight of each pixel, of a shape that broadcasts; those of weight 0 are invalid.
    clean : bool
        Whether impulses are replaced first.

    Returns
    -------
    array or None
        Length 1 along every axis that is not kept, then a row for each window of the
        image, 0 for those of other blocks. None if no window begins here.
    """
    ordered = tuple(sorted(axes))
    placed = layouts(ordered, tuple(sorted(kept)), tuple(lengths))
    ends = [b + s.stop - s.start for b, s in zip(begins, core, strict=True)]
    counts = [layout.count(kept) for layout in placed]
    items = [core[axis].stop - core[axis].start for axis in kept]
    total = np.zeros((*items, sum(counts), _WIDTH))
    # Without any windows at all, the rows say so.
    any_here = not placed
    for layout, before in zip(placed, np.cumsum([0, *counts]), strict=False):
        here = list(layout.inside(begins, ends, kept))
        if not here:
            continue
        any_here = True
        corners = [
            [at - b + s.start for at, b, s in zip(first, begins, core, strict=True)]
            for first, _, _ in here
        ]
        windows = valid_windows(block, layout, corners, weight)
        found = _look_at(windows, layout, block.dtype.kind in "iu", clean)
        for (_, item, row), numbers in zip(here, found, strict=True):
            total[(*item, before + row)] = numbers
    if not any_here:
        return None
    shape = [items[kept.index(a)] if a in kept else 1 for a in range(len(lengths))]
    return total.reshape(*shape, sum(counts), _WIDTH)


def valid_windows(
    block: Array,
    layout: Layout,
    corners: Sequence[Sequence[int]],
    weight: Array | None,
) -> Floats:
    """Return windows of a block, NaN where a pixel is invalid or of weight 0."""
    windows = cut_windows(block, layout, corners)
    if weight is not None:
        seen = np.broadcast_to(weight > 0, block.shape)
        windows[cut_windows(seen, layout, corners) == 0] = np.nan
    return windows


class Scaled(NamedTuple):
    """Windows divided by a power of 2 each.

    Attributes
    ----------
    values : (windows, height, width) array
        What is not known is the middle of what is.
    size : (windows,) array
        The powers of 2.
    low, high : (windows,) array
        Range of their valid pixels.
    valid : (windows, pixels) array
        Which pixels are valid.
    cells : tuple of array, optional
        Noise and means of the cells, where they are known, as `_cells` has them.
    """

    values: Floats
    size: Floats
    low: Floats
    high: Floats
    valid: NDArray[np.bool_]
    cells: tuple[Floats, Floats] | None


def scaled(windows: Floats, whole: bool, clean: bool) -> Scaled:
    """Return windows of moderate size, without impulses if they are to be `clean`."""
    flat = windows.reshape(len(windows), -1)
    valid = np.isfinite(flat)
    low, high = _range(flat, valid)
    # By a power of 2: squares are finite then, and no bit is lost.
    size = _power_of_two(np.maximum(np.abs(low), np.abs(high)))
    known = np.where(valid, flat, (low / 2 + high / 2)[:, np.newaxis])
    values = (known / size[:, np.newaxis]).reshape(windows.shape)
    cells = None
    if clean and min(windows.shape[1:]) > 1:
        cells = _cells(values - _each(_mean(values)))
        noise = np.median(cells[0], axis=1)
        noises = np.zeros((len(windows), 4))
        noises[:, 0] = np.maximum(noise, whole / size) ** 2
        cleaned = without_impulses(values, (1, 2), noises)
        if cleaned is not values:
            changed = np.any(cleaned != values, axis=(1, 2))
            values = cleaned
            again = _cells((values - _each(_mean(values)))[changed])
            for known_cells, new_cells in zip(cells, again, strict=True):
                known_cells[changed] = new_cells
            low, high = _range((values * _each(size)).reshape(flat.shape), valid)
    return Scaled(values, size, low, high, valid, cells)


def _range(flat: Floats, valid: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the smallest and the largest valid value of each window, 0 for none."""
    low = np.min(flat, axis=1, where=valid, initial=np.inf)
    high = np.max(flat, axis=1, where=valid, initial=-np.inf)
    some = valid.any(axis=1)
    return np.where(some, low, 0.0), np.where(some, high, 0.0)


def _look_at(windows: Floats, layout: Layout, whole: bool, clean: bool) -> Floats:
    """Return a row for each window."""
    plane = len(layout.along) == 2
    values, size, low, high, valid, cells = scaled(windows, whole, clean)
    pixels = (values * _each(size)).reshape(valid.shape)
    mean = _mean(values)
    values = values - _each(mean)
    row = np.full((len(windows), _WIDTH), np.nan)
    held = np.maximum(valid.sum(axis=1), 1)
    head = [
        1,
        layout.along[0],
        layout.along[1] if plane else -1,
        whole,
        mean * size,
        low,
        high,
        np.sum(valid & (pixels == low[:, np.newaxis]), axis=1) / held,
        np.sum(valid & (pixels == high[:, np.newaxis]), axis=1) / held,
        valid.mean(axis=1),
    ]
    if plane and clean:
        height, depth = _heights(values)
        head += [height * size, depth * size, _mean(values * values) * size**2]
    for column, numbers in enumerate(head):
        row[:, column] = numbers
    many = _averages(_power(values), plane)
    if plane:
        noise, means = cells or _cells(values)
        many += [noise, means + mean[:, np.newaxis]]
    for each, at in zip(many, _places(plane), strict=True):
        row[:, at : at + each.shape[1]] = each * size[:, np.newaxis]
    return row


def _heights(values: Floats) -> tuple[Floats, Floats]:
    """Return the mean height above the local floor, and that of the local ceiling."""
    fine, floor = fine_and_floor(values)
    ceiling = -local_floor(-fine, (1, 2))
    return _mean(fine - floor), _mean(ceiling - floor)


def fine_and_floor(values: Floats) -> tuple[Array, Array]:
    """Return slightly blurred windows, and their local floor; float32."""
    fine = blur(values.astype(np.float32), dict.fromkeys((1, 2), _FINE), "mirror", 0.0)
    return fine, local_floor(fine, (1, 2))


def _each(numbers: Floats) -> Floats:
    """Return a number for each window, to go with their pixels."""
    return numbers[:, np.newaxis, np.newaxis]


def _places(plane: bool) -> list[int]:
    """Columns that the numbers of a window begin at, after those of `_HEAD`."""
    begins = np.cumsum([_HEAD, RING_COUNTS.size, *[FREQUENCIES.size] * 2, CELLS])
    return [_HEAD - 1, *begins.tolist()] if plane else [_HEAD - 1, _HEAD]


def _averages(power: Floats, plane: bool) -> list[Floats]:
    """Roots of mean powers: of the corner, of the rings, and along each axis."""
    multiples = np.outer(MULTIPLES, MULTIPLES) if plane else MULTIPLES[np.newaxis]
    rings = (_PLANE if plane else _PLANE[: FREQUENCIES.size]).astype(np.int64)
    flat = (power * multiples).reshape(len(power), -1)
    counts = np.bincount(rings, multiples.ravel(), RING_COUNTS.size)
    summed = np.array([np.bincount(rings, each, RING_COUNTS.size) for each in flat])
    far = ((CORNER[2] < _LENGTH) if plane else CORNER[1] < FREQUENCIES).ravel()
    corner = flat[:, far].sum(axis=1, keepdims=True) / multiples.ravel()[far].sum()
    found = [corner, summed / np.maximum(counts, 1)]
    if plane:
        share = MULTIPLES / MULTIPLES.sum()
        found += [(power * share).sum(axis=2)]
        found += [(power * share[:, np.newaxis]).sum(axis=1)]
    return [np.sqrt(each) for each in found]


def _power(values: Floats) -> Floats:
    """Power of windows in the quadrant of frequencies, mirrored ones taken together.

    Per pixel: that of white noise is its variance.
    """
    parts, energy = [values], 1.0
    for axis in (2, 1):
        if values.shape[axis] == 1:
            continue
        cosines, sines, squares = _waves(values.shape[axis])
        energy *= squares
        parts = [
            wave
            for part in parts
            for wave in (
                _transformed(_folded(part, axis, 1), cosines, axis),
                _transformed(_folded(part, axis, -1), sines, axis),
            )
        ]
    total: Floats = sum((part * part for part in parts[1:]), parts[0] * parts[0])
    return total / energy


def _transformed(values: Floats, waves: Floats, axis: int) -> Floats:
    found: Floats = (
        np.matmul(values, waves) if axis == 2 else np.matmul(waves.T, values)
    )
    return found


def _folded(values: Floats, axis: int, sign: int) -> Floats:
    """Sum or difference of the pixels at equal distances from the middle."""
    first, last = np.split(values, 2, axis)
    return np.ascontiguousarray(first + sign * np.flip(last, axis))


def _mean(values: Floats) -> Floats:
    """Mean of each window."""
    folded = values
    for axis in (1, 2):
        if values.shape[axis] > 1:
            folded = _folded(folded, axis, 1)
    mean: Floats = folded.reshape(len(values), -1).sum(axis=1) / values[0].size
    return mean


@lru_cache(16)
def _waves(length: int) -> tuple[Floats, Floats, float]:
    """Cosines and sines around the middle under Hann's window, and its energy."""
    places = np.arange(length // 2)
    window = np.sin(np.pi * (places + 0.5) / length) ** 2
    angles = 2 * np.pi * np.outer(places - (length - 1) / 2, FREQUENCIES)
    cosines, sines = (window[:, np.newaxis] * f(angles) for f in (np.cos, np.sin))
    return cosines, sines, float(2 * np.sum(window**2))


def _cells(values: Floats) -> tuple[Floats, Floats]:
    """Noise of cells by their second differences, and their means.

    J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image
    Understanding 64(2), 1996, takes them over a whole image.
    """
    count, height, width = values.shape
    padded = np.pad(values, [(0, 0), (1, 1), (1, 1)], "reflect")
    rows = (padded[:, 2:] + padded[:, :-2]) - 2 * padded[:, 1:-1]
    mixed = (rows[:, :, 2:] + rows[:, :, :-2]) - 2 * rows[:, :, 1:-1]
    found = []
    for each in (mixed * mixed / 36, values):
        cells = each.reshape(count, height // _CELL, _CELL, width // _CELL, _CELL)
        for axis in (2, 4):
            cells = _folded(cells, axis, 1)
        cells = cells.transpose(0, 1, 3, 2, 4).reshape(count, -1, (_CELL // 2) ** 2)
        found.append(cells.sum(axis=2) / _CELL**2)
    return np.sqrt(found[0]), found[1]


def _power_of_two(values: Floats) -> Floats:
    """The power of 2 next to each value, 1 for 0."""
    power: Floats = np.ldexp(1.0, np.frexp(np.where(values > 0, values, 1))[1] - 1)
    return power


# Frequencies other than 0 and 1/2 have a mirror image.
MULTIPLES = np.where((FREQUENCIES == 0) | (FREQUENCIES == 0.5), 1.0, 2.0)
_LENGTH = np.hypot(FREQUENCIES[:, np.newaxis], FREQUENCIES)
_PLANE = np.round(_LENGTH * _STEPS).astype(np.int64).ravel()
_TOGETHER = np.outer(MULTIPLES, MULTIPLES)
RING_COUNTS: Floats = np.bincount(_PLANE, _TOGETHER.ravel()).astype(np.float64)
_SUMS = np.bincount(_PLANE, (_LENGTH * _TOGETHER).ravel())
RINGS = _SUMS / RING_COUNTS
_WIDTH = _HEAD + RING_COUNTS.size + 2 * FREQUENCIES.size + 2 * CELLS
