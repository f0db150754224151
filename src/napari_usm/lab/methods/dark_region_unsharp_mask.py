"""Unsharp masking of the negative: the darker a region, the more it is sharpened."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from napari_usm._methods.amount import AmountMethod, amount_parameter
from napari_usm._methods.base import border, colour
from napari_usm._methods.masks import (
    KernelMethod,
    kernel_parameter,
    sigma_parameter,
    truncate_parameter,
)
from napari_usm.lab.methods.data_range import LevelsMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array


@dataclass(frozen=True)
class DarkRegionUnsharpMask(LevelsMethod, KernelMethod, AmountMethod):
    """Parameters and steps of `napari_usm.lab.dark_region_unsharp_mask`."""

    amount: float = amount_parameter(1.0, -0.75, 5.0)
    _: KW_ONLY
    kernel: str = kernel_parameter("box")
    sigma: float | Sequence[float] = sigma_parameter()
    truncate: float = truncate_parameter()
    color: str = colour("value")
    mode: str = border("mirror")

    @override
    def weighted(self, detail: Array, blurred: Array) -> Array:
        """The detail times the share of black in the local mean."""
        share: Array = 1 - blurred / blurred.dtype.type(self.white)
        return detail * np.clip(share, 0, 1, out=share)

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
