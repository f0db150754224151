"""One block of an image: the only place where pixels of a result are computed.

A block comes with the neighbours that the filter needs. Where a fused kernel takes it,
one pass goes from the stored pixels to result and edge map. Else it is cut into parts
that fit into a cache, and each step leaves an array.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_usm._engine.blocks import PART, Block, offset, parts_of
from napari_usm._engine.cache import Cache
from napari_usm._engine.colours import QUIET
from napari_usm._engine.tally import Tally, tally
from napari_usm._filters.fused.base import Layout
from napari_usm._filters.fused.bound import NO_FILTER, BoundFilter
from napari_usm._filters.fused.planes import is_in_rows, strides_of
from napari_usm._filters.overflow import is_flat_and_large, saturated
from napari_usm._filters.threshold import significance
from napari_usm._kernels.finish_plane import finish_pixels

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from napari_usm._engine.blocks import Slices
    from napari_usm._engine.plan import FittedPlan, Plan
    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.base import OnePass

_NONE = np.empty(0, np.float32)

# Bytes of the arguments of bound filters that are kept: those of a thousand layouts of
# planes of a usual size.
_BOUND_BYTES = 2**24
_bounds: Cache[Hashable, BoundFilter] = Cache(
    _BOUND_BYTES, lambda bound: 2**12 + bound.nbytes
)


class Output(StrEnum):
    """An array that can be computed."""

    IMAGE = "image"
    EDGE_MAP = "edge_map"
    SIGNIFICANCE = "significance"


class Parts(NamedTuple):
    """Arrays that the outputs of a block are written to; None if they are not wanted.

    Attributes
    ----------
    place : tuple of slice
        The block's core in `image`, and in a source of its shape.
    image : array, optional
        Of the type of the result.
    edge_map, significance : array, optional
        Of float32, without an axis for the channels where these are mixed.
    detail : array, optional
        Edge map before the threshold, of the shape and type of the filtered signal.
    """

    place: Slices
    image: Array | None = None
    edge_map: Array | None = None
    significance: Array | None = None
    detail: Array | None = None


@dataclass(frozen=True)
class Detail:
    """Detail of a block's core that was computed before.

    Attributes
    ----------
    values : array
        As in `Parts`.
    is_valid : bool
        Whether a fused kernel made it: all pixels are finite.
    """

    values: Array
    is_valid: bool


class Done(NamedTuple):
    """A block that has been computed.

    Attributes
    ----------
    fused : bool
        Whether a fused kernel did all of it.
    counts : Tally, optional
        Statistics for the report.
    """

    fused: bool
    counts: Tally | None = None


def room(plan: Plan, shape: tuple[int, ...], *outputs: Output) -> Parts:
    """Return new arrays for some outputs of a block with a core of this shape."""
    edge_shape = plan.colours.edge_slices(shape)
    arrays = {
        output.value: np.empty(shape, plan.result)
        if output is Output.IMAGE
        else np.empty(edge_shape, np.float32)
        for output in outputs
    }
    return Parts(tuple(slice(0, length) for length in shape), **arrays)


def process(
    fitted: FittedPlan,
    pixels: Array,
    block: Block,
    parts: Parts,
    *,
    detail: Detail | None = None,
    weight: Array | None = None,
    counts: bool = False,
) -> Done:
    """Compute the outputs of one block.

    Parameters
    ----------
    fitted : FittedPlan
        The method, and the constants of the image that `block` is cut from.
    pixels : array
        The block with its neighbours; without them if `detail` is given and no counts
        are wanted.
    block : Block
        Its place in the image, and its core in `pixels`.
    parts : Parts
        Where the outputs go; counts need image and edge map.
    detail : Detail, optional
        Skips the filter.
    weight : array, optional
        Factor of the edge map at each pixel of the core, which has no channel axis.
    counts : bool
        Whether to return statistics for the report.
    """
    if parts.significance is not None:
        _compute_significance(fitted, pixels, block, parts, detail)
    if parts.image is None and parts.edge_map is None and parts.detail is None:
        return Done(fused=True)
    if weight is not None and detail is None:
        detail = _detail_of(fitted, pixels, block)
    if detail is None:
        fused = _filter_fused(fitted, pixels, block, parts)
        if not fused and _is_filtered_alone(fitted, parts):
            detail = _detail_of(fitted, pixels, block)
    else:
        usable = detail.is_valid and weight is None
        fused = usable and _finish_fused(fitted, pixels, block, parts, detail)
    if fused and not counts:
        return Done(fused)
    steps = _steps(fitted, pixels, block, parts, detail, weight, fused)
    if not counts:
        for _ in steps:
            pass
        return Done(fused)
    tallies = [
        _count(fitted, padded, part, edge_map, parts.image[place], fused)
        for padded, part, edge_map, place in steps
        if parts.image is not None
    ]
    return Done(fused, reduce(Tally.__add__, tallies))


@QUIET
def edge_map_of_signal(
    plan: Plan,
    signal: Array,
    estimate: Array | None,
    noise: Array | None,
    opacity: Array | None = None,
) -> Array:
    """Return the edge map of a signal, in its type, neighbours included."""
    method = plan.method
    detail = method.detail(signal, plan.axes, estimate, opacity)
    if not np.isfinite(detail).all():
        detail = saturated(detail, detail.dtype)
    reach = (
        method.reach(plan.axes)
        if estimate is None
        else method.reach_of(estimate, plan.axes)
    )
    around = {
        axis: signal.shape[axis] if distance is None else distance
        for axis, distance in zip(plan.axes, reach, strict=True)
    }
    flat = is_flat_and_large(signal, around, method.mode, float(method.cval))
    if flat is not None:
        detail = np.where(flat, 0, detail)
    return plan.threshold(noise).of(detail, signal)


def _steps(
    fitted: FittedPlan,
    pixels: Array,
    block: Block,
    parts: Parts,
    detail: Detail | None,
    weight: Array | None,
    fused: bool,
) -> Iterator[tuple[Array, Block, Array, Slices]]:
    """Compute a block in parts, step by step, unless a kernel has done so.

    Yields
    ------
    tuple
        A part with its neighbours, its block, its edge map in the working type, and
        its place in the outputs.
    """
    plan = fitted.plan
    colours = plan.colours
    whole = plan.whole_axes
    # Counting leaves no arrays behind, at least not of planes.
    size = math.prod(block.shape) if fused and len(plan.axes) < 3 else PART
    for part, place in parts_of(block, plan.halo, plan.grid, whole, size):
        padded = pixels[place]
        to = offset(part.core, block.core, parts.place)
        if fused:
            assert parts.edge_map is not None
            yield padded, part, parts.edge_map[to], to
            continue
        # Where the detail is known there may be no neighbours.
        core = pixels[offset(part.core, block.core, block.inner)]
        if detail is None:
            edge_map = _edge_map(fitted, padded, part)
        else:
            inside = offset(part.core, block.core)
            values = detail.values[colours.signal_slices(inside)]
            edge_map = _thresholded(fitted, values, core, part)
            if weight is not None:
                local = weight[colours.plain_slices(inside)]
                edge_map = colours.weighted(edge_map, local)
        if parts.detail is not None:
            parts.detail[colours.signal_slices(to)] = edge_map
        if parts.edge_map is not None:
            edges = colours.public_edge_map(edge_map)
            parts.edge_map[colours.edge_slices(to)] = edges
        if parts.image is not None:
            parts.image[to] = _combined(fitted, core, edge_map, part)
        yield padded, part, edge_map, to


def _edge_map(fitted: FittedPlan, padded: Array, block: Block) -> Array:
    """Return the edge map of the core of a block, in the working type."""
    plan, inner = fitted.plan, block.inner
    noise, estimate = fitted.noise_of(block.core), fitted.estimate_of(block.core)
    if estimate is not None:
        spans = _needed(plan, padded, inner, estimate)
        padded, inner = padded[spans], offset(inner, spans)
    signal = plan.colours.visible_signal(padded)
    opacity = plan.colours.opacity(padded)
    edge_map = edge_map_of_signal(plan, signal, estimate, noise, opacity)
    return edge_map[plan.colours.signal_slices(inner)]


def _needed(plan: Plan, padded: Array, inner: Slices, estimate: Array) -> Slices:
    """Return the part of a block that is needed once the estimate is known."""
    reach = dict(zip(plan.axes, plan.method.reach_of(estimate, plan.axes), strict=True))
    return tuple(
        slice(max(0, core.start - n), min(length, core.stop + n))
        if plan.halo.get(axis) is not None and (n := reach[axis]) is not None
        else slice(0, length)
        for axis, (core, length) in enumerate(zip(inner, padded.shape, strict=True))
    )


@QUIET
def _thresholded(fitted: FittedPlan, detail: Array, core: Array, block: Block) -> Array:
    """Return the edge map of a block from its detail."""
    threshold = fitted.plan.threshold(fitted.noise_of(block.core))
    # Only noise follows the intensity.
    signal = fitted.plan.colours.signal(core) if threshold.in_noise else detail
    return threshold.of(detail, signal)


def _combined(fitted: FittedPlan, core: Array, edge_map: Array, block: Block) -> Array:
    """Return the result of a block from its edge map, by the fused kernel if it can."""
    plan, limits = fitted.plan, fitted.limits
    amount = fitted.amount_of(block.core)
    stored = plan.stored
    if stored is None or not isinstance(amount, float) or not _is_finite(core):
        return plan.colours.combine(core, edge_map, amount, limits)
    image = np.require(core, plan.dtype, ["C", "W"])
    detail = np.ascontiguousarray(edge_map).reshape(-1)
    # As that of live results, which the kernel is compiled for.
    detail.flags.writeable = False
    result = np.empty(image.shape, plan.result)
    finish_pixels(
        image.view(stored).reshape(-1),
        detail,
        (0, image.size),
        result.view(stored).reshape(-1),
        _NONE,
        plan.finish(amount, limits).numbers(stored),
    )
    return result


def _is_finite(pixels: Array) -> bool:
    return pixels.dtype.kind != "f" or bool(np.isfinite(pixels).all())


def _filter_fused(
    fitted: FittedPlan, pixels: Array, block: Block, parts: Parts
) -> bool:
    """Filter and finish a block by one kernel; return whether there is one for it."""
    one_pass, numbers = fitted.one_pass, fitted.numbers
    if one_pass is None or numbers is None:
        return False
    plan, behind = fitted.plan, fitted.behind
    if behind < pixels.ndim:
        pixels, block = _without_neighbours(pixels, block, behind)
    flags = pixels.flags
    usable = flags.writeable and pixels.dtype.isnative
    in_rows = flags.c_contiguous or is_in_rows(pixels, behind - 1)
    if not usable or not in_rows:
        pixels = np.array(pixels, plan.dtype, order="C")
    image = parts.image
    # They differ by the threshold only; one of them is wanted.
    edges = parts.edge_map if parts.detail is None else parts.detail
    if plan.dtype.kind == "b":
        pixels = pixels.view(np.uint8)
        image = None if image is None else image.view(np.uint8)
    target = edges if image is None else image
    assert target is not None
    bound = _bound(one_pass, plan.border, pixels, block, target.shape)
    begin = 0
    for span, step in zip(parts.place, target.strides, strict=True):
        begin += span.start * step
    return bound(
        pixels,
        np.empty(0, pixels.dtype) if image is None else image,
        _NONE if edges is None else edges,
        begin // target.itemsize,
        numbers,
    )


def _without_neighbours(pixels: Array, block: Block, first: int) -> tuple[Array, Block]:
    """Return a block with no neighbours from an axis on: rows of a kernel go there."""
    inner = block.inner[first:]
    if all(
        span == slice(0, n) for span, n in zip(inner, pixels.shape[first:], strict=True)
    ):
        return pixels, block
    whole = tuple(slice(0, n) for n in block.shape[first:])
    grown = block.grown[:first] + block.core[first:]
    block = Block(block.core, grown, block.inner[:first] + whole)
    return pixels[(slice(None),) * first + inner], block


def _bound(
    one_pass: OnePass,
    border: tuple[str, float, str],
    pixels: Array,
    block: Block,
    target: tuple[int, ...],
) -> BoundFilter:
    """Return a filter with its arguments for such blocks, from the cache if it can."""
    key = (
        one_pass,
        border,
        pixels.dtype,
        pixels.shape,
        pixels.strides,
        block.ends,
        target,
    )
    bound = _bounds.get(key)
    if bound is None:
        mode, cval, _ = border
        layout = Layout(
            pixels.shape,
            strides_of(pixels),
            pixels.dtype,
            block.inner,
            target,
            mode,
            cval,
        )
        bound = _bind(one_pass, layout)
        _bounds.put(key, bound)
    return bound


def _bind(one_pass: OnePass, layout: Layout) -> BoundFilter:
    for axis in range(one_pass.last_axis(len(layout.shape)) + 1, len(layout.shape)):
        if layout.target[axis] != layout.shape[axis]:
            return NO_FILTER  # rows of the kernel go through these axes
    return one_pass.bind(layout) or NO_FILTER


def can_finish_fused(fitted: FittedPlan) -> bool:
    """Return whether one kernel makes outputs of valid detail."""
    return fitted.numbers is not None


def _finish_fused(
    fitted: FittedPlan, pixels: Array, block: Block, parts: Parts, detail: Detail
) -> bool:
    """Finish detail by one kernel; return whether it could.

    The block must be a contiguous part of the outputs and of `pixels`.
    """
    numbers = fitted.numbers
    if numbers is None:
        return False
    arrays = _rows(fitted.plan, pixels[block.inner], parts, detail.values)
    if arrays is None:
        return False
    image, values, to, edges = arrays
    finish_pixels(image, values, (0, image.size), to, edges, numbers)
    return True


def _rows(
    plan: Plan, core: Array, parts: Parts, detail: Array
) -> tuple[Array, Array, Array, Array] | None:
    """Return source, detail, image and edge map in one dimension, without copies."""
    assert plan.stored is not None
    image = _NONE if parts.image is None else parts.image[parts.place]
    edges = _NONE if parts.edge_map is None else parts.edge_map[parts.place]
    arrays = core, detail, image, edges
    if not all(array.flags.c_contiguous for array in arrays):
        return None
    return (
        core.view(plan.stored).reshape(-1),
        detail.reshape(-1),
        (image.view(plan.stored) if image.size else np.empty(0, plan.stored)).reshape(
            -1
        ),
        edges.reshape(-1),
    )


def _is_filtered_alone(fitted: FittedPlan, parts: Parts) -> bool:
    """Return whether a kernel filters a block that it could not finish in place.

    Where it met an invalid pixel, which only floats have, it does not either.
    """
    if parts.detail is not None or fitted.unfinished.one_pass is None:
        return False
    return fitted.one_pass is None or fitted.plan.dtype.kind != "f"


def _detail_of(fitted: FittedPlan, pixels: Array, block: Block) -> Detail:
    """Return the detail of a block, by a fused kernel where there is one."""
    plan = fitted.plan
    values = np.empty(plan.colours.signal_shape(block.shape), plan.working)
    parts = Parts(tuple(slice(0, length) for length in block.shape), detail=values)
    return Detail(values, process(fitted.unfinished, pixels, block, parts).fused)


@QUIET
def _compute_significance(
    fitted: FittedPlan,
    pixels: Array,
    block: Block,
    parts: Parts,
    detail: Detail | None,
) -> None:
    """Write the size of the detail of a block in units of its noise."""
    plan, to = fitted.plan, parts.significance
    assert to is not None
    if fitted.constants.noise is None:
        raise ValueError("the noise was not estimated")
    colours = plan.colours
    if detail is None:
        detail = _detail_of(fitted, pixels, block)
    for part, _ in parts_of(block, {}, {}, plan.whole_axes):
        inside = offset(part.core, block.core)
        core = pixels[offset(part.core, block.core, block.inner)]
        noise = fitted.noise_of(part.core)
        assert noise is not None
        size = significance(
            detail.values[colours.signal_slices(inside)],
            colours.signal(core),
            plan.detail_noise(noise),
        )
        place = colours.edge_slices(offset(part.core, block.core, parts.place))
        to[place] = colours.public_edge_map(size)


def _count(
    fitted: FittedPlan,
    padded: Array,
    block: Block,
    edge_map: Array,
    result: Array,
    all_valid: bool,
) -> Tally:
    amount: Any = fitted.amount_of(block.core)
    return tally(
        fitted.plan, padded, block, edge_map, amount, fitted.limits, result, all_valid
    )
