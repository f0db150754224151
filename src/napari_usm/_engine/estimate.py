"""The first stage on one block, and how the blocks' shares in it become one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_usm._engine.plan import FittedPlan
from napari_usm._estimate.blur_and_noise import estimated
from napari_usm._estimate.spectrum import window_rows
from napari_usm._methods.base import TOTAL, Join

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_usm._engine.blocks import Block, Slices
    from napari_usm._engine.plan import Limits, Plan
    from napari_usm._filters.dtypes import Array


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
        What tells the noise, in the first round where that is wanted.
    """

    sums: Array | None
    limits: Limits | None
    windows: Array | None = None


def rounds(plan: Plan) -> int:
    """Return the number of rounds over the image."""
    return max(len(plan.method.rounds), int(plan.needs_estimate))


def statistics_of(
    plan: Plan, grown: Array, block: Block, found: Sequence[Statistics]
) -> Statistics:
    """The round after those in `found`, on a block that comes with its neighbours."""
    sums, limits, windows = None, None, None
    has_sums = len(found) < len(plan.method.rounds)
    has_windows = plan.finds_noise and not found
    if has_sums or has_windows:
        signal = plan.colours.stored_signal(grown)
        core, lengths = list(block.inner), list(plan.shape)
        if plan.channel_axis is not None:
            # As many as are filtered: without alpha, or one made of all colours.
            lengths[plan.channel_axis] = signal.shape[plan.channel_axis]
            core[plan.channel_axis] = slice(0, signal.shape[plan.channel_axis])
        begins = [span.start for span in block.core]
        here = signal, plan.axes, plan.kept, tuple(core), begins, lengths
        own, weight = plan.kept_slices(block.core), plan.colours.opacity(grown)
        with np.errstate(over="ignore", invalid="ignore"):
            if has_sums:
                known = [each[own] for each in _sums(found)]
                sums = plan.method.sums(*here, *known, weight=weight)
            if has_windows:
                windows = window_rows(*here, weight)
    if plan.method.limits == "data" and not found:
        colours = plan.colours.visible(grown)
        limits = _range(colours[plan.colours.signal_slices(block.inner)])
    return Statistics(sums, limits, windows)


class Reduction:
    """Statistics of the blocks in one round, joined as they come."""

    def __init__(self, plan: Plan, number: int) -> None:
        self._plan, self._number = plan, number
        self._sums: Array | None = None
        self._windows: Array | None = None
        self._limits = np.inf, -np.inf

    @property
    def found(self) -> Statistics:
        """Return the statistics of all blocks so far."""
        low, high = self._limits
        limits = (low, high) if low <= high else None
        return Statistics(self._sums, limits, self._windows)

    def add(self, parts: Iterable[tuple[Block, Statistics]]) -> None:
        """Join what more blocks tell: always in the same order, as sums are rounded."""
        for block, part in parts:
            own = self._plan.kept_slices(block.core)
            if part.sums is not None:
                join = self._plan.method.rounds[self._number]
                self._sums = self._joined(self._sums, own, part.sums, join)
            if part.windows is not None:
                self._windows = self._joined(self._windows, own, part.windows, TOTAL)
            if part.limits is not None:
                (low, high), (lowest, highest) = self._limits, part.limits
                self._limits = min(low, lowest), max(high, highest)

    def _joined(
        self, total: Array | None, own: Slices, part: Array, join: Join
    ) -> Array:
        """The total with one more part, of the shape of what is found."""
        if total is None:
            extra = part.shape[len(self._plan.shape) :]
            total = np.full((*self._plan.constants_shape, *extra), join.start)
        total[own] = join.operation(total[own], part)
        return total


def fit(plan: Plan, found: Sequence[Statistics]) -> FittedPlan:
    """Return the plan with constants and limits from all rounds."""
    sums = _sums(found)
    last = sums.pop() if sums else None
    data = found[0].limits if found else None
    limits = plan.limits if data is None else plan.within_type(*data)
    constants = plan.method.constants(last, plan.axes, *sums)
    windows = found[0].windows if found else None
    if windows is not None:
        constants = replace(constants, noise=estimated(windows, plan.axes))
    return FittedPlan(plan, constants, limits)


def _sums(found: Sequence[Statistics]) -> list[Array]:
    return [each.sums for each in found if each.sums is not None]


def _range(values: Array) -> Limits:
    """Smallest and largest valid value; the wrong way round if there is none."""
    valid = np.isfinite(values)
    low = np.min(values, where=valid, initial=np.inf)
    high = np.max(values, where=valid, initial=-np.inf)
    return float(low), float(high)
