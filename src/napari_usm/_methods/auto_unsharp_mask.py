"""Automatic unsharp masking: amount and width follow the image's blur and noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from typing_extensions import override

from napari_usm._estimate.band_weights import (
    FIRST_OCTAVE,
    band_weights,
    bands_reach,
)
from napari_usm._estimate.blur_and_noise import Estimate
from napari_usm._filters.bands import NEAR, Bands, weighted_bands
from napari_usm._filters.fused.bands import BandsPass
from napari_usm._filters.taps import AxisBlur
from napari_usm._methods.estimating import (
    LARGE,
    EstimatingMethod,
    exponent_of,
    known_blurs,
    noise_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array


@dataclass(frozen=True)
class AutoUnsharpMask(EstimatingMethod):
    """Parameters and steps of `napari_usm.auto_unsharp_mask`."""

    @property
    @override
    def in_words(self) -> str:
        return (
            "edge map = sum of three differences of Gaussian-blurred images, each "
            "weighted at every pixel by the local ratio of signal to noise, with blur "
            "and noise estimated from the spectrum of the image, amount = strength"
        )

    def reach_for(self, blur: float) -> int:
        """As far as three blurs, one after the other."""
        return bands_reach(blur) + NEAR

    @override
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

    @override
    def one_pass(
        self, axes: Sequence[int], estimate: Array | None = None
    ) -> BandsPass | None:
        """The bands of planes, where one estimate is that of all."""
        if estimate is None or estimate.size > estimate.shape[-1]:
            return None
        found = Estimate.of(estimate.ravel())
        exponent = exponent_of(found)
        if (
            len(known_blurs(axes, found)) != 2
            or not found.unit
            or abs(exponent) > LARGE
        ):
            return None
        return BandsPass(_bands(tuple(axes), found, float(self.denoise)), exponent)


@lru_cache(64)
def _bands(axes: tuple[int, ...], found: Estimate, denoise: float) -> Bands:
    """The bands for an estimate."""
    blurs = known_blurs(axes, found)
    weights = band_weights(tuple(blurs.values()), denoise)
    return Bands(
        dict(zip(blurs, map(AxisBlur, weights.narrow), strict=True)),
        dict(zip(blurs, map(AxisBlur, weights.wide), strict=True)),
        weights.table,
        FIRST_OCTAVE,
        weights.noise_gain,
        noise_of(found, found.least),
    )
