"""The weights of a blur along one axis, on every pixel or on a coarser grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_usm._filters.attribute import cached_attribute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array

Taps = NDArray[np.float64]

# From this sigma on a Gaussian is blurred on a coarser grid, if it is not cut nearer
# than at 4 sigma; below, it is exact to rounding.
_COARSE_SIGMA = 4.0
_COARSE_TRUNCATE = 4.0

# Sigma on the coarser grid, at least, and weights on each side: the error of a unit
# step is then 5.5e-4 at most.
_LEAST_SIGMA = 1.33
_COARSE_RADIUS = 5

# From this factor on the weights of a grid are those of this one, to 1e-7.
_FINEST = 4096

# Taps this far away stay as they are, however short the axis.
_LONG = 256

# From twice the length of an axis on, and from this sigma on, its blur is a polynomial:
# within 1e-4 of a step, and the mean where the axis is reflected, to 3e-9.
_BEYOND = 2
_LEAST_BEYOND = 16


@dataclass(frozen=True, eq=False)
class AxisBlur:
    """A blur along one axis.

    Attributes
    ----------
    taps : array
        Symmetric weights of sum 1, an odd number of them.
    factor : int
        Pixels from one weight to the next. If more than 1, the image is brought to
        that grid and back by cubic B-splines; the grid has a point at pixel 0.
    sigma : float
        Standard deviation of a Gaussian on such a grid.
    """

    taps: Taps
    factor: int = 1
    sigma: float = 0.0

    @property
    def radius(self) -> int:
        """Weights on each side."""
        return self.taps.size // 2

    @property
    def reach(self) -> int:
        """Pixels on each side that a pixel's blur depends on."""
        if self.factor == 1:
            return self.radius
        # Two splines of four intervals, and up to one to the nearest grid point. The
        # outermost tap is 0, but makes a sum that overflows NaN.
        return (self.radius + 4) * self.factor - 1

    def is_beyond(self, length: int) -> bool:
        """Return whether an axis of that length is blurred without a grid.

        The blur is so wide then that every block holds the whole axis.
        """
        return self.sigma >= max(_BEYOND * length, _LEAST_BEYOND)

    def within(self, length: int, mode: str) -> Taps:
        """Return the taps, added up where an axis of that length is shorter.

        Beyond it are its border, or the same pixels again.
        """
        if self.radius <= max(length, _LONG) or self.factor > 1:
            return self.taps
        return _folded(self, length, mode)

    @property
    def does_nothing(self) -> bool:
        """Return whether every pixel stays as it is."""
        return self.taps.size == 1 and self.factor == 1

    @cached_attribute
    def weights(self) -> Taps:
        """The weights on every pixel, for a pixel at a grid point."""
        if self.factor == 1:
            return self.taps
        # Wider ones differ by less than the rounding of a result.
        factor = min(self.factor, _FINEST)
        down, up = spline_taps(factor, np.float64)
        points = np.convolve(self.taps, up[factor::factor])
        spread = np.zeros((points.size - 1) * factor + 1)
        spread[::factor] = points
        # By their spectra: one by one it would take longer than any blur.
        size = spread.size + down.size - 2
        spectrum = np.fft.rfft(spread, size) * np.fft.rfft(down[1:], size)
        return np.fft.irfft(spectrum, size)


BOX = AxisBlur(np.full(3, 1 / 3))


@lru_cache(64)
def gaussian(sigma: float, truncate: float) -> AxisBlur:
    """A Gaussian that is cut at `truncate` sigmas; from sigma 4 on, on a coarser grid.

    Its time falls with sigma then, and a unit step comes out within 5.5e-4 of the true
    Gaussian's.
    """
    if sigma < _COARSE_SIGMA or truncate < _COARSE_TRUNCATE:
        return AxisBlur(gaussian_taps(sigma, gaussian_radius(sigma, truncate)))
    factor = int(sigma / _LEAST_SIGMA)
    return AxisBlur(_coarse_taps(sigma, factor), factor, sigma)


def _coarse_taps(sigma: float, factor: int) -> Taps:
    """Weights whose spectrum is the Gaussian's over that of the two splines.

    A Gaussian of the variance that the splines leave is 1.6 times as far off.
    """
    if factor > _FINEST:
        # The same shape, of fewer samples.
        sigma, factor = sigma * (_FINEST / factor), _FINEST
    frequency = np.linspace(0, np.pi, 33) / factor
    down, _ = spline_taps(factor, np.float64)
    places = np.arange(-2 * factor, 2 * factor)
    spline = np.cos(np.outer(frequency, places)) @ down
    half = np.fft.irfft(np.exp(-0.5 * (sigma * frequency) ** 2) / spline**2)
    taps: Taps = np.concatenate([half[_COARSE_RADIUS:0:-1], half[: _COARSE_RADIUS + 1]])
    taps /= taps.sum()
    taps.flags.writeable = False
    return taps


@lru_cache(16)
def _folded(blur: AxisBlur, length: int, mode: str) -> Taps:
    """Return the taps, with those added up that meet the same pixel for any centre."""
    distances = np.abs(np.arange(-blur.radius, blur.radius + 1))
    period = {"reflect": 2 * length, "mirror": max(1, 2 * length - 2), "wrap": length}
    if mode in period:
        distances %= period[mode]
        distances = np.minimum(distances, period[mode] - distances)
    else:
        # From this distance on all is beyond the border.
        distances = np.minimum(distances, length)
    half = np.bincount(distances, blur.taps).astype(np.float64)
    half[1:] *= 0.5
    folded: Taps = np.concatenate([half[:0:-1], half])
    folded.flags.writeable = False
    return folded


def gaussian_radius(sigma: float, truncate: float) -> int:
    """Half-width of the kernel in pixels, as scipy.ndimage cuts it."""
    return int(truncate * sigma + 0.5)


@lru_cache(64)
def gaussian_taps(sigma: float, radius: int) -> Taps:
    """Weights of the sampled Gaussian, ``2 * radius + 1`` of them, of sum 1."""
    offsets = np.arange(-radius, radius + 1)
    taps: Taps = np.where(offsets == 0, 1.0, 0.0)
    if sigma > 0:
        taps = np.exp(-0.5 * (offsets / sigma) ** 2)
    taps /= taps.sum()
    taps.flags.writeable = False
    return taps


def half_taps(weights: Taps, dtype: DTypeLike) -> Array:
    """The centre and one side of symmetric weights, in the type they are used in."""
    half = weights[weights.size // 2 :].astype(dtype)
    # Rounded one by one, the taps of a box make a flat image 3e-8 brighter.
    half[0] = 1 - 2 * half[1:].sum(dtype=np.float64)
    return half


@lru_cache(64)
def spline_taps(factor: int, dtype: DTypeLike) -> tuple[Array, Array]:
    """The cubic B-spline at every pixel, from two grid points below its centre on.

    Returns
    -------
    down : (4 * factor,) array
        Of sum 1, to weight the pixels around a grid point.
    up : (4 * factor,) array
        To weight the four grid points around a pixel: for each phase of sum 1.
    """
    distance = np.abs(np.arange(-2 * factor, 2 * factor) / factor)
    near = 2 / 3 - distance**2 + distance**3 / 2
    spline = np.where(distance < 1, near, (2 - distance) ** 3 / 6)
    down, up = (spline / factor).astype(dtype), spline.astype(dtype).reshape(4, factor)
    # As in `half_taps`.
    down[2 * factor] = 1 - np.delete(down, 2 * factor).sum(dtype=np.float64)
    up[2] = 1 - up[[0, 1, 3]].sum(axis=0, dtype=np.float64)
    down.flags.writeable = False
    up.flags.writeable = False
    return down, up.reshape(-1)


def energy(weights: list[Taps]) -> tuple[float, float]:
    """Centre weight and sum of squared weights of the whole N-D kernel."""
    centre = float(np.prod([axis[axis.size // 2] for axis in weights]))
    squares = float(np.prod([np.sum(axis**2) for axis in weights]))
    return centre, squares


def sum_of_squares(terms: Sequence[tuple[float, Sequence[Taps]]]) -> float:
    """Return that of a kernel, a weighted sum of products of taps along each axis.

    It is the variance of white noise of variance 1 behind the kernel.
    """
    total = 0.0
    for (weight, taps), (other, others) in product(terms, terms):
        along = [_overlap(a, b) for a, b in zip(taps, others, strict=True)]
        total += weight * other * math.prod(along)
    return total


def _overlap(a: Taps, b: Taps) -> float:
    """Sum of the products of symmetric taps at the same places."""
    spare = (a.size - b.size) // 2
    inner = a[spare : a.size - spare] if spare > 0 else a
    return float(inner @ (b[-spare : b.size + spare] if spare < 0 else b))
