"""Statistics of blocks, and their reduction to the constants of an image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._engine.blocks import PART, parts_of
from napari_usm._engine.plan import FittedPlan
from napari_usm._estimate.blur_and_noise import estimated
from napari_usm._estimate.spectrum import window_rows
from napari_usm._methods.base import TOTAL, Join

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from napari_usm._engine.blocks import Block, Slices
    from napari_usm._engine.plan import Limits, Plan
    from napari_usm._estimate.row_sample import RowSample
    from napari_usm._filters.dtypes import Array

    Part = tuple[Block, "Statistics"]


@dataclass(frozen=True)
class Statistics:
    """Statistics of one block, or of all, in one round over the image.

    Attributes
    ----------
    sums : array, optional
        Those of the method, where it has such a round.
    limits : tuple of float, optional
        Smallest and largest value, in the first round of limits by the data.
    windows : array, optional
        Windows for the noise, in the first round of a plan that estimates it.
    """

    sums: Array | None
    limits: Limits | None
    windows: Array | None = None


@dataclass(frozen=True)
class _Signal:
    """The signal of a block, as functions over its pixels take it.

    Attributes
    ----------
    pixels : array
        The signal, with neighbours.
    axes, kept : tuple of int
        Filtered axes, and those along which each index has an estimate.
    core : tuple of slice
        The pixels of the block in it.
    begins : tuple of int
        Where they begin in the image.
    lengths : tuple of int
        Shape of the signal of the image.
    weight : array, optional
        Weight of each pixel by its opacity.
    """

    pixels: Array
    axes: tuple[int, ...]
    kept: tuple[int, ...]
    core: Slices
    begins: tuple[int, ...]
    lengths: tuple[int, ...]
    weight: Array | None

    def call(self, function: Callable[..., Array | None], *more: Any) -> Array | None:
        """Return the result of a function of the signal."""
        here = self.pixels, self.axes, self.kept, self.core, self.begins, self.lengths
        with np.errstate(over="ignore", invalid="ignore"):
            return function(*here, *more, weight=self.weight)


def rounds(plan: Plan) -> int:
    """Return the number of rounds over the image."""
    return max(len(plan.method.rounds), int(plan.needs_estimate))


def statistics_of(
    plan: Plan, grown: Array, block: Block, earlier: Sequence[Statistics]
) -> Statistics:
    """Return the statistics of a block, in the round after the `earlier` ones."""
    sums, limits, windows = None, None, None
    if len(earlier) < len(plan.method.rounds):
        rows = plan.row_sample
        here = (
            _signal_of(plan, grown, block)
            if rows is None
            else _strips_of(plan, rows, grown, block)
        )
        if here is not None:
            indices = plan.estimate_slices(block.core)
            sums_before = [each[indices] for each in _sums(earlier)]
            sums = here.call(plan.method.sums, *sums_before)
        if sums is not None and rows is not None:
            sums = sums.squeeze(rows.axis)
    if plan.finds_noise and not earlier:
        windows = _signal_of(plan, grown, block).call(window_rows)
    if plan.method.limits == "data" and not earlier:
        colours = plan.colours.visible(grown)
        limits = _range(colours[plan.colours.signal_slices(block.inner)])
    return Statistics(sums, limits, windows)


def _signal_of(plan: Plan, grown: Array, block: Block) -> _Signal:
    """Return the signal of a block."""
    pixels = plan.colours.stored_signal(grown)
    core = list(block.inner)
    if plan.channel_axis is not None:
        # As many as are filtered: without alpha, or one made of all colours.
        core[plan.channel_axis] = slice(0, pixels.shape[plan.channel_axis])
    return _Signal(
        pixels,
        plan.axes,
        plan.estimate_axes,
        tuple(core),
        tuple(span.start for span in block.core),
        plan.colours.signal_shape(plan.shape),
        plan.colours.opacity(grown),
    )


def _strips_of(
    plan: Plan, rows: RowSample, grown: Array, block: Block
) -> _Signal | None:
    """Return the signal of the sampled rows of a block, None if there are none.

    It has an axis more, in front of that of the rows: one strip after the other.
    """
    strips = rows.strips(grown, block.core, block.inner)
    if strips is None:
        return None
    signal = _signal_of(plan, strips, block)
    pixels = rows.split(signal.pixels)
    core = [
        slice(0, 1) if axis in rows.stacked else span
        for axis, span in enumerate(signal.core)
    ]
    core[rows.axis : rows.axis + 1] = [slice(0, pixels.shape[rows.axis]), rows.core]
    begins, lengths = list(signal.begins), list(signal.lengths)
    begins.insert(rows.axis, 0)
    lengths.insert(rows.axis, 1)
    weight = None if signal.weight is None else rows.split(signal.weight)
    return _Signal(
        pixels,
        rows.moved(plan.axes),
        rows.moved(plan.estimate_axes),
        tuple(core),
        tuple(begins),
        tuple(lengths),
        weight,
    )


def statistics_in_parts(
    plan: Plan, image: Any, block: Block, earlier: Sequence[Statistics]
) -> list[Part]:
    """Read a block, and return the statistics of parts that fit into a cache."""
    if earlier and not is_needed(plan, block, earlier):
        return []
    pixels = np.asarray(image[block.grown])
    rows, size = plan.row_sample, PART
    if rows is not None:
        size = PART * -(-rows.step // rows.height)
    parts = parts_of(block, plan.estimate_halo, plan.grid, plan.whole_axes, size)
    return [
        (part, statistics_of(plan, pixels[place], part, earlier))
        for part, place in parts
    ]


def is_needed(plan: Plan, block: Block, earlier: Sequence[Statistics]) -> bool:
    """Return whether a block has statistics in the round after the `earlier` ones."""
    indices = plan.estimate_slices(block.core)
    return len(earlier) < len(plan.method.rounds) and plan.method.needs_block(
        plan.axes,
        plan.estimate_axes,
        block.core,
        plan.colours.signal_shape(plan.shape),
        *(each[indices] for each in _sums(earlier)),
    )


class Reduction:
    """Statistics of the blocks in one round, joined as they come."""

    def __init__(self, plan: Plan, number: int) -> None:
        self._plan, self._number = plan, number
        self._sums: Array | None = None
        self._windows: Array | None = None
        self._limits = np.inf, -np.inf

    @property
    def total(self) -> Statistics:
        """Return the statistics of all blocks so far."""
        low, high = self._limits
        limits = (low, high) if low <= high else None
        return Statistics(self._sums, limits, self._windows)

    def add(self, parts: Iterable[tuple[Block, Statistics]]) -> None:
        """Join more blocks: always in the same order, as sums are rounded."""
        for block, part in parts:
            indices = self._plan.estimate_slices(block.core)
            if part.sums is not None:
                join = self._plan.method.rounds[self._number]
                self._sums = self._joined(self._sums, indices, part.sums, join)
            if part.windows is not None:
                self._windows = self._joined(
                    self._windows, indices, part.windows, TOTAL
                )
            if part.limits is not None:
                (low, high), (lowest, highest) = self._limits, part.limits
                self._limits = min(low, lowest), max(high, highest)

    def _joined(
        self, total: Array | None, indices: Slices, part: Array, join: Join
    ) -> Array:
        """Return the total with one more part, of the shape of the constants."""
        if total is None:
            extra = part.shape[len(self._plan.shape) :]
            total = np.full((*self._plan.constants_shape, *extra), join.start)
        total[indices] = join.operation(total[indices], part)
        return total


def reduce_rounds(
    plan: Plan,
    blocks_of: Callable[[Sequence[Statistics]], Iterable[Iterable[Part]]],
) -> Generator[None, None, FittedPlan]:
    """Go over the image in each round, with a pause after each join of statistics.

    Parameters
    ----------
    plan : Plan
        The method, made ready for the image.
    blocks_of : callable
        Returns all blocks with their statistics, always in the same order, given those
        of the rounds before.

    Returns
    -------
    FittedPlan
        By the generator's ``StopIteration``.
    """
    statistics: list[Statistics] = []
    for number in range(rounds(plan)):
        reduction = Reduction(plan, number)
        for parts in blocks_of(tuple(statistics)):
            reduction.add(parts)
            yield
        statistics.append(reduction.total)
    return fit(plan, statistics)


def fit(plan: Plan, statistics: Sequence[Statistics]) -> FittedPlan:
    """Return the plan with constants and limits from all rounds."""
    sums = _sums(statistics)
    last = sums.pop() if sums else None
    data = statistics[0].limits if statistics else None
    limits = plan.limits if data is None else plan.within_type(*data)
    constants = plan.method.constants(last, plan.axes, *sums)
    windows = statistics[0].windows if statistics else None
    if windows is not None:
        constants = replace(constants, noise=estimated(windows, plan.axes))
    return FittedPlan(plan, constants, limits)


def _sums(statistics: Sequence[Statistics]) -> list[Array]:
    return [each.sums for each in statistics if each.sums is not None]


def _range(values: Array) -> Limits:
    """Return smallest and largest valid value; the wrong way round if there is none."""
    valid = np.isfinite(values)
    low = np.min(values, where=valid, initial=np.inf)
    high = np.max(values, where=valid, initial=-np.inf)
    return float(low), float(high)
