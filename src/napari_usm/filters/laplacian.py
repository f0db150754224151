"""The plain Laplacian: second differences along the filtered axes, weighted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm.filters.dtypes import Array

_NEIGHBOURS = np.array([1.0, 0.0, 1.0])


def negative_laplacian(
    values: Array, weights: Mapping[int, float], mode: str, cval: float
) -> Array:
    """Sum over the axes of ``weight * (2 * centre - before - after)``.

    An invalid neighbour counts as the centre, so that it adds nothing; at an
    invalid pixel itself the result is 0.
    """
    valid = np.isfinite(values)
    all_valid = bool(valid.all())
    filled = values if all_valid else np.where(valid, values, 0)
    total = np.zeros_like(filled)
    for axis, weight in weights.items():
        around = ndimage.correlate1d(filled, _NEIGHBOURS, axis, mode=mode, cval=cval)
        count = 2.0
        if not all_valid:
            count = ndimage.correlate1d(
                valid.astype(values.dtype), _NEIGHBOURS, axis, mode=mode, cval=1.0
            )
        total += weight * (count * filled - around)
    return total if all_valid else np.where(valid, total, 0)
