"""Adaptive unsharp masking: the gain follows the image's gradient variation."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from napari_usm import arguments
from napari_usm._estimate.box_gradients import TIMES_OF_INTEGERS, box_sums, fits_box
from napari_usm._estimate.gradient_gain import REACH, gain_from_sums, gradient_sums
from napari_usm._estimate.row_sample import row_sample
from napari_usm._filters.opacity import visible
from napari_usm._filters.overflow import saturated
from napari_usm._methods.base import border, colour
from napari_usm._methods.gains import (
    GainMethod,
    gain_per_parameter,
    gains_parameter,
    subsample_parameter,
)
from napari_usm._methods.masks import (
    KernelMethod,
    kernel_parameter,
    sigma_parameter,
    truncate_parameter,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._estimate.row_sample import RowSample
    from napari_usm._filters.dtypes import Array

# A power of 2: no bit is lost but of pixels below 1e-270.
_SMALLER = 2.0**-64


@dataclass(frozen=True)
class AdaptiveUnsharpMask(GainMethod, KernelMethod):
    """Parameters and steps of `napari_usm.adaptive_unsharp_mask`."""

    _: KW_ONLY
    kernel: str = kernel_parameter("box")
    sigma: float | Sequence[float] = sigma_parameter()
    gains: Sequence[float] | None = gains_parameter(finishing=True)
    gain_per: str = gain_per_parameter(finishing=True)
    subsample: bool = subsample_parameter(finishing=True)
    truncate: float = truncate_parameter()
    color: str = colour("value")
    mode: str = border("mirror")
    default_gains = np.arange(1, 31) / 10

    @property
    @override
    def in_words(self) -> str:
        amount = f"amount = 1 / {self.tried[-1]:g}"
        if self.tried.size > 1:
            amount = (
                f"amount = 1 / gain, with the one of {self.tried.size} gains from "
                f"{self.tried[0]:g} to {self.tried[-1]:g} at which the ratio of the "
                "gradients before and after rises most"
            )
        return f"{super().in_words}, {amount}"

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        arguments.flag("subsample", self.subsample)

    @override
    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        """Half-width of the kernel, and the differences beyond it."""
        return tuple(radius + REACH for radius in super().reach(axes))

    @override
    def row_sample(
        self, axes: Sequence[int], kept: Sequence[int], lengths: Sequence[int]
    ) -> RowSample | None:
        """Every n-th row of a large image, unless a strip is cut from a coarse grid."""
        if not self.subsample or len(axes) < 2:
            return None
        blur = self.mask(axes).blurs[sorted(axes)[-2]]
        if blur.factor > 1:
            return None
        return row_sample(lengths, axes, kept, blur.reach)

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
    ) -> Array:
        """Sums over the gradients of the block, from which the gain follows."""
        gains, dtype = self.tried, block.dtype
        in_box = self.kernel == "box" and fits_box(
            dtype, axes, lengths, self.mode, self.cval
        )
        if in_box and weight is None:
            sums = box_sums(block, gains, axes, kept, core, self.mode, self.cval)
            if sums is not None:
                return sums
        # In float64: sums of many differences decide between neighbouring gains.
        image = visible(block, weight).astype(np.float64)
        detail = saturated(self.detail(image, axes, None, weight), image.dtype)
        image[~np.isfinite(image)] = np.nan
        if dtype == np.float64:
            # Or the sums over many pixels overflow.
            image, detail = image * _SMALLER, detail * _SMALLER
        sums = gradient_sums(image, detail, gains, axes, kept, core, lengths)
        # As the sums of other blocks are.
        return sums * TIMES_OF_INTEGERS if in_box and dtype.kind != "f" else sums

    def chosen(self, sums: Array, *earlier: Array) -> tuple[Array, Array]:
        """The gain where S rises most, and S."""
        return gain_from_sums(sums, self.tried)
