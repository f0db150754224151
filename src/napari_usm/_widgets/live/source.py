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
    """The array itself, or one that remembers what it has computed."""
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
    """Pixels at an index, if nothing needs to be computed or read for them."""
    if isinstance(pixels, _Remembered):
        asked = window(index, pixels.shape, (), ())
        found = pixels.known(asked.box)
        return None if found is None else found[asked.cut]
    if not is_in_memory(pixels):
        return None
    asked = window(index, pixels.shape, (), ())
    where = tuple(slice(made.start, made.stop, made.step) for made in asked.box)
    return pixels[where][asked.cut]


class _Remembered:
    """A dask array whose last chunks are kept.

    napari keeps those that it has shown itself: they are taken from there. Its cache
    is not used for more, since it is not made for two threads: it listens to all that
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
        """Pixels of which all chunks are there."""
        parts = self._parts(ranges)
        chunks = [self._chunk(place) for place, _, _ in parts]
        if any(chunk is None for chunk in chunks):
            return None
        return self._joined(ranges, parts, chunks)

    def _parts(self, ranges: Sequence[range]) -> list[tuple[Place, Spans, Spans]]:
        """Return the chunks that are needed, the part of each, and its place."""
        axes = [
            list(_in_chunks(asked, sizes))
            for asked, sizes in zip(ranges, self.array.chunks, strict=True)
        ]
        return [tuple(zip(*part, strict=True)) for part in product(*axes)]

    def _joined(
        self, ranges: Sequence[range], parts: list[Any], chunks: list[Any]
    ) -> np.ndarray:
        result = np.empty([len(asked) for asked in ranges], self.dtype)
        for (_, there, here), chunk in zip(parts, chunks, strict=True):
            result[here] = chunk[there]
        return result

    def _chunk(self, place: Place) -> np.ndarray | None:
        """A chunk that was computed by us or, to be shown, by napari."""
        chunk = self._cache.get(place)
        if chunk is not None:
            return chunk
        return resize_dask_cache().cache.data.get((self.array.name, *place))

    def _chunks(self, places: list[Place]) -> list[np.ndarray]:
        found: dict[Place, Any] = {place: self._chunk(place) for place in places}
        missing = [place for place, chunk in found.items() if chunk is None]
        if missing:
            found.update(zip(missing, _compute(self.array, missing), strict=True))
        for place in places:
            self._cache.put(place, found[place])
        return [found[place] for place in places]


def _in_chunks(
    asked: range, sizes: tuple[int, ...]
) -> Iterator[tuple[int, slice, slice]]:
    """Of one axis: each chunk that is needed, what of it, and where that belongs."""
    begin = 0
    for number, size in enumerate(sizes):
        first = max(0, -((asked.start - begin) // asked.step))
        last = min(len(asked), -((asked.start - begin - size) // asked.step))
        if first < last:
            inside = asked[first:last]
            there = slice(inside.start - begin, inside[-1] + 1 - begin, asked.step)
            yield number, there, slice(first, last)
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
