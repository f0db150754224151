"""Sharpness of an edge, by the intensities along a line across it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_usm.metrics.pairs import checked_image

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# The edge ends where the gradient stays below this share of its largest.
_END = 0.05

# Differences of levels up to this share of the values are rounding.
_ROUNDING = 64 * float(np.finfo(np.float64).eps)


def acutance(profile: ArrayLike, *, spacing: float = 1.0) -> float:
    """Measure how sharp an edge looks: its mean squared gradient.

    Parameters
    ----------
    profile : (N,) array
        Intensities along a line across one edge, integer or real.
    spacing : float, default 1.0
        Distance of its pixels.

    Returns
    -------
    float
        In intensity units per square of the unit of `spacing`; 0 if both sides of
        the edge are equal, so that there is none.

    Raises
    ------
    TypeError
        If `profile` is neither integer nor real, or `spacing` no number.
    ValueError
        If `profile` has not exactly one axis of at least two pixels or holds NaN
        or infinity; if `spacing` is not positive.

    See Also
    --------
    edge_width : How far the edge reaches.

    Notes
    -----
    With the N gradients g between neighbouring pixels, from the first to the
    last that has at least 1/20 of the size of the largest, and the levels a and b
    where these begin and end [1]_ [2]_::

        acutance = (Σ g² / N) / |b − a|

    Sharpening a blurred edge raises it, by the overshoot too. A step within one
    pixel is as sharp as it can be: there overshoot only adds gradients that are
    weaker, and lowers the mean.

    It was defined for densities of a photographic knife edge, whose ends were where
    the gradient fell to 0.005 per µm. It is known here second-hand; ends relative
    to the largest gradient are a choice of ours, so that units do not matter. The
    mean depends on the ends: compare only what was measured so.

    References
    ----------
    .. [1] G. C. Higgins, L. A. Jones, "The nature and evaluation of the sharpness
       of photographic images", Journal of the SMPTE 58, 277-290 (1952)
    .. [2] F. H. Perrin, "Methods of appraising photographic systems. Part I:
       Historical review", Journal of the SMPTE 69, 151-156 (1960)

    Examples
    --------
    The same step, within one pixel and within four:

    >>> from napari_usm.metrics import acutance
    >>> acutance([10, 10, 50, 50]), acutance([10, 20, 30, 40, 50])
    (40.0, 2.5)
    """
    values = _checked(profile)
    distance = _positive("spacing", spacing)
    gradient = np.diff(values) / distance
    steep = np.flatnonzero(np.abs(gradient) >= _END * np.abs(gradient).max())
    first, last = steep[0], steep[-1] + 1
    step = abs(values[last] - values[first])
    if step <= _ROUNDING * np.abs(values).max():
        return 0.0
    return float(np.mean(gradient[first:last] ** 2) / step)


def edge_width(profile: ArrayLike, *, spacing: float = 1.0) -> float:
    """Measure how wide an edge is, from 10 to 90 % of its step.

    Parameters
    ----------
    profile : (N,) array
        Intensities along a line across one edge, integer or real. It begins and
        ends on the levels on either side.
    spacing : float, default 1.0
        Distance of its pixels.

    Returns
    -------
    float
        In the unit of `spacing`; infinite if both levels are equal, so that there
        is no edge.

    Raises
    ------
    TypeError
        If `profile` is neither integer nor real, or `spacing` no number.
    ValueError
        If `profile` has not exactly one axis of at least two pixels or holds NaN
        or infinity; if `spacing` is not positive.

    See Also
    --------
    acutance : Counts how steep it is all along.

    Notes
    -----
    From the steepest place in the direction of the step the profile is followed
    to either side, until it is beyond 10 % and 90 % of the step between its first
    and last pixel; between pixels it is a straight line. An edge blurred by a
    Gaussian is 2.56 of its sigmas wide.

    Examples
    --------
    >>> from napari_usm.metrics import edge_width
    >>> round(edge_width([0, 0, 25, 50, 75, 100, 100]), 6)
    3.2
    """
    values = _checked(profile)
    distance = _positive("spacing", spacing)
    step = values[-1] - values[0]
    if abs(step) <= _ROUNDING * np.abs(values).max():
        return float("inf")
    share = (values - values[0]) / step
    steepest = int(np.argmax(np.diff(share)))
    low = _crossing(share[steepest + 1 :: -1], 0.1)
    high = _crossing(1 - share[steepest:], 0.1)
    # Counted from either end of the steepest gradient, they have it in common.
    return (low + high - 1) * distance


def _crossing(share: NDArray[np.float64], level: float) -> float:
    """Return how far it is to where the values first are no more than the level."""
    after = int(np.argmax(share <= level))
    if after == 0:
        return 0.0
    before = share[after - 1]
    return after - 1 + float((before - level) / (before - share[after]))


def _checked(profile: ArrayLike) -> NDArray[np.float64]:
    """Return the profile in float64."""
    values = checked_image(profile, "profile")
    if values.ndim != 1 or values.size < 2:
        raise ValueError(
            "`profile` must have one axis of at least 2 pixels; "
            f"got shape {values.shape}"
        )
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(
            f"`profile` must be finite; got {values[~np.isfinite(values)][0]}"
        )
    return values


def _positive(name: str, value: float) -> float:
    """Return a number above 0."""
    from napari_usm import arguments

    number = arguments.real(name, value)
    if number <= 0:
        raise ValueError(f"`{name}` must be above 0; got {value!r}")
    return number
