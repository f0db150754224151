"""To a coarser grid and back, along one axis of an array."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_usm._filters.border import continued
from napari_usm._filters.taps import AxisBlur, spline_taps
from napari_usm._kernels.coarse import expand_axis, reduce_axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_usm._filters.dtypes import Array


@dataclass(frozen=True)
class Grid:
    """The grid points that the blur of some of an axis's pixels needs.

    Attributes
    ----------
    blur : AxisBlur
        With a factor above 1.
    length : int
        Pixels of the axis; the first of them is at a grid point.
    start, stop : int
        The pixels whose blur is wanted.
    """

    blur: AxisBlur
    length: int
    start: int
    stop: int

    @property
    def _first(self) -> int:
        return self.start // self.blur.factor - 1 - self.blur.radius

    @property
    def points(self) -> int:
        """Return the number of grid points."""
        last = (self.stop - 1) // self.blur.factor + 2 + self.blur.radius
        return last + 1 - self._first

    @property
    def before(self) -> int:
        """Place among the points of the one before that at the axis's first pixel."""
        return -1 - self._first

    @property
    def _places(self) -> NDArray[np.int64]:
        begin = (self._first - 2) * self.blur.factor
        return np.arange(begin, begin + (self.points + 3) * self.blur.factor)

    def index(self, mode: str) -> NDArray[np.int64]:
        """Pixel at each place that a spline of a point reaches, see `continued`."""
        return continued(self._places, self.length, mode)


def reduced(values: Array, axis: int, blur: AxisBlur, mode: str, cval: float) -> Array:
    """From the pixels of an axis to grid points, those that all its pixels need."""
    grid = _whole(blur, values.shape[axis])
    shape = list(values.shape)
    shape[axis] = grid.points
    out = np.empty(shape, values.dtype)
    reduce_axis(
        np.ascontiguousarray(values).reshape(-1),
        out.reshape(-1),
        spline_taps(blur.factor, values.dtype)[0],
        grid.index(mode),
        values.shape[axis],
        math.prod(shape[axis + 1 :]),
        values.dtype.type(cval),
    )
    return out


def expanded(values: Array, axis: int, blur: AxisBlur, length: int) -> Array:
    """Back from the grid points of `reduced` to the `length` pixels of the axis."""
    shape = list(values.shape)
    shape[axis] = length
    out = np.empty(shape, values.dtype)
    expand_axis(
        np.ascontiguousarray(values).reshape(-1),
        out.reshape(-1),
        spline_taps(blur.factor, values.dtype)[1],
        _whole(blur, length).before,
        length,
        math.prod(shape[axis + 1 :]),
    )
    return out


def _whole(blur: AxisBlur, length: int) -> Grid:
    return Grid(blur, length, 0, length)
