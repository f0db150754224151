"""The part of a report that one block gives, and how parts are joined."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.filters.dtypes import Array, rounded
from napari_usm.filters.one_pass import Finish
from napari_usm.kernels.tally import tally_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_usm.run.blocks import Block, Slices
    from napari_usm.run.plan import Limits, Plan


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
) -> Tally:
    """Count over one block: `grown` has neighbours, the others are its core."""
    # A constant border need not be of the image's type.
    held = plan.stored is not None and plan.method.mode != "constant"
    if held and isinstance(amount, float):
        return _in_one_pass(plan, grown, block, edge_map, amount, limits, result)
    return _step_by_step(plan, grown, block, edge_map, amount, limits, result)


def _in_one_pass(
    plan: Plan,
    grown: Array,
    block: Block,
    edge_map: Array,
    amount: float,
    limits: Limits,
    result: Array,
) -> Tally:
    assert plan.stored is not None
    channels, inner = 1, result.size
    if plan.channel_axis is not None:
        channels = result.shape[plan.channel_axis]
        inner = math.prod(result.shape[plan.channel_axis + 1 :])
    arrays = (grown[block.inner], result, edge_map)
    finish = Finish(amount, limits, plan.method.mode, plan.method.cval)
    clipped = np.zeros((2, channels), np.int64)
    found = np.zeros(6)
    tally_pixels(
        *(_flat(a, plan.stored) for a in arrays[:2]),
        _flat(edge_map, np.dtype(np.float32)),
        *(_flat(a[block.inner], plan.stored) for a in _local_range(plan, grown)),
        channels,
        inner,
        finish.numbers(plan.stored, 0.0, False),
        clipped,
        found,
    )
    over, under, over_sum, under_sum, change_sum, pixels = found.tolist()
    return Tally(
        clipped[0],
        clipped[1],
        result.size // channels,
        over,
        under,
        over_sum,
        under_sum,
        change_sum,
        int(pixels),
    )


def _flat(values: Array, dtype: np.dtype[Any]) -> Array:
    flat: Array = np.ascontiguousarray(values).reshape(-1)
    if flat.dtype != dtype:
        flat = flat.view(dtype) if flat.dtype.kind == "b" else flat.astype(dtype)
    return flat if flat.flags.writeable else flat.copy()


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
    colours, _ = plan.split(grown)
    inner = plan.whole_channels(block.inner)
    core = colours[inner]
    raw = plan.unlimited(core, edge_map, amount)
    valid = np.isfinite(raw)
    shown = rounded(raw, plan.result)
    others = tuple(a for a in range(raw.ndim) if a != plan.channel_axis)
    below = np.count_nonzero(valid & (shown < limits[0]), axis=others)
    above = np.count_nonzero(valid & (shown > limits[1]), axis=others)

    after = result.astype(np.float64)
    if plan.method.alpha:
        assert plan.channel_axis is not None
        after = np.delete(after, -1, plan.channel_axis)
    lowest, highest = _local_range(plan, colours)
    over = np.maximum(after - highest[inner], 0)
    under = np.maximum(lowest[inner] - after, 0)
    counted = np.isfinite(core) & np.isfinite(after)
    return Tally(
        np.atleast_1d(below),
        np.atleast_1d(above),
        raw.size // np.size(below),
        float(np.max(over, where=counted, initial=0)),
        float(np.max(under, where=counted, initial=0)),
        float(np.sum(over, where=counted)),
        float(np.sum(under, where=counted)),
        float(np.sum(after - core, where=counted)),
        int(np.count_nonzero(counted)),
    )


def _local_range(plan: Plan, colours: Array) -> tuple[Array, Array]:
    """Smallest and largest valid value of the 3-wide neighbourhood of each pixel."""
    lowest = highest = colours
    if colours.dtype.kind == "f" and not (valid := np.isfinite(colours)).all():
        lowest = np.where(valid, colours, np.inf)
        highest = np.where(valid, colours, -np.inf)
    mode, cval = plan.method.mode, plan.method.cval
    for axis in plan.axes:
        lowest = _spread(lowest, np.minimum, axis, mode, cval)
        highest = _spread(highest, np.maximum, axis, mode, cval)
    return lowest, highest


def _spread(values: Array, extreme: Any, axis: int, mode: str, cval: float) -> Array:
    """The extreme of each pixel and its two neighbours along an axis.

    The other borders repeat a pixel that is a neighbour already.
    """
    first, last, all_but_first, all_but_last = (
        (*(slice(None),) * axis, span)
        for span in (slice(1), slice(-1, None), slice(1, None), slice(-1))
    )
    result = values.copy()
    pairs: list[tuple[Slices, Any]] = [
        (all_but_first, values[all_but_last]),
        (all_but_last, values[all_but_first]),
    ]
    if mode == "wrap":
        pairs += [(first, values[last]), (last, values[first])]
    elif mode == "constant":
        pairs += [(first, cval), (last, cval)]
    for here, neighbour in pairs:
        extreme(result[here], neighbour, out=result[here])
    return result
