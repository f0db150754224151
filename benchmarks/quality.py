"""Likeness of sharpened photographs to their originals: ours, the paper's, the input.

    python benchmarks/quality.py FOLDER [--lab]

The largest channel of each photograph in the folder, 320 x 320 pixels of its middle, is
blurred and made noisy, as 8-bit images are; what `auto_unsharp_mask` and
`adaptive_unsharp_mask` (the paper's method) make of it is compared with the original.
With --lab the methods for the lab stand in for ours.
Prints the means over all photographs and the worst change of a single one, and beside
them the means to reach, for the photographs that the constants were tuned on.
"""

import sys
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

# Mean SSIM of the study that the method comes from, less .003.
TO_REACH = {
    0: (0.9954, 0.978, 0.933, 0.854, 0.754, 0.640),
    2: (0.9791, 0.934, 0.878, 0.808, 0.720, 0.617),
    5: (0.9474, 0.880, 0.825, 0.760, 0.680, 0.589),
}


def main(folder, methods):
    """Print the table of similarity and of merit, for each level of noise."""
    photographs = [
        middle_of(imageio.imread(path))
        for path in sorted(Path(folder).iterdir())
        if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".tif", ".tiff")
    ]
    print(f"{len(photographs)} photographs, blurred by sigma {SIGMAS}")
    for noise in NOISES:
        scores = np.array(
            [scores_of(original, noise, methods) for original in photographs]
        )
        print_table(noise, scores, methods)


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
    """Similarity and figure of merit of the input and every method, by sigma."""
    found = []
    for sigma in SIGMAS:
        image = degraded(original, sigma, noise)
        results = [image]
        for method, parameters in methods.values():
            results.append(usm.sharpen(image, method, **parameters).image)
        found.append(
            [
                (
                    usm.metrics.structural_similarity(original, result),
                    usm.metrics.figure_of_merit(original, result),
                )
                for result in results
            ]
        )
    return found


def print_table(noise, scores, methods):
    """Means over photographs: `scores` by photograph, sigma, method and metric."""
    print(f"\nnoise {noise}")
    for metric, name in enumerate(("SSIM", "FOM")):
        means = scores[..., metric].mean(axis=0)
        print_row(f"{name} input", means[:, 0])
        if not metric:
            print_row("to reach", TO_REACH[noise])
        for column, label in enumerate(methods, 1):
            print_row(f"{name} {label}", means[:, column])
            if not metric:
                change = scores[:, :, column, 0] - scores[:, :, 0, 0]
                print_row("  worst change", change.min(axis=0))


def print_row(label, numbers):
    """One line."""
    print(f"{label:22}" + "".join(f"{number:8.4f}" for number in numbers))


if __name__ == "__main__":
    arguments = [word for word in sys.argv[1:] if word != "--lab"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    main(*arguments, LAB if "--lab" in sys.argv else METHODS)
