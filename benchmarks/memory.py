"""Peak memory of a call above its input and its output; Linux only.

    python benchmarks/memory.py
    python benchmarks/memory.py dask

Every case has a process of its own: imports, and a call on a small image that compiles
the loops, come first. Then the system's record of the peak is reset, and what it has
grown by after the call is the output and all that was needed beside it. The input is a
memory-mapped file whose pages are touched beforehand: it is no part of the growth. The
bound holds for any size of image: a call works in blocks.

With `dask` an image of 1 GB is sharpened from zarr to zarr by the threaded scheduler
with two threads: peak of the whole process, and seconds.
"""

import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from images import picture

import napari_usm as usm

BOUND = 64  # MB
MB = 10**6
VOLUME = (64, 512, 512)

# Planes on disk, 1.07 GB, and how many of them are a chunk.
SERIES = (512, 1024, 1024)
PLANES = 8

# Name, function and parameters; a copy without a function.
LAZY = [
    ("copy", None, {}),
    ("unsharp_mask", "unsharp_mask", {}),
    ("laplacian_sharpen", "laplacian_sharpen", {}),
    ("adaptive_unsharp_mask", "adaptive_unsharp_mask", {}),
    ("auto_unsharp_mask", "auto_unsharp_mask", {}),
    ('threshold="3 noise"', "unsharp_mask", {"threshold": "3 noise"}),
    ('limits="data"', "unsharp_mask", {"limits": "data"}),
    ("lab.entropy_unsharp_mask", "entropy_unsharp_mask", {"gains": (0.5, 1, 2)}),
]

# Shape, threads, function and parameters.
CASES = [
    *(
        ((size, size), threads, "unsharp_mask", {"sigma": sigma})
        for size, sigma, threads in product((4096, 16384), (2, 20), (1, 2))
    ),
    *(
        (shape, threads, function, parameters)
        for shape, function, parameters in (
            ((4096, 4096), "laplacian_sharpen", {"median_size": 5}),
            ((4096, 4096), "adaptive_unsharp_mask", {}),
            (VOLUME, "unsharp_mask", {"sigma": (1, 2, 2)}),
        )
        for threads in (1, 2)
    ),
]


def main():
    """Print the table, or measure one case: its number and the folder of images."""
    if sys.argv[1:] == ["dask"]:
        main_lazy()
        return
    if sys.argv[1:2] == ["lazy"]:
        print(*measured_lazy(*LAZY[int(sys.argv[2])][1:], Path(sys.argv[3])))
        return
    if len(sys.argv) > 1:
        print(*measured(*CASES[int(sys.argv[1])], Path(sys.argv[2])))
        return
    head = ("uint16", "threads", "output, MB", f"above it, MB (bound {BOUND})")
    print(f"| {' | '.join(head)} |")
    print("|---" * len(head) + "|")
    with TemporaryDirectory() as folder:
        for number, (shape, threads, function, parameters) in enumerate(CASES):
            make_image(shape, Path(folder))
            command = [sys.executable, __file__, str(number), folder]
            printed = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            output, extra = map(float, printed.stdout.split())
            words = ", ".join(f"{name}={value}" for name, value in parameters.items())
            size = "×".join(map(str, shape))
            name = f"{size}, {function}({words})"
            over = "" if extra <= BOUND else ": **over**"
            print(f"| {name} | {threads} | {output:.0f} | {extra:.1f}{over} |")
            sys.stdout.flush()


def make_image(shape, folder):
    """Write an image, made of copies of a small one, where there is none yet."""
    path = image_path(shape, folder)
    if not path.exists():
        small = [min(n, 512) for n in shape]
        file = np.memmap(path, np.uint16, "w+", shape=shape)
        tiles = [n // m for n, m in zip(shape, small, strict=True)]
        tile = picture(small, "uint16")
        for corner in np.ndindex(*tiles):
            at = [slice(i * m, (i + 1) * m) for i, m in zip(corner, small, strict=True)]
            file[tuple(at)] = tile


def image_path(shape, folder):
    """Where the image of this shape lies."""
    return folder / f"{'x'.join(map(str, shape))}.raw"


def measured(shape, threads, function, parameters, folder):
    """Megabytes of the output, and of the peak above it."""
    call = getattr(usm, function)
    with usm.threads(threads):
        call(picture([min(n, 64) for n in shape], "uint16"), **parameters)
        image = np.memmap(image_path(shape, folder), np.uint16, "r", shape=shape)
        image.max()  # touches every page
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak
        before = peak()
        output = call(image, **parameters).nbytes
        return output / MB, (peak() - before - output) / MB


def main_lazy():
    """Print the table of arrays on disk."""
    import zarr

    gigabytes = 2 * np.prod(SERIES) / 1e9
    print(f"| uint16, {gigabytes:.2f} GB on disk | peak, GB | s |\n|---|---|---|")
    with TemporaryDirectory() as folder:
        store = zarr.create_array(
            Path(folder) / "image.zarr",
            shape=SERIES,
            chunks=(PLANES, *SERIES[1:]),
            dtype="uint16",
            compressors=None,
        )
        planes = np.tile(picture((PLANES, 512, 512), "uint16"), (1, 2, 2))
        for start in range(0, SERIES[0], PLANES):
            store[start : start + PLANES] = planes + np.uint16(start)
        for number, (name, *_) in enumerate(LAZY):
            command = [sys.executable, __file__, "lazy", str(number), folder]
            printed = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            most, seconds = map(float, printed.stdout.split())
            print(f"| {name} | {most / 1e9:.2f} | {seconds:.1f} |", flush=True)


def measured_lazy(function, parameters, folder):
    """Bytes at the peak, and seconds."""
    import dask
    import dask.array as da

    image = da.from_zarr(folder / "image.zarr")
    if function is None:
        result = image
    else:
        small = picture((2, 128, 128), "uint16")
        call = getattr(usm if function in usm.METHODS else usm.lab, function)
        call(small, axes=(1, 2), **parameters)
        result = call(image, axes=(1, 2), **parameters)
    start = time.perf_counter()
    with dask.config.set(scheduler="threads", num_workers=2):
        result.to_zarr(folder / "result.zarr", overwrite=True)
    return peak(), time.perf_counter() - start


def peak():
    """Most bytes of this process that were in memory since the last reset."""
    status = Path("/proc/self/status").read_text().splitlines()
    line = next(line for line in status if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    main()
