"""Automatic unsharp masking: amount and width follow the image's blur and noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from napari_usm._estimate.band_weights import (
    band_radius,
    band_sigma,
    bands_of,
    bands_reach,
)
from napari_usm._estimate.blur_and_noise import Estimate
from napari_usm._filters.bands import NEAR, Bands, weighted_bands
from napari_usm._filters.fused.bands import BandsPass
from napari_usm._kernels.floor_plane import REACH
from napari_usm._methods.estimating import (
    LARGE,
    EstimatingMethod,
    exponent_of,
    known_blurs,
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
        """As far as three blurs, one after the other, or two and the local floor."""
        bands = bands_reach(blur) + NEAR
        if not self.looks_at_specimens:
            return bands
        return max(bands, 2 * band_radius(band_sigma(blur)) + REACH) + 1

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
        return weighted_bands(block, self._bands(axes, found), self.mode, cval, weight)

    @override
    def lifted(
        self, block: Array, axes: Sequence[int], estimate: Array
    ) -> float | None:
        """Return the share of the pixels that bands without ground would darken."""
        found = Estimate.of(estimate.ravel())
        if not self.looks_at_specimens:
            return None
        if not found.unit or len(known_blurs(axes, found)) < 2:
            return 0.0
        bands = self._bands(tuple(axes), found)
        if not bands.ground:
            return 0.0
        scaled, cval = self.scaled(block, found)
        lifted, free = (
            weighted_bands(scaled, each, self.mode, cval)
            for each in (bands, replace(bands, ground=0.0))
        )
        return float(np.mean(lifted != free))

    def _bands(self, axes: tuple[int, ...], found: Estimate) -> Bands:
        return _bands(axes, found, float(self.denoise), self.looks_at_specimens)

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
        return BandsPass(self._bands(tuple(axes), found), exponent)


@lru_cache(64)
def _bands(
    axes: tuple[int, ...], found: Estimate, denoise: float, specimens: bool
) -> Bands:
    """Return the bands for an estimate."""
    blurs = known_blurs(axes, found)
    ground = found.ground if len(blurs) > 1 else 0.0
    return bands_of(
        blurs,
        found,
        denoise,
        abs(ground),
        found.lens,
        lift=ground,
        correction=denoise if specimens and len(blurs) > 1 else None,
    )
