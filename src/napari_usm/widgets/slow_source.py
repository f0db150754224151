"""Arrays that are computed or read from disk, as parts are read of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.utils import resize_dask_cache

from napari_usm.api import is_dask


def readable(pixels: Any) -> Any:
    """The array itself, or one that remembers what it has computed."""
    data = getattr(pixels, "data", None)
    if not isinstance(pixels, np.ndarray) and is_dask(data):
        pixels = data  # of an xarray.DataArray
    return _Remembered(pixels) if is_dask(pixels) else pixels


def computed(pixels: Any) -> Any:
    """What `readable` was made of: dask shares the work itself if it gets all of it."""
    return pixels.array if isinstance(pixels, _Remembered) else pixels


class _Remembered:
    """A dask array whose chunks are kept in napari's own cache.

    So what the source layer shows is not computed once more for the result: each
    would cost as much as the other.
    """

    def __init__(self, array: Any) -> None:
        self.array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, key: Any) -> np.ndarray:
        import dask

        cache = resize_dask_cache()
        # Fused tasks have names of their own, which the cache would not find.
        with dask.config.set({"optimization.fuse.active": False}), cache:
            return np.asarray(self.array[key])
