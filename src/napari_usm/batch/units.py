"""Write units: boxes of whole chunks of the output, each read and written alone."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._engine.blocks import Slices
    from napari_usm.io.ome_zarr import Store

# Pixels of a unit: about half a second of one core, and 64 MB of 16-bit pixels. Larger
# ones read fewer neighbours twice; smaller ones show progress and leave less to repeat.
MOST = 2**25


def cut(
    shape: Sequence[int],
    stored: Sequence[int],
    whole: Sequence[int],
    filtered: Sequence[int],
    most: int = MOST,
) -> list[Slices]:
    """Return units that cover an image, in the order of its pixels.

    Parameters
    ----------
    shape : sequence of int
        Shape of the image.
    stored : sequence of int
        Shape of the parts that the output is stored in.
    whole : sequence of int
        Axes that are never cut.
    filtered : sequence of int
        Axes along which neighbours are read too: units are long along these, so that
        little is read twice.
    most : int
        Pixels of a unit, unless one stored part has more.

    Examples
    --------
    >>> len(cut((10, 4096, 4096), (1, 1024, 1024), (), (1, 2), 2**24))
    10
    """
    steps = [
        length if axis in whole else min(length, part)
        for axis, (length, part) in enumerate(zip(shape, stored, strict=True))
    ]
    others = [axis for axis in range(len(shape)) if axis not in filtered]
    for axis in (*sorted(filtered, reverse=True), *sorted(others, reverse=True)):
        while steps[axis] < shape[axis] and 2 * prod(steps) <= most:
            steps[axis] = min(shape[axis], 2 * steps[axis])
    return [
        tuple(
            slice(start, min(start + step, n))
            for start, step, n in zip(starts, steps, shape, strict=True)
        )
        for starts in product(
            *(range(0, n, step) for n, step in zip(shape, steps, strict=True))
        )
    ]


def level_units(store: Store, rank: int, most: int) -> list[Slices]:
    """Return units that cover a further level of an image on disk."""
    shape = store.level_shape(rank)
    return cut(shape, store.shards or store.chunks, (), (len(shape) - 1,), most)


def part_of(count: int, part: tuple[int, int]) -> range:
    """Return the indices, of `count`, that belong to a part such as (1, 8)."""
    number, parts = part
    return range(number - 1, count, parts)
