"""An image in a file, and what is known about it besides the pixels."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.geometry import Geometry, parse_unit
from napari_usm.recipe import ImageInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pint
    from numpy.typing import NDArray

# Label of the last axis of an image whose pixels hold red, green and blue together.
SAMPLES = "s"

# Label of an axis that the file does not name, and of that of channels.
UNKNOWN = "?"
CHANNEL = "c"


class FormatError(ValueError):
    """A file that cannot be read, or an image that a format cannot hold."""


@dataclass(frozen=True)
class Address:
    """One image in a file.

    Attributes
    ----------
    path : str
        File, folder of an OME-Zarr image, or URL of one.
    inner : str
        Number of a TIFF series, or path inside a zarr group; empty for the only one.
    """

    path: str
    inner: str = ""

    def __str__(self) -> str:
        return f"{self.path}/{self.inner}" if self.inner else self.path


@dataclass(frozen=True)
class Channel:
    """A channel of an image.

    Attributes
    ----------
    name : str
        Its name; empty if the file has none.
    color : str, optional
        Six hexadecimal digits: red, green, blue.
    window : tuple of float, optional
        Intensities that are displayed as black and as the full colour.
    """

    name: str = ""
    color: str | None = None
    window: tuple[float, float] | None = None


@dataclass(frozen=True)
class Metadata:
    """Axes, scale, units and channels of an image.

    Attributes
    ----------
    axes : tuple of str
        Label of each axis of the array: "t", "c", "z", "y", "x", "s" for the samples
        of a colour pixel, "?" where the file does not say.
    scale, translate : tuple of float
        Step from pixel to pixel along each axis, and place of the first pixel.
    units : tuple of str
        Name of the unit of each axis, such as "micrometer"; empty where unknown.
    channels : tuple of Channel
        One for each index along "c"; empty if nothing is known of them.
    name : str
        Name of the image in its file.
    factors : tuple of tuple of int
        For each further level of its pyramid, pixels of the image per pixel.
    extra : mapping
        What only the same format can keep, such as a colour profile.
    """

    axes: tuple[str, ...]
    scale: tuple[float, ...]
    units: tuple[str, ...]
    translate: tuple[float, ...] = ()
    channels: tuple[Channel, ...] = ()
    name: str = ""
    factors: tuple[tuple[int, ...], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def without_scale(cls, axes: Sequence[str], **more: Any) -> Metadata:
        """Return metadata of an image of which only the axes are known."""
        return cls(tuple(axes), (1.0,) * len(axes), ("",) * len(axes), **more)

    @property
    def rgb(self) -> bool:
        """Return whether the last axis holds the samples of a colour pixel."""
        return self.axes[-1] == SAMPLES

    @property
    def channel_axis(self) -> int | None:
        """Return the axis of the channels, if there is one."""
        return self.axes.index(CHANNEL) if CHANNEL in self.axes else None

    def taking(self, order: Sequence[int]) -> Metadata:
        """Return the metadata of the image with its axes in another order."""

        def moved(values: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(values[axis] for axis in order) if values else ()

        return replace(
            self,
            axes=moved(self.axes),
            scale=moved(self.scale),
            units=moved(self.units),
            translate=moved(self.translate),
            factors=tuple(moved(each) for each in self.factors),
        )

    def named(self, axes: str | Sequence[str]) -> Metadata:
        """Return the metadata with the names that a user gave to the axes.

        Raises
        ------
        ValueError
            If their number is wrong, or if one occurs twice.
        """
        labels = tuple(label.strip().lower() for label in axes)
        if len(labels) != len(self.axes) or len(set(labels)) != len(labels):
            raise ValueError(
                "`input_axes` must name each axis of the image once, such as "
                f"'{'TCZYX'[-len(self.axes) :]}'; got {''.join(labels).upper()!r} for "
                f"{len(self.axes)} axes"
            )
        if SAMPLES in labels[:-1]:
            raise ValueError(
                "`input_axes` must have the colour samples, S, at the end; got "
                f"{''.join(labels).upper()!r}"
            )
        channels = self.channels if CHANNEL in labels else ()
        return replace(self, axes=labels, channels=channels)


@dataclass(frozen=True)
class Image:
    """An open image.

    Attributes
    ----------
    address : Address
        Where it is.
    pixels : array-like
        Array with ``shape``, ``dtype`` (in the byte order of this machine) and slices,
        which read from the file. Any thread may read.
    metadata : Metadata
        Axes, scale and channels.
    chunks : tuple of int, optional
        Shape of the parts that the file is stored in.
    kind : str
        Name of the format, such as "OME-TIFF".
    resources : ExitStack
        Files to close.
    """

    address: Address
    pixels: Any
    metadata: Metadata
    kind: str
    chunks: tuple[int, ...] | None = None
    resources: ExitStack = field(default_factory=ExitStack, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the length of each axis."""
        return tuple(int(length) for length in self.pixels.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of the pixels."""
        dtype: np.dtype[Any] = np.dtype(self.pixels.dtype)
        return dtype

    @property
    def nbytes(self) -> int:
        """Return the bytes of all pixels, uncompressed."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    @property
    def info(self) -> ImageInfo:
        """Return what a recipe has to know about the image."""
        return image_info(self.shape, self.dtype, self.metadata, str(self.address))

    def __enter__(self) -> Image:
        return self

    def __exit__(self, *error: object) -> None:
        self.resources.close()


def image_info(
    shape: tuple[int, ...], dtype: np.dtype[Any], metadata: Metadata, name: str
) -> ImageInfo:
    """Return what a recipe has to know about an image."""
    spatial = len(shape) - metadata.rgb
    labels = [
        f"axis {axis - spatial}" if label == UNKNOWN else label
        for axis, label in enumerate(metadata.axes[:spatial])
    ]
    steps = np.diag(metadata.scale[:spatial]).astype(np.float64)
    units = [_known_unit(unit) for unit in metadata.units[:spatial]]
    geometry = Geometry(name, labels, lambda: steps, units)
    return ImageInfo(
        shape,
        dtype,
        geometry,
        rgb=metadata.rgb,
        channel_axis=metadata.channel_axis,
    )


def _known_unit(name: str) -> pint.Unit:
    """Return a unit that a file names, or that of pixels if there is none such."""
    try:
        return parse_unit(name)
    except Exception:  # pint raises what its parser happens to raise
        return parse_unit("")


class NativePixels:
    """Pixels of an array-like, in the byte order of this machine.

    Parameters
    ----------
    array : array-like
        A memory map or a zarr array.
    order : sequence of int, optional
        Axes of `array` in the order that the image has them.
    """

    def __init__(self, array: Any, order: Sequence[int] | None = None) -> None:
        self._array = array
        self._order = tuple(range(len(array.shape))) if order is None else tuple(order)
        self.shape = tuple(int(array.shape[axis]) for axis in self._order)
        self.dtype = np.dtype(array.dtype).newbyteorder("=")

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Return the pixels in these slices, one for each axis."""
        if self._order == tuple(range(self.ndim)):
            values = np.asarray(self._array[index])
        else:
            spans = index if isinstance(index, tuple) else (index,)
            spans = (*spans, *(slice(None),) * (self.ndim - len(spans)))
            stored = [slice(None)] * self.ndim
            for axis, span in zip(self._order, spans, strict=True):
                stored[axis] = span
            values = np.asarray(self._array[tuple(stored)]).transpose(self._order)
        return values.astype(self.dtype, copy=False)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all pixels."""
        return np.asarray(self[(slice(None),) * self.ndim], dtype)
