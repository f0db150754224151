"""Filters of pixels near the largest float, where sums overflow.

A filter that is linear in its pixels is computed as it is. Where that is not finite,
the result is that of smaller pixels in float64, times the same power of 2. Which pixels
these are follows from their neighbours alone, so blocks and chunks agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_usm._filters.dtypes import Array

# Pixels are divided by this power of 2: sums of 256 of them are finite.
_EXPONENT = 8


@np.errstate(over="ignore", invalid="ignore")
def without_overflow(
    linear: Callable[[Array, float], Array], values: Array, cval: float
) -> Array:
    """Return the result of a filter, finite everywhere; type of `values`.

    Parameters
    ----------
    linear : callable
        Takes pixels and the constant beyond the border, is linear in both, and finite
        but for overflow.
    values : array
        Block of the working type; NaN and infinite pixels are invalid.
    cval : float
        Constant beyond the border.
    """
    found = linear(values, cval)
    finite = np.isfinite(found)
    if finite.all():
        return found
    smaller = np.ldexp(values.astype(np.float64), -_EXPONENT)
    other = np.ldexp(linear(smaller, float(np.ldexp(cval, -_EXPONENT))), _EXPONENT)
    return np.where(finite, found, saturated(other, values.dtype).astype(values.dtype))


def saturated(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return values within the range of a type of floats.

    What is not a number, the difference of two infinite ones, counts as 0.
    """
    largest = float(np.finfo(dtype).max)
    known: Array = np.where(np.isnan(values), 0, values)
    return np.clip(known, -largest, largest, out=known)


def is_flat_and_large(
    values: Array, reach: Mapping[int, int], mode: str, cval: float
) -> Array | None:
    """Return where all pixels in reach are equal, above half of the largest float.

    There the rounding of a filter is more than a float32 holds. None if there are no
    such pixels.
    """
    half = np.finfo(values.dtype).max / 2
    if -half <= values.min() and values.max() <= half:
        return None
    valid = np.isfinite(values)
    large = valid & (np.abs(values) > half)
    if not large.any():
        return None
    from scipy import ndimage  # late: it takes 0.07 s

    with np.errstate(over="ignore"):
        beyond = values.dtype.type(cval)
    lowest, highest = np.where(valid, values, np.inf), np.where(valid, values, -np.inf)
    for axis, distance in reach.items():
        size = 2 * min(distance, values.shape[axis]) + 1
        lowest = ndimage.minimum_filter1d(lowest, size, axis, mode=mode, cval=beyond)
        highest = ndimage.maximum_filter1d(highest, size, axis, mode=mode, cval=beyond)
    flat: Array = large & (lowest == highest)
    return flat
