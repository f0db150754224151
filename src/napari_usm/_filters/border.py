"""Index of the pixels that stand for those beyond the border."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_usm._filters.dtypes import Array

# Stands for a pixel of the constant beyond the border.
OUTSIDE = -1

_LONG = 2**14


def border_index(length: int, reach: int, mode: str) -> NDArray[np.int64]:
    """Index of the pixel at each place from `-reach` to `length + reach - 1`.

    An axis goes on with the meanings of `scipy.ndimage`, as often as it takes.
    """
    # Made again, a long axis costs nothing beside its pixels; kept, gigabytes.
    index = _kept if length <= _LONG else _border_index
    return index(length, reach, mode)


def _border_index(length: int, reach: int, mode: str) -> NDArray[np.int64]:
    index = continued(np.arange(-reach, length + reach), length, mode)
    index.flags.writeable = False
    return index


_kept = lru_cache(64)(_border_index)


def continued(places: NDArray[np.int64], length: int, mode: str) -> NDArray[np.int64]:
    """Index of the pixel at each of these places, of an axis of `length` pixels."""
    if mode == "wrap":
        return places % length
    if mode == "nearest":
        return np.clip(places, 0, length - 1)
    if mode == "reflect":
        folded = places % (2 * length)
        return np.minimum(folded, 2 * length - 1 - folded)
    if mode == "mirror":
        folded = places % max(1, 2 * length - 2)
        return np.minimum(folded, 2 * length - 2 - folded)
    return np.where((places >= 0) & (places < length), places, OUTSIDE)


def continued_axis(
    values: Array, axis: int, reach: int, mode: str, cval: float
) -> Array:
    """An axis with `reach` more pixels at both ends."""
    index = border_index(values.shape[axis], reach, mode)
    beyond = np.expand_dims(
        index == OUTSIDE, tuple(a for a in range(values.ndim) if a != axis)
    )
    return np.where(beyond, values.dtype.type(cval), np.take(values, index, axis))
