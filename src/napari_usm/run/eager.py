"""A method on an array in memory, block by block."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_usm.run import report
from napari_usm.run.blocks import BLOCK, Block, Slices, cut

if TYPE_CHECKING:
    from napari_usm.filters.dtypes import Array
    from napari_usm.methods.method import Constants
    from napari_usm.run.plan import Limits, Plan

T = TypeVar("T")
Steps = Generator[None, None, T]


@dataclass(frozen=True)
class FirstStage:
    """What one block adds to the constants and to limits by the data."""

    sums: Array | None
    limits: Limits | None


@dataclass(frozen=True)
class Outcome:
    """What came out of a run; what was not asked for is None."""

    constants: Constants
    image: Array | None
    edge_map: Array | None
    report: report.Report | None


def run(
    plan: Plan,
    image: Any,
    *,
    name: str = "",
    want_image: bool = True,
    want_edge_map: bool = True,
    want_report: bool = True,
    block_size: int = BLOCK,
) -> Steps[Outcome]:
    """Run a plan, with a pause after every block.

    Parameters
    ----------
    plan : Plan
        The method, made ready for the image.
    image : array-like
        Read block by block: a memory map or a zarr array never comes whole.
    name : str
        Name of the method, for the report.
    want_image, want_edge_map, want_report : bool
        What is worth its time; a report needs the image.
    block_size : int
        Pixels of a block.

    Yields
    ------
    None
        `steps` times: there the caller may show progress, or stop for good.

    Returns
    -------
    Outcome
        By the generator's ``StopIteration``, see `result_of`.
    """

    def read(where: Slices) -> Array:
        return np.asarray(image[where])

    blocks = _blocks(plan, block_size)
    parts = []
    if _needs_first_stage(plan):
        for block in blocks:
            parts.append((block, first_stage_of(plan, read(block.grown), block)))
            yield
    constants, limits = finish_first_stage(plan, parts)
    result = np.empty(plan.shape, plan.result) if want_image else None
    edges = np.empty(plan.edge_shape, np.float32) if want_edge_map else None
    tallies = []
    for block in blocks:
        grown = read(block.grown)
        edge_map = edge_map_of(plan, grown, block)
        if edges is not None:
            edges[plan.edge_slices(block.core)] = plan.public_edge_map(edge_map)
        if result is not None:
            amount = local_amount(plan, constants.amount, block)
            sharpened = plan.combine(grown[block.inner], edge_map, amount, limits)
            result[block.core] = sharpened
            if want_report:
                tallies.append(
                    report.tally(
                        plan, grown, block, edge_map, amount, limits, sharpened
                    )
                )
        yield
    if not tallies:
        return Outcome(constants, result, edges, None)
    sample = read(report.sample_slices(plan))
    made = report.finish(plan, name, constants, tallies, sample)
    return Outcome(constants, result, edges, made)


def steps(plan: Plan, block_size: int = BLOCK) -> int:
    """How often `run` yields."""
    return len(_blocks(plan, block_size)) * (1 + _needs_first_stage(plan))


def _needs_first_stage(plan: Plan) -> bool:
    return plan.method.estimates or plan.method.limits == "data"


def result_of(running: Steps[T]) -> T:
    """Run to the end, and what comes out of it."""
    while True:
        try:
            next(running)
        except StopIteration as stop:
            result: T = stop.value
            return result


def edge_map_of(plan: Plan, grown: Array, block: Block) -> Array:
    """Edge map of the core of a block that comes with its neighbours."""
    edge_map = plan.edge_map(grown)
    return edge_map[plan.whole_channels(block.inner)]


def local_amount(plan: Plan, amount: Array | float, block: Block) -> Any:
    """The amounts that belong to a block, where there is more than one."""
    return amount if isinstance(amount, float) else amount[plan.kept_slices(block.core)]


def first_stage_of(plan: Plan, grown: Array, block: Block) -> FirstStage:
    """First stage on one block that comes with its neighbours."""
    colours, _ = plan.split(grown)
    sums, limits = None, None
    if plan.method.estimates:
        signal = plan.signal(colours)
        core = list(block.inner)
        if plan.channel_axis is not None:
            core[plan.channel_axis] = slice(0, signal.shape[plan.channel_axis])
        with np.errstate(over="ignore", invalid="ignore"):
            sums = plan.method.sums(
                signal, plan.axes, plan.kept, tuple(core), plan.shape
            )
    if plan.method.limits == "data":
        limits = _range(colours[plan.whole_channels(block.inner)])
    return FirstStage(sums, limits)


def finish_first_stage(
    plan: Plan, parts: Iterable[tuple[Block, FirstStage]]
) -> tuple[Constants, Limits]:
    """Constants and limits from the first stage of all blocks."""
    total: Array | None = None
    low, high = np.inf, -np.inf
    for block, part in parts:
        if part.sums is not None:
            if total is None:
                extra = part.sums.shape[len(plan.shape) :]
                total = np.zeros((*plan.constants_shape, *extra))
            total[plan.kept_slices(block.core)] += part.sums
        if part.limits is not None:
            low, high = min(low, part.limits[0]), max(high, part.limits[1])
    limits = plan.within_type(low, high) if low <= high else plan.limits
    return plan.method.constants(total, plan.axes), limits


def _range(values: Array) -> Limits:
    """Smallest and largest valid value; the wrong way round if there is none."""
    valid = np.isfinite(values)
    low = np.min(values, where=valid, initial=np.inf)
    high = np.max(values, where=valid, initial=-np.inf)
    return float(low), float(high)


def _blocks(plan: Plan, size: int) -> list[Block]:
    whole = [] if plan.channel_axis is None else [plan.channel_axis]
    # One neighbour at least: the report compares with the 3-wide local range.
    halo = {a: None if n is None else max(1, n) for a, n in plan.halo.items()}
    return cut(plan.shape, halo, whole, size)
