"""``napari-usm info``: what is known of the images in files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from napari_usm.cli.parser import report

if TYPE_CHECKING:
    import argparse

    from napari_usm.io import Image

DESCRIPTION = (
    "Print format, axes, shape, type, scale, channels and pyramid of the images in "
    "files, and whether they hold a record of sharpening."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help="file")
    parser.add_argument("--json", action="store_true", help="print JSON, a line each")


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    from napari_usm import io

    failed = 0
    for path in options.inputs:
        try:
            for address in io.list_images(path):
                with io.open_image(address) as image:
                    said = _described(image)
                if options.json:
                    print(json.dumps(said, ensure_ascii=False))
                else:
                    _print(said)
        except Exception as error:  # readers raise what they like
            report(path, str(error))
            failed += 1
    return 1 if failed else 0


def _described(image: Image) -> dict[str, Any]:
    metadata = image.metadata
    steps = zip(metadata.axes, metadata.scale, metadata.units, strict=True)
    return {
        "image": str(image.address),
        "name": metadata.name,
        "format": image.kind,
        "axes": "".join(metadata.axes).upper(),
        "shape": list(image.shape),
        "dtype": image.dtype.name,
        "bytes": image.nbytes,
        "scale": {axis: [step, unit] for axis, step, unit in steps if unit},
        "channels": [
            {"name": each.name, "color": each.color, "window": each.window}
            for each in metadata.channels
        ],
        "chunks": list(image.chunks or ()),
        "levels": 1 + len(metadata.factors),
    }


def _print(said: dict[str, Any]) -> None:
    shape = " × ".join(map(str, said["shape"]))
    print(f"{said['image']}: {said['format']}")
    print(f"  {said['axes']} {shape} {said['dtype']}, {said['bytes'] / 1e6:.4g} MB")
    if said["scale"]:
        steps = (f"{a.upper()} {n:g} {u}" for a, (n, u) in said["scale"].items())
        print(f"  scale: {', '.join(steps)}")
    else:
        print("  scale: not in the file")
    if said["channels"]:
        names = (each["name"] or each["color"] or "?" for each in said["channels"])
        print(f"  channels: {', '.join(names)}")
    if "?" in said["axes"]:
        print("  axes marked ? have no names in the file: name them by --input-axes")
    if said["levels"] > 1:
        print(f"  pyramid: {said['levels']} levels")
