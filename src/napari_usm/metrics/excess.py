"""Overshoot of a sharpened image."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_usm.metrics.pairs import before_and_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


class Overshoot(NamedTuple):
    """Overshoot and undershoot beyond the values around each pixel.

    Attributes
    ----------
    overshoot, undershoot : float
        The largest above and below, in intensity units.
    mean_overshoot, mean_undershoot : float
        The same, as the mean over all pixels.
    """

    overshoot: float
    undershoot: float
    mean_overshoot: float
    mean_undershoot: float


def overshoot(
    image: ArrayLike, sharpened: ArrayLike, *, axes: Sequence[int] | None = None
) -> Overshoot:
    """Measure how far sharpening went beyond the values around each pixel.

    Parameters
    ----------
    image : (..., M, N) array
        The image before; any number of dimensions, boolean, integer or real.
    sharpened : (..., M, N) array
        The image after, of the same shape; its type may be another.
    axes : sequence of int, optional
        Axes along which pixels are neighbours: those that were filtered. By
        default all.

    Returns
    -------
    Overshoot
        ``overshoot``, ``undershoot``, ``mean_overshoot`` and
        ``mean_undershoot``, in intensity units: 0 or more.

    Raises
    ------
    TypeError
        If an image is neither boolean, integer nor real, or `axes` are no
        integers.
    ValueError
        If the images differ in shape or are empty, or `axes` are not there.

    Notes
    -----
    With the smallest and the largest value of the neighbourhood of a pixel in
    `image`, 3 pixels wide along each of `axes`::

        over  = max(sharpened − largest, 0)
        under = max(smallest − sharpened, 0)

    The definition is that of the report of `napari_usm.sharpen`, and so are the
    numbers, but for a border that is continued by a constant or by the far side.
    Pixels that are NaN or infinite in one of the images are left out.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> step = np.array([10.0, 10, 10, 50, 50, 50])
    >>> sharpened = np.array([10.0, 10, 2, 54, 50, 50])
    >>> found = usm.metrics.overshoot(step, sharpened)
    >>> found.overshoot, found.undershoot
    (4.0, 8.0)
    """
    from napari_usm._filters.local_range import beyond_range, local_range
    from napari_usm.arguments import filtered_axes

    before, after = (
        each.astype(np.float64) for each in before_and_after(image, sharpened)
    )
    along = filtered_axes(axes, before.ndim)
    lowest, highest = local_range(before, along, "nearest", 0.0)
    found = beyond_range(before, after, lowest, highest)
    pixels = max(found.pixels, 1)
    return Overshoot(
        found.over, found.under, found.over_sum / pixels, found.under_sum / pixels
    )
