"""Weights of three bands that undo a blur where there is signal and smooth noise.

The transfer of an ideal filter is Wiener's: for a spectrum of the image, a blur that is
known to 15 %, and white noise. The weights are those whose three bands together come
nearest to it, by least squares over all frequencies; there is a solution for every
local ratio of signal to noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_usm._estimate.frequencies import frequencies
from napari_usm._filters.bands import Bands, Noise
from napari_usm._filters.taps import AxisBlur, gaussian_taps, sum_of_squares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_usm._estimate.blur_and_noise import Estimate

Floats = NDArray[np.float64]

# Ratios of signal to noise in the third band, one for each power of 2.
FIRST_OCTAVE, LAST_OCTAVE = -3, 20

# Sigma of the bands by that of the blur, and at least.
_BY_BLUR = 0.65
_FINEST = 0.5

# The lowest of the noisy pixels around is so many standard deviations below their mean.
_LOWEST = 2.5

# Blurs that may be the true one, and how likely each is.
_OFF = 1 + 0.15 * np.array([-1.5, -0.75, 0.0, 0.75, 1.5])
_LIKELY = np.array([0.12, 0.23, 0.3, 0.23, 0.12])
_SHARPEST = 0.02


@dataclass(frozen=True, eq=False)
class BandWeights:
    """Bands and their weights for one blur.

    Attributes
    ----------
    narrow, wide : tuple of array
        Weights of the two Gaussians along each axis: the first is applied twice, the
        second behind it.
    noise_gain : float
        Variance of white noise of variance 1 in the third band.
    blurred_gain : float
        The same in the second blur.
    table : (octaves, 3) array
        Weight of each band where the ratio of signal to noise is a power of 2, from
        ``2 ** FIRST_OCTAVE`` to ``2 ** LAST_OCTAVE``.
    """

    narrow: tuple[Floats, ...]
    wide: tuple[Floats, ...]
    noise_gain: float
    blurred_gain: float
    table: Floats


def band_radius(sigma: float) -> int:
    """Half-width of a band's Gaussian."""
    return math.ceil(4 * sigma)


def bands_reach(blur: float) -> int:
    """Return how far all three bands reach, for a blur of this sigma."""
    sigma = band_sigma(blur)
    return 2 * band_radius(sigma) + band_radius(2 * sigma)


@lru_cache(64)
def band_weights(
    blurs: tuple[float, ...], denoise: float, ground: float = 0.0, lens: float = 0.0
) -> BandWeights:
    """Return bands and weights for a blur of these sigmas along the axes.

    Parameters
    ----------
    blurs : tuple of float
        Sigma of the image's blur along each axis.
    denoise : float
        How much of the smoothing is done: 1 all, 0 none.
    ground, lens : float
        As for `Frequencies`: how far the image is a specimen on dark ground, and its
        blur that of a lens.
    """
    sigmas = [band_sigma(blur) for blur in blurs]
    narrow = tuple(gaussian_taps(s, band_radius(s)) for s in sigmas)
    wide = tuple(gaussian_taps(2 * s, band_radius(2 * s)) for s in sigmas)
    gain = _noise_gain(narrow, wide)
    table = _table(blurs, narrow, wide, gain, denoise, ground, lens)
    twice = sum_of_squares([(1, [np.convolve(taps, taps) for taps in narrow])])
    return BandWeights(narrow, wide, gain, twice, table)


def bands_of(
    blurs: Mapping[int, float],
    found: Estimate,
    denoise: float,
    ground: float = 0.0,
    lens: float = 0.0,
    lift: float = 0.0,
    correction: float | None = None,
) -> Bands:
    """Return the bands that undo a blur along some axes, in units of the estimate.

    Parameters
    ----------
    blurs : mapping of axis to float
        Sigma of the blur.
    found : Estimate
        Noise of the image.
    denoise, ground, lens : float
        As for `band_weights`.
    lift : float
        `ground` of the bands.
    correction : float, optional
        `correction` of the bands; None if they take impulses as they are.
    """
    weights = band_weights(tuple(blurs.values()), denoise, ground, lens)
    left = found.left
    noise = Noise(found.constant * left, found.growth * left, found.zero, found.least)
    # All of what may be noise, and a whole step: fine texture is no impulse.
    spread = Noise(found.constant, found.growth, found.zero, 2 * found.least)
    return Bands(
        dict(zip(blurs, map(AxisBlur, weights.narrow), strict=True)),
        dict(zip(blurs, map(AxisBlur, weights.wide), strict=True)),
        weights.table,
        FIRST_OCTAVE,
        weights.noise_gain,
        noise,
        lift,
        _LOWEST * math.sqrt(weights.blurred_gain),
        None if correction is None else spread,
        correction or 0.0,
    )


def band_sigma(blur: float, share: float = _BY_BLUR) -> float:
    """Sigma of a band's Gaussian: a share of the blur's, but no narrow one."""
    return max(_FINEST, share * blur)


def _noise_gain(narrow: Sequence[Floats], wide: Sequence[Floats]) -> float:
    """Sum of squares of the third band's kernel, a difference of two products."""
    inner = [np.convolve(taps, taps) for taps in narrow]
    outer = [np.convolve(a, b) for a, b in zip(inner, wide, strict=True)]
    return sum_of_squares([(1, inner), (-1, outer)])


def _table(
    blurs: tuple[float, ...],
    narrow: Sequence[Floats],
    wide: Sequence[Floats],
    noise_gain: float,
    denoise: float,
    ground: float,
    lens: float,
) -> Floats:
    grid = frequencies(len(blurs))
    once, again = (grid.transfer(taps) for taps in (narrow, wide))
    bands = np.stack([1 - once, once - once**2, once**2 * (1 - again)])
    widths = np.maximum(blurs, _SHARPEST)
    passed = np.stack([grid.passed(off * widths, lens) for off in _OFF])
    first, second = _LIKELY @ passed, _LIKELY @ passed**2
    spectrum = grid.spectrum(ground)
    blurred = spectrum * grid.passed(widths, lens) ** 2
    in_third = float(np.sum(grid.count * bands[2] ** 2 * blurred)) / grid.total

    found = []
    for octave in range(FIRST_OCTAVE, LAST_OCTAVE + 1):
        signal = 2.0**octave * noise_gain / in_third * spectrum
        energy = signal * second + 1
        wanted = (signal * (first - second) - 1) / energy
        wanted = np.maximum(wanted, 0) + denoise * np.minimum(wanted, 0)
        weight = grid.weight * energy
        matrix = (bands * weight) @ bands.T
        # Bands that are nearly the same must not take turns.
        matrix += 1e-12 * np.trace(matrix) * np.eye(3)
        found.append(np.linalg.solve(matrix, bands @ (weight * wanted)))
    table = np.array(found)
    table.flags.writeable = False
    return table
