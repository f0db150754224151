"""Automatic unsharp masking with two bands, the second where it is signal too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_usm.estimate.band_weights import band_radius, band_sigma
from napari_usm.estimate.two_band_weights import two_band_weights
from napari_usm.filters.bands import NEAR
from napari_usm.filters.gated_bands import GatedBand, SecondBand, gated_bands
from napari_usm.filters.taps import AxisBlur, gaussian_taps, sum_of_squares
from napari_usm.methods.estimating import EstimatingMethod, noise_of, told
from napari_usm.methods.one_band_unsharp_mask import ABOVE

if TYPE_CHECKING:
    from napari_usm.estimate.blur_and_noise import Estimate
    from napari_usm.filters.dtypes import Array

# Sigma of the mask by that of the blur.
_BY_BLUR = 0.9

# How far above the noise's own power the second band must stand to be signal.
_ABOVE_SECOND = 2.5


@dataclass(frozen=True)
class TwoBandUnsharpMask(EstimatingMethod):
    """Sharpen by a mask and, where there is little noise, by the mask of its detail.

    Notes
    -----
    ``sharpened = image + strength * (g1 * ((1 - g2) * a * z + g2 * (b * z + c * z2))
    - denoise * (1 - g1) * z)`` with ``z = image - blurred`` and ``z2`` the same of z.
    The mask's sigma is ``max(0.5, 0.9 * blur)``. The shares of signal are ``g = max(0,
    1 - k * noise / v)``, v being the mean of z**2 in 9 × 9 pixels, noise the variance
    that the image's noise has in z, and k 1.2; likewise of z2, with 2.5. The amounts
    are least squares, over all frequencies, for a spectrum f^-2.4 behind the blur: a,
    at most 8, for z alone, b and c for both with a little noise.

    It is a second form of `auto_unsharp_mask`, which has three bands instead, with the
    same estimate of blur and noise.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> noise = np.random.default_rng(0).normal(100, 5, (128, 128))
    >>> found = usm.sharpen(noise, "two_band_unsharp_mask")
    >>> bool(found.image.std() < 4), found.report.smooths_noise
    (True, True)
    """

    def reach_for(self, blur: float) -> int:
        """As far as two blurs, and the mean around."""
        return 2 * band_radius(band_sigma(blur, _BY_BLUR)) + NEAR

    def weighted(
        self,
        block: Array,
        axes: tuple[int, ...],
        found: Estimate,
        cval: float,
        weight: Array | None,
    ) -> Array:
        """Both bands, each by its share of signal."""
        first, second = _both(axes, found, float(self.denoise))
        return gated_bands(block, first, second, self.mode, cval, weight)


@lru_cache(64)
def _both(
    axes: tuple[int, ...], found: Estimate, denoise: float
) -> tuple[GatedBand, SecondBand]:
    blurs = told(axes, found)
    sigmas = [band_sigma(blur, _BY_BLUR) for blur in blurs.values()]
    taps = [gaussian_taps(sigma, band_radius(sigma)) for sigma in sigmas]
    amounts = two_band_weights(tuple(blurs.values()), taps)
    # The kernels 1 - g and 1 - 2 g + g * g.
    one, twice = [np.ones(1)] * len(taps), [np.convolve(each, each) for each in taps]
    gain = sum_of_squares([(1, one), (-1, taps)])
    second_gain = sum_of_squares([(1, one), (-2, taps), (1, twice)])
    first = GatedBand(
        dict(zip(blurs, map(AxisBlur, taps), strict=True)),
        amounts.alone,
        denoise,
        noise_of(found, found.rounding),
        ABOVE * gain,
    )
    return first, SecondBand(amounts.both, _ABOVE_SECOND * second_gain)
