"""Blur of a specimen: a second look at the windows of most contrast.

The first look at all windows gives noise, ground, and the blur by the spectrum.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_usm._estimate.band_weights import bands_of
from napari_usm._estimate.blur_and_noise import (
    Estimate,
    estimate_of,
    fits_of,
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
from napari_usm._estimate.spectrum import rows_of, those

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._estimate.windows import Floats, Slices
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
    layout, before = plane_layout(
        tuple(sorted(axes)), tuple(sorted(kept)), tuple(lengths)
    )
    if layout is None:
        return None
    ends = [b + s.stop - s.start for b, s in zip(begins, core, strict=True)]
    total = np.zeros((*first.shape[:-2], TILES, 2 * len(CANDIDATES)))
    shape = [first.shape[axis] for axis in kept]
    by_item = first.reshape(*shape, *first.shape[-2:])
    looked = total.reshape(*shape, *total.shape[-2:])
    wanted: dict[tuple[int, ...], dict[int, list[int]]] = {}
    for corner, item, row in layout.inside(begins, ends, kept):
        place = [
            at - b + s.start for at, b, s in zip(corner, begins, core, strict=True)
        ]
        wanted.setdefault(item, {})[row] = place
    any_here = False
    for item, corners in wanted.items():
        rows = by_item[item]
        found, tiles = _first_look(
            rows.tobytes(), rows.shape, tuple(axes), tuple(kept), tuple(lengths)
        )
        here = [tile for tile in tiles if tile.row - before in corners]
        if not here:
            continue
        any_here = True
        share = found.ground if lens is None else lens
        bands = [
            bands_of({1: blur, 2: blur}, found, 1.0, found.ground, share)
            for blur in CANDIDATES
        ]
        places = [corners[tile.row - before] for tile in here]
        sums = falls(block, places, layout, found.unit, bands, weight)
        for tile, numbers in zip(here, sums, strict=True):
            looked[(*item, tile.rank)] = numbers.reshape(-1)
    return total if any_here else None


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
    found = estimate_of(rows, axes)
    known = [place for place, sigma in enumerate(found.sigmas) if sigma >= 0]
    by_number = sorted(known, key=lambda place: axes[place])
    if second is None or not found.ground or len(known) < 2:
        return found if lens is None or len(known) != 2 else found._replace(lens=lens)
    plane = by_number[-2:]
    by_floor = blur_by_floor(second.reshape(TILES, len(CANDIDATES), 2))
    fits = [
        fit
        for group, fit in fits_of(rows).items()
        if {axes[place] for place in plane} & set(group)
    ]
    blur = joined(found.sigmas, plane, by_floor, found.ground, fits)
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
    """Return the estimate and the tiles of one item; none without dark ground."""
    numbers = np.frombuffer(data).reshape(shape)
    rows = rows_of(numbers)
    found = estimate_of(rows, axes)
    layout, before = plane_layout(tuple(sorted(axes)), tuple(sorted(kept)), lengths)
    if not found.ground or layout is None:
        return found, []
    planes = those(rows, np.arange(shape[0]) >= before)
    return found, [
        Tile(row + before, rank) for row, rank in tiles_of(planes, layout, kept)
    ]
