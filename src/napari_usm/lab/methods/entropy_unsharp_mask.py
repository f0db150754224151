"""Unsharp masking with the gain that gives the sharpened image the most entropy."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from napari_usm import arguments
from napari_usm._methods.base import border, colour
from napari_usm._methods.gains import gain_per_parameter, gains_parameter
from napari_usm._methods.masks import (
    KernelMethod,
    kernel_parameter,
    sigma_parameter,
    truncate_parameter,
)
from napari_usm._methods.parameter import parameter
from napari_usm.lab.estimate.entropy import stretched
from napari_usm.lab.methods.entropy_gain import EntropyGainMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array


@dataclass(frozen=True)
class EntropyUnsharpMask(EntropyGainMethod, KernelMethod):
    """Parameters and steps of `napari_usm.lab.entropy_unsharp_mask`."""

    _: KW_ONLY
    kernel: str = kernel_parameter("box")
    sigma: float | Sequence[float] = sigma_parameter()
    penalty: bool = parameter(True, "Penalty", finishing=True)
    gains: Sequence[float] | None = gains_parameter(finishing=True)
    gain_per: str = gain_per_parameter(finishing=True)
    truncate: float = truncate_parameter()
    color: str = colour("value")
    mode: str = border("mirror")
    # Amounts from 10 down to 0.1, each 11 % less than the one before.
    default_gains = 10 ** (np.arange(-20, 21) / 20)

    @property
    def restores(self) -> bool:
        """A pixel that would leave the range saturates."""
        return False

    @property
    def penalised(self) -> bool:
        """As asked for."""
        return self.penalty

    @property
    @override
    def per_channel(self) -> bool:
        """One gain for all: colours would shift."""
        return False

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        arguments.flag("penalty", self.penalty)

    def stretch(
        self,
        block: Array,
        axes: Sequence[int],
        low: Array,
        high: Array,
        weight: Array | None = None,
    ) -> tuple[Array, Array]:
        """The block and its detail."""
        return stretched(block, self.detail(block, axes, None, weight), low, high)
