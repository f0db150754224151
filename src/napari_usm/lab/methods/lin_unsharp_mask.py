"""Unsharp masking with a weight of intensity and edge, as Lin et al. have it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from napari_usm._filters.blur import blur
from napari_usm._filters.taps import BOX
from napari_usm._methods.base import border, colour
from napari_usm._methods.gains import gain_per_parameter, gains_parameter
from napari_usm.lab.estimate.entropy import range_of, stretched
from napari_usm.lab.methods.entropy_gain import EntropyGainMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array
    from napari_usm._methods.base import Constants


@dataclass(frozen=True)
class LinUnsharpMask(EntropyGainMethod):
    """Parameters and steps of `napari_usm.lab.lin_unsharp_mask`."""

    _: KW_ONLY
    gains: Sequence[float] | None = gains_parameter()
    gain_per: str = gain_per_parameter()
    color: str = colour("value")
    mode: str = border("mirror")
    # k from 0.04 to 2; those around the best are 0.002 apart, less than the 0.01 at
    # which the golden section of the source ends.
    default_gains = 25 / np.arange(50, 0, -1)

    @property
    @override
    def estimates(self) -> bool:
        """Always: the weight needs the range of the image."""
        return True

    @property
    @override
    def fits_detail(self) -> bool:
        """The weight follows the range, and what leaves it follows the amount."""
        return True

    @property
    def restores(self) -> bool:
        """A pixel that would leave the range is not sharpened."""
        return True

    @property
    def penalised(self) -> bool:
        """Nor does it count."""
        return True

    @override
    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        return (BOX.reach,) * len(axes)

    @override
    def constants(
        self, sums: Array | None, axes: Sequence[int], *earlier: Array
    ) -> Constants:
        """The amount; range and amount are what the detail depends on."""
        constants = super().constants(sums if earlier else None, axes, *earlier)
        if sums is None:
            return constants
        low, high = range_of(earlier[0] if earlier else sums)
        amount = np.broadcast_to(constants.amount, low.shape)
        return replace(constants, estimate=np.stack([low, high, amount], axis=-1))

    @override
    def detail(
        self,
        block: Array,
        axes: Sequence[int],
        estimate: Array | None = None,
        weight: Array | None = None,
    ) -> Array:
        """The weighted differences, 0 where a pixel would leave the range."""
        assert estimate is not None
        low, high, amount = np.moveaxis(estimate, -1, 0).astype(block.dtype)
        _, added = self.stretch(block, axes, low, high, weight)
        added *= high - low
        sharpened = block + amount * added
        return np.where((sharpened >= low) & (sharpened <= high), added, 0)

    def stretch(
        self,
        block: Array,
        axes: Sequence[int],
        low: Array,
        high: Array,
        weight: Array | None = None,
    ) -> tuple[Array, Array]:
        """The stretched block and its weighted differences, 0 where it is invalid."""
        around = dict.fromkeys(axes, BOX)
        mean = blur(block, around, self.mode, self.cval, weight)
        valid = np.isfinite(block)
        detail = np.subtract(block, mean, out=np.zeros_like(block), where=valid)
        image, edge = stretched(block, 3 ** len(axes) * detail, low, high)
        share = (1 + np.tanh(3 - 12 * np.abs(image - 0.5))) / 2
        share *= (1 + np.tanh(3.5 - 6 * np.abs(edge))) / 2
        return image, np.where(valid, share * edge, 0)
