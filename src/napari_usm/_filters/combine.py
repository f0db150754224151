"""The equation itself, and the last step of every method: limits and type."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_usm._filters.dtypes import Array, cast
from napari_usm._filters.overflow import saturated


def add_detail(image: Array, edge_map: Array, amount: Array | float) -> Array:
    """``image + amount * edge_map``, in the type of `image`.

    Valid pixels stay finite: they end at the largest number of that type.
    """
    strength = saturated(np.asarray(amount), image.dtype).astype(image.dtype)
    raw: Array = image + strength * edge_map
    if np.isfinite(raw).all():
        return raw
    return np.where(np.isfinite(image), saturated(raw, image.dtype), raw)


def limited(
    values: Array, low: Array | float, high: Array | float, dtype: np.dtype[Any]
) -> Array:
    """Values saturated at `low` and `high`, as `dtype`; invalid pixels pass."""
    if np.all(np.isneginf(low)) and np.all(np.isposinf(high)):
        return cast(values, dtype)
    clipped = np.clip(values, low, high)
    return cast(np.where(np.isfinite(values), clipped, values), dtype)
