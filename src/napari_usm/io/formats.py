"""The table of formats: which module reads and writes files of which name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from napari_usm.io.files import is_zarr
from napari_usm.io.image import Address, FormatError, Image, Metadata

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Readable(Protocol):
    """Pixels to be written, read part by part."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a pixel."""

    def __getitem__(self, spans: tuple[slice, ...], /) -> NDArray[Any]:
        """The pixels in these slices, one for each axis."""


Writer = Callable[[Path, Readable, Metadata, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes
    ----------
    name : str
        As in `--format`.
    suffixes : tuple of str
        Ends of the names of its files, in lower case; the first one is written.
    module : str
        Module of this package that reads it.
    writer : str
        Function of the module that writes a whole file; empty for a format that is
        only read.
    by_region : bool
        Whether parts of a file can be written, in any order.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    writer: str = ""
    by_region: bool = False

    def split(self, path: str) -> tuple[str, str]:
        """Return a path without the suffix of the format, and the suffix.

        Examples
        --------
        >>> FORMATS[0].split("cells.ome.zarr")
        ('cells', '.ome.zarr')
        """
        ends = (end for end in self.suffixes if path.lower().endswith(end))
        length = len(path) - len(next(ends, ""))
        return path[:length], path[length:]

    def write(
        self,
        path: Path,
        pixels: Readable,
        metadata: Metadata,
        record: Mapping[str, Any],
    ) -> None:
        """Write a whole file."""
        write: Writer = getattr(_module(self.module), self.writer)
        write(path, pixels, metadata, record)


FORMATS = (
    Format("ome-zarr", (".ome.zarr", ".zarr"), "ome_zarr", "write", by_region=True),
    Format("ome-tiff", (".ome.tif", ".ome.tiff"), "tiff", "write_ome"),
    Format("tiff", (".tif", ".tiff", ".lsm", ".btf"), "tiff", "write"),
    Format("npy", (".npy",), "arrays", "write"),
    Format("png", (".png",), "pictures", "write_png"),
    Format("jpeg", (".jpg", ".jpeg"), "pictures", "write_jpeg"),
    Format("bmp", (".bmp",), "pictures"),
    Format(
        "bioio", (".czi", ".nd2", ".lif", ".ims", ".dv", ".oib", ".oif"), "by_bioio"
    ),
)


def find_format(path: str | Path) -> Format | None:
    """Return the format of a file by its name, or None."""
    name = str(path).lower().rstrip("/\\")
    for each in FORMATS:
        if name.endswith(each.suffixes):
            return each
    return FORMATS[0] if is_zarr(Path(path)) else None


def list_images(path: str | Path) -> list[Address]:
    """Return the images in a file: series, or the fields of a plate.

    Raises
    ------
    FormatError
        If no reader knows such files, or if this one cannot be read.
    OSError
        If there is no such file, or if it may not be read.
    """
    known = _known(path)
    return [Address(str(path), inner) for inner in known.inner_paths(str(path))]


def is_plate(path: str | Path) -> bool:
    """Return whether a file is a plate of wells, whose images are its fields."""
    known = find_format(path)
    if known is not FORMATS[0]:
        return False
    plate: bool = _module(known.module).is_plate(str(path))
    return plate


def open_image(address: Address | str | Path, input_axes: str | None = None) -> Image:
    """Open an image; its pixels are read when they are needed.

    Parameters
    ----------
    address : Address or path
        A path alone stands for the first image of the file.
    input_axes : str, optional
        Names of the axes, such as "TCYX", instead of those in the file.

    Raises
    ------
    FormatError, OSError
        As for `list_images`.
    ValueError
        If `input_axes` does not fit.
    """
    from dataclasses import replace

    if not isinstance(address, Address):
        address = list_images(address)[0]
    image: Image = _known(address.path).read(address)
    if 0 in image.shape:
        image.resources.close()
        raise FormatError(f"{address} is empty: shape {image.shape}")
    if input_axes is None:
        return image
    try:
        return replace(image, metadata=image.metadata.named(input_axes))
    except ValueError:
        image.resources.close()
        raise


def _known(path: str | Path) -> Any:
    found = find_format(path)
    if "://" not in str(path) and not Path(path).exists():
        raise FileNotFoundError(f"{path} does not exist")
    if found is None:
        known = ", ".join(suffix for each in FORMATS for suffix in each.suffixes)
        raise FormatError(f"{path} must be a file of a known format: {known}")
    return _module(found.module)


def _module(name: str) -> Any:
    return import_module(f"napari_usm.io.{name}")
