"""Outputs of a job that is not complete yet: stores in its work folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm import io
from napari_usm.batch.record import stored
from napari_usm.io import files
from napari_usm.io.ome_zarr import Scratch, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_usm._engine.blocks import Slices
    from napari_usm.batch.job import Job, OpenJob
    from napari_usm.io import Metadata
    from napari_usm.io.formats import Readable

IMAGE, EDGE_MAP = "image", "edge-map"

#: In the work folder of a job whose outputs are being given their names.
RECORD = "record.json"


class Outputs:
    """Stores of the result and, if it is wanted, of the edge map.

    Those of OME-Zarr become the outputs themselves. Other formats are written from
    plain arrays when these are complete.
    """

    def __init__(self, opened: OpenJob) -> None:
        self._opened = opened
        plan, metadata = opened.plan, opened.image.metadata
        self._finishing = (opened.job.work_folder / RECORD).exists()
        self.stores: dict[str, Any] = {}
        self._create(IMAGE, plan.shape, plan.result, metadata)
        if opened.job.recipe.edge_map:
            edges = opened.edge_metadata
            if (image := self.stores.get(IMAGE)) is not None:
                # The chunks of both are cut at the same places, as units are.
                extra = {
                    "zarr_chunks": plan.colours.edge_slices(image.chunks),
                    "zarr_shards": image.shards
                    and plan.colours.edge_slices(image.shards),
                }
                edges = replace(edges, extra=extra)
            self._create(EDGE_MAP, plan.edge_shape, np.dtype(np.float32), edges)

    def _create(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        metadata: Metadata,
    ) -> None:
        job = self._opened.job
        path = job.work_folder / name
        if self._finishing and not path.exists():
            return  # it has its name already
        self.stores[name] = (
            Store(path, shape, dtype, metadata, job.version)
            if job.format.by_region
            else Scratch(path, shape, dtype, metadata)
        )

    @property
    def units(self) -> tuple[int, ...]:
        """Return the shape of what one write of the result may hold alone."""
        image = self.stores[IMAGE]
        return tuple(image.shards or image.chunks)

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
            store = self.stores[name]
            output = Path(job.edge_map_output if name == EDGE_MAP else job.output)
            if job.format.by_region:
                files.remove_partial_chunks(store.path)
                store.finish(stored(record))
                files.publish(store.path, output, job.overwrite)
            elif not (self._finishing and output.exists()):
                write_whole(job, output, store.pixels(), store.metadata, record)


def write_whole(
    job: Job,
    output: Path,
    pixels: Readable,
    metadata: Metadata,
    record: Mapping[str, Any],
) -> None:
    """Write an output from pixels that are complete."""
    # That of an edge map may be another; fields of a plate have no suffix.
    found = io.find_format(output) or job.format
    if not found.by_region:
        with files.complete_file(output, job.overwrite) as partial:
            found.write(partial, pixels, metadata, record)
        return
    partial = files.temporary(output)
    try:
        shape = tuple(pixels.shape)
        store = Store(partial, shape, pixels.dtype, metadata, job.version)
        store.write_all(pixels)
        store.finish(stored(record))
        files.publish(partial, output, job.overwrite)
    finally:
        if partial.exists():
            files.remove_unfinished(partial)
