"""What is sharpened, and what should come out of it."""

import numpy as np
from scipy import ndimage

# Pixels of a strip of the reference: 64 MB in float64, for images of any size.
STRIP = 2**23


def picture(shape, dtype):
    """Smooth noise over the whole range of the type."""
    rng = np.random.default_rng(0)
    values = rng.random(shape, dtype=np.float32)
    sigma = [3 if n > 3 else 0 for n in shape]
    ndimage.gaussian_filter(values, sigma, output=values)
    values -= values.min()
    values /= values.max()
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    values *= np.iinfo(dtype).max
    return np.round(values, out=values).astype(dtype)


def as_type(values, dtype):
    """Values as the type wants them: integers rounded half up, within their range."""
    if dtype.kind == "f":
        return values
    return np.clip(np.floor(values + 0.5), 0, np.iinfo(dtype).max)


def masked(image, blur, amount=1.0):
    """``image + amount * (image - blurred)`` in float64, as the type wants it."""
    values = image.astype(np.float64)
    return as_type(values + amount * (values - blur(values)), image.dtype)


def largest_error(found, image, expected, reach):
    """Largest difference of a result from its reference, in strips of rows.

    Parameters
    ----------
    found, image : array
        The result, and what it was made from.
    expected : callable
        The reference of an image.
    reach : int
        Neighbours that a pixel needs along the first axis.
    """
    rows = max(1, STRIP * image.shape[0] // image.size)
    worst = 0.0
    for start in range(0, image.shape[0], rows):
        above = max(0, start - reach)
        grown = expected(image[above : start + rows + reach])
        core = grown[start - above :][:rows]
        worst = max(worst, np.abs(found[start : start + rows] - core).max())
    return worst
