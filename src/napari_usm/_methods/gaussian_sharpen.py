"""ImageMagick's `-sharpen`: an unsharp mask whose amount hides in sigma."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from napari_usm import arguments
from napari_usm._filters.taps import AxisBlur, gaussian_taps
from napari_usm._methods.base import Constants, border
from napari_usm._methods.masks import MaskMethod, mask_of
from napari_usm._methods.parameter import parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.mask import Mask

# One step of the 16-bit intensities that ImageMagick computes in: smaller tails
# are cut.
_QUANTUM = 1 / 65535


@dataclass(frozen=True)
class GaussianSharpen(MaskMethod):
    """Parameters and steps of `napari_usm.gaussian_sharpen`."""

    sigma: float = parameter(
        1.0, "Sigma", unit="px", minimum=0.0, maximum=50.0, step=0.1, control="basic"
    )
    _: KW_ONLY
    radius: int = parameter(0, "Radius", unit="px", minimum=0, maximum=200, step=1)
    mode: str = border("nearest")

    @property
    @override
    def in_words(self) -> str:
        return (
            "edge map = image − image blurred by a Gaussian on a square of pixels, "
            "amount = N / (N + g) with N the sum of the weights of that Gaussian and g "
            "the one at its centre"
        )

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        arguments.real("sigma", self.sigma, minimum=0)
        arguments.integer("radius", self.radius, minimum=0)
        if len(axes) != 2:
            raise ValueError(
                f"`axes` must be exactly two for gaussian_sharpen; got {tuple(axes)}"
            )

    @override
    def constants(
        self, sums: Array | None, axes: Sequence[int], *earlier: Array
    ) -> Constants:
        """The amount that the kernel implies."""
        centre, _ = self.mask(axes).energy
        # The centre of the mask that was divided by its sum is g0 / N.
        return Constants(1 / (1 + centre))

    @override
    def make_mask(self, axes: Sequence[int]) -> Mask:
        """The Gaussian on its square."""
        blur = _blur(float(self.sigma), self._radius())
        return mask_of(tuple(axes), (blur,) * len(axes))

    @override
    def least_amount(self, axes: Sequence[int]) -> float:
        """As for every Gaussian mask."""
        return -1.0

    def _radius(self) -> int:
        if self.radius or self.sigma == 0:
            return self.radius
        return _optimal_radius(self.sigma)


@lru_cache(64)
def _blur(sigma: float, radius: int) -> AxisBlur:
    # On every pixel, however wide: ImageMagick's own weights.
    return AxisBlur(gaussian_taps(sigma, radius))


def _optimal_radius(sigma: float) -> int:
    """Half-width by GetOptimalKernelWidth2D: one less than where the tail is lost.

    The tail is the weight on an axis against the sum over the whole square.
    """
    radius, tail = 1, 1.0
    while tail >= _QUANTUM:
        radius += 1
        weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
        tail = weights[-1] / weights.sum() ** 2
    return radius - 1
