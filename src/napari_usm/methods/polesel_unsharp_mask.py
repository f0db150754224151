"""Polesel's adaptive unsharp masking: as much as the contrast of each area bears."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.filters.areas import AREA_REACH, wanted_growth
from napari_usm.filters.directional import (
    DIRECTIONAL_REACH,
    FIT_REACH,
    directional_detail,
)
from napari_usm.methods import checks
from napari_usm.methods.contrast_areas import (
    AREAS,
    activities_parameter,
    areas_parameter,
    check_areas,
    contrast_areas,
    contrasts_parameter,
)
from napari_usm.methods.data_range import LevelsMethod
from napari_usm.methods.method import Constants, border, colour
from napari_usm.methods.parameter import parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm.filters.dtypes import Array


@dataclass(frozen=True)
class PoleselUnsharpMask(LevelsMethod):
    """Sharpen areas of medium contrast most, of high contrast less, of low not at all.

    Notes
    -----
    ``sharpened = image + amount * (w1 * z1 + w2 * z2 + ...)`` with the negative second
    difference zk along each filtered axis. The activity of an image is what it differs
    by from the mean of its 3-wide window. The activity of the result should be 4 times
    that of the image where the local standard deviation is medium, 3 times where it is
    high, and unchanged where it is low. At each pixel the weights wk are those that
    come nearest to this in the 5-wide window around it: least squares, with a
    ridge of one level of 8 bits and of a thousandth of what is there, then held between
    0 and `largest_weight`.

    The paper adapts the weights from pixel to pixel along the rows instead, by a
    recursive Gauss-Newton algorithm that goes towards the same least squares. Its
    result depends on the direction of the rows; this one does not.

    ``areas="improved"`` is ours: areas pass into each other over two thirds of an
    octave of contrast, and the wanted growth is multiplied by the coherence of the
    gradients, which is 1 at an edge and small in texture and noise.

    References
    ----------
    .. [1] A. Polesel, G. Ramponi, V. J. Mathews, "Image enhancement via adaptive
       unsharp masking", IEEE Trans. Image Process. 9(3), 2000, pp. 505-510.
       :doi:`10.1109/83.826787`

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> faint, clear = np.full(8, 100.0), np.full(8, 100.0)
    >>> faint[4:], clear[4:] = 110, 140
    >>> usm.lab.polesel_unsharp_mask(faint, data_range=255)
    array([100., 100., 100., 100., 110., 110., 110., 110.])
    >>> usm.lab.polesel_unsharp_mask(clear, data_range=255).round(1)
    array([100. , 100. , 100. ,  76.1, 163.9, 140. , 140. , 140. ])
    """

    amount: float = parameter(
        1.0,
        "float",
        "Amount",
        "Strength: 1 aims at the wanted activity, 0 gives the image back.",
        minimum=0.0,
        maximum=2.0,
        step=0.05,
        control="basic",
        finishing=True,
    )
    _: KW_ONLY
    areas: str = areas_parameter("polesel")
    contrasts: tuple[float, float] = contrasts_parameter()
    activities: tuple[float, float] = activities_parameter()
    largest_weight: float = parameter(
        4.0,
        "float",
        "Largest weight",
        "Weights of the second differences are held between 0 and this.",
        minimum=0.0,
        maximum=10.0,
        step=0.1,
    )
    color: str = colour("value")
    mode: str = border("mirror")

    def check(self, axes: Sequence[int]) -> None:
        """Raise if a parameter breaks its rule."""
        super().check(axes)
        checks.real("amount", self.amount)
        checks.choice("areas", self.areas, AREAS)
        check_areas(self.contrasts, self.activities)
        checks.real("largest_weight", self.largest_weight, minimum=0)

    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        """As far as the fit of the weights does, to second differences and areas."""
        return (max(DIRECTIONAL_REACH, FIT_REACH + AREA_REACH),) * len(axes)

    def detail(
        self,
        block: Array,
        axes: Sequence[int],
        estimate: Array | None = None,
        weight: Array | None = None,
    ) -> Array:
        """The weighted second differences."""
        # In float64: the normal equations square what they are made of.
        values = self.in_levels(block)
        areas = contrast_areas(self.areas, self.contrasts, self.activities)
        cval = self.cval / self.level
        growth = wanted_growth(values, areas, axes, self.mode, cval)
        found = directional_detail(
            values, growth, axes, self.largest_weight, self.mode, cval
        )
        return (found * self.level).astype(block.dtype)

    def constants(
        self, sums: Array | None, axes: Sequence[int], *found: Array
    ) -> Constants:
        """The amount as given."""
        return Constants(float(self.amount))

    def least_amount(self, axes: Sequence[int]) -> float:
        """Where the finest checkerboard is just taken away at the largest weight."""
        if self.largest_weight == 0:
            return -np.inf
        return -0.25 / (len(axes) * self.largest_weight)

    def noise_factor(self, axes: Sequence[int], amount: Any) -> Any | None:
        """Not linear."""
        return None
