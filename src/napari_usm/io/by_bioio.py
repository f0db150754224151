"""Formats of microscopes, such as CZI, ND2 and LIF, read by bioio (an extra)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_usm.io.image import Address, Channel, FormatError, Image, Metadata


def inner_paths(path: str) -> list[str]:
    """Return the numbers of the scenes in a file; one scene has no number."""
    count = len(_opened(path).scenes)
    return [""] if count == 1 else [str(number) for number in range(count)]


def read(address: Address) -> Image:
    """Open a scene, whose planes are read by dask when they are needed."""
    image = _opened(address.path)
    image.set_scene(int(address.inner or 0))
    letters = [
        letter
        for letter, length in zip(image.dims.order, image.shape, strict=True)
        if length > 1 or letter in "YX"
    ]
    pixels = _Pixels(image.get_image_dask_data("".join(letters)))
    sizes = image.physical_pixel_sizes
    steps = {axis.lower(): getattr(sizes, axis) for axis in "ZYX"}
    axes = tuple(letter.lower() for letter in letters)
    names = image.channel_names or ()
    channels = tuple(Channel(str(name)) for name in names) if "c" in axes else ()
    metadata = Metadata(
        axes,
        tuple(float(steps.get(axis) or 1.0) for axis in axes),
        tuple("micrometer" if steps.get(axis) else "" for axis in axes),
        channels=channels,
        name=Path(address.path).stem,
    )
    chunks = tuple(max(sizes) for sizes in pixels.chunks)
    kind = Path(address.path).suffix.lstrip(".").upper()
    return Image(address, pixels, metadata, kind, chunks)


def _opened(path: str) -> Any:
    try:
        from bioio import BioImage
    except ImportError:
        raise FormatError(
            f"{path} needs bioio and its reader of such files: "
            'pip install "napari-usm[formats]"'
        ) from None
    return BioImage(path)


class _Pixels:
    """Pixels of a dask array, computed on the calling thread."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape, self.dtype = array.shape, np.dtype(array.dtype)
        self.chunks = array.chunks

    def __getitem__(self, index: Any) -> Any:
        return np.asarray(self._array[index].compute(scheduler="synchronous"))
