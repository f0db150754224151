"""``napari-usm measure``: metrics of an image, alone or beside a reference."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from napari_usm.cli.parser import wrong_use

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from numpy.typing import NDArray

DESCRIPTION = (
    "Print blur and noise of each channel of an image, and the fractions of its pixels "
    "at the ends of its type. With a reference of the same shape, print PSNR, "
    "structural similarity and Pratt's figure of merit (means over planes), over- "
    "and undershoot, and the factor by which noise grew from the reference on."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("image", metavar="IMAGE", help="file")
    parser.add_argument("--reference", metavar="REF", help="file to compare with")
    parser.add_argument(
        "--data-range",
        type=float,
        metavar="L",
        help="distance of the lowest from the highest possible value (default: that of "
        "the type; needed for floats)",
    )
    parser.add_argument(
        "--input-axes", metavar="AXES", help="names of the axes, such as ZCYX"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, a line each")


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    with wrong_use():
        images = list(_planes(options.image, options.input_axes))
        references: list[Any] = [None] * len(images)
        if options.reference is not None:
            references = list(_planes(options.reference, options.input_axes))
            _check(images, references)
        rows = [
            {"channel": name, **_measured(image, reference, options.data_range)}
            for (name, image), reference in zip(images, references, strict=True)
        ]
    for row in rows:
        if options.json:
            print(json.dumps(row, ensure_ascii=False))
            continue
        if len(rows) > 1:
            print(f"channel {row['channel']}")
        for key, value in row.items():
            if key != "channel":
                text = f"{value:.5g}" if isinstance(value, float) else value
                print(f"  {key}: {text}")
    return 0


def _check(images: list[Any], references: list[Any]) -> None:
    shapes = [[image.shape for _, image in each] for each in (images, references)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            "`--reference` must have the shape of the image, "
            f"{len(shapes[0])} channels of {shapes[0][0]}; got {len(shapes[1])} of "
            f"{shapes[1][0]}"
        )


def _planes(path: str, axes: str | None) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the channels of an image, each as (..., Y, X)."""
    import numpy as np

    from napari_usm import io

    with io.open_image(path, axes) as image:
        metadata = image.metadata
        pixels = np.asarray(image.pixels[(slice(None),) * len(image.shape)])
        names = [*metadata.axes]
        if "y" not in names or "x" not in names:
            raise ValueError(
                f"`--input-axes` must name Y and X of {path}, whose file does not"
            )
        apart = next((names.index(axis) for axis in ("c", "s") if axis in names), None)
        if apart is None:
            pixels, names = pixels[np.newaxis], ["c", *names]
        else:
            pixels = np.moveaxis(pixels, apart, 0)
            names.insert(0, names.pop(apart))
        order = [names.index("y"), names.index("x")]
        pixels = np.moveaxis(pixels, order, (-2, -1))
        labels = [each.name for each in metadata.channels] or [""] * len(pixels)
        for number, channel in enumerate(pixels):
            yield labels[number] or str(number), channel


def _measured(
    image: NDArray[Any], other: tuple[str, NDArray[Any]] | None, span: float | None
) -> dict[str, Any]:
    import numpy as np

    from napari_usm import metrics

    plane = image.ndim - 2, image.ndim - 1
    blur = metrics.estimate_blur(image, axes=plane)
    said: dict[str, Any] = {
        "least": float(np.nanmin(image)),
        "largest": float(np.nanmax(image)),
        "mean": float(np.nanmean(image, dtype=np.float64)),
        "blur (sigma in Y, pixels)": float(blur[0]),
        "blur (sigma in X, pixels)": float(blur[1]),
        "noise (standard deviation)": float(metrics.estimate_noise(image, axes=plane)),
    }
    if image.dtype.kind in "iu":
        ends = metrics.clipped(image)
        said["at the low end of the type"] = float(ends.low)
        said["at the high end of the type"] = float(ends.high)
    if other is None:
        return said
    reference = other[1]
    pairs = list(
        zip(
            reference.reshape(-1, *reference.shape[-2:]),
            image.reshape(-1, *image.shape[-2:]),
            strict=True,
        )
    )

    def mean(metric: Any, **words: Any) -> float:
        return float(np.mean([metric(true, test, **words) for true, test in pairs]))

    excess = metrics.overshoot(reference, image, axes=plane)
    return {
        **said,
        "PSNR, dB": float(
            metrics.peak_signal_to_noise_ratio(reference, image, data_range=span)
        ),
        "structural similarity": mean(metrics.structural_similarity, data_range=span),
        "figure of merit": mean(metrics.figure_of_merit),
        "overshoot": float(excess.overshoot),
        "undershoot": float(excess.undershoot),
        "noise factor": float(metrics.noise_factor(reference, image, axes=plane)),
    }
