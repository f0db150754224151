"""Blur and noise of an image, from itself alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_usm.metrics.pairs import checked_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_usm._estimate.blur_and_noise import Estimate


def estimate_blur(
    image: ArrayLike, *, axes: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """Estimate how much an image is blurred, without knowing the sharp one.

    Parameters
    ----------
    image : (..., M, N) array
        Any number of dimensions; boolean, integer or real.
    axes : sequence of int, optional
        Axes along which it may be blurred. By default all. There is one
        estimate for the whole array.

    Returns
    -------
    array of float64
        Standard deviation of a Gaussian blur along each of `axes`, in pixels.
        The same for both axes of a plane; each its own where there are more. At
        most 4, and 2 along three axes or more. 0 for axes of fewer than 16
        pixels and for a flat image: there it is not known.

    Raises
    ------
    TypeError
        If `image` is neither boolean, integer nor real, or `axes` are no
        integers.
    ValueError
        If `image` is empty, or `axes` are not there.

    See Also
    --------
    estimate_noise : Comes with it.

    Notes
    -----
    A line is fitted to the logarithm of the spectrum P where it stands clear of
    the noise n²::

        log(P(f) − n²) = c − 4 π² s² f² − β log f

    s is the blur, less the softness that a sharp photograph has itself: a blur
    below 0.4 counts as none. Of a specimen on dark ground it is mixed with the
    largest blur that can be undone before the image falls below its local floor.
    `napari_usm.auto_unsharp_mask` estimates it so, and its report says the same
    number. What else takes the high frequencies, or lacks them, is taken for a
    blur too.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import ndimage
    >>> from skimage import data
    >>> from napari_usm.metrics import estimate_blur
    >>> sharp = data.camera().astype(float)
    >>> down, across = estimate_blur(ndimage.gaussian_filter(sharp, 2))
    >>> bool(abs(down - 2) < 0.2 and down == across)
    True
    """
    return np.maximum(_estimate(image, axes).sigmas, 0.0)


def estimate_noise(image: ArrayLike, *, axes: Sequence[int] | None = None) -> float:
    """Estimate how noisy an image is, without knowing the clean one.

    Parameters
    ----------
    image : (..., M, N) array
        Any number of dimensions; boolean, integer or real.
    axes : sequence of int, optional
        Axes along which its spectrum is looked at. By default all.

    Returns
    -------
    float
        Standard deviation of the noise at the image's mean intensity, in
        intensity units; at least half a step of integers. 0 if it is not known:
        of a flat image, or without an axis of 16 pixels.

    Raises
    ------
    TypeError
        If `image` is neither boolean, integer nor real, or `axes` are no
        integers.
    ValueError
        If `image` is empty, or `axes` are not there.

    See Also
    --------
    estimate_blur : Comes with it.
    noise_factor : By how much it grew.

    Notes
    -----
    Noise is what is left in the corners of the spectrum, and in the calmest
    cells of each intensity where it clearly grows with that. It is taken to be
    white: the estimate is too low for noise that a camera or a program has smoothed.
    `napari_usm.auto_unsharp_mask` estimates it so, and its report says the same
    number.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_usm.metrics import estimate_noise
    >>> noise = np.random.default_rng(0).normal(100, 5, (128, 128))
    >>> bool(abs(estimate_noise(noise) - 5) < 0.5)
    True
    """
    return _estimate(image, axes).noise


def _estimate(image: ArrayLike, axes: Sequence[int] | None) -> Estimate:
    """Return the estimate for the whole image."""
    from napari_usm._estimate.second_look import look_twice
    from napari_usm.arguments import filtered_axes

    values = checked_image(image, "image")
    return look_twice(values, filtered_axes(axes, values.ndim))[1]
