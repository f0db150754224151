"""Automatic unsharp masking: amount and width follow the image's blur and noise."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.estimate.band_weights import (
    FIRST_OCTAVE,
    band_weights,
    bands_reach,
)
from napari_usm.estimate.blur_and_noise import (
    Estimate,
    estimated,
    longest_blur,
    told,
)
from napari_usm.estimate.spectrum import window_rows
from napari_usm.estimate.windows import side
from napari_usm.filters.bands import NEAR, Bands, weighted_bands
from napari_usm.filters.taps import AxisBlur
from napari_usm.methods import checks
from napari_usm.methods.method import Constants, Findings, Method, border, colour
from napari_usm.methods.parameter import choice, parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.filters.dtypes import Array

SCOPES = ("image", "item")

# Beyond this a power of 2 may be no float32.
_LARGE = 100


@dataclass(frozen=True)
class AutoUnsharpMask(Method):
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

    _: KW_ONLY
    strength: float = parameter(
        1.0,
        "float",
        "Strength",
        "How much of the change is made: 0 gives the image back, 1 is the best guess.",
        minimum=0.0,
        maximum=2.0,
        step=0.05,
        control="basic",
        finishing=True,
    )
    denoise: float = parameter(
        1.0,
        "float",
        "Denoise",
        "How much it also smooths where there is nothing but noise, from 0 to 1; 0 "
        "sharpens only.",
        minimum=0.0,
        maximum=1.0,
        step=0.05,
        control="basic",
    )
    estimate_per: str = choice(
        "image",
        SCOPES,
        "Estimate per",
        "One estimate of blur and noise for the whole array, or one for each index "
        "over the axes that are neither filtered nor channels.",
    )
    color: str = colour("luminance")
    mode: str = border("mirror")

    @property
    def estimates(self) -> bool:
        """Always."""
        return True

    @property
    def fits_detail(self) -> bool:
        """The bands follow the blur, their weights the noise."""
        return True

    @property
    def per_item(self) -> bool:
        """Whether each item has an estimate of its own."""
        return self.estimate_per == "item"

    def check(self, axes: Sequence[int]) -> None:
        """Raise if a parameter breaks its rule."""
        super().check(axes)
        checks.real("strength", self.strength, minimum=0)
        if checks.real("denoise", self.denoise, minimum=0) > 1:
            raise ValueError(f"`denoise` must be at most 1; got {self.denoise!r}")
        checks.choice("estimate_per", self.estimate_per, SCOPES)

    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        """As far as the widest bands and a window of the estimate do."""
        count = len(axes)
        bands = bands_reach(longest_blur(count)) + NEAR
        return (max(bands, side(count) - 1),) * count

    def reach_of(self, estimate: Array, axes: Sequence[int]) -> tuple[int, ...]:
        """As far as the bands of the largest blur do."""
        blur = float(estimate[..., : len(axes)].max())
        return (bands_reach(max(blur, 0.0)) + NEAR,) * len(axes)

    def sums(
        self,
        block: Array,
        axes: Sequence[int],
        kept: Sequence[int],
        core: tuple[slice, ...],
        begins: Sequence[int],
        lengths: Sequence[int],
        *found: Array,
    ) -> Array | None:
        """What the windows that begin in the block tell."""
        return window_rows(block, axes, kept, core, begins, lengths)

    def constants(
        self, sums: Array | None, axes: Sequence[int], *found: Array
    ) -> Constants:
        """Blur and noise from the windows of the whole image."""
        if sums is None:
            return Constants(float(self.strength))
        return Constants(float(self.strength), estimate=estimated(sums, axes))

    def findings(self, estimate: Array) -> Findings:
        """Blur and noise."""
        return Findings(*told(estimate), self.denoise > 0 and self.strength > 0)

    def edge_map(
        self, block: Array, axes: Sequence[int], estimate: Array | None = None
    ) -> Array:
        """The weighted bands."""
        assert estimate is not None
        if estimate.size == estimate.shape[-1]:
            return self._edge_map(block, axes, Estimate.of(estimate.ravel()))
        found = np.zeros_like(block)
        for place in np.ndindex(estimate.shape[:-1]):
            own = tuple(
                slice(None) if length == 1 else slice(at, at + 1)
                for at, length in zip(place, estimate.shape, strict=False)
            )
            found[own] = self._edge_map(block[own], axes, Estimate.of(estimate[place]))
        return found

    def _edge_map(self, block: Array, axes: Sequence[int], found: Estimate) -> Array:
        told = [k for k, sigma in enumerate(found.sigmas) if sigma >= 0]
        if not told or not found.unit:
            return np.zeros_like(block)
        bands = _bands(tuple(axes), found, float(self.denoise))
        # A power of 2 for a unit: no bit is lost, and squares are finite.
        exponent = int(np.frexp(found.unit)[1]) - 1
        scaled = _times_power(block, -exponent)
        cval = float(np.ldexp(self.cval, -exponent))
        edge_map = weighted_bands(scaled, bands, self.mode, cval)
        return _times_power(edge_map, exponent)

    def least_amount(self, axes: Sequence[int]) -> float:
        """Strengths are positive: nothing is ever inverted."""
        return 0.0

    def noise_factor(self, axes: Sequence[int], amount: Any) -> Any | None:
        """Not linear."""
        return None


def _times_power(values: Array, exponent: int) -> Array:
    """Values times a power of 2."""
    if abs(exponent) > _LARGE:
        return np.ldexp(values, exponent)
    product: Array = values * values.dtype.type(2.0**exponent)
    return product


@lru_cache(64)
def _bands(axes: tuple[int, ...], found: Estimate, denoise: float) -> Bands:
    """The bands for an estimate."""
    told = [axis for axis, s in zip(axes, found.sigmas, strict=True) if s >= 0]
    weights = band_weights(tuple(s for s in found.sigmas if s >= 0), denoise)
    return Bands(
        dict(zip(told, map(AxisBlur, weights.narrow), strict=True)),
        dict(zip(told, map(AxisBlur, weights.wide), strict=True)),
        weights.table,
        FIRST_OCTAVE,
        weights.noise_gain,
        found.constant,
        found.growth,
        found.zero,
        found.least,
    )
