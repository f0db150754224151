"""Classic unsharp masking: the detail is what a blur takes away."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

from napari_usm.filters.mask import Mask
from napari_usm.filters.threshold import Threshold
from napari_usm.methods import checks
from napari_usm.methods.masks import (
    MaskMethod,
    check_mask,
    kernel_parameter,
    least_mask_amount,
    mask_at_level,
    mask_blurs,
    sigma_parameter,
    truncate_parameter,
)
from napari_usm.methods.method import Constants, soft_threshold
from napari_usm.methods.parameter import parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.filters.dtypes import Array
    from napari_usm.methods.method import Method


@dataclass(frozen=True)
class UnsharpMask(MaskMethod):
    """Sharpen an image by adding back what a blur takes away.

    Notes
    -----
    ``sharpened = image + amount * threshold(image - blurred)``. The gain of [1]_
    is ``1 / amount``. Below ``amount=-1`` (``-3/4`` for the box) the finest
    detail turns into its negative instead of fading.

    The noise of a threshold such as ``"3 noise"`` is that of the detail at each
    pixel, ``sqrt(gain * max(a + b * (blurred - low), floor))`` with the sum of squares
    of the kernel for `gain`; see `significance`.

    From sigma 4 on, unless `truncate` is below 4, an axis is blurred on a grid of
    every ``int(sigma / 1.33)``-th pixel, which it is brought to and back from by
    cubic B-splines [2]_: the time does not grow with sigma, and a step is blurred
    within 5.5e-4 of its height of the true Gaussian. From a sigma of twice the length
    of an axis on, the blur along it is a cubic polynomial, or the mean where the axis
    is reflected or wrapped.

    References
    ----------
    .. [1] Z. Mortezaie, H. Hassanpour, S. Asadi Amiri, "Image enhancement
       using an adaptive un-sharp masking method considering the gradient
       variation", Int. J. Eng. 30(8), 2017, pp. 1118-1125, equations 1 to 3.
       :doi:`10.5829/ije.2017.30.08b.02`
    .. [2] M. Unser, A. Aldroubi, M. Eden, "B-spline signal processing: Part II,
       Efficient design and applications", IEEE Trans. Signal Process. 41(2),
       1993, pp. 834-848. :doi:`10.1109/78.193221`

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

    def check(self, axes: Sequence[int]) -> None:
        """Raise if a parameter breaks its rule."""
        super().check(axes)
        check_mask(self.kernel, self.sigma, self.truncate, axes)
        checks.real("amount", self.amount)
        checks.threshold("threshold", self.threshold)
        checks.flag("hard", self.hard)

    @property
    def thresholding(self) -> Threshold:
        """As given."""
        limit, in_noise = checks.threshold("threshold", self.threshold)
        return Threshold(limit, self.hard, in_noise)

    def constants(
        self, sums: Array | None, axes: Sequence[int], *found: Array
    ) -> Constants:
        """The amount as given."""
        return Constants(float(self.amount))

    def make_mask(self, axes: Sequence[int]) -> Mask:
        """The blur by kernel and sigma."""
        return Mask(mask_blurs(self.kernel, self.sigma, self.truncate, axes))

    def at_level(self, factors: Sequence[float]) -> Method:
        """The same with a narrower blur."""
        return replace(self, **mask_at_level(self.kernel, self.sigma, factors))

    def least_amount(self, axes: Sequence[int]) -> float:
        """That of the kernel."""
        return least_mask_amount(self.kernel)
