"""Classic unsharp masking: the detail is what a blur takes away."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

from napari_usm.filters.blur import (
    BOX,
    Taps,
    blur,
    blur_energy,
    gaussian_radius,
    gaussian_taps,
)
from napari_usm.filters.mask import Mask
from napari_usm.filters.threshold import threshold
from napari_usm.methods import checks
from napari_usm.methods.method import (
    Constants,
    Method,
    detail_from,
    mask_noise_factor,
    soft_threshold,
)
from napari_usm.methods.parameter import choice, parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.filters.dtypes import Array

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


def kernel_parameter(default: str, control: str) -> Any:
    """Field for the shape of the blur."""
    return choice(
        default,
        KERNELS,
        "Kernel",
        "Shape of the blur: a Gaussian of width `sigma`, or the mean of three pixels "
        "along every filtered axis (`sigma` is then ignored).",
        control=control,
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


def taps_reach(taps: dict[int, Taps]) -> tuple[int, ...]:
    """Half-widths of the kernels."""
    return tuple(weights.size // 2 for weights in taps.values())


@dataclass(frozen=True)
class UnsharpMask(Method):
    """Sharpen an image by adding back what a blur takes away.

    Notes
    -----
    ``sharpened = image + amount * threshold(image - blurred)``. The gain of [1]_
    is ``1 / amount``. Below ``amount=-1`` (``-3/4`` for the box) the finest
    detail turns into its negative instead of fading.

    References
    ----------
    .. [1] Z. Mortezaie, H. Hassanpour, S. Asadi Amiri, "Image enhancement
       using an adaptive un-sharp masking method considering the gradient
       variation", Int. J. Eng. 30(8), 2017, pp. 1118-1125, equations 1 to 3.
       :doi:`10.5829/ije.2017.30.08b.02`

    Examples
    --------
    A step gains an undershoot and an overshoot; flat regions stay as they are:

    >>> import numpy as np
    >>> import napari_usm as usm
    >>> step = np.array([10.0, 10, 10, 10, 50, 50, 50, 50])
    >>> usm.unsharp_mask(step, sigma=0.5).round(1)
    array([10. , 10. , 10. ,  5.7, 54.3, 50. , 50. , 50. ])
    """

    sigma: float | Sequence[float] = sigma_parameter()
    amount: float = parameter(
        1.0,
        "float",
        "Amount",
        "How much of the detail is added: 0 gives the image back, 1 adds the detail "
        "once, a negative amount blurs.",
        unit="x",
        minimum=-1.0,
        maximum=10.0,
        step=0.1,
        control="basic",
    )
    _: KW_ONLY
    kernel: str = kernel_parameter("gaussian", "advanced")
    threshold: float = soft_threshold()[0]
    hard: bool = soft_threshold()[1]
    truncate: float = truncate_parameter()

    def check(self, axes: Sequence[int]) -> None:
        """Raise if a parameter breaks its rule."""
        super().check(axes)
        check_mask(self.kernel, self.sigma, self.truncate, axes)
        checks.real("amount", self.amount)
        checks.real("threshold", self.threshold, minimum=0)
        checks.flag("hard", self.hard)

    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        """Half-width of the kernel."""
        return taps_reach(self._taps(axes))

    def edge_map(self, block: Array, axes: Sequence[int]) -> Array:
        """``threshold(image - blurred)``."""
        blurred = blur(block, self._taps(axes), self.mode, self.cval)
        return threshold(detail_from(block, blurred), self.threshold, self.hard)

    def constants(self, sums: Array | None, axes: Sequence[int]) -> Constants:
        """The amount as given."""
        return Constants(float(self.amount))

    def mask(self, axes: Sequence[int]) -> Mask:
        """The mask in one pass."""
        return Mask(self._taps(axes), self.threshold, self.hard)

    def least_amount(self, axes: Sequence[int]) -> float:
        """-1 for the Gaussian, -3/4 for the box, whose transform goes below 0."""
        return -0.75 if self.kernel == "box" else -1.0

    def noise_factor(self, axes: Sequence[int], amount: Any) -> Any | None:
        """From the kernel, where there is no threshold."""
        if self.threshold:
            return None
        return mask_noise_factor(amount, *blur_energy(self._taps(axes)))

    def _taps(self, axes: Sequence[int]) -> dict[int, Taps]:
        return mask_taps(self.kernel, self.sigma, self.truncate, axes)
