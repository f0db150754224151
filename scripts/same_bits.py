"""Compare the results of a set of calls on other processors, bit by bit.

    python scripts/same_bits.py [--calls TEXT] [--on TEXT] [--interpreter COMMAND]

The calls run here, and again in processes for which numba compiles for an older
processor and numpy uses no newer instructions, or by `--interpreter` in that Python:
one of another architecture under an emulator, for instance. Prints the calls that
differ, and fails if there are any.
"""

import argparse
import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import napari_usm as usm

# By processor: variables of numba, which else adds the features of this machine to a
# processor by name, and of OpenBLAS; the numpy features that it has not.
PROCESSORS = {
    "Skylake, AVX-512": ("skylake-avx512", "SkylakeX", ("ICL", "SPR")),
    "Haswell, AVX2": ("haswell", "Haswell", ("512", "V4")),
    "x86-64 alone": ("x86-64", "Prescott", ("512", "V4", "V3", "AVX", "FMA")),
}

DTYPES = ("uint8", "uint16", "float32")

PLANES = {
    "sigma 1": ("unsharp_mask", {}),
    "sigma 3.9, amount 2.7": ("unsharp_mask", {"sigma": 3.9, "amount": 2.7}),
    "sigma 5": ("unsharp_mask", {"sigma": 5}),
    "sigma 30": ("unsharp_mask", {"sigma": 30}),
    "box": ("unsharp_mask", {"kernel": "box"}),
    "threshold": ("unsharp_mask", {"threshold": 0.011, "hard": True}),
    "constant border": ("unsharp_mask", {"mode": "constant", "cval": 0.3}),
    "noise threshold": ("unsharp_mask", {"threshold": "3 noise"}),
    "Laplacian": ("laplacian_sharpen", {}),
    "Laplacian of median 3": ("laplacian_sharpen", {"median_size": 3}),
    "Laplacian of median 5": ("laplacian_sharpen", {"median_size": 5}),
    "adaptive": ("adaptive_unsharp_mask", {}),
    "adaptive, sigma 1": ("adaptive_unsharp_mask", {"kernel": "gaussian"}),
    "auto": ("auto_unsharp_mask", {}),
    "like ImageMagick": ("gaussian_sharpen", {"sigma": 1.3}),
}


def main():
    """Compare all processors, or print the hashes of this process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", default="", help="only calls that hold this text")
    parser.add_argument("--on", default="", help="only processors that hold this text")
    parser.add_argument("--interpreter", help="command of another Python")
    parser.add_argument("--hashes", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hashes:
        print_hashes(options.calls)
        return
    here = hashes([sys.executable], {}, options.calls)
    print(f"{len(here)} calls", flush=True)
    if options.interpreter:
        others = {options.interpreter: (shlex.split(options.interpreter), {})}
    else:
        others = {
            name: ([sys.executable], environment_of(*processor))
            for name, processor in PROCESSORS.items()
            if options.on in name and platform.machine() in ("x86_64", "AMD64")
        }
    different = 0
    for name, (command, environment) in others.items():
        there = hashes(command, environment, options.calls)
        apart = [call for call in here if here[call] != there[call]]
        different += len(apart)
        print(f"{name}: {', '.join(apart) or 'all equal'}", flush=True)
    sys.exit(bool(different))


def environment_of(processor, blas, lacking):
    """Return variables that keep numba, numpy and OpenBLAS to a processor."""
    from numpy._core._multiarray_umath import __cpu_dispatch__ as features

    without = [name for name in features if any(text in name for text in lacking)]
    return {
        "NUMBA_CPU_NAME": processor,
        "NUMBA_CPU_FEATURES": "",
        "NPY_DISABLE_CPU_FEATURES": " ".join(without),
        "OPENBLAS_CORETYPE": blas,
    }


def hashes(command, environment, text):
    """Return the hash of each call, made in a new process with empty cache."""
    with TemporaryDirectory() as cache:
        done = subprocess.run(
            [*command, __file__, "--hashes", "--calls", text],
            env={
                **os.environ,
                "PYTHONPATH": str(Path(usm.__file__).parents[1]),
                "NUMBA_CACHE_DIR": cache,
                **environment,
            },
            check=True,
            stdout=subprocess.PIPE,
        )
    return json.loads(done.stdout)


def print_hashes(text):
    """Print the hashes of image, edge map and amount of all calls, as JSON."""
    found = {}
    for name, image, method, parameters in calls():
        if text in name:
            done = usm.sharpen(image, method, **parameters)
            content = hashlib.sha256()
            for array in (done.image, done.edge_map, np.asarray(done.amount)):
                content.update(compared(array))
            found[name] = content.hexdigest()
    print(json.dumps(found))


def compared(array):
    """Return the values that have to be equal, in memory without gaps.

    Those of float64 are rounded to float32: numpy's exponential, which the weights of
    a Gaussian come from, has another last bit with AVX-512.
    """
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return np.ascontiguousarray(array)


def calls():
    """Generate name, image, method and parameters."""
    for dtype in (*DTYPES, "int32", "float64"):
        image = picture((75, 131), dtype)
        for name, (method, parameters) in PLANES.items():
            yield f"{dtype}, {name}", image, method, scaled(parameters, dtype)
        volume = picture((9, 33, 70), dtype)
        yield f"{dtype}, volume", volume, "unsharp_mask", {"sigma": (1, 2, 2)}
        yield f"{dtype}, narrow", image[:, :7], "unsharp_mask", {}
    colours = picture((40, 75, 3), "uint8")
    for color in ("channels", "luminance", "value"):
        parameters = {"channel_axis": 2, "color": color}
        yield f"uint8, {color}", colours, "unsharp_mask", parameters
    yield "float16, sigma 1", picture((75, 131), "float16"), "unsharp_mask", {}
    for dtype in DTYPES:
        for ground in ("dark", "bright"):
            image = specimen((75, 131), ground, dtype)
            yield f"{dtype}, auto, {ground} ground", image, "auto_unsharp_mask", {}
    with_gap = picture((75, 131), "float32")
    with_gap[30, 40] = np.nan
    yield "float32 with NaN, sigma 1", with_gap, "unsharp_mask", {}


def picture(shape, dtype):
    """Return steps and noise, the same on every machine."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 200, [-(-n // 8) for n in shape])
    values = np.kron(coarse, np.ones([8] * len(shape), np.int64))
    values = values[tuple(slice(n) for n in shape)] + random.integers(0, 56, shape)
    if np.dtype(dtype).kind == "f":
        return (values / 256).astype(dtype)
    return (values << 8 * (dtype != "uint8")).astype(dtype)


def specimen(shape, ground, dtype):
    """Return blurred points on dark or bright ground, with impulses."""
    random = np.random.default_rng(0)
    points = random.integers(0, 150, shape) * (random.random(shape) < 0.02)
    points = np.pad(points, 2)
    for axis in (0, 1):
        moved = [np.roll(points, shift, axis) for shift in (-1, 0, 1)]
        points = (moved[0] + 2 * moved[1] + moved[2]) // 3
    values = points[2:-2, 2:-2] + random.integers(0, 8, shape)
    values[random.random(shape) < 0.001] = 255
    values = values.clip(0, 255)
    return (255 - values if ground == "bright" else values).astype(dtype)


def scaled(parameters, dtype):
    """Return parameters with intensities in units of the image."""
    full = 1 if dtype.startswith("float") else 255 if dtype == "uint8" else 65280
    return {
        name: full * value
        if name in ("threshold", "cval") and value != "3 noise"
        else value
        for name, value in parameters.items()
    }


if __name__ == "__main__":
    main()
