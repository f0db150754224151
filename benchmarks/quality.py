"""How near sharpened images come to their originals: our methods, the paper's, none.

    python benchmarks/quality.py FOLDER [--lab]
    python benchmarks/quality.py --shipped [--lab]
    python benchmarks/quality.py --focus STACK.tif [--best 15 --planes 9 11 ...]

The largest channel of each photograph in the folder, or of those that scikit-image
ships, 320 x 320 pixels of its middle, is blurred and made noisy, as 8-bit images are;
what each method makes of it is compared with the original; with --lab the methods for
the lab stand in for ours. Prints the means over all
photographs and the worst change of a single one, and beside them the means to reach,
for the photographs that the constants were tuned on. FOM is with each image's own
thresholds for its edges, FOMf with those of the original for all.

A focus series is really out of focus, and really noisy: each plane that is asked for is
compared with the best one, by brightness and contrast that are fitted to it.
"""

import argparse
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from scipy import ndimage

import napari_usm as usm

SIGMAS = (0, 0.7, 1, 1.4, 2, 3)
NOISES = (0, 2, 5)
SIDE = 320
METHODS = {
    "auto": ("auto_unsharp_mask", {}),
    "auto, denoise 0": ("auto_unsharp_mask", {"denoise": 0}),
    "paper": ("adaptive_unsharp_mask", {}),
    "plain, sigma 1": ("unsharp_mask", {}),
}
LAB = {
    "paper": ("adaptive_unsharp_mask", {}),
    "Polesel": ("polesel_unsharp_mask", {}),
    "  any weights": ("polesel_unsharp_mask", {"largest_weight": 1e9}),
    "  weights up to 1": ("polesel_unsharp_mask", {"largest_weight": 1}),
    "  improved areas": ("polesel_unsharp_mask", {"areas": "improved"}),
    "dark region": ("dark_region_unsharp_mask", {}),
    "  amount 3": ("dark_region_unsharp_mask", {"amount": 3}),
    "wavelet": ("wavelet_unsharp_mask", {}),
    "  1 level": ("wavelet_unsharp_mask", {"levels": 1}),
    "  3 levels": ("wavelet_unsharp_mask", {"levels": 3}),
    "  limit 4": ("wavelet_unsharp_mask", {"limit": 4}),
    "  no limit": ("wavelet_unsharp_mask", {"limit": 255}),
    "  bior4.4": ("wavelet_unsharp_mask", {"wavelet": "bior4.4"}),
    "  Polesel's areas": ("wavelet_unsharp_mask", {"areas": "polesel"}),
    "  improved areas ": ("wavelet_unsharp_mask", {"areas": "improved"}),
}
ENTRIES = {**usm.METHODS, **usm.lab.METHODS}
METRICS = ("SSIM", "FOM", "FOMf")

# Mean SSIM of the study that the method comes from, less .003.
TO_REACH = {
    0: (0.9954, 0.978, 0.933, 0.854, 0.754, 0.640),
    2: (0.9791, 0.934, 0.878, 0.808, 0.720, 0.617),
    5: (0.9474, 0.880, 0.825, 0.760, 0.680, 0.589),
}

# Photographs in the wheel of scikit-image; no constant was tuned on them.
SHIPPED = ("astronaut", "camera", "cat", "coffee", "rocket", "stereo_motorcycle")

# The planes that the study judged, and the one in focus.
PLANES, BEST = (9, 11, 12, 13, 17, 18, 19, 21), 15

# Percentiles of a series that its range is counted between: a few pixels are far above
# all others.
RANGE = (0.1, 99.95)


def method_of(name, parameters):
    """A method of the table, or of the lab's."""
    return ENTRIES[name].method(**parameters)


def main():
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", help="photographs")
    parser.add_argument("--shipped", action="store_true", help="scikit-image's own")
    parser.add_argument("--lab", action="store_true", help="methods for the lab")
    parser.add_argument("--focus", metavar="STACK", help="a focus series, in a file")
    parser.add_argument("--best", type=int, default=BEST, help="its plane in focus")
    parser.add_argument("--planes", type=int, nargs="+", default=PLANES)
    parser.add_argument("--columns", type=int, nargs=2, help="first and last + 1")
    options = parser.parse_args()
    methods = LAB if options.lab else METHODS
    if options.focus:
        stack = imageio.imread(options.focus)[..., slice(*options.columns or (None,))]
        print_series(stack, options.best, options.planes, methods)
    if options.folder:
        print_tables(photographs_in(options.folder), methods, tuned=True)
    if options.shipped:
        from skimage import data

        found = [getattr(data, name)() for name in SHIPPED]
        shipped = [each[0] if isinstance(each, tuple) else each for each in found]
        print_tables(shipped, methods)


def photographs_in(folder):
    """All photographs of a folder."""
    kinds = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
    paths = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in kinds)
    return [imageio.imread(path) for path in paths]


def print_tables(photographs, methods, tuned=False):
    """Print the tables of similarity and of merit, for each level of noise."""
    originals = [middle_of(photograph) for photograph in photographs]
    print(f"{len(originals)} photographs, blurred by sigma {SIGMAS}")
    for noise in NOISES:
        scores = [scores_of(original, noise, methods) for original in originals]
        print_table(
            noise, np.array(scores), methods, TO_REACH[noise] if tuned else None
        )


def middle_of(photograph):
    """Value of the middle of a photograph, as 8 bits."""
    value = photograph[..., :3].max(axis=2) if photograph.ndim == 3 else photograph
    top, left = ((n - min(n, SIDE)) // 2 for n in value.shape)
    return np.ascontiguousarray(value[top : top + SIDE, left : left + SIDE])


def degraded(original, sigma, noise):
    """What a camera out of focus, and one that counts few photons, makes of it."""
    values = original.astype(np.float64)
    if sigma:
        values = ndimage.gaussian_filter(values, sigma, mode="mirror")
    values += np.random.default_rng(0).normal(0, noise, values.shape)
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def scores_of(original, noise, methods):
    """The metrics of the input and of every method, by sigma."""
    found = []
    for sigma in SIGMAS:
        image = degraded(original, sigma, noise)
        results = [image]
        for method, parameters in methods.values():
            results.append(usm.sharpen(image, method_of(method, parameters)).image)
        found.append(
            [
                (
                    usm.metrics.structural_similarity(original, result),
                    usm.metrics.figure_of_merit(original, result),
                    usm.metrics.figure_of_merit(
                        original, result, thresholds="reference"
                    ),
                )
                for result in results
            ]
        )
    return found


def print_table(noise, scores, methods, to_reach):
    """Means over photographs: `scores` by photograph, sigma, method and metric."""
    print(f"\nnoise {noise}")
    for metric, name in enumerate(METRICS):
        means = scores[..., metric].mean(axis=0)
        print_row(f"{name} input", means[:, 0])
        if to_reach and not metric:
            print_row("to reach", to_reach)
        for column, label in enumerate(methods, 1):
            print_row(f"{name} {label}", means[:, column])
            if not metric:
                change = scores[:, :, column, 0] - scores[:, :, 0, 0]
                print_row("  worst change", change.min(axis=0))


def print_row(label, numbers):
    """One line."""
    print(f"{label:22}" + "".join(f"{n:8.4f}" for n in numbers), flush=True)


def print_series(stack, best, planes, methods):
    """Similarity of planes to the one in focus, before and after each method."""
    limits = np.percentile(stack, RANGE)
    scores = [scores_in_series(stack[k], stack[best], limits, methods) for k in planes]
    scores = np.array(scores)
    print(f"planes {list(planes)} beside {best}; last their mean")
    for column, label in enumerate(("input", *methods)):
        found, change = scores[:, column], scores[:, column] - scores[:, 0]
        print_row(label, [*found, found.mean()])
        if column:
            print_row("  change", [*change, change.mean()])


def scores_in_series(plane, best, limits, methods):
    """Similarity of the input and of every method's result to the plane in focus."""
    results = [plane]
    for method, parameters in methods.values():
        results.append(
            usm.sharpen(
                plane, method_of(method, {**parameters, "dtype": "float64"})
            ).image
        )
    shown = np.clip(best.astype(np.float64), *limits)
    return [
        usm.metrics.structural_similarity(
            shown,
            np.clip(fitted(result, best), *limits),
            data_range=limits[1] - limits[0],
        )
        for result in results
    ]


def fitted(image, like):
    """An image in the brightness and contrast that bring it nearest to another."""
    values = image.astype(np.float64)
    slope, offset = np.polyfit(values.ravel(), like.ravel(), 1)
    return slope * values + offset


if __name__ == "__main__":
    main()
