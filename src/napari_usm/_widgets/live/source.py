"""Arrays that are computed as parts are read of them."""

from __future__ import annotations

import threading
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils import resize_dask_cache

from napari_usm._engine.cache import Cache
from napari_usm._engine.fork import renew_in_child
from napari_usm._engine.virtual import Index, window
from napari_usm.api import is_dask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Spans = tuple[slice, ...]
    Place = tuple[int, ...]

# Bytes of the chunks in the cache of an array.
_CAPACITY = 2**28


def readable(pixels: Any) -> Any:
    """Return the array itself, or one that remembers what it has computed."""
    data = getattr(pixels, "data", None)
    if not isinstance(pixels, np.ndarray) and is_dask(data):
        pixels = data  # of an xarray.DataArray
    return _Remembered(pixels) if is_dask(pixels) else pixels


def computed(pixels: Any) -> Any:
    """Return the array behind `readable`: dask shares work if it gets all of it."""
    return pixels.array if isinstance(pixels, _Remembered) else pixels


def is_in_memory(pixels: Any) -> bool:
    """Return whether pixels are a numpy array, and not a memory map."""
    return isinstance(pixels, np.ndarray) and not isinstance(pixels, np.memmap)


def at_hand(pixels: Any, index: Index) -> np.ndarray | None:
    """Return pixels at an index, if nothing needs to be computed or read for them."""
    if isinstance(pixels, _Remembered):
        part = window(index, pixels.shape, (), ())
        known = pixels.known(part.box)
        return None if known is None else known[part.cut]
    return read(pixels, index) if is_in_memory(pixels) else None


def read(pixels: Any, index: Index) -> np.ndarray:
    """Return pixels at an index, however long that takes."""
    part = window(index, pixels.shape, (), ())
    where = tuple(slice(span.start, span.stop, span.step) for span in part.box)
    return np.asarray(pixels[where])[part.cut]


class _Remembered:
    """A dask array with a cache of the chunks used last.

    Chunks that napari has shown are in its cache: they are taken from there. That cache
    is not used for more, as it does not allow for two threads: it listens to all that
    dask does anywhere, and one computation's end makes the other fail.
    """

    def __init__(self, array: Any) -> None:
        self.array = array
        self.shape, self.dtype = array.shape, array.dtype
        self._cache: Cache[Place, np.ndarray] = Cache(_CAPACITY, lambda it: it.nbytes)
        self._lock = threading.Lock()
        renew_in_child(self)

    def renew(self) -> None:
        """Unlock it, in a process that was forked."""
        self._lock = threading.Lock()

    def __getitem__(self, key: Spans) -> np.ndarray:
        ranges = [
            range(length)[span] for length, span in zip(self.shape, key, strict=True)
        ]
        parts = self._parts(ranges)
        with self._lock:
            chunks = self._chunks([place for place, _, _ in parts])
        return self._joined(ranges, parts, chunks)

    def known(self, ranges: tuple[range, ...]) -> np.ndarray | None:
        """Return pixels if all their chunks are in a cache."""
        parts = self._parts(ranges)
        chunks = [self._chunk(place) for place, _, _ in parts]
        if any(chunk is None for chunk in chunks):
            return None
        return self._joined(ranges, parts, chunks)

    def _parts(self, ranges: Sequence[range]) -> list[tuple[Place, Spans, Spans]]:
        """Return the chunks that are needed, the part of each, and its place."""
        axes = [
            list(_in_chunks(span, sizes))
            for span, sizes in zip(ranges, self.array.chunks, strict=True)
        ]
        return [tuple(zip(*part, strict=True)) for part in product(*axes)]

    def _joined(
        self, ranges: Sequence[range], parts: list[Any], chunks: list[Any]
    ) -> np.ndarray:
        result = np.empty([len(span) for span in ranges], self.dtype)
        for (_, inside, place), chunk in zip(parts, chunks, strict=True):
            result[place] = chunk[inside]
        return result

    def _chunk(self, place: Place) -> np.ndarray | None:
        """Return a chunk that was computed by us or, to be shown, by napari."""
        chunk = self._cache.get(place)
        if chunk is not None:
            return chunk
        return resize_dask_cache().cache.data.get((self.array.name, *place))

    def _chunks(self, places: list[Place]) -> list[np.ndarray]:
        chunks: dict[Place, Any] = {place: self._chunk(place) for place in places}
        missing = [place for place, chunk in chunks.items() if chunk is None]
        if missing:
            chunks.update(zip(missing, _compute(self.array, missing), strict=True))
        for place in places:
            self._cache.put(place, chunks[place])
        return [chunks[place] for place in places]


def _in_chunks(
    span: range, sizes: tuple[int, ...]
) -> Iterator[tuple[int, slice, slice]]:
    """Yield the chunks along an axis: number, needed part, and its place in `span`."""
    begin = 0
    for number, size in enumerate(sizes):
        first = max(0, -((span.start - begin) // span.step))
        last = min(len(span), -((span.start - begin - size) // span.step))
        if first < last:
            needed = span[first:last]
            inside = slice(needed.start - begin, needed[-1] + 1 - begin, span.step)
            yield number, inside, slice(first, last)
        begin += size


def _compute(array: Any, places: list[Place]) -> list[np.ndarray]:
    import dask
    from dask.base import get_scheduler

    blocks = [array.blocks[place] for place in places]
    scheduler = get_scheduler(collections=[array])
    local = getattr(scheduler, "__module__", "").startswith("dask.")
    # Without callbacks, so that napari's cache does not hear of it.
    options = {"callbacks": ()} if local else {}
    return [np.asarray(chunk) for chunk in dask.compute(*blocks, **options)]
