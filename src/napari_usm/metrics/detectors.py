"""Edge detectors, and their thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Edges = NDArray[np.bool_]

Thresholds = tuple[float, ...]

_SIGMA = 2**0.5
_HIGH_PERCENTILE = 70
_LOW_SHARE = 0.4

_BY_ROOT_MEAN_SQUARE = 2.0

# What is nothing but rounding is no edge: by the largest value of the image.
_ROUNDING = 64 * float(np.finfo(np.float64).eps)


class Detector(NamedTuple):
    """A way to find edges.

    Attributes
    ----------
    thresholds : callable
        From an image to its thresholds.
    find : callable
        From an image and thresholds to a boolean map of edges.
    """

    thresholds: Callable[[Floats], Thresholds]
    find: Callable[[Floats, Thresholds], Edges]


def _canny_thresholds(image: Floats) -> Thresholds:
    """Return the low and the high one."""
    from scipy.ndimage import gaussian_filter

    down, across = _gradient(gaussian_filter(image, _SIGMA, mode="mirror"))
    # An image that is mostly flat has a percentile of 0 or of rounding.
    rounding = _ROUNDING * float(np.abs(image).max())
    high = max(float(np.percentile(np.hypot(down, across), _HIGH_PERCENTILE)), rounding)
    return max(_LOW_SHARE * high, rounding), high


def _canny_edges(image: Floats, thresholds: Thresholds) -> Edges:
    from skimage.feature import canny

    low, high = thresholds
    find: Any = canny  # scikit-image has no types
    found: Edges = find(
        image, sigma=_SIGMA, low_threshold=low, high_threshold=high, mode="mirror"
    )
    return found


def _sobel_thresholds(image: Floats) -> Thresholds:
    down, across = _gradient(image)
    typical = float(np.sqrt(np.mean(down**2 + across**2)))
    rounding = _ROUNDING * float(np.abs(image).max())
    return (max(_BY_ROOT_MEAN_SQUARE * typical, rounding),)


def _sobel_edges(image: Floats, thresholds: Thresholds) -> Edges:
    down, across = _gradient(image)
    size = np.hypot(down, across)
    (least,) = thresholds
    steeper = np.abs(across) >= np.abs(down)
    largest = np.where(steeper, _is_largest(size, 1), _is_largest(size, 0))
    found: Edges = (size > least) & largest
    for axis in (0, 1):
        np.moveaxis(found, axis, 0)[[0, -1]] = False
    return found


def _gradient(image: Floats) -> tuple[Floats, Floats]:
    from scipy.ndimage import sobel

    return sobel(image, axis=0), sobel(image, axis=1)


def _is_largest(size: Floats, axis: int) -> Edges:
    """Return whether a pixel is the largest of three along an axis, or first of two."""
    before, after = np.roll(size, 1, axis), np.roll(size, -1, axis)
    largest: Edges = (size > before) & (size >= after)
    return largest


DETECTORS = {
    "canny": Detector(_canny_thresholds, _canny_edges),
    "sobel": Detector(_sobel_thresholds, _sobel_edges),
}
