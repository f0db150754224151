"""A method on an array in memory or on disk, block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from napari_usm._engine import report
from napari_usm._engine.block import Output, Parts, process, room
from napari_usm._engine.blocks import (
    BLOCK,
    Block,
    Slices,
    grown,
)
from napari_usm._engine.estimate import (
    reduce_rounds,
    rounds,
    statistics_in_parts,
)
from napari_usm._engine.threads import in_order, thread_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import DTypeLike

    from napari_usm._engine.estimate import Part, Statistics
    from napari_usm._engine.plan import FittedPlan, Plan
    from napari_usm._engine.tally import Tally
    from napari_usm._filters.dtypes import Array

T = TypeVar("T")
Steps = Generator[None, None, T]

# Fewer pixels are done in less than a millisecond: handing them over costs more.
_WORTH_THREADS = 2**19


class Outcome(NamedTuple):
    """Results of a run; None if they were not wanted."""

    fitted: FittedPlan
    image: Array | None
    edge_map: Array | None
    report: report.Report | None


def run(
    plan: Plan,
    image: Any,
    *,
    fitted: FittedPlan | None = None,
    want_image: bool = True,
    want_edge_map: bool = True,
    want_report: bool = True,
    weight: Array | None = None,
    out: Any = None,
    block_size: int = BLOCK,
) -> Steps[Outcome]:
    """Run a plan, with a pause after every block.

    Parameters
    ----------
    plan : Plan
        The method, made ready for the image.
    image : array-like
        Read block by block: a memory map or a zarr array never comes whole.
    fitted : FittedPlan, optional
        Result of `estimate`, if it is known.
    want_image, want_edge_map, want_report : bool
        Outputs; the report comes with both arrays.
    weight : array, optional
        Factor of the edge map at each pixel, of the image's shape without channels.
    out : array, optional
        Where the image goes, or the edge map if that is the only output.
    block_size : int
        Pixels of a block.

    Yields
    ------
    None
        After each of the `blocks`, and before as often as `estimate` does: there
        the caller may show progress, or stop for good.

    Returns
    -------
    Outcome
        By the generator's ``StopIteration``, see `result_of`.
    """
    if fitted is None and not plan.needs_estimate:
        fitted = plan.known
    if fitted is None:
        fitted = yield from estimate(plan, image, block_size)
    known = fitted
    count, cuts = _threads_and_blocks(plan, block_size)
    want_image, want_edge_map = want_image or want_report, want_edge_map or want_report
    into = out if want_image else None
    result = _array(into, plan.shape, plan.result) if want_image else None
    into = None if want_image else out
    edges = _array(into, plan.edge_shape, np.float32) if want_edge_map else None

    def work(block: Block) -> Tally | None:
        pixels = np.asarray(image[block.grown])
        parts = Parts(block.core, result, edges)
        local = (
            None if weight is None else weight[plan.colours.plain_slices(block.core)]
        )
        done = process(known, pixels, block, parts, weight=local, counts=want_report)
        return done.counts

    tallies: list[Tally] = []
    for counts in in_order(work, cuts, count):
        if counts is not None:
            tallies.append(counts)
        yield
    if not tallies:
        return Outcome(fitted, result, edges, None)
    sample = np.asarray(image[report.sample_slices(plan)])
    return Outcome(fitted, result, edges, report.finish(fitted, tallies, sample))


def run_into(
    fitted: FittedPlan,
    image: Any,
    cores: Sequence[Slices],
    write: Callable[[Slices, Parts], None],
) -> Steps[Outcome]:
    """Run a plan on boxes that are written elsewhere, with a pause after each.

    Parameters
    ----------
    fitted : FittedPlan
        Result of `estimate`.
    image : array
        Of the shape and type of the plan.
    cores : sequence of tuple of slice
        Boxes that cover the image.
    write : callable
        Called on any thread with a box and its outputs: image and edge map, and the
        significance if the plan estimates the noise for that.

    Returns
    -------
    Outcome
        The report alone, by the generator's ``StopIteration``.
    """
    plan = fitted.plan

    def work(core: Slices) -> Tally:
        parts, counts = compute(fitted, image, core)
        write(core, parts)
        return counts

    tallies = []
    for counts in in_order(work, cores, worth_threads(math.prod(plan.shape))):
        tallies.append(counts)
        yield
    sample = np.asarray(image[report.sample_slices(plan)])
    return Outcome(fitted, None, None, report.finish(fitted, tallies, sample))


def compute(fitted: FittedPlan, image: Any, core: Slices) -> tuple[Parts, Tally]:
    """Return the outputs of a box of an image, and its statistics for the report.

    The outputs are image and edge map, and the significance if the plan estimates the
    noise for that.
    """
    plan = fitted.plan
    outputs = [Output.IMAGE, Output.EDGE_MAP]
    outputs += [Output.SIGNIFICANCE] * plan.wants_noise
    whole = [slice(0, length) for length in plan.shape]
    block = grown(core, whole, plan.halo, plan.grid)
    parts = room(plan, block.shape, *outputs)
    pixels = np.asarray(image[block.grown])
    done = process(fitted, pixels, block, parts, counts=True)
    assert done.counts is not None
    return parts, done.counts


def significance(
    plan: Plan,
    image: Any,
    *,
    fitted: FittedPlan | None = None,
    out: Any = None,
    block_size: int = BLOCK,
) -> Steps[Array]:
    """Compute detail in units of its noise, with a pause after every block.

    Parameters
    ----------
    plan : Plan
        One that estimates the noise.
    image, fitted, out, block_size
        As for `run`.

    Returns
    -------
    array of float32
        By the generator's ``StopIteration``.
    """
    if fitted is None:
        fitted = yield from estimate(plan, image, block_size)
    known = fitted
    count, cuts = _threads_and_blocks(plan, block_size)
    result = _array(out, plan.edge_shape, np.float32)

    def work(block: Block) -> None:
        pixels = np.asarray(image[block.grown])
        process(known, pixels, block, Parts(block.core, significance=result))

    for _ in in_order(work, cuts, count):
        yield
    return result


def estimate(plan: Plan, image: Any, block_size: int = BLOCK) -> Steps[FittedPlan]:
    """Estimate constants and limits, with a pause after every block of each round.

    Yields
    ------
    None
        `estimate_steps` times.

    Returns
    -------
    FittedPlan
        What `run` takes.
    """
    if not plan.needs_estimate:
        return plan.known
    count, size = _threads_and_size(plan, block_size)
    cuts = plan.estimate_blocks(size)

    def blocks_of(earlier: Sequence[Statistics]) -> Iterator[list[Part]]:
        def work(block: Block) -> list[Part]:
            return statistics_in_parts(plan, image, block, earlier)

        return in_order(work, cuts, count)

    return (yield from reduce_rounds(plan, blocks_of))


def estimate_steps(plan: Plan, block_size: int = BLOCK) -> int:
    """Return the number of pauses of `estimate`."""
    _, size = _threads_and_size(plan, block_size)
    return rounds(plan) * len(plan.estimate_blocks(size))


def blocks(plan: Plan, block_size: int = BLOCK) -> list[Block]:
    """Return the blocks that `run` works on, one after the other."""
    return _threads_and_blocks(plan, block_size)[1]


def worth_threads(pixels: int) -> int:
    """Return the number of threads for so many pixels."""
    return 1 if pixels < _WORTH_THREADS else thread_count()


def result_of(running: Steps[T]) -> T:
    """Run to the end, and return the result."""
    while True:
        try:
            next(running)
        except StopIteration as stop:
            result: T = stop.value
            return result


def _array(out: Any, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    return np.empty(shape, dtype) if out is None else out


def _threads_and_blocks(plan: Plan, block_size: int) -> tuple[int, list[Block]]:
    """Return threads for an image, and the blocks that they work on."""
    count, size = _threads_and_size(plan, block_size)
    return count, plan.blocks(size)


def _threads_and_size(plan: Plan, block_size: int) -> tuple[int, int]:
    """Return threads for an image, and a size of blocks that gives work to all."""
    count = worth_threads(plan.pixels)
    return count, min(block_size, -(-plan.pixels // count))
