"""Windows spread over an image, each looked at on its own.

Where they lie follows from the shape of the image alone. A window belongs to the
block that its first pixel lies in, and has a row of its own among the results: adding
up the rows of all blocks changes no bit, however the image is cut. The numbers of a
window are made by adding mirrored pixels first: flipping the image changes none either.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_usm._filters.dtypes import Array

Floats = NDArray[np.float64]
Slices = tuple[slice, ...]

# An axis of fewer pixels tells nothing.
LEAST = 16

# Windows of one image, about. So many tell blur and noise to a few per cent.
_MOST = 400


def side(dimensions: int) -> int:
    """Length of a window: smaller where neighbours along three axes are costly."""
    return 64 if dimensions < 3 else 32


def long_axes(axes: Sequence[int], lengths: Sequence[int]) -> tuple[int, ...]:
    """The filtered axes that are long enough to tell anything."""
    return tuple(axis for axis in sorted(axes) if lengths[axis] >= LEAST)


@dataclass(frozen=True)
class Layout:
    """Places of the windows along some axes.

    Attributes
    ----------
    along : tuple of int
        The one or two axes that a window spans.
    sides : tuple of int
        Its length along each of them.
    starts : tuple of tuple of int
        For each axis of the image, the first pixel of windows; every index of the
        axes that are kept.
    """

    along: tuple[int, ...]
    sides: tuple[int, ...]
    starts: tuple[tuple[int, ...], ...]

    def count(self, kept: Sequence[int]) -> int:
        """Windows for each index of the kept axes."""
        others = [len(s) for axis, s in enumerate(self.starts) if axis not in kept]
        return int(np.prod(others))

    def corners(self, kept: Sequence[int]) -> NDArray[np.int64]:
        """Return the first pixel of the window of each row, 0 along kept axes."""
        places = [
            (0,) if axis in kept else starts for axis, starts in enumerate(self.starts)
        ]
        return np.array(list(itertools.product(*places)), np.int64)

    def inside(
        self, begins: Sequence[int], ends: Sequence[int], kept: Sequence[int]
    ) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], int]]:
        """Windows that begin in a box: first pixel, index along `kept`, and row."""
        held = [
            [(row, at) for row, at in enumerate(places) if begin <= at < end]
            for places, begin, end in zip(self.starts, begins, ends, strict=True)
        ]
        lengths = [
            1 if axis in kept else len(places)
            for axis, places in enumerate(self.starts)
        ]
        for found in itertools.product(*held):
            rows = [0 if a in kept else row for a, (row, _) in enumerate(found)]
            first = tuple(at for _, at in found)
            item = tuple(first[axis] - begins[axis] for axis in kept)
            yield first, item, int(np.ravel_multi_index(rows, lengths))


@lru_cache(16)
def layouts(
    axes: tuple[int, ...], kept: tuple[int, ...], lengths: tuple[int, ...]
) -> tuple[Layout, ...]:
    """Windows in every plane of two filtered axes; along one axis if it is alone.

    Parameters
    ----------
    axes, kept : tuple of int
        Filtered axes, and those of which every index has windows of its own.
    lengths : tuple of int
        Shape of the image.
    """
    usable = long_axes(axes, lengths)
    pairs: list[tuple[int, ...]] = [*itertools.combinations(usable, 2)]
    pairs = pairs or [usable[:1]] * len(usable)
    most = _MOST // max(1, len(pairs))
    return tuple(_layout(along, len(axes), kept, lengths, most) for along in pairs)


def _layout(
    along: tuple[int, ...],
    dimensions: int,
    kept: tuple[int, ...],
    lengths: tuple[int, ...],
    most: int,
) -> Layout:
    # Of whole cells, and even: pixels are added from either end.
    sides = tuple(
        min(side(dimensions), lengths[axis] // LEAST * LEAST) for axis in along
    )
    room = list(lengths)
    counts = np.array(lengths)
    for axis, length in zip(along, sides, strict=True):
        room[axis] -= length - 1
        # Half of a window is in the next.
        counts[axis] = 1 - (1 - room[axis]) // (side(dimensions) // 2)
    free = np.array([axis not in kept for axis in range(len(lengths))])
    counts[~free] = 1
    while np.prod(counts) > most:
        # All of the largest together, so that no axis is another's better.
        largest = counts == counts.max()
        counts[largest] = np.maximum(1, counts[largest] * 3 // 4)
    starts = tuple(
        tuple(range(n)) if axis in kept else _spread(int(counts[axis]), room[axis])
        for axis, n in enumerate(lengths)
    )
    return Layout(along, sides, starts)


def _spread(count: int, room: int) -> tuple[int, ...]:
    """About `count` of `room` places, the same from either end."""
    last = room - 1
    if count % 2 and last % 2:
        count += 1  # there is no place in the middle
    half = [k * last // max(1, count - 1) for k in range(count // 2)]
    middle = [last // 2] if count % 2 else []
    return tuple(half + middle + [last - place for place in reversed(half)])


def cut_windows(
    block: Array, layout: Layout, corners: Sequence[Sequence[int]]
) -> Floats:
    """Windows of a block, by their first pixels in it: (windows, height, width)."""
    shape = layout.sides if len(layout.along) == 2 else (1, *layout.sides)
    cut = np.empty((len(corners), *shape))
    for window, corner in zip(cut, corners, strict=True):
        spans = dict(zip(layout.along, layout.sides, strict=True))
        where = tuple(
            slice(at, at + spans.get(axis, 1)) for axis, at in enumerate(corner)
        )
        window[...] = block[where].reshape(shape)
    return cut
