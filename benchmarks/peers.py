"""The other tools, each as its users call it: image and sigma in, the result out."""

import os
from importlib import import_module

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage
from skimage.filters import unsharp_mask as skimage_unsharp_mask


def _installed(name):
    try:
        return import_module(name)
    except (ImportError, OSError):  # OSError: a binding without its library
        return None


cv2 = _installed("cv2")
SimpleITK = _installed("SimpleITK")
pyvips = _installed("pyvips")
halide_mask = _installed("halide_mask")

_MODULES = {
    "OpenCV": cv2,
    "Halide": halide_mask,
    "SimpleITK": SimpleITK,
    "libvips": pyvips,
}


def missing():
    """Return the names of those that are not installed."""
    return [name for name, module in _MODULES.items() if module is None]


def use_one_thread():
    """Keep all of them to one thread; before they are first called."""
    os.environ["VIPS_CONCURRENCY"] = os.environ["HL_NUM_THREADS"] = "1"
    if cv2:
        cv2.setNumThreads(1)
    if SimpleITK:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


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
    values = image.astype(np.float32)
    sharp = 2 * values - ndimage.gaussian_filter(values, sigma)
    if image.dtype.kind == "f":
        return sharp
    return np.clip(sharp + 0.5, 0, np.iinfo(image.dtype).max).astype(image.dtype)


def scikit_image(image, sigma):
    """Unsharp mask in floats, of the range of the image."""
    return skimage_unsharp_mask(image, sigma, 1.0, preserve_range=True)


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


#: Gaussian masks of amount 1, by image and sigma.
MASKS = {
    "OpenCV": opencv,
    "Halide": halide,
    "scipy": scipy,
    "scikit-image": scikit_image,
    "Pillow": pillow,
    "SimpleITK": simpleitk,
    "libvips": libvips,
}
