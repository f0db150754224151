"""The part of a report that one block gives, and how parts are joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.border import border_index
from napari_usm._filters.dtypes import Array, rounded
from napari_usm._filters.fused.planes import Planes, span
from napari_usm._filters.local_range import beyond_range, local_range
from napari_usm._kernels.tally import tally_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_usm._engine.blocks import Block
    from napari_usm._engine.plan import Limits, Plan


@dataclass(frozen=True)
class Tally:
    """The part of a report that one block, or several, give."""

    below: NDArray[np.int64]
    above: NDArray[np.int64]
    limited: int
    over: float
    under: float
    over_sum: float
    under_sum: float
    change_sum: float
    pixels: int

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.below + other.below,
            self.above + other.above,
            self.limited + other.limited,
            max(self.over, other.over),
            max(self.under, other.under),
            self.over_sum + other.over_sum,
            self.under_sum + other.under_sum,
            self.change_sum + other.change_sum,
            self.pixels + other.pixels,
        )


def tally(
    plan: Plan,
    grown: Array,
    block: Block,
    edge_map: Array,
    amount: Any,
    limits: Limits,
    result: Array,
    all_valid: bool,
) -> Tally:
    """Count over one block: `grown` has neighbours, the others are its core.

    If `all_valid`, a kernel has met no invalid pixel in the block.
    """
    # A constant border need not be of the image's type.
    held = plan.stored is not None and plan.method.mode != "constant"
    if held and isinstance(amount, float):
        return _in_one_pass(
            plan, grown, block, edge_map, amount, limits, result, all_valid
        )
    return _step_by_step(plan, grown, block, edge_map, amount, limits, result)


def _in_one_pass(
    plan: Plan,
    grown: Array,
    block: Block,
    edge_map: Array,
    amount: float,
    limits: Limits,
    result: Array,
    all_valid: bool,
) -> Tally:
    assert plan.stored is not None
    deep, down, across = _tally_axes(plan)
    ranges = local_range(grown, deep, plan.method.mode, plan.method.cval, all_valid)
    image, lowest, highest, output = (
        _with_front(a, plan.stored) for a in (grown, *ranges, result)
    )
    edges = _with_front(edge_map, np.dtype(np.float32))
    source, to = (Planes(a.shape, down, across) for a in (image, output))
    above, below = _neighbours(plan, image.shape, down)
    before, after = _neighbours(plan, image.shape, across)
    ends = (image.shape[across], int(before[0]), int(after[-1]))
    inner = [slice(0, 1), *block.inner]
    core = [slice(0, length) for length in output.shape]
    channels, apart, channel_axis = 1, 1, None
    if plan.channel_axis is not None:
        channel_axis = plan.channel_axis + 1
        channels, apart = output.shape[channel_axis], to.distance(channel_axis)
    # Channels behind the columns are side by side in a row; else planes have one each.
    mixed = channel_axis is not None and channel_axis > across
    numbers = plan.finish(amount, limits).numbers(plan.stored)
    bounds = _bounds(plan.stored, limits)
    clipped, sums = np.zeros((channels, 2, 1), np.int64), np.zeros(6)
    for place, begin in source.cores(inner, to, core):
        cut = np.zeros((2, channels if mixed else 1), np.int64)
        tally_plane(
            image.reshape(-1),
            lowest.reshape(-1),
            highest.reshape(-1),
            (source.offset(place, source.others), source.stride, source.step),
            above,
            below,
            ends,
            (*span(inner[down]), *span(inner[across])),
            output.reshape(-1),
            edges.reshape(-1),
            (begin, to.stride),
            cut.shape[1],
            apart,
            numbers,
            bounds,
            cut,
            sums,
        )
        if mixed or channel_axis is None:
            clipped += cut.T[:, :, np.newaxis]
        else:
            clipped[place[source.others.index(channel_axis)]] += cut
    most_over, most_under, over_sum, under_sum, change_sum, counted = sums.tolist()
    return Tally(
        clipped[:, 0, 0],
        clipped[:, 1, 0],
        result.size // channels,
        most_over,
        most_under,
        over_sum,
        under_sum,
        change_sum,
        int(counted),
    )


def _tally_axes(plan: Plan) -> tuple[list[int], int, int]:
    """Axes before the last two that are filtered; rows and columns for the kernel.

    The latter are of arrays with an axis in front of all others. Rows need not be
    filtered, but channels are no rows.
    """
    *deep, across = sorted(plan.axes)
    if deep:
        return deep[:-1], deep[-1] + 1, across + 1
    down = across - 1
    return [], 0 if down == plan.channel_axis else down + 1, across + 1


def _bounds(dtype: np.dtype[Any], limits: Limits) -> tuple[Any, Any] | None:
    """Return the largest integer that may be cut off below, and the smallest above."""
    if dtype.kind == "f":
        return None
    return dtype.type(np.ceil(limits[0])), dtype.type(np.floor(limits[1]))


def _neighbours(
    plan: Plan, shape: tuple[int, ...], axis: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices before and after each, or each itself if not filtered."""
    if axis - 1 not in plan.axes:
        same = border_index(shape[axis], 0, plan.method.mode)
        return same, same
    index = border_index(shape[axis], 1, plan.method.mode)
    return index[:-2], index[2:]


def _with_front(values: Array, dtype: np.dtype[Any]) -> Array:
    """Contiguous and writeable, of this type, with an axis in front."""
    values = np.ascontiguousarray(values)[np.newaxis]
    if values.dtype != dtype:
        values = (
            values.view(dtype) if values.dtype.kind == "b" else values.astype(dtype)
        )
    return values if values.flags.writeable else values.copy()


@np.errstate(over="ignore", invalid="ignore")
def _step_by_step(
    plan: Plan,
    grown: Array,
    block: Block,
    edge_map: Array,
    amount: Array | float,
    limits: Limits,
    result: Array,
) -> Tally:
    colours = plan.colours.visible(grown)
    inner = plan.colours.signal_slices(block.inner)
    core = colours[inner]
    raw = plan.colours.unlimited(core, edge_map, amount)
    valid = np.isfinite(raw)
    shown = rounded(raw, plan.result)
    others = tuple(a for a in range(raw.ndim) if a != plan.channel_axis)
    below = np.count_nonzero(valid & (shown < limits[0]), axis=others)
    above = np.count_nonzero(valid & (shown > limits[1]), axis=others)

    after = result.astype(np.float64)
    if plan.method.alpha:
        assert plan.channel_axis is not None
        after = np.delete(after, -1, plan.channel_axis)
    ranges = local_range(colours, plan.axes, plan.method.mode, plan.method.cval)
    lowest, highest = (each[inner] for each in ranges)
    return Tally(
        np.atleast_1d(below),
        np.atleast_1d(above),
        raw.size // np.size(below),
        *beyond_range(core, after, lowest, highest),
    )
