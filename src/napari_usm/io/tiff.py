"""TIFF files: OME-TIFF, ImageJ hyperstacks and others, read by series."""

from __future__ import annotations

from contextlib import ExitStack
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from napari_usm._engine.fork import ForkLock
from napari_usm.io.image import (
    CHANNEL,
    SAMPLES,
    UNKNOWN,
    Address,
    Channel,
    FormatError,
    Image,
    Metadata,
    NativePixels,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_usm.io.formats import Readable

    # Step and unit of each axis, place of its first pixel, and channels.
    _Described = tuple[
        dict[str, tuple[float, str]], dict[str, float], tuple[Channel, ...]
    ]

# Sides of the tiles of OME-TIFF; planes that are not larger need no pyramid.
_TILE = 512

# Bytes from which a file has 64-bit offsets: some room for metadata below 4 GB.
_BIG = 2**32 - 2**25

# Bytes of a compressed series that is decoded whole, by all cores, when it is first
# read. Of larger ones the pages or tiles of each part are.
_WHOLE = 2**28

_IMAGEJ_TYPES = "uint8", "uint16", "float32"
_UNITS = {
    **dict.fromkeys(("um", "\u00b5m", "\u03bcm", "micron", "microns"), "micrometer"),
    **{"nm": "nanometer", "mm": "millimeter", "cm": "centimeter", "m": "meter"},
    **{"s": "second", "sec": "second", "ms": "millisecond", "min": "minute"},
    **{"h": "hour", "\u00c5": "angstrom", "inch": "inch", "pixel": "", "px": ""},
}
_SYMBOLS = {
    **{"micrometer": "\u00b5m", "nanometer": "nm", "millimeter": "mm"},
    **{"centimeter": "cm", "meter": "m", "angstrom": "\u00c5", "inch": "in"},
    **{"second": "s", "millisecond": "ms", "minute": "min", "hour": "h"},
}


def inner_paths(path: str) -> list[str]:
    """Return the numbers of the series in a file; one series has no number."""
    with _opened(path) as file:
        count = len(file.series)
    return [""] if count == 1 else [str(number) for number in range(count)]


def read(address: Address) -> Image:
    """Open a series of a file, with its axes, scale, units and channels.

    Raises
    ------
    FormatError
        If the file is no TIFF file, is truncated, or has no such series.
    """
    resources = ExitStack()
    try:
        file = resources.enter_context(_opened(address.path))
        number = int(address.inner or 0)
        if number >= len(file.series):
            raise FormatError(f"{address} has no such series")
        series = file.series[number]
        metadata = _metadata(file, series, number)
        pixels, order = _pixels(file, series, resources), None
        if SAMPLES in metadata.axes and not metadata.rgb:
            # Planes of colour are stored one after the other.
            place = metadata.axes.index(SAMPLES)
            order = [axis for axis in range(len(series.shape)) if axis != place]
            order.append(place)
            metadata = metadata.taking(order)
        kind = "ImageJ TIFF" if file.is_imagej else "OME-TIFF" if file.is_ome else ""
        page = series.keyframe
        chunks = tuple(page.chunks)
        chunks = (1,) * (len(series.shape) - len(chunks)) + chunks
        if order is not None:
            chunks = tuple(chunks[axis] for axis in order)
        return Image(
            address,
            NativePixels(pixels, order),
            metadata,
            kind or "TIFF",
            chunks,
            resources,
        )
    except BaseException:
        resources.close()
        raise


def _opened(path: str) -> tifffile.TiffFile:
    try:
        return tifffile.TiffFile(path)
    except tifffile.TiffFileError as error:
        raise FormatError(f"{path} is no TIFF file: {error}") from error


def _pixels(
    file: tifffile.TiffFile, series: tifffile.TiffPageSeries, resources: ExitStack
) -> Any:
    """Return an array-like of a series that any thread may read."""
    size = Path(file.filehandle.path).stat().st_size
    nbytes = prod(series.shape) * series.dtype.itemsize
    if series.dataoffset is not None:
        if series.dataoffset + nbytes > size:
            raise FormatError(
                f"{file.filehandle.path} is truncated: {size} bytes, of which the "
                f"pixels need {series.dataoffset + nbytes}"
            )
        return np.memmap(
            file.filehandle.path,
            series.dtype.newbyteorder(file.byteorder),
            "r",
            series.dataoffset,
            tuple(series.shape),
        )
    for page in series.pages:
        if page is not None and any(
            offset + count > size
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
        ):
            raise FormatError(f"{file.filehandle.path} is truncated: {size} bytes")
    if nbytes <= _WHOLE:
        return _Decoded(series)
    import zarr

    store = resources.enter_context(series.aszarr(level=0))
    return zarr.open_array(store, mode="r")


class _Decoded:
    """A compressed series that is decoded when it is first read."""

    def __init__(self, series: tifffile.TiffPageSeries) -> None:
        self.shape, self.dtype = tuple(series.shape), series.dtype
        self._series = series
        self._pixels: NDArray[Any] | None = None
        self._lock = ForkLock()

    def __getitem__(self, index: Any) -> NDArray[Any]:
        with self._lock:
            if self._pixels is None:
                self._pixels = self._series.asarray()
            pixels: NDArray[Any] = self._pixels[index]
        return pixels


def _metadata(
    file: tifffile.TiffFile, series: tifffile.TiffPageSeries, number: int
) -> Metadata:
    """Return axes, scale, units, channels and pyramid of a series."""
    axes = [_label(letter) for letter in series.axes]
    if SAMPLES in axes and series.shape[axes.index(SAMPLES)] not in (3, 4):
        axes[axes.index(SAMPLES)] = CHANNEL
    if len(set(axes) - {UNKNOWN}) + axes.count(UNKNOWN) < len(axes):
        axes = [UNKNOWN] * len(axes)  # samples beside channels
    factors = tuple(
        tuple(
            max(1, round(whole / part))
            for whole, part in zip(series.shape, level.shape, strict=True)
        )
        for level in series.levels[1:]
    )
    extra: dict[str, Any] = {"compressed": int(series.keyframe.compression) != 1}
    if (icc := series.keyframe.tags.get("InterColorProfile")) is not None:
        extra["icc"] = icc.value
    name = series.name
    described: _Described
    if file.is_ome and file.ome_metadata:
        described = _of_ome(file.ome_metadata, number)
    elif file.is_imagej:
        extra["imagej"] = dict(file.imagej_metadata or {})
        described = _of_imagej(file, extra["imagej"], series)
    else:
        described = _of_resolution(series.keyframe), {}, ()
    steps, starts, channels = described
    if CHANNEL not in axes or len(channels) != series.shape[axes.index(CHANNEL)]:
        channels = ()
    return Metadata(
        tuple(axes),
        tuple(steps.get(axis, (1.0, ""))[0] for axis in axes),
        tuple(steps.get(axis, (1.0, ""))[1] for axis in axes),
        tuple(starts.get(axis, 0.0) for axis in axes) if starts else (),
        channels,
        name if name != f"Image{number}" else "",
        factors,
        extra,
    )


def _label(letter: str) -> str:
    return letter.lower() if letter in "TCZYXS" else UNKNOWN


def _of_ome(text: str, number: int) -> _Described:
    """Return steps, places and channels that OME-XML says of an image."""
    images = tifffile.xml2dict(text).get("OME", {}).get("Image", {})
    images = images if isinstance(images, list) else [images]
    pixels = images[number]["Pixels"] if number < len(images) else {}
    steps = {
        axis: (float(pixels[f"PhysicalSize{axis.upper()}"]), unit)
        for axis in "zyx"
        if pixels.get(f"PhysicalSize{axis.upper()}")
        for unit in [_unit(pixels.get(f"PhysicalSize{axis.upper()}Unit", "\u00b5m"))]
    }
    if pixels.get("TimeIncrement"):
        unit = _unit(pixels.get("TimeIncrementUnit", "s"))
        steps["t"] = float(pixels["TimeIncrement"]), unit
    starts = {}
    planes = pixels.get("Plane", [])
    plane = planes[0] if isinstance(planes, list) and planes else planes or {}
    for axis in "zyx":
        place = plane.get(f"Position{axis.upper()}")
        unit = _unit(plane.get(f"Position{axis.upper()}Unit", "reference frame"))
        if place is not None and unit == steps.get(axis, (0, ""))[1]:
            starts[axis] = float(place)
    listed = pixels.get("Channel", [])
    channels = tuple(
        Channel(str(each.get("Name", "")), _hexadecimal(each.get("Color")))
        for each in (listed if isinstance(listed, list) else [listed])
    )
    known = any(channel.name or channel.color for channel in channels)
    return steps, starts, channels if known else ()


def _of_imagej(
    file: tifffile.TiffFile, said: Mapping[str, Any], series: tifffile.TiffPageSeries
) -> _Described:
    unit = _unit(str(said.get("unit", "")).replace("\\u00B5", "\u00b5"))
    steps = {}
    if unit:
        for axis, tag in (("x", "XResolution"), ("y", "YResolution")):
            if (size := _pixel_size(series.keyframe, tag)) is not None:
                steps[axis] = size, unit
        if "spacing" in said:
            steps["z"] = float(said["spacing"]), unit
    if said.get("finterval"):
        steps["t"] = float(said["finterval"]), _unit(str(said.get("tunit", "s")))
    ranges = said.get("Ranges") or ()
    windows = [(float(a), float(b)) for a, b in zip(ranges[::2], ranges[1::2])]  # noqa: B905 (an odd one is dropped)
    colours = [_of_table(table) for table in said.get("LUTs") or ()]
    count = max(len(windows), len(colours))
    channels = tuple(
        Channel(
            "",
            colours[k] if k < len(colours) else None,
            windows[k] if k < len(windows) else None,
        )
        for k in range(count)
    )
    return steps, {}, channels


def _of_resolution(page: tifffile.TiffPage) -> dict[str, tuple[float, str]]:
    """Return the steps by resolution tags in cm; those per inch are for printers."""
    unit = page.tags.get("ResolutionUnit")
    if unit is None or int(unit.value) != 3:
        return {}
    sizes = {
        axis: _pixel_size(page, tag)
        for axis, tag in (("x", "XResolution"), ("y", "YResolution"))
    }
    return {
        axis: (size * 1e4, "micrometer")
        for axis, size in sizes.items()
        if size is not None
    }


def _pixel_size(page: tifffile.TiffPage, tag: str) -> float | None:
    found = page.tags.get(tag)
    if found is None or not found.value[0] or not found.value[1]:
        return None
    return float(found.value[1] / found.value[0])


def _unit(symbol: str) -> str:
    return _UNITS.get(symbol, symbol)


def _hexadecimal(color: Any) -> str | None:
    """Return red, green and blue of a colour of OME-XML, a signed 32-bit RGBA."""
    return None if color is None else f"{(int(color) >> 8) & 0xFFFFFF:06X}"


def _of_table(table: NDArray[Any]) -> str:
    """Return the colour at the end of a lookup table of ImageJ."""
    return "".join(f"{int(value):02X}" for value in np.asarray(table)[:, -1])


def write(
    path: Path, pixels: Readable, metadata: Metadata, record: Mapping[str, Any]
) -> None:
    """Write a TIFF file: for ImageJ if the image came from there, else OME-TIFF.

    Raises
    ------
    FormatError
        If OME-TIFF has no place for an axis or the type of the pixels.
    """
    nbytes = prod(pixels.shape) * pixels.dtype.itemsize
    known = set(metadata.axes) <= set("tzcyxs")
    if (
        "imagej" in metadata.extra
        and known
        and pixels.dtype.name in _IMAGEJ_TYPES
        and nbytes < _BIG
    ):
        _write_imagej(path, pixels, metadata, record)
    else:
        write_ome(path, pixels, metadata, record)


def _write_imagej(
    path: Path, pixels: Readable, metadata: Metadata, record: Mapping[str, Any]
) -> None:
    said = dict(metadata.extra["imagej"])
    order = [metadata.axes.index(axis) for axis in "tzcyxs" if axis in metadata.axes]
    metadata = metadata.taking(order)
    kept = ("mode", "unit", "spacing", "finterval", "tunit", "fps", "loop")
    described = {key: said[key] for key in kept if key in said}
    described |= {key: said[key] for key in ("LUTs", "Labels", "Ranges") if key in said}
    described["axes"] = "".join(metadata.axes).upper()
    if "min" in said and "max" in said:
        described |= {"min": said["min"], "max": said["max"]}
    info = str(said.get("Info", "")).rstrip("\n")
    text = str(record.get("text", ""))
    described["Info"] = "\n".join(part for part in (info, text) if part) + "\n"
    steps = dict(zip(metadata.axes, metadata.scale, strict=True))
    resolution = None
    if "unit" in said:
        resolution = 1 / steps.get("x", 1.0), 1 / steps.get("y", 1.0)
    values = np.asarray(pixels[(slice(None),) * len(pixels.shape)]).transpose(order)
    tifffile.imwrite(
        path,
        np.ascontiguousarray(values),
        imagej=True,
        metadata=described,
        resolution=resolution,
        photometric="rgb" if metadata.rgb else "minisblack",
    )


def write_ome(
    path: Path, pixels: Readable, metadata: Metadata, record: Mapping[str, Any]
) -> None:
    """Write an OME-TIFF file: tiles, a pyramid, physical sizes and channels.

    Raises
    ------
    FormatError
        If there is no place for an axis or the type of the pixels.
    """
    letters = _letters(metadata)
    # Planes come last; all else stays in the order that it has.
    last = [letters.index(letter) for letter in "YXS" if letter in letters]
    order = [axis for axis in range(len(letters)) if axis not in last] + last
    metadata = metadata.taking(order)
    letters = "".join(letters[axis] for axis in order)
    source = NativePixels(pixels, order)
    levels = [source, *_levels(source, metadata)]
    described = _ome(metadata, letters, source.shape, record)
    options: dict[str, Any] = {
        "photometric": "rgb" if metadata.rgb else "minisblack",
        "compression": "zlib" if metadata.extra.get("compressed") else None,
    }
    if icc := metadata.extra.get("icc"):
        options["iccprofile"] = icc
    big = prod(source.shape) * source.dtype.itemsize * 1.34 > _BIG
    try:
        with tifffile.TiffWriter(path, bigtiff=big, ome=True) as file:
            for rank, level in enumerate(levels):
                height, width = level.shape[_plane(metadata)]
                tile = (_TILE, _TILE) if min(height, width) > _TILE else None
                more: dict[str, Any] = (
                    {"subifds": len(levels) - 1} if not rank else {"subfiletype": 1}
                )
                file.write(
                    _tiles(level, tile, metadata.rgb),
                    shape=level.shape,
                    dtype=level.dtype,
                    tile=tile,
                    metadata=described if not rank else None,
                    **more,
                    **options,
                )
    except (tifffile.OmeXmlError, ValueError) as error:
        raise FormatError(f"OME-TIFF cannot hold this image: {error}") from error


def _plane(metadata: Metadata) -> slice:
    """Return the place of Y and X in a shape."""
    return slice(-3, -1) if metadata.rgb else slice(-2, None)


def _letters(metadata: Metadata) -> str:
    """Return a letter of OME-TIFF for each axis; 'Q' stands for the unknown ones."""
    known = set("tzcyxs")
    letters = [axis.upper() if axis in known else "Q" for axis in metadata.axes]
    if "Y" not in letters or "X" not in letters:
        raise FormatError(
            "OME-TIFF needs axes named Y and X; got "
            f"{', '.join(metadata.axes)}: name them by --input-axes"
        )
    # Letters for several axes without a name.
    others = iter("QPRHE")
    return "".join(next(others) if each == "Q" else each for each in letters)


def _ome(
    metadata: Metadata,
    letters: str,
    shape: tuple[int, ...],
    record: Mapping[str, Any],
) -> dict[str, Any]:
    described: dict[str, Any] = {"axes": letters}
    if metadata.name:
        described["Name"] = metadata.name
    for axis, step, unit in zip(
        metadata.axes, metadata.scale, metadata.units, strict=True
    ):
        if axis in ("z", "y", "x") and (unit or step != 1):
            described[f"PhysicalSize{axis.upper()}"] = step
            described[f"PhysicalSize{axis.upper()}Unit"] = _symbol(unit)
        elif axis == "t" and unit:
            described["TimeIncrement"] = step
            described["TimeIncrementUnit"] = _SYMBOLS.get(unit, unit)
    if metadata.translate:
        described["Plane"] = _positions(metadata, shape)
    if metadata.channels:
        described["Channel"] = {"Name": [each.name for each in metadata.channels]}
        colors = [each.color for each in metadata.channels]
        if all(colors):
            described["Channel"]["Color"] = [_signed(str(color)) for color in colors]
    if text := record.get("text"):
        described["CommentAnnotation"] = {"Namespace": "napari-usm", "Value": text}
    if uuid := record.get("uuid"):
        described["UUID"] = uuid  # else a new one each time: no two files were equal
    return described


def _symbol(unit: str) -> str:
    return _SYMBOLS.get(unit, unit) or "pixel"


def _positions(metadata: Metadata, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return where planes begin, for each plane of a file."""
    outer = shape[: _plane(metadata).start]
    places = np.array(list(np.ndindex(*outer))).reshape(prod(outer), len(outer)).T
    planes: dict[str, Any] = {}
    for axis, name in enumerate(metadata.axes):
        if name not in ("z", "y", "x"):
            continue
        starts = np.full(prod(outer), metadata.translate[axis])
        if axis < len(outer):
            starts += places[axis] * metadata.scale[axis]
        unit = _symbol(metadata.units[axis])
        planes[f"Position{name.upper()}"] = starts.tolist()
        planes[f"Position{name.upper()}Unit"] = [unit] * len(starts)
    return planes


def _signed(color: str) -> int:
    """Return a colour as OME-XML has it: a signed 32-bit number, red first."""
    number = (int(color, 16) << 8) | 0xFF
    return number - 2**32 if number >= 2**31 else number


def _levels(source: NativePixels, metadata: Metadata) -> list[Any]:
    """Return the further levels of a pyramid, each the mean of the one before."""
    from napari_usm.io.pyramid import Averaged, next_factors

    levels: list[Any] = []
    latest: Any = source
    for factors in next_factors(source.shape, metadata, _TILE, planes=True):
        latest = Averaged(latest, factors)
        levels.append(latest)
    return levels


def _tiles(
    level: Any, tile: tuple[int, int] | None, rgb: bool
) -> Iterator[NDArray[Any]]:
    """Yield the planes of a level, or their tiles, in the order of a file."""
    inner = 3 if rgb else 2
    for outer in np.ndindex(*level.shape[:-inner]):
        place: Sequence[slice] = [slice(index, index + 1) for index in outer]
        ends = (slice(None),) * (inner - 2)
        if tile is None:
            every = (slice(None),) * inner
            yield _squeezed(level[(*place, *every)], inner)
            continue
        height, width = level.shape[len(outer) : len(outer) + 2]
        for top in range(0, height, tile[0]):
            for left in range(0, width, tile[1]):
                rows = slice(top, min(top + tile[0], height))
                columns = slice(left, min(left + tile[1], width))
                yield _squeezed(level[(*place, rows, columns, *ends)], inner)


def _squeezed(values: NDArray[Any], count: int) -> NDArray[Any]:
    return np.ascontiguousarray(values.reshape(values.shape[-count:]))
