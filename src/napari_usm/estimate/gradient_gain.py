"""The gain of Mortezaie, Hassanpour and Asadi Amiri (2017), from gradient norms.

With ``y = x + z / gain``, every gradient of y is linear in 1 / gain, so its
1-norm for all gains comes out of one pass over the pixels: ``|a + b / gain|``
is ``|a| + sign(a) * b / gain`` until the sum changes sign, which happens at
``gain = -b / a`` and for 1 to 20 % of the pixels only.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.filters.dtypes import Array

Floats = NDArray[np.float64]
Slices = tuple[slice, ...]

# How far beyond a pixel its differences reach (the second difference of 1-D data).
REACH = 2

# Sums of differences up to this many roundings of the sum of the pixels are nothing.
_ROUNDINGS = 64 * np.finfo(np.float64).eps


def gradient_sums(
    image: Array,
    detail: Array,
    gains: Floats,
    axes: Sequence[int],
    kept: Sequence[int],
    core: Slices,
    lengths: Sequence[int],
) -> Floats:
    """Gradient norms of one block, to be added up over all blocks.

    Parameters
    ----------
    image, detail : array
        x and z of the block with neighbours; invalid pixels are NaN in `image`.
    gains : (K,) array
        Gains to try.
    axes : sequence of int
        Filtered axes.
    kept : sequence of int
        Axes along which nothing is summed: each index has its own gain.
    core : tuple of slice
        The pixels of the block to which differences are charged.
    lengths : sequence of int
        Shape of the whole image: pairs of axes of one pixel have no differences.

    Returns
    -------
    array of float64
        Shape of the core with 1 for every axis that is not kept, then
        (terms + 1, 1 + K): for each first difference and the mixed second ones
        the norm for x and for y at each gain; in the last row the sum of ``|x|``.
    """

    def norms(steps: dict[int, int]) -> Floats:
        a, b = (_difference(values, steps, core) for values in (image, detail))
        return _absolute_sums(a, b, gains, kept)

    # Along an axis that is too short there are none: 0 / 0 counts as 1 below.
    rows = [norms({axis: 1}) for axis in axes]
    seconds = [norms(steps) for steps in _second_differences(axes, lengths)]
    if seconds:
        rows.append(sum(seconds[1:], start=seconds[0]))
    total = np.nansum(np.abs(image[core]), axis=_summed(image, kept), keepdims=True)
    last = np.zeros((*total.shape, 1 + gains.size))
    last[..., 0] = total
    return np.stack([*rows, last], axis=-2)


def gain_from_sums(sums: Floats, gains: Floats) -> tuple[Floats, Floats]:
    """The gain at which S rises most, and the curve S.

    Parameters
    ----------
    sums : (..., terms + 1, 1 + K) array
        Total of `gradient_sums`.
    gains : (K,) array
        Strictly increasing, at least two.

    Returns
    -------
    gain : (...) array
        Where ``numpy.gradient(S)`` is largest, the first of equals; the largest
        gain where S does not vary.
    curve : (..., K) array
        S, the product of the ratios ``|gradient of x| / |gradient of y|``.
    """
    before, after = sums[..., :-1, :1], sums[..., :-1, 1:]
    nothing = _ROUNDINGS * sums[..., -1:, :1] * (1 + 1 / gains)
    flat = (before <= nothing) & (after <= nothing)
    ratio = np.divide(
        np.broadcast_to(before, after.shape),
        after,
        out=np.ones_like(after),
        where=~flat & (after > 0),
    )
    curve = np.prod(ratio, axis=-2)
    slope = np.gradient(curve, axis=-1)
    # Blocks add in different orders: what differs by less is a tie.
    size = 1e-9 * np.abs(curve).max(axis=-1, keepdims=True)
    steepest = np.argmax(slope >= slope.max(axis=-1, keepdims=True) - size, axis=-1)
    varies = np.ptp(curve, axis=-1) > size[..., 0]
    return gains[np.where(varies, steepest, -1)], curve


def _second_differences(
    axes: Sequence[int], lengths: Sequence[int]
) -> list[dict[int, int]]:
    """Mixed ones for all pairs of axes; the second one where there is only one axis."""
    long = [axis for axis in axes if lengths[axis] > 1]
    if len(long) == 1:
        return [{long[0]: 2}]
    return [{first: 1, second: 1} for first, second in combinations(long, 2)]


def _difference(values: Array, steps: dict[int, int], core: Slices) -> Array:
    """Forward differences, `steps` of them along each axis, that start in `core`."""
    window = list(core)
    for axis, order in steps.items():
        stop = min(core[axis].stop + order, values.shape[axis])
        window[axis] = slice(core[axis].start, stop)
    result = values[tuple(window)]
    for axis, order in steps.items():
        result = np.diff(result, n=order, axis=axis)
    return result


def _absolute_sums(a: Array, b: Array, gains: Floats, kept: Sequence[int]) -> Floats:
    """Sums of ``|a|`` and of ``|a + b / gain|`` for each gain, NaN left out."""
    summed = _summed(a, kept)
    shape = tuple(1 if axis in summed else n for axis, n in enumerate(a.shape))
    order = [*kept, *summed]
    items = int(np.prod([a.shape[axis] for axis in kept], dtype=int))
    a = a.transpose(order).reshape(items, -1)
    b = b.transpose(order).reshape(items, -1)
    missing = np.isnan(a)
    if missing.any():
        a, b = np.where(missing, 0, a), np.where(missing, 0, b)
    slope = np.where(a == 0, np.abs(b), np.sign(a) * b)
    size = np.abs(a)
    item, pixel = np.nonzero(slope < 0)
    size_left, slope_left = size[item, pixel], slope[item, pixel]
    # The sum has changed sign at all gains below -b / a: count them.
    below = np.searchsorted(gains, -slope_left / size_left, side="left")
    bins = item * (gains.size + 1) + below
    count = items * (gains.size + 1)
    flipped = [
        np.bincount(bins, weights, count).reshape(items, -1)[:, ::-1].cumsum(axis=1)
        for weights in (size_left, slope_left)
    ]
    # Column k: those with more than k gains below, so flipped at gain k.
    size_flipped, slope_flipped = (sums[:, -2::-1] for sums in flipped)
    total_size = size.sum(axis=1, keepdims=True)
    total_slope = slope.sum(axis=1, keepdims=True)
    norms = total_size - 2 * size_flipped + (total_slope - 2 * slope_flipped) / gains
    return np.concatenate([total_size, norms], axis=1).reshape(*shape, -1)


def _summed(values: Array, kept: Sequence[int]) -> tuple[int, ...]:
    return tuple(axis for axis in range(values.ndim) if axis not in kept)
