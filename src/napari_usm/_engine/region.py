"""A method on any part of an image, under parameters that change.

Whatever part it is, its pixels are those of the whole result, to the last bit. The
detail of the last parts is cached: while nothing but strength, threshold or limits
change, nothing is filtered again.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine import buffer_pool, report
from napari_usm._engine.block import Detail, Output, Parts, can_finish_fused, process
from napari_usm._engine.blocks import BLOCK, PART, Block, cut, grown, offset, parts_of
from napari_usm._engine.cache import Cache
from napari_usm._engine.memory import worth_threads
from napari_usm._engine.threads import all_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from napari_usm._engine.blocks import Slices
    from napari_usm._engine.plan import FittedPlan, Plan
    from napari_usm._engine.tally import Tally
    from napari_usm._filters.dtypes import Array

    _Key = tuple[Hashable, ...]

Box = tuple[range, ...]

# How much larger than the cache a single part may be.
_ALONE = 4

# Pixels that a kernel finishes in a millisecond: to wake a thread up, or to share a
# core with it until the system moves it to another, takes as long.
_FINISHED_HERE = 2**22


@dataclass(frozen=True)
class Region:
    """Pixels and detail of a box of an image.

    Attributes
    ----------
    block : Block
        The box, in an image that has only its indices along the axes that are not
        filtered, and in `pixels`.
    pixels : array
        The box with its neighbours.
    image : array
        The box alone, contiguous.
    detail : Detail
        Detail of the box.
    """

    block: Block
    pixels: Array
    image: Array
    detail: Detail

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        shared = np.may_share_memory(self.pixels, self.image)
        image = 0 if shared else self.image.nbytes
        return self.pixels.nbytes + image + self.detail.values.nbytes


class DetailCache(Cache["_Key", Region]):
    """Cache of the parts used last, in a limited number of bytes.

    A single part may be larger: the others then go, for a plane that does not fit is
    the one that takes longest to filter again.
    """

    def __init__(self, nbytes: int) -> None:
        super().__init__(nbytes, lambda region: region.nbytes, _ALONE * nbytes)


class LiveImage:
    """Pixels that parts are sharpened of, and the detail of the last of them.

    Parameters
    ----------
    pixels : array-like
        Of numpy, a memory map, zarr or dask: read only where a part needs it.
    cache : DetailCache
        For its parts, among those of others.
    weight : array, optional
        Factor of the edge map at each pixel, of the image's shape without channels.
    """

    def __init__(
        self, pixels: Any, cache: DetailCache, weight: Array | None = None
    ) -> None:
        self.pixels = pixels
        self._weight = weight
        self._cache = cache
        # One image's parts are no other's, and go with it.
        self._mark = mark = object()
        forget = weakref.finalize(self, cache.drop, lambda key: key[0] is mark)
        forget.atexit = False
        self._last: tuple[Slices, Array] | None = None
        # The edge map that was finished with the last image, and the box of which one
        # has been wanted since.
        self._edges: tuple[FittedPlan, Box, Array] | None = None
        self._edges_of: Box | None = None

    def read(self, where: Slices) -> Array:
        """Return pixels of the image, not read again if they were read last.

        While a sigma changes, the same plane is needed again and again.
        """
        last = self._last
        if last is not None and last[0] == where:
            return last[1]
        pixels = np.asarray(self.pixels[where])
        self._last = where, pixels
        return pixels

    def weight(self, plan: Plan, box: Box) -> Array | None:
        """Return the weight of a box, without channels, if there is one."""
        return _at(plan, self._weight, slices(box))

    def is_cached(self, fitted: FittedPlan, box: Box) -> bool:
        """Return whether the detail of a box is in the cache."""
        return self._cache.get(self._key(fitted, box)) is not None

    def is_at_hand(self, fitted: FittedPlan, box: Box) -> bool:
        """Return whether nothing has to be read to filter a box."""
        if isinstance(self.pixels, np.ndarray):
            return not isinstance(self.pixels, np.memmap)
        _, where = _block(fitted.at(slices(box)).unfinished.plan, box)
        return self._last is not None and self._last[0] == where

    def region(self, fitted: FittedPlan, box: Box) -> Region:
        """Return pixels and detail of a box, from the cache if they are there."""
        key = self._key(fitted, box)
        region = self._cache.get(key)
        if region is None:
            region = filtered(fitted.at(slices(box)).unfinished, self.read, box)
            self._cache.put(key, region)
        return region

    def image(self, fitted: FittedPlan, box: Box) -> Array:
        """Return the result of a box."""
        key = self._key(fitted, box)
        region = self._cache.get(key)
        if region is None:
            result = None
            local = fitted.at(slices(box))
            unfinished = local.unfinished
            plan, amount = fitted.plan, local.constants.amount
            at_once = local.one_pass is not None and self._weight is None
            if at_once and not plan.method.thresholding and isinstance(amount, float):
                # One pass of the kernel gives the detail and the result.
                result = buffer_pool.empty([len(span) for span in box], plan.result)
                unfinished = replace(local, plan=plan.unfinished)
            region = filtered(unfinished, self.read, box, result)
            self._cache.put(key, region)
            if result is not None and region.detail.is_valid:
                return result
        weight = self.weight(fitted.plan, box)
        with_edges, self._edges, self._edges_of = self._edges_of == box, None, None
        if not with_edges or _is_detail(fitted, region, weight):
            return finished(fitted, region, box, [Output.IMAGE], weight)[0]
        # Both layers are shown: one pass of the kernel gives both outputs.
        outputs = [Output.IMAGE, Output.EDGE_MAP]
        image, edges = finished(fitted, region, box, outputs, weight)
        self._edges = fitted, box, edges
        return image

    def edges(self, fitted: FittedPlan, box: Box, output: Output) -> Array:
        """Return the edge map or the significance of a box."""
        self._edges_of = box
        known, self._edges = self._edges, None
        is_map = output is Output.EDGE_MAP
        if is_map and known is not None and known[0] is fitted and known[1] == box:
            return known[2]
        region, weight = self.region(fitted, box), self.weight(fitted.plan, box)
        if is_map and _is_detail(fitted, region, weight):
            return region.detail.values
        return finished(fitted, region, box, [output], weight)[0]

    def _key(self, fitted: FittedPlan, box: Box) -> _Key:
        plan = fitted.plan
        estimate = fitted.estimate_of(slices(box))
        known = None if estimate is None else estimate.tobytes()
        # By its text: a sigma may be a list.
        method = repr(plan.unfinished.method)
        return self._mark, method, plan.dtype, plan.axes, box, known


def slices(box: Box) -> Slices:
    """Return a box as slices."""
    return tuple(slice(span.start, span.stop, span.step) for span in box)


def filtered(
    fitted: FittedPlan,
    read: Callable[[Slices], Array],
    box: Box,
    result: Array | None = None,
) -> Region:
    """Read a box with its neighbours, and filter it.

    Parameters
    ----------
    fitted : FittedPlan
        A plan without a threshold, with the constants of the box.
    read : callable
        Returns pixels of the image.
    box : tuple of range
        What to filter.
    result : array, optional
        Where the result goes; of no use if not all pixels are valid.
    """
    plan = fitted.plan
    block, where = _block(plan, box)
    pixels = read(where)
    lengths = tuple(span.stop - span.start for span in block.grown)
    if pixels.shape != lengths or pixels.dtype.newbyteorder("=") != plan.dtype:
        raise ValueError(
            f"`image` must stay as it was, {plan.shape} of {plan.dtype}; a part of it "
            f"came as {pixels.shape} of {pixels.dtype}, not {lengths}"
        )
    image = np.require(pixels[block.inner], plan.dtype, ["C", "W"])
    detail = buffer_pool.empty(plan.colours.signal_shape(image.shape), plan.working)
    count = worth_threads(image.size)
    size = min(BLOCK, -(-image.size // count))
    blocks = list(parts_of(block, plan.halo, plan.grid, plan.whole_axes, size))

    def work(item: tuple[Block, Slices]) -> bool:
        part, place = item
        parts = Parts(offset(part.core, block.core), result, detail=detail)
        return process(fitted, pixels[place], part, parts).fused

    fused = all(all_of(work, blocks, count))
    detail.flags.writeable = False
    return Region(block, pixels, image, Detail(detail, fused))


def finished(
    fitted: FittedPlan,
    region: Region,
    box: Box,
    outputs: Sequence[Output],
    weight: Array | None = None,
) -> list[Array]:
    """Return outputs of a box from its detail."""
    local = fitted.at(slices(box))
    plan, detail, shape = local.plan, region.detail, region.image.shape
    edge_shape = plan.colours.edge_slices(shape)
    arrays = [
        buffer_pool.empty(shape, plan.result)
        if output is Output.IMAGE
        else buffer_pool.empty(edge_shape, np.float32)
        for output in outputs
    ]
    names = [output.value for output in outputs]
    pixels = region.image.size
    count, size, whole = worth_threads(pixels), PART, plan.whole_axes
    if detail.is_valid and can_finish_fused(local) and weight is None:
        # A kernel takes a contiguous span on every thread, and each channel alone.
        count = 1 if pixels <= _FINISHED_HERE else count
        size, whole = -(-pixels // count), ()

    def work(block: Block) -> None:
        inside = plan.colours.signal_slices(block.core)
        part = Detail(detail.values[inside], detail.is_valid)
        parts = Parts(block.core, **dict(zip(names, arrays, strict=True)))
        factor = _at(plan, weight, block.core)
        core = region.image[block.core]
        process(local, core, block, parts, detail=part, weight=factor)

    all_of(work, cut(shape, {}, {}, whole, size), count)
    return arrays


def _is_detail(fitted: FittedPlan, region: Region, weight: Array | None) -> bool:
    """Return whether the edge map of a box is its detail."""
    plan = fitted.plan
    unchanged = not plan.method.thresholding and plan.stored is not None
    return unchanged and weight is None and region.detail.is_valid


def report_of(
    fitted: FittedPlan, region: Region, box: Box, weight: Array | None = None
) -> report.Report:
    """Return the report on a box."""
    local = fitted.at(slices(box))
    plan, block, shape = local.plan, region.block, region.image.shape
    image = buffer_pool.empty(shape, plan.result)
    edges = buffer_pool.empty(plan.colours.edge_slices(shape), np.float32)

    def work(item: tuple[Block, Slices]) -> Tally | None:
        part, place = item
        core = offset(part.core, block.core)
        values = region.detail.values[plan.colours.signal_slices(core)]
        detail = Detail(values, region.detail.is_valid)
        parts = Parts(core, image, edges)
        pixels = region.pixels[place]
        factor = _at(plan, weight, core)
        done = process(
            local, pixels, part, parts, detail=detail, weight=factor, counts=True
        )
        return done.counts

    blocks = list(parts_of(block, plan.halo, plan.grid, plan.whole_axes))
    tallies = all_of(work, blocks, worth_threads(region.image.size))
    sample = region.image[report.sample_slices(replace(plan, shape=shape))]
    return report.finish(fitted, [each for each in tallies if each], sample)


def _at(plan: Plan, weight: Array | None, core: Slices) -> Array | None:
    return None if weight is None else weight[plan.colours.plain_slices(core)]


def _block(plan: Plan, box: Box) -> tuple[Block, Slices]:
    """Return a box as a block, and the slices of the image with its neighbours.

    Along axes that are not filtered, where a box may have gaps, the block is of an
    image that has only the indices of the box.
    """
    core, image = [], []
    for axis, (span, length) in enumerate(zip(box, plan.shape, strict=True)):
        filtered = axis in plan.axes
        core.append(slice(span.start, span.stop) if filtered else slice(0, len(span)))
        image.append(slice(0, length if filtered else len(span)))
    block = grown(core, image, plan.halo, plan.grid)
    where = tuple(
        wide if axis in plan.axes else slice(span.start, span.stop, span.step)
        for axis, (span, wide) in enumerate(zip(box, block.grown, strict=True))
    )
    return block, where
