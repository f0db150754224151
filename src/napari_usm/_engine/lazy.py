"""A method on a dask array: nothing is computed before `compute`.

Blocks are chunks with their neighbours, joined where they are smaller
than the halo. An estimate is one reduction inside the graph for each round over the
image. What comes after it reads the image again, instead of keeping all of it in memory
until the estimate is known.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
from dask.array.overlap import ensure_minimum_chunksize
from dask.base import compute, tokenize
from dask.delayed import Delayed
from dask.graph_manipulation import bind
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer

from napari_usm import arguments
from napari_usm._engine import report
from napari_usm._engine.block import Output, room
from napari_usm._engine.blocks import Block, Halo, from_chunks
from napari_usm._engine.chunks import gather, pieces_of, process_pieces
from napari_usm._engine.estimate import (
    Reduction,
    Statistics,
    fit,
    is_needed,
    reduce_rounds,
    rounds,
    statistics_of,
)
from napari_usm._engine.plan import FittedPlan, Plan
from napari_usm._methods.base import Constants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from napari_usm._engine.chunks import Spans
    from napari_usm._engine.estimate import Part
    from napari_usm._engine.memory import Steps
    from napari_usm._engine.tally import Tally
    from napari_usm._filters.dtypes import Array

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
    plan: Plan, image: da.Array, fitted: FittedPlan | None = None, weight: Any = None
) -> Lazy:
    """Return the results of a plan on a dask array, with nothing computed.

    With `fitted`, the result of `estimate`, looking at one plane of the result does
    not estimate over the whole array again. `weight` is an array of numpy or dask, of
    the image's shape without its channels.
    """
    stage = _fitted(plan, image) if fitted is None else fitted
    graph = _graph(plan, _read_after(stage, plan, image), plan.halo, weight)
    waits = plan.method.fits_detail or plan.method.thresholding.in_noise
    alone = graph
    if isinstance(stage, Delayed) and not waits:
        # The edge map alone needs no estimate.
        alone = _graph(plan, image, plan.halo, weight)
    # It does not depend on the amount.
    edges_stage = stage if waits else FittedPlan(plan, Constants(0.0), plan.limits)
    edge_map = alone.array(Output.EDGE_MAP, edges_stage)
    amount, gain = graph.amount_and_gain(stage)
    return Lazy(
        graph.array(Output.IMAGE, stage),
        edge_map,
        amount,
        gain,
        graph.report(stage),
    )


def significance(
    plan: Plan, image: da.Array, fitted: FittedPlan | None = None
) -> da.Array:
    """Return detail in units of its noise, for a plan that estimates it."""
    stage = _fitted(plan, image) if fitted is None else fitted
    graph = _graph(plan, _read_after(stage, plan, image), plan.halo)
    return graph.array(Output.SIGNIFICANCE, stage)


def _fitted(plan: Plan, image: da.Array) -> FittedPlan | Delayed:
    """Return the fitted plan, or a reduction over the image for each round."""
    if not plan.needs_estimate:
        return plan.known
    statistics: list[Delayed] = []
    for number in range(rounds(plan)):
        pixels = _read_after(statistics[-1], plan, image) if statistics else image
        graph = _graph(plan, pixels, plan.estimate_halo)
        statistics.append(graph.joined(number, statistics))
    name = f"napari-usm-fitted-{tokenize(image.name, plan)}"
    needed: list[Any] = [*statistics]
    task = (partial(fit, plan), [each.key for each in statistics])
    return Delayed(name, HighLevelGraph.from_collections(name, {name: task}, needed))


def _read_after(stage: FittedPlan | Delayed, plan: Plan, image: da.Array) -> da.Array:
    """Return the image whose chunks are read again, after something is known.

    Its tasks have other keys, so that no chunk stays in memory for both. Chunks that
    are data in the graph are not read.
    """
    if not isinstance(stage, Delayed):
        return image
    layer = image.dask.layers[image.name]
    is_data = isinstance(layer, MaterializedLayer) and all(
        isinstance(chunk, np.ndarray) for chunk in layer.values()
    )
    if is_data:
        return image
    again: da.Array = bind(image, stage, seed=tokenize(image.name, plan, stage.key))
    return again


def estimate(plan: Plan, image: da.Array) -> Steps[FittedPlan]:
    """Compute the constants and limits of a plan, with a pause after some chunks.

    Yields
    ------
    None
        `estimate_steps` times.

    Returns
    -------
    FittedPlan
        What `run` takes.
    """
    if not plan.needs_estimate:
        return plan.known
    graph = _graph(plan, image, plan.estimate_halo)

    def blocks_of(earlier: Sequence[Statistics]) -> Iterator[Iterator[Part]]:
        for blocks, batch in graph.statistics_batches(earlier):
            yield zip(blocks, compute(*batch), strict=True)

    return (yield from reduce_rounds(plan, blocks_of))


def estimate_steps(plan: Plan, image: da.Array) -> int:
    """Return how often `estimate` pauses."""
    if not plan.needs_estimate:
        return 0
    blocks: int = math.prod(_rechunked(plan, image, plan.estimate_halo).numblocks)
    return rounds(plan) * -(-blocks // _BATCH)


def _graph(plan: Plan, image: da.Array, halo: Halo, weight: Any = None) -> _Graph:
    return _Graph(plan, _rechunked(plan, image, halo), halo, weight)


def _rechunked(plan: Plan, image: da.Array, halo: Halo) -> da.Array:
    """Return chunks no smaller than the halo, or whole axes where all is needed."""
    chunks: dict[int, Any] = {}
    for axis, sizes in enumerate(image.chunks):
        reach = halo.get(axis, 0) or 0
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
        self, plan: Plan, image: da.Array, halo: Halo, weight: Any = None
    ) -> None:
        self.plan = plan
        self.image = image
        self.weight: da.Array | None = None
        if weight is not None:
            chunks = plan.colours.plain_slices(image.chunks)
            self.weight = da.asarray(weight).rechunk(chunks)
        token = None if self.weight is None else self.weight.name
        self.token = tokenize(image.name, plan, halo, token)
        self.blocks: dict[tuple[int, ...], Block] = {}
        self._pieces: dict[tuple[int, ...], tuple[Any, ...]] = {}
        name, cuts = self._name("pieces"), {}
        chunked = image.name, image.chunks
        blocks = from_chunks(image.chunks, halo, plan.grid)
        for index, block in zip(np.ndindex(*image.numblocks), blocks, strict=True):
            spans, keys, tasks = pieces_of(name, chunked, block)
            self.blocks[index] = block
            self._pieces[index] = spans, keys
            cuts.update(tasks)
        needed: list[Any] = [image]
        if cuts:
            graph = HighLevelGraph.from_collections(name, cuts, needed)
            needed.append(Delayed(next(iter(cuts)), graph, layer=name))
        self._needed = needed

    def _weight(self, index: tuple[int, ...]) -> Any:
        """Return the key of the weight of a block, or None."""
        if self.weight is None:
            return None
        return (self.weight.name, *self.plan.colours.plain_slices(index))

    def _task(
        self, function: Callable[..., Any], index: tuple[int, ...], *more: Any
    ) -> tuple[Any, ...]:
        """Return the call of a function with a block and its pieces."""
        return (function, self.blocks[index], *self._pieces[index], *more)

    def joined(self, number: int, earlier: Sequence[Delayed]) -> Delayed:
        """Return the statistics of all blocks in a round, after those in `earlier`."""
        part = partial(_statistics, self.plan)
        parts = self._statistics_tasks(number, part, [each.key for each in earlier])
        keys, blocks = list(parts), list(self.blocks.values())
        # In batches: the statistics of one block may take a megabyte.
        so_far: Any = None
        for start in range(0, len(keys), _BATCH):
            some = slice(start, start + _BATCH)
            join = partial(_joined, self.plan, number, blocks[some])
            key = self._name(f"joined-{number}-{start}")
            parts[key] = (join, so_far, keys[some])
            so_far = key
        task = (attrgetter("total"), so_far)
        return self._delayed(f"round-{number}", task, [*self._needed, *earlier], parts)

    def statistics_batches(
        self, earlier: Sequence[Statistics]
    ) -> Iterator[tuple[list[Block], list[Delayed]]]:
        """Yield blocks with the statistics of the next round, some at a time.

        Blocks that have none are not read.
        """
        part = partial(_statistics, self.plan, earlier=tuple(earlier))
        parts = self._statistics_tasks(len(earlier), part)
        name = self._name(f"part-{len(earlier)}")
        graph = HighLevelGraph.from_collections(name, parts, self._needed)
        pairs = list(zip(self.blocks.values(), parts, strict=True))
        for start in range(0, len(pairs), _BATCH):
            batch = [
                (block, Delayed(key, graph, layer=name))
                for block, key in pairs[start : start + _BATCH]
                if not earlier or is_needed(self.plan, block, earlier)
            ]
            yield [block for block, _ in batch], [part for _, part in batch]

    def _statistics_tasks(
        self, number: int, part: Callable[..., Statistics], *earlier: Any
    ) -> dict[Any, Any]:
        name = self._name(f"part-{number}")
        return {
            (name, *index): self._task(part, index, *earlier) for index in self.blocks
        }

    def array(self, output: Output, stage: FittedPlan | Delayed) -> da.Array:
        """Return one of the outputs."""
        function = partial(_part, output)
        tasks = {
            index: self._task(function, index, _argument(stage), self._weight(index))
            for index in self.blocks
        }
        chunks, dtype = self.image.chunks, self.plan.result
        if output is not Output.IMAGE:
            edge_slices = self.plan.colours.edge_slices
            tasks = {edge_slices(index): task for index, task in tasks.items()}
            chunks, dtype = edge_slices(chunks), np.dtype(np.float32)
        needed = [*self._needed, *_collections(stage), *_collections(self.weight)]
        return self._array(output.value, tasks, chunks, dtype, needed)

    def amount_and_gain(self, stage: FittedPlan | Delayed) -> tuple[Any, Any]:
        """Return amount and gain, lazy where they are estimated."""
        if not isinstance(stage, Delayed):
            return stage.public.amount, stage.public.gain
        if not self.plan.method.finds_amount:
            return self.plan.known.constants.amount, None
        amount, gain = (
            da.from_delayed(
                self._delayed(word, (partial(_public, word), stage.key), [stage]),
                self.plan.estimate_shape,
                np.float64,
            )
            for word in ("amount", "gain")
        )
        return amount, gain

    def report(self, stage: FittedPlan | Delayed) -> Delayed:
        """Return the report, a reduction over the counts of all chunks."""
        tallies = {
            (self._name("tally"), *index): self._task(
                _counts, index, _argument(stage), self._weight(index)
            )
            for index in self.blocks
        }
        sample = self.image[report.sample_slices(self.plan)]
        sample = sample.rechunk(-1)
        key = (sample.name, *(0,) * sample.ndim)
        needed = [
            *self._needed,
            sample,
            *_collections(stage),
            *_collections(self.weight),
        ]
        task = (report.finish, _argument(stage), list(tallies), key)
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
        """Return one object, of a task that takes `parts`."""
        name = self._name(word)
        layer = {**(parts or {}), name: task}
        return Delayed(name, HighLevelGraph.from_collections(name, layer, needed))


def _argument(stage: FittedPlan | Delayed) -> Any:
    return stage.key if isinstance(stage, Delayed) else stage


def _collections(value: Any) -> list[Any]:
    return [value] if isinstance(value, Delayed | da.Array) else []


def _part(
    output: Output,
    block: Block,
    spans: Spans,
    pieces: Sequence[Array],
    fitted: FittedPlan,
    weight: Array | None,
) -> Array:
    parts = room(fitted.plan, block.shape, output)
    process_pieces(fitted, block, spans, pieces, parts, weight=_checked(weight))
    array: Array = getattr(parts, output.value)
    return array


def _counts(
    block: Block,
    spans: Spans,
    pieces: Sequence[Array],
    fitted: FittedPlan,
    weight: Array | None,
) -> Tally | None:
    parts = room(fitted.plan, block.shape, Output.IMAGE, Output.EDGE_MAP)
    return process_pieces(
        fitted, block, spans, pieces, parts, weight=_checked(weight), counts=True
    )


def _checked(weight: Array | None) -> Array | None:
    """Return a chunk of a weight, whose values are only known now."""
    if weight is not None:
        arguments.fractions("weight", weight)
    return weight


def _statistics(
    plan: Plan,
    block: Block,
    spans: Spans,
    pieces: Sequence[Array],
    earlier: Sequence[Statistics],
) -> Statistics:
    return statistics_of(plan, gather(block, spans, pieces), block, earlier)


def _joined(
    plan: Plan,
    number: int,
    blocks: Sequence[Block],
    so_far: Reduction | None,
    parts: Sequence[Statistics],
) -> Reduction:
    # A task does not change its arguments.
    reduction = Reduction(plan, number) if so_far is None else deepcopy(so_far)
    reduction.add(zip(blocks, parts, strict=True))
    return reduction


def _public(word: str, fitted: FittedPlan) -> Array:
    return np.asarray(getattr(fitted.public, word))
