"""Unsharp masking of the negative: the darker a region, the more it is sharpened."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from napari_usm import arguments
from napari_usm._filters.mask import Mask
from napari_usm._methods.base import Constants, border, colour
from napari_usm._methods.masks import (
    MaskMethod,
    check_mask,
    kernel_parameter,
    least_mask_amount,
    mask_at_level,
    mask_blurs,
    sigma_parameter,
    truncate_parameter,
)
from napari_usm._methods.parameter import parameter
from napari_usm.lab.methods.data_range import LevelsMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array
    from napari_usm._methods.base import Method


@dataclass(frozen=True)
class DarkRegionUnsharpMask(LevelsMethod, MaskMethod):
    """Parameters and steps of `napari_usm.lab.dark_region_unsharp_mask`."""

    amount: float = parameter(
        1.0,
        "Amount",
        minimum=-0.75,
        maximum=5.0,
        step=0.05,
        control="basic",
        finishing=True,
    )
    _: KW_ONLY
    kernel: str = kernel_parameter("box")
    sigma: float | Sequence[float] = sigma_parameter()
    truncate: float = truncate_parameter()
    color: str = colour("value")
    mode: str = border("mirror")

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        arguments.real("amount", self.amount)
        check_mask(self.kernel, self.sigma, self.truncate, axes)

    @override
    def make_mask(self, axes: Sequence[int]) -> Mask:
        return Mask(mask_blurs(self.kernel, self.sigma, self.truncate, axes))

    @override
    def weighted(self, detail: Array, blurred: Array) -> Array:
        """The detail times the share of black in the local mean."""
        share: Array = 1 - blurred / blurred.dtype.type(self.white)
        return detail * np.clip(share, 0, 1, out=share)

    @override
    def at_level(self, factors: Sequence[float]) -> Method:
        return replace(self, **mask_at_level(self.kernel, self.sigma, factors))

    @override
    def constants(
        self, sums: Array | None, axes: Sequence[int], *found: Array
    ) -> Constants:
        return Constants(float(self.amount))

    @override
    def least_amount(self, axes: Sequence[int]) -> float:
        """Return the least amount of the kernel, at the largest weight."""
        return least_mask_amount(self.kernel)

    @override
    def one_pass(self, axes: Sequence[int], estimate: Array | None = None) -> None:
        """None: the mask of a pass has no weights."""
        return None

    @override
    def response(self, axes: Sequence[int]) -> None:
        """None: the noise is weighted too."""
        return None

    @override
    def noise_factor(self, axes: Sequence[int], amount: Any) -> None:
        return None
