"""An array as planes along two of its axes, for kernels that work on planes.

Kernels take memory in one dimension, and distances in it: a view of a larger array,
such as a chunk, needs no copy as long as its rows are whole.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from numpy.lib.stride_tricks import as_strided

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_usm._filters.dtypes import Array


@dataclass(frozen=True)
class Planes:
    """Planes of an array.

    Attributes
    ----------
    shape : tuple of int
        Shape of the array.
    down, across : int
        Axis of the rows, and of the columns behind it. All axes behind `across`
        are one: neighbours along it are `step` pixels apart.
    deep : int, optional
        Axis along which planes belong together.
    strides : tuple of int, optional
        Pixels from one index to the next along each axis, of an array that is not
        contiguous.
    """

    shape: tuple[int, ...]
    down: int
    across: int
    deep: int | None = None
    strides: tuple[int, ...] = ()

    @property
    def others(self) -> list[int]:
        """Axes of which every index has planes of its own."""
        used = (self.deep, self.down)
        return [axis for axis in range(self.across) if axis not in used]

    @property
    def step(self) -> int:
        """Pixels from column to column."""
        return self.distance(self.across)

    @property
    def stride(self) -> int:
        """Pixels from row to row."""
        return self.distance(self.down)

    def distance(self, axis: int) -> int:
        """Pixels from one index to the next along an axis."""
        if self.strides:
            return self.strides[axis]
        return math.prod(self.shape[axis + 1 :])

    def offset(self, place: Sequence[int], axes: Sequence[int]) -> int:
        """Pixels before the one at `place` along `axes` and 0 along all others."""
        return sum(i * self.distance(axis) for i, axis in zip(place, axes, strict=True))

    def cores(
        self, inner: Sequence[slice], result: Planes, core: Sequence[slice]
    ) -> Iterator[tuple[tuple[int, ...], int]]:
        """Index along `others` of each plane of a block, and where its core goes.

        The core begins at the first plane along `deep`.

        Parameters
        ----------
        inner : sequence of slice
            The block's own pixels in the block.
        result : Planes
            The result, along the same axes.
        core : sequence of slice
            The block's own pixels in the result.
        """
        own = [a for a in (self.deep, self.down, self.across) if a is not None]
        begin = result.offset([core[axis].start for axis in own], own)
        for place in self.places(inner):
            there = [
                i - inner[axis].start + core[axis].start
                for i, axis in zip(place, self.others, strict=True)
            ]
            yield place, begin + result.offset(there, self.others)

    def places(self, window: Sequence[slice]) -> Iterator[tuple[int, ...]]:
        """Index along `others` of all planes in a window of the array."""
        spans = (range(window[axis].start, window[axis].stop) for axis in self.others)
        return itertools.product(*spans)


def strides_of(array: Array) -> tuple[int, ...]:
    """Return the pixels from one index to the next along each axis, for `Planes`."""
    if array.flags.c_contiguous:
        return ()
    # An axis of length 1 may have any stride.
    return tuple(
        stride // array.itemsize if length > 1 else math.prod(array.shape[axis + 1 :])
        for axis, (length, stride) in enumerate(
            zip(array.shape, array.strides, strict=True)
        )
    )


def is_in_rows(array: Array, across: int) -> bool:
    """Return whether all from an axis on is contiguous, and what is before regular."""
    if array.flags.c_contiguous:
        return True
    row = math.prod(array.shape[across:])
    strides = strides_of(array)
    whole = all(
        strides[axis] == math.prod(array.shape[axis + 1 :])
        for axis in range(across, array.ndim)
    )
    regular = all(stride % array.itemsize == 0 for stride in array.strides)
    return whole and regular and min(strides[:across], default=row) >= row


def flat(array: Array) -> Array:
    """Return the memory of an array in one dimension, up to its last pixel."""
    if array.flags.c_contiguous:
        return array.reshape(-1)
    strides = strides_of(array)
    last = sum((n - 1) * step for n, step in zip(array.shape, strides, strict=True))
    memory: Array = as_strided(array, (last + 1,), (array.itemsize,))
    return memory


def span(window: slice) -> tuple[int, int]:
    """Return begin and end of a window."""
    return window.start, window.stop
