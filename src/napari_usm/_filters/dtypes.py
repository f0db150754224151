"""The one rule for types: what is computed in what, and how it is written."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def working_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Type in which pixels of type `dtype` are computed.

    float32 holds 8- and 16-bit integers exactly, with at least 8 bits to spare
    for fractions; everything wider works in float64.
    """
    narrow = dtype.kind == "b" or (dtype.kind in "iu" and dtype.itemsize <= 2)
    if narrow or (dtype.kind == "f" and dtype.itemsize <= 4):
        return np.dtype(np.float32)
    return np.dtype(np.float64)


def is_wide(dtype: np.dtype[Any]) -> bool:
    """Return whether pixels of this type have more digits than float64."""
    return dtype.itemsize > 8 or (dtype.kind in "iu" and dtype.itemsize == 8)


def type_limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the limits of a type: the range of integers, infinite for floats."""
    if dtype.kind == "b":
        return 0.0, 1.0
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return float(info.min), float(info.max)
    return -np.inf, np.inf


def rounded(values: Array, dtype: np.dtype[Any]) -> Array:
    """Values as `dtype` would show them before it saturates: halves go up."""
    return values if dtype.kind == "f" else np.floor(values + 0.5)


def cast(values: Array, dtype: np.dtype[Any]) -> Array:
    """Values as `dtype`: integers rounded half up and saturated, NaN as 0.

    Floats keep their overshoot; a finite value stays finite in a narrower type.
    """
    if dtype.kind == "f":
        if dtype.itemsize < values.dtype.itemsize:
            largest = np.finfo(dtype).max
            finite = np.isfinite(values)
            values = np.where(finite, np.clip(values, -largest, largest), values)
        return values.astype(dtype)
    low, high = type_limits(dtype)
    values = rounded(values, dtype)
    values[np.isnan(values)] = 0
    if dtype.kind == "b":
        return values >= 1
    info = np.iinfo(dtype)
    nearest = values.dtype.type(high)
    if float(nearest) <= info.max:
        return np.clip(values, low, high).astype(dtype)
    # 2**63 - 1, or in float32 2**31 - 1, is no float: what reaches it is set by hand.
    below = np.nextafter(nearest, values.dtype.type(0))
    result = np.clip(values, low, below).astype(dtype)
    result[values > below] = info.max
    return result
