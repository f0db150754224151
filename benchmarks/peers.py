"""The other tools, each as its users call it: image and sigma in, the result out."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module

import imagemagick
import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage
from skimage.filters import unsharp_mask as skimage_unsharp_mask
from timing import stopwatch


def _installed(name):
    try:
        return import_module(name)
    except (ImportError, OSError):  # OSError: a binding without its library
        return None


cv2 = _installed("cv2")
SimpleITK = _installed("SimpleITK")
pyvips = _installed("pyvips")
halide_mask = _installed("halide_mask")

#: In the order of the table.
NAMES = (
    "copy",
    "OpenCV",
    "Halide",
    "scipy",
    "scikit-image",
    "Pillow",
    "SimpleITK",
    "libvips",
    "ImageMagick",
)


def missing():
    """Names of those that are not installed."""
    found = {
        "OpenCV": cv2,
        "Halide": halide_mask,
        "SimpleITK": SimpleITK,
        "libvips": pyvips,
        "ImageMagick": imagemagick.command(),
    }
    return [name for name, tool in found.items() if tool is None]


def use_threads(count):
    """Give all that can use threads as many as ours; before they are first called."""
    os.environ["VIPS_CONCURRENCY"] = os.environ["HL_NUM_THREADS"] = str(count)
    if cv2:
        cv2.setNumThreads(count)
    if SimpleITK:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(count)


def gaussian_masks(image, sigma, channel_axis=None, threads=1):
    """A tool for `in_turns` of every peer that takes such an image."""
    calls = {"copy": lambda: copy(image, threads)}
    flat = image.ndim - (channel_axis is not None) == 2
    grey = channel_axis is None
    if cv2 and flat:
        calls["OpenCV"] = lambda: opencv(image, sigma)
    if halide_mask and flat and grey:
        calls["Halide"] = lambda: halide(image, sigma)
    if grey:
        calls["scipy"] = lambda: scipy(image, sigma)
    calls["scikit-image"] = lambda: skimage_unsharp_mask(
        image, sigma, 1.0, preserve_range=True, channel_axis=channel_axis
    )
    if flat and image.dtype == np.uint8:
        calls["Pillow"] = lambda: pillow(image, sigma)
    if SimpleITK and grey:
        calls["SimpleITK"] = lambda: simpleitk(image, sigma)
    if pyvips and flat:
        calls["libvips"] = lambda: libvips(image, sigma)
    return {name: stopwatch(call) for name, call in calls.items()}


def copy(image, threads):
    """No filter: the image in fresh memory, which every tool has to fill."""
    if threads == 1:
        return image.copy()
    result = np.empty_like(image)
    parts = (np.array_split(array, threads) for array in (result, image))
    list(_pool(threads).map(np.copyto, *parts))
    return result


@cache
def _pool(threads):
    return ThreadPoolExecutor(threads)


def opencv(image, sigma):
    """GaussianBlur and addWeighted; its own cut: 3 sigma for uint8, else 4."""
    blurred = cv2.GaussianBlur(image, (0, 0), sigma)
    return cv2.addWeighted(image, 2.0, blurred, -1.0, 0)


def opencv_box(image):
    """The mean of 3 by 3, and addWeighted."""
    return cv2.addWeighted(image, 2.0, cv2.blur(image, (3, 3)), -1.0, 0)


def opencv_laplacian(image, size):
    """Median, Laplacian and combination, amount 0.7."""
    calm = cv2.medianBlur(image, size) if size > 1 else image
    detail = cv2.Laplacian(calm, cv2.CV_32F, ksize=1)
    depth = {"uint8": cv2.CV_8U, "uint16": cv2.CV_16U, "float32": cv2.CV_32F}
    return cv2.addWeighted(image, 1.0, detail, -0.7, 0, dtype=depth[image.dtype.name])


def halide(image, sigma):
    """The pipeline in `halide_mask`, with taps up to 4 sigma."""
    offsets = np.arange(int(4 * sigma + 0.5) + 1)
    taps = np.exp(-(offsets**2) / (2 * sigma**2))
    taps /= 2 * taps.sum() - 1
    return halide_mask.sharpen(image, taps.astype(np.float32))


def scipy(image, sigma):
    """float32 Gaussian, and the rest by numpy."""
    return _scipy_mask(image, lambda values: ndimage.gaussian_filter(values, sigma))


def scipy_box(image):
    """float32 mean of 3 by 3, and the rest by numpy."""
    return _scipy_mask(image, lambda values: ndimage.uniform_filter(values, 3))


def _scipy_mask(image, blur):
    values = image.astype(np.float32)
    return _cast(2 * values - blur(values), image.dtype)


def scipy_laplacian(image, size):
    """Median, Laplacian and combination in float32, amount 0.7."""
    calm = ndimage.median_filter(image, size) if size > 1 else image
    detail = ndimage.laplace(calm.astype(np.float32), mode="mirror")
    return _cast(image - np.float32(0.7) * detail, image.dtype)


def _cast(values, dtype):
    if dtype.kind == "f":
        return values
    return np.clip(values + 0.5, 0, np.iinfo(dtype).max).astype(dtype)


def pillow(image, sigma):
    """UnsharpMask of a radius that is a sigma; boxes in place of the Gaussian."""
    mask = ImageFilter.UnsharpMask(sigma, 100, 0)
    return np.asarray(Image.fromarray(image).filter(mask))


def simpleitk(image, sigma):
    """UnsharpMask: recursive, on a float copy."""
    pixels = SimpleITK.GetImageFromArray(image.astype(np.float32))
    widths = np.broadcast_to(sigma, image.ndim)[::-1].astype(float).tolist()
    return SimpleITK.GetArrayFromImage(SimpleITK.UnsharpMask(pixels, widths, 1.0, 0.0))


def libvips(image, sigma):
    """Gaussblur and a linear combination, in float."""
    pixels = pyvips.Image.new_from_array(image)
    sharp = 2 * pixels - pixels.gaussblur(sigma, precision="float", min_ampl=0.001)
    return sharp.cast(pixels.format).numpy()


def thirty_filterings(image):
    """What the adaptive gain means, word by word: the gradients for every gain."""
    x = image.astype(np.float32)
    curve = []
    for gain in np.arange(1, 31) / 10:
        y = x + (x - ndimage.uniform_filter(x, 3, mode="mirror")) / gain
        across, down = np.diff(y, axis=1), np.diff(y, axis=0)
        parts = (across, down, np.diff(across, axis=0))
        curve.append([np.abs(part).sum(dtype=np.float64) for part in parts])
    return np.array(curve)
