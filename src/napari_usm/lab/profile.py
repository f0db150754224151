"""The intensities along a line, across an edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_usm import arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Half of the line across the strongest edge: a blur of sigma 4 and its overshoot.
_HALF = 16

# Sigma of the blur under which the strongest edge is looked for: noise is no edge.
_CALM = 1.5


class Line(NamedTuple):
    """From where to where, in pixels: row and column."""

    start: tuple[float, float]
    stop: tuple[float, float]

    @property
    def length(self) -> float:
        """In pixels."""
        (top, left), (bottom, right) = self
        return float(np.hypot(bottom - top, right - left))


def strongest_edge(plane: NDArray[np.generic]) -> Line | None:
    """The line straight across the steepest edge, from its dark to its bright side.

    Edges near the border do not count: a line across them would be cut short.

    Parameters
    ----------
    plane : (M, N) array
        Bool, integer or real; an edge beside an invalid pixel does not count.

    Returns
    -------
    Line or None
        32 pixels long, or shorter in a plane of less than 64 pixels; None where no
        line of a pixel fits, or where there is no edge.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_usm.lab.profile import strongest_edge
    >>> step = np.zeros((64, 64))
    >>> step[:, 30:] = 1
    >>> strongest_edge(step).start[1] < 29.5 < strongest_edge(step).stop[1]
    True
    """
    from scipy import ndimage  # late: it takes 0.07 s

    arguments.unmasked("plane", plane)
    values = np.asarray(plane, np.float64)
    if min(values.shape) < 3:
        return None
    invalid = ~np.isfinite(values)
    values = np.where(invalid, 0, values)
    # By the range, so that squares are finite.
    values = values / (np.abs(values).max() or 1)
    down, across = (
        ndimage.gaussian_filter(values, _CALM, order, mode="nearest")
        for order in ((1, 0), (0, 1))
    )
    steepness = np.hypot(down, across)
    if invalid.any():
        steepness[ndimage.binary_dilation(invalid, iterations=int(4 * _CALM))] = 0
    # Near the border there is no room for a line.
    inside = tuple(
        slice(margin, length - margin)
        for length in values.shape
        for margin in [min(_HALF, max(1, length // 4))]
    )
    beside = np.ones_like(invalid)
    beside[inside] = False
    steepness[beside] = 0
    middle = np.unravel_index(steepness.argmax(), steepness.shape)
    if steepness[middle] <= 64 * np.finfo(np.float64).eps:
        return None
    step = np.array([down[middle], across[middle]]) / steepness[middle]
    return _within(np.array(middle, float), step, values.shape)


def line_profile(plane: NDArray[np.generic], line: Line) -> tuple[Floats, Floats]:
    """Intensities along a line.

    Parameters
    ----------
    plane : (M, N) array
        Bool, integer or real.
    line : Line
        From where to where; beyond the plane there is NaN.

    Returns
    -------
    distances : (K,) array of float64
        From the start, in pixels, 1 apart at most, and as many for a line of the
        same length.
    values : (K,) array of float64
        Linear interpolations of the four pixels around each point.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_usm.lab.profile import Line, line_profile
    >>> ramp = np.arange(12.0).reshape(3, 4)
    >>> line_profile(ramp, Line((0, 0), (2, 0)))
    (array([0., 1., 2.]), array([0., 4., 8.]))
    """
    from scipy import ndimage  # late: it takes 0.07 s

    arguments.unmasked("plane", plane)
    count = int(np.ceil(line.length - 1e-9)) + 1
    share = np.linspace(0, 1, count)
    places = [
        first + (last - first) * share
        for first, last in zip(line.start, line.stop, strict=True)
    ]
    values = ndimage.map_coordinates(
        np.asarray(plane, np.float64), places, order=1, mode="constant", cval=np.nan
    )
    return share * line.length, values


def _within(middle: Floats, step: Floats, shape: Sequence[int]) -> Line | None:
    """As long a line through a point as fits into the plane, as far either way."""
    ends = np.array(shape) - 1
    room = np.minimum(middle, ends - middle)
    with np.errstate(divide="ignore"):
        half = min(float((room / np.abs(step)).min()), float(_HALF))
    if half < 0.5:
        return None
    first, last = middle - half * step, middle + half * step
    return Line((float(first[0]), float(first[1])), (float(last[0]), float(last[1])))
