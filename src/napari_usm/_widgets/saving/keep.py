"""Result and edge map of a layer that are computed into OME-Zarr images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine import memory
from napari_usm._engine.block import Output
from napari_usm._engine.fitting import fitting_steps, settle
from napari_usm._engine.report import sample_slices
from napari_usm._widgets.layers.data import (
    EMPTY_LIMIT,
    METADATA,
    edge_limit,
    edge_map_tuple,
    result_tuple,
    shown_edge_map,
    value_range,
)
from napari_usm._widgets.live.array import edges_of, form
from napari_usm._widgets.live.source import readable
from napari_usm._widgets.saving.metadata import (
    factors_of,
    joined_record,
    metadata_of,
    record_of,
)
from napari_usm._widgets.saving.store import NewStore
from napari_usm._widgets.saving.writers import stem, with_suffix
from napari_usm.batch.job import EDGE_MAP
from napari_usm.io import FORMATS, files

if TYPE_CHECKING:
    from napari_usm._engine.block import Parts
    from napari_usm._engine.blocks import Slices
    from napari_usm._engine.plan import FittedPlan
    from napari_usm._widgets.layers.run import LayerRun, Steps
    from napari_usm.io import Metadata

#: Of the files of a result and its edge map.
FORMAT = FORMATS[0]


def keep_on_disk(
    run: LayerRun, path: Path, settled: FittedPlan | None
) -> tuple[Steps, int]:
    """Return a generator that computes result and edge map into files.

    It returns both as layers that read from the files. Until it ends, these have other
    names; when it is closed before, they are removed.

    Parameters
    ----------
    run : LayerRun
        What to compute.
    path : Path
        Of the result; the edge map is beside it.
    settled : FittedPlan, optional
        What was found for the whole image, if it is known.

    Returns
    -------
    generator, int
        It pauses so often.

    Raises
    ------
    FileExistsError, FormatError, OSError, ValueError
        If the files cannot be written, or not hold the result.
    """
    on_disk = _OnDisk(run, path)
    running = on_disk.keep(settled)
    next(running)  # from now on, whoever closes it removes the files
    return running, on_disk.steps(settled)


class _OnDisk:
    """Two images that are written at the same time."""

    def __init__(self, run: LayerRun, path: Path) -> None:
        path = with_suffix(path, FORMAT)
        beside = path.with_name(f"{stem(path, FORMAT)}{EDGE_MAP}{FORMAT.suffixes[0]}")
        plan, layer = run.plan, run.layer
        self._run, self._plan = run, plan
        self._tuples = (
            result_tuple(layer, None, {}),
            edge_map_tuple(layer, None, {}, EMPTY_LIMIT, plan.wants_noise),
        )
        self._factors = factors_of([level.shape for level in run.levels])
        self._values: list[tuple[float, float]] = []
        metadata = self._metadata(0)
        self._image = NewStore(path, plan.shape, plan.result, metadata)
        try:
            shape, dtype = form(plan, edges_of(plan))
            # Cut into chunks at the same places: blocks are whole chunks of both.
            chunks = self._image.store.chunks[: len(shape)]
            edges = replace(self._metadata(1), extra={"zarr_chunks": chunks})
            self._edges = NewStore(beside, shape, dtype, edges)
        except BaseException:
            self._image.discard()
            raise
        endless = [axis for axis, reach in plan.halo.items() if reach is None]
        self._cores = self._image.cores((*endless, *plan.whole_axes), plan.axes)

    def steps(self, settled: FittedPlan | None) -> int:
        """Return how often `keep` pauses, after the first time."""
        first = fitting_steps(self._plan, self._run.levels[0]) if not settled else 0
        stores = (self._image, self._edges)
        coarse = sum(len(boxes) for store in stores for boxes in store.reductions)
        return first + len(self._cores) + coarse

    def keep(self, settled: FittedPlan | None) -> Steps:
        """Compute and write both images; return them as layers."""
        try:
            yield
            if settled is None:
                settled = yield from settle(self._plan, self._run.levels[0])
            pixels = readable(self._run.levels[0])
            outcome = yield from memory.run_into(
                settled, pixels, self._cores, self._write
            )
            for store in (self._image, self._edges):
                yield from store.reduce()
            lows, highs = zip(*self._values, strict=True)
            known = settled.public
            metadata = self._run.metadata(
                known.amount, known.gain, outcome.report, (min(lows), max(highs))
            )
            limit = self._limit()
            self._publish(metadata, limit)
            return self._run.layers(
                self._image.arrays(), self._edges.arrays(), limit, metadata
            )
        finally:
            for store in (self._image, self._edges):
                store.discard()

    def _write(self, core: Slices, parts: Parts) -> None:
        assert parts.image is not None
        self._image.write(core, parts.image)
        shown = parts.significance if self._plan.wants_noise else parts.edge_map
        edges = shown_edge_map(self._run.layer, shown)
        self._edges.write(core[: edges.ndim], edges)
        self._values.append(value_range(parts.image))

    def _limit(self) -> float:
        """Return the contrast limit of the edge map, by its middle."""
        middle = sample_slices(self._plan)[: len(self._edges.shape)]
        return edge_limit(np.asarray(self._edges.store.pixels()[middle]))

    def _publish(self, metadata: dict[str, Any], limit: float) -> None:
        """Give both images their names, or none."""
        record = self._record(metadata)
        self._edges.describe(self._metadata(1, limit))
        self._edges.publish(record)
        try:
            self._image.publish(record)
        except BaseException:
            files.remove(self._edges.path)
            raise

    def _record(self, metadata: dict[str, Any]) -> dict[str, Any]:
        layer = self._run.layer
        record = record_of({"metadata": {METADATA: metadata}}, self._plan.result)
        path = layer.source.path
        record["input"] = {
            "layer": layer.name,
            "name": "" if path is None else Path(path).name,
            "shape": list(self._plan.shape),
            "dtype": self._plan.dtype.name,
        }
        return joined_record([record])

    def _metadata(self, which: int, limit: float | None = None) -> Metadata:
        attributes = dict(self._tuples[which][1])
        if limit is not None:
            low = 0.0 if self._plan.wants_noise else -limit
            attributes["contrast_limits"] = low, limit
        output = edges_of(self._plan) if which else Output.IMAGE
        shape, _ = form(self._plan, output)
        factors = tuple(each[: len(shape)] for each in self._factors)
        return replace(metadata_of(attributes, shape), factors=factors)
