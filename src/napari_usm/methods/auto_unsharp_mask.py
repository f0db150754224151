"""Automatic unsharp masking: amount and width follow the image's blur and noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from napari_usm.estimate.band_weights import (
    FIRST_OCTAVE,
    band_weights,
    bands_reach,
)
from napari_usm.estimate.blur_and_noise import Estimate
from napari_usm.filters.bands import NEAR, Bands, weighted_bands
from napari_usm.filters.bands_pass import BandsPass
from napari_usm.filters.taps import AxisBlur
from napari_usm.methods.estimating import (
    LARGE,
    EstimatingMethod,
    exponent_of,
    noise_of,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.filters.dtypes import Array


@dataclass(frozen=True)
class AutoUnsharpMask(EstimatingMethod):
    """Sharpen what is there and smooth what is only noise, by the image itself.

    Notes
    -----
    ``sharpened = image + strength * (w1 * z1 + w2 * z2 + w3 * z3)``. The bands z are
    the differences between the image, its blur, the blur of that and a wider one: four
    images, each blurred more; their widths follow the blur of the image, which is
    estimated from its spectrum, as is its noise. The weights w depend on the ratio of
    signal to noise around each pixel; they make the three bands together the best
    approximation of Wiener's filter.

    Axes of fewer than 16 pixels are left alone, and an image that is flat too. The
    blur is the same along both axes of planes; filtered along more axes, each has its
    own. It is told up to a sigma of 4 pixels, of 2 along three axes and more.

    References
    ----------
    .. [1] N. Wiener, "Extrapolation, Interpolation, and Smoothing of Stationary Time
       Series", MIT Press, 1949.
    .. [2] P. D. Welch, "The use of fast Fourier transform for the estimation of power
       spectra", IEEE Trans. Audio Electroacoust. 15(2), 1967, pp. 70-73.
       :doi:`10.1109/TAU.1967.1161901`

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> noise = np.random.default_rng(0).normal(100, 5, (128, 128))
    >>> found = usm.sharpen(noise, "auto_unsharp_mask")
    >>> bool(found.image.std() < 3), found.report.smooths_noise
    (True, True)
    """

    def reach_for(self, blur: float) -> int:
        """As far as three blurs, one after the other."""
        return bands_reach(blur) + NEAR

    def weighted(
        self,
        block: Array,
        axes: tuple[int, ...],
        found: Estimate,
        cval: float,
        weight: Array | None,
    ) -> Array:
        """Three bands, each times its weight."""
        bands = _bands(axes, found, float(self.denoise))
        return weighted_bands(block, bands, self.mode, cval, weight)

    def one_pass(
        self, axes: Sequence[int], estimate: Array | None = None
    ) -> BandsPass | None:
        """The bands of planes, where one estimate is that of all."""
        if estimate is None or estimate.size > estimate.shape[-1]:
            return None
        found = Estimate.of(estimate.ravel())
        exponent = exponent_of(found)
        if len(told(axes, found)) != 2 or not found.unit or abs(exponent) > LARGE:
            return None
        return BandsPass(_bands(tuple(axes), found, float(self.denoise)), exponent)


@lru_cache(64)
def _bands(axes: tuple[int, ...], found: Estimate, denoise: float) -> Bands:
    """The bands for an estimate."""
    blurs = told(axes, found)
    weights = band_weights(tuple(blurs.values()), denoise)
    return Bands(
        dict(zip(blurs, map(AxisBlur, weights.narrow), strict=True)),
        dict(zip(blurs, map(AxisBlur, weights.wide), strict=True)),
        weights.table,
        FIRST_OCTAVE,
        weights.noise_gain,
        noise_of(found, found.least),
    )
