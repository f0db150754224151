"""Separable blurs, normalised over the valid pixels.

Symmetric taps are added in pairs, in one fixed order, so that a pixel comes out the
same from any block, memory layout or direction of an axis.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_usm.filters.border import border_index
from napari_usm.kernels.correlate import correlate_lines, correlate_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm.filters.dtypes import Array

Taps = NDArray[np.float64]

# From this many pixels on, a row is worth a loop of its own.
_LONG = 64

BOX = np.full(3, 1 / 3)


def gaussian_radius(sigma: float, truncate: float) -> int:
    """Half-width of the kernel in pixels, as scipy.ndimage cuts it."""
    return int(truncate * sigma + 0.5)


@lru_cache(64)
def gaussian_taps(sigma: float, radius: int) -> Taps:
    """Weights of the sampled Gaussian, ``2 * radius + 1`` of them, of sum 1."""
    offsets = np.arange(-radius, radius + 1)
    taps: Taps = np.where(offsets == 0, 1.0, 0.0)
    if sigma > 0:
        taps = np.exp(-0.5 * (offsets / sigma) ** 2)
    taps /= taps.sum()
    taps.flags.writeable = False
    return taps


def blur(values: Array, taps: Mapping[int, Taps], mode: str, cval: float) -> Array:
    """Weighted mean of the valid pixels around each pixel.

    Parameters
    ----------
    values : array
        Block of the working type; NaN and infinite pixels are invalid.
    taps : mapping of axis to taps
        Symmetric weights of sum 1 for each axis that is blurred.
    mode, cval : str, float
        Border, as in `scipy.ndimage`; a constant border counts as valid.

    Returns
    -------
    array
        Same shape and type; 0 where no valid pixel is in reach.
    """
    valid = np.isfinite(values)
    if valid.all():
        return _correlated(values, taps, mode, cval)
    # 1 - (blur of what is missing) is exactly 1 where nothing is missing: there
    # the division changes no bit, whatever else the block holds.
    missing = _correlated((~valid).astype(np.float64), taps, mode, 0.0)
    total = _correlated(np.where(valid, values, 0), taps, mode, cval)
    # A valid centre alone weighs more than 1e-12 for every sigma below 1000 px in 3-D.
    reached = missing < 1 - 1e-12
    mean = np.divide(total, 1 - missing, out=np.zeros_like(missing), where=reached)
    result: Array = mean.astype(values.dtype)
    return result


def half_taps(weights: Taps, dtype: DTypeLike) -> Array:
    """The centre and one side of symmetric weights, in the type they are used in."""
    half = weights[weights.size // 2 :].astype(dtype)
    # Rounded one by one, the taps of a box make a flat image 3e-8 brighter.
    half[0] = 1 - 2 * half[1:].sum(dtype=np.float64)
    return half


def _correlated(
    values: Array, taps: Mapping[int, Taps], mode: str, cval: float
) -> Array:
    for axis in sorted(taps):
        if taps[axis].size > 1:
            values = _correlated_along(values, axis, taps[axis], mode, cval)
    return values


def _correlated_along(
    values: Array, axis: int, weights: Taps, mode: str, cval: float
) -> Array:
    out = np.empty(values.shape, values.dtype)
    index = border_index(values.shape[axis], weights.size // 2, mode)
    inner = math.prod(values.shape[axis + 1 :])
    correlate = correlate_rows if inner >= _LONG else correlate_lines
    correlate(
        np.ascontiguousarray(values).reshape(-1),
        out.reshape(-1),
        half_taps(weights, values.dtype),
        index,
        inner,
        values.dtype.type(cval),
    )
    return out


def blur_energy(taps: Mapping[int, Taps]) -> tuple[float, float]:
    """Centre weight and sum of squared weights of the whole N-D kernel."""
    centre = float(np.prod([weights[weights.size // 2] for weights in taps.values()]))
    squares = float(np.prod([np.sum(weights**2) for weights in taps.values()]))
    return centre, squares
