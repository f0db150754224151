"""The level of the noise in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array

# Pixels along each side of the noise that filters without a kernel are tried on:
# enough to know a factor to 1 or 2 %.
_SIDE = {1: 4096, 2: 128, 3: 32}

# Standard deviation of a normal distribution by its median absolute value.
_BY_MEDIAN = 1.4826


def noise_level(values: Array, axes: Sequence[int]) -> float:
    """Standard deviation of white noise in `values`, 0 if there is none.

    The second difference along every axis together leaves little of the image;
    the median of its size is not moved by the edges that remain.

    References
    ----------
    .. [1] J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image
       Understanding 64(2), 1996, with the median of Donoho (1995) in place of the
       mean. :doi:`10.1006/cviu.1996.0060`
    """
    from scipy import ndimage  # late: it takes 0.07 s

    residual = np.where(np.isfinite(values), values, 0).astype(np.float64)
    growth = 1.0
    for axis in axes:
        if values.shape[axis] > 2:
            residual = ndimage.correlate1d(residual, [1.0, -2.0, 1.0], axis)
            growth *= 6.0
    if growth == 1:
        return 0.0
    return float(_BY_MEDIAN * np.median(np.abs(residual)) / np.sqrt(growth))


def white_noise(dimensions: int, least: int = 0) -> Array:
    """Noise of variance 1 to try a filter on, always the same.

    It has at least `least` pixels along each side.
    """
    shape = (max(_SIDE.get(dimensions, 16), least),) * dimensions
    return np.random.default_rng(0).normal(0.0, 1.0, shape)
