"""Quality of sharpened specimens, as Markdown tables.

    python benchmarks/microscopy.py [--quick] [--hot]
    python benchmarks/microscopy.py --pairs FOLDER [--hot]
    python benchmarks/microscopy.py --focus STACK.tif [--best 15 --planes 9 11 ...]
    python benchmarks/microscopy.py --spots
    python benchmarks/microscopy.py --deconvolve [--quick]

Without options, of phantoms: specimens with their ground truth, through widefield and
confocal microscopes, with 20 to 5000 photons (`phantoms.py`). `--pairs` takes images of
a folder with what they should become, in .npz files of `x` and `ref`: as they are, and
with the noise of 300 and of 50 photons. `--focus` takes a focus series: its planes out
of focus are compared with the best one. `--hot` adds 0.1 % hot and dead pixels.
`--spots` counts the spots that are taken for hot pixels.
`--deconvolve` compares with deconvolution and with denoising before a mask, on planes
and on stacks: quality, seconds and peak memory.

The scores are explained in `specimen_scores.py`; "worst" is the largest loss of SSIM of
a single image. Targets are those of the automatic method.
"""

import argparse
import re
import time
from functools import partial
from pathlib import Path

import numpy as np
import phantoms
from specimen_scores import Reference, mean_scores

import napari_usm as usm

HEAD = (
    "SSIM",
    "PSNR",
    "spectrum",
    "ring, %",
    "undershoot, %",
    "false structure, %",
    "worst",
    "s",
)
FORMATS = (".3f", ".1f", ".2f", "+.2f", ".2f", ".2f", "+.3f", ".3f")

# What the automatic method is to reach, in the columns of the table.
TARGETS = {
    "phantoms": ("≥ .855", "", "", "±.40", "≤ .36", "", "≥ −.015", ""),
    "phantoms, hot": ("≥ .765", "", "", "", "", "", "", ""),
    "pairs": ("≥ .630", "", "", "", "", "", "", ""),
}

# A part of the phantoms, in a third of the time; it has no targets.
QUICK = {"photons": (20, 1000), "specimens": ("filaments", "nuclei")}

PAIR_PHOTONS = (300, 50)

# Planes of the focus series of microtubules, and the one in focus.
PLANES, BEST = (9, 11, 12, 13, 17, 18, 19, 21), 15

SPOT_SIGMAS = (0.5, 0.6, 0.7, 0.8, 1.0)
SPOT_PHOTONS = (100, 1000, 5000)
LOST = 0.8  # of the height of a spot


def main():
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer phantoms")
    parser.add_argument("--hot", action="store_true", help="0.1 %% hot pixels")
    parser.add_argument("--pairs", metavar="FOLDER", help=".npz files of x and ref")
    parser.add_argument("--focus", metavar="STACK", help="a focus series, in a file")
    parser.add_argument("--best", type=int, default=BEST, help="its plane in focus")
    parser.add_argument("--planes", type=int, nargs="+", default=PLANES)
    parser.add_argument("--columns", type=int, nargs=2, help="first and last + 1")
    parser.add_argument("--spots", action="store_true", help="spots that are lost")
    parser.add_argument("--deconvolve", action="store_true", help="other methods")
    options = parser.parse_args()
    if options.deconvolve:
        import deconvolution

        deconvolution.print_comparison(options.quick)
        return
    if options.spots:
        print_spots()
        return
    if options.pairs:
        title, images = "pairs", pairs_in(Path(options.pairs))
    elif options.focus:
        title, images = "focus series", planes_of(options)
    else:
        title = "phantoms"
        images = list(phantoms.planes(**QUICK if options.quick else {}))
    if options.hot:
        title += ", hot"
        images = [phantoms.with_hot_pixels(each, n) for n, each in enumerate(images)]
    print_table(title, images, None if options.quick else TARGETS.get(title))


# Methods


def auto(image, **parameters):
    """Return the image sharpened by the automatic method, as float32."""
    with usm.threads(1):
        return usm.auto_unsharp_mask(image.pixels, dtype="float32", **parameters)


def with_cutoff(image):
    """Return the image sharpened with the cut-off frequency of its lens."""
    return auto(image, cutoff=image.optics.cutoff)


def with_blur(image):
    """Return the image sharpened with the blur of its microscope in focus."""
    return auto(image, blur=image.optics.sigma)


def classic(image):
    """Return the image sharpened by the mask with its defaults."""
    with usm.threads(1):
        return usm.unsharp_mask(image.pixels, dtype="float32")


METHODS = {
    "auto": auto,
    'auto, model="gaussian"': partial(auto, model="gaussian"),
    'auto, model="widefield"': partial(auto, model="widefield"),
    "auto, cutoff known": with_cutoff,
    "auto, blur known": with_blur,
    "unsharp_mask": classic,
}
SPOT_METHODS = ("auto", 'auto, model="gaussian"')
NEED_OPTICS = {with_cutoff, with_blur}


# Images


def pairs_in(folder):
    """Return the pairs of a folder, as they are and with less light."""
    images = []
    for number, path in enumerate(sorted(folder.glob("*.npz"))):
        file = np.load(path)
        name = path.stem.removesuffix("_asis")
        pixels, reference = file["x"], file["ref"]
        images.append(phantoms.Image(name, pixels, reference))
        light = pixels - np.percentile(pixels, 0.5)
        for photons in PAIR_PHOTONS:
            rng = np.random.default_rng(photons + number)
            noisy = phantoms.camera(light, photons, rng)
            images.append(phantoms.Image(name, noisy, reference, photons))
    return images


def planes_of(options):
    """Return planes of a focus series, each with the one in focus."""
    import tifffile

    stack = tifffile.imread(options.focus)[..., slice(*options.columns or (None,))]
    best = stack[options.best]
    return [phantoms.Image(f"plane {n}", stack[n], best) for n in options.planes]


# Tables


def print_table(title, images, targets=None):
    """Print the scores of all methods, and the SSIM by groups of images.

    Parameters
    ----------
    title : str
        What the images are.
    images : list of phantoms.Image
        The images.
    targets : sequence of str, optional
        What the automatic method is to reach, by column.
    """
    known = all(image.optics is not None for image in images)
    methods = {
        label: method
        for label, method in METHODS.items()
        if known or method not in NEED_OPTICS
    }
    results = scores_of(images, methods)
    print(f"\nMean of {len(images)} images: {title}\n")
    print_head("", *HEAD)
    base = [scores for scores, _ in results["input"]]
    for label, rows in results.items():
        scores, seconds = zip(*rows, strict=True)
        change = min(a.ssim - b.ssim for a, b in zip(scores, base, strict=True))
        numbers = [*mean_scores(scores), change, np.mean(seconds)]
        cells = [number_cell(*pair) for pair in zip(numbers, FORMATS, strict=True)]
        print_row(label, *(cells if label != "input" else [*cells[:-2], "", ""]))
        if label == "auto" and targets:
            print_row("target", *targets)
    groups = groups_of(images)
    if len(groups) > 1:
        print("\nMean SSIM\n")
        print_head("", *groups)
        for label, rows in results.items():
            ssim = np.array([scores.ssim for scores, _ in rows])
            means = (ssim[group].mean() for group in groups.values())
            print_row(label, *map(number_cell, means))


def print_spots():
    """Print the share of small spots that are lower than before, by their sigma."""
    print("\nShare of spots that lose a fifth of their height or more, by sigma\n")
    print_head("photons", "", *map(str, SPOT_SIGMAS))
    for photons in SPOT_PHOTONS:
        shares = [spots_lost(*phantoms.spots(s, photons)) for s in SPOT_SIGMAS]
        for label, row in zip(SPOT_METHODS, zip(*shares, strict=True), strict=True):
            print_row(str(photons), label, *(number_cell(n, ".2f") for n in row))


def spots_lost(pixels, places):
    """Return the share of spots that each of the `SPOT_METHODS` lowers."""
    image = phantoms.Image("spots", pixels, pixels)
    before = heights(pixels, places)
    return [
        np.mean(heights(METHODS[label](image), places) < LOST * before)
        for label in SPOT_METHODS
    ]


def heights(pixels, places):
    """Return the largest of the nine pixels at each place, above the offset."""
    return np.array(
        [
            pixels[row - 1 : row + 2, column - 1 : column + 2].max() - phantoms.OFFSET
            for row, column in places
        ],
        dtype=float,
    )


def scores_of(images, methods):
    """Return the scores and seconds of every image, by method; first the input's."""
    warm_up = images[0]
    for method in methods.values():
        method(warm_up)
    results = {"input": [], **{label: [] for label in methods}}
    for image in images:
        reference = Reference(image.reference)
        results["input"].append((reference.scores(image.pixels), np.nan))
        for label, method in methods.items():
            start = time.perf_counter()
            result = method(image)
            seconds = time.perf_counter() - start
            results[label].append((reference.scores(result), seconds))
    return results


def groups_of(images):
    """Return the places of images by microscope, by light, and by specimen or file."""
    names = [
        [image.optics.kind if image.optics else None for image in images],
        [f"{image.photons} photons" if image.photons else None for image in images],
        [image.name for image in images],
    ]
    return {
        name: [place for place, own in enumerate(column) if own == name]
        for column in names
        for name in dict.fromkeys(column)
        if name is not None
    }


def number_cell(number, form=".3f"):
    """Return a number as the tables have it: .5 for 0.5; nothing for NaN."""
    if np.isnan(number):
        return ""
    return re.sub(r"\b0\.", ".", format(number, form)).replace("-", "−")


def print_head(*cells):
    """Print the head of a table."""
    print_row(*cells)
    print("|---" * len(cells) + "|")


def print_row(*cells):
    """Print a row of a table."""
    print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
