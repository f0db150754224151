"""Fraction of an image at the ends of its range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from napari_usm.metrics.pairs import checked_image, ends_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


class Clipped(NamedTuple):
    """Fractions of the pixels at the ends of the range.

    Attributes
    ----------
    low, high : float
        At or below the lower end, and at or above the upper one.
    """

    low: float
    high: float


def clipped(
    image: ArrayLike, *, limits: Sequence[float] | Literal["data"] | None = None
) -> Clipped:
    """Measure how much of an image lies at the ends of its range, or beyond.

    Parameters
    ----------
    image : array
        Any number of dimensions; boolean, integer or real.
    limits : (low, high) or 'data', optional
        The ends; ``'data'`` are the image's own smallest and largest value. By
        default those of its type (0 and 255 for uint8). They have to be given
        for floats.

    Returns
    -------
    Clipped
        ``low`` and ``high``, between 0 and 1: fractions of the pixels that are
        not NaN; infinite ones are beyond the ends. 0 where there are no others.

    Raises
    ------
    TypeError
        If `image` is neither boolean, integer nor real, or `limits` no numbers.
    ValueError
        If `image` is empty, or `limits` are not in order, or missing for floats.

    Notes
    -----
    This looks at the pixels alone: what was at an end before is counted as well.
    The report of `napari_usm.sharpen` knows what a method would have given, and
    counts only what the limits really cut off.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_usm.metrics import clipped
    >>> clipped(np.array([0, 0, 7, 255], np.uint8))
    Clipped(low=0.5, high=0.25)
    """
    from napari_usm.arguments import limits as check_limits

    values = checked_image(image, "image")
    check_limits(limits)
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    if not known.size:
        return Clipped(0.0, 0.0)
    low, high = _ends(limits, known)
    return Clipped(float(np.mean(known <= low)), float(np.mean(known >= high)))


def _ends(limits: Any, values: NDArray[Any]) -> tuple[Any, Any]:
    """Return the lower and the upper end."""
    if limits is None:
        if values.dtype.kind == "f":
            raise ValueError(
                "`limits` must be given for floats, whose type has no ends; "
                f"got None for {values.dtype}"
            )
        return ends_of(values.dtype)
    if isinstance(limits, str):
        return values.min(), values.max()
    low, high = limits
    return low, high
