"""A method on the part of an image that is asked for, under parameters that change.

Whatever part it is, its pixels are those of the whole result, to the last bit. The
detail of the last parts is kept: while nothing but strength, threshold or limits
change, nothing is filtered anew.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.kernels.finish_plane import finish_pixels
from napari_usm.run import report, reuse
from napari_usm.run.blocks import BLOCK, PART, Block, cut, grown, parts_of
from napari_usm.run.eager import (
    edge_map_of,
    in_one_pass,
    local_amount,
    whole_axes,
    worth_threads,
)
from napari_usm.run.fork import renew_in_child
from napari_usm.run.tally import Tally, tally
from napari_usm.run.threads import all_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from napari_usm.filters.dtypes import Array
    from napari_usm.filters.threshold import Threshold
    from napari_usm.methods.method import Constants
    from napari_usm.run.blocks import Slices
    from napari_usm.run.plan import Limits, Plan

    _Key = tuple[Hashable, ...]

Box = tuple[range, ...]

# How much larger a single part may be than all that is kept otherwise.
_ALONE = 4


@dataclass(frozen=True)
class Settled:
    """A plan, and what was found in the image.

    Attributes
    ----------
    plan : Plan
        The method, made ready for the image.
    constants, limits
        What a first stage found.
    sample : tuple of int, optional
        Shape of the part that was looked at, where the image is too large.
    """

    plan: Plan
    constants: Constants
    limits: Limits
    sample: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Detail:
    """What is kept of a part of an image.

    Attributes
    ----------
    region : Block
        Where it lies, among the pixels that were read for it.
    near : array
        Those pixels: its own and their neighbours.
    image : array
        Its own, in a row.
    detail : array
        Their detail before any threshold, in the working type.
    fits : bool
        Whether a kernel can finish it: there is one, and all pixels are valid.
    """

    region: Block
    near: Array
    image: Array
    detail: Array
    fits: bool

    @property
    def nbytes(self) -> int:
        """Bytes of all."""
        own = 0 if np.may_share_memory(self.near, self.image) else self.image.nbytes
        return self.near.nbytes + own + self.detail.nbytes


class DetailCache:
    """The parts that were used last, in a limited number of bytes; for any thread.

    A single part may be larger: the others then go, for a plane that does not fit is
    the one that is most tedious to filter anew.
    """

    def __init__(self, nbytes: int) -> None:
        self._free = self._nbytes = nbytes
        self._kept: OrderedDict[_Key, Detail] = OrderedDict()
        # Garbage that is collected in the middle of all this may call `drop`.
        self._lock = threading.RLock()
        renew_in_child(self)

    def renew(self) -> None:
        """Drop everything, in a process that was forked."""
        self._lock = threading.RLock()
        self._kept.clear()
        self._free = self._nbytes

    def get(self, key: _Key) -> Detail | None:
        """What is kept under a key, now the last that was used."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: _Key, found: Detail) -> None:
        """Keep this, and let go of what has not been used for longest."""
        with self._lock:
            if found.nbytes > _ALONE * self._nbytes or key in self._kept:
                return
            self._kept[key] = found
            self._free -= found.nbytes
            while self._free < 0 and len(self._kept) > 1:
                self._free += self._kept.popitem(last=False)[1].nbytes

    def drop(self, mark: object) -> None:
        """Keep nothing whose key begins like this."""
        with self._lock:
            for key in list(self._kept):
                if key[0] is mark and key in self._kept:
                    self._free += self._kept.pop(key).nbytes


class LiveImage:
    """Pixels that parts are sharpened of, and the detail of the last of them.

    Parameters
    ----------
    pixels : array-like
        Of numpy, a memory map, zarr or dask: read only where a part needs it.
    cache : DetailCache
        For its parts, among those of others.
    """

    def __init__(self, pixels: Any, cache: DetailCache) -> None:
        self.pixels = pixels
        self._cache = cache
        # One image's parts are no other's, and go with it.
        self._mark = object()
        weakref.finalize(self, cache.drop, self._mark).atexit = False
        self._last: tuple[Slices, Array] | None = None

    def read(self, where: Slices) -> Array:
        """Pixels of the image; not read again if they were read last.

        While a sigma changes, the same plane is needed again and again.
        """
        last = self._last
        if last is not None and last[0] == where:
            return last[1]
        pixels = np.asarray(self.pixels[where])
        self._last = where, pixels
        return pixels

    def is_kept(self, settled: Settled, box: Box) -> bool:
        """Whether nothing needs to be filtered for a part."""
        return self._cache.get(self._key(settled, box)) is not None

    def detail(self, settled: Settled, box: Box) -> Detail:
        """What both are made of."""
        key = self._key(settled, box)
        found = self._cache.get(key)
        if found is None:
            estimate = _at(settled, settled.constants.estimate, box)
            found = detail_of(settled.plan, self.read, box, estimate)
            self._cache.put(key, found)
        return found

    def image(self, settled: Settled, box: Box) -> Array:
        """The result of a part."""
        plan, amount = settled.plan, settled.constants.amount
        key = self._key(settled, box)
        found = self._cache.get(key)
        if found is None:
            finish = None
            estimate = _at(settled, settled.constants.estimate, box)
            at_once = plan.one_pass(estimate) is not None
            if at_once and not plan.method.thresholding and isinstance(amount, float):
                result = reuse.empty([len(made) for made in box], plan.result)
                finish = Finish(amount, settled.limits, result)
            found = detail_of(plan, self.read, box, estimate, finish)
            self._cache.put(key, found)
            if finish is not None and found.fits:
                return finish.result
        return finished_image(settled, found, box)

    def _key(self, settled: Settled, box: Box) -> _Key:
        plan = settled.plan
        estimate = _at(settled, settled.constants.estimate, box)
        known = None if estimate is None else estimate.tobytes()
        # By its text: a sigma may be a list.
        method = repr(plan.unfinished.method)
        return self._mark, method, plan.dtype, plan.axes, box, known


@dataclass(frozen=True)
class Finish:
    """What to make of detail in the pass that filters, and where to put it.

    If the detail does not fit, what is put there is of no use.
    """

    amount: float
    limits: Limits
    result: Array


def detail_of(
    plan: Plan,
    read: Callable[[Slices], Array],
    box: Box,
    estimate: Array | None = None,
    finish: Finish | None = None,
) -> Detail:
    """Read a box with its neighbours, and filter it by what was found for it.

    Finish it too if that is asked.
    """
    plan = plan.unfinished
    amount, limits, result = 0.0, plan.limits, None
    if finish is not None:
        amount, limits, result = finish.amount, finish.limits, finish.result
    region, shape = _region(plan, box)
    pixels = read(_where(plan, box, region))
    lengths = tuple(span.stop - span.start for span in region.grown)
    if pixels.shape != lengths or pixels.dtype.newbyteorder("=") != plan.dtype:
        raise ValueError(
            f"`image` must stay as it was, {plan.shape} of {plan.dtype}; a part of it "
            f"came as {pixels.shape} of {pixels.dtype}, not {lengths}"
        )
    image = np.require(pixels[region.inner], plan.dtype, ["C", "W"])
    detail = reuse.empty(_detail_shape(plan, image.shape), plan.working)
    whole = whole_axes(plan)
    count = worth_threads(image.size)
    size = min(BLOCK, -(-image.size // count))
    parts = list(parts_of(region, shape, plan.halo, plan.grid, whole, size))

    def work(item: tuple[Block, Slices]) -> bool:
        part, place = item
        spot = Block(_less(part.core, region.core), part.grown, part.inner)
        near = pixels[place]
        if in_one_pass(plan, near, spot, estimate, amount, limits, result, detail):
            return True
        for small, there in parts_of(part, shape, plan.halo, plan.grid, whole):
            core = _less(small.core, region.core)
            own, to = replace(small, core=core), plan.whole_channels(core)
            detail[to] = edge_map_of(plan, near[there], own, estimate)
        return False

    fits = all(all_of(work, parts, count))
    detail.flags.writeable = False
    return Detail(region, pixels, image, detail, fits)


def finished_image(settled: Settled, found: Detail, box: Box) -> Array:
    """The result from what is kept."""
    plan, constants, limits = settled.plan, settled.constants, settled.limits
    result = reuse.empty(found.image.shape, plan.result)
    amount = _at(settled, constants.amount, box)
    noise = _at(settled, constants.noise, box)
    threshold = plan.threshold(noise)
    if _is_for_kernel(plan, found, threshold) and isinstance(amount, float):
        _finish(plan, found, threshold, amount, limits, result, None)
        return result

    def work(part: Block) -> None:
        own = local_amount(plan, amount, part)
        edge_map = _edge_map(plan, found, part.core, noise)
        result[part.core] = plan.combine(found.image[part.core], edge_map, own, limits)

    parts = cut(result.shape, {}, {}, whole_axes(plan), PART)
    all_of(work, parts, worth_threads(result.size))
    return result


def finished_edge_map(settled: Settled, found: Detail, box: Box) -> Array:
    """The edge map, as it is given back, from what is kept."""
    plan, detail = settled.plan, found.detail
    noise = _at(settled, settled.constants.noise, box)
    threshold = plan.threshold(noise)
    if _is_for_kernel(plan, found, threshold):
        if not threshold:
            return detail
        edges = reuse.empty(detail.shape, np.float32)
        _finish(plan, found, threshold, 0.0, settled.limits, None, edges)
        return edges
    return plan.public_edge_map(plan.thresholded(detail, found.image, noise))


def finished_significance(settled: Settled, found: Detail, box: Box) -> Array:
    """Detail in units of its own noise, as it is given back, from what is kept."""
    plan = settled.plan
    noise = _at(settled, settled.constants.noise, box)
    if noise is None:
        raise ValueError("the noise was not looked for")
    result = np.empty(plan.edge_slices(found.image.shape), np.float32)

    def work(part: Block) -> None:
        detail = found.detail[plan.whole_channels(part.core)]
        own = noise[plan.kept_slices(part.core)]
        made = plan.significance(detail, found.image[part.core], own)
        result[plan.edge_slices(part.core)] = made

    parts = cut(found.image.shape, {}, {}, whole_axes(plan), PART)
    all_of(work, parts, worth_threads(result.size))
    return result


def report_of(settled: Settled, found: Detail, box: Box, name: str) -> report.Report:
    """What the method does to what is kept."""
    plan = settled.plan
    amount = _at(settled, settled.constants.amount, box)
    noise = _at(settled, settled.constants.noise, box)
    result = finished_image(settled, found, box)
    region, shape = _region(plan, box)

    def work(item: tuple[Block, Slices]) -> Tally:
        part, place = item
        own = _less(part.core, region.core)
        edge_map = _edge_map(plan, found, own, noise)
        strength = local_amount(plan, amount, replace(part, core=own))
        near, made = found.near[place], result[own]
        return tally(plan, near, part, edge_map, strength, settled.limits, made)

    parts = list(parts_of(region, shape, plan.halo, plan.grid, whole_axes(plan)))
    tallies = all_of(work, parts, worth_threads(result.size))
    sample = found.image[report.sample_slices(replace(plan, shape=found.image.shape))]
    return report.finish(plan, name, settled.constants, tallies, sample)


def _edge_map(plan: Plan, found: Detail, core: Slices, noise: Array | None) -> Array:
    """Edge map of a part of what is kept; `noise` is that of all of it."""
    if noise is not None:
        noise = noise[plan.kept_slices(core)]
    detail = found.detail[plan.whole_channels(core)]
    return plan.thresholded(detail, found.image[core], noise)


def _at(settled: Settled, constants: Any, box: Box) -> Any:
    """The constants that belong to a box, where there is more than one."""
    if constants is None or isinstance(constants, float):
        return constants
    at = tuple(slice(made.start, made.stop, made.step) for made in box)
    return constants[settled.plan.kept_slices(at)]


def _is_for_kernel(plan: Plan, found: Detail, threshold: Threshold) -> bool:
    """Whether the kernel takes what is kept."""
    return found.fits and plan.stored is not None and threshold.is_one


def _finish(
    plan: Plan,
    found: Detail,
    threshold: Threshold,
    amount: float,
    limits: Limits,
    result: Array | None,
    edges: Array | None,
) -> None:
    """Let the kernel do the rest, on threads."""
    assert plan.stored is not None
    image = found.image.view(plan.stored).reshape(-1)
    to = np.empty(0, plan.stored) if result is None else result.view(plan.stored)
    edge_row = np.empty(0, np.float32) if edges is None else edges
    numbers = plan.finish(amount, limits, threshold).numbers(plan.stored)
    count = worth_threads(image.size)
    size = -(-image.size // count)

    def work(first: int) -> None:
        span = first, min(first + size, image.size)
        finish_pixels(
            image,
            found.detail.reshape(-1),
            span,
            to.reshape(-1),
            edge_row.reshape(-1),
            numbers,
        )

    all_of(work, range(0, image.size, size), count)


def _region(plan: Plan, box: Box) -> tuple[Block, list[int]]:
    """A box with its neighbours, and the shape of the image that it is cut from.

    Along axes that are not filtered, where a box may have gaps, that image is what
    the box has.
    """
    core, shape = [], []
    for axis, made in enumerate(box):
        filtered = axis in plan.axes
        core.append(slice(made.start, made.stop) if filtered else slice(0, len(made)))
        shape.append(plan.shape[axis] if filtered else len(made))
    return grown(core, shape, plan.halo, plan.grid), shape


def _where(plan: Plan, box: Box, region: Block) -> Slices:
    """What to read of the image."""
    return tuple(
        near if axis in plan.axes else slice(made.start, made.stop, made.step)
        for axis, (made, near) in enumerate(zip(box, region.grown, strict=True))
    )


def _detail_shape(plan: Plan, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of the detail of a box: as many channels as signals."""
    if plan.channel_axis is None:
        return shape
    colours = shape[plan.channel_axis] - plan.method.alpha
    signals = colours if plan.color == "channels" else 1
    return (
        *shape[: plan.channel_axis],
        signals,
        *shape[plan.channel_axis + 1 :],
    )


def _less(spans: Slices, begins: Slices) -> Slices:
    """Where spans are, counted from where others begin."""
    return tuple(
        slice(span.start - begin.start, span.stop - begin.start)
        for span, begin in zip(spans, begins, strict=True)
    )
