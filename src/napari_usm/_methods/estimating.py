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
from napari_usm._estimate.frequencies import CUTOFF
from napari_usm._estimate.ground import WIDEST_BY_FLOOR
from napari_usm._estimate.second_look import (
    estimate_of_specimen,
    second_look,
    tiles_in,
)
from napari_usm._estimate.spectrum import window_rows
from napari_usm._estimate.windows import side
from napari_usm._filters.bands import farthest
from napari_usm._methods.base import (
    TOTAL,
    Constants,
    Findings,
    Join,
    Method,
    border,
    colour,
)
from napari_usm._methods.parameter import choice, parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array

SCOPES = ("image", "item")

# Which blur is undone: estimated of photograph or specimen, that of a lens, of a
# confocal microscope, or a Gaussian as for a photograph, whatever the image.
MODELS = ("auto", "widefield", "confocal", "gaussian")

# Sigma of the widest blur that may be given, in pixels.
_WIDEST = 16.0

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
    model: str = choice(
        "auto",
        MODELS,
        "Model",
        tip="Choose how the image was blurred: estimate it (auto), by the lens of a "
        "widefield or a confocal microscope, or by a Gaussian as in earlier versions.",
    )
    blur: float | Sequence[float] = parameter(
        0.0,
        "Blur",
        tip="Set the blur of the image, if it is known, as the sigma of a Gaussian. 0 "
        "estimates it.",
        unit="px",
        minimum=0.0,
        maximum=_WIDEST,
        step=0.1,
        per_axis=True,
    )
    cutoff: float = parameter(
        0.0,
        "Cut-off",
        tip="Set the cut-off frequency of the lens, 2 NA / wavelength times the pixel "
        "size. 0 estimates the blur.",
        unit="1/px",
        minimum=0.0,
        maximum=2.0,
        step=0.01,
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
        arguments.choice("model", self.model, MODELS)
        blurs = arguments.per_axis("blur", self.blur, len(axes), minimum=0)
        if max(blurs) > _WIDEST:
            raise ValueError(f"`blur` must be at most {_WIDEST:g}; got {self.blur!r}")
        self._check_cutoff(axes, is_blur_known=max(blurs) > 0)

    def _check_cutoff(self, axes: Sequence[int], is_blur_known: bool) -> None:
        cutoff = arguments.real("cutoff", self.cutoff, minimum=0)
        if not cutoff:
            return
        least = CUTOFF / _WIDEST
        if cutoff < least:
            raise ValueError(
                f"`cutoff` must be 0 or at least {least:g}; got {cutoff!r}"
            )
        if is_blur_known:
            raise ValueError(f"`cutoff` must be 0 if `blur` is given; got {cutoff!r}")
        if self.model in ("confocal", "gaussian"):
            raise ValueError(
                f'`cutoff` must be 0 with model "{self.model}", which is no lens; got '
                f"{cutoff!r}"
            )
        if len(axes) != 2:
            raise ValueError(
                f"`cutoff` must be 0 unless two axes are filtered; got {cutoff!r} with "
                f"{len(axes)}"
            )

    @property
    def looks_at_specimens(self) -> bool:
        """Return whether specimens on dark ground are told from photographs."""
        return self.model != "gaussian"

    def _is_blur_known(self) -> bool:
        return self.cutoff > 0 or bool(np.any(np.asarray(self.blur) > 0))

    @property
    @override
    def rounds(self) -> tuple[Join, ...]:
        """A second look at windows for the blur of specimens."""
        looks = 2 if self.looks_at_specimens and not self._is_blur_known() else 1
        return (TOTAL,) * looks

    @abstractmethod
    def reach_for(self, blur: float) -> int:
        """Return the reach of the bands for a blur of this sigma, with local means."""

    @override
    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        """As far as the widest bands and a window of the estimate do."""
        count = len(axes)
        widest = max(longest_blur(count), *self._blurs(axes))
        return (max(self.reach_for(widest), side(count) - 1),) * count

    @override
    def reach_of(self, estimate: Array, axes: Sequence[int]) -> tuple[int, ...]:
        """As far as the bands of the largest blur do."""
        blur = float(estimate[..., : len(axes)].max())
        return (self.reach_for(max(blur, 0.0)),) * len(axes)

    def _blurs(self, axes: Sequence[int]) -> tuple[float, ...]:
        """Return the known blur along each filtered axis, 0 where it is estimated."""
        if self.cutoff:
            return (CUTOFF / self.cutoff,) * len(axes)
        return arguments.per_axis("blur", self.blur, len(axes))

    @property
    def _lens(self) -> float | None:
        """Share of a lens in the blur, None if it is estimated."""
        if self.model == "widefield" or self.cutoff:
            return 1.0
        return None if self.model == "auto" and not self._is_blur_known() else 0.0

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
        here = block, axes, kept, core, begins, lengths
        if earlier:
            return second_look(*here, earlier[0], weight, self._lens)
        return window_rows(*here, weight, clean=self.looks_at_specimens)

    @override
    def needs_block(
        self,
        axes: Sequence[int],
        kept: Sequence[int],
        core: tuple[slice, ...],
        lengths: Sequence[int],
        *earlier: Array,
    ) -> bool:
        """Only a few windows are looked at twice."""
        return bool(tiles_in(axes, kept, core, lengths, earlier[0]))

    @override
    def constants(
        self, sums: Array | None, axes: Sequence[int], *earlier: Array
    ) -> Constants:
        """Blur and noise from the windows of the whole image."""
        if sums is None:
            return Constants(float(self.strength))
        if not self.looks_at_specimens:
            numbers = estimated(sums, axes, specimens=False)
        else:
            first, second = (earlier[0], sums) if earlier else (sums, None)
            numbers = estimate_of_specimen(first, second, axes, self._lens)
        known = np.asarray(self._blurs(axes))
        # An axis that is too short to tell anything is left alone.
        spots = numbers[..., : known.size]
        numbers[..., : known.size] = np.where((known > 0) & (spots >= 0), known, spots)
        return Constants(float(self.strength), estimate=numbers)

    @override
    def findings(self, estimate: Array) -> Findings:
        smooths = self.denoise > 0 and self.strength > 0
        blur, noise = blur_and_noise_of(estimate)
        if not self.looks_at_specimens:
            return Findings(blur, noise, smooths)
        columns = Estimate.columns(estimate)
        is_known = self._is_blur_known()
        widest = min(WIDEST_BY_FLOOR, longest_blur(blur.shape[-1]))
        return Findings(
            blur,
            noise,
            smooths,
            columns["ground"],
            columns["lens"],
            not is_known and bool(np.any(blur >= widest)),
        )

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
        scaled, cval = self.scaled(block, found)
        detail = self.weighted(scaled, tuple(axes), found, cval, weight)
        return _times_power(detail, exponent_of(found))

    def scaled(self, block: Array, found: Estimate) -> tuple[Array, float]:
        """Return a block and the constant border in units of the estimate."""
        exponent = exponent_of(found)
        # Further away its square is no number, and pixels near the border were none.
        most = farthest(block.dtype)
        cval = float(np.clip(np.ldexp(self.cval, -exponent), -most, most))
        return _times_power(block, -exponent), cval

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


def exponent_of(found: Estimate) -> int:
    """Return the exponent of a power of 2 near a unit, whose square is finite."""
    return int(np.frexp(found.unit)[1]) - 1


def _times_power(values: Array, exponent: int) -> Array:
    """Values times a power of 2."""
    if abs(exponent) > LARGE:
        return np.ldexp(values, exponent)
    product: Array = values * values.dtype.type(2.0**exponent)
    return product
