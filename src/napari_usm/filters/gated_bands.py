"""One or two bands of an image, each by the share of signal around a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_usm.filters.bands import MEAN
from napari_usm.filters.blur import blur, blur_of_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm.filters.bands import Noise
    from napari_usm.filters.dtypes import Array
    from napari_usm.filters.taps import AxisBlur

# Power below which nothing is signal, for an image whose range is about 1.
_LEAST_POWER = 1e-9


@dataclass(frozen=True, eq=False)
class GatedBand:
    """The image less its blur, and how much of it is added.

    Attributes
    ----------
    blurs : mapping of axis to AxisBlur
        The blur.
    amount : float
        How much is added where all is signal.
    denoise : float
        How much is taken away where all is noise.
    noise : Noise
        That of the image.
    gate : float
        Variance of noise of variance 1 in the detail, times how far above it signal
        must stand.
    """

    blurs: Mapping[int, AxisBlur]
    amount: float
    denoise: float
    noise: Noise
    gate: float


@dataclass(frozen=True, eq=False)
class SecondBand:
    """What the detail less its own blur adds, where that is signal too.

    Attributes
    ----------
    amounts : tuple of float
        How much is then added of the detail, and of the detail less its blur.
    gate : float
        As that of the first band.
    """

    amounts: tuple[float, float]
    gate: float


def gated_bands(
    values: Array,
    first: GatedBand,
    second: SecondBand | None,
    mode: str,
    cval: float,
    weight: Array | None = None,
) -> Array:
    """What is added to the image, 0 at invalid pixels; type of `values`."""
    kind = values.dtype.type
    around = dict.fromkeys(first.blurs, MEAN)
    blurred = blur_of_known(values, first.blurs, mode, cval, weight)
    detail = values - blurred
    noise = first.noise.around(blurred, around, mode, cval, weight)

    def share(of: Array, gate: float) -> Array:
        """Share of the power around a pixel that noise does not explain."""
        power = blur(of * of, around, mode, 0.0, weight)
        floor = np.maximum(power, kind(_LEAST_POWER))
        signal: Array = np.maximum(1 - kind(gate) * noise / floor, kind(0))
        return signal

    sure = share(detail, first.gate)
    added = kind(first.amount) * detail
    if second is not None:
        finer = detail - blur_of_known(detail, first.blurs, mode, 0.0, weight)
        surer = share(finer, second.gate)
        both = kind(second.amounts[0]) * detail + kind(second.amounts[1]) * finer
        added = (1 - surer) * added + surer * both
    added = sure * added - kind(first.denoise) * (1 - sure) * detail
    result: Array = np.where(np.isfinite(values), added, kind(0))
    return result
