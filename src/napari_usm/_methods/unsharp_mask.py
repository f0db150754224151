"""Classic unsharp masking: the detail is what a blur takes away."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from napari_usm._methods.amount import ThresholdMethod, amount_parameter, soft_threshold
from napari_usm._methods.masks import (
    KernelMethod,
    kernel_parameter,
    sigma_parameter,
    truncate_parameter,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class UnsharpMask(KernelMethod, ThresholdMethod):
    """Parameters and steps of `napari_usm.unsharp_mask`."""

    sigma: float | Sequence[float] = sigma_parameter()
    amount: float = amount_parameter(1.0, -1.0, 10.0, step=0.1)
    _: KW_ONLY
    kernel: str = kernel_parameter("gaussian")
    threshold: float | str = soft_threshold()[0]
    hard: bool = soft_threshold()[1]
    truncate: float = truncate_parameter()
