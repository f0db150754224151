"""Gaussians that are wider than an axis is long, at a cost that sigma does not change.

Along such an axis a blur is nearly a polynomial of the third degree: it is computed at
four places, from all pixels and what lies beyond them, and interpolated in between.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.border import OUTSIDE
from napari_usm._kernels.coarse import expand_axis, reduce_axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_usm._filters.dtypes import Array

# Places that the blur is computed at: what the kernels of coarser grids go back from.
_PLACES = 4


def to_places(values: Array, axis: int, sigma: float, mode: str, cval: float) -> Array:
    """Return the blur along an axis, at four places instead of all pixels."""
    length, step = values.shape[axis], math.prod(values.shape[axis + 1 :])
    shape = list(values.shape)
    shape[axis] = 1
    pixels = np.ascontiguousarray(values).reshape(-1)
    found = []
    for taps in _taps_at_places(length, sigma, mode, values.dtype):
        index = np.zeros(taps.size, np.int64)
        index[:length] = np.arange(length)
        index[length] = OUTSIDE
        out = np.empty(shape, values.dtype)
        outside = values.dtype.type(cval if mode == "constant" else 0)
        reduce_axis(pixels, out.reshape(-1), taps, index, length, step, outside)
        found.append(out)
    return np.concatenate(found, axis)


def from_places(values: Array, axis: int, length: int) -> Array:
    """Return the blur at all pixels of the axis, from that at the four places."""
    shape = list(values.shape)
    shape[axis] = length
    out = np.empty(shape, values.dtype)
    expand_axis(
        np.ascontiguousarray(values).reshape(-1),
        out.reshape(-1),
        _taps_of_pixels(length, values.dtype),
        0,
        length,
        math.prod(shape[axis + 1 :]),
    )
    return out


def _places(length: int) -> NDArray[np.float64]:
    """Return the nodes of Chebyshev over the axis and one pixel more at both ends."""
    angles = np.pi * (2 * np.arange(_PLACES) + 1) / (2 * _PLACES)
    found: NDArray[np.float64] = (length - 1) / 2 - (length + 1) / 2 * np.cos(angles)
    return found


@lru_cache(16)
def _taps_at_places(
    length: int, sigma: float, mode: str, dtype: np.dtype[Any]
) -> tuple[Array, ...]:
    """Return weights of the pixels and of the constant beyond, for all places.

    Where an axis is periodic, reflected or not, the blur is the mean of a period.
    """
    found = []
    for place in _places(length):
        inside = np.ones(length)
        outside = 0.0
        if mode == "mirror" and length > 1:
            inside[1:-1] = 2
        elif mode in ("nearest", "constant"):
            distances = (np.arange(length) - place) / sigma
            inside = np.exp(-0.5 * distances**2) / (sigma * math.sqrt(2 * math.pi))
            before = math.erfc((place + 0.5) / sigma / math.sqrt(2)) / 2
            after = math.erfc((length - 0.5 - place) / sigma / math.sqrt(2)) / 2
            if mode == "nearest":
                inside[0] += before
                inside[-1] += after
            else:
                outside = before + after
        # As many as the kernel takes.
        taps = np.zeros(-(-(length + 1) // 4) * 4)
        taps[:length], taps[length] = inside, outside
        found.append(_of_sum_one((taps / taps.sum()).astype(dtype)))
    return tuple(found)


@lru_cache(16)
def _taps_of_pixels(length: int, dtype: np.dtype[Any]) -> Array:
    """Return the weights of Lagrange of the places, in the order of `expand_axis`."""
    places, pixels = _places(length), np.arange(length)
    weights = np.ones((length, _PLACES))
    for k, other in np.ndindex(_PLACES, _PLACES):
        if k != other:
            weights[:, k] *= (pixels - places[other]) / (places[k] - places[other])
    taps = weights.astype(dtype)
    taps[:, 1] = 1 - np.delete(taps, 1, axis=1).sum(axis=1, dtype=np.float64)
    ordered: Array = np.ascontiguousarray(taps.T[::-1]).reshape(-1)
    ordered.flags.writeable = False
    return ordered


def _of_sum_one(taps: Array) -> Array:
    """Return taps of sum 1: the largest takes the rounding, as in `taps.half_taps`."""
    largest = int(np.argmax(taps))
    taps[largest] = 1 - np.delete(taps, largest).sum(dtype=np.float64)
    taps.flags.writeable = False
    return taps
