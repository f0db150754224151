"""Compare the adaptive gain of sampled rows with that of all rows.

    python benchmarks/sampled_gain.py FOLDER

Prints a table of the images (PNG, TIFF, and NPZ with an array `x`) in the folder and
below it: the gain of all rows; for more than 2**18 pixels the number of sampled rows
and their gain; and the gains of every n-th row, for all odd n from 3 to 31, that
differ. A colour image is its HSV value. The planes of a stack share a gain, channels
do not.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import tifffile

import napari_usm as usm
from napari_usm._estimate.row_sample import RowSample
from napari_usm._methods.adaptive_unsharp_mask import AdaptiveUnsharpMask

STEPS = range(3, 32, 2)
COLUMNS = ("image", "size", "all rows", "rows", "sampled", "other steps that differ")


@dataclass(frozen=True, kw_only=True)
class EveryNthRow(AdaptiveUnsharpMask):
    """The method with a step of its own, also for small images."""

    step: int = 1

    def row_sample(self, axes, kept, lengths):
        """Return every n-th row, counted through all planes."""
        stacked = tuple(range(len(lengths) - 2))
        return RowSample(axes[0], lengths[-2], stacked, lengths[:-2], self.step, 1)


def images(path):
    """Yield names and planes of the channels in a file."""
    if path.suffix == ".npz":
        yield path.stem, np.load(path)["x"]
    elif path.suffix == ".png":
        image = imageio.imread(path)
        yield path.stem, image[..., :3].max(axis=-1) if image.ndim > 2 else image
    else:
        with tifffile.TiffFile(path) as file:
            pixels, axes = file.asarray(), file.series[0].axes
        if "C" not in axes:
            yield path.stem, pixels
            return
        for channel, planes in enumerate(np.moveaxis(pixels, axes.index("C"), 0)):
            yield f"{path.stem}, channel {channel}", planes


def compare(name, image):
    """Return a row of the table."""
    axes = (image.ndim - 2, image.ndim - 1)

    def gain(method, **parameters):
        return usm.sharpen(image, method, **parameters)

    exact = gain("adaptive_unsharp_mask", axes=axes, subsample=False)
    found = gain("adaptive_unsharp_mask", axes=axes)
    others = []
    for step in STEPS:
        other = gain(EveryNthRow(axes=axes, step=step)).gain
        if other != exact.gain:
            others.append(f"{other:g} ({step})")
    rows = found.report.sampled_rows
    return (
        name,
        " × ".join(map(str, image.shape)),
        f"{exact.gain:g}",
        "all" if rows is None else str(rows),
        f"{found.gain:g}",
        ", ".join(others),
    )


def main():
    """Print the table, and how many gains differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    kinds = {".png", ".tif", ".tiff", ".npz"}
    print("|", " | ".join(COLUMNS), "|")
    print("|", " | ".join("---" for _ in COLUMNS), "|")
    rows = []
    for path in sorted(parser.parse_args().folder.rglob("*")):
        if path.suffix in kinds:
            for name, image in images(path):
                rows.append(compare(name, image))
                print("|", " | ".join(rows[-1]), "|", flush=True)
    differ = sum(row[2] != row[4] for row in rows)
    print(f"\n{differ} of {len(rows)} gains differ.")


if __name__ == "__main__":
    main()
