"""Evenly spaced rows of a large image, from which sums over it are estimated.

Each comes as a strip: the row with its neighbours above and below, so that a strip is
worked on as if it were an image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array

    Slices = tuple[slice, ...]

# Pixels up to which an image is used whole, and the least number of sampled pixels.
WHOLE = 2**18
_LEAST = 2**16

# Rows from one sample to the next, at most. An odd number: many images, JPEG's above
# all, are made of blocks of 8 or 16 rows, of which an even step would see one row.
_LARGEST_STEP = 31


@dataclass(frozen=True)
class RowSample:
    """Every `step`-th row of the planes that share an estimate.

    Rows are numbered from plane to plane, from row 0 of the first one on: which of
    them are used depends on neither blocks nor threads. Those whose strips would reach
    over the border are left out.

    Attributes
    ----------
    axis : int
        The axis along which rows are counted.
    rows : int
        Their number in a plane.
    stacked : tuple of int
        The axes that are summed over but not filtered: those of the planes.
    planes : tuple of int
        Lengths of these axes.
    step : int
        Rows from one sample to the next, the first one in the middle of a step.
    reach : int
        Neighbours above a row, and below the row that follows it.
    """

    axis: int
    rows: int
    stacked: tuple[int, ...]
    planes: tuple[int, ...]
    step: int
    reach: int

    @property
    def height(self) -> int:
        """Return the number of rows in a strip."""
        return 2 * self.reach + 2

    @property
    def count(self) -> int:
        """Return the number of rows that are used, of each item with an estimate."""
        total = math.prod(self.planes) * self.rows
        numbers = np.arange(self.step // 2, total, self.step)
        return int(np.count_nonzero(self._fits(numbers % self.rows)))

    @property
    def core(self) -> slice:
        """Return the place of the row in a strip."""
        return slice(self.reach, self.reach + 1)

    def strips(self, pixels: Array, core: Slices, inner: Slices) -> Array | None:
        """Return the strips of a block, one below the other; None if there are none.

        Parameters
        ----------
        pixels : array
            The block with its neighbours.
        core, inner : tuple of slice
            The pixels of the block itself, in the image and in `pixels`.

        Returns
        -------
        array or None
            The axes are those of `pixels`; there is one plane along `stacked`.
        """
        axes = (*self.stacked, self.axis)
        indices = np.ix_(*(np.arange(core[a].start, core[a].stop) for a in axes))
        number = np.zeros((), np.int64)
        for index, length in zip(indices, (*self.planes, self.rows), strict=True):
            number = number * length + index
        used = (number % self.step == self.step // 2) & self._fits(indices[-1])
        places = [
            place + inner[axis].start
            for axis, place in zip(axes, np.nonzero(used), strict=True)
        ]
        if not places[-1].size:
            return None
        *planes, rows = (place[:, np.newaxis] for place in places)
        rows = rows - self.reach + np.arange(self.height)
        moved = np.moveaxis(pixels, axes, range(len(axes)))[*planes, rows]
        strips = moved.reshape(-1, *moved.shape[2:])
        before = sum(axis < self.axis for axis in self.stacked)
        return np.expand_dims(np.moveaxis(strips, 0, self.axis - before), self.stacked)

    def split(self, strips: Array) -> Array:
        """Return strips along an axis in front of that of the rows."""
        shape = list(strips.shape)
        shape[self.axis : self.axis + 1] = [-1, self.height]
        return strips.reshape(shape)

    def moved(self, axes: Sequence[int]) -> tuple[int, ...]:
        """Return the places of axes after `split`."""
        return tuple(axis + (axis >= self.axis) for axis in axes)

    def _fits(self, row: Array) -> Array:
        last = self.rows - self.height + self.reach
        fits: Array = (row >= self.reach) & (row <= last)
        return fits


def row_sample(
    lengths: Sequence[int], axes: Sequence[int], kept: Sequence[int], reach: int
) -> RowSample | None:
    """Return the rows to sample, or None for all of them.

    Parameters
    ----------
    lengths : sequence of int
        Shape of the image; 1 for channels of which one signal is made.
    axes, kept : sequence of int
        Filtered axes, and those along which each index has an estimate.
    reach : int
        How far the filter reaches along the axis of the rows, the last filtered axis
        but one.
    """
    if len(axes) < 2:
        return None
    axis = sorted(axes)[-2]
    stacked = tuple(
        a
        for a, length in enumerate(lengths)
        if a not in axes and a not in kept and length > 1
    )
    planes = tuple(lengths[a] for a in stacked)
    rows = lengths[axis]
    across = math.prod(lengths[a] for a in axes if a != axis)
    pixels = math.prod(planes) * rows * across
    if pixels <= WHOLE:
        return None
    largest = min(_LARGEST_STEP, pixels // _LEAST)
    for step in range(largest - 1 + largest % 2, 1, -2):
        sample = RowSample(axis, rows, stacked, planes, step, reach)
        # With a common divisor it would see the same rows of all planes. And strips of
        # twice as many pixels as the image take longer than the image.
        varied = not stacked or math.gcd(step, rows) == 1
        if varied and sample.height < 2 * step and sample.count * across >= _LEAST:
            return sample
    return None
