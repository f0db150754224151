"""The documents that the methods come from are reproduced."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import median_filter
from skimage import data
from skimage.filters import unsharp_mask

import cases
import napari_usm as usm

CONVERT = shutil.which("convert-im6.q16")
MAGICK = {"0x1": (1, 0), "0x2": (2, 0), "0x0.5": (0.5, 0), "2x1.3": (1.3, 2)}
VECTORS = Path(__file__).parents[1] / "data" / "imagemagick_6_9.npz"


def opencv_laplacian(image):
    """`cv2.Laplacian(image, cv2.CV_64F)`: aperture 1, border reflected without edge."""
    padded = np.pad(image.astype(np.float64), 1, mode="reflect")
    return (
        padded[:-2, 1:-1]
        + padded[2:, 1:-1]
        + padded[1:-1, :-2]
        + padded[1:-1, 2:]
        - 4 * padded[1:-1, 1:-1]
    )


def tutorial(image, size, strength):
    """`unsharp` of the Laplacian tutorial, its saturating version."""
    sharp = image - strength * opencv_laplacian(median_filter(image, size))
    return np.clip(sharp, 0, 255)


@pytest.mark.parametrize(("size", "strength"), [(1, 0.7), (5, 0.8), (3, -0.1)])
def test_laplacian_tutorial_grey(size, strength):
    """The tutorial's grey image comes out to within rounding, borders included."""
    image = data.camera()[100:180, 90:200]
    result = usm.laplacian_sharpen(image, strength, median_size=size)
    assert np.abs(result - tutorial(image, size, strength)).max() <= 0.5 + 1e-4


def test_laplacian_tutorial_rgb():
    """The tutorial's colour image: each channel, median 5, strength 0.8, saturated."""
    image = data.astronaut()[60:140, 180:270]
    result = usm.laplacian_sharpen(image, 0.8, median_size=5, channel_axis=-1)
    for channel in range(3):
        expected = tutorial(image[..., channel], 5, 0.8)
        assert np.abs(result[..., channel] - expected).max() <= 0.5 + 1e-4
    assert (result == 255).any()
    assert (result == 0).any()


def test_negative_strength_blurs():
    """The Laplacian added instead of taken away blurs, down to amount -1/8 in 2-D."""
    checkerboard = np.indices((8, 8)).sum(axis=0) % 2 * 1.0
    flat = usm.laplacian_sharpen(checkerboard, -1 / 8, mode="wrap")
    np.testing.assert_allclose(flat, 0.5)
    assert not usm.sharpen(
        checkerboard, "laplacian_sharpen", amount=-0.125
    ).report.inverts_detail
    assert usm.sharpen(
        checkerboard, "laplacian_sharpen", amount=-0.13
    ).report.inverts_detail


def magick_image():
    """A 16-bit image with fine and coarse detail, and both ends of the range."""
    return cases.picture((24, 20), "uint16", seed=5)


def sharpened_by_imagemagick(image, option, folder):
    """What Debian's ImageMagick 6.9 makes of a 16-bit image."""
    source, result = folder / "in.png", folder / "out.png"
    Image.fromarray(image).save(source)
    subprocess.run(
        [CONVERT, source, "-sharpen", option, "-depth", "16", result], check=True
    )
    return np.asarray(Image.open(result)).astype(np.uint16)


@pytest.mark.parametrize("option", MAGICK)
def test_imagemagick_vectors(option):
    """`gaussian_sharpen` is `convert -sharpen` to within 1 of 65535."""
    sigma, radius = MAGICK[option]
    result = usm.gaussian_sharpen(magick_image(), sigma, radius=radius)
    expected = np.load(VECTORS)[option]
    assert np.abs(result.astype(int) - expected).max() <= 1


@pytest.mark.skipif(CONVERT is None, reason="needs ImageMagick 6 of Debian")
@pytest.mark.parametrize("option", [*MAGICK, "0x5", "4x1"])
def test_imagemagick_itself(option, tmp_path):
    """The same on a photograph, against the program where it is installed."""
    image = data.camera().astype(np.uint16)[:120, :150] * 257
    radius, sigma = map(float, option.split("x"))
    result = usm.gaussian_sharpen(image, sigma, radius=int(radius))
    expected = sharpened_by_imagemagick(image, option, tmp_path)
    assert np.abs(result.astype(int) - expected).max() <= 1


def test_scikit_image():
    """The classic mask is scikit-image's, without its rescaling."""
    image = data.camera()[:90, :100].astype(np.float64)
    expected = unsharp_mask(image, radius=2.0, amount=1.5, preserve_range=True)
    np.testing.assert_allclose(usm.unsharp_mask(image, 2.0, 1.5), expected, atol=1e-9)


def test_gain_doubles_the_gradients():
    """On a photograph the gain found is near the one that doubles the gradients."""
    image = data.camera().astype(np.float64)
    found = usm.sharpen(image, "adaptive_unsharp_mask")
    ratios = [
        np.abs(np.diff(found.image, axis=axis)).sum()
        / np.abs(np.diff(image, axis=axis)).sum()
        for axis in (0, 1)
    ]
    assert 1.6 < np.mean(ratios) < 2.4
    assert found.gain in found.report.gains
