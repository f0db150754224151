"""The rows of the table: what is measured, against what, and the targets."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from time import perf_counter, process_time
from typing import Any

import images
import numpy as np
import peers
from images import as_type, masked
from scipy import ndimage

import napari_usm as usm
from napari_usm import api
from napari_usm._engine import memory
from napari_usm._estimate.blur_and_noise import Estimate

DTYPES = ("uint8", "uint16", "float32")
VOLUME = (64, 512, 512)

Call = Callable[[np.ndarray], Any]

# Rows of one image follow each other, and an image of 8192² takes seconds to make.
picture = lru_cache(1)(images.picture)


@dataclass(frozen=True)
class Other:
    """A call that ours is compared with.

    Attributes
    ----------
    call : callable
        Of the image.
    at_least : float, optional
        Target: it takes at least so many times as long as ours.
    at_most : float, optional
        Target: ours takes at most so many times as long.
    """

    call: Call
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    name : str
        What is measured.
    shape, dtype : tuple of int and str
        The image.
    ours : callable
        Of the image.
    others : dict of name to Other
        What it is compared with.
    expected : callable, optional
        What should come out of a part of the image, in float64.
    reach : int
        Neighbours that a pixel of `expected` needs along the first axis.
    sums : float, optional
        Vector instructions of 16 pixels that the blur takes, for each 16 pixels.
    turns : int
        How often all calls run.
    clock : callable
        Time of the processor; of the wall for calls on several threads.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    ours: Call
    others: dict[str, Other] = field(default_factory=dict)
    expected: Call | None = None
    reach: int = 0
    sums: float | None = None
    turns: int = 15
    clock: Callable[[], float] = process_time

    @cached_property
    def image(self):
        """The pixels."""
        return picture(self.shape, self.dtype)

    @property
    def error(self):
        """Largest difference from the reference, None without one."""
        if self.expected is None:
            return None
        result = self.ours(self.image)
        return images.largest_error(result, self.image, self.expected, self.reach)


def rows():
    """Generate all rows; images are made when a row is measured."""
    for size in (512, 2000, 2048, 8192):
        for dtype in DTYPES:
            for sigma in (1, 2):
                yield mask_row((size, size), dtype, sigma, {"OpenCV": 2, "Halide": 2})
    for sigma, target in ((5, 5), (20, 50)):
        for dtype in DTYPES:
            yield mask_row((2000, 2000), dtype, sigma, {"OpenCV": target})
    for dtype in DTYPES:
        targets = {"scikit-image": None, "scipy": None, "SimpleITK": None}
        if dtype == "uint8":
            targets |= {"Pillow": 20, "libvips": 30}
        row = mask_row((2000, 2000), dtype, 2, targets, turns=5)
        yield replace(row, name=f"{row.name}, slow tools")
    for dtype, target in zip(DTYPES, (40, 30, 20), strict=True):
        yield mask_row(VOLUME, dtype, (1, 2, 2), {"scikit-image": target}, turns=5)
    for dtype in DTYPES:
        yield box_row(dtype)
    for size in (1, 3, 5):
        for dtype in DTYPES:
            yield laplacian_row(dtype, size)
    yield from copy_rows()
    for dtype in DTYPES:
        opencv = present({"OpenCV": Other(partial(peers.opencv, sigma=1), at_most=2)})
        yield Row(f"{dtype} 16²", (16, 16), dtype, usm.unsharp_mask, opencv)
    for dtype in DTYPES:
        yield adaptive_row(dtype)
    for dtype in DTYPES:
        yield Row(
            f"{dtype} 2000², image, edge map and report, sigma 2",
            (2000, 2000),
            dtype,
            lambda image: usm.sharpen(image, sigma=2),
            {
                "the image alone": Other(
                    lambda image: usm.unsharp_mask(image, 2), at_most=1.7
                )
            },
        )
    for dtype in DTYPES:
        for blur in (0.7, 1.4, 3):
            yield auto_row(dtype, blur)
    for dtype in DTYPES:
        yield Row(
            f"{dtype} 8192², sigma 1, two threads",
            (8192, 8192),
            dtype,
            lambda image: on_threads(2, image),
            {"one thread": Other(lambda image: on_threads(1, image), at_least=1.75)},
            clock=perf_counter,
        )


def mask_row(shape, dtype, sigma, targets, turns=None):
    """Return a Gaussian mask of amount 1, against peers by their names."""
    others = {
        name: Other(partial(peers.MASKS[name], sigma=sigma), at_least=target)
        for name, target in targets.items()
    }
    size = "×".join(map(str, shape)) if len(set(shape)) > 1 else f"{shape[0]}²"
    reaches = (4 * np.broadcast_to(sigma, len(shape)) + 0.5).astype(int)
    # A sum of a pair and a multiply-add for each distance; uint8 could take two
    # pixels in one integer instruction.
    sums = reaches + 1 if dtype == "uint8" else 2 * reaches + 1
    return Row(
        f"{dtype} {size}, sigma {sigma}",
        shape,
        dtype,
        lambda image: usm.unsharp_mask(image, sigma),
        present(others),
        lambda part: masked(part, lambda v: ndimage.gaussian_filter(v, sigma)),
        int(reaches[0]),
        sums=float(sums.sum()) if np.max(sigma) < 4 else None,
        turns=turns or (9 if max(shape) > 4000 or np.max(sigma) > 4 else 15),
    )


def box_row(dtype):
    """Return the mean of 3 by 3 as the mask."""
    return Row(
        f"{dtype} 2000², box",
        (2000, 2000),
        dtype,
        lambda image: usm.unsharp_mask(image, kernel="box"),
        present({"OpenCV": Other(peers.opencv_box, at_least=2)}),
        lambda part: masked(part, lambda v: ndimage.uniform_filter(v, 3)),
        1,
    )


def laplacian_row(dtype, size):
    """Return median, Laplacian and combination; OpenCV takes three calls."""

    def expected(part):
        calm = ndimage.median_filter(part, size).astype(np.float64)
        return as_type(part - 0.7 * ndimage.laplace(calm, mode="mirror"), part.dtype)

    opencv = partial(peers.opencv_laplacian, size=size)
    return Row(
        f"{dtype} 2000², " + (f"median {size} and " if size > 1 else "") + "Laplacian",
        (2000, 2000),
        dtype,
        lambda image: usm.laplacian_sharpen(image, 0.7, median_size=size),
        present({"OpenCV": Other(opencv, at_least=2)}),
        expected,
        1 + size // 2,
    )


def copy_rows():
    """Generate a mask in fresh memory and in `out`, against copies of the image."""
    fresh = mask_row((8192, 8192), "float32", 1, {})
    yield replace(
        fresh,
        name=f"{fresh.name}, fresh memory",
        others={"a copy into fresh memory": Other(np.copy, at_most=1.5)},
    )
    yield replace(
        fresh,
        name=f"{fresh.name}, with `out`",
        ours=with_out(lambda image, out: usm.unsharp_mask(image, out=out)),
        others={
            "a copy into warm memory": Other(
                with_out(lambda image, out: np.copyto(out, image)), at_most=2.2
            )
        },
    )


def adaptive_row(dtype):
    """Return the adaptive mask, against a box mask of a given amount."""
    box = partial(usm.unsharp_mask, kernel="box", mode="mirror")

    def expected(part):
        image = picture((2000, 2000), dtype)
        amount = float(usm.sharpen(image, "adaptive_unsharp_mask").amount)
        blur = partial(ndimage.uniform_filter, size=3, mode="mirror")
        return masked(part, blur, amount)

    return Row(
        f"{dtype} 2000², adaptive",
        (2000, 2000),
        dtype,
        usm.adaptive_unsharp_mask,
        {"a box mask": Other(box, at_most=2)},
        expected,
        1,
    )


def auto_row(dtype, blur):
    """Return the three bands for a known blur, against the mask of the narrow sigma."""
    sigma = max(0.5, 0.65 * blur)
    return Row(
        f"{dtype} 2048², auto, blur {blur}, estimates known",
        (2048, 2048),
        dtype,
        lambda image: run_bands(image, blur),
        {
            f"a mask of sigma {sigma:.3g}": Other(
                lambda image: usm.unsharp_mask(image, sigma), at_most=3
            )
        },
    )


def run_bands(image, blur):
    """Sharpen by the automatic mask, of an image whose blur is known."""
    plan, fitted = fitted_bands(image.shape, image.dtype.name, blur)
    running = memory.run(
        plan, image, fitted=fitted, want_edge_map=False, want_report=False
    )
    return memory.result_of(running)


@lru_cache(1)
def fitted_bands(shape, dtype, blur):
    """Return plan and estimates of the automatic mask, with another blur."""
    image = picture(shape, dtype)
    plan, _ = api.prepare(image, "auto_unsharp_mask")
    fitted = memory.result_of(memory.estimate(plan, image))
    constants = fitted.constants
    known = Estimate.of(constants.estimate.ravel())
    known = known._replace(sigmas=(blur, blur), growth=0).numbers
    known = known.reshape(constants.estimate.shape)
    return plan, replace(fitted, constants=replace(constants, estimate=known))


def on_threads(count, image):
    """Sharpen on so many threads."""
    with usm.threads(count):
        return usm.unsharp_mask(image)


def with_out(call):
    """Return a call of image and `out` as one of the image, with one array for all."""
    arrays = []

    def run(image):
        if not arrays:
            arrays.append(np.empty_like(image))
        return call(image, arrays[0])

    return run


def present(others):
    """Return those whose tools are installed."""
    missing = peers.missing()
    return {name: other for name, other in others.items() if name not in missing}
