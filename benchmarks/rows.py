"""The rows of the tables: what is measured, and what should come out."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import imagemagick
import numpy as np
import peers
from images import as_type, largest_error, masked, picture
from scipy import ndimage
from timing import stopwatch

import napari_usm as usm
from napari_usm import api
from napari_usm._engine import memory
from napari_usm._estimate.blur_and_noise import Estimate

DTYPES = ("uint8", "uint16", "float32")
# The side up to which all tools run. Above, the slow ones take 5 to 20 s a call, five
# minutes a row, and up to six arrays of float64.
SIDE_FOR_ALL = 8192
QUICK_TOOLS = ("usm", "copy", "OpenCV", "Halide", "libvips")


@dataclass(frozen=True)
class Race:
    """Tools on one image: ours is the first.

    Attributes
    ----------
    tools : dict of name to callable
        Each gives its own seconds.
    error : callable, optional
        Largest difference of our result from a float64 reference.
    """

    tools: dict[str, Callable[[], float]]
    error: Callable[[], float] | None = None


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes
    ----------
    name : str
        What is measured.
    race : callable
        Makes the image and the tools, once the row is due.
    turns : int
        How often every tool runs.
    beside : str
        What the second tool is, where there are just two.
    """

    name: str
    race: Callable[[], Race]
    turns: int = 9
    beside: str = ""


def against_peers(quick, threads):
    """Ours against other tools."""
    for size in (512, 2000) if quick else (512, 2000, 8192, 16384):
        if size > 2000 and not fits(size):
            continue
        for dtype in DTYPES:
            for sigma in (1, 2, 5, 20) if size == 2000 else (1,):
                turns = 3 if size > 4000 or sigma > 5 else 9
                yield mask_row((size, size), dtype, sigma, threads, turns)
    yield mask_row((2000, 2000, 3), "uint8", 2, threads, 5)
    for dtype in DTYPES:
        yield mask_row((64, 512, 512), dtype, (1, 2, 2), threads, 3)
    for dtype in DTYPES:
        yield Row(f"{dtype} 2000², box", partial(box_race, dtype, threads))
    for size in (1, 3, 5):
        for dtype in DTYPES:
            race = partial(laplacian_race, dtype, size, threads)
            yield Row(f"{dtype} 2000², median {size} and Laplacian", race, 5)


def against_ourselves(quick, threads):
    """Ours against another call of ours, or against the same without its idea."""
    for dtype in DTYPES:
        name = f"{dtype} 2000², adaptive"
        box = partial(adaptive_race, dtype, beside_box=True)
        thirty = partial(adaptive_race, dtype, beside_box=False)
        yield Row(name, box, 5, "box mask")
        yield Row(name, thirty, 3, "30 filterings by scipy")
    for dtype in DTYPES:
        for blur, growth in ((0.7, 0), (1.4, 0), (3, 0), (1.4, 1e-4)):
            yield from auto_rows(dtype, blur, growth)
    for dtype in DTYPES:
        race = partial(estimate_race, dtype)
        yield Row(f"{dtype} 2048², blur and noise alone", race, 9, "unsharp_mask")
    for dtype in DTYPES:
        race = partial(whole_race, dtype)
        yield Row(f"{dtype} 2000², sharpen, sigma 2", race, 5, "unsharp_mask")
    if not quick and len(os.sched_getaffinity(0)) > 1:
        for dtype in DTYPES:
            race = partial(threads_race, dtype)
            yield Row(f"{dtype} 8192², sigma 1, two threads", race, 9, "one thread")


def fits(size):
    """Whether the memory that is free holds what the tools want for such an image."""
    bytes_a_pixel = 48 if size <= SIDE_FOR_ALL else 24
    with open("/proc/meminfo") as lines:
        free = next(int(line.split()[1]) for line in lines if "MemAvailable" in line)
    return bytes_a_pixel * size**2 < 1024 * free


def mask_row(shape, dtype, sigma, threads, turns):
    """A Gaussian mask along all axes but colour."""
    size = "×".join(map(str, shape)) if len(set(shape)) > 1 else f"{shape[0]}²"
    race = partial(mask_race, shape, dtype, sigma, threads)
    return Row(f"{dtype} {size}, sigma {sigma}", race, turns)


def mask_race(shape, dtype, sigma, threads):
    """A Gaussian mask of amount 1, and those of the peers."""
    image = picture(shape, dtype)
    channel_axis = 2 if shape[-1] == 3 else None
    per_axis = np.broadcast_to(sigma, image.ndim).astype(float)
    if channel_axis is not None:
        per_axis[channel_axis] = 0

    def ours():
        return usm.unsharp_mask(image, sigma, channel_axis=channel_axis)

    def expected(part):
        return masked(part, lambda v: ndimage.gaussian_filter(v, per_axis))

    tools = {
        "usm": stopwatch(ours),
        **peers.gaussian_masks(image, sigma, channel_axis, threads),
    }
    if max(shape) > SIDE_FOR_ALL:
        tools = {name: tools[name] for name in QUICK_TOOLS if name in tools}
    # Seconds for a plane, and a process for each: one row for each type is enough.
    slow = image.shape == (2000, 2000) and sigma == 2 and image.dtype.kind == "u"
    if slow and imagemagick.command():
        tools["ImageMagick"] = imagemagick.Unsharp(image, sigma, threads)
    reach = int(4 * per_axis[0] + 0.5)
    return Race(tools, lambda: largest_error(ours(), image, expected, reach))


def box_race(dtype, threads):
    """The mean of 3 by 3 as the mask."""
    image = picture((2000, 2000), dtype)

    def ours():
        return usm.unsharp_mask(image, kernel="box")

    def expected(part):
        return masked(part, lambda v: ndimage.uniform_filter(v, 3))

    tools = {"usm": ours, "copy": lambda: peers.copy(image, threads)}
    if peers.cv2:
        tools["OpenCV"] = lambda: peers.opencv_box(image)
    tools["scipy"] = lambda: peers.scipy_box(image)
    return Race(clocked(tools), lambda: largest_error(ours(), image, expected, 1))


def laplacian_race(dtype, size, threads):
    """Median, Laplacian and combination; OpenCV in its three calls."""
    image = picture((2000, 2000), dtype)

    def ours():
        return usm.laplacian_sharpen(image, 0.7, median_size=size)

    def expected(part):
        calm = ndimage.median_filter(part, size).astype(np.float64)
        return as_type(part - 0.7 * ndimage.laplace(calm, mode="mirror"), part.dtype)

    tools = {"usm": ours, "copy": lambda: peers.copy(image, threads)}
    if peers.cv2:
        tools["OpenCV"] = lambda: peers.opencv_laplacian(image, size)
    tools["scipy"] = lambda: peers.scipy_laplacian(image, size)
    reach = 1 + size // 2
    return Race(clocked(tools), lambda: largest_error(ours(), image, expected, reach))


def adaptive_race(dtype, beside_box):
    """The gain that the image calls for, beside the mask alone or the naive way."""
    image = picture((2000, 2000), dtype)

    def ours():
        return usm.adaptive_unsharp_mask(image)

    def expected(part):
        amount = float(usm.sharpen(image, "adaptive_unsharp_mask").amount)
        blur = partial(ndimage.uniform_filter, size=3, mode="mirror")
        return masked(part, blur, amount)

    def box():
        return usm.unsharp_mask(image, kernel="box", mode="mirror")

    other = box if beside_box else lambda: peers.thirty_filterings(image)
    tools = clocked({"usm": ours, "other": other})
    return Race(tools, lambda: largest_error(ours(), image, expected, 1))


def auto_rows(dtype, blur, growth):
    """Three bands, beside masks of the narrow sigma and of the wide one."""
    name = f"{dtype} 2048², auto, blur {blur}{', photon noise' if growth else ''}"
    for edges in (False, True):
        for times in (1, 2):
            sigma = times * max(0.5, 0.65 * blur)
            race = partial(auto_race, dtype, blur, growth, edges, sigma)
            what = " and edge map" if edges else ""
            yield Row(f"{name}{what}", race, 9, f"unsharp_mask, sigma {sigma:.3g}")


def auto_race(dtype, blur, growth, edges, sigma):
    """Three bands for a known blur and growth of the noise, beside a mask."""
    image = picture((2048, 2048), dtype)
    plan, _ = api.prepare(image, "auto_unsharp_mask")
    fitted = memory.result_of(memory.estimate(plan, image))
    constants = fitted.constants
    known = Estimate.of(constants.estimate.ravel())
    known = known._replace(sigmas=(blur, blur), growth=growth).numbers
    known = known.reshape(constants.estimate.shape)
    found = replace(fitted, constants=replace(constants, estimate=known))
    mask, _ = api.prepare(image, "unsharp_mask", sigma=sigma)

    def run(plan, fitted=None):
        wanted = {"want_edge_map": edges, "want_report": False}
        return memory.result_of(memory.run(plan, image, fitted=fitted, **wanted))

    return Race(clocked({"usm": lambda: run(plan, found), "other": lambda: run(mask)}))


def estimate_race(dtype):
    """Blur and noise of an image, beside a mask of sigma 1."""
    image = picture((2048, 2048), dtype)
    plan, _ = api.prepare(image, "auto_unsharp_mask")
    calls = {
        "usm": lambda: memory.result_of(memory.estimate(plan, image)),
        "other": lambda: usm.unsharp_mask(image),
    }
    return Race(clocked(calls))


def whole_race(dtype):
    """Image, edge map and report, as napari asks for them, beside the image alone."""
    image = picture((2000, 2000), dtype)
    calls = {
        "usm": lambda: usm.sharpen(image, sigma=2),
        "other": lambda: usm.unsharp_mask(image, sigma=2),
    }
    return Race(clocked(calls))


def threads_race(dtype):
    """The same call on two threads and on one."""
    image = picture((8192, 8192), dtype)

    def on(count):
        with usm.threads(count):
            return usm.unsharp_mask(image)

    return Race(clocked({"usm": lambda: on(2), "other": lambda: on(1)}))


def clocked(calls):
    """The calls as tools that give their seconds."""
    return {name: stopwatch(call) for name, call in calls.items()}
