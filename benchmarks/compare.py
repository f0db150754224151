"""Times of unsharp masking beside those of the peers, each row in one run.

    python benchmarks/compare.py [--quick] [--threads N]

The peers are what is installed of opencv-python-headless, Pillow, scikit-image,
scipy, SimpleITK and pyvips. Every row runs all tools in turn, again and again, and
gives the median of a tool's time over ours in the same turn: how many times faster
we are. `error` is the largest difference from a float64 reference, in steps of
the type for integers, of the image's range for floats.
"""

import argparse
import contextlib
import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from scipy import ndimage
from skimage.filters import unsharp_mask as skimage_unsharp_mask

import napari_usm as usm

with contextlib.suppress(ImportError):
    import cv2
with contextlib.suppress(ImportError):
    import SimpleITK
with contextlib.suppress(ImportError, OSError):
    import pyvips
from PIL import Image, ImageFilter


@dataclass
class Row:
    """One line of the table: ours is the tool "usm"."""

    name: str
    tools: dict[str, Callable[[], np.ndarray]]
    expected: Callable[[], np.ndarray]
    turns: int = 9


def picture(shape, dtype):
    """Smooth noise over the whole range of the type."""
    rng = np.random.default_rng(0)
    values = rng.random(shape, dtype=np.float32)
    sigma = [3 if n > 3 else 0 for n in shape]
    values = ndimage.gaussian_filter(values, sigma)
    values = (values - values.min()) / np.ptp(values)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return values.astype(dtype)
    return np.round(values * np.iinfo(dtype).max).astype(dtype)


def reference(image, sigma, channel_axis=None):
    """The formula in float64, rounded and saturated as the type wants it."""
    values = image.astype(np.float64)
    per_axis = np.broadcast_to(sigma, image.ndim - (channel_axis is not None))
    if channel_axis is not None:
        per_axis = np.insert(per_axis.astype(float), channel_axis, 0)
    blurred = ndimage.gaussian_filter(values, per_axis, truncate=4.0)
    sharp = 2 * values - blurred
    return sharp if image.dtype.kind == "f" else saturated(sharp, image.dtype)


def saturated(values, dtype):
    """Rounded half up, within the range of the type."""
    return np.clip(np.floor(values + 0.5), 0, np.iinfo(dtype).max)


def opencv(image, sigma):
    """GaussianBlur and addWeighted; its own cut: 3 sigma for uint8, else 4."""
    blurred = cv2.GaussianBlur(image, (0, 0), sigma)
    return cv2.addWeighted(image, 2.0, blurred, -1.0, 0)


def scipy(image, sigma):
    """float32 Gaussian, and the rest by numpy."""
    values = image.astype(np.float32)
    sharp = 2 * values - ndimage.gaussian_filter(values, sigma)
    if image.dtype.kind == "f":
        return sharp
    return np.clip(sharp + 0.5, 0, np.iinfo(image.dtype).max).astype(image.dtype)


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


def tools_for(image, sigma, channel_axis):
    """Ours and the peers that take such an image."""
    tools = {"usm": lambda: usm.unsharp_mask(image, sigma, channel_axis=channel_axis)}
    flat = image.ndim - (channel_axis is not None) == 2
    if "cv2" in globals() and flat:
        tools["OpenCV"] = lambda: opencv(image, sigma)
    if channel_axis is None:
        tools["scipy"] = lambda: scipy(image, sigma)
    tools["scikit-image"] = lambda: skimage_unsharp_mask(
        image, sigma, 1.0, preserve_range=True, channel_axis=channel_axis
    )
    if flat and image.dtype == np.uint8:
        tools["Pillow"] = lambda: pillow(image, sigma)
    if "SimpleITK" in globals() and channel_axis is None:
        tools["SimpleITK"] = lambda: simpleitk(image, sigma)
    if "pyvips" in globals() and flat:
        tools["libvips"] = lambda: libvips(image, sigma)
    return tools


def mask_row(shape, dtype, sigma, turns):
    """A Gaussian mask of amount 1 along all axes but colour."""
    image = picture(shape, dtype)
    channel_axis = 2 if shape[-1] == 3 else None
    size = "×".join(map(str, shape)) if len(set(shape)) > 1 else f"{shape[0]}²"
    return Row(
        f"{dtype} {size}, sigma {sigma}",
        tools_for(image, sigma, channel_axis),
        lambda: reference(image, sigma, channel_axis),
        turns,
    )


def laplacian_row(dtype, size):
    """Median, Laplacian and combination; OpenCV in its three calls."""
    image = picture((2000, 2000), dtype)

    def expected():
        calm = ndimage.median_filter(image, size).astype(np.float64)
        sharp = image - 0.7 * ndimage.laplace(calm, mode="mirror")
        return sharp if image.dtype.kind == "f" else saturated(sharp, image.dtype)

    def opencv_calls():
        calm = cv2.medianBlur(image, size) if size > 1 else image
        detail = cv2.Laplacian(calm, cv2.CV_32F, ksize=1)
        depth = {"uint8": cv2.CV_8U, "uint16": cv2.CV_16U, "float32": cv2.CV_32F}
        return cv2.addWeighted(image, 1.0, detail, -0.7, 0, dtype=depth[dtype])

    tools = {"usm": lambda: usm.laplacian_sharpen(image, 0.7, median_size=size)}
    if "cv2" in globals():
        tools["OpenCV"] = opencv_calls
    tools["scipy"] = expected
    return Row(f"{dtype} 2000², median {size} and Laplacian", tools, expected, 3)


def adaptive_row(dtype):
    """The adaptive gain; scipy's column is thirty filterings one after the other."""
    image = picture((2000, 2000), dtype)
    gain = usm.sharpen(image, "adaptive_unsharp_mask").gain

    def expected():
        x = image.astype(np.float64)
        sharp = x + (x - ndimage.uniform_filter(x, 3, mode="mirror")) / gain
        return sharp if image.dtype.kind == "f" else saturated(sharp, image.dtype)

    def thirty():
        x = image.astype(np.float32)
        curve = []
        for tried in np.arange(1, 31) / 10:
            y = x + (x - ndimage.uniform_filter(x, 3, mode="mirror")) / tried
            across, down = np.diff(y, axis=1), np.diff(y, axis=0)
            parts = (across, down, np.diff(across, axis=0))
            curve.append([np.abs(part).sum(dtype=np.float64) for part in parts])
        return np.array(curve)

    tools = {"usm": lambda: usm.adaptive_unsharp_mask(image), "scipy": thirty}
    return Row(f"{dtype} 2000², adaptive (scipy: 30 filterings)", tools, expected, 3)


def rows(quick):
    """Every line of the table."""
    for size in (512, 2000) if quick else (512, 2000, 8192):
        for dtype in ("uint8", "uint16", "float32"):
            for sigma in (1, 2, 5, 20) if size == 2000 else (1,):
                turns = 3 if size > 4000 or sigma > 5 else 9
                yield mask_row((size, size), dtype, sigma, turns)
    yield mask_row((2000, 2000, 3), "uint8", 2, 5)
    for dtype in ("uint16", "float32"):
        yield mask_row((64, 512, 512), dtype, (1, 2, 2), 3)
    for size in (1, 3, 5):
        for dtype in ("uint8", "uint16", "float32"):
            yield laplacian_row(dtype, size)
    for dtype in ("uint16", "float32"):
        yield adaptive_row(dtype)


def timed(row):
    """Median milliseconds of each tool, and median of its ratio to ours."""
    times = {name: [] for name in row.tools}
    for call in row.tools.values():
        call()
    for _ in range(row.turns):
        for name, call in row.tools.items():
            start = perf_counter()
            call()
            times[name].append(perf_counter() - start)
    ours = times["usm"]
    ratios = {
        name: statistics.median(t / u for t, u in zip(found, ours, strict=True))
        for name, found in times.items()
    }
    return 1000 * statistics.median(ours), ratios


def error(row):
    """Largest difference of our result from the reference."""
    return np.abs(row.tools["usm"]().astype(np.float64) - row.expected()).max()


def main():
    """Print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out 8192²")
    parser.add_argument("--threads", type=int, default=1, help="ours and OpenCV's")
    options = parser.parse_args()
    os.environ["VIPS_CONCURRENCY"] = str(options.threads)
    if "cv2" in globals():
        cv2.setNumThreads(options.threads)
    if "SimpleITK" in globals():
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(options.threads)
    peers = ["OpenCV", "scipy", "scikit-image", "Pillow", "SimpleITK", "libvips"]
    print("| row | ours, ms |", " | ".join(peers), "| error |")
    print("|---" * (len(peers) + 3) + "|")
    with usm.threads(options.threads):
        for row in rows(options.quick):
            milliseconds, ratios = timed(row)
            cells = [f"{ratios[p]:.1f} ×" if p in ratios else "" for p in peers]
            found = f"{error(row):.1g}"
            cells = [row.name, f"{milliseconds:.2f}", *cells, found]
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
