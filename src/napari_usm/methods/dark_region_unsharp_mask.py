"""Unsharp masking of the negative: the darker a region, the more it is sharpened."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.filters.mask import Mask
from napari_usm.methods import checks
from napari_usm.methods.data_range import LevelsMethod
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
from napari_usm.methods.method import Constants, border, colour
from napari_usm.methods.parameter import parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.filters.dtypes import Array
    from napari_usm.methods.method import Method


@dataclass(frozen=True)
class DarkRegionUnsharpMask(LevelsMethod, MaskMethod):
    """Sharpen dark regions more than bright ones, as much as their negative is bright.

    Notes
    -----
    ``sharpened = image + amount * (1 - blurred / data_range) * (image - blurred)``. In
    words: take the negative, so that dark regions are bright; sharpen it by a
    mean-weighted high-pass filter, one that is multiplied by the local mean; take the
    negative again. The weight is 1 in the black and 0 in the white, and is held there
    beyond them. The eye sees differences relative to their surroundings (the law of
    Weber and Fechner), so those in the dark are the ones that noise hides least.

    Only the idea is known to us, from the summary in [1]_ (its reference 8): negative,
    mean-weighted high-pass filter, one amount for all images. The mean that weights is
    here the one that is taken away.

    References
    ----------
    .. [1] Z. Mortezaie, H. Hassanpour, S. Asadi Amiri, "Image enhancement
       using an adaptive un-sharp masking method considering the gradient
       variation", Int. J. Eng. 30(8), 2017, pp. 1118-1125, section 1.
       :doi:`10.5829/ije.2017.30.08b.02`
    .. [2] R. D. Nowak, R. G. Baraniuk, "Adaptive weighted highpass filters using
       multiscale analysis", IEEE Trans. Image Process. 7(7), 1998, p. 1068: what
       mean-weighted high-pass filters are.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> step = np.array([0.0, 0, 0, 30, 30, 30])
    >>> usm.lab.dark_region_unsharp_mask(step, data_range=255).round(1)
    array([ 0. ,  0. , -9.6, 39.2, 30. , 30. ])
    >>> usm.lab.dark_region_unsharp_mask(step + 210, data_range=255).round(1)
    array([210. , 210. , 208.6, 241. , 240. , 240. ])
    """

    amount: float = parameter(
        1.0,
        "float",
        "Amount",
        "How much of the weighted detail is added: 0 gives the image back.",
        minimum=-0.75,
        maximum=5.0,
        step=0.05,
        control="basic",
        finishing=True,
    )
    _: KW_ONLY
    kernel: str = kernel_parameter("box")
    sigma: float | Sequence[float] = sigma_parameter()
    truncate: float = truncate_parameter()
    color: str = colour("value")
    mode: str = border("mirror")

    def check(self, axes: Sequence[int]) -> None:
        """Raise if a parameter breaks its rule."""
        super().check(axes)
        checks.real("amount", self.amount)
        check_mask(self.kernel, self.sigma, self.truncate, axes)

    def make_mask(self, axes: Sequence[int]) -> Mask:
        """The blur by kernel and sigma."""
        return Mask(mask_blurs(self.kernel, self.sigma, self.truncate, axes))

    def weighted(self, detail: Array, blurred: Array) -> Array:
        """The detail times the share of black in the local mean."""
        share: Array = 1 - blurred / blurred.dtype.type(self.white)
        return detail * np.clip(share, 0, 1, out=share)

    def at_level(self, factors: Sequence[float]) -> Method:
        """The same with a narrower blur."""
        return replace(self, **mask_at_level(self.kernel, self.sigma, factors))

    def constants(
        self, sums: Array | None, axes: Sequence[int], *found: Array
    ) -> Constants:
        """The amount as given."""
        return Constants(float(self.amount))

    def least_amount(self, axes: Sequence[int]) -> float:
        """That of the kernel, where the weight is largest."""
        return least_mask_amount(self.kernel)

    def one_pass(self, axes: Sequence[int], estimate: Array | None = None) -> None:
        """None: the mask of a pass has no weights."""
        return None

    def response(self, axes: Sequence[int]) -> None:
        """None: the noise is weighted too."""
        return None

    def noise_factor(self, axes: Sequence[int], amount: Any) -> None:
        """Not linear."""
        return None
