"""Blur of a specimen: a second look at the windows of most contrast.

The first look at all windows gives noise, ground, and the blur by the spectrum.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_usm._estimate.band_weights import bands_of
from napari_usm._estimate.blur_and_noise import (
    Estimate,
    estimate_and_fits,
    longest_blur,
)
from napari_usm._estimate.ground import (
    CANDIDATES,
    TILES,
    Tile,
    blur_by_floor,
    falls,
    joined,
    plane_layout,
    tiles_of,
)
from napari_usm._estimate.spectrum import rows_of, those, window_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._estimate.windows import Floats, Layout, Slices
    from napari_usm._filters.dtypes import Array


def second_look(
    block: Array,
    axes: Sequence[int],
    kept: Sequence[int],
    core: Slices,
    begins: Sequence[int],
    lengths: Sequence[int],
    first: Floats,
    weight: Array | None = None,
    lens: float | None = None,
) -> Floats | None:
    """Return how far windows fall below their floor, where they begin in a block.

    Parameters
    ----------
    block, axes, kept, core, begins, lengths, weight
        As for `spectrum.window_rows`.
    first : array
        Its total, for the indices of the block.
    lens : float, optional
        Share of a lens in the blur, if it is known.

    Returns
    -------
    array or None
        Length 1 along every axis that is not kept, then a row for each of `TILES`
        windows, 0 for those of other blocks. None if there are none here.
    """
    where = [slice(b, b + s.stop - s.start) for b, s in zip(begins, core, strict=True)]
    looks = tiles_in(axes, kept, where, lengths, first)
    if not looks:
        return None
    total = np.zeros((*first.shape[:-2], TILES, 2 * len(CANDIDATES)))
    shape = [first.shape[axis] for axis in kept]
    looked = total.reshape(*shape, *total.shape[-2:])
    for look in looks:
        ground = abs(look.found.ground)
        share = ground if lens is None else lens
        bands = [
            bands_of({1: blur, 2: blur}, look.found, 1.0, ground, share)
            for blur in CANDIDATES
        ]
        corners = [
            [at + s.start for at, s in zip(corner, core, strict=True)]
            for corner in look.corners
        ]
        upside = float(np.sign(look.found.ground))
        sums = falls(
            block, corners, look.layout, look.found.unit, bands, weight, upside
        )
        looked[look.item][list(look.ranks)] = sums.reshape(len(sums), -1)
    return total


class Look(NamedTuple):
    """Windows of one item that begin in a block, and are looked at twice.

    Attributes
    ----------
    item : tuple of int
        Index along the kept axes, in the block.
    found : Estimate
        The first look.
    layout : Layout
        Where windows lie.
    ranks : list of int
        The place of each among the windows of most contrast.
    corners : list of tuple of int
        Its first pixel in the block.
    """

    item: tuple[int, ...]
    found: Estimate
    layout: Layout
    ranks: list[int]
    corners: list[tuple[int, ...]]


def tiles_in(
    axes: Sequence[int],
    kept: Sequence[int],
    core: Sequence[slice],
    lengths: Sequence[int],
    first: Floats,
) -> list[Look]:
    """Return the windows to look at twice that begin in a block, by item.

    Parameters
    ----------
    axes, kept, lengths
        As for `spectrum.window_rows`.
    core : sequence of slice
        Place of the block in the image.
    first : array
        Its total, for the indices of the block.
    """
    layout, before = plane_layout(
        tuple(sorted(axes)), tuple(sorted(kept)), tuple(lengths)
    )
    if layout is None:
        return []
    begins, ends = [span.start for span in core], [span.stop for span in core]
    corners: dict[tuple[int, ...], dict[int, tuple[int, ...]]] = {}
    for corner, item, row in layout.inside(begins, ends, kept):
        place = tuple(at - begin for at, begin in zip(corner, begins, strict=True))
        corners.setdefault(item, {})[before + row] = place
    by_item = first.reshape(*(first.shape[axis] for axis in kept), *first.shape[-2:])
    looks = []
    for item, places in corners.items():
        rows = by_item[item]
        found, tiles = _first_look(
            rows.tobytes(), rows.shape, tuple(axes), tuple(kept), tuple(lengths)
        )
        here = [tile for tile in tiles if tile.row in places]
        if here:
            ranks = [tile.rank for tile in here]
            taken = [places[tile.row] for tile in here]
            looks.append(Look(item, found, layout, ranks, taken))
    return looks


def look_twice(image: Array, axes: Sequence[int]) -> tuple[Floats, Estimate]:
    """Return the rows of all windows of an image, and its estimate.

    Parameters
    ----------
    image : array
        Bool, integer or real.
    axes : sequence of int
        Filtered axes; there is one estimate for all others.
    """
    whole = tuple(slice(0, length) for length in image.shape)
    here = image, axes, (), whole, (0,) * image.ndim, image.shape
    with np.errstate(over="ignore", invalid="ignore"):
        first = window_rows(*here)
        assert first is not None  # they begin in the whole image, if there are any
        second = second_look(*here, first)
    numbers = estimate_of_specimen(first, second, axes)
    return first.reshape(first.shape[-2:]), Estimate.of(numbers.ravel())


def estimate_of_specimen(
    first: Floats,
    second: Floats | None,
    axes: Sequence[int],
    lens: float | None = None,
) -> Floats:
    """Return estimates from the totals of both looks, as `blur_and_noise.estimated`.

    `lens` is the share of a lens in the blur, if it is known.
    """
    shape = first.shape[:-2]
    numbers = [
        _estimate(
            first[place], None if second is None else second[place], axes, lens
        ).numbers
        for place in np.ndindex(*shape)
    ]
    return np.array(numbers).reshape(*shape, -1)


def _estimate(
    first: Floats, second: Floats | None, axes: Sequence[int], lens: float | None
) -> Estimate:
    rows = rows_of(first)
    found, spectra = estimate_and_fits(rows, axes)
    known = [place for place, sigma in enumerate(found.sigmas) if sigma >= 0]
    by_number = sorted(known, key=lambda place: axes[place])
    if second is None or not found.ground or len(known) < 2:
        return found if lens is None or len(known) != 2 else found._replace(lens=lens)
    plane = by_number[-2:]
    by_floor = blur_by_floor(second.reshape(TILES, len(CANDIDATES), 2))
    fits = [
        fit
        for group, fit in spectra.items()
        if {axes[place] for place in plane} & set(group)
    ]
    blur = joined(found.sigmas, plane, by_floor, abs(found.ground), fits)
    most = longest_blur(len(axes))
    sigmas = tuple(min(sigma, most) for sigma in blur.sigmas)
    share = blur.lens if lens is None else lens
    return found._replace(sigmas=sigmas, lens=share if len(known) == 2 else 0.0)


@lru_cache(8)
def _first_look(
    data: bytes,
    shape: tuple[int, int],
    axes: tuple[int, ...],
    kept: tuple[int, ...],
    lengths: tuple[int, ...],
) -> tuple[Estimate, list[Tile]]:
    """Return the estimate and the tiles of one item; none without ground."""
    numbers = np.frombuffer(data).reshape(shape)
    rows = rows_of(numbers)
    found, _ = estimate_and_fits(rows, axes)
    layout, before = plane_layout(tuple(sorted(axes)), tuple(sorted(kept)), lengths)
    if not found.ground or layout is None:
        return found, []
    planes = those(rows, np.arange(shape[0]) >= before)
    return found, [
        Tile(row + before, rank) for row, rank in tiles_of(planes, layout, kept)
    ]
