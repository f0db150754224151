"""Classic unsharp masking: the detail is what a blur takes away."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

from typing_extensions import override

from napari_usm import arguments
from napari_usm._filters.mask import Mask
from napari_usm._filters.threshold import Threshold
from napari_usm._methods.base import Constants, soft_threshold
from napari_usm._methods.masks import (
    MaskMethod,
    check_mask,
    kernel_parameter,
    least_mask_amount,
    mask_at_level,
    mask_blurs,
    mask_in_words,
    sigma_parameter,
    truncate_parameter,
)
from napari_usm._methods.parameter import parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array
    from napari_usm._methods.base import Method


@dataclass(frozen=True)
class UnsharpMask(MaskMethod):
    """Parameters and steps of `napari_usm.unsharp_mask`."""

    sigma: float | Sequence[float] = sigma_parameter()
    amount: float = parameter(
        1.0,
        "Amount",
        tip="Set how much detail is added. 0 changes nothing, a negative amount blurs.",
        minimum=-1.0,
        maximum=10.0,
        step=0.1,
        control="basic",
        finishing=True,
    )
    _: KW_ONLY
    kernel: str = kernel_parameter("gaussian")
    threshold: float | str = soft_threshold()[0]
    hard: bool = soft_threshold()[1]
    truncate: float = truncate_parameter()

    @property
    @override
    def in_words(self) -> str:
        return mask_in_words(self.kernel)

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        check_mask(self.kernel, self.sigma, self.truncate, axes)
        arguments.real("amount", self.amount)
        arguments.threshold("threshold", self.threshold)
        arguments.flag("hard", self.hard)

    @property
    @override
    def thresholding(self) -> Threshold:
        limit, in_noise = arguments.threshold("threshold", self.threshold)
        return Threshold(limit, self.hard, in_noise)

    @override
    def constants(
        self, sums: Array | None, axes: Sequence[int], *found: Array
    ) -> Constants:
        return Constants(float(self.amount))

    @override
    def make_mask(self, axes: Sequence[int]) -> Mask:
        return Mask(mask_blurs(self.kernel, self.sigma, self.truncate, axes))

    @override
    def at_level(self, factors: Sequence[float]) -> Method:
        return replace(self, **mask_at_level(self.kernel, self.sigma, factors))

    @override
    def least_amount(self, axes: Sequence[int]) -> float:
        return least_mask_amount(self.kernel)
