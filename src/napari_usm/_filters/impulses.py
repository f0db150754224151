"""Hot and dead pixels, which no lens has drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_usm._kernels.impulses import find_impulses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array

# Impulses of a block that there is room for at first.
_FEW = 1024


def without_impulses(values: Array, axes: Sequence[int], noises: Array) -> Array:
    """Return an array with hot and dead pixels replaced; itself if there are none.

    Parameters
    ----------
    values : array of float
        Not finite pixels are no impulses, nor are those next to them.
    axes : sequence of int
        The two axes of the planes of a camera; beyond their ends they are mirrored.
    noises : (planes or 1, 4) array
        Noise of each plane: constant, growth, zero, and least variance, as for
        `_kernels.bands.variance_of`; type of `values`.

    Notes
    -----
    A pixel is an impulse if it is above the second highest of the eight around it, or
    below the second lowest, by more than 6 standard deviations of the noise and 4.5
    times the distance of the two. In its place stands the median of the eight.
    """
    if min(values.shape[axis] for axis in axes) < 2:
        return values
    moved = np.ascontiguousarray(np.moveaxis(values, axes, (-2, -1)))
    planes = moved.reshape(-1, *moved.shape[-2:])
    places, medians = np.empty(_FEW, np.int64), np.empty(_FEW, values.dtype)
    count = find_impulses(planes, noises, places, medians)
    if not count:
        return values
    if count > _FEW:
        places, medians = np.empty(count, np.int64), np.empty(count, values.dtype)
        find_impulses(planes, noises, places, medians)
    clean = planes.copy()
    clean.reshape(-1)[places[:count]] = medians[:count]
    # Contiguous, as blurs take it.
    return np.ascontiguousarray(np.moveaxis(clean.reshape(moved.shape), (-2, -1), axes))
