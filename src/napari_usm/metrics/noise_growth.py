"""Growth of the noise of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.metrics.pairs import before_and_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

# Pixels of a block, about: 8 x 8 along two axes, 4 x 4 x 4 along three.
_PIXELS = 64

# How much more the variance of a block may be than that of the flattest tenth. In
# noise alone, whose 61 degrees of freedom make it a chi-squared one, that is the 10 %
# quantile, .776 of the mean; one block in 100 has more than 1.9 times as much.
_TENTH = 0.1
_FLAT = 1.9

# What is nothing but rounding is no noise. By the largest value, what it makes here:
_COMPUTED = 64 * float(np.finfo(np.float64).eps)


def noise_factor(
    image: ArrayLike, sharpened: ArrayLike, *, axes: Sequence[int] | None = None
) -> float:
    """Measure by how much the noise grew where an image is flat.

    Parameters
    ----------
    image : (..., M, N) array
        The image before; any number of dimensions, boolean, integer or real.
    sharpened : (..., M, N) array
        The image after, of the same shape; its type may be another.
    axes : sequence of int, optional
        Axes along which the image was filtered. By default all.

    Returns
    -------
    float
        Standard deviation of the noise after by that before: above 1 where
        noise grew, below where it was smoothed. 1 where the image has no noise,
        or not as much as one block to find it in.

    Raises
    ------
    TypeError
        If an image is neither boolean, integer nor real, or `axes` are no
        integers.
    ValueError
        If the images differ in shape or are empty, or `axes` are not there.

    See Also
    --------
    estimate_noise : The level itself.

    Notes
    -----
    The image is cut into blocks of about 64 pixels (8 × 8 along two axes), and
    a plane is fitted to each and taken from it. Of the blocks that hold no edge,
    those with a variance of at most 1.9 times that of the flattest tenth, the
    median ratio of the variances after and before is taken: overshoot reaches
    into some of them. The share of the noise that went with the plane is as it
    was, for sharpening leaves it alone::

        factor² = ((n − p) · ratio + p) / n

    with n pixels in a block and p numbers for a plane. In noise alone all blocks
    take part, so that none is chosen for being calm by chance; for a linear
    filter that sharpens the factor is then the root of the sum of the squares of
    its kernel, to about 2 %.
    Blocks with a variance of 0 (saturated ones) or invalid pixels are left out.

    Fine texture everywhere is taken for noise: no image is without a flattest
    tenth. Rounding and clipping change what is measured. `napari_usm.sharpen`
    reports what the method does to white noise instead, whatever is in the image.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_usm as usm
    >>> noise = np.random.default_rng(0).normal(100, 5, (256, 256))
    >>> found = usm.sharpen(noise, sigma=1, amount=2)
    >>> round(usm.metrics.noise_factor(noise, found.image), 1)
    2.7
    >>> round(found.report.noise_factor, 1)
    2.7
    """
    from napari_usm.arguments import filtered_axes

    before, after = before_and_after(image, sharpened)
    along = filtered_axes(axes, before.ndim)
    blocks = [_blocks(each, along) for each in (before, after)]
    valid = np.isfinite(blocks[0]).all(axis=1) & np.isfinite(blocks[1]).all(axis=1)
    if not valid.any():
        return 1.0
    sides = _sides(before.shape, along)
    unit = max(float(np.abs(each[valid]).max()) for each in blocks) or 1.0
    variances = [_residual(each[valid] / unit, sides) for each in blocks]
    noisy = variances[0] > _rounding(before.dtype) ** 2
    if not noisy.any():
        return 1.0
    start, end = (each[noisy] for each in variances)
    flat = start <= _FLAT * np.quantile(start, _TENTH)
    pixels, plane = int(np.prod(sides)), 1 + sum(side > 1 for side in sides)
    ratio = float(np.median(end[flat] / start[flat]))
    return float(np.sqrt(((pixels - plane) * ratio + plane) / pixels))


def _rounding(dtype: np.dtype[Any]) -> float:
    """Return what rounding may make in an image of a type, as a share of its values."""
    own = float(np.finfo(dtype).eps) / 2 if dtype.kind == "f" else 0.0
    return max(_COMPUTED, own)


def _sides(shape: Sequence[int], axes: Sequence[int]) -> list[int]:
    """Return the lengths of a block along the filtered axes."""
    side = max(2, round(_PIXELS ** (1 / len(axes))))
    return [min(side, shape[axis]) for axis in axes]


def _blocks(image: NDArray[Any], axes: Sequence[int]) -> NDArray[np.float64]:
    """Return the whole blocks of an image, a row for each."""
    sides = _sides(image.shape, axes)
    moved = np.moveaxis(image.astype(np.float64), axes, range(len(axes)))
    whole = [n // side for n, side in zip(moved.shape, sides, strict=False)]
    kept = tuple(slice(n * side) for n, side in zip(whole, sides, strict=True))
    cut = moved[kept]
    shape = [length for pair in zip(whole, sides, strict=True) for length in pair]
    cut = cut.reshape(*shape, -1)
    inside = list(range(1, 2 * len(sides), 2))
    cut = np.moveaxis(cut, inside, range(-len(sides), 0))
    return cut.reshape(-1, int(np.prod(sides)))


def _residual(blocks: NDArray[np.float64], sides: Sequence[int]) -> NDArray[np.float64]:
    """Return the mean square of each block less the plane that is nearest to it."""
    terms = [np.ones(sides)]
    terms += [axis - axis.mean() for axis in np.indices(sides) if np.ptp(axis) > 0]
    left = blocks - blocks.mean(axis=1, keepdims=True)
    for term in terms:
        flat = term.ravel() / np.linalg.norm(term)
        left -= np.outer(left @ flat, flat)
    square: NDArray[np.float64] = (left**2).mean(axis=1)
    return square
