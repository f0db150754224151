"""A method on an array in memory, block by block."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_usm.filters.one_pass import Target
from napari_usm.kernels.finish_plane import finish_pixels
from napari_usm.run import report
from napari_usm.run.blocks import BLOCK, Block, Slices, cut, parts_of
from napari_usm.run.first_stage import (
    FirstStage,
    Joined,
    finish_first_stage,
    first_stage_of,
    rounds,
)
from napari_usm.run.tally import Tally, tally
from napari_usm.run.threads import in_order, thread_count

if TYPE_CHECKING:
    from napari_usm.filters.dtypes import Array
    from napari_usm.methods.method import Constants
    from napari_usm.run.plan import Limits, Plan

    Found = tuple[Constants, Limits]
    Halo = Mapping[int, int | None]

T = TypeVar("T")
Steps = Generator[None, None, T]

# Fewer pixels are done in less than a millisecond: handing them over costs more.
_WORTH_THREADS = 2**19


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
    found: Found | None = None,
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
    found : tuple of Constants and limits, optional
        What `first_stage` found, if it is known.
    want_image, want_edge_map, want_report : bool
        What is worth its time; a report needs the image.
    block_size : int
        Pixels of a block.

    Yields
    ------
    None
        After each of the `blocks`, and before as often as `first_stage` does: there
        the caller may show progress, or stop for good.

    Returns
    -------
    Outcome
        By the generator's ``StopIteration``, see `result_of`.
    """
    if found is None:
        found = yield from first_stage(plan, image, block_size)
    constants, limits = found
    count, cuts = _threads_and_blocks(plan, plan.halo, block_size)

    def read(where: Slices) -> Array:
        return np.asarray(image[where])

    result = np.empty(plan.shape, plan.result) if want_image else None
    edges = np.empty(plan.edge_shape, np.float32) if want_edge_map else None

    def second(block: Block) -> list[Tally]:
        grown = read(block.grown)
        amount = constants.amount
        done = in_one_pass(
            plan, grown, block, amount, limits, result, edges, constants.noise
        )
        if done and not want_report:
            return []
        tallies = []
        for part, place in _parts(plan, plan.halo, block):
            pixels, own = grown[place], local_amount(plan, amount, part)
            if done and edges is not None:
                edge_map = edges[part.core]
            else:
                edge_map = edge_map_of(
                    plan, pixels, part, constants.estimate, constants.noise
                )
                _step_by_step(plan, pixels, part, edge_map, own, limits, result, edges)
            if want_report and result is not None:
                made = result[part.core]
                tallies.append(tally(plan, pixels, part, edge_map, own, limits, made))
        return tallies

    tallies = []
    for counted in in_order(second, cuts, count):
        tallies.extend(counted)
        yield
    if not tallies:
        return Outcome(constants, result, edges, None)
    sample = read(report.sample_slices(plan))
    made = report.finish(plan, name, constants, tallies, sample)
    return Outcome(constants, result, edges, made)


def significance(
    plan: Plan, image: Any, *, noise: Array | None = None, block_size: int = BLOCK
) -> Steps[Array]:
    """Detail in units of its own noise, with a pause after every block.

    Parameters
    ----------
    plan : Plan
        One that finds the noise.
    image, block_size
        As for `run`.
    noise : array, optional
        What `first_stage` found, if it is known.

    Returns
    -------
    array of float32
        By the generator's ``StopIteration``.
    """
    if noise is None:
        constants, _ = yield from first_stage(plan, image, block_size)
        noise = constants.noise
    count, cuts = _threads_and_blocks(plan, plan.halo, block_size)
    found = np.empty(plan.edge_shape, np.float32)
    detail = plan.unfinished

    def second(block: Block) -> None:
        grown = np.asarray(image[block.grown])
        done = in_one_pass(detail, grown, block, 0.0, detail.limits, None, found)
        for part, place in _parts(plan, plan.halo, block):
            known = found[part.core] if done else None
            own = significance_of(plan, grown[place], part, noise, known)
            found[plan.edge_slices(part.core)] = own

    for _ in in_order(second, cuts, count):
        yield
    return found


def significance_of(
    plan: Plan,
    grown: Array,
    block: Block,
    noise: Array | None,
    detail: Array | None = None,
) -> Array:
    """The same of the core of a block, whose detail may be known."""
    assert noise is not None
    if detail is None:
        detail = edge_map_of(plan.unfinished, grown, block)
    own = noise[plan.kept_slices(block.core)]
    return plan.significance(detail, grown[block.inner], own)


def first_stage(plan: Plan, image: Any, block_size: int = BLOCK) -> Steps[Found]:
    """Constants and limits of a plan, with a pause after every block of each round.

    Yields
    ------
    None
        `first_stage_steps` times.

    Returns
    -------
    tuple of Constants and limits
        What `run` takes.
    """
    found: list[FirstStage] = []
    count, cuts = _threads_and_blocks(plan, plan.first_halo, block_size)

    def told(block: Block) -> list[tuple[Block, FirstStage]]:
        grown = np.asarray(image[block.grown])
        return [
            (part, first_stage_of(plan, grown[place], part, found))
            for part, place in _parts(plan, plan.first_halo, block)
        ]

    for number in range(rounds(plan)):
        joined = Joined(plan, number)
        for parts in in_order(told, cuts, count):
            joined.add(parts)
            yield
        found.append(joined.found)
    return finish_first_stage(plan, found)


def first_stage_steps(plan: Plan, block_size: int = BLOCK) -> int:
    """How often `first_stage` yields."""
    cuts = _threads_and_blocks(plan, plan.first_halo, block_size)[1]
    return rounds(plan) * len(cuts)


def blocks(plan: Plan, block_size: int = BLOCK) -> list[Block]:
    """The blocks that `run` works on, one after the other."""
    return _threads_and_blocks(plan, plan.halo, block_size)[1]


def worth_threads(pixels: int) -> int:
    """Threads for so many pixels."""
    return 1 if pixels < _WORTH_THREADS else thread_count()


def _threads_and_blocks(
    plan: Plan, halo: Halo, block_size: int
) -> tuple[int, list[Block]]:
    """Threads for an image, and blocks small enough that all of them have work."""
    pixels = math.prod(plan.shape)
    count = worth_threads(pixels)
    size = min(block_size, -(-pixels // count))
    return count, cut(plan.shape, halo, plan.grid, whole_axes(plan), size)


def result_of(running: Steps[T]) -> T:
    """Run to the end, and what comes out of it."""
    while True:
        try:
            next(running)
        except StopIteration as stop:
            result: T = stop.value
            return result


def in_one_pass(
    plan: Plan,
    grown: Array,
    block: Block,
    amount: Any,
    limits: Limits,
    result: Array | None,
    edges: Array | None,
    noise: Array | None = None,
) -> bool:
    """Whether a kernel could do a block in one pass; then it is done.

    The block's core is where it belongs in `result` and `edges`. `noise` is that of
    the whole image.
    """
    one_pass = plan.one_pass
    if one_pass is None or not isinstance(amount, float):
        return False
    threshold = plan.threshold(noise)
    if not threshold.is_one:
        return False
    flags = grown.flags
    if not (flags.c_contiguous and flags.writeable and grown.dtype.isnative):
        grown = np.array(grown, plan.dtype, order="C")
    if plan.dtype.kind == "b":
        grown = grown.view(np.uint8)
        result = None if result is None else result.view(np.uint8)
    target = Target(
        np.empty(0, grown.dtype) if result is None else result,
        np.empty(0, np.float32) if edges is None else edges,
    )
    behind = range(one_pass.last_axis(grown.ndim) + 1, grown.ndim)
    if any(target.shape[axis] != grown.shape[axis] for axis in behind):
        return False
    finish = plan.finish(amount, limits, threshold)
    return one_pass.sharpen_into(target, block.core, grown, block.inner, finish)


def _step_by_step(
    plan: Plan,
    pixels: Array,
    part: Block,
    edge_map: Array,
    amount: Any,
    limits: Limits,
    result: Array | None,
    edges: Array | None,
) -> None:
    """Write a part of a block, whose edge map is in the working type."""
    if edges is not None:
        edges[plan.edge_slices(part.core)] = plan.public_edge_map(edge_map)
    if result is not None:
        core = pixels[part.inner]
        result[part.core] = _combined(plan, core, edge_map, amount, limits)


def _combined(
    plan: Plan, core: Array, edge_map: Array, amount: Any, limits: Limits
) -> Array:
    """The result of a part, by the kernel that has the last steps if it takes them."""
    stored = plan.stored
    if stored is None or not isinstance(amount, float) or not np.isfinite(core).all():
        return plan.combine(core, edge_map, amount, limits)
    image = np.require(core, plan.dtype, ["C", "W"])
    detail = np.ascontiguousarray(edge_map).reshape(-1)
    # As that of live results, which the kernel is compiled for.
    detail.flags.writeable = False
    made = np.empty(image.shape, plan.result)
    finish_pixels(
        image.view(stored).reshape(-1),
        detail,
        (0, image.size),
        made.view(stored).reshape(-1),
        np.empty(0, np.float32),
        plan.finish(amount, limits).numbers(stored),
    )
    return made


def edge_map_of(
    plan: Plan,
    grown: Array,
    block: Block,
    estimate: Array | None = None,
    noise: Array | None = None,
) -> Array:
    """Edge map of the core of a block that comes with its neighbours.

    `estimate` and `noise` are those of the whole image.
    """
    inner = block.inner
    if noise is not None:
        noise = noise[plan.kept_slices(block.core)]
    if estimate is not None:
        estimate = estimate[plan.kept_slices(block.core)]
        near = _near(plan, grown, inner, estimate)
        grown = grown[near]
        inner = tuple(
            slice(own.start - begin.start, own.stop - begin.start)
            for own, begin in zip(inner, near, strict=True)
        )
    edge_map = plan.edge_map(grown, estimate, noise)
    return edge_map[plan.whole_channels(inner)]


def _near(plan: Plan, grown: Array, inner: Slices, estimate: Array) -> Slices:
    """What of a block's neighbours is needed where the estimate is known."""
    reach = dict(zip(plan.axes, plan.method.reach_of(estimate, plan.axes), strict=True))
    return tuple(
        slice(max(0, own.start - n), min(length, own.stop + n))
        if plan.halo.get(axis) is not None and (n := reach[axis]) is not None
        else slice(0, length)
        for axis, (own, length) in enumerate(zip(inner, grown.shape, strict=True))
    )


def local_amount(plan: Plan, amount: Array | float, block: Block) -> Any:
    """The amounts that belong to a block, where there is more than one."""
    return amount if isinstance(amount, float) else amount[plan.kept_slices(block.core)]


def _parts(plan: Plan, halo: Halo, block: Block) -> Iterator[tuple[Block, Slices]]:
    return parts_of(block, plan.shape, halo, plan.grid, whole_axes(plan))


def whole_axes(plan: Plan) -> list[int]:
    """Axes that are never cut: the channels, which may make up one signal."""
    return [] if plan.channel_axis is None else [plan.channel_axis]
