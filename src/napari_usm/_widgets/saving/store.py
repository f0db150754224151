"""An OME-Zarr image that several threads write, under a name that is not its own yet.

It gets its name when it is complete; whatever goes wrong before leaves nothing.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from pydantic import ValidationError

from napari_usm._engine.threads import in_order, thread_count
from napari_usm.batch.record import stored
from napari_usm.batch.units import cut, level_units
from napari_usm.io import FormatError, Metadata, files
from napari_usm.io.ome_zarr import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from napari_usm._engine.blocks import Slices

#: Pixels that are read and written at once, by each thread, unless a chunk has more.
UNIT = 2**22


class NewStore:
    """An image that is written in parts.

    Parameters
    ----------
    path : Path
        Its name, when it is complete.
    shape, dtype, metadata
        Of the image, whose axes may be in any order.

    Raises
    ------
    FileExistsError
        If there is such a file or folder: it is never replaced.
    FormatError
        If the format cannot hold the image.
    """

    def __init__(
        self,
        path: Path,
        shape: Sequence[int],
        dtype: np.dtype[Any],
        metadata: Metadata,
    ) -> None:
        check_free(path)
        self.path, self.shape = path, tuple(shape)
        self._partial = files.temporary(path)
        self._writing = threading.Condition()
        self._count, self._is_open = 0, True
        try:
            self.store = Store(self._partial, self.shape, dtype, metadata)
            self.store.document()
        except ValidationError as error:
            self.discard()
            reason = error.errors()[0]["msg"]
            raise FormatError(f"OME-Zarr cannot hold this image: {reason}") from error
        except BaseException:
            self.discard()
            raise

    def cores(
        self, whole: Sequence[int] = (), filtered: Sequence[int] = ()
    ) -> list[Slices]:
        """Return boxes of whole chunks, which threads may write at the same time.

        Parameters
        ----------
        whole, filtered : sequence of int
            Axes that are not cut, and axes along which neighbours are read too.
        """
        return cut(
            self.shape,
            self.store.shards or self.store.chunks,
            whole,
            filtered or (len(self.shape) - 1,),
            UNIT,
        )

    def describe(self, metadata: Metadata) -> None:
        """Replace what is said of the image, whose axes stay."""
        self.store.metadata = metadata.taking(self.store.order)

    def write(self, core: Slices, values: np.ndarray) -> None:
        """Write pixels."""
        with self._entered():
            self.store.write(core, values)

    @property
    def reductions(self) -> list[list[Slices]]:
        """Return the boxes of each further level."""
        ranks = range(1, self.store.level_count)
        return [level_units(self.store, rank, UNIT // 4) for rank in ranks]

    def reduce(self) -> Iterator[None]:
        """Compute the further levels, with a pause after each of their boxes."""
        for rank, boxes in enumerate(self.reductions, 1):

            def work(box: Slices, rank: int = rank) -> None:
                with self._entered():
                    self.store.reduce(rank, box)

            for _ in in_order(work, boxes, thread_count()):
                yield

    def publish(self, record: Mapping[str, Any]) -> None:
        """Write the metadata, and give the image its name."""
        self.store.finish(stored(record))
        files.publish(self._partial, self.path)

    def discard(self) -> None:
        """Remove what was written, once threads that still write have ended."""
        with self._writing:
            self._is_open = False
            self._writing.wait_for(lambda: not self._count)
        files.remove(self._partial)

    def arrays(self) -> list[Any]:
        """Return the levels of the complete image, read from the disk."""
        group = zarr.open_group(self.path, mode="r")
        levels = [group[str(rank)] for rank in range(self.store.level_count)]
        order = self.store.order
        if order == sorted(order):
            return levels
        import dask.array as da

        inverse = np.argsort(order).tolist()
        return [da.from_zarr(level).transpose(inverse) for level in levels]

    @contextmanager
    def _entered(self) -> Iterator[None]:
        with self._writing:
            if not self._is_open:
                raise RuntimeError(f"{self.path} is no longer written")
            self._count += 1
        try:
            yield
        finally:
            with self._writing:
                self._count -= 1
                self._writing.notify_all()


def check_free(path: Path) -> None:
    """Raise if there is something of that name, or no folder to put it into.

    Raises
    ------
    FileExistsError, FileNotFoundError
        With the path.
    """
    if path.exists():
        raise FileExistsError(
            f"'{path}' exists: choose another name, or remove it first"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"'{path.parent}' is no folder")
