"""Alpha as the weight that a pixel has in the blurs of its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_usm._filters.dtypes import Array

# Alpha of an opaque pixel in wider integers: their own largest value is rarely meant.
_WIDEST = 2**16 - 1

# Below this share of it nothing is seen, and sums of weights would not be accurate.
_LEAST = 1e-6


def opacity(alpha: Array) -> Array | None:
    """Return weights from 0 to 1, of float64; None if all pixels are opaque.

    Opaque is the largest value of an integer type, and 1 for floats and booleans. NaN
    is transparent.
    """
    full = min(np.iinfo(alpha.dtype).max, _WIDEST) if alpha.dtype.kind in "iu" else 1
    weight: Array = np.clip(alpha.astype(np.float64) / full, 0, 1)
    weight[~(weight >= _LEAST)] = 0
    return None if weight.min() == 1 else weight


def visible(values: Array, weight: Array | None) -> Array:
    """Return values with NaN, as for invalid pixels, where their weight is 0.

    Integers become float64 there.
    """
    if weight is None:
        return values
    known: Array = np.where(weight > 0, values, np.nan)
    return known
