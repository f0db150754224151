"""Outputs of a job that is not complete yet: stores in its work folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.io import files
from napari_usm.io.ome_zarr import Scratch, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm._engine.blocks import Slices
    from napari_usm.batch.job import OpenJob
    from napari_usm.io import Metadata
    from napari_usm.io.formats import Readable

IMAGE, EDGE_MAP = "image", "edge-map"


class Outputs:
    """Stores of the result and, if it is wanted, of the edge map.

    Those of OME-Zarr become the outputs themselves. Other formats are written from
    plain arrays when these are complete.
    """

    def __init__(self, opened: OpenJob) -> None:
        self._opened = opened
        job, plan = opened.job, opened.plan
        kinds = [(IMAGE, plan.shape, plan.result, opened.image.metadata)]
        if job.recipe.edge_map:
            edges = opened.edge_metadata
            kinds.append((EDGE_MAP, plan.edge_shape, np.dtype(np.float32), edges))
        self.stores: dict[str, Any] = {}
        for name, shape, dtype, metadata in kinds:
            path = job.work_folder / name
            if job.format.by_region:
                store: Any = Store(path, shape, dtype, metadata, job.version)
            else:
                store = Scratch(path, shape, dtype, metadata)
            self.stores[name] = store

    @property
    def units(self) -> tuple[int, ...]:
        """Return the shape of what one write of the result may hold alone."""
        return tuple(self.stores[IMAGE].units)

    def write(self, core: Slices, image: Any, edge_map: Any) -> None:
        """Write a unit of the result, and of the edge map."""
        self.stores[IMAGE].write(core, image)
        if EDGE_MAP in self.stores:
            place = self._opened.plan.colours.edge_slices(core)
            self.stores[EDGE_MAP].write(place, edge_map)

    def finish(self, record: Mapping[str, Any]) -> None:
        """Give the outputs their names, the result last.

        Raises
        ------
        FileExistsError
            If there is such an output by now.
        """
        job = self._opened.job
        for name in reversed(self.stores):
            store, output = self.stores[name], Path(job.outputs[name == EDGE_MAP])
            if job.format.by_region:
                store.finish(record)
                files.publish(store.path, output, job.overwrite)
            else:
                write_whole(job, output, store.pixels(), store.metadata, record)


def write_whole(
    job: Any,
    output: Path,
    pixels: Readable,
    metadata: Metadata,
    record: Mapping[str, Any],
) -> None:
    """Write an output from pixels that are complete."""
    from napari_usm import io

    found = io.find_format(output)
    assert found is not None
    if found.by_region:
        partial = files.temporary(output)
        try:
            store = Store(
                partial, tuple(pixels.shape), pixels.dtype, metadata, job.version
            )
            store.write_all(pixels)
            store.finish(record)
            files.publish(partial, output, job.overwrite)
        finally:
            if partial.exists():
                files.remove(partial)
        return
    with files.complete_file(output, job.overwrite) as partial:
        found.write(partial, pixels, metadata, record)
