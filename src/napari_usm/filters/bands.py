"""Three bands of an image, weighted by the local ratio of signal to noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_usm.filters.blur import blur
from napari_usm.filters.taps import AxisBlur

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_usm.filters.dtypes import Array

# Half the side of the square over which signal is compared with noise.
NEAR = 4

_MEAN = AxisBlur(np.full(2 * NEAR + 1, 1 / (2 * NEAR + 1)))

# From the mean size of a normal distribution to its standard deviation.
_FROM_SIZE = math.sqrt(math.pi / 2)


@dataclass(frozen=True, eq=False)
class Bands:
    """Three bands, and how much of each is added.

    Attributes
    ----------
    narrow, wide : mapping of axis to AxisBlur
        The first blur is done twice, the second behind it.
    table : (octaves, 3) array
        Weights where the ratio of signal to noise is a power of 2.
    first_octave : int
        That of the first row.
    noise_gain : float
        Variance in the third band of noise of variance 1.
    constant, growth, zero, least : float
        The noise: variance ``constant + growth * (intensity - zero)``, at least
        ``least ** 2``.
    """

    narrow: Mapping[int, AxisBlur]
    wide: Mapping[int, AxisBlur]
    table: NDArray[np.float64]
    first_octave: int
    noise_gain: float
    constant: float
    growth: float
    zero: float
    least: float


def weighted_bands(values: Array, bands: Bands, mode: str, cval: float) -> Array:
    """Sum of the weighted bands, 0 at invalid pixels; type of `values`.

    Parameters
    ----------
    values : array
        Block with neighbours; NaN and infinite pixels are invalid.
    mode, cval : str, float
        Border.
    """
    valid = np.isfinite(values)
    kind = values.dtype.type
    around = dict.fromkeys(bands.narrow, _MEAN)

    def blurred(of: Array, by: Mapping[int, AxisBlur]) -> Array:
        # What is not known does not become known by the first of several blurs.
        return np.where(valid, blur(of, by, mode, cval), kind(np.nan))

    def mean(of: Array, beyond: float) -> Array:
        return blur(of, around, mode, beyond)

    once = blurred(values, bands.narrow)
    twice = blurred(once, bands.narrow)
    third = twice - blurred(twice, bands.wide)
    scale = kind(_FROM_SIZE / math.sqrt(bands.noise_gain))
    size = mean(np.abs(third), 0.0) * scale
    noise = _noise(once, bands)
    if bands.growth > 0:
        noise = mean(noise, float(_noise(np.full(1, cval, values.dtype), bands)[0]))
    first, second, last = _weights(size * size / noise - kind(1), bands)
    found = (values - once) * first + (once - twice) * second + third * last
    result: Array = np.where(valid, found, kind(0))
    return result


def _noise(intensity: Array, bands: Bands) -> Array:
    kind = intensity.dtype.type
    # Intensity from the lowest on: in float32 far from 0 nothing else is left of it.
    growing = kind(bands.growth) * (intensity - kind(bands.zero))
    variance: Array = np.maximum(growing + kind(bands.constant), kind(bands.least**2))
    return variance


def _weights(ratio: Array, bands: Bands) -> list[Array]:
    """Weight of each band at each pixel: straight between the powers of 2."""
    kind = ratio.dtype.type
    last = len(bands.table) - 1
    held = np.clip(
        np.where(np.isfinite(ratio), ratio, kind(1)),
        kind(2.0**bands.first_octave),
        kind(2.0 ** (bands.first_octave + last)),
    )
    mantissa, exponent = np.frexp(held)
    row = np.minimum(exponent - 1 - bands.first_octave, last - 1)
    # From 0 at a power of 2 to 1 at the next.
    along = np.ldexp(mantissa, exponent - bands.first_octave - row) - kind(1)
    table = bands.table.astype(ratio.dtype)
    steps = np.diff(table, axis=0)
    return [table[row, band] + along * steps[row, band] for band in range(3)]
