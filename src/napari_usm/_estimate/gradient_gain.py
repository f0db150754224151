"""The gain of Mortezaie, Hassanpour and Asadi Amiri (2017), from gradient norms.

With ``y = x + z / gain``, every gradient of y is linear in 1 / gain, so its
1-norm for all gains comes out of one pass over the pixels: ``|a + b / gain|``
is ``|a| + sign(a) * b / gain`` until the sum changes sign, which happens at
``gain = -b / a`` and for 1 to 20 % of the pixels only. Blocks give the sums of
``|a|`` and ``sign(a) * b``; norms are made of their total.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_usm._kernels.gradients import gradient_plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array

Floats = NDArray[np.float64]
Slices = tuple[slice, ...]

# How far beyond a pixel its differences reach (the second difference of 1-D data).
REACH = 2

# Cells of the table in which gains are looked up: so many that two seldom share one.
_CELLS = 2048

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
    """Sums over the gradients of one block, to be added up over all blocks.

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
        (terms + 1, 2, K + 2): for each first difference and the mixed second ones
        the sums of ``|a|`` and of ``sign(a) * b``; at k < K + 1 those over what has
        changed sign at k gains, at K + 1 over all. At ``[..., -1, 0, 0]`` the sum
        of ``|x|``.
    """
    summed = [axis for axis in range(image.ndim) if axis not in kept]
    order = [*kept, *summed]
    x, z = (np.ascontiguousarray(v.transpose(order)) for v in (image, detail))
    window = [core[axis] for axis in order]
    total = np.nansum(np.abs(image[core]), axis=tuple(summed), keepdims=True)

    def added(along: Sequence[int]) -> Floats:
        moved = [order.index(axis) for axis in along]
        found = _added(x, z, gains, len(kept), window, moved)
        return found.reshape(*total.shape, *found.shape[-2:])

    # Along an axis that is too short there are none: 0 / 0 counts as 1 below.
    rows = [added([axis]) for axis in axes]
    if seconds := [added(along) for along in _second_differences(axes, lengths)]:
        rows.append(sum(seconds[1:], start=seconds[0]))
    last = np.zeros_like(rows[0])
    last[..., 0, 0] = total
    return np.stack([*rows, last], axis=-3)


def gain_from_sums(sums: Floats, gains: Floats) -> tuple[Floats, Floats]:
    """The gain at which S rises most, and the curve S.

    Parameters
    ----------
    sums : (..., terms + 1, 2, K + 2) array
        Total of `gradient_sums`, or a multiple of it.
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
    before, slope = sums[..., :-1, 0, -1:], sums[..., :-1, 1, -1:]
    # At gain k those have changed sign that do so at more than k gains.
    changed = sums[..., :-1, :, -2:0:-1].cumsum(axis=-1)[..., ::-1]
    size, slope = before - 2 * changed[..., 0, :], slope - 2 * changed[..., 1, :]
    after = size + slope / gains
    nothing = _ROUNDINGS * sums[..., -1:, 0, :1] * (1 + 1 / gains)
    flat = (before <= nothing) & (after <= nothing)
    ratio = np.divide(
        np.broadcast_to(before, after.shape),
        after,
        out=np.ones_like(after),
        where=~flat & (after > 0),
    )
    curve = np.prod(ratio, axis=-2)
    rise = np.gradient(curve, axis=-1)
    # Blocks add in different orders: what differs by less is a tie.
    least = 1e-9 * np.abs(curve).max(axis=-1, keepdims=True)
    steepest = np.argmax(rise >= rise.max(axis=-1, keepdims=True) - least, axis=-1)
    varies = np.ptp(curve, axis=-1) > least[..., 0]
    return gains[np.where(varies, steepest, -1)], curve


def look_up(gains: Floats) -> tuple[Floats, NDArray[np.int32]]:
    """Return the lookup table by which a kernel counts the gains below a number.

    Returns
    -------
    limits : (K + 1,) array of float64
        The gains, and infinity.
    table : (_CELLS + 2,) array of int32
        How many gains are below the lower end of each cell. `_CELLS` cells of one
        size end at the largest gain.
    """
    steps = np.arange(_CELLS + 2) * (gains[-1] / _CELLS)
    # A little lower: a number that is rounded up into a cell is not above its gains.
    table = np.searchsorted(gains, steps * (1 - 1e-9)).astype(np.int32)
    return np.append(gains, np.inf), table


def _second_differences(
    axes: Sequence[int], lengths: Sequence[int]
) -> list[tuple[int, int]]:
    """Pairs of axes to take differences along; of one axis alone, twice along it."""
    long = [axis for axis in axes if lengths[axis] > 1]
    if len(long) == 1:
        return [(long[0], long[0])]
    return list(itertools.combinations(long, 2))


def _added(
    x: Array,
    z: Array,
    gains: Floats,
    items: int,
    window: Sequence[slice],
    along: Sequence[int],
) -> Floats:
    """Sums over one difference, for each item.

    Parameters
    ----------
    x, z : array of float64
        Contiguous; there is a result for each index over the first `items` axes.
    window : sequence of slice
        Pixels that differences may start from.
    along : sequence of int
        The one or two axes that differences are taken along.
    """
    strides = [math.prod(x.shape[axis + 1 :]) for axis in range(x.ndim)]
    starts = [
        range(span.start, min(span.stop, length - along.count(axis)))
        for axis, (span, length) in enumerate(zip(window, x.shape, strict=True))
    ]
    found = np.zeros((*(len(s) for s in starts[:items]), 2, gains.size + 2))
    table = look_up(gains)
    # The kernel takes one plane, or one line where no second axis is summed.
    planes = starts[: max(items, x.ndim - 2)]
    *above, columns = starts[len(planes) :]
    rows = above[0] if above else range(1)
    stride = strides[-2] if above else 0
    first, second = (*(strides[axis] for axis in along), 0)[:2]
    for place in itertools.product(*planes):
        at = sum(i * step for i, step in zip(place, strides, strict=False))
        item = tuple(i - starts[axis].start for axis, i in enumerate(place[:items]))
        gradient_plane(
            x.reshape(-1),
            z.reshape(-1),
            at + rows.start * stride + columns.start,
            stride,
            len(rows),
            len(columns),
            first,
            second,
            *table,
            found[item][np.newaxis],
        )
    return found
