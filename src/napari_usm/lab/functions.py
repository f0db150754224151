"""The functions of the methods to compare with: an array in, a sharpened one out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_usm.api import sharpened_image
from napari_usm.lab.methods.dark_region_unsharp_mask import DarkRegionUnsharpMask
from napari_usm.lab.methods.entropy_unsharp_mask import EntropyUnsharpMask
from napari_usm.lab.methods.lin_unsharp_mask import LinUnsharpMask
from napari_usm.lab.methods.polesel_unsharp_mask import PoleselUnsharpMask
from napari_usm.lab.methods.wavelet_unsharp_mask import WaveletUnsharpMask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from napari_usm._methods.base import Method


def polesel_unsharp_mask(
    image: ArrayLike,
    amount: float = 1.0,
    *,
    data_range: float | None = None,
    areas: str = "polesel",
    contrasts: tuple[float, float] = (7.75, 14.14),
    activities: tuple[float, float] = (4.0, 3.0),
    largest_weight: float = 4.0,
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
    """Sharpen areas of medium contrast most, of high contrast less, of low not at all.

    Parameters
    ----------
    image : (..., M, N) array
        As for `napari_usm.unsharp_mask`.
    amount : float, default 1.0
        Strength: 1 aims at the wanted activity, 0 gives the image back.
    data_range : float, optional
        Intensity of white, where black is 0: 4095 for 12 bits in uint16. By default the
        largest value of an integer type, and 1 for floats and booleans.
    areas : {'polesel', 'improved'}, default 'polesel'
        How areas are told apart by their contrast: by two bounds (polesel), or with
        areas that pass into each other, and edges only (improved).
    contrasts : (float, float), default (7.75, 14.14)
        Standard deviation in a 3-wide window from which on contrast is medium, and
        high, in levels of 8 bits: a level is `data_range` / 255. By default the square
        roots of the paper's variances 60 and 200.
    activities : (float, float), default (4.0, 3.0)
        How many times as active areas of medium and of high contrast should be.
    largest_weight : float, default 4.0
        Weights of the second differences are held between 0 and this.
    axes, channel_axis, color, alpha, mode, cval, limits, dtype, weight, out : optional
        As for `napari_usm.unsharp_mask`, but with ``color='value'`` and
        ``mode='mirror'`` by default.

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
    ``sharpened = image + amount * (w1 * z1 + w2 * z2 + ...)`` with the negative second
    difference zk along each filtered axis. The activity of an image is what it differs
    by from the mean of its 3-wide window. The activity of the result should be 4 times
    that of the image where the local standard deviation is medium, 3 times where it is
    high, and unchanged where it is low. At each pixel the weights wk are those that
    come nearest to this in the 5-wide window around it: least squares, with a
    ridge of one level of 8 bits and of a thousandth of what is there, then held between
    0 and `largest_weight`.

    The paper adapts the weights from pixel to pixel along the rows instead, by a
    recursive Gauss-Newton algorithm that goes towards the same least squares. Its
    result depends on the direction of the rows; this one does not.

    ``areas="improved"`` is ours: areas pass into each other over two thirds of an
    octave of contrast, and the wanted growth is multiplied by the coherence of the
    gradients, which is 1 at an edge and small in texture and noise.

    References
    ----------
    .. [1] A. Polesel, G. Ramponi, V. J. Mathews, "Image enhancement via adaptive
       unsharp masking", IEEE Trans. Image Process. 9(3), 2000, pp. 505-510.
       :doi:`10.1109/83.826787`

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> faint, clear = np.full(8, 100.0), np.full(8, 100.0)
    >>> faint[4:], clear[4:] = 110, 140
    >>> usm.lab.polesel_unsharp_mask(faint, data_range=255)
    array([100., 100., 100., 100., 110., 110., 110., 110.])
    >>> usm.lab.polesel_unsharp_mask(clear, data_range=255).round(1)
    array([100. , 100. , 100. ,  76.1, 163.9, 140. , 140. , 140. ])
    """
    return _sharpened(PoleselUnsharpMask, locals())


def dark_region_unsharp_mask(
    image: ArrayLike,
    amount: float = 1.0,
    *,
    data_range: float | None = None,
    kernel: str = "box",
    sigma: float | Sequence[float] = 1.0,
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
    """Sharpen dark regions more than bright ones, as much as their negative is bright.

    Parameters
    ----------
    image : (..., M, N) array
        As for `napari_usm.unsharp_mask`.
    amount : float, default 1.0
        How much of the weighted detail is added: 0 gives the image back.
    data_range : float, optional
        Intensity of white, where black is 0: 4095 for 12 bits in uint16. By default the
        largest value of an integer type, and 1 for floats and booleans.
    kernel : {'gaussian', 'box'}, default 'box'
        Shape of the blur: a Gaussian of width `sigma`, or the mean of three pixels
        along every filtered axis (`sigma` is then ignored).
    sigma : float or sequence of float, default 1.0
        Standard deviation of the blur, in pixels: one number, or one per filtered axis.
        Detail of about this size is enhanced; 0 leaves an axis alone.
    truncate : float, default 4.0
        Where the Gaussian is cut off, in sigmas: its half-width is ``int(truncate *
        sigma + 0.5)`` pixels. From sigma 4 on, 4 or more stands for the whole Gaussian,
        to 5.5e-4 of a step's height.
    axes, channel_axis, color, alpha, mode, cval, limits, dtype, weight, out : optional
        As for `napari_usm.unsharp_mask`, but with ``color='value'`` and
        ``mode='mirror'`` by default.

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
    ``sharpened = image + amount * (1 - blurred / data_range) * (image - blurred)``. In
    words: take the negative, so that dark regions are bright; sharpen it by a
    mean-weighted high-pass filter, one that is multiplied by the local mean; take the
    negative again. The weight is 1 in the black and 0 in the white, and is held there
    beyond them. The eye sees differences relative to their surroundings (the law of
    Weber and Fechner), so those in the dark are the ones that noise hides least.

    Only the idea is known to us, from the summary in [1]_ (its reference 8): negative,
    mean-weighted high-pass filter, one amount for all images. The mean that weights is
    here the one that is taken away.

    References
    ----------
    .. [1] Z. Mortezaie, H. Hassanpour, S. Asadi Amiri, "Image enhancement
       using an adaptive un-sharp masking method considering the gradient
       variation", Int. J. Eng. 30(8), 2017, pp. 1118-1125, section 1.
       :doi:`10.5829/ije.2017.30.08b.02`
    .. [2] R. D. Nowak, R. G. Baraniuk, "Adaptive weighted highpass filters using
       multiscale analysis", IEEE Trans. Image Process. 7(7), 1998, p. 1068: what
       mean-weighted high-pass filters are.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> step = np.array([0.0, 0, 0, 30, 30, 30])
    >>> usm.lab.dark_region_unsharp_mask(step, data_range=255).round(1)
    array([ 0. ,  0. , -9.6, 39.2, 30. , 30. ])
    >>> usm.lab.dark_region_unsharp_mask(step + 210, data_range=255).round(1)
    array([210. , 210. , 208.6, 241. , 240. , 240. ])
    """
    return _sharpened(DarkRegionUnsharpMask, locals())


def wavelet_unsharp_mask(
    image: ArrayLike,
    amount: float = 1.0,
    *,
    data_range: float | None = None,
    wavelet: str = "haar",
    levels: int = 2,
    limit: float = 16.0,
    areas: str = "none",
    contrasts: tuple[float, float] = (7.75, 14.14),
    activities: tuple[float, float] = (4.0, 3.0),
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
    """Sharpen an image by its wavelet detail, trimmed where it is strong already.

    Parameters
    ----------
    image : (..., M, N) array
        As for `napari_usm.unsharp_mask`.
    amount : float, default 1.0
        How much of the detail is added: 0 gives the image back, -1 takes it away.
    data_range : float, optional
        Intensity of white, where black is 0: 4095 for 12 bits in uint16. By default the
        largest value of an integer type, and 1 for floats and booleans.
    wavelet : str, default 'haar'
        A symmetric wavelet of PyWavelets: haar, or one of bior and rbio. With any other
        the direction of an axis would matter.
    levels : int, default 2
        Planes of detail: the last is of about 2 ** levels pixels.
    limit : float, default 16.0
        Coefficients beyond it are trimmed to it, in levels of 8 bits: a level is
        `data_range` / 255. At a step of an image coefficients of haar are half the
        step.
    areas : {'none', 'polesel', 'improved'}, default 'none'
        How areas are told apart by their contrast: by two bounds (polesel), or with
        areas that pass into each other, and edges only (improved).
    contrasts : (float, float), default (7.75, 14.14)
        Standard deviation in a 3-wide window from which on contrast is medium, and
        high, in levels of 8 bits: a level is `data_range` / 255. By default the square
        roots of the paper's variances 60 and 200.
    activities : (float, float), default (4.0, 3.0)
        How many times as active areas of medium and of high contrast should be.
    axes, channel_axis, color, alpha, mode, cval, limits, dtype, weight, out : optional
        As for `napari_usm.unsharp_mask`, but with ``color='value'`` and
        ``mode='mirror'`` by default.

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
    ``sharpened = image + amount * detail``. The detail is what the detail planes of the
    stationary wavelet transform add up to when every coefficient beyond `limit` is
    trimmed to it: an edge of high contrast, which is sharp enough to be seen, is not
    over-sharpened. Without a limit it is the image less the last plane of the
    approximation. Coefficients are in units of intensity on all levels: low-pass
    filters are of sum 1.

    The papers decimate: every level has half as many coefficients along each axis.
    Their result depends on where pixel 0 is. This one is its mean over all places
    where that could be, and so the same in any block.

    With `areas` it is multiplied by a weight for the contrast of the area, as in
    `polesel_unsharp_mask`: 0 where contrast is low, 1 where it is medium, and the ratio
    of what the two are worth there where it is high.

    Only the ideas are known to us, from the summary in [3]_; that "trimmed" means held
    at a limit is our reading.

    References
    ----------
    .. [1] L. Ying, N. T. Ming, L. B. Keat, "A wavelet based image sharpening
       algorithm", 2008.
    .. [2] S. Chitwong, S. Phahonyothing, P. Nilas, F. Cheevasuvit, "Contrast
       enhancement of satellite image based on adaptive unsharp masking using wavelet
       transform", ASPRS Annual Conference, Reno, 2006.
    .. [3] Z. Mortezaie, H. Hassanpour, S. Asadi Amiri, "Image enhancement
       using an adaptive un-sharp masking method considering the gradient
       variation", Int. J. Eng. 30(8), 2017, pp. 1118-1125, section 1.
       :doi:`10.5829/ije.2017.30.08b.02`

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> step = np.array([40.0, 40, 40, 60, 60, 60])
    >>> usm.lab.wavelet_unsharp_mask(step, levels=1, data_range=255)
    array([40., 40., 35., 65., 60., 60.])
    >>> usm.lab.wavelet_unsharp_mask(step, levels=1, limit=4, data_range=255)
    array([40., 40., 38., 62., 60., 60.])
    """
    return _sharpened(WaveletUnsharpMask, locals())


def lin_unsharp_mask(
    image: ArrayLike,
    *,
    gains: Sequence[float] | None = None,
    gain_per: str = "image",
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
    """Sharpen middle grey and weak edges most, as strongly as entropy calls for.

    Parameters
    ----------
    image : (..., M, N) array
        As for `napari_usm.unsharp_mask`.
    gains : sequence of float, optional
        Gains to try, above 0 and strictly increasing; 25/50, 25/49, ... 25/1, and 38
        around the best of them, by default. A single one is taken as it is.
    gain_per : {'image', 'item'}, default 'image'
        One gain for the whole array, so that a series does not flicker, or one for each
        index over the axes that are neither filtered nor channels.
    axes, channel_axis, color, alpha, mode, cval, limits, dtype, weight, out : optional
        As for `napari_usm.unsharp_mask`, but with ``color='value'`` and
        ``mode='mirror'`` by default.

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
    Let I be the image, stretched so that its smallest value is 0 and its largest 1, and
    M the sum of the differences between a pixel of I and its neighbours (8 along two
    axes). The weight is ``w = (1 + tanh(3 - 12 |I - 1/2|)) / 2 * (1 + tanh(3.5 -
    6 |M|)) / 2``. A pixel that would leave the range keeps its value: with
    ``y = I + k w M`` it is I where y is below 0 or above 1. k is one of ``1 / gains``:
    that of the largest entropy of y in 256 levels, times the share of the pixels that
    stay in the range.

    The stretch serves the weight and k alone: what is added is w M times the range of
    the image, so the image itself is not stretched. ``edge_map`` holds for the amount k
    that was found: it is 0 where a pixel keeps its value.

    The formula is known from code that cites the paper, not from the paper. That code
    sharpens the mean of the three channels, each stretched on its own, and nothing at
    the border; here that is `color` and `mode`. It looks for k between 0 and 2 by
    golden section; here 50 are tried, and 38 around the best of them.

    References
    ----------
    .. [1] S. C. F. Lin, C. Y. Wong, G. Jiang, M. A. Rahman, T. R. Ren, N. Kwok, H. Shi,
       Y.-H. Yu, T. Wu, "Intensity and edge based adaptive unsharp masking filter for
       color image enhancement", Optik 127(1), 2016, pp. 407-414.
       :doi:`10.1016/j.ijleo.2015.08.046`

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> rings = np.sin(np.hypot(*np.mgrid[-20:21, -20:21]) / 5)
    >>> lin = usm.sharpen(rings, usm.lab.LinUnsharpMask())
    >>> bool(lin.image.max() == rings.max()), round(lin.amount, 2)
    (True, 1.01)
    """
    return _sharpened(LinUnsharpMask, locals())


def entropy_unsharp_mask(
    image: ArrayLike,
    *,
    kernel: str = "box",
    sigma: float | Sequence[float] = 1.0,
    penalty: bool = True,
    gains: Sequence[float] | None = None,
    gain_per: str = "image",
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
    """Sharpen an image by the amount that leaves the most entropy in it.

    Parameters
    ----------
    image : (..., M, N) array
        As for `napari_usm.unsharp_mask`.
    kernel : {'gaussian', 'box'}, default 'box'
        Shape of the blur: a Gaussian of width `sigma`, or the mean of three pixels
        along every filtered axis (`sigma` is then ignored).
    sigma : float or sequence of float, default 1.0
        Standard deviation of the blur, in pixels: one number, or one per filtered axis.
        Detail of about this size is enhanced; 0 leaves an axis alone.
    penalty : bool, default True
        Multiply the entropy by the share of the pixels that stay in the range of the
        image.
    gains : sequence of float, optional
        Gains to try, above 0 and strictly increasing; 41 from 0.1 to 10 in equal
        ratios, and 38 around the best of them, by default. A single one is taken as it
        is.
    gain_per : {'image', 'item'}, default 'image'
        One gain for the whole array, so that a series does not flicker, or one for each
        index over the axes that are neither filtered nor channels.
    truncate : float, default 4.0
        Where the Gaussian is cut off, in sigmas: its half-width is ``int(truncate *
        sigma + 0.5)`` pixels. From sigma 4 on, 4 or more stands for the whole Gaussian,
        to 5.5e-4 of a step's height.
    axes, channel_axis, color, alpha, mode, cval, limits, dtype, weight, out : optional
        As for `napari_usm.unsharp_mask`, but with ``color='value'`` and
        ``mode='mirror'`` by default.

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
    ``sharpened = image + (image - blurred) / gain``. For every gain the sharpened image
    is seen in 256 levels between the smallest and the largest value of the image, where
    it saturates. The gain taken is that of the largest entropy ``-sum(p log2 p)``, p
    being the share of the pixels on each level; with `penalty`, of the entropy times
    the share of the pixels that did not saturate. Of several that are best it is the
    largest. ``limits="data"`` makes the result saturate likewise.

    With ``color="channels"`` all channels have one gain, and their values are counted
    together.

    The papers are known second-hand. Of the first only its title and what is said of it
    elsewhere: the gain for grey images that maximises entropy is looked for by a swarm
    of particles. The second is the group's next work, for colour, that a summary
    describes as maximising "the information content" and minimising "the number of
    over-ranged pixels". Neither the range of the gains nor how entropy and pixels are
    put together is known; the product is that of `lin_unsharp_mask`, of the same group.
    Instead of a swarm, 41 gains are tried, and 38 around the best of them.

    References
    ----------
    .. [1] C. L. D. A. Mai, M. T. T. Nguyen, N. M. Kwok, "A modified unsharp masking
       method using particle swarm optimization", 2011.
    .. [2] N. Kwok, H. Shi, "Design of unsharp masking filter kernel and gain using
       particle swarm optimization", 7th International Congress on Image and Signal
       Processing, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> noise = np.random.default_rng(0).normal(size=(60, 60))
    >>> clouds = usm.unsharp_mask(noise, 1.5, amount=-1)
    >>> free = usm.sharpen(clouds, usm.lab.EntropyUnsharpMask(penalty=False))
    >>> penalised = usm.sharpen(clouds, usm.lab.EntropyUnsharpMask())
    >>> round(free.amount), round(penalised.amount)
    (6, 3)
    """
    return _sharpened(EntropyUnsharpMask, locals())


def _sharpened(method: type[Method], arguments: dict[str, Any]) -> Any:
    """Return the image sharpened by a method, from the arguments of its function."""
    parameters = dict(arguments)
    image, weight, out = (parameters.pop(name) for name in ("image", "weight", "out"))
    return sharpened_image(image, method, parameters, weight, out)
