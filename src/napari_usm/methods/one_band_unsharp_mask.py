"""Automatic unsharp masking with one band: amount by the blur, share by the noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_usm.estimate.band_weights import band_radius, band_sigma
from napari_usm.filters.bands import NEAR
from napari_usm.filters.gated_bands import GatedBand, gated_bands
from napari_usm.filters.taps import AxisBlur, gaussian_taps, sum_of_squares
from napari_usm.methods.estimating import EstimatingMethod, noise_of, told

if TYPE_CHECKING:
    from napari_usm.estimate.blur_and_noise import Estimate
    from napari_usm.filters.dtypes import Array

# The amount that undoes a blur of sigma 1 best, in planes of photographs, and the
# largest of all.
_BY_SQUARE = 9.6
_MOST = 5.0

# How far above the noise's own power detail must stand to be signal.
ABOVE = 1.2


@dataclass(frozen=True)
class OneBandUnsharpMask(EstimatingMethod):
    """Sharpen by one mask whose width and amount follow the image's blur.

    Notes
    -----
    ``sharpened = image + strength * (a * g - denoise * (1 - g)) * z`` with
    ``z = image - blurred``. The mask's sigma is ``max(0.5, 0.65 * blur)``, the amount
    ``a = min(5, 9.6 * blur**2)``, for several axes by the mean of the squares. The
    share of signal is ``g = max(0, 1 - 1.2 * noise / v)``, v being the mean of z**2 in
    9 × 9 pixels, and noise the variance that the image's noise has in z.

    It is a first form of `auto_unsharp_mask`, which has three bands instead, with the
    same estimate of blur and noise.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> noise = np.random.default_rng(0).normal(100, 5, (128, 128))
    >>> found = usm.sharpen(noise, "one_band_unsharp_mask")
    >>> bool(found.image.std() < 4), found.report.smooths_noise
    (True, True)
    """

    def reach_for(self, blur: float) -> int:
        """As far as the blur, and the mean around."""
        return band_radius(band_sigma(blur)) + NEAR

    def weighted(
        self,
        block: Array,
        axes: tuple[int, ...],
        found: Estimate,
        cval: float,
        weight: Array | None,
    ) -> Array:
        """The band, by the share of signal."""
        band = _band(axes, found, float(self.denoise))
        return gated_bands(block, band, None, self.mode, cval, weight)


@lru_cache(64)
def _band(axes: tuple[int, ...], found: Estimate, denoise: float) -> GatedBand:
    blurs = told(axes, found)
    sigmas = [band_sigma(blur) for blur in blurs.values()]
    taps = [gaussian_taps(sigma, band_radius(sigma)) for sigma in sigmas]
    square = float(np.mean(np.square(list(blurs.values()))))
    return GatedBand(
        dict(zip(blurs, map(AxisBlur, taps), strict=True)),
        min(_MOST, _BY_SQUARE * square),
        denoise,
        noise_of(found, found.rounding),
        ABOVE * sum_of_squares([(1, [np.ones(1)] * len(taps)), (-1, taps)]),
    )
