"""Sharpening against deconvolution, and against denoising before a mask.

    python benchmarks/microscopy.py --deconvolve [--quick]

The others get what nobody has exactly: the point spread function that made the image,
and offset and gain of the camera. Richardson-Lucy and Wiener work on electrons, above
the offset and not below 0, with mirrored borders. Non-local means and BM3D denoise
planes after the transform of Anscombe that makes the noise of the camera 1; the mask
that follows has the blur in focus for a sigma. All is scikit-image's, but for BM3D,
which takes part if the package `bm3d` is installed (free for non-commercial use only).

Seconds and peak memory are those of one larger image in a process of its own, on one
thread; the memory is what the process grows by, the result included (Linux only).
"""

import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import phantoms
from memory import MB, peak
from microscopy import number_cell, print_head, print_row
from skimage import restoration
from specimen_scores import Reference

import napari_usm as usm

BORDER = 16  # pixels that are mirrored along Y and X
BORDER_Z = 6

# Strength of the non-local means, their patches, and the amount of the mask that
# follows: the best of .6 to 1.3, of 5 and 7, and of .5 to 3 on the planes.
STRENGTH = 0.8
PATCH = 7
AMOUNT = 2.0

SCORES = {"SSIM": ".3f", "SSIM of X-Z planes": ".3f", "PSNR": ".1f"}

# Images for seconds and memory, cut from copies of a phantom.
LARGE_PLANE = (2048, 2048)
LARGE_STACK = (32, 512, 512)


def auto(image, axes=None):
    """Return the image as the automatic method sharpens it, along some axes."""
    with usm.threads(1):
        return usm.auto_unsharp_mask(image.pixels, axes=axes, dtype="float32")


def richardson_lucy(image, iterations):
    """Return the image deconvolved by scikit-image's Richardson-Lucy."""
    light, scale = _bordered_light(image)
    sharp = restoration.richardson_lucy(
        light, image.psf, num_iter=iterations, clip=False, filter_epsilon=1e-6
    )
    return _inner(sharp, image) * scale


def unsupervised_wiener(image):
    """Return the image deconvolved by a Wiener filter that finds its own balance."""
    light, scale = _bordered_light(image)
    sharp, _ = restoration.unsupervised_wiener(light, image.psf, clip=False, rng=0)
    return _inner(sharp, image) * scale


def _non_local_means(plane):
    return restoration.denoise_nl_means(
        plane, patch_size=PATCH, patch_distance=PATCH, h=STRENGTH, sigma=1
    )


def _bm3d(plane):
    import bm3d

    return bm3d.bm3d(plane, sigma_psd=1)


def denoised_and_masked(image, denoise):
    """Return the image with its planes denoised, and an unsharp mask after it."""
    planes = np.atleast_3d(image.pixels.T).T
    electrons = _electrons(planes, image)
    variance = phantoms.READ_NOISE**2
    calm = 2 * np.sqrt(np.maximum(electrons + 3 / 8 + variance, 0))
    calm = np.stack([denoise(plane) for plane in calm])
    electrons = ((calm / 2) ** 2 - 1 / 8 - variance).reshape(image.pixels.shape)
    with usm.threads(1):
        return usm.unsharp_mask(
            electrons, image.optics.sigma, AMOUNT, axes=(-2, -1), dtype="float32"
        )


OTHERS = {
    "Richardson-Lucy, 10": partial(richardson_lucy, iterations=10),
    "Richardson-Lucy, 30": partial(richardson_lucy, iterations=30),
    "non-local means + mask": partial(denoised_and_masked, denoise=_non_local_means),
}
if find_spec("bm3d"):
    OTHERS["BM3D + mask"] = partial(denoised_and_masked, denoise=_bm3d)

# scikit-image's unsupervised Wiener filter takes planes only.
ON_PLANES = {"auto": auto, **OTHERS, "unsupervised Wiener": unsupervised_wiener}
ON_STACKS = {"auto, planes": partial(auto, axes=(1, 2)), "auto, volume": auto, **OTHERS}


def print_comparison(quick=False):
    """Print the tables of quality, and of seconds and memory."""
    photons = (20, 1000) if quick else phantoms.PHOTONS
    planes = phantoms.planes(
        photons, specimens=("filaments", "nuclei") if quick else None
    )
    print_quality("Planes", planes, ON_PLANES, photons)
    print_quality("Stacks", phantoms.stacks(photons), ON_STACKS, photons)
    if not quick:
        print_costs()


def print_quality(title, images, methods, photons):
    """Print the mean scores of every method, by microscope and light."""
    groups = {}
    for image in images:
        reference = Reference(image.reference)
        results = {"input": image.pixels}
        results.update((label, method(image)) for label, method in methods.items())
        group = groups.setdefault((image.optics.kind, image.photons), [])
        group.append({label: _scores(reference, own) for label, own in results.items()})
    columns = [
        (kind, n) for kind in dict.fromkeys(k for k, _ in groups) for n in photons
    ]
    for score, form in SCORES.items():
        if score not in groups[columns[0]][0]["input"]:
            continue
        print(f"\n{title}: mean {score}, by photons\n")
        print_head("", *(f"{kind}, {n}" for kind, n in columns))
        means = {
            label: [np.mean([row[label][score] for row in groups[c]]) for c in columns]
            for label in ("input", *methods)
        }
        best = np.max(list(means.values()), axis=0)
        for label, numbers in means.items():
            cells = [number_cell(n, form) for n in numbers]
            bold = [
                f"**{cell}**" if n == most else cell
                for cell, n, most in zip(cells, numbers, best, strict=True)
            ]
            print_row(label, *bold)


def _scores(reference, result):
    """Return the scores that the tables have, by name."""
    scores = reference.scores(result)
    found = {"SSIM": scores.ssim, "PSNR": scores.psnr}
    if result.ndim == 3:
        found["SSIM of X-Z planes"] = reference.similarity_across(result)
    return found


def print_costs():
    """Print seconds and peak memory, each in a process of its own."""
    shapes = ["×".join(map(str, shape)) for shape in (LARGE_PLANE, LARGE_STACK)]
    print("\nSeconds, and MB at the peak, of uint16 on one thread\n")
    print_head("", *(f"{shape}, {what}" for shape in shapes for what in ("s", "MB")))
    for label in dict.fromkeys([*ON_PLANES, *ON_STACKS]):
        cells = []
        for methods, kind in ((ON_PLANES, "plane"), (ON_STACKS, "stack")):
            if label not in methods:
                cells += ["", ""]
                continue
            command = [sys.executable, __file__, kind, label]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            printed = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, env=environment
            )
            seconds, megabytes = map(float, printed.stdout.split())
            cells += [number_cell(seconds, ".2g"), f"{megabytes:.0f}"]
        print_row(label, *cells)


def measured(kind, label):
    """Return the seconds of a method on the large image, and its megabytes."""
    if kind == "plane":
        method, shape = ON_PLANES[label], LARGE_PLANE
        small = next(phantoms.planes((1000,)))
    else:
        method, shape = ON_STACKS[label], LARGE_STACK
        small = next(phantoms.stacks((1000,)))
    method(small)
    copies = [-(-n // m) for n, m in zip(shape, small.pixels.shape, strict=True)]
    pixels = np.tile(small.pixels, copies)[tuple(map(slice, shape))].copy()
    large = replace(small, pixels=pixels)
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = peak()
    start = time.perf_counter()
    method(large)
    return time.perf_counter() - start, (peak() - before) / MB


def _electrons(pixels, image):
    """Return the electrons that were counted, by the camera's offset and gain."""
    counts = pixels.astype(np.float64) - phantoms.OFFSET
    return counts / phantoms.camera_gain(image.photons)


def _bordered_light(image):
    """Return an image with mirrored borders, in 0 to 1, and what 1 stands for."""
    light = _electrons(image.pixels, image).clip(0)
    light = np.pad(light, _borders(image), mode="reflect")
    scale = light.max()
    return light / scale, scale


def _inner(bordered, image):
    """Return an image without its borders."""
    return bordered[tuple(slice(n, -n) for n, _ in _borders(image))]


def _borders(image):
    along = (BORDER_Z, BORDER, BORDER)[-image.pixels.ndim :]
    return [(n, n) for n in along]


if __name__ == "__main__":
    print(*measured(*sys.argv[1:]))
