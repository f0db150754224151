"""Separable blurs, normalised over the valid pixels.

Symmetric taps are added in pairs, in one fixed order, so that a pixel comes out the
same from any block, memory layout or direction of an axis.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.beyond import from_places, to_places
from napari_usm._filters.border import border_index
from napari_usm._filters.coarse import expanded, reduced
from napari_usm._filters.overflow import without_overflow
from napari_usm._filters.taps import AxisBlur, half_taps
from napari_usm._kernels.buffers import LONG
from napari_usm._kernels.correlate import correlate_lines, correlate_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm._filters.dtypes import Array


def blur(
    values: Array,
    blurs: Mapping[int, AxisBlur],
    mode: str,
    cval: float,
    weight: Array | None = None,
) -> Array:
    """Weighted mean of the valid pixels around each pixel.

    Parameters
    ----------
    values : array
        Block of the working type; NaN and infinite pixels are invalid.
    blurs : mapping of axis to AxisBlur
        What is done along each axis.
    mode, cval : str, float
        Border, as in `scipy.ndimage`; a constant border counts as valid.
    weight : array, optional
        Weight of a pixel in addition to that of the blur, from 0 to 1; float64, of a
        shape that broadcasts. A constant border has weight 1.

    Returns
    -------
    array
        Same shape and type; 0 where no valid pixel is in reach.
    """
    return without_overflow(
        lambda pixels, beyond: _mean(pixels, blurs, mode, beyond, weight), values, cval
    )


def _mean(
    values: Array,
    blurs: Mapping[int, AxisBlur],
    mode: str,
    cval: float,
    weight: Array | None,
) -> Array:
    """Return the blur, not finite where sums overflow."""
    valid = np.isfinite(values)
    if weight is None and valid.all():
        return _blurred(values, blurs, mode, cval)
    known, share = np.where(valid, values, 0), valid.astype(np.float64)
    if weight is not None:
        share *= weight
        known *= weight.astype(values.dtype)
    # 1 - (blur of what is missing) is exactly 1 where nothing is missing: there
    # the division changes no bit, whatever else the block holds.
    missing = _blurred(1 - share, blurs, mode, 0.0)
    total = _blurred(known, blurs, mode, cval)
    # A valid centre alone weighs more than 1e-12 for every sigma below 1000 px in 3-D.
    reached = missing < 1 - 1e-12
    mean = np.divide(total, 1 - missing, out=np.zeros_like(missing), where=reached)
    result: Array = mean.astype(values.dtype)
    return result


def blur_of_known(
    values: Array,
    blurs: Mapping[int, AxisBlur],
    mode: str,
    cval: float,
    weight: Array | None = None,
) -> Array:
    """Return the blur, NaN at invalid pixels.

    What is not known does not become known by the first of several blurs.
    """
    found = blur(values, blurs, mode, cval, weight)
    valid = np.isfinite(values)
    return found if valid.all() else np.where(valid, found, values.dtype.type(np.nan))


def _blurred(
    values: Array, blurs: Mapping[int, AxisBlur], mode: str, cval: float
) -> Array:
    lengths = values.shape
    beyond = [axis for axis in sorted(blurs) if blurs[axis].is_beyond(lengths[axis])]
    if beyond:
        for axis in beyond:
            values = to_places(values, axis, blurs[axis].sigma, mode, cval)
        others = {axis: blurs[axis] for axis in blurs if axis not in beyond}
        values = _blurred(values, others, mode, cval)
        for axis in reversed(beyond):
            values = from_places(values, axis, lengths[axis])
        return values
    planes = coarse_planes(blurs)
    for axis in planes:
        values = reduced(values, axis, blurs[axis], mode, cval)
    values = blur_between(values, blurs, mode, cval)
    for axis in reversed(planes):
        values = expanded(values, axis, blurs[axis], lengths[axis])
    return values


def coarse_planes(blurs: Mapping[int, AxisBlur]) -> list[int]:
    """The last two axes that have a coarser grid: reduced first, expanded last."""
    return sorted(axis for axis, blur in blurs.items() if blur.factor > 1)[-2:]


def blur_between(
    values: Array, blurs: Mapping[int, AxisBlur], mode: str, cval: float
) -> Array:
    """All of a blur but the way of `coarse_planes` to their grid, and back."""
    planes = coarse_planes(blurs)
    others = [a for a in sorted(blurs) if blurs[a].factor > 1 and a not in planes]
    lengths = values.shape
    for axis in others:
        values = reduced(values, axis, blurs[axis], mode, cval)
    for axis in sorted(blurs):
        if blurs[axis].taps.size > 1:
            # Points of a grid go on beyond those that the pixels need.
            here = "nearest" if blurs[axis].factor > 1 else mode
            values = _correlated(values, axis, blurs[axis], here, cval)
    for axis in reversed(others):
        values = expanded(values, axis, blurs[axis], lengths[axis])
    return values


def _correlated(
    values: Array, axis: int, blur: AxisBlur, mode: str, cval: float
) -> Array:
    out = np.empty(values.shape, values.dtype)
    taps = _taps(blur, values.shape[axis], mode, values.dtype)
    index = border_index(values.shape[axis], taps.size - 1, mode)
    inner = math.prod(values.shape[axis + 1 :])
    correlate = correlate_rows if inner >= LONG else correlate_lines
    correlate(
        np.ascontiguousarray(values).reshape(-1),
        out.reshape(-1),
        taps,
        index,
        inner,
        values.dtype.type(cval),
    )
    return out


@lru_cache(64)
def _taps(blur: AxisBlur, length: int, mode: str, dtype: np.dtype[Any]) -> Array:
    """Return half of the taps that an axis of `length` pixels needs."""
    return half_taps(blur.within(length, mode), dtype)
