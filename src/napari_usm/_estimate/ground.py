"""The ground of a specimen, and the blur of what stands on it.

Nothing glows less than the dark ground around it. So the blur is the largest that can
be undone before the image falls below its local floor. In bright field nothing is
brighter than the ground: all is the other way round.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_usm._estimate.spectrum import fine_and_floor, scaled, those, valid_windows
from napari_usm._estimate.windows import layouts, long_axes
from napari_usm._filters.bands import weighted_bands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._estimate.spectrum import Rows
    from napari_usm._estimate.spectrum_fit import Fit
    from napari_usm._estimate.windows import Floats, Layout
    from napari_usm._filters.bands import Bands
    from napari_usm._filters.dtypes import Array

# Height of the pixels between their local floor and ceiling, as a share, below which
# all is a specimen on dark ground, and above which nothing is; and likewise above and
# below which it is one on bright ground. Photographs have .41 to .60, fluorescent
# specimens .07 to .40, absorbing ones .60 to .90.
_DARK = 0.385, 0.41
_BRIGHT = 0.63, 0.605

# Blurs that are tried, after one that is undone by no harm.
_FIRST = 0.3
CANDIDATES = 0.5, 0.75, 1.1, 1.5, 2.1, 2.9

# Blur by the floor where none of them falls below it.
WIDEST_BY_FLOOR = CANDIDATES[-1]

# Windows that they are tried on, and how far their pixels may fall below the floor, as
# a share of their detail.
TILES = 36
_FALL = 0.16

# Weight of the blur by the floor against that of the spectrum, unless the spectrum is
# clear of noise up to a frequency between these.
_WEIGHT = 0.8
_CLEAR_UP_TO = 0.35, 0.45

# Ratio of the blur by the floor to that by the spectrum, below which it is no lens's,
# and from which on it is: a lens takes more from the middle frequencies.
_LENS = 0.75, 1.15
_SHARPEST = 0.05

# Blur along Z, by the ratio that the other axes' is changed by.
_LEAST_CHANGE, _LARGEST_CHANGE = 0.5, 2.0


def ground_of(rows: Rows) -> float:
    """Return how far an image is a specimen: 1 on dark ground, -1 on bright ground."""
    rows = those(rows, np.isfinite(rows.depth))
    depth = float(np.sort(rows.depth).sum())
    if not depth > 0:
        return 0.0
    share = float(np.sort(rows.height).sum()) / depth
    dark, bright = (
        float(np.clip((none - share) / (none - all_), 0, 1))
        for all_, none in (_DARK, _BRIGHT)
    )
    return dark - bright


class Tile(NamedTuple):
    """A window that candidates are tried on: its row among all, and its rank."""

    row: int
    rank: int


@lru_cache(16)
def plane_layout(
    axes: tuple[int, ...], kept: tuple[int, ...], lengths: tuple[int, ...]
) -> tuple[Layout | None, int]:
    """Return the windows along the last two axes, and how many are before them."""
    placed = layouts(axes, kept, lengths)
    if len(long_axes(axes, lengths)) < 2:
        return None, 0
    return placed[-1], sum(layout.count(kept) for layout in placed[:-1])


def tiles_of(rows: Rows, layout: Layout, kept: Sequence[int]) -> list[Tile]:
    """Return the windows of most contrast, none of which overlaps another.

    Parameters
    ----------
    rows : Rows
        The windows of `layout`, those that are not used included.
    layout : Layout
        Where they lie.
    kept : sequence of int
        Axes along which each index has windows of its own.
    """
    contrast = np.where((rows.used > 0) & (rows.valid > 0), rows.contrast, -1)
    corners = layout.corners(kept)
    apart = np.ones(corners.shape[1], np.int64)
    apart[list(layout.along)] = layout.sides
    taken: list[int] = []
    for row in np.argsort(-contrast, kind="stable").tolist():
        if contrast[row] < 0 or len(taken) == TILES:
            break
        distances = np.abs(corners[taken] - corners[row])
        if not np.any(np.all(distances < apart, axis=1)):
            taken.append(row)
    return [Tile(row, rank) for rank, row in enumerate(taken)]


def falls(
    block: Array,
    corners: Sequence[Sequence[int]],
    layout: Layout,
    unit: float,
    bands: Sequence[Bands],
    weight: Array | None,
    upside: float = 1.0,
) -> Floats:
    """Return how far some windows fall below their floor if a blur is undone.

    Parameters
    ----------
    block : array
        Block that holds them.
    corners : sequence of sequence of int
        Their first pixels in it.
    layout : Layout
        Where windows lie.
    unit : float
        Intensity that is 1, a power of 2.
    bands : sequence of Bands
        What undoes each of the `CANDIDATES`, along axes 1 and 2.
    weight : array, optional
        Weight of each pixel of the block.
    upside : float
        -1 for the ceiling of windows on bright ground.

    Returns
    -------
    (windows, candidates, 2) array
        Sums of the squares of what is below the floor, and of the detail.
    """
    windows = valid_windows(block, layout, corners, weight)
    values, size, *_ = scaled(windows, block.dtype.kind in "iu", clean=True)
    pixels = values * (size / unit)[:, np.newaxis, np.newaxis]
    fine, floor = fine_and_floor(upside * pixels)
    pixels = pixels.astype(np.float32)
    found = np.empty((len(windows), len(bands), 2))
    for candidate, each in enumerate(bands):
        detail = weighted_bands(pixels, each, "mirror", 0.0)
        sharp = np.float32(upside) * (pixels + detail)
        below = np.maximum(floor - sharp, 0)
        found[:, candidate, 0] = _sums(below * below)
        found[:, candidate, 1] = _sums((sharp - fine) ** 2)
    return found


def blur_by_floor(sums: Floats) -> float:
    """Return the largest blur that can be undone, from the sums of all windows."""
    ordered = np.sort(sums, axis=0).sum(axis=0)
    fall = np.sqrt(ordered[:, 0] / np.maximum(ordered[:, 1], 1e-30))
    beyond = np.flatnonzero(fall > _FALL)
    if not beyond.size:
        return WIDEST_BY_FLOOR
    at = int(beyond[0])
    before = 0.0 if at == 0 else float(fall[at - 1])
    first, last = np.log([(_FIRST, *CANDIDATES)[at], CANDIDATES[at]])
    part = (_FALL - before) / max(float(fall[at]) - before, 1e-9)
    return float(np.exp(first + part * (last - first)))


class Blur(NamedTuple):
    """Blur along each filtered axis, and how far it is that of a lens."""

    sigmas: tuple[float, ...]
    lens: float


def joined(
    sigmas: Sequence[float],
    plane: Sequence[int],
    by_floor: float,
    ground: float,
    fits: Sequence[Fit],
) -> Blur:
    """Return the blur by spectrum and floor together.

    Parameters
    ----------
    sigmas : sequence of float
        Blur along each filtered axis by the spectrum; below 0 where it is not known.
    plane : sequence of int
        Which two of them are the axes of the planes.
    by_floor : float
        Blur by the floor.
    ground : float
        How far the image is a specimen, from 0 to 1.
    fits : sequence of Fit
        Spectra along those axes, with their fits.
    """
    # No spectrum rises with the frequency.
    flat = float(np.mean([max(fit.flat_blur, _FIRST) for fit in fits]))
    by_floor = min(by_floor, flat)
    spectrum = float(np.mean([sigmas[place] for place in plane]))
    low, high = _CLEAR_UP_TO
    clear = float(np.mean([fit.last for fit in fits]))
    unknown = float(np.clip((high - clear) / (high - low), 0, 1))
    weight = _WEIGHT * ground * unknown
    sigma = (1 - weight) * spectrum + weight * by_floor
    change = max(sigma, _SHARPEST) / max(spectrum, _SHARPEST)
    change = float(np.clip(change, _LEAST_CHANGE, _LARGEST_CHANGE))
    changed = [own * change if own > 0 else own for own in sigmas]
    for place in plane:
        # Without ground each axis has the blur of its own spectrum.
        changed[place] = (1 - weight) * sigmas[place] + weight * by_floor
    low, high = _LENS
    ratio = by_floor / max(spectrum, _SHARPEST)
    return Blur(
        tuple(changed), ground * float(np.clip((ratio - low) / (high - low), 0, 1))
    )


def _sums(values: Array) -> Floats:
    """Return the sum of each window, the same for its mirror image."""
    for axis in (1, 2):
        values = values + np.flip(values, axis)
    sums: Floats = values.sum(axis=(1, 2), dtype=np.float64)
    return sums / 4
