"""Smallest value around each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_usm._filters.border import border_index
from napari_usm._kernels.floor_plane import REACH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array


def local_floor(values: Array, axes: Sequence[int], mode: str = "mirror") -> Array:
    """Return the smallest valid value within `REACH` pixels along some axes.

    Parameters
    ----------
    values : array of float
        Not finite pixels are invalid.
    axes : sequence of int
        Axes of the square.
    mode : str
        Border. Beyond it there is nothing lower, unless it is "wrap".

    Returns
    -------
    array
        Shape and type of `values`; infinite where no pixel is valid.
    """
    floor = np.where(np.isfinite(values), values, values.dtype.type(np.inf))
    for axis in axes:
        floor = _along(np.moveaxis(floor, axis, 0), mode)
        floor = np.moveaxis(floor, 0, axis)
    return floor


def _along(values: Array, mode: str) -> Array:
    """Return the smallest of the neighbours along the first axis, by doubling."""
    length, width = len(values), 2 * REACH + 1
    if mode == "wrap":
        padded = values[border_index(length, REACH, mode)]
    else:
        padded = np.full((length + 2 * REACH, *values.shape[1:]), np.inf, values.dtype)
        padded[REACH:-REACH] = values
    size = 1
    while 2 * size <= width:
        padded = np.minimum(padded[:-size], padded[size:])
        size *= 2
    return np.minimum(padded[:length], padded[width - size : width - size + length])
