"""How well the edges of two images agree."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_usm.metrics.pairs import checked_pair

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SIGMA = 2**0.5
_HIGH_PERCENTILE = 70
_LOW_SHARE = 0.4


def figure_of_merit(
    image_true: ArrayLike,
    image_test: ArrayLike,
    *,
    alpha: float = 1 / 9,
    edges: Literal["canny"] = "canny",
) -> float:
    """Compare where two images have their edges: Pratt's figure of merit.

    Parameters
    ----------
    image_true : (M, N) array
        The image to compare with, integer or real. A boolean array is taken
        as a map of edges itself; it may have any number of dimensions.
    image_test : (M, N) array
        The image to judge, of the same shape; its edges (or boolean map) are
        judged.
    alpha : float, default 1/9
        How much a displaced edge loses: an edge pixel at distance d counts
        1 / (1 + alpha · d²). With 1/9, Pratt's and the usual value, a pixel
        that is 3 pixels off counts half.
    edges : {'canny'}
        How edges are found in an image that is not boolean (see the notes).

    Returns
    -------
    float
        Between 0 and 1. It is 1 if the edges agree pixel by pixel, also if
        neither image has any; 0 if only one of them has edges.

    Raises
    ------
    TypeError
        If an image is neither boolean, integer nor real, or `alpha` no number.
    ValueError
        If the images differ in shape, are empty or hold NaN or infinity; if
        one that is not boolean has not exactly two axes; if `alpha` is not
        positive; for any other `edges`.

    See Also
    --------
    structural_similarity : Compares intensities, not only edges.

    Notes
    -----
    With N_test edge pixels in `image_test`, N_true in `image_true`, and the
    Euclidean distance d of each of the former from the nearest of the latter
    [1]_::

        FOM = Σ 1 / (1 + alpha · d²) / max(N_test, N_true)

    The larger number normalises, so that missing edges lower the figure as
    spurious ones do; with N_true alone spurious edges would raise it, with
    N_test alone missing ones would cost nothing. Distances are measured one
    way: the images may not be exchanged.

    Edges are Canny's [2]_, as scikit-image finds them: a Gaussian of standard
    deviation √2 (beyond the border the image is mirrored), the Sobel gradient,
    and hysteresis between a high threshold at the 70th percentile of the
    gradient's magnitude and a low one at 0.4 of that. Each image has
    thresholds of its own, so that its contrast does not count, and neither
    does a gradient of rounding alone. The pixels on the border are no edges.

    References
    ----------
    .. [1] I. E. Abdou, W. K. Pratt, "Quantitative design and evaluation of
       enhancement/thresholding edge detectors", Proceedings of the IEEE 67(5),
       753-763 (1979), doi:10.1109/PROC.1979.11325
    .. [2] J. Canny, "A computational approach to edge detection", IEEE
       Transactions on Pattern Analysis and Machine Intelligence 8(6), 679-698
       (1986), doi:10.1109/TPAMI.1986.4767851

    Examples
    --------
    A line that is 3 pixels off has half the merit:

    >>> import numpy as np
    >>> from napari_usm.metrics import figure_of_merit
    >>> line = np.zeros((8, 8), dtype=bool)
    >>> line[:, 2] = True
    >>> figure_of_merit(line, np.roll(line, 3, axis=1))
    0.5
    """
    true, test = checked_pair(image_true, image_test)
    if not isinstance(alpha, Real):
        raise TypeError(f"`alpha` must be a number; got {alpha!r}")
    if not 0 < alpha < np.inf:
        raise ValueError(f"`alpha` must be positive and finite; got {alpha}")
    if edges != "canny":
        raise ValueError(f"`edges` must be 'canny'; got {edges!r}")
    for name, image in (("image_true", true), ("image_test", test)):
        if image.dtype.kind != "b" and image.ndim != 2:
            raise ValueError(
                f"`{name}` must have two axes, or be a boolean map of edges; "
                f"got {image.ndim} axes of {image.dtype}"
            )

    edges_true, edges_test = _edges(true), _edges(test)
    count_true, count_test = int(edges_true.sum()), int(edges_test.sum())
    if count_true == 0 or count_test == 0:
        return float(count_true == count_test)

    from scipy.ndimage import distance_transform_edt

    distance = distance_transform_edt(~edges_true)[edges_test]
    return float((1 / (1 + alpha * distance**2)).sum() / max(count_true, count_test))


def _edges(image: NDArray[Any]) -> NDArray[np.bool_]:
    """Return a boolean array as it is, and the Canny edges of any other."""
    if image.dtype.kind == "b":
        return image
    from scipy.ndimage import gaussian_filter, sobel
    from skimage.feature import canny

    image = image.astype(np.float64)
    smooth = gaussian_filter(image, _SIGMA, mode="mirror")
    magnitude = np.hypot(sobel(smooth, axis=0), sobel(smooth, axis=1))
    # An image that is mostly flat has a percentile of 0 or of rounding; what
    # is nothing but rounding is no edge.
    rounding = 64 * np.finfo(np.float64).eps * np.abs(image).max()
    high = max(np.percentile(magnitude, _HIGH_PERCENTILE), rounding)
    low = max(_LOW_SHARE * high, rounding)
    find: Any = canny  # scikit-image has no types
    found: NDArray[np.bool_] = find(
        image,
        sigma=_SIGMA,
        low_threshold=low,
        high_threshold=high,
        mode="mirror",
    )
    return found
