"""Median over a cube of valid pixels, with scipy's `reflect` border."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_usm._filters.border import border_index
from napari_usm._filters.fused.planes import Planes
from napari_usm._kernels.median import SIZES, median_plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_usm._filters.dtypes import Array

# Windows gathered at a time where pixels are missing: 2**14 of 5 x 5 x 5 take 16 MB.
_BATCH = 2**14


def median(values: Array, size: int, axes: Sequence[int]) -> Array:
    """Median of the `size` wide window along `axes`; invalid pixels are skipped.

    Of an even count the lower middle is taken. An invalid pixel stays invalid.
    """
    if size == 1:
        return values
    valid = np.isfinite(values)
    if valid.all():
        return _median_filter(values, size, axes)
    from scipy import ndimage  # late: it takes 0.07 s

    result = _median_filter(np.where(valid, values, 0), size, axes)
    window = [size if axis in axes else 1 for axis in range(values.ndim)]
    near = ndimage.maximum_filter(~valid, size=window, mode="reflect") & valid
    result[near] = _lower_medians(values, size, axes, np.nonzero(near))
    result[~valid] = values[~valid]
    return result


def _median_filter(values: Array, size: int, axes: Sequence[int]) -> Array:
    if len(axes) == 2 and size in SIZES:
        return _by_network(values, size, axes)
    from scipy import ndimage

    window = [size if axis in axes else 1 for axis in range(values.ndim)]
    result: Array = ndimage.median_filter(values, size=window, mode="reflect")
    return result


def _by_network(values: Array, size: int, axes: Sequence[int]) -> Array:
    """In planes, 50 to 100 times as fast as scipy for windows 3 and 5 wide."""
    values = np.ascontiguousarray(values)
    out = np.empty_like(values)
    planes = Planes(values.shape, min(axes), max(axes))
    rows, columns = (
        border_index(values.shape[axis], size // 2, "reflect")
        for axis in (planes.down, planes.across)
    )
    whole = [slice(0, length) for length in values.shape]
    for place in planes.places(whole):
        median_plane(
            values.reshape(-1),
            planes.offset(place, planes.others),
            planes.stride,
            rows,
            columns,
            planes.step,
            size,
            out.reshape(-1),
        )
    return out


def _lower_medians(
    values: Array,
    size: int,
    axes: Sequence[int],
    where: tuple[NDArray[np.intp], ...],
) -> Array:
    """Medians of the finite pixels around the positions `where`."""
    half = size // 2
    padding = [(half, half) if axis in axes else (0, 0) for axis in range(values.ndim)]
    finite_or_inf = np.where(np.isfinite(values), values, np.inf)
    padded = np.pad(finite_or_inf, padding, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(
        padded, (size,) * len(axes), tuple(axes)
    )
    result = np.empty(where[0].size, values.dtype)
    for start in range(0, result.size, _BATCH):
        chosen = tuple(index[start : start + _BATCH] for index in where)
        pixels = np.sort(windows[chosen].reshape(len(chosen[0]), -1), axis=1)
        middle = (np.isfinite(pixels).sum(axis=1) - 1) // 2
        result[start : start + _BATCH] = pixels[np.arange(len(pixels)), middle]
    return result
