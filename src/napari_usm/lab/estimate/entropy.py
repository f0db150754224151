"""The entropy that an image would have if it were sharpened with one of many gains.

An image is seen in 256 levels between its smallest and its largest value. Blocks tell
these two first, then how many pixels each gain would put on each level: whole numbers,
so that the entropy does not depend on the blocks by a bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array

Floats = NDArray[np.float64]
Slices = tuple[slice, ...]

LEVELS = 256

# Of the whole range: what is nearer to the middle between two levels, or to an end of
# the range, lies there, whichever way rounding went.
_ROUNDING = 1e-9

# Amounts that are tried between the best of the first ones and each of its neighbours.
_FINER = 20

# Pixels that are sharpened at a time, once for each gain: some arrays of as many fit
# into the cache.
_PIECE = 2**15


def extremes(block: Array, kept: Sequence[int], core: Slices) -> Floats:
    """Smallest valid value of a block's core and the negative of its largest one.

    Returns
    -------
    array
        Shape of the core with 1 for every axis that is not kept, then 2; to be joined
        by the least. Infinite if there is none.
    """
    values = block[core].astype(np.float64)
    valid = np.isfinite(values)
    over = tuple(axis for axis in range(values.ndim) if axis not in kept)
    ends = [
        np.min(each, over, keepdims=True, where=valid, initial=np.inf)
        for each in (values, -values)
    ]
    return np.stack(ends, axis=-1)


def range_of(ends: Array) -> tuple[Floats, Floats]:
    """Smallest and largest value from `extremes`, on their axes; both 0 without any."""
    told = np.isfinite(ends).all(axis=-1)
    return np.where(told, ends[..., 0], 0.0), np.where(told, -ends[..., 1], 0.0)


def stretched(
    image: Array, detail: Array, low: Array, high: Array
) -> tuple[Array, Array]:
    """An image with `low` at 0 and `high` at 1, and its detail in these units.

    Both are 0 if there is no range; the image is NaN where it is invalid, and detail
    beyond any number adds nothing.
    """
    valid = np.isfinite(image)
    with np.errstate(over="ignore", invalid="ignore"):
        span = high - low
        told = (span > 0) & np.isfinite(span)
        unit = np.where(told, span, np.inf).astype(image.dtype)
        added = detail / unit
        added[~np.isfinite(added)] = 0
        return np.where(valid, (image - low) / unit, np.nan), added


def level_counts(
    image: Array,
    detail: Array,
    gains: Floats,
    kept: Sequence[int],
    core: Slices,
    *,
    restores: bool,
) -> Floats:
    """Pixels on each level of ``image + detail / gain``.

    Parameters
    ----------
    image, detail : array of float64
        A block with neighbours, and what is added to it, stretched; invalid pixels are
        not finite in `image`.
    gains : (..., K) array
        Gains to try; in front the axes of the result, where they are not the same for
        each index.
    kept : sequence of int
        Axes along which nothing is counted together.
    core : tuple of slice
        The pixels to count.
    restores : bool
        Whether a pixel that would leave the range keeps its value, instead of
        saturating.

    Returns
    -------
    array
        Shape of the core with 1 for every axis that is not kept, then (K, LEVELS + 1):
        the last number is that of the pixels that would leave the range.
    """
    order = [*kept, *(axis for axis in range(image.ndim) if axis not in kept)]
    x, z = (each[core].transpose(order) for each in (image, detail))
    items = x.shape[: len(kept)]
    lengths = [n if a in kept else 1 for a, n in enumerate(image[core].shape)]
    count = gains.shape[-1]
    tried = np.broadcast_to(gains, (*lengths, count)).reshape(*items, count)
    found = np.zeros((*items, count, LEVELS + 1))
    for place in np.ndindex(*items):
        valid = np.isfinite(x[place])
        own, added = x[place][valid], z[place][valid]
        size = -(-_PIECE // count)
        for start in range(0, own.size, size):
            piece = slice(start, start + size)
            change = added[piece] / tried[place][:, np.newaxis]
            found[place] += _counted(own[piece], change, restores)
    return found.reshape(*lengths, count, LEVELS + 1)


def _counted(image: Floats, change: Floats, restores: bool) -> NDArray[np.intp]:
    """Pixels on each level and those that would leave the range, for each change."""
    made = image + change
    out = (made < -_ROUNDING) | (made > 1 + _ROUNDING)
    made = np.where(out, image, made) if restores else np.clip(made, 0, 1)
    levels = (made * (LEVELS - 1) + (0.5 + _ROUNDING)).astype(np.intp)
    levels += LEVELS * np.arange(len(change))[:, np.newaxis]
    counts = np.bincount(levels.ravel(), minlength=LEVELS * len(change))
    beyond = np.count_nonzero(out, axis=1)[:, np.newaxis]
    return np.concatenate([counts.reshape(-1, LEVELS), beyond], axis=1)


def entropies(counts: Array, *, penalty: bool) -> Floats:
    """Entropy in bits with each gain, from the total of `level_counts`.

    Parameters
    ----------
    counts : (..., K, LEVELS + 1) array
        That total.
    penalty : bool
        Whether the entropy is multiplied by the share of pixels that stay in the range.

    Returns
    -------
    (..., K) array
    """
    pixels = np.maximum(counts[..., :-1].sum(axis=-1), 1)
    share = counts[..., :-1] / pixels[..., np.newaxis]
    bits = np.log2(share, out=np.zeros_like(share), where=share > 0)
    curve: Floats = -(share * bits).sum(axis=-1)
    return curve * (1 - counts[..., -1] / pixels) if penalty else curve


def best_of(curve: Floats, gains: Floats) -> Floats:
    """The gain of the largest entropy; of several the largest, which adds least.

    Parameters
    ----------
    curve : (..., K) array
        Entropy with each gain.
    gains : (K,) or (..., K) array
        The gains, increasing.
    """
    # What differs by less is a tie.
    best = curve >= curve.max(axis=-1, keepdims=True) - _ROUNDING
    last = curve.shape[-1] - 1 - np.argmax(best[..., ::-1], axis=-1)
    gains = np.broadcast_to(gains, curve.shape)
    return np.take_along_axis(gains, last[..., np.newaxis], -1)[..., 0]


def around(best: Floats, gains: Floats) -> Floats:
    """Gains from the one below the best to the one above it, and the best itself.

    Parameters
    ----------
    best : (...) array
        Each one of `gains`.
    gains : (K,) array
        The gains tried so far, increasing.

    Returns
    -------
    (..., L) array
        Their amounts are evenly spaced on each side.
    """
    at = np.searchsorted(gains, best)
    ends = np.maximum(at - 1, 0), np.minimum(at + 1, gains.size - 1)
    most, least = (1 / gains[end] for end in ends)
    sides = [
        np.linspace(most, 1 / best, _FINER, axis=-1),
        np.linspace(1 / best, least, _FINER, axis=-1)[..., 1:],
    ]
    return 1 / np.concatenate(sides, axis=-1)
