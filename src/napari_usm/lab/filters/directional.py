"""Detail along each axis, with weights that let the activity grow as it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_usm._filters.blur import blur
from napari_usm._filters.laplacian import negative_laplacian
from napari_usm._filters.taps import BOX, AxisBlur

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array

# Pixels on each side over which one set of weights is fitted.
FIT_REACH = 2
_MEAN = AxisBlur(np.full(2 * FIT_REACH + 1, 1 / (2 * FIT_REACH + 1)))

# What is added to the mean squares of activities, in levels of 8 bits and as a share of
# them: weights stay small where there is nothing to fit them to, and are told apart to
# 12 digits where directions are alike.
_RIDGE, _SHARE = 1.0, 1e-3

# A second difference, its activity, and the window of the fit.
DIRECTIONAL_REACH = 2 + FIT_REACH


def directional_detail(
    values: Array,
    growth: Array,
    axes: Sequence[int],
    largest: float,
    mode: str,
    cval: float,
) -> Array:
    """Second differences along the axes, each times its own weight, and added.

    At each pixel the weights are those for which, over the window around it, the
    activity of what is added is nearest to `growth` times that of the image: least
    squares of as many unknowns as there are axes.

    Parameters
    ----------
    values : array
        Block with neighbours, of float64, in levels of 8 bits; NaN and infinite pixels
        are invalid.
    growth : array
        By how much the activity is to grow, as a share of it.
    axes : sequence of int
        Filtered axes.
    largest : float
        Weights are held between 0 and this.
    mode, cval : str, float
        Border.

    Returns
    -------
    array
        0 at invalid pixels.
    """
    valid = np.isfinite(values)
    details = [negative_laplacian(values, {axis: 1.0}, mode, cval) for axis in axes]
    # What is not known stays so: a 0 would count as calm.
    activities = [
        _activity(np.where(valid, each, np.nan), axes, mode, 0.0) for each in details
    ]
    wanted = growth * _activity(values, axes, mode, cval)
    around = dict.fromkeys(axes, _MEAN)
    count = len(axes)
    matrix = np.empty((*values.shape, count, count))
    right = np.empty((*values.shape, count, 1))
    for i, one in enumerate(activities):
        right[..., i, 0] = blur(np.where(valid, one * wanted, np.nan), around, mode, 0)
        for j, other in enumerate(activities[: i + 1]):
            product = np.where(valid, one * other, np.nan)
            matrix[..., i, j] = blur(product, around, mode, 0)
            matrix[..., j, i] = matrix[..., i, j]
    ridge = _RIDGE + _SHARE * np.trace(matrix, axis1=-2, axis2=-1)
    matrix += ridge[..., np.newaxis, np.newaxis] * np.eye(count)
    weights = np.clip(np.linalg.solve(matrix, right)[..., 0], 0, largest)
    total = np.zeros_like(values)
    for i, detail in enumerate(details):
        total += weights[..., i] * detail
    return np.where(valid, total, 0)


def _activity(values: Array, axes: Sequence[int], mode: str, cval: float) -> Array:
    """Values less the mean in their 3-wide window; 0 where they are invalid."""
    around = dict.fromkeys(axes, BOX)
    valid = np.isfinite(values)
    mean = blur(values, around, mode, cval)
    return np.subtract(values, mean, out=np.zeros_like(values), where=valid)
