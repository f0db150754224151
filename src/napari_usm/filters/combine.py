"""The equation itself, and the last step of every method: limits and type."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_usm.filters.dtypes import Array, cast


def add_detail(image: Array, edge_map: Array, amount: Array | float) -> Array:
    """``image + amount * edge_map``, in the type of `image`."""
    raw: Array = image + np.asarray(amount, image.dtype) * edge_map
    return raw


def limited(
    values: Array, low: Array | float, high: Array | float, dtype: np.dtype[Any]
) -> Array:
    """Values saturated at `low` and `high`, as `dtype`; invalid pixels pass."""
    if np.all(np.isneginf(low)) and np.all(np.isposinf(high)):
        return cast(values, dtype)
    clipped = np.clip(values, low, high)
    return cast(np.where(np.isfinite(values), clipped, values), dtype)
