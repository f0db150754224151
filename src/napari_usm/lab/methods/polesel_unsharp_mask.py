"""Polesel's adaptive unsharp masking: as much as the contrast of each area bears."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from napari_usm import arguments
from napari_usm._methods.amount import AmountMethod, amount_parameter
from napari_usm._methods.base import border, colour
from napari_usm._methods.parameter import parameter
from napari_usm.lab.filters.areas import AREA_REACH, wanted_growth
from napari_usm.lab.filters.directional import (
    DIRECTIONAL_REACH,
    FIT_REACH,
    directional_detail,
)
from napari_usm.lab.methods.contrast_areas import (
    AREAS,
    activities_parameter,
    areas_parameter,
    check_areas,
    contrast_areas,
    contrasts_parameter,
)
from napari_usm.lab.methods.data_range import LevelsMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array


@dataclass(frozen=True)
class PoleselUnsharpMask(LevelsMethod, AmountMethod):
    """Parameters and steps of `napari_usm.lab.polesel_unsharp_mask`."""

    amount: float = amount_parameter(1.0, 0.0, 2.0)
    _: KW_ONLY
    areas: str = areas_parameter("polesel")
    contrasts: tuple[float, float] = contrasts_parameter()
    activities: tuple[float, float] = activities_parameter()
    largest_weight: float = parameter(
        4.0, "Largest weight", minimum=0.0, maximum=10.0, step=0.1
    )
    color: str = colour("value")
    mode: str = border("mirror")

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        arguments.choice("areas", self.areas, AREAS)
        check_areas(self.contrasts, self.activities)
        arguments.real("largest_weight", self.largest_weight, minimum=0)

    @override
    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        """As far as the fit of the weights does, to second differences and areas."""
        return (max(DIRECTIONAL_REACH, FIT_REACH + AREA_REACH),) * len(axes)

    @override
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

    @override
    def least_amount(self, axes: Sequence[int]) -> float:
        """Return the amount that removes a checkerboard at the largest weight."""
        if self.largest_weight == 0:
            return -np.inf
        return -0.25 / (len(axes) * self.largest_weight)
