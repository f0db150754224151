"""The range of intensities, for methods whose constants are levels of 8 bits.

Those of the papers are: there black is 0 and white 255. They count levels of any image
so, and what is added to it is in its own intensities again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_usm.filters.dtypes import Array, type_limits
from napari_usm.methods import checks
from napari_usm.methods.parameter import parameter

_EIGHT_BITS = 255.0

# Levels beyond this are no image's: there squares of squares would not be finite.
_MOST_LEVELS = 1e60


def data_range_parameter() -> Any:
    """Field for the intensity of white."""
    return parameter(
        None,
        "float, optional",
        "Data range",
        "Intensity of white, where black is 0: 4095 for 12 bits in uint16. By default "
        "the largest value of an integer type, and 1 for floats and booleans.",
        unit="intensity",
        control="none",
    )


def check_data_range(value: Any) -> None:
    """Raise unless it is None or above 0."""
    if value is not None:
        checks.above("data_range", value, 0)


def white(dtype: np.dtype[Any]) -> float:
    """The intensity of white in images of a type, if nothing else is known."""
    _, largest = type_limits(dtype)
    return largest if np.isfinite(largest) else 1.0


def level(data_range: float) -> float:
    """Intensity of one level of 8 bits."""
    return data_range / _EIGHT_BITS


def in_levels(values: Array, data_range: float) -> Array:
    """Intensities in levels of 8 bits, as float64; invalid ones are NaN."""
    counted = values.astype(np.float64) / level(data_range)
    held = np.clip(counted, -_MOST_LEVELS, _MOST_LEVELS)
    return np.where(np.isfinite(values), held, np.nan)
