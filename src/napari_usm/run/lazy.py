"""A method on a dask array: nothing is computed before dask is asked to.

Blocks are dask's chunks with their neighbours, joined where they are smaller
than the halo. An estimate is one reduction inside the graph for each round over the
image. What comes after it reads the image again, instead of keeping all of it in memory
until the estimate is known.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from operator import attrgetter, getitem
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
from dask.array.overlap import ensure_minimum_chunksize, overlap
from dask.base import compute, tokenize
from dask.delayed import Delayed
from dask.graph_manipulation import bind
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer

from napari_usm.methods.method import Constants
from napari_usm.run import eager, report
from napari_usm.run.blocks import Block, from_chunks
from napari_usm.run.first_stage import (
    FirstStage,
    Joined,
    finish_first_stage,
    first_stage_of,
    rounds,
)
from napari_usm.run.plan import Limits, Plan
from napari_usm.run.tally import Tally, tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from napari_usm.filters.dtypes import Array
    from napari_usm.run.eager import Halo, Steps

Found = tuple[Constants, Limits]

# Chunks between two pauses of the first stage: enough for every core.
_BATCH = 16


@dataclass(frozen=True)
class Lazy:
    """Results on a dask array: arrays, numbers and report as dask collections."""

    image: da.Array
    edge_map: da.Array
    amount: Any
    gain: Any
    report: Delayed


def check_chunks(image: Any) -> None:
    """Raise if the shape of a dask array is not known."""
    if any(np.isnan(n) for n in image.shape):
        raise ValueError(
            f"`image` must have chunks of known size; got shape {image.shape}"
        )


def run(
    plan: Plan, image: da.Array, name: str = "", found: Found | None = None
) -> Lazy:
    """Results of a plan on a dask array, with nothing computed.

    What `first_stage` found may be given, so that looking at one plane of the
    result does not estimate over the whole array anew.
    """
    stage = _found(plan, image) if found is None else found
    graph = _graph(plan, _read_after(stage, plan, image), plan.halo)
    edge_map = graph.edge_map(stage)
    result = graph.result(edge_map, stage)
    public = graph.public_edge_map(edge_map)
    if isinstance(stage, Delayed) and not _edge_map_waits(plan):
        # The edge map alone needs no estimate.
        alone = _graph(plan, image, plan.halo)
        public = alone.public_edge_map(alone.edge_map(stage))
    amount, gain = graph.amount_and_gain(stage)
    report = graph.report(edge_map, result, stage, name)
    return Lazy(result, public, amount, gain, report)


def significance(plan: Plan, image: da.Array, found: Found | None = None) -> da.Array:
    """Detail in units of its own noise, of a plan that finds it; nothing computed."""
    stage = _found(plan, image) if found is None else found
    return _graph(plan, _read_after(stage, plan, image), plan.halo).significance(stage)


def _found(plan: Plan, image: da.Array) -> Found | Delayed:
    """Return constants and limits: known, or a reduction over the image per round."""
    if not plan.needs_first_stage:
        return plan.method.constants(None, plan.axes), plan.limits
    found: list[Delayed] = []
    for number in range(rounds(plan)):
        pixels = _read_after(found[-1], plan, image) if found else image
        found.append(_graph(plan, pixels, plan.first_halo).joined(number, found))
    name = f"napari-usm-found-{tokenize(image.name, plan)}"
    needed: list[Any] = [*found]
    task = (partial(finish_first_stage, plan), [each.key for each in found])
    return Delayed(name, HighLevelGraph.from_collections(name, {name: task}, needed))


def _read_after(found: Found | Delayed, plan: Plan, image: da.Array) -> da.Array:
    """Return the image whose chunks are read again, after something is known.

    Its tasks have other keys, so that no chunk stays in memory for both. Chunks that
    are data in the graph are not read.
    """
    if not isinstance(found, Delayed):
        return image
    layer = image.dask.layers[image.name]
    is_data = isinstance(layer, MaterializedLayer) and all(
        isinstance(chunk, np.ndarray) for chunk in layer.values()
    )
    if is_data:
        return image
    again: da.Array = bind(image, found, seed=tokenize(image.name, plan, found.key))
    return again


def _edge_map_waits(plan: Plan) -> bool:
    """Return whether the edge map depends on constants of the whole image."""
    return plan.method.fits_detail or plan.method.thresholding.in_noise


def first_stage(plan: Plan, image: da.Array) -> Steps[Found]:
    """Compute the constants and limits of a plan, with a pause after some chunks.

    Yields
    ------
    None
        `first_stage_steps` times.

    Returns
    -------
    tuple of Constants and limits
        What `run` takes.
    """
    if not plan.needs_first_stage:
        return plan.method.constants(None, plan.axes), plan.limits
    graph = _graph(plan, image, plan.first_halo)
    blocks = list(graph.blocks.values())
    found: list[FirstStage] = []
    for number in range(rounds(plan)):
        joined = Joined(plan, number)
        for start, batch in graph.first_stage_batches(found):
            parts = compute(*batch)
            joined.add(zip(blocks[start:], parts, strict=False))
            yield
        found.append(joined.found)
    return finish_first_stage(plan, found)


def first_stage_steps(plan: Plan, image: da.Array) -> int:
    """How often `first_stage` pauses."""
    if not plan.needs_first_stage:
        return 0
    blocks: int = math.prod(_rechunked(plan, image, plan.first_halo).numblocks)
    return rounds(plan) * -(-blocks // _BATCH)


def _graph(plan: Plan, image: da.Array, halo: Halo) -> _Graph:
    image = _rechunked(plan, image, halo)
    depth = {
        axis: reach if len(image.chunks[axis]) > 1 else 0
        for axis, reach in _depth(plan, halo).items()
    }
    grown = overlap(image, depth, "none", allow_rechunk=False)
    return _Graph(plan, image, halo, grown, depth)


def _depth(plan: Plan, halo: Halo) -> dict[int, int]:
    """Neighbours to ask dask for; along axes that are never cut there are none."""
    return {
        axis: 0 if reach is None else reach + plan.grid[axis] - 1
        for axis, reach in halo.items()
    }


def _rechunked(plan: Plan, image: da.Array, halo: Halo) -> da.Array:
    """Chunks no smaller than the halo; one along channels and where all is needed."""
    chunks: dict[int, Any] = {}
    depth = _depth(plan, halo)
    for axis, sizes in enumerate(image.chunks):
        reach = depth.get(axis, 0)
        uncut = axis == plan.channel_axis or halo.get(axis, 0) is None
        if uncut or reach >= image.shape[axis]:
            chunks[axis] = -1
        else:
            chunks[axis] = ensure_minimum_chunksize(max(1, reach), sizes)
    rechunked: da.Array = image.rechunk(chunks)
    return rechunked


class _Graph:
    """Tasks for every chunk of one image."""

    def __init__(
        self,
        plan: Plan,
        image: da.Array,
        halo: Halo,
        grown: da.Array,
        depth: Mapping[int, int],
    ) -> None:
        self.plan = plan
        self.image = image
        self.token = tokenize(image.name, plan, halo)
        blocks = from_chunks(image.chunks, halo, plan.grid)
        self.blocks = dict(zip(np.ndindex(*image.numblocks), blocks, strict=True))
        self.grown = (
            grown if max(plan.grid.values()) == 1 else self._on_grid(grown, depth)
        )

    def _on_grid(self, grown: da.Array, depth: Mapping[int, int]) -> da.Array:
        """Chunks with their neighbours, without those before the first grid point."""
        tasks = {}
        for index, block in self.blocks.items():
            asked = [
                max(0, span.start - depth.get(axis, 0))
                for axis, span in enumerate(block.core)
            ]
            begins = zip(block.grown, asked, strict=True)
            wanted = tuple(slice(span.start - begin, None) for span, begin in begins)
            tasks[index] = (getitem, (grown.name, *index), wanted)
        return self._array("grown", tasks, grown.chunks, self.plan.dtype, [grown])

    def joined(self, number: int, found: Sequence[Delayed]) -> Delayed:
        """Return the statistics of all blocks in a round, after those in `found`."""
        part = partial(first_stage_of, self.plan)
        parts = self._first_stage_parts(number, part, [each.key for each in found])
        keys, blocks = list(parts), list(self.blocks.values())
        # In batches: the statistics of one block may take a megabyte.
        so_far: Any = None
        for start in range(0, len(keys), _BATCH):
            some = slice(start, start + _BATCH)
            join = partial(_joined, self.plan, number, blocks[some])
            key = self._name(f"joined-{number}-{start}")
            parts[key] = (join, so_far, keys[some])
            so_far = key
        task = (attrgetter("found"), so_far)
        return self._delayed(f"round-{number}", task, [self.grown, *found], parts)

    def first_stage_batches(
        self, found: Sequence[FirstStage]
    ) -> Iterator[tuple[int, list[Delayed]]]:
        """What the blocks from here on tell in the next round, some at a time."""
        part = partial(first_stage_of, self.plan, found=tuple(found))
        parts = self._first_stage_parts(len(found), part)
        name = self._name(f"part-{len(found)}")
        needed: list[Any] = [self.grown]
        graph = HighLevelGraph.from_collections(name, parts, needed)
        keys = list(parts)
        for start in range(0, len(keys), _BATCH):
            batch = keys[start : start + _BATCH]
            yield start, [Delayed(key, graph, layer=name) for key in batch]

    def _first_stage_parts(
        self, number: int, part: Callable[..., FirstStage], *found: Any
    ) -> dict[Any, Any]:
        name = self._name(f"part-{number}")
        return {
            (name, *index): (part, (self.grown.name, *index), block, *found)
            for index, block in self.blocks.items()
        }

    def edge_map(self, found: Found | Delayed) -> da.Array:
        """Edge maps in the working type, before they are made public."""
        chunks = list(self.image.chunks)
        axis = self.plan.channel_axis
        if axis is not None:
            colours = chunks[axis][0] - self.plan.method.alpha
            chunks[axis] = (colours if self.plan.color == "channels" else 1,)
        function = partial(_edge_map, self.plan)
        # Where the edge map does not depend on it, no estimate is waited for.
        known = (found,) if _edge_map_waits(self.plan) else ()
        tasks = {
            index: (
                function,
                (self.grown.name, *index),
                block,
                *(_argument(each) for each in known),
            )
            for index, block in self.blocks.items()
        }
        needed: list[Any] = [self.grown]
        for each in known:
            needed += _collections(each)
        return self._array("edge", tasks, chunks, self.plan.working, needed)

    def result(self, edge_map: da.Array, found: Found | Delayed) -> da.Array:
        """The sharpened image."""
        function = partial(_combine, self.plan)
        tasks = {
            index: (
                function,
                (self.image.name, *index),
                (edge_map.name, *index),
                _argument(found),
                block,
            )
            for index, block in self.blocks.items()
        }
        needed = [self.image, edge_map, *_collections(found)]
        return self._array(
            "sharpened", tasks, self.image.chunks, self.plan.result, needed
        )

    def public_edge_map(self, edge_map: da.Array) -> da.Array:
        """The edge map as it is given back."""
        tasks = {
            self.plan.edge_slices(index): (
                self.plan.public_edge_map,
                (edge_map.name, *index),
            )
            for index in self.blocks
        }
        chunks = self.plan.edge_slices(self.image.chunks)
        return self._array("edge-map", tasks, chunks, np.dtype(np.float32), [edge_map])

    def significance(self, found: Found | Delayed) -> da.Array:
        """Detail in units of its own noise, as it is given back."""
        function = partial(_significance, self.plan)
        tasks = {
            self.plan.edge_slices(index): (
                function,
                (self.grown.name, *index),
                _argument(found),
                block,
            )
            for index, block in self.blocks.items()
        }
        chunks = self.plan.edge_slices(self.image.chunks)
        needed = [self.grown, *_collections(found)]
        return self._array("noise", tasks, chunks, np.dtype(np.float32), needed)

    def amount_and_gain(self, found: Found | Delayed) -> tuple[Any, Any]:
        """As the plan gives them, lazy where they are estimated."""
        if not isinstance(found, Delayed):
            known = self.plan.found(found[0])
            return known.amount, known.gain
        if not self.plan.method.finds_amount:
            return self.plan.method.constants(None, self.plan.axes).amount, None
        amount, gain = (
            da.from_delayed(
                self._delayed(
                    word, (partial(_public, self.plan, word), found.key), [found]
                ),
                self.plan.kept_shape,
                np.float64,
            )
            for word in ("amount", "gain")
        )
        return amount, gain

    def report(
        self, edge_map: da.Array, result: da.Array, found: Found | Delayed, name: str
    ) -> Delayed:
        """The report, one reduction over all results."""
        function = partial(_tally, self.plan)
        tallies = {
            (self._name("tally"), *index): (
                function,
                (self.grown.name, *index),
                (edge_map.name, *index),
                (result.name, *index),
                _argument(found),
                block,
            )
            for index, block in self.blocks.items()
        }
        sample = self.image[report.sample_slices(self.plan)]
        sample = sample.rechunk(-1)
        key = (sample.name, *(0,) * sample.ndim)
        needed = [self.grown, edge_map, result, sample, *_collections(found)]
        last = partial(_finish_report, self.plan, name)
        task = (last, list(tallies), _argument(found), key)
        return self._delayed("report", task, needed, tallies)

    def _name(self, word: str) -> str:
        return f"napari-usm-{word}-{self.token}"

    def _array(
        self,
        word: str,
        tasks: Mapping[tuple[int, ...], Any],
        chunks: Sequence[Any],
        dtype: np.dtype[Any],
        needed: Sequence[Any],
    ) -> da.Array:
        name = self._name(word)
        layer: dict[Any, Any] = {(name, *index): task for index, task in tasks.items()}
        graph = HighLevelGraph.from_collections(name, layer, needed)
        return da.Array(graph, name, tuple(chunks), dtype=dtype)

    def _delayed(
        self,
        word: str,
        task: tuple[Any, ...],
        needed: Sequence[Any],
        parts: Mapping[Any, Any] | None = None,
    ) -> Delayed:
        """One object, of a task that takes `parts`."""
        name = self._name(word)
        layer = {**(parts or {}), name: task}
        return Delayed(name, HighLevelGraph.from_collections(name, layer, needed))


class _Known:
    """Wraps what is known, so that dask does not look for tasks inside."""

    def __init__(self, found: Found) -> None:
        self.found = found


def _argument(found: Found | Delayed) -> Any:
    return found.key if isinstance(found, Delayed) else _Known(found)


def _collections(found: Found | Delayed) -> list[Delayed]:
    return [found] if isinstance(found, Delayed) else []


def _value(found: Found | _Known) -> Found:
    return found.found if isinstance(found, _Known) else found


def _edge_map(
    plan: Plan, grown: Array, block: Block, found: Found | _Known | None = None
) -> Array:
    if found is None:
        return eager.edge_map_of(plan, grown, block)
    constants, _ = _value(found)
    return eager.edge_map_of(plan, grown, block, constants.estimate, constants.noise)


def _significance(
    plan: Plan, grown: Array, found: Found | _Known, block: Block
) -> Array:
    return eager.significance_of(plan, grown, block, _value(found)[0].noise)


def _combine(
    plan: Plan, image: Array, edge_map: Array, found: Found | _Known, block: Block
) -> Array:
    constants, limits = _value(found)
    amount = eager.local_amount(plan, constants.amount, block)
    return plan.combine(image, edge_map, amount, limits)


def _tally(
    plan: Plan,
    grown: Array,
    edge_map: Array,
    result: Array,
    found: Found | _Known,
    block: Block,
) -> Tally:
    constants, limits = _value(found)
    amount = eager.local_amount(plan, constants.amount, block)
    return tally(plan, grown, block, edge_map, amount, limits, result)


def _joined(
    plan: Plan,
    number: int,
    blocks: Sequence[Block],
    so_far: Joined | None,
    parts: Sequence[FirstStage],
) -> Joined:
    # A task does not change its arguments.
    joined = Joined(plan, number) if so_far is None else deepcopy(so_far)
    joined.add(zip(blocks, parts, strict=True))
    return joined


def _finish_report(
    plan: Plan,
    name: str,
    tallies: Sequence[Tally],
    found: Found | _Known,
    sample: Array,
) -> report.Report:
    return report.finish(plan, name, _value(found)[0], tallies, sample)


def _public(plan: Plan, word: str, found: Found) -> Array:
    return np.asarray(getattr(plan.found(found[0]), word))
