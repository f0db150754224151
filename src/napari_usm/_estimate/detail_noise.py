"""The noise of detail, from that of the image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_usm._estimate.blur_and_noise import Estimate
from napari_usm._filters.threshold import DetailNoise

if TYPE_CHECKING:
    from napari_usm._estimate.windows import Floats


class Response(NamedTuple):
    """Response of a filter to noise.

    Attributes
    ----------
    gain : float
        Variance of the detail of white noise of variance 1.
    share : float
        ``image - share * detail`` is the mean of the pixels around.
    """

    gain: float
    share: float


def detail_noise(numbers: Floats, response: Response) -> DetailNoise:
    """The noise of detail, from rows of the numbers of an `Estimate` (last axis).

    Where nothing is known of an image, its noise is 0.
    """
    found = Estimate.columns(numbers)
    unit = found["unit"]
    slope = np.divide(found["growth"], unit, out=np.zeros_like(unit), where=unit > 0)
    zero, floor = found["zero"] * unit, found["least"] ** 2
    scale = unit * math.sqrt(response.gain)
    rows = np.stack([found["constant"], slope, zero, floor, scale])
    base, slope, zero, floor, scale = rows.ravel().tolist() if unit.size == 1 else rows
    return DetailNoise(base, slope, zero, floor, scale, response.share)
