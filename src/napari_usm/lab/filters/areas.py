"""Areas of low, medium and high contrast, and how much more active each should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_usm._filters.blur import blur
from napari_usm._filters.border import continued_axis
from napari_usm._filters.taps import BOX

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_usm._filters.dtypes import Array

# Pixels on each side that an area is told by: a difference, and the mean of three.
AREA_REACH = 2

# Fuzzy areas pass into each other a third of an octave on each side of a boundary: the
# two boundaries of the paper are 0.87 octaves apart, so some of the middle stays whole.
_HALF_OVERLAP = 2 ** (1 / 3)


@dataclass(frozen=True)
class Areas:
    """Bounds of areas of contrast, and the activity that is wanted in each.

    Attributes
    ----------
    low, high : float
        Standard deviation in a 3-wide window from which on contrast is medium, and
        high; in units of intensity.
    medium_growth, high_growth : float
        How much is to be added to the activity there, as a share of it; nothing is
        added where contrast is low.
    fuzzy : bool
        Whether areas pass into each other, and only edges are edges.
    """

    low: float
    high: float
    medium_growth: float
    high_growth: float
    fuzzy: bool


def wanted_growth(
    values: Array, areas: Areas, axes: Sequence[int], mode: str, cval: float
) -> Array:
    """By how much the activity at each pixel is to grow, as a share of it.

    Parameters
    ----------
    values : array
        Block with neighbours; NaN and infinite pixels are invalid.
    axes : sequence of int
        Filtered axes.
    mode, cval : str, float
        Border.
    """
    contrast = np.sqrt(local_variance(values, axes, mode, cval))
    if not areas.fuzzy:
        growth = np.where(contrast < areas.high, areas.medium_growth, areas.high_growth)
        return np.where(contrast < areas.low, 0, growth)
    found = _share_above(contrast, areas.low)
    beyond = _share_above(contrast, areas.high)
    growth = found * (
        areas.medium_growth + beyond * (areas.high_growth - areas.medium_growth)
    )
    result: Array = growth * coherence(values, axes, mode, cval)
    return result


def _share_above(contrast: Array, bound: float) -> Array:
    """0 well below a bound, 1 well above it, and a smooth way on a scale of octaves."""
    if bound == 0:
        return np.ones_like(contrast)
    with np.errstate(divide="ignore"):
        along = np.log(contrast / bound) / np.log(_HALF_OVERLAP)
    along = np.clip((along + 1) / 2, 0, 1)
    share: Array = along * along * (3 - 2 * along)
    return share


def local_variance(values: Array, axes: Iterable[int], mode: str, cval: float) -> Array:
    """Variance of the valid pixels in the 3-wide window around each pixel.

    Axis by axis: the variance of a union is the mean of the variances and the variance
    of the means. So nothing cancels, however far from 0 the intensities are. It is 0
    where no valid pixel is in reach.
    """
    weight = np.isfinite(values).astype(values.dtype)
    mean = np.where(weight > 0, values, 0)
    variance = np.zeros_like(mean)
    for axis in axes:
        counts, means, variances = (
            _three(each, axis, mode, outside)
            for each, outside in ((weight, 1.0), (mean, cval), (variance, 0.0))
        )
        total = _in_pairs(counts)
        some = np.maximum(total, 1e-9)  # weights are shares of 1 / 3 and more
        mean = _in_pairs([w * m for w, m in zip(counts, means, strict=True)]) / some
        within = _in_pairs([w * v for w, v in zip(counts, variances, strict=True)])
        (before, here, after), (a, b, c) = means, counts
        between = (a * b * (before - here) ** 2 + b * c * (after - here) ** 2) + (
            a * c * (after - before) ** 2
        )
        variance = (within + between / some) / some
        weight = total / 3
    return variance


def coherence(values: Array, axes: Sequence[int], mode: str, cval: float) -> Array:
    """Return the coherence of gradients around a pixel: 1 at an edge, less in noise.

    ``(n tr(J^2) / tr(J)^2 - 1) / (n - 1)`` for n axes and the mean J of the outer
    products of the gradients in a 3-wide window; 1 along a single axis, and 0 where
    there is no gradient.
    """
    if len(axes) == 1:
        return np.ones_like(values)
    valid = np.isfinite(values)
    slopes = []
    for axis in axes:
        before, _, after = _three(np.where(valid, values, np.nan), axis, mode, cval)
        slope = after - before
        slopes.append(np.where(np.isfinite(slope), slope, 0))
    around = dict.fromkeys(axes, BOX)
    trace, squares = np.zeros_like(values), np.zeros_like(values)
    for i, one in enumerate(slopes):
        own = blur(one * one, around, mode, 0.0)
        trace += own
        squares += own * own
        for other in slopes[:i]:
            squares += 2 * blur(one * other, around, mode, 0.0) ** 2
    count = len(axes)
    ratio = np.divide(
        count * squares, trace**2, out=np.zeros_like(values), where=trace**2 > 0
    )
    share: Array = np.clip((ratio - 1) / (count - 1), 0, 1)
    return share


def _three(values: Array, axis: int, mode: str, outside: float) -> list[Array]:
    """The pixel before, at and after each place along an axis."""
    length = values.shape[axis]
    held = np.moveaxis(continued_axis(values, axis, 1, mode, outside), axis, 0)
    return [np.moveaxis(held[k : k + length], 0, axis) for k in range(3)]


def _in_pairs(three: Sequence[Array]) -> Array:
    """Sum in which the outer two come first: the same in both directions."""
    total: Array = (three[0] + three[2]) + three[1]
    return total
