"""Arrays in .npy files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.io.image import (
    UNKNOWN,
    Address,
    FormatError,
    Image,
    Metadata,
    NativePixels,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm.io.formats import Readable


def inner_paths(path: str) -> list[str]:
    """Return the images in the file: one."""
    return [""]


def read(address: Address) -> Image:
    """Open an array as a memory map; a file without axis names has planes last."""
    try:
        array = np.load(address.path, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise FormatError(f"{address} is no array of numbers: {error}") from error
    axes = (UNKNOWN,) * max(array.ndim - 2, 0) + ("y", "x")[-array.ndim :]
    if array.ndim > 2:  # the last two may as well be colours
        axes = (UNKNOWN,) * array.ndim
    name = Path(address.path).stem
    metadata = Metadata.without_scale(axes, name=name)
    return Image(address, NativePixels(array), metadata, "NPY")


def write(
    path: Path, pixels: Readable, metadata: Metadata, record: Mapping[str, Any]
) -> None:
    """Write an array; the format has no place for metadata."""
    array = np.lib.format.open_memmap(
        path, mode="w+", dtype=pixels.dtype, shape=pixels.shape
    )
    others = (slice(None),) * (len(pixels.shape) - 1)
    for index in range(pixels.shape[0]):
        place = (slice(index, index + 1), *others)
        array[place] = pixels[place]
    array.flush()
    del array
