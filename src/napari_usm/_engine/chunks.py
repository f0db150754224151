"""Blocks of a dask array: the pieces of chunks that each needs, put together."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from functools import reduce
from itertools import accumulate, product
from operator import getitem
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine.block import Done, Parts, process
from napari_usm._engine.blocks import Block, grown, offset
from napari_usm._engine.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_usm._engine.blocks import Slices
    from napari_usm._engine.plan import FittedPlan, Plan
    from napari_usm._filters.dtypes import Array

    # Where a piece lies in the image.
    Spans = list[Slices]

# Pixels of a chunk from which on a copy takes longer than four rims: at 2048 x 2048
# both take the same time, at 512 x 512 the rims take 1.3 to 1.4 times as long.
_WORTH_RIMS = 2**21


def pieces_of(
    name: str, chunked: tuple[str, Sequence[Sequence[int]]], block: Block
) -> tuple[Spans, list[Any], dict[Any, Any]]:
    """Return the pieces of chunks that make up a block with its neighbours.

    Parameters
    ----------
    name : str
        Of the layer of tasks that cut pieces out of chunks.
    chunked : (str, sequence of sequence of int)
        Name and chunks of the array.
    block : Block
        A block.

    Returns
    -------
    spans, keys, tasks
        Place of each piece in the image, key of its pixels, and the tasks of those
        that are not a whole chunk.
    """
    array, chunks = chunked
    axes = [
        list(_overlaps(span, sizes))
        for span, sizes in zip(block.grown, chunks, strict=True)
    ]
    spans: Spans = []
    keys: list[Any] = []
    tasks: dict[Any, Any] = {}
    for piece in product(*axes):
        index, chunk, span = (tuple(each) for each in zip(*piece, strict=True))
        key: Any = (array, *index)
        if span != chunk:
            cut = offset(span, chunk)
            ends = [end for part in cut for end in (part.start, part.stop)]
            tasks[name, *index, *ends] = getitem, key, cut
            key = (name, *index, *ends)
        spans.append(span)
        keys.append(key)
    return spans, keys, tasks


def _overlaps(span: slice, sizes: Sequence[int]) -> Iterator[tuple[int, slice, slice]]:
    """Yield each chunk that overlaps a span: its number, its span and the overlap."""
    stops = list(accumulate(sizes))
    first, last = bisect_right(stops, span.start), bisect_left(stops, span.stop)
    for number in range(first, last + 1):
        chunk = slice(stops[number] - sizes[number], stops[number])
        inside = slice(max(chunk.start, span.start), min(chunk.stop, span.stop))
        yield number, chunk, inside


def gather(block: Block, spans: Spans, pieces: Sequence[Array]) -> Array:
    """Return a block with its neighbours, without a copy if one piece has it all."""
    for span, piece in zip(spans, pieces, strict=True):
        if _contains(span, block.grown):
            return piece[offset(block.grown, span)]
    shape = [span.stop - span.start for span in block.grown]
    pixels = np.empty(shape, pieces[0].dtype)
    for span, piece in zip(spans, pieces, strict=True):
        common = _intersection(span, block.grown)
        if common is not None:
            pixels[offset(common, block.grown)] = piece[offset(common, span)]
    return pixels


def process_pieces(
    fitted: FittedPlan,
    block: Block,
    spans: Spans,
    pieces: Sequence[Array],
    parts: Parts,
    *,
    weight: Array | None = None,
    counts: bool = False,
) -> Tally | None:
    """Compute the outputs of a block that comes in pieces.

    The middle of a large chunk needs no neighbours of other chunks: only its rims are
    put together from pieces. That saves a copy of the chunk.
    """
    done: list[Done] = []
    for part in _middle_and_rims(fitted.plan, block, spans):
        pixels = gather(part, spans, pieces)
        place = offset(part.core, block.core, parts.place)
        to = Parts(place, parts.image, parts.edge_map, parts.significance, parts.detail)
        inside = fitted.plan.colours.plain_slices(offset(part.core, block.core))
        local = None if weight is None else weight[inside]
        done.append(process(fitted, pixels, part, to, weight=local, counts=counts))
    tallies = [each.counts for each in done if each.counts is not None]
    return reduce(Tally.__add__, tallies) if tallies else None


def _middle_and_rims(plan: Plan, block: Block, spans: Spans) -> list[Block]:
    """Return a block in parts, the first of which lies in one chunk; or the block."""
    is_small = math.prod(block.shape) < _WORTH_RIMS
    if len(spans) == 1 or plan.stored is None or is_small:
        return [block]
    (chunk,) = (span for span in spans if _contains(block.core, span))
    middle = []
    for axis, core in enumerate(block.core):
        reach = plan.halo.get(axis) or 0
        near, limit = chunk[axis], block.grown[axis]
        grid = plan.grid.get(axis, 1) - 1
        start = near.start if near.start == limit.start else core.start + reach + grid
        stop = near.stop if near.stop == limit.stop else core.stop - reach
        # Rims that are nearly all of it save nothing.
        if 2 * (stop - start) < core.stop - core.start:
            return [block]
        middle.append(slice(start, stop))
    parts = [tuple(middle)]
    left = list(block.core)
    for axis, (core, inner) in enumerate(zip(block.core, middle, strict=True)):
        for rim in (slice(core.start, inner.start), slice(inner.stop, core.stop)):
            if rim.start < rim.stop:
                parts.append((*left[:axis], rim, *left[axis + 1 :]))
        left[axis] = inner
    return [grown(part, block.grown, plan.halo, plan.grid) for part in parts]


def _contains(outer: Slices, inner: Slices) -> bool:
    return all(
        a.start <= b.start and b.stop <= a.stop
        for a, b in zip(outer, inner, strict=True)
    )


def _intersection(first: Slices, second: Slices) -> Slices | None:
    common = tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )
    return common if all(span.start < span.stop for span in common) else None
