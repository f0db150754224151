"""Images of any size that are written block by block."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import chain
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine.threads import in_order, thread_count
from napari_usm._engine.virtual import VirtualArray
from napari_usm._widgets.live.source import is_in_memory, readable
from napari_usm._widgets.saving.metadata import (
    factors_of,
    joined,
    joined_record,
    metadata_of,
    record_of,
)
from napari_usm._widgets.saving.store import UNIT, NewStore, check_free
from napari_usm.batch.units import cut
from napari_usm.io import Format, FormatError, Metadata, files
from napari_usm.io.image import SAMPLES
from napari_usm.io.ome_zarr import Scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from napari.types import FullLayerData

    from napari_usm._engine.blocks import Slices

    # Called with the steps that are done and all there are.
    Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Picture:
    """Pixels of one or several layers, and all that a file says of them.

    Attributes
    ----------
    layers : sequence of array-like
        One, or the channels of the image.
    metadata : Metadata
        Of the image.
    record : mapping
        How it was made.
    """

    layers: Sequence[Any]
    metadata: Metadata
    record: Mapping[str, Any]

    @classmethod
    def of(cls, layers: Sequence[FullLayerData], name: str) -> Picture:
        """Return layers, as tuples, as one image.

        Raises
        ------
        ValueError
            If they are none: transforms that files do not hold, or several grids.
        """
        pixels, metadata, records = [], [], []
        for data, attributes, _ in layers:
            levels = list(data) if attributes.get("multiscale") else [data]
            # A live layer as it is now, whatever is tuned meanwhile.
            finest = levels[0]
            finest = deepcopy(finest) if isinstance(finest, VirtualArray) else finest
            if not hasattr(finest, "shape") or not hasattr(finest, "dtype"):
                finest = np.asarray(finest)
            described = metadata_of(attributes, finest.shape)
            factors = factors_of([level.shape for level in levels])
            pixels.append(readable(finest))
            metadata.append(replace(described, factors=factors))
            records.append(record_of(attributes, np.dtype(finest.dtype)))
        _check_alike(pixels, metadata)
        image = metadata[0] if len(metadata) == 1 else joined(metadata, name)
        if len(metadata) > 1:
            image = replace(image, factors=tuple((1, *f) for f in image.factors))
        return cls(pixels, image, joined_record(records))

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the length of each axis."""
        shape = tuple(int(n) for n in self.layers[0].shape)
        return shape if len(self.layers) == 1 else (len(self.layers), *shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of the pixels, in the byte order of this machine."""
        return np.dtype(self.layers[0].dtype).newbyteorder("=")

    @property
    def in_memory(self) -> bool:
        """Return whether reading pixels computes nothing, and reads no file."""
        return all(map(is_in_memory, self.layers))

    def __getitem__(self, spans: Slices) -> np.ndarray:
        """Return the pixels in these slices, one for each axis."""
        if len(self.layers) == 1:
            return np.asarray(self.layers[0][spans], self.dtype)
        chosen = self.layers[spans[0]]
        return np.stack([np.asarray(each[spans[1:]], self.dtype) for each in chosen])


def _check_alike(pixels: Sequence[Any], metadata: Sequence[Metadata]) -> None:
    for word in ("shape", "dtype"):
        first = getattr(pixels[0], word)
        for each, described in zip(pixels, metadata, strict=True):
            if getattr(each, word) != first:
                raise ValueError(
                    f"`layers` must have one {word}, to be saved as channels of one "
                    f"image; '{metadata[0].name}' has {first}, '{described.name}' has "
                    f"{getattr(each, word)}"
                )


def save(path: Path, form: Format, picture: Picture, progress: Progress) -> None:
    """Write an image, which appears under its name when it is complete.

    Parameters
    ----------
    path : Path
        A file is replaced; a folder must not exist.
    form : Format
        OME-Zarr or OME-TIFF.
    picture : Picture
        What to write.
    progress : callable
        Called after each block. What it raises ends the writing.

    Raises
    ------
    FileExistsError, FormatError, OSError
        What was there before is still there, and nothing else.
    """
    if form.by_region:
        _save_store(path, picture, progress)
        return
    if path.is_dir():
        check_free(path)
    _check_held(path, form, picture)
    with files.complete_file(path, overwrite=True) as partial:
        if picture.in_memory:
            _write(form, partial, picture, picture, progress)
            return
        # The file needs its tiles in their order, and again for each level: what has
        # to be computed is computed once.
        folder = files.temporary(path)
        try:
            scratch = Scratch(folder, picture.shape, picture.dtype, picture.metadata)
            boxes = cut(picture.shape, scratch.chunks, (), _inner(picture), UNIT)
            for done, _ in enumerate(_copied(picture, boxes, scratch.write), 1):
                progress(done, 2 * len(boxes))

            def second_half(done: int, total: int) -> None:
                progress(total + done, 2 * total)

            _write(form, partial, scratch.pixels(), picture, second_half)
        finally:
            files.remove(folder)


def _save_store(path: Path, picture: Picture, progress: Progress) -> None:
    store = NewStore(path, picture.shape, picture.dtype, picture.metadata)
    try:
        boxes = store.cores(filtered=_inner(picture))
        steps = chain(_copied(picture, boxes, store.write), store.reduce())
        total = len(boxes) + sum(map(len, store.reductions))
        for done, _ in enumerate(steps, 1):
            progress(done, total)
        store.publish(picture.record)
    except BaseException:
        store.discard()
        raise


def _inner(picture: Picture) -> tuple[int, ...]:
    """Return the axes of a plane, along which live layers read neighbours."""
    axes = picture.metadata.axes
    return tuple(axis for axis, name in enumerate(axes) if name in ("y", "x"))


def _copied(
    picture: Picture,
    boxes: Sequence[Slices],
    write: Callable[[Slices, np.ndarray], None],
) -> Iterator[None]:
    """Write an image into an array, with a pause after each box."""

    def work(box: Slices) -> None:
        write(box, picture[box])

    return in_order(work, boxes, thread_count())


def _write(
    form: Format, path: Path, pixels: Any, picture: Picture, progress: Progress
) -> None:
    total = prod(picture.shape)
    counted = _Counted(pixels, lambda done: progress(min(done, total), total))
    form.write(path, counted, picture.metadata, picture.record)


class _Counted:
    """Pixels that call back with how many of them were read."""

    def __init__(self, pixels: Any, read: Callable[[int], None]) -> None:
        self._pixels, self._read, self._done = pixels, read, 0
        self.shape, self.dtype = tuple(pixels.shape), np.dtype(pixels.dtype)

    def __getitem__(self, spans: Slices) -> np.ndarray:
        values = np.asarray(self._pixels[spans])
        self._done += values.size
        self._read(self._done)
        return values


def _check_held(path: Path, form: Format, picture: Picture) -> None:
    """Raise if a format has no place for axes or type: by an image of one pixel."""
    metadata = replace(picture.metadata, factors=())
    lengths = zip(metadata.axes, picture.shape, strict=True)
    shape = tuple(n if axis in ("c", SAMPLES) else 1 for axis, n in lengths)
    if 0 in picture.shape:
        raise FormatError(f"`layer` must not be empty; got shape {picture.shape}")
    trial = files.temporary(path)
    try:
        form.write(trial, np.zeros(shape, picture.dtype), metadata, {})
    finally:
        files.remove(trial)
