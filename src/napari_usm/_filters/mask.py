"""A linear mask, given by its blur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_usm._filters.attribute import cached_attribute
from napari_usm._filters.taps import energy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm._filters.taps import AxisBlur


@dataclass(frozen=True, eq=False)
class Mask:
    """A filter whose detail is the image less its blur.

    Attributes
    ----------
    blurs : mapping of axis to AxisBlur
        The blur.
    """

    blurs: Mapping[int, AxisBlur]

    @cached_attribute
    def blurred(self) -> list[int]:
        """Axes along which there is anything to do, in order."""
        return sorted(a for a, blur in self.blurs.items() if not blur.does_nothing)

    @cached_attribute
    def energy(self) -> tuple[float, float]:
        """Centre weight and sum of squared weights of the blur."""
        return energy([blur.weights for blur in self.blurs.values()])
