"""Base of the methods that follow the blur and the noise of an image."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from napari_usm import arguments
from napari_usm._estimate.blur_and_noise import (
    Estimate,
    blur_and_noise_of,
    estimated,
    longest_blur,
)
from napari_usm._estimate.spectrum import window_rows
from napari_usm._estimate.windows import side
from napari_usm._filters.bands import Noise, farthest
from napari_usm._methods.base import Constants, Findings, Method, border, colour
from napari_usm._methods.parameter import choice, parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array

SCOPES = ("image", "item")

# Beyond this a power of 2 may be no float32.
LARGE = 100


@dataclass(frozen=True)
class EstimatingMethod(Method):
    """A method whose detail depends on blur and noise, estimated from the image."""

    _: KW_ONLY
    strength: float = parameter(
        1.0,
        "Strength",
        tip="Set the strength of sharpening and smoothing. 0 changes nothing, 1 "
        "applies the estimate as it is.",
        minimum=0.0,
        maximum=2.0,
        step=0.05,
        control="basic",
        finishing=True,
    )
    denoise: float = parameter(
        1.0,
        "Denoise",
        tip="Set how strongly to smooth areas of pure noise. 0 only sharpens.",
        minimum=0.0,
        maximum=1.0,
        step=0.05,
        control="basic",
    )
    estimate_per: str = choice(
        "image",
        SCOPES,
        "Estimate per",
        tip="Estimate blur and noise once for all planes or volumes (image), or for "
        "each (item).",
    )
    color: str = colour("luminance")
    mode: str = border("mirror")

    @property
    @override
    def estimates(self) -> bool:
        return True

    @property
    @override
    def fits_detail(self) -> bool:
        """The bands follow the blur, their weights the noise."""
        return True

    @property
    @override
    def per_item(self) -> bool:
        return self.estimate_per == "item"

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        arguments.real("strength", self.strength, minimum=0)
        if arguments.real("denoise", self.denoise, minimum=0) > 1:
            raise ValueError(f"`denoise` must be at most 1; got {self.denoise!r}")
        arguments.choice("estimate_per", self.estimate_per, SCOPES)

    @abstractmethod
    def reach_for(self, blur: float) -> int:
        """Return the reach of the bands for a blur of this sigma, with local means."""

    @override
    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        """As far as the widest bands and a window of the estimate do."""
        count = len(axes)
        return (max(self.reach_for(longest_blur(count)), side(count) - 1),) * count

    @override
    def reach_of(self, estimate: Array, axes: Sequence[int]) -> tuple[int, ...]:
        """As far as the bands of the largest blur do."""
        blur = float(estimate[..., : len(axes)].max())
        return (self.reach_for(max(blur, 0.0)),) * len(axes)

    @override
    def sums(
        self,
        block: Array,
        axes: Sequence[int],
        kept: Sequence[int],
        core: tuple[slice, ...],
        begins: Sequence[int],
        lengths: Sequence[int],
        *earlier: Array,
        weight: Array | None = None,
    ) -> Array | None:
        """Return the statistics of the windows that begin in the block."""
        return window_rows(block, axes, kept, core, begins, lengths, weight)

    @override
    def constants(
        self, sums: Array | None, axes: Sequence[int], *earlier: Array
    ) -> Constants:
        """Blur and noise from the windows of the whole image."""
        if sums is None:
            return Constants(float(self.strength))
        return Constants(float(self.strength), estimate=estimated(sums, axes))

    @override
    def findings(self, estimate: Array) -> Findings:
        smooths = self.denoise > 0 and self.strength > 0
        return Findings(*blur_and_noise_of(estimate), smooths)

    @override
    def detail(
        self,
        block: Array,
        axes: Sequence[int],
        estimate: Array | None = None,
        weight: Array | None = None,
    ) -> Array:
        assert estimate is not None
        if estimate.size == estimate.shape[-1]:
            only = Estimate.of(estimate.ravel())
            return self._detail(block, axes, only, weight)
        if weight is not None:
            weight = np.broadcast_to(weight, block.shape)
        found = np.zeros_like(block)
        for place in np.ndindex(estimate.shape[:-1]):
            own = tuple(
                slice(None) if length == 1 else slice(at, at + 1)
                for at, length in zip(place, estimate.shape, strict=False)
            )
            found[own] = self._detail(
                block[own],
                axes,
                Estimate.of(estimate[place]),
                None if weight is None else weight[own],
            )
        return found

    def _detail(
        self,
        block: Array,
        axes: Sequence[int],
        found: Estimate,
        weight: Array | None,
    ) -> Array:
        if not found.unit or not known_blurs(axes, found):
            return np.zeros_like(block)
        exponent = exponent_of(found)
        scaled = _times_power(block, -exponent)
        # Further away its square is no number, and pixels near the border were none.
        most = farthest(block.dtype)
        cval = float(np.clip(np.ldexp(self.cval, -exponent), -most, most))
        detail = self.weighted(scaled, tuple(axes), found, cval, weight)
        return _times_power(detail, exponent)

    @abstractmethod
    def weighted(
        self,
        block: Array,
        axes: tuple[int, ...],
        found: Estimate,
        cval: float,
        weight: Array | None,
    ) -> Array:
        """The weighted bands of a block, 0 at invalid pixels; all in units of `found`.

        Parameters
        ----------
        block : array
            Block with neighbours; invalid pixels are NaN or infinite.
        axes : tuple of int
            Filtered axes, of which some have `known_blurs`.
        found : Estimate
            Blur and noise.
        cval : float
            Constant beyond the border.
        weight : array, optional
            As for `detail`.
        """

    @override
    def least_amount(self, axes: Sequence[int]) -> float:
        """Strengths are positive: nothing is ever inverted."""
        return 0.0


def known_blurs(axes: Sequence[int], found: Estimate) -> dict[int, float]:
    """Return the sigma of the blur of each axis that is long enough to estimate it."""
    return {axis: s for axis, s in zip(axes, found.sigmas, strict=True) if s >= 0}


def noise_of(found: Estimate, least: float) -> Noise:
    """The noise, as the filters take it; `least` is its least standard deviation."""
    left = found.left
    return Noise(found.constant * left, found.growth * left, found.zero, least)


def exponent_of(found: Estimate) -> int:
    """Return the exponent of a power of 2 near a unit, whose square is finite."""
    return int(np.frexp(found.unit)[1]) - 1


def _times_power(values: Array, exponent: int) -> Array:
    """Values times a power of 2."""
    if abs(exponent) > LARGE:
        return np.ldexp(values, exponent)
    product: Array = values * values.dtype.type(2.0**exponent)
    return product
