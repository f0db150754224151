"""The structural similarity of two images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_usm.metrics.pairs import check_range, checked_pair, range_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

# The window of Wang et al.: a Gaussian, cut off after 5 pixels.
_SIGMA = 1.5
_RADIUS = 5
_WIDTH = 2 * _RADIUS + 1

_EPSILON = float(np.finfo(np.float64).eps)


def structural_similarity(
    image_true: ArrayLike,
    image_test: ArrayLike,
    *,
    data_range: float | None = None,
    window: Literal["gaussian"] | None = "gaussian",
    constants: Sequence[float] | None = None,
) -> float:
    """Compare the luminance, contrast and structure of two images.

    Parameters
    ----------
    image_true : (..., M, N) array
        The image to compare with; any number of dimensions, boolean, integer
        or real. All axes are image axes: compare channels one by one.
    image_test : (..., M, N) array
        The image to judge, of the same shape.
    data_range : float, optional
        L, the distance of the lowest from the highest possible value. By
        default that of the images' type (255 for uint8, 1 for bool). It has to
        be given for floats, and for two images of different types. It only
        sets the `constants`.
    window : {'gaussian', None}, default 'gaussian'
        With ``'gaussian'`` the similarity is computed around every pixel, in
        a Gaussian window 11 pixels wide (standard deviation 1.5), and averaged
        over all pixels whose window lies inside the image: what is usually
        meant by SSIM. With None it is computed once, over the whole image.
    constants : (c1, c2, c3), optional
        What keeps the three factors finite in dark and flat regions. By
        default (0.01 L)², (0.03 L)² and c2 / 2.

    Returns
    -------
    float
        1 for equal images, less for all others; negative where the one looks
        like the negative of the other. `image_true` and `image_test` may be
        exchanged.

    Raises
    ------
    TypeError
        If an image is neither boolean, integer nor real, or `data_range` or
        one of the `constants` no number.
    ValueError
        If the images differ in shape, are empty, hold NaN or infinity, or have
        an axis shorter than the window; if `data_range` is not positive, or
        missing where the type does not tell it; for any other `window`; if
        `constants` are not three numbers that are 0 or more.

    See Also
    --------
    figure_of_merit : Compares only where the edges are.
    peak_signal_to_noise_ratio : Compares pixel by pixel.

    Notes
    -----
    With the means x̄ and ȳ, the standard deviations σx and σy and the
    covariance σxy::

        l = (2 x̄ ȳ + c1) / (x̄² + ȳ² + c1)         luminance
        c = (2 σx σy + c2) / (σx² + σy² + c2)     contrast
        s = (σxy + c3) / (σx σy + c3)             structure
        SSIM = l · c · s

    A factor 0 / 0, possible only where a constant is 0, is 1.

    In the window these are weighted by the Gaussian [1]_, and the result is
    that of scikit-image's ``structural_similarity(..., gaussian_weights=True,
    sigma=1.5, use_sample_covariance=False)``, computed in float64.

    ``window=None`` is the form that [2]_ prints in its equations 6 to 11:
    plain means over all N pixels, (co)variances divided by N − 1. Two slips
    are set right: its equation 8 is the mean of y, not of x, and its equation
    11 is the covariance itself, not a square. It hardly sees local
    differences: slightly blurred photographs score 0.985.

    References
    ----------
    .. [1] Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality
       assessment: from error visibility to structural similarity", IEEE
       Transactions on Image Processing 13(4), 600-612 (2004),
       doi:10.1109/TIP.2003.819861
    .. [2] Z. Mortezaie, H. Hassanpour, S. Asadi Amiri, "Image enhancement
       using an adaptive un-sharp masking method considering the gradient
       variation", International Journal of Engineering 30(8), 1118-1125
       (2017), doi:10.5829/ije.2017.30.08b.02

    Examples
    --------
    Half the contrast around the same mean keeps luminance and structure:

    >>> import numpy as np
    >>> from napari_usm.metrics import structural_similarity
    >>> image = np.array([[80, 120], [120, 80]])
    >>> weaker = np.array([[90, 110], [110, 90]])
    >>> similarity = structural_similarity(
    ...     image, weaker, window=None, constants=(0, 0, 0)
    ... )
    >>> round(similarity, 3)
    0.8
    """
    true, test = checked_pair(image_true, image_test)
    if window not in ("gaussian", None):
        raise ValueError(f"`window` must be 'gaussian' or None; got {window!r}")
    if window is None and true.size < 2:
        raise ValueError(
            "`image_true` must have at least 2 pixels for `window=None`; "
            f"got shape {true.shape}"
        )
    if window is not None and min(true.shape, default=0) < _WIDTH:
        raise ValueError(
            f"`image_true` must be at least {_WIDTH} pixels long in every axis, as "
            f"the window is; got shape {true.shape} (`window=None` takes any)"
        )
    c1, c2, c3 = _constants(true.dtype, test.dtype, data_range, constants)

    measured = _measure_globally if window is None else _measure_in_windows
    mean_true, mean_test, variance_true, variance_test, covariance = measured(
        true.astype(np.float64), test.astype(np.float64)
    )
    deviations = np.sqrt(variance_true * variance_test)
    luminance = _ratio(2 * mean_true * mean_test + c1, mean_true**2 + mean_test**2 + c1)
    contrast = _ratio(2 * deviations + c2, variance_true + variance_test + c2)
    structure = _ratio(covariance + c3, deviations + c3)
    return float(np.mean(luminance * contrast * structure))


def _constants(
    dtype_true: np.dtype[Any],
    dtype_test: np.dtype[Any],
    data_range: float | None,
    constants: Sequence[float] | None,
) -> tuple[float, float, float]:
    """Return c1, c2 and c3, from the data range unless they are given."""
    if data_range is not None:
        check_range(data_range)
    if constants is not None:
        given = np.asarray(constants)
        if given.dtype.kind not in "biuf":
            raise TypeError(f"`constants` must be numbers; got {constants!r}")
        if given.shape != (3,) or not (np.isfinite(given) & (given >= 0)).all():
            raise ValueError(
                f"`constants` must be three numbers of at least 0; got {constants!r}"
            )
        return float(given[0]), float(given[1]), float(given[2])
    full = range_of(data_range, dtype_true, dtype_test)
    c2 = (0.03 * full) ** 2
    return (0.01 * full) ** 2, c2, c2 / 2


def _measure_globally(
    true: NDArray[np.float64], test: NDArray[np.float64]
) -> tuple[Any, ...]:
    """Return means, variances and covariance of the whole images."""
    count = true.size - 1
    mean_true, mean_test = true.mean(), test.mean()
    off_true, off_test = true - mean_true, test - mean_test
    # What is left of a flat image is the rounding of its mean, squared.
    rounding = (8 * _EPSILON) ** 2
    variance_true = (off_true**2).sum() / count
    variance_true = _without_rounding(variance_true, rounding * mean_true**2)
    variance_test = (off_test**2).sum() / count
    variance_test = _without_rounding(variance_test, rounding * mean_test**2)
    covariance = (off_true * off_test).sum() / count
    # A flat image has no structure to share.
    covariance = np.where(variance_true * variance_test > 0, covariance, 0.0)
    return mean_true, mean_test, variance_true, variance_test, covariance


def _measure_in_windows(
    true: NDArray[np.float64], test: NDArray[np.float64]
) -> tuple[Any, ...]:
    """Return means, variances and covariance around each inner pixel."""
    from scipy.ndimage import gaussian_filter

    inside = (slice(_RADIUS, -_RADIUS),) * true.ndim

    def weighted_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = gaussian_filter(values, _SIGMA, radius=_RADIUS)
        return mean[inside]

    # Less rounding: variances stay what they are if the images lose an offset.
    offset_true, offset_test = true.mean(), test.mean()
    true, test = true - offset_true, test - offset_test
    mean_true, mean_test = weighted_mean(true), weighted_mean(test)
    square_true, square_test = weighted_mean(true**2), weighted_mean(test**2)
    rounding = 64 * _EPSILON
    variance_true = square_true - mean_true**2
    variance_true = _without_rounding(variance_true, rounding * square_true)
    variance_test = square_test - mean_test**2
    variance_test = _without_rounding(variance_test, rounding * square_test)
    covariance = weighted_mean(true * test) - mean_true * mean_test
    covariance = np.where(variance_true * variance_test > 0, covariance, 0.0)
    return (
        mean_true + offset_true,
        mean_test + offset_test,
        variance_true,
        variance_test,
        covariance,
    )


def _without_rounding(variance: Any, rounding: Any) -> Any:
    """Return the variance, and 0 where it is rounding alone."""
    return np.where(variance > rounding, variance, 0.0)


def _ratio(numerator: Any, denominator: Any) -> Any:
    """Return the ratio, and 1 for 0 / 0 (nothing else has a denominator of 0)."""
    one = np.ones(np.shape(denominator))
    return np.divide(numerator, denominator, out=one, where=denominator != 0)
