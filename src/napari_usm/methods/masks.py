"""What the masks share: the blur, its parameters, and what follows from its kernel."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.filters.blur import (
    BOX,
    Taps,
    blur,
    blur_energy,
    gaussian_radius,
    gaussian_taps,
)
from napari_usm.filters.threshold import threshold
from napari_usm.methods import checks
from napari_usm.methods.method import Method
from napari_usm.methods.parameter import choice, parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.filters.dtypes import Array
    from napari_usm.filters.mask import Mask

KERNELS = ("gaussian", "box")


def sigma_parameter() -> Any:
    """Field for the width of the Gaussian."""
    return parameter(
        1.0,
        "float or sequence of float",
        "Sigma",
        "Standard deviation of the blur, in pixels: one number, or one per filtered "
        "axis. Detail of about this size is enhanced; 0 leaves an axis alone.",
        unit="px",
        minimum=0.0,
        maximum=20.0,
        step=0.1,
        control="basic",
        needs=("kernel", "gaussian"),
    )


def truncate_parameter() -> Any:
    """Field for where a Gaussian kernel is cut."""
    return parameter(
        4.0,
        "float",
        "Truncate",
        "Where the Gaussian is cut off, in sigmas: its half-width is "
        "``int(truncate * sigma + 0.5)`` pixels.",
        unit="sigma",
        minimum=1.0,
        maximum=10.0,
        step=0.5,
        needs=("kernel", "gaussian"),
    )


def kernel_parameter(default: str) -> Any:
    """Field for the shape of the blur."""
    return choice(
        default,
        KERNELS,
        "Kernel",
        "Shape of the blur: a Gaussian of width `sigma`, or the mean of three pixels "
        "along every filtered axis (`sigma` is then ignored).",
    )


def mask_taps(
    kernel: str, sigma: Any, truncate: float, axes: Sequence[int]
) -> dict[int, Taps]:
    """Weights of the blur along each filtered axis."""
    if kernel == "box":
        return dict.fromkeys(axes, BOX)
    sigmas = checks.per_axis("sigma", sigma, len(axes))
    return {
        axis: gaussian_taps(width, gaussian_radius(width, truncate))
        for axis, width in zip(axes, sigmas, strict=True)
    }


def check_mask(kernel: Any, sigma: Any, truncate: Any, axes: Sequence[int]) -> None:
    """Raise if a parameter of the blur breaks its rule."""
    checks.choice("kernel", kernel, KERNELS)
    checks.per_axis("sigma", sigma, len(axes), minimum=0)
    checks.real("truncate", truncate, minimum=0)


class MaskMethod(Method):
    """A method whose detail is the image less its blur."""

    @abstractmethod
    def mask(self, axes: Sequence[int]) -> Mask:
        """The blur, and what is done to the detail."""

    def one_pass(self, axes: Sequence[int]) -> Mask:
        """The mask itself."""
        return self.mask(axes)

    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        """Half-widths of the blur."""
        return tuple(taps.size // 2 for taps in self.mask(axes).taps.values())

    def edge_map(self, block: Array, axes: Sequence[int]) -> Array:
        """``threshold(image - blurred)``."""
        mask = self.mask(axes)
        blurred = blur(block, mask.taps, self.mode, self.cval)
        detail = np.subtract(
            block, blurred, out=np.zeros_like(block), where=np.isfinite(block)
        )
        return threshold(detail, mask.threshold, mask.hard)

    def noise_factor(self, axes: Sequence[int], amount: Any) -> Any | None:
        """Root of the sum of squares of the kernel ``(1 + amount) - amount * blur``."""
        mask = self.mask(axes)
        if mask.threshold:
            return None
        centre, squares = blur_energy(mask.taps)
        own, both = 1 + amount, amount * (1 + amount)
        return np.sqrt(own**2 - 2 * both * centre + amount**2 * squares)
