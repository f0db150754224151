"""Difference of two images, pixel by pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_usm.metrics.pairs import checked_pair, range_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def peak_signal_to_noise_ratio(
    image_true: ArrayLike, image_test: ArrayLike, *, data_range: float | None = None
) -> float:
    """Compare two images pixel by pixel: peak signal-to-noise ratio in decibels.

    Parameters
    ----------
    image_true : (..., M, N) array
        The image to compare with; any number of dimensions, boolean, integer
        or real.
    image_test : (..., M, N) array
        The image to judge, of the same shape.
    data_range : float, optional
        L, the distance of the lowest from the highest possible value. By
        default that of the images' type (255 for uint8, 1 for bool). It has to
        be given for floats, and for two images of different types.

    Returns
    -------
    float
        In dB; infinite if the images are equal. `image_true` and `image_test`
        may be exchanged.

    Raises
    ------
    TypeError
        If an image is neither boolean, integer nor real, or `data_range` no
        number.
    ValueError
        If the images differ in shape, are empty or hold NaN or infinity; if
        `data_range` is not positive, or missing where the type does not tell
        it.

    See Also
    --------
    structural_similarity : Closer to what is seen.

    Notes
    -----
    With the mean over all pixels::

        PSNR = 10 log10(L² / mean((image_true − image_test)²))

    computed in float64 [1]_. It is that of scikit-image.

    References
    ----------
    .. [1] Q. Huynh-Thu, M. Ghanbari, "Scope of validity of PSNR in image/video
       quality assessment", Electronics Letters 44(13), 800-801 (2008),
       doi:10.1049/el:20080522

    Examples
    --------
    One step in all pixels of 8 bit:

    >>> import numpy as np
    >>> from napari_usm.metrics import peak_signal_to_noise_ratio
    >>> image = np.full((4, 4), 100, np.uint8)
    >>> round(peak_signal_to_noise_ratio(image, image + np.uint8(1)), 2)
    48.13
    """
    true, test = checked_pair(image_true, image_test)
    full = range_of(data_range, true.dtype, test.dtype)
    # Relative to the range: no square of a large number is infinite.
    difference = (true.astype(np.float64) - test.astype(np.float64)) / full
    error = float(np.mean(difference**2))
    return -10 * float(np.log10(error)) if error > 0 else float("inf")
