"""OME-Zarr 0.4 and 0.5: images, series, plates and plain zarr arrays."""

from __future__ import annotations

import json
from contextlib import ExitStack
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

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
from napari_usm.io.pyramid import Averaged, next_factors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_usm.io.formats import Readable

#: Versions that are written; the first is the default.
VERSIONS = "0.5", "0.4"

# Sides of a chunk in Y and X, and planes of one, where the source has no chunks. 1 MB
# of 16-bit pixels: what the specification's authors recommend, and few files.
_SIDE = 1024

# Planes that are not larger need no further level.
_LEAST = 512

# Planes along Z or time whose range of intensities is looked at; of more, the middle.
_PLANES = 8

_TYPES = {"t": "time", "c": "channel", **dict.fromkeys("zyx", "space")}
_RANK = {"time": 0, "channel": 1, "space": 2}
_RGB = ("FF0000", "00FF00", "0000FF", "FFFFFF")


def inner_paths(path: str) -> list[str]:
    """Return the images in a store: one, series, or the fields of a plate."""
    node = _opened(path)
    if isinstance(node, zarr.Array):
        return [""]
    attributes = _ome(node)
    if "multiscales" in attributes:
        return [""]
    if "plate" in attributes:
        found = []
        for well in attributes["plate"].get("wells", ()):
            inner = str(well["path"])
            if inner not in node:
                continue  # a well that was not imaged
            fields = _ome(node[inner]).get("well", {}).get("images", ())
            found += [f"{inner}/{field['path']}" for field in fields]
        return found
    if "bioformats2raw.layout" in attributes:
        listed = _ome(node["OME"]).get("series") if "OME" in node else None
        names = listed or sorted((n for n in node if n.isdecimal()), key=int)
        return [str(name) for name in names]
    arrays = sorted(name for name, _ in node.arrays())
    if not arrays:
        raise FormatError(f"{path} holds no OME-Zarr image and no array")
    return arrays


def is_plate(path: str) -> bool:
    """Return whether a store is a plate."""
    node = _opened(path)
    return not isinstance(node, zarr.Array) and "plate" in _ome(node)


def write_plate(source: str, target: Path, version: str) -> None:
    """Write the metadata of a plate and its wells, for the fields that are there.

    Parameters
    ----------
    source : str
        The plate that they are copied from.
    target : Path
        Folder of a plate whose fields have been written.
    version : {"0.5", "0.4"}
        Of OME-Zarr.
    """
    node = _opened(source)
    plate = dict(_ome(node)["plate"])
    wells = []
    for well in plate.get("wells", ()):
        path = str(well["path"])
        if path not in node:
            continue
        described = dict(_ome(node[path])["well"])
        fields = [
            field
            for field in described.get("images", ())
            if (target / path / str(field["path"])).is_dir()
        ]
        if fields:
            wells.append(well)
            _write_group(
                target / path, {"well": {**described, "images": fields}}, version
            )
            _write_group((target / path).parent, {}, version)
    _write_group(target, {"plate": {**plate, "wells": wells}}, version)


def _write_group(path: Path, attributes: dict[str, Any], version: str) -> None:
    """Write the attributes of a group, checked by the models of the specification."""
    from yaozarrs import v04, v05

    models = {"plate": "Plate", "well": "Well"}
    said: dict[str, Any] = {}
    for kind, described in attributes.items():
        if version == "0.5":
            described.pop("version", None)
            said = {"ome": {"version": "0.5", kind: described}}
            getattr(v05, models[kind]).model_validate(said["ome"])
        else:
            said = {kind: {**described, "version": "0.4"}}
            getattr(v04, models[kind]).model_validate(said)
    group = zarr.open_group(path, mode="a", zarr_format=3 if version == "0.5" else 2)
    group.attrs.update(said)


def read(address: Address) -> Image:
    """Open an image of a store, with its axes, scale, units, channels and pyramid.

    Raises
    ------
    FormatError
        If the store holds no such image, or if its metadata do not fit its arrays.
    """
    node = _opened(address.path)
    try:
        if address.inner:
            node = node[address.inner]
        attributes = {} if isinstance(node, zarr.Array) else _ome(node)
        if "multiscales" in attributes:
            array, metadata = _image(node, attributes)
            kind = f"OME-Zarr {_version(attributes)}"
        elif isinstance(node, zarr.Array):
            array, metadata, kind = node, _plain(node), "zarr"
        else:
            raise FormatError(f"{address} is no image")
    except KeyError as error:
        raise FormatError(f"{address} has no {error}") from error
    chunks = tuple(array.shards or array.chunks)
    metadata = _with_extra(metadata, array)
    pixels = NativePixels(array)
    return Image(address, pixels, metadata, kind, chunks, ExitStack())


def _opened(path: str) -> Any:
    try:
        return zarr.open(path, mode="r")
    except (ValueError, KeyError, FileNotFoundError, json.JSONDecodeError) as error:
        raise FormatError(f"{path} is no zarr store: {error}") from error


def _ome(node: Any) -> dict[str, Any]:
    """Return the OME metadata of a group: below "ome" from version 0.5 on."""
    attributes = dict(node.attrs)
    inner = attributes.get("ome")
    return inner if isinstance(inner, dict) else attributes


def _version(attributes: Mapping[str, Any]) -> str:
    first = attributes["multiscales"][0]
    return str(attributes.get("version") or first.get("version") or "0.4")


def _image(node: Any, attributes: Mapping[str, Any]) -> tuple[Any, Metadata]:
    multiscale = attributes["multiscales"][0]
    levels = [node[level["path"]] for level in multiscale["datasets"]]
    array = levels[0]
    listed = multiscale.get("axes") or [*"tczyx"][-array.ndim :]
    named = [axis if isinstance(axis, dict) else {"name": axis} for axis in listed]
    if len(named) != array.ndim:
        raise FormatError(
            f"{node.store_path} lists {len(named)} axes for an array of {array.ndim}"
        )
    scale, translate = np.ones(array.ndim), np.zeros(array.ndim)
    # First that of the level, then that of all of them.
    for step in (
        *multiscale["datasets"][0].get("coordinateTransformations", ()),
        *multiscale.get("coordinateTransformations", ()),
    ):
        if step["type"] == "scale" and "scale" in step:
            scale *= step["scale"]
            translate *= step["scale"]
        elif step["type"] == "translation" and "translation" in step:
            translate += step["translation"]
    axes = tuple(_label(axis) for axis in named)
    factors = tuple(
        tuple(
            max(1, round(whole / part))
            for whole, part in zip(array.shape, level.shape, strict=True)
        )
        for level in levels[1:]
    )
    return array, Metadata(
        axes,
        tuple(float(step) for step in scale),
        tuple(str(axis.get("unit") or "") for axis in named),
        tuple(float(place) for place in translate) if translate.any() else (),
        _channels(attributes, axes, array.shape),
        str(multiscale.get("name") or ""),
        factors,
    )


def _label(axis: Mapping[str, Any]) -> str:
    name = str(axis["name"]).lower()
    if axis.get("type") == "channel":
        return CHANNEL
    return "t" if axis.get("type") == "time" else name


def _channels(
    attributes: Mapping[str, Any], axes: Sequence[str], shape: Sequence[int]
) -> tuple[Channel, ...]:
    listed = (attributes.get("omero") or {}).get("channels") or ()
    if CHANNEL not in axes or len(listed) != shape[list(axes).index(CHANNEL)]:
        return ()
    channels = []
    for each in listed:
        window = each.get("window") or {}
        low, high = window.get("start"), window.get("end")
        color = str(each["color"]).lstrip("#").upper() if each.get("color") else None
        channels.append(
            Channel(
                str(each.get("label") or ""),
                color,
                None if low is None or high is None else (float(low), float(high)),
            )
        )
    return tuple(channels)


def _plain(array: Any) -> Metadata:
    """Return metadata of an array without OME's: names of axes may stand in it."""
    names = getattr(array.metadata, "dimension_names", None)
    names = names or array.attrs.get("_ARRAY_DIMENSIONS")
    if names and all(names) and len(set(names)) == array.ndim:
        return Metadata.without_scale([str(name).lower() for name in names])
    if array.ndim <= 2:
        return Metadata.without_scale(("y", "x")[-array.ndim :])
    return Metadata.without_scale((UNKNOWN,) * array.ndim)


def _with_extra(metadata: Metadata, array: Any) -> Metadata:
    """Return metadata with the chunks, which an OME-Zarr made of it repeats."""
    from dataclasses import replace

    extra = {"zarr_chunks": array.chunks, "zarr_shards": array.shards}
    return replace(metadata, extra=extra)


class Store:
    """An OME-Zarr image that is written in parts.

    Parameters
    ----------
    path : Path
        Folder; what is there is gone on with.
    shape, dtype : tuple of int, dtype
        Of the image, whose axes may be in any order.
    metadata : Metadata
        Axes, scale and channels.
    version : {"0.5", "0.4"}
        Of OME-Zarr.

    Raises
    ------
    FormatError
        If the format has no place for an axis.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        metadata: Metadata,
        version: str = VERSIONS[0],
    ) -> None:
        if version not in VERSIONS:
            raise ValueError(f"`version` must be one of {VERSIONS}; got {version!r}")
        self.path, self._version = path, version
        self.order = _order(metadata)
        self.metadata = metadata.taking(self.order)
        shape = tuple(shape[axis] for axis in self.order)
        chunks, shards = _chunks_of(shape, dtype, metadata, self.order, version)
        self._factors = next_factors(shape, self.metadata, _LEAST)
        self._levels: list[Any] = []
        group = zarr.open_group(
            path, mode="a", zarr_format=3 if version == "0.5" else 2
        )
        names = [axis if axis != SAMPLES else CHANNEL for axis in self.metadata.axes]
        lengths = shape
        for rank, factors in enumerate([(1,) * len(shape), *self._factors]):
            lengths = tuple(
                max(1, n // factor) for n, factor in zip(lengths, factors, strict=True)
            )
            self._levels.append(
                group[str(rank)]
                if str(rank) in group
                else group.create_array(
                    str(rank),
                    shape=lengths,
                    dtype=dtype,
                    chunks=chunks,
                    shards=shards,
                    fill_value=0,
                    **(
                        {"dimension_names": names}
                        if version == "0.5"
                        else {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
                    ),
                )
            )
        self._group = group

    @property
    def chunks(self) -> tuple[int, ...]:
        """Return the shape of the chunks, in the image's axes."""
        return self._from_stored(self._levels[0].chunks)

    @property
    def shards(self) -> tuple[int, ...] | None:
        """Return the shape of the shards, if there are some, in the image's axes."""
        shards = self._levels[0].shards
        return None if shards is None else self._from_stored(shards)

    @property
    def level_count(self) -> int:
        """Return the number of levels, the full resolution included."""
        return len(self._levels)

    def level_shape(self, rank: int) -> tuple[int, ...]:
        """Return the shape of a level, in the image's axes."""
        return self._from_stored(self._levels[rank].shape)

    def write(self, spans: tuple[slice, ...], values: np.ndarray[Any, Any]) -> None:
        """Write pixels of the full resolution."""
        place = tuple(spans[axis] for axis in self.order)
        self._levels[0][place] = values.transpose(self.order)

    def pixels(self, rank: int = 0) -> NativePixels:
        """Return a level as an array-like, in the image's axes."""
        inverse = [self.order.index(axis) for axis in range(len(self.order))]
        return NativePixels(self._levels[rank], inverse)

    def reduce(self, rank: int, spans: tuple[slice, ...]) -> None:
        """Compute a part of a level from the level before, and write it."""
        level = self._levels[rank]
        below = Averaged(self._levels[rank - 1], self._factors[rank - 1], level.shape)
        place = tuple(spans[axis] for axis in self.order)
        level[place] = below[place]

    def write_all(self, pixels: Readable) -> None:
        """Write the full resolution and all levels."""
        whole = tuple(slice(0, length) for length in pixels.shape)
        self.write(whole, np.asarray(pixels[whole]))
        for rank in range(1, self.level_count):
            self.reduce(rank, tuple(slice(0, n) for n in self.level_shape(rank)))

    def finish(self, record: Mapping[str, Any]) -> None:
        """Write the metadata: with them, the group is an image.

        Parameters
        ----------
        record : mapping
            Stored beside them, as "napari_usm".
        """
        document = self.document()
        attributes: dict[str, Any] = {"napari_usm": dict(record)}
        attributes |= {"ome": document} if self._version == "0.5" else document
        self._group.attrs.update(attributes)

    def _from_stored(self, values: Sequence[int]) -> tuple[int, ...]:
        inverse = [self.order.index(axis) for axis in range(len(self.order))]
        return tuple(int(values[axis]) for axis in inverse)

    def document(self) -> dict[str, Any]:
        """Return the OME metadata, checked by the models of the specification."""
        from yaozarrs import v04, v05

        metadata = self.metadata
        axes = []
        for label, unit in zip(metadata.axes, metadata.units, strict=True):
            name = CHANNEL if label == SAMPLES else label
            axis = {"name": name}
            if kind := _TYPES.get(name):
                axis["type"] = kind
            if unit:
                axis["unit"] = unit
            axes.append(axis)
        datasets = []
        total = np.ones(len(axes))
        for rank in range(len(self._levels)):
            if rank:
                total = total * self._factors[rank - 1]
            steps = np.array(metadata.scale) * total
            moves: list[dict[str, Any]] = [{"type": "scale", "scale": steps.tolist()}]
            # The first pixel of a level lies between those that it is the mean of.
            starts = np.array(metadata.translate or (0.0,) * len(axes))
            starts = starts + (total - 1) / 2 * np.array(metadata.scale)
            if starts.any():
                moves.append({"type": "translation", "translation": starts.tolist()})
            datasets.append({"path": str(rank), "coordinateTransformations": moves})
        multiscale: dict[str, Any] = {"axes": axes, "datasets": datasets}
        if metadata.name:
            multiscale["name"] = metadata.name
        if len(self._levels) > 1:
            multiscale["type"] = "mean"
        document: dict[str, Any] = {"multiscales": [multiscale]}
        if channels := self._omero():
            document["omero"] = {"channels": channels}
        if self._version == "0.5":
            document["version"] = "0.5"
            v05.Image.model_validate(document)
        else:
            multiscale["version"] = "0.4"
            v04.Image.model_validate(document)
        return document

    def _omero(self) -> list[dict[str, Any]]:
        """Return the channels as viewers want them: all have a colour and a window."""
        metadata = self.metadata
        channels = metadata.channels
        if SAMPLES in metadata.axes:
            names = ("red", "green", "blue", "alpha")
            count = self._levels[0].shape[metadata.axes.index(SAMPLES)]
            channels = tuple(map(Channel, names[:count], _RGB))
        dtype = np.dtype(self._levels[0].dtype)
        ends = (0.0, 1.0)
        if dtype.kind in "iu":
            ends = float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
        shown = ends if SAMPLES in metadata.axes and dtype.itemsize == 1 else None
        windows = [
            channel.window or shown or self._range(index)
            for index, channel in enumerate(channels)
        ]
        described = []
        for channel, (low, high) in zip(channels, windows, strict=True):
            described.append(
                {
                    "label": channel.name,
                    "color": channel.color or "FFFFFF",
                    "active": True,
                    "window": {
                        "start": low,
                        "end": high,
                        "min": min(low, ends[0]),
                        "max": max(high, ends[1]),
                    },
                }
            )
        return described

    def _range(self, channel: int) -> tuple[float, float]:
        """Return the range of a channel in the smallest level, or in some planes."""
        level = self._levels[-1]
        place: list[slice] = [slice(0, length) for length in level.shape]
        at = [CHANNEL if axis == SAMPLES else axis for axis in self.metadata.axes]
        place[at.index(CHANNEL)] = slice(channel, channel + 1)
        for axis, name in enumerate(at):
            if name not in ("c", "y", "x") and level.shape[axis] > _PLANES:
                middle = level.shape[axis] // 2
                place[axis] = slice(middle, middle + 1)
        values = np.asarray(level[tuple(place)])
        values = values[np.isfinite(values)]
        if not values.size or values.min() == values.max():
            return 0.0, 1.0
        return float(values.min()), float(values.max())


class Scratch:
    """An array on disk that another format is written from, in the end.

    Parameters
    ----------
    path, shape, dtype, metadata
        As for `Store`.
    """

    level_count = 1
    shards = None

    def __init__(
        self,
        path: Path,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        metadata: Metadata,
    ) -> None:
        self.path, self.metadata = path, metadata
        sides = {"y": _SIDE, "x": _SIDE, SAMPLES: 4}
        chunks = tuple(
            min(n, sides.get(name, 1))
            for n, name in zip(shape, metadata.axes, strict=True)
        )
        self._array: Any = (
            zarr.open_array(path, mode="r+")
            if (path / "zarr.json").exists()
            else zarr.create_array(path, shape=shape, dtype=dtype, chunks=chunks)
        )

    @property
    def chunks(self) -> tuple[int, ...]:
        """Return the shape of the chunks."""
        return tuple(self._array.chunks)

    def write(self, spans: tuple[slice, ...], values: np.ndarray[Any, Any]) -> None:
        """Write pixels."""
        self._array[spans] = values

    def pixels(self) -> NativePixels:
        """Return the pixels."""
        return NativePixels(self._array)


def write(
    path: Path, pixels: Readable, metadata: Metadata, record: Mapping[str, Any]
) -> None:
    """Write a whole image, with its pyramid."""
    store = Store(path, tuple(pixels.shape), pixels.dtype, metadata)
    store.write_all(pixels)
    store.finish(record)


def _order(metadata: Metadata) -> list[int]:
    """Return the axes as the format wants them: time, channels, space.

    Raises
    ------
    FormatError
        If there are more axes than the format has.
    """
    names = [CHANNEL if axis == SAMPLES else axis for axis in metadata.axes]
    if CHANNEL in metadata.axes and SAMPLES in metadata.axes:
        raise FormatError("OME-Zarr has one axis of channels; got C and S")
    kinds = [_TYPES.get(name, "") for name in names]
    if UNKNOWN in names:
        raise FormatError(
            "OME-Zarr needs a name for each axis; got "
            f"{', '.join(names)}: name them by --input-axes"
        )
    space = kinds.count("space")
    if not 2 <= space <= 3 or len(names) > 5 or kinds.count("") > 1:
        raise FormatError(
            "OME-Zarr has 2 or 3 axes in space, a time, a channel and at most 5 in "
            f"all; got {', '.join(names)}"
        )
    return sorted(range(len(names)), key=lambda axis: (_RANK.get(kinds[axis], 1), axis))


def _chunks_of(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    metadata: Metadata,
    order: Sequence[int],
    version: str,
) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Return chunks and shards: those of a zarr source, or planes cut into squares."""
    extra = metadata.extra
    if extra.get("zarr_chunks"):
        chunks = tuple(
            min(int(extra["zarr_chunks"][axis]), n)
            for axis, n in zip(order, shape, strict=True)
        )
        shards = extra.get("zarr_shards") if version == "0.5" else None
        if shards is None:
            return chunks, None
        whole = tuple(int(shards[axis]) for axis in order)
        fits = all(s % c == 0 for s, c in zip(whole, chunks, strict=True))
        return chunks, whole if fits else None
    names = [metadata.axes[axis] for axis in order]
    chunks = tuple(
        min(n, _SIDE) if name in ("y", "x") else 1
        for n, name in zip(shape, names, strict=True)
    )
    if prod(chunks) * dtype.itemsize < 2**16 and "z" in names:
        # Planes of a few pixels: many of them in one file.
        z = names.index("z")
        planes = 2**20 // max(1, prod(chunks) * dtype.itemsize)
        chunks = tuple(
            min(n, planes) if axis == z else chunk
            for axis, (n, chunk) in enumerate(zip(shape, chunks, strict=True))
        )
    return chunks, None
