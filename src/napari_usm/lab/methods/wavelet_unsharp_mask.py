"""Unsharp masking with the detail planes of a wavelet transform."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from napari_usm import arguments
from napari_usm._methods.amount import AmountMethod, amount_parameter
from napari_usm._methods.base import border, colour
from napari_usm._methods.parameter import parameter
from napari_usm.lab.filters.areas import AREA_REACH, wanted_growth
from napari_usm.lab.filters.wavelet import filter_bank, trimmed_detail
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
    from napari_usm.lab.filters.wavelet import Bank

_AREAS = ("none", *AREAS)

# Detail of more than a thousand pixels is no detail, and its reach doubles with each.
_MOST_LEVELS = 10


@dataclass(frozen=True)
class WaveletUnsharpMask(LevelsMethod, AmountMethod):
    """Parameters and steps of `napari_usm.lab.wavelet_unsharp_mask`."""

    amount: float = amount_parameter(1.0, -1.0, 5.0)
    _: KW_ONLY
    wavelet: str = parameter(
        "haar",
        "Wavelet",
        presets=(
            ("Haar", "haar"),
            ("CDF 5/3", "bior2.2"),
            ("CDF 9/7", "bior4.4"),
        ),
    )
    levels: int = parameter(2, "Levels", minimum=1, maximum=5, step=1, control="basic")
    limit: float = parameter(
        16.0, "Limit", minimum=0.0, maximum=255.0, step=1.0, control="basic"
    )
    areas: str = areas_parameter("none", _AREAS)
    contrasts: tuple[float, float] = contrasts_parameter()
    activities: tuple[float, float] = activities_parameter()
    color: str = colour("value")
    mode: str = border("mirror")

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        if not isinstance(self.wavelet, str):
            raise TypeError(f"`wavelet` must be a str; got {self.wavelet!r}")
        try:
            self._bank()
        except (TypeError, ValueError):  # without a name it is the one, else the other
            raise ValueError(
                "`wavelet` must be a symmetric one of PyWavelets, such as 'haar' or "
                f"'bior2.2'; got {self.wavelet!r}"
            ) from None
        arguments.integer("levels", self.levels, minimum=1)
        if self.levels > _MOST_LEVELS:
            raise ValueError(
                f"`levels` must be at most {_MOST_LEVELS}; got {self.levels!r}"
            )
        arguments.real("limit", self.limit, minimum=0)
        arguments.choice("areas", self.areas, _AREAS)
        check_areas(self.contrasts, self.activities)

    @override
    def reach(self, axes: Sequence[int]) -> tuple[int, ...]:
        """As far as the transform does, and again for what stands in for a NaN."""
        return (max(2 * self._bank().reach(self.levels), AREA_REACH),) * len(axes)

    @override
    def detail(
        self,
        block: Array,
        axes: Sequence[int],
        estimate: Array | None = None,
        weight: Array | None = None,
    ) -> Array:
        """The trimmed detail, times the weight of the area."""
        detail = trimmed_detail(
            block,
            self._bank(),
            self.levels,
            self.limit * self.level,
            axes,
            self.mode,
            self.cval,
        )
        if self.areas == "none":
            return detail
        areas = contrast_areas(self.areas, self.contrasts, self.activities)
        values = self.in_levels(block)
        growth = wanted_growth(values, areas, axes, self.mode, self.cval / self.level)
        largest = max(areas.medium_growth, areas.high_growth)
        weight = growth / largest if largest > 0 else growth
        weighted: Array = detail * weight.astype(block.dtype)
        return weighted

    @override
    def least_amount(self, axes: Sequence[int]) -> float:
        """Return the amount that removes the detail."""
        return -1.0

    def _bank(self) -> Bank:
        return filter_bank(self.wavelet)
