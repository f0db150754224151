"""The range of intensities, for methods whose constants are levels of 8 bits.

Those of the papers are: there black is 0 and white 255. They count levels of any image
so, and what is added to it is in its own intensities again.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from napari_usm import arguments
from napari_usm._filters.dtypes import type_limits
from napari_usm._methods.base import Method
from napari_usm._methods.parameter import parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array

_EIGHT_BITS = 255.0

# Levels beyond this are no image's: there squares of squares would not be finite.
_MOST_LEVELS = 1e60


@dataclass(frozen=True)
class LevelsMethod(Method):
    """A method that counts in levels, or by the share of white."""

    _: KW_ONLY
    data_range: float | None = parameter(
        None, "Data range", unit="intensity", control="none"
    )

    @override
    def check(self, axes: Sequence[int]) -> None:
        super().check(axes)
        if self.data_range is not None:
            arguments.above("data_range", self.data_range, 0)

    @override
    def for_type(self, dtype: np.dtype[Any]) -> Method:
        """The white of the type, if none is given."""
        if self.data_range is not None:
            return self
        _, largest = type_limits(dtype)
        white = largest if np.isfinite(largest) else 1.0
        return replace(self, data_range=white)

    @property
    def white(self) -> float:
        """Its intensity, once the type of the image is known."""
        assert self.data_range is not None
        return self.data_range

    @property
    def level(self) -> float:
        """Intensity of one level of 8 bits."""
        return self.white / _EIGHT_BITS

    def in_levels(self, values: Array) -> Array:
        """Intensities in levels of 8 bits, as float64; invalid ones are NaN."""
        counted = values.astype(np.float64) / self.level
        held = np.clip(counted, -_MOST_LEVELS, _MOST_LEVELS)
        return np.where(np.isfinite(values), held, np.nan)
