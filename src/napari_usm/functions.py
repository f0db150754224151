"""The functions of the methods: an array in, the sharpened array out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_usm._methods.adaptive_unsharp_mask import AdaptiveUnsharpMask
from napari_usm._methods.auto_unsharp_mask import AutoUnsharpMask
from napari_usm._methods.gaussian_sharpen import GaussianSharpen
from napari_usm._methods.laplacian_sharpen import LaplacianSharpen
from napari_usm._methods.unsharp_mask import UnsharpMask
from napari_usm.api import sharpened_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray


def unsharp_mask(
    image: ArrayLike,
    sigma: float | Sequence[float] = 1.0,
    amount: float = 1.0,
    *,
    kernel: str = "gaussian",
    threshold: float | str = 0.0,
    hard: bool = False,
    truncate: float = 4.0,
    axes: Sequence[int] | None = None,
    channel_axis: int | None = None,
    color: str = "channels",
    alpha: bool = False,
    mode: str = "reflect",
    cval: float = 0.0,
    limits: str | tuple[float, float] | None = None,
    dtype: DTypeLike | None = None,
    weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    """Sharpen an image by adding back what a blur takes away.

    Parameters
    ----------
    image : (..., M, N) array of numpy or dask, or array-like
        Any number of dimensions; bool, integer or real. A dask array stays lazy. Values
        are never rescaled; NaN and infinite pixels stay and do not spread. Masked
        arrays are refused: fill them, or set masked pixels to NaN.
    sigma : float or sequence of float, default 1.0
        Standard deviation of the blur, in pixels: one number, or one per filtered axis.
        Detail of about this size is enhanced; 0 leaves an axis alone.
    amount : float, default 1.0
        How much of the detail is added: 0 gives the image back, 1 adds the detail once,
        a negative amount blurs.
    kernel : {'gaussian', 'box'}, default 'gaussian'
        Shape of the blur: a Gaussian of width `sigma`, or the mean of three pixels
        along every filtered axis (`sigma` is then ignored).
    threshold : float or str, default 0.0
        Detail weaker than this, in the image's intensity units, is left alone; stronger
        detail is shrunk by it (soft), so that nothing jumps. ``'3 noise'`` is three
        times the noise that the detail has at each pixel.
    hard : bool, default False
        Keep detail that reaches the threshold whole instead of shrinking it.
    truncate : float, default 4.0
        Where the Gaussian is cut off, in sigmas: its half-width is ``int(truncate *
        sigma + 0.5)`` pixels. From sigma 4 on, 4 or more stands for the whole Gaussian,
        to 5.5e-4 of a step's height.
    axes : sequence of int, optional
        The filtered axes; all but `channel_axis` by default.
    channel_axis : int, optional
        The axis that holds colour channels. It is never guessed.
    color : {'channels', 'luminance', 'value'}, default 'channels'
        What is sharpened of an image with a `channel_axis`: each channel on its own,
        the luminance (Rec. 709 weights; one detail is added to all three) or HSV's
        value alone. The last two need exactly three colour channels.
    alpha : bool, default False
        Whether the last channel is alpha: it passes through, its edge map is 0, and it
        weights the pixels of a blur.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}, default 'reflect'
        How the image goes on beyond its border, with `scipy.ndimage`'s meanings.
    cval : float, default 0.0
        Intensity beyond the border with ``mode='constant'``.
    limits : None, 'data' or (float, float), default None
        Where the result saturates: at the range of its type (None; floats nowhere), at
        the image's own minimum and maximum, or at two intensities.
    dtype : dtype, optional
        Type of the result, by default the image's. Integers are rounded half up and
        saturated; floats keep their overshoot.
    weight : array, optional
        Multiplies the edge map at each pixel, after the threshold: a region with soft
        edges, from 0 to 1. Broadcasts to `image` without its channel axis.
    out : numpy array, optional
        Where the result goes: C-contiguous, of its shape and type. Not for dask.

    Returns
    -------
    array
        Of the shape of `image`, and dask if that is.

    Raises
    ------
    TypeError, ValueError
        Before any pixel is touched: the argument, the rule and the value.

    See Also
    --------
    sharpen : The same with the edge map and a report.

    Notes
    -----
    ``sharpened = image + amount * threshold(image - blurred)``. The gain of [1]_
    is ``1 / amount``. Below ``amount=-1`` (``-3/4`` for the box) the finest
    detail turns into its negative instead of fading.

    The noise of a threshold such as ``"3 noise"`` is that of the detail at each
    pixel, ``sqrt(gain * max(a + b * (blurred - low), floor))`` with the sum of squares
    of the kernel for `gain`; see `significance`.

    From sigma 4 on, unless `truncate` is below 4, an axis is blurred on a grid of
    every ``int(sigma / 1.33)``-th pixel, which it is brought to and back from by
    cubic B-splines [2]_: the time does not grow with sigma, and a step is blurred
    within 5.5e-4 of its height of the true Gaussian. From a sigma of twice the length
    of an axis on, the blur along it is a cubic polynomial, or the mean where the axis
    is reflected or wrapped.

    References
    ----------
    .. [1] Z. Mortezaie, H. Hassanpour, S. Asadi Amiri, "Image enhancement
       using an adaptive un-sharp masking method considering the gradient
       variation", Int. J. Eng. 30(8), 2017, pp. 1118-1125, equations 1 to 3.
       :doi:`10.5829/ije.2017.30.08b.02`
    .. [2] M. Unser, A. Aldroubi, M. Eden, "B-spline signal processing: Part II,
       Efficient design and applications", IEEE Trans. Signal Process. 41(2),
       1993, pp. 834-848. :doi:`10.1109/78.193221`

    Examples
    --------
    A step gains an undershoot and an overshoot; flat regions stay as they are:

    >>> import numpy as np
    >>> import napari_usm as usm
    >>> step = np.array([10.0, 10, 10, 10, 50, 50, 50, 50])
    >>> usm.unsharp_mask(step, sigma=0.5).round(1)
    array([10. , 10. , 10. ,  5.7, 54.3, 50. , 50. , 50. ])
    """
    return sharpened_image(
        image,
        UnsharpMask,
        {
            "sigma": sigma,
            "amount": amount,
            "kernel": kernel,
            "threshold": threshold,
            "hard": hard,
            "truncate": truncate,
            "axes": axes,
            "channel_axis": channel_axis,
            "color": color,
            "alpha": alpha,
            "mode": mode,
            "cval": cval,
            "limits": limits,
            "dtype": dtype,
        },
        weight,
        out,
    )


def laplacian_sharpen(
    image: ArrayLike,
    amount: float = 0.7,
    *,
    median_size: int = 1,
    spacing: Sequence[float] | float | None = None,
    threshold: float | str = 0.0,
    hard: bool = False,
    axes: Sequence[int] | None = None,
    channel_axis: int | None = None,
    color: str = "channels",
    alpha: bool = False,
    mode: str = "mirror",
    cval: float = 0.0,
    limits: str | tuple[float, float] | None = None,
    dtype: DTypeLike | None = None,
    weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    """Sharpen an image by taking its Laplacian away.

    Parameters
    ----------
    image : (..., M, N) array of numpy or dask, or array-like
        Any number of dimensions; bool, integer or real. A dask array stays lazy. Values
        are never rescaled; NaN and infinite pixels stay and do not spread. Masked
        arrays are refused: fill them, or set masked pixels to NaN.
    amount : float, default 0.7
        How much of the negative Laplacian is added: 0 gives the image back, a negative
        amount blurs.
    median_size : odd int, default 1
        Width of the median window that calms noise before the Laplacian is taken; 1
        leaves it out.
    spacing : float or sequence of float, optional
        Distance of the pixels along each filtered axis, in any unit: only ratios
        matter. None takes all axes as equal.
    threshold : float or str, default 0.0
        Detail weaker than this, in the image's intensity units, is left alone; stronger
        detail is shrunk by it (soft), so that nothing jumps. ``'3 noise'`` is three
        times the noise that the detail has at each pixel.
    hard : bool, default False
        Keep detail that reaches the threshold whole instead of shrinking it.
    axes : sequence of int, optional
        The filtered axes; all but `channel_axis` by default.
    channel_axis : int, optional
        The axis that holds colour channels. It is never guessed.
    color : {'channels', 'luminance', 'value'}, default 'channels'
        What is sharpened of an image with a `channel_axis`: each channel on its own,
        the luminance (Rec. 709 weights; one detail is added to all three) or HSV's
        value alone. The last two need exactly three colour channels.
    alpha : bool, default False
        Whether the last channel is alpha: it passes through, its edge map is 0, and it
        weights the pixels of a blur.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}, default 'mirror'
        How the image goes on beyond its border, with `scipy.ndimage`'s meanings.
    cval : float, default 0.0
        Intensity beyond the border with ``mode='constant'``.
    limits : None, 'data' or (float, float), default None
        Where the result saturates: at the range of its type (None; floats nowhere), at
        the image's own minimum and maximum, or at two intensities.
    dtype : dtype, optional
        Type of the result, by default the image's. Integers are rounded half up and
        saturated; floats keep their overshoot.
    weight : array, optional
        Multiplies the edge map at each pixel, after the threshold: a region with soft
        edges, from 0 to 1. Broadcasts to `image` without its channel axis.
    out : numpy array, optional
        Where the result goes: C-contiguous, of its shape and type. Not for dask.

    Returns
    -------
    array
        Of the shape of `image`, and dask if that is.

    Raises
    ------
    TypeError, ValueError
        Before any pixel is touched: the argument, the rule and the value.

    See Also
    --------
    sharpen : The same with the edge map and a report.

    Notes
    -----
    ``sharpened = image - amount * threshold(Laplacian(median(image)))`` with the
    plain Laplacian: along each filtered axis ``before - 2 * centre + after``,
    weighted by ``(smallest spacing / spacing) ** 2``. In 2-D its kernel is
    ``0 1 0 / 1 -4 1 / 0 1 0``, that of OpenCV's ``Laplacian`` with ``ksize=1``, as
    is the default border. The median's border is always scipy's `reflect`.

    The noise of a threshold such as ``"3 noise"`` is that of the Laplacian at each
    pixel, by the mean of the pixels next to it; see `significance`.

    Below an amount of ``-1 / (4 * sum of the weights)``, -1/8 in 2-D, the finest
    detail turns into its negative instead of fading.

    References
    ----------
    .. [1] R. C. Gonzalez, R. E. Woods, "Digital Image Processing", 4th ed., 2018,
       section 3.6: the Laplacian in sharpening.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> step = np.array([10.0, 10, 10, 50, 50, 50])
    >>> usm.laplacian_sharpen(step, amount=0.5)
    array([ 10.,  10., -10.,  70.,  50.,  50.])
    """
    return sharpened_image(
        image,
        LaplacianSharpen,
        {
            "amount": amount,
            "median_size": median_size,
            "spacing": spacing,
            "threshold": threshold,
            "hard": hard,
            "axes": axes,
            "channel_axis": channel_axis,
            "color": color,
            "alpha": alpha,
            "mode": mode,
            "cval": cval,
            "limits": limits,
            "dtype": dtype,
        },
        weight,
        out,
    )


def adaptive_unsharp_mask(
    image: ArrayLike,
    *,
    kernel: str = "box",
    sigma: float | Sequence[float] = 1.0,
    gains: Sequence[float] | None = None,
    gain_per: str = "image",
    subsample: bool = True,
    truncate: float = 4.0,
    axes: Sequence[int] | None = None,
    channel_axis: int | None = None,
    color: str = "value",
    alpha: bool = False,
    mode: str = "mirror",
    cval: float = 0.0,
    limits: str | tuple[float, float] | None = None,
    dtype: DTypeLike | None = None,
    weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    """Sharpen an image by the amount that its own gradients call for.

    Parameters
    ----------
    image : (..., M, N) array of numpy or dask, or array-like
        Any number of dimensions; bool, integer or real. A dask array stays lazy. Values
        are never rescaled; NaN and infinite pixels stay and do not spread. Masked
        arrays are refused: fill them, or set masked pixels to NaN.
    kernel : {'gaussian', 'box'}, default 'box'
        Shape of the blur: a Gaussian of width `sigma`, or the mean of three pixels
        along every filtered axis (`sigma` is then ignored).
    sigma : float or sequence of float, default 1.0
        Standard deviation of the blur, in pixels: one number, or one per filtered axis.
        Detail of about this size is enhanced; 0 leaves an axis alone.
    gains : sequence of float, optional
        Gains to try, above 0 and strictly increasing; 0.1, 0.2, ... 3.0 by default. A
        single one is taken as it is.
    gain_per : {'image', 'item'}, default 'image'
        One gain for the whole array, so that a series does not flicker, or one for each
        index over the axes that are neither filtered nor channels.
    subsample : bool, default True
        Whether the gain of more than 2**18 pixels is estimated from evenly spaced rows,
        of at least 2**16 pixels. False uses all of them.
    truncate : float, default 4.0
        Where the Gaussian is cut off, in sigmas: its half-width is ``int(truncate *
        sigma + 0.5)`` pixels. From sigma 4 on, 4 or more stands for the whole Gaussian,
        to 5.5e-4 of a step's height.
    axes : sequence of int, optional
        The filtered axes; all but `channel_axis` by default.
    channel_axis : int, optional
        The axis that holds colour channels. It is never guessed.
    color : {'channels', 'luminance', 'value'}, default 'value'
        What is sharpened of an image with a `channel_axis`: each channel on its own,
        the luminance (Rec. 709 weights; one detail is added to all three) or HSV's
        value alone. The last two need exactly three colour channels.
    alpha : bool, default False
        Whether the last channel is alpha: it passes through, its edge map is 0, and it
        weights the pixels of a blur.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}, default 'mirror'
        How the image goes on beyond its border, with `scipy.ndimage`'s meanings.
    cval : float, default 0.0
        Intensity beyond the border with ``mode='constant'``.
    limits : None, 'data' or (float, float), default None
        Where the result saturates: at the range of its type (None; floats nowhere), at
        the image's own minimum and maximum, or at two intensities.
    dtype : dtype, optional
        Type of the result, by default the image's. Integers are rounded half up and
        saturated; floats keep their overshoot.
    weight : array, optional
        Multiplies the edge map at each pixel, after the threshold: a region with soft
        edges, from 0 to 1. Broadcasts to `image` without its channel axis.
    out : numpy array, optional
        Where the result goes: C-contiguous, of its shape and type. Not for dask.

    Returns
    -------
    array
        Of the shape of `image`, and dask if that is.

    Raises
    ------
    TypeError, ValueError
        Before any pixel is touched: the argument, the rule and the value.

    See Also
    --------
    sharpen : The same with the edge map and a report.

    Notes
    -----
    ``sharpened = image + (image - blurred) / gain``. For every gain to try, S is
    the product over the filtered axes of ``|d image| / |d sharpened|``, the
    1-norms of the forward differences, times that ratio for the mixed second
    differences, summed over all pairs of axes (in 1-D, the second difference).
    The gain taken is where S rises most: the largest value of ``numpy.gradient(S)``.
    This is about the gain that doubles the gradients, so that every image is
    sharpened, noise and sharp ones too.

    A ratio 0/0 counts as 1; where S does not vary, the largest gain is taken.

    Of more than 2**18 pixels that share a gain, the differences of every n-th row are
    summed, n an odd number of at most 31; the report has their number.

    References
    ----------
    .. [1] Z. Mortezaie, H. Hassanpour, S. Asadi Amiri, "Image enhancement
       using an adaptive un-sharp masking method considering the gradient
       variation", Int. J. Eng. 30(8), 2017, pp. 1118-1125, equation 4.
       :doi:`10.5829/ije.2017.30.08b.02`

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> rings = np.sin(np.hypot(*np.mgrid[-20:21, -20:21]))
    >>> found = usm.sharpen(rings, "adaptive_unsharp_mask")
    >>> float(found.gain), float(found.amount)
    (0.4, 2.5)
    """
    return sharpened_image(
        image,
        AdaptiveUnsharpMask,
        {
            "kernel": kernel,
            "sigma": sigma,
            "gains": gains,
            "gain_per": gain_per,
            "subsample": subsample,
            "truncate": truncate,
            "axes": axes,
            "channel_axis": channel_axis,
            "color": color,
            "alpha": alpha,
            "mode": mode,
            "cval": cval,
            "limits": limits,
            "dtype": dtype,
        },
        weight,
        out,
    )


def auto_unsharp_mask(
    image: ArrayLike,
    *,
    strength: float = 1.0,
    denoise: float = 1.0,
    model: str = "auto",
    blur: float | Sequence[float] = 0.0,
    cutoff: float = 0.0,
    estimate_per: str = "image",
    axes: Sequence[int] | None = None,
    channel_axis: int | None = None,
    color: str = "luminance",
    alpha: bool = False,
    mode: str = "mirror",
    cval: float = 0.0,
    limits: str | tuple[float, float] | None = None,
    dtype: DTypeLike | None = None,
    weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    """Sharpen what is there and smooth what is only noise, by the image itself.

    Parameters
    ----------
    image : (..., M, N) array of numpy or dask, or array-like
        Any number of dimensions; bool, integer or real. A dask array stays lazy. Values
        are never rescaled; NaN and infinite pixels stay and do not spread. Masked
        arrays are refused: fill them, or set masked pixels to NaN.
    strength : float, default 1.0
        How much of the change is made: 0 gives the image back, 1 is the best guess.
    denoise : float, default 1.0
        How much it also smooths where there is nothing but noise, from 0 to 1; 0
        sharpens only.
    model : {'auto', 'widefield', 'confocal', 'gaussian'}, default 'auto'
        How the image was blurred. 'auto' tells specimens on dark ground from
        photographs, and a lens from a Gaussian. 'widefield' takes the blur for that of
        a lens, 'confocal' for a Gaussian. 'gaussian' is the method without all this:
        every image is a photograph, and hot pixels stay.
    blur : float or sequence of float, default 0.0
        Blur of the image in pixels, as the standard deviation of a Gaussian, if it is
        known; one number or one per filtered axis, at most 16. 0 estimates it. In
        focus, a widefield microscope blurs by about 0.21 λ / NA, a confocal one by
        0.15 λ / NA.
    cutoff : float, default 0.0
        Cut-off frequency of the lens in cycles per pixel, 2 NA / λ times the pixel
        size, in place of `blur`. It needs two filtered axes. 0 estimates the blur.
    estimate_per : {'image', 'item'}, default 'image'
        One estimate of blur and noise for the whole array, or one for each index over
        the axes that are neither filtered nor channels.
    axes : sequence of int, optional
        The filtered axes; all but `channel_axis` by default.
    channel_axis : int, optional
        The axis that holds colour channels. It is never guessed.
    color : {'channels', 'luminance', 'value'}, default 'luminance'
        What is sharpened of an image with a `channel_axis`: each channel on its own,
        the luminance (Rec. 709 weights; one detail is added to all three) or HSV's
        value alone. The last two need exactly three colour channels.
    alpha : bool, default False
        Whether the last channel is alpha: it passes through, its edge map is 0, and it
        weights the pixels of a blur.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}, default 'mirror'
        How the image goes on beyond its border, with `scipy.ndimage`'s meanings.
    cval : float, default 0.0
        Intensity beyond the border with ``mode='constant'``.
    limits : None, 'data' or (float, float), default None
        Where the result saturates: at the range of its type (None; floats nowhere), at
        the image's own minimum and maximum, or at two intensities.
    dtype : dtype, optional
        Type of the result, by default the image's. Integers are rounded half up and
        saturated; floats keep their overshoot.
    weight : array, optional
        Multiplies the edge map at each pixel, after the threshold: a region with soft
        edges, from 0 to 1. Broadcasts to `image` without its channel axis.
    out : numpy array, optional
        Where the result goes: C-contiguous, of its shape and type. Not for dask.

    Returns
    -------
    array
        Of the shape of `image`, and dask if that is.

    Raises
    ------
    TypeError, ValueError
        Before any pixel is touched: the argument, the rule and the value.

    See Also
    --------
    sharpen : The same with the edge map and a report.

    Notes
    -----
    ``sharpened = image + strength * (w1 * z1 + w2 * z2 + w3 * z3)``. The bands z are
    the differences between the image, its blur, the blur of that and a wider one: four
    images, each blurred more; their widths follow the blur of the image, which is
    estimated from its spectrum, as is its noise. The weights w depend on the ratio of
    signal to noise around each pixel; they make the three bands together the best
    approximation of Wiener's filter.

    **Specimens on dark ground.** Let F be the smallest, C the largest value within 16
    pixels of the slightly blurred image s. ``mean(s − F) / mean(C − F)`` is 0.07 to
    0.40 for fluorescent specimens and 0.41 to 0.60 for photographs. Nothing in a
    specimen glows less than its ground. So its blur is the largest one that can be
    undone before the result falls below F by 16 % of its detail, mixed with that of the
    spectrum; the transfer function is mixed from a Gaussian and the lens's
    ``2/π (acos u − u √(1 − u²))`` [3]_; the spectrum f^-2.4 becomes f^-3; and the
    result is lifted to F, less what noise takes from a minimum. On bright ground, where
    the share is above 0.61, all is the other way round.

    **Hot and dead pixels** differ from the second highest (lowest) of their eight
    neighbours by more than 6 standard deviations of the noise and 4.5 times the
    distance of the two. They are replaced by the median of the eight first, as far as
    `denoise` says.

    `report` tells blur, noise, `ground`, `lens`, the share of `lifted` pixels, and
    whether the blur is beyond reach. Thick haze is: deconvolve it.

    Axes of fewer than 16 pixels are left alone, and an image that is flat too. The
    blur is the same along both axes of planes; filtered along more axes, each has its
    own. It is estimated up to a sigma of 4 pixels, of 2 along three axes and more.

    References
    ----------
    .. [1] N. Wiener, "Extrapolation, Interpolation, and Smoothing of Stationary Time
       Series", MIT Press, 1949.
    .. [2] P. D. Welch, "The use of fast Fourier transform for the estimation of power
       spectra", IEEE Trans. Audio Electroacoust. 15(2), 1967, pp. 70-73.
       :doi:`10.1109/TAU.1967.1161901`
    .. [3] J. W. Goodman, "Introduction to Fourier Optics", section 6.3: incoherent
       transfer function of a circular pupil.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> noise = np.random.default_rng(0).normal(100, 5, (128, 128))
    >>> found = usm.sharpen(noise, "auto_unsharp_mask")
    >>> bool(found.image.std() < 3), found.report.smooths_noise
    (True, True)
    """
    return sharpened_image(
        image,
        AutoUnsharpMask,
        {
            "strength": strength,
            "denoise": denoise,
            "model": model,
            "blur": blur,
            "cutoff": cutoff,
            "estimate_per": estimate_per,
            "axes": axes,
            "channel_axis": channel_axis,
            "color": color,
            "alpha": alpha,
            "mode": mode,
            "cval": cval,
            "limits": limits,
            "dtype": dtype,
        },
        weight,
        out,
    )


def gaussian_sharpen(
    image: ArrayLike,
    sigma: float = 1.0,
    *,
    radius: int = 0,
    axes: Sequence[int] | None = None,
    channel_axis: int | None = None,
    color: str = "channels",
    alpha: bool = False,
    mode: str = "nearest",
    cval: float = 0.0,
    limits: str | tuple[float, float] | None = None,
    dtype: DTypeLike | None = None,
    weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    """Sharpen two axes of an image as ImageMagick's ``-sharpen`` does.

    Parameters
    ----------
    image : (..., M, N) array of numpy or dask, or array-like
        Any number of dimensions; bool, integer or real. A dask array stays lazy. Values
        are never rescaled; NaN and infinite pixels stay and do not spread. Masked
        arrays are refused: fill them, or set masked pixels to NaN.
    sigma : float, default 1.0
        Standard deviation of the Gaussian, in pixels; 0 gives the image back.
    radius : int, default 0
        Half-width of the kernel in pixels; 0 chooses as ImageMagick does: as far as the
        weights matter in 16 bits.
    axes : sequence of int, optional
        The filtered axes; all but `channel_axis` by default.
    channel_axis : int, optional
        The axis that holds colour channels. It is never guessed.
    color : {'channels', 'luminance', 'value'}, default 'channels'
        What is sharpened of an image with a `channel_axis`: each channel on its own,
        the luminance (Rec. 709 weights; one detail is added to all three) or HSV's
        value alone. The last two need exactly three colour channels.
    alpha : bool, default False
        Whether the last channel is alpha: it passes through, its edge map is 0, and it
        weights the pixels of a blur.
    mode : {'reflect', 'mirror', 'nearest', 'wrap', 'constant'}, default 'nearest'
        How the image goes on beyond its border, with `scipy.ndimage`'s meanings.
    cval : float, default 0.0
        Intensity beyond the border with ``mode='constant'``.
    limits : None, 'data' or (float, float), default None
        Where the result saturates: at the range of its type (None; floats nowhere), at
        the image's own minimum and maximum, or at two intensities.
    dtype : dtype, optional
        Type of the result, by default the image's. Integers are rounded half up and
        saturated; floats keep their overshoot.
    weight : array, optional
        Multiplies the edge map at each pixel, after the threshold: a region with soft
        edges, from 0 to 1. Broadcasts to `image` without its channel axis.
    out : numpy array, optional
        Where the result goes: C-contiguous, of its shape and type. Not for dask.

    Returns
    -------
    array
        Of the shape of `image`, and dask if that is.

    Raises
    ------
    TypeError, ValueError
        Before any pixel is touched: the argument, the rule and the value.

    See Also
    --------
    sharpen : The same with the edge map and a report.

    Notes
    -----
    ``sharpened = image + N / (N + g0) * (image - G * image)`` with G the Gaussian
    on a square of ``2 * radius + 1`` pixels divided by its sum, N the sum of
    its weights ``exp(-(u**2 + v**2) / (2 * sigma**2)) / (2 * pi * sigma**2)`` and g0
    the one at the centre. This is the kernel of ImageMagick 6.9, divided by its sum;
    an older one that was not divided darkened the image.

    References
    ----------
    .. [1] ImageMagick 6.9, ``SharpenImageChannel`` in effect.c and
       ``GetOptimalKernelWidth2D`` in gem.c, https://imagemagick.org.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> spot = np.zeros((5, 5))
    >>> spot[2, 2] = 100
    >>> usm.gaussian_sharpen(spot, sigma=1.0, radius=1)[2].round(1)
    array([  0. , -10.3, 166.1, -10.3,   0. ])
    """
    return sharpened_image(
        image,
        GaussianSharpen,
        {
            "sigma": sigma,
            "radius": radius,
            "axes": axes,
            "channel_axis": channel_axis,
            "color": color,
            "alpha": alpha,
            "mode": mode,
            "cval": cval,
            "limits": limits,
            "dtype": dtype,
        },
        weight,
        out,
    )
