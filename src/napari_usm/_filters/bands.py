"""Three bands of an image, weighted by the local ratio of signal to noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.blur import blur, blur_of_known
from napari_usm._filters.impulses import without_impulses
from napari_usm._filters.local_floor import local_floor
from napari_usm._filters.taps import AxisBlur
from napari_usm._kernels.bands import weigh_bands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_usm._filters.dtypes import Array

# Half the side of the square over which signal is compared with noise.
NEAR = 4

# What the means over it are.
MEAN = AxisBlur(np.full(2 * NEAR + 1, 1 / (2 * NEAR + 1)))

# From the mean size of a normal distribution to its standard deviation.
_FROM_SIZE = math.sqrt(math.pi / 2)


def farthest(dtype: np.dtype[Any]) -> float:
    """Return the largest constant border, in units of the range of the image.

    Its square is a number then.
    """
    return float(np.sqrt(np.finfo(dtype).max))


@dataclass(frozen=True)
class Noise:
    """Noise by intensity: the variance is ``constant + growth * (intensity - zero)``.

    It is at least ``least ** 2``.
    """

    constant: float
    growth: float
    zero: float
    least: float

    def variance(self, intensity: Array) -> Array:
        """At pixels of these intensities; type of `intensity`."""
        kind = intensity.dtype.type
        # From the lowest on: in float32 far from 0 nothing else is left of it.
        growing = kind(self.growth) * (intensity - kind(self.zero))
        variance: Array = np.maximum(growing + kind(self.constant), kind(self.least**2))
        return variance

    @property
    def numbers(self) -> tuple[float, ...]:
        """Return what kernels compute a variance from, see `_kernels.bands`."""
        return self.constant, self.growth, self.zero, self.least**2

    def around(
        self,
        blurred: Array,
        means: Mapping[int, AxisBlur],
        mode: str,
        cval: float,
        weight: Array | None = None,
    ) -> Array:
        """Local mean of the variance in a blurred image; (1,) if it does not grow."""
        kind = blurred.dtype.type
        beyond = self.variance(np.full(1, cval, kind))
        if self.growth == 0:
            return beyond
        return blur(self.variance(blurred), means, mode, float(beyond[0]), weight)


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
    noise : Noise
        That of the image.
    ground : float
        Share of what is below the ground that is lifted to it, 0 for none; below 0,
        of what is above a bright ground that is lowered to it.
    rise : float
        Height of the ground above the local floor of the second blur, in standard
        deviations of the noise: the lowest of noisy pixels is below their mean.
    impulses : Noise, optional
        Noise that an impulse must stand out of; None if there are none.
    correction : float
        Share of the difference between an impulse and the median around it that is
        part of the detail.
    """

    narrow: Mapping[int, AxisBlur]
    wide: Mapping[int, AxisBlur]
    table: NDArray[np.float64]
    first_octave: int
    noise_gain: float
    noise: Noise
    ground: float = 0.0
    rise: float = 0.0
    impulses: Noise | None = None
    correction: float = 0.0

    @property
    def plane_axes(self) -> tuple[int, ...]:
        """Return the axes of the planes that ground and impulses are looked for in."""
        return tuple(sorted(self.narrow)[-2:])


def weighted_bands(
    values: Array, bands: Bands, mode: str, cval: float, weight: Array | None = None
) -> Array:
    """Sum of the weighted bands, 0 at invalid pixels; type of `values`.

    Parameters
    ----------
    values : array
        Block with neighbours; NaN and infinite pixels are invalid.
    mode, cval : str, float
        Border.
    weight : array, optional
        As for `blur`.
    """
    values = np.ascontiguousarray(values)
    if bands.impulses is not None:
        clean = _without_impulses(values, bands.impulses, bands.plane_axes)
        if clean is not values:
            detail = _weighted_bands(clean, bands, mode, cval, weight)
            with np.errstate(invalid="ignore"):
                change = values.dtype.type(bands.correction) * (clean - values)
            return np.where(np.isfinite(values), detail + change, detail)
    return _weighted_bands(values, bands, mode, cval, weight)


def _without_impulses(values: Array, noise: Noise, axes: Sequence[int]) -> Array:
    return without_impulses(values, axes, np.array([noise.numbers], values.dtype))


def _weighted_bands(
    values: Array, bands: Bands, mode: str, cval: float, weight: Array | None
) -> Array:
    """Return the sum of the bands, and what lifts it to the ground."""
    around = dict.fromkeys(bands.narrow, MEAN)
    once = blur_of_known(values, bands.narrow, mode, cval, weight)
    twice = blur_of_known(once, bands.narrow, mode, cval, weight)
    rest = blur_of_known(twice, bands.wide, mode, cval, weight)
    size = twice - rest
    size = blur(np.abs(size, out=size), around, mode, 0.0, weight)
    noise = bands.noise.around(once, around, mode, cval, weight)
    out = np.empty_like(values)
    weigh_bands(
        *(each.reshape(-1) for each in (values, once, twice, rest, size, noise)),
        found_by(bands, values.dtype),
        out.reshape(-1),
    )
    return _lifted(out, values, twice, bands, mode) if bands.ground else out


def _lifted(
    detail: Array, values: Array, twice: Array, bands: Bands, mode: str
) -> Array:
    """Return detail that leaves the image no darker than its ground."""
    kind = values.dtype.type
    upside = kind(math.copysign(1, bands.ground))
    floor = local_floor(upside * twice, bands.plane_axes, mode)
    valid = np.isfinite(values) & np.isfinite(floor)
    floor = np.where(valid, floor, 0)
    noise = np.sqrt(bands.noise.variance(upside * floor))
    ground = floor + kind(bands.rise) * noise
    with np.errstate(invalid="ignore"):
        below = np.maximum(ground - upside * (values + detail), 0)
    return np.where(valid, detail + kind(bands.ground) * below, detail)


def found_by(bands: Bands, dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """Return the numbers that the kernels compute weights from."""
    rows = np.hstack([bands.table[:-1], np.diff(bands.table, axis=0)])
    octaves = bands.first_octave, bands.first_octave + len(rows)
    ends = tuple(dtype.type(2.0**octave) for octave in octaves)
    factor = dtype.type(_FROM_SIZE / math.sqrt(bands.noise_gain))
    numbers = np.finfo(dtype)
    whole = np.empty(0, f"i{dtype.itemsize}")
    bits = whole, numbers.nmant, bands.first_octave + numbers.maxexp - 1
    return rows.astype(dtype).reshape(-1), ends, factor, bits
