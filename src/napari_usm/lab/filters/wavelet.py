"""The stationary wavelet transform: detail whose strongest coefficients are trimmed.

Every level is as long as the image, so that no pixel is special: what comes out is the
mean of the decimated transform over all places where it could begin.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_usm._filters.blur import blur
from napari_usm._filters.border import continued_axis
from napari_usm._filters.taps import AxisBlur, Taps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array


@dataclass(frozen=True, eq=False)
class Bank:
    """The filters of a wavelet, each the same backwards, or the same but for its sign.

    Attributes
    ----------
    analysis, synthesis : tuple of (array, array)
        Low-pass and high-pass taps, the low ones of sum 1. The two of one kind one
        after the other, added for both kinds, give the signal back.
    """

    analysis: tuple[Taps, Taps]
    synthesis: tuple[Taps, Taps]

    def reach(self, levels: int) -> int:
        """Pixels on each side that the detail of a pixel depends on."""
        kinds = zip(self.analysis, self.synthesis, strict=True)
        longest = max(first.size + second.size - 2 for first, second in kinds) // 2
        return longest * ((1 << levels) - 1)


@lru_cache(16)
def filter_bank(wavelet: str) -> Bank:
    """The filters of a wavelet of PyWavelets.

    Raises
    ------
    ValueError
        If there is no such wavelet, or if its filters are not symmetric.
    """
    import pywt  # late: it takes 0.25 s

    # For an orthonormal transform the low taps are of sum sqrt(2).
    low, high, low_back, high_back = (
        np.trim_zeros(np.asarray(taps)) / np.sqrt(2)
        for taps in pywt.Wavelet(wavelet).filter_bank
    )
    both = np.convolve(low, low_back), np.convolve(high, high_back)
    whole = np.zeros(max(each.size for each in both))
    if len({each.size % 2 for each in (*both, whole)}) > 1:
        raise ValueError(f"{wavelet} has filters of odd and of even length")
    for each in both:
        margin = (whole.size - each.size) // 2
        whole[margin : margin + each.size] += each
    whole[whole.size // 2] -= 1
    symmetric = all(np.allclose(abs(t), abs(t[::-1])) for t in (low, high))
    if not symmetric or np.abs(whole).max() > 1e-6:
        raise ValueError(f"{wavelet} is not symmetric")
    return Bank((low, high), (low_back, high_back))


def trimmed_detail(
    values: Array,
    bank: Bank,
    levels: int,
    limit: float,
    axes: Sequence[int],
    mode: str,
    cval: float,
) -> Array:
    """Return the sum of the detail planes of the transform, in the type of `values`.

    Parameters
    ----------
    values : array
        Block with neighbours, of the working type; NaN and infinite pixels are invalid.
        They count as the mean of the valid ones in reach.
    bank, levels : Bank, int
        The transform.
    limit : float
        Coefficients are held between this and its negative; in units of intensity.
    axes : sequence of int
        Filtered axes.
    mode, cval : str, float
        Border.

    Returns
    -------
    array
        0 at invalid pixels.
    """
    reach = bank.reach(levels)
    valid = np.isfinite(values)
    known = values
    if not valid.all():
        wide = AxisBlur(np.full(2 * reach + 1, 1 / (2 * reach + 1)))
        around = blur(values, dict.fromkeys(axes, wide), mode, cval)
        known = np.where(valid, values, around)
    # With a margin at both ends of which nothing is kept: rolling may wrap round.
    for axis in axes:
        known = continued_axis(known, axis, reach, mode, cval)
    found = _detail(known, bank, 1, levels, limit, axes)
    inner = tuple(
        slice(reach, reach + length) if axis in axes else slice(None)
        for axis, length in enumerate(values.shape)
    )
    return np.where(valid, found[inner], 0)


def _detail(
    values: Array,
    bank: Bank,
    level: int,
    levels: int,
    limit: float,
    axes: Sequence[int],
) -> Array:
    """The detail of a level and of all that are coarser."""
    step = 2 ** (level - 1)
    bands: dict[tuple[int, ...], Array] = {(): values}
    for axis in axes:
        bands = {
            (*kinds, kind): _filtered(band, bank.analysis[kind], axis, step, 1)
            for (kinds, band), kind in itertools.product(bands.items(), (0, 1))
        }
    low = (0,) * len(axes)
    for kinds, band in bands.items():
        if kinds != low:
            bands[kinds] = np.clip(band, -limit, limit)
        elif level < levels:
            bands[kinds] = _detail(band, bank, level + 1, levels, limit, axes)
        else:
            bands[kinds] = np.zeros_like(band)
    for axis in reversed(axes):
        bands = {
            kinds[:-1]: _filtered(bands[kinds], bank.synthesis[0], axis, step, 0)
            + _filtered(bands[*kinds[:-1], 1], bank.synthesis[1], axis, step, 0)
            for kinds in bands
            if kinds[-1] == 0
        }
    return bands[()]


def _filtered(values: Array, taps: Taps, axis: int, step: int, lean: int) -> Array:
    """Correlation with taps `step` pixels apart, added in pairs.

    So an axis that runs backwards gives the same bits. The middle of an even number of
    taps is half a step behind the pixel (`lean` 1) or before it (0).
    """
    middle = (taps.size - lean) // 2

    def neighbour(k: int) -> Array:
        return np.roll(values, step * (middle - k), axis)

    mirrored = np.add if np.isclose(taps[0], taps[-1]) else np.subtract
    total = values * (float(taps[middle]) if taps.size % 2 else 0.0)
    for k in range(taps.size // 2):
        last = taps.size - 1 - k
        total += float(taps[last]) * mirrored(neighbour(last), neighbour(k))
    return total
