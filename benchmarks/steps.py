"""Times of the steps inside a call: kernels, outputs, ways that take several passes.

    python benchmarks/steps.py [--tables TEXT]

All run on one thread; times are those of the processor, and cycles are calibrated by a
chain of multiply-adds in the same turns, as in `compare.py`. The tables are

steps   : cycles of 16 pixels, in the cache, for the two steps of a mask
calls   : a call on a small image in a loop, its kernel alone, and OpenCV's
outputs : cycles a pixel for image, edge map and report
live    : kernels that a live result waits for
passes  : what calls take that do not go in one pass
"""

import argparse
import statistics
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from time import process_time
from typing import Any
from unittest.mock import patch

import numpy as np
import peers
from compare import print_line
from images import picture
from numba import njit
from timing import cycles, in_turns, milliseconds, multiply_adds

import napari_usm as usm
from napari_usm import api
from napari_usm._engine import memory
from napari_usm._filters.fused import mask
from napari_usm._filters.fused.base import Finish
from napari_usm._filters.taps import AxisBlur, gaussian_taps
from napari_usm._kernels.buffers import buffer, padded
from napari_usm._kernels.byte_mask import (
    TALL,
    byte_rows_blurred,
    finish_blurring_bytes,
)
from napari_usm._kernels.finish import finish_blurring, unpacked
from napari_usm._kernels.finish_plane import finish_pixels
from napari_usm._kernels.memory import LINES, RING
from napari_usm._kernels.sweeps import rows_blurred

DTYPES = ("uint8", "uint16", "float32")
RADII = (1, 4, 8, 16)
NONE = np.empty(0, np.float32)

# Columns of the rows that are blurred, and how often. All rows stay in the cache, and
# do not share places in it.
_WIDE, _TIMES = 480, 200

_TURNS = 11


def main():
    """Print the tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", default="", help="only those that hold this text")
    options = parser.parse_args()
    peers.use_one_thread()
    with usm.threads(1):
        for table in (
            print_steps,
            print_calls,
            print_outputs,
            print_live,
            print_passes,
        ):
            if options.tables in table.__name__:
                table()
                print()


def print_head(*cells):
    """Print the head of a table."""
    print_line(cells)
    print_line(["---"] * len(cells))


def measured(calls):
    """Return the times of calls in turns, and of the chain."""
    times = in_turns({**calls, "chain": multiply_adds}, _TURNS)
    return times, times.pop("chain")


def print_steps():
    """Print the cycles of 16 pixels for the steps of a mask, all in the cache."""
    print_head("step, cycles of 16 pixels", *(f"radius {r}" for r in RADII))
    for dtype in DTYPES:
        print_line([f"down, {dtype} in float32", *map(partial(down, dtype), RADII)])
    print_line(["down, uint8 in integers", "", *map(down_bytes, RADII[1:])])
    for dtype in DTYPES:
        numbers = [across(dtype, radius) for radius in RADII]
        print_line([f"across and finish, {dtype} in float32", *numbers])
    print_line(
        ["across and finish, uint8 in integers", "", *map(across_bytes, RADII[1:])]
    )


def blur_of(radius):
    """Return a Gaussian that is cut at a radius."""
    return AxisBlur(gaussian_taps(radius / 4, radius))


def numbers_of(dtype):
    """Return the numbers of a finish of amount 1."""
    dtype = np.dtype(dtype)
    most = 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
    return Finish(1.0, (0.0, most)).numbers(dtype)


def for_16(call, *arguments):
    """Return the cycles of 16 pixels, of a call that blurs eight rows repeatedly."""
    times, chain = measured({"": partial(call, *arguments)})
    return f"{cycles(times[''], chain) / (_TIMES * TALL * _WIDE / 16):.0f}"


def down(dtype, radius):
    """Blur eight rows over those around them, in float32."""
    image = picture((2 * radius + TALL, _WIDE), dtype).ravel()
    return for_16(_down, image, mask.filled_taps(blur_of(radius)), radius)


def down_bytes(radius):
    """Blur eight rows over those around them, in integers."""
    image = picture((2 * radius + TALL, _WIDE), "uint8").ravel()
    return for_16(_down_bytes, image, *mask.byte_taps(blur_of(radius)), radius)


def across(dtype, radius):
    """Blur eight rows along themselves, and finish them, in float32."""
    image = picture((TALL, _WIDE), dtype).ravel()
    taps = mask.filled_taps(blur_of(radius))
    return for_16(_across, image, taps, np.empty_like(image), NONE, numbers_of(dtype))


def across_bytes(radius):
    """Blur eight rows along themselves, and finish them, in integers."""
    image = picture((TALL, _WIDE), "uint8").ravel()
    taps = mask.byte_taps(blur_of(radius))
    result, numbers = np.empty_like(image), numbers_of("uint8")
    return for_16(_across_bytes, image, *taps, result, NONE, numbers)


@njit(nogil=True)
def _down(image, taps, radius):
    apart = padded(_WIDE, 4)
    out = buffer(TALL * apart, np.float32)
    starts = np.arange(2 * radius + TALL) * _WIDE
    for _ in range(_TIMES):
        rows_blurred(out, 0, apart, image, starts, taps, _WIDE, TALL, RING, LINES)
    return out[0]


@njit(nogil=True)
def _down_bytes(image, half, vectors, radius):
    apart = padded(_WIDE, 2)
    out = buffer(TALL * apart, np.int16)
    starts = np.arange(2 * radius + TALL) * _WIDE
    for _ in range(_TIMES):
        byte_rows_blurred(out, 0, apart, image, starts, half, vectors, _WIDE)
    return out[0]


@njit(nogil=True)
def _across(image, taps, result, edges, numbers):
    finish = unpacked(numbers)
    apart = padded(_WIDE + 64, 4)
    lines, row = buffer(TALL * apart, np.float32), buffer(_WIDE, np.float32)
    lines[:] = 0.5
    for _ in range(_TIMES):
        finish_blurring(
            image,
            0,
            _WIDE,
            lines,
            32,
            apart,
            1,
            taps,
            row,
            _WIDE,
            TALL,
            result,
            edges,
            0,
            _WIDE,
            finish,
        )


@njit(nogil=True)
def _across_bytes(image, half, vectors, result, edges, numbers):
    finish = unpacked(numbers)
    apart = padded(_WIDE + 64, 2)
    lines, row = buffer(TALL * apart, np.int16), buffer(_WIDE, np.float32)
    lines[:] = 0
    for _ in range(_TIMES):
        finish_blurring_bytes(
            image,
            0,
            _WIDE,
            lines,
            32,
            apart,
            1,
            half,
            vectors,
            row,
            _WIDE,
            TALL,
            result,
            edges,
            0,
            _WIDE,
            finish,
        )


def print_calls():
    """Print what small images take in loops of nothing else."""
    print_head(
        "sigma 1", "kernel, µs", "ours in a loop, µs", "OpenCV in a loop, µs", "ratio"
    )
    for size in (16, 512):
        for dtype in DTYPES:
            image = picture((size, size), dtype)
            ours = in_loop(lambda image=image: usm.unsharp_mask(image))
            theirs = None
            if peers.cv2:
                theirs = in_loop(lambda image=image: peers.opencv(image, 1))
            cells = [
                f"{dtype} {size}²",
                micro(in_loop(kernel_of(image, 1))),
                micro(ours),
            ]
            other = "" if theirs is None else f"{theirs / ours:.2f}"
            print_line([*cells, "" if theirs is None else micro(theirs), other])


def in_loop(call: Callable[[], Any]):
    """Return the seconds of a call in a loop of nothing else, the median of several."""
    call()
    start = process_time()
    call()
    count = max(10, int(0.02 / max(process_time() - start, 1e-5)))
    times = []
    for _ in range(_TURNS):
        start = process_time()
        for _ in range(count):
            call()
        times.append((process_time() - start) / count)
    return statistics.median(times)


def micro(seconds):
    """Return microseconds as text."""
    return f"{seconds * 1e6:.3g}"


def kernel_of(image, sigma):
    """Return the kernel calls of a mask with their arguments, into the same memory."""
    # Arguments are kept with their kernel: this border is that of no other call here.
    with recorded() as given:
        usm.unsharp_mask(image, sigma, mode="mirror")
    return lambda: [mask.sharpen_planes(*arguments) for arguments in given]


@contextmanager
def recorded():
    """Record the arguments of the mask's kernel."""
    given, kernel = [], mask.sharpen_planes

    def call(*arguments):
        given.append(arguments)
        return kernel(*arguments)

    with patch.object(mask, "sharpen_planes", call):
        yield given


def print_outputs():
    """Print what image, edge map and report take."""
    print_head("2000², sigma 2, cycles a pixel", "image", "and edge map", "and report")
    for dtype in DTYPES:
        image = picture((2000, 2000), dtype)
        plan, pixels = api.prepare(image, "unsharp_mask", sigma=2.0)

        def run(edges, report, plan=plan, pixels=pixels):
            wanted = {"want_edge_map": edges, "want_report": report}
            return memory.result_of(memory.run(plan, pixels, **wanted))

        wanted = {
            "image": (False, False),
            "edges": (True, False),
            "report": (True, True),
        }
        times, chain = measured({k: partial(run, *v) for k, v in wanted.items()})
        taken = (cycles(times[k], chain) / image.size for k in wanted)
        print_line([dtype, *(f"{n:.2f}" for n in taken)])


def print_live():
    """Print the kernels that a live result waits for."""
    print_head("uint16 2048², kernel alone", "ms")
    image = picture((2048, 2048), "uint16")
    pixels = image.ravel()
    detail = np.random.default_rng(0).normal(0, 500, image.size).astype(np.float32)
    detail.flags.writeable = False
    result, edges = np.empty_like(pixels), np.empty(image.size, np.float32)
    plan, _ = api.prepare(image, "unsharp_mask", threshold=300.0)
    plain = Finish(1.3, (0.0, 65535.0)).numbers(image.dtype)
    strict = Finish(1.3, (0.0, 65535.0), plan.threshold(None)).numbers(image.dtype)
    finish = partial(finish_pixels, pixels, detail, (0, image.size))
    calls = {
        "detail of a new sigma, 1.5": lambda: usm.edge_map(image, sigma=1.5),
        "amount": lambda: finish(result, NONE, plain),
        "threshold, image and edge map": lambda: finish(result, edges, strict),
    }
    for name, times in measured(calls)[0].items():
        print_line([name, f"{milliseconds(times):.2f}"])


def print_passes():
    """Print what calls take that do not go in one pass."""
    print_head("uint16 2000², sigma 2", "ns a pixel")
    for name, call, count in passes():
        times, _ = measured({"": call})
        print_line([name, f"{milliseconds(times['']) * 1e6 / count:.3g}"])


def passes():
    """Generate names, calls and pixels of their images."""
    grey = picture((2000, 2000), "uint16")
    size = grey.size
    small = grey[:1000, :1000]
    colours = np.stack([grey] * 3, -1)
    items, volume = grey.reshape(4, 500, 2000), grey.reshape(16, 500, 500)
    floats = (grey / 65535).astype(np.float32)
    invalid = floats.copy()
    invalid[5, 5] = np.nan
    blurred = partial(usm.unsharp_mask, sigma=2)
    yield "one pass", lambda: blurred(grey), size
    yield "threshold", lambda: blurred(grey, threshold=100), size
    rgb = partial(blurred, channel_axis=2)
    yield "interleaved colours, a value", lambda: rgb(colours), 3 * size
    yield "result in float32", lambda: blurred(grey, dtype="float32"), size
    weight = np.ones(grey.shape, np.float32)
    yield "weight", lambda: blurred(grey, weight=weight), size
    yield (
        "gains per item",
        lambda: usm.adaptive_unsharp_mask(items, axes=(1, 2), gain_per="item"),
        size,
    )
    yield "float32 without an invalid pixel", lambda: blurred(floats), size
    yield "float32 with an invalid pixel", lambda: blurred(invalid), size
    yield (
        "volume, constant border",
        lambda: usm.unsharp_mask(volume, (1, 2, 2), mode="constant"),
        size,
    )
    for dtype in ("int32", "float64", "float16"):
        image = (grey if dtype == "int32" else grey / 65535).astype(dtype)
        yield dtype, lambda image=image: blurred(image), size
    yield (
        "noise threshold per item",
        lambda: blurred(items, axes=(1, 2), threshold="3 noise"),
        size,
    )
    yield "luminance", lambda: rgb(colours, color="luminance"), size
    alpha = np.dstack([colours, np.full_like(grey, 65535)])
    yield "alpha, a value", lambda: rgb(alpha, alpha=True), 3 * size
    three = colours[: small.shape[0], : small.shape[1]]
    yield "HSV's value, 1000²", lambda: rgb(three, color="value"), small.size
    yield "automatic", lambda: usm.auto_unsharp_mask(grey), size
    auto = partial(usm.auto_unsharp_mask, axes=(1, 2), estimate_per="item")
    yield "automatic, one estimate per item", lambda: auto(items), size


if __name__ == "__main__":
    main()
