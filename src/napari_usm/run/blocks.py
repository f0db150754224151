"""Cutting an image into blocks, each with the neighbours that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Slices = tuple[slice, ...]

# Pixels of a block: large beside the neighbours that are read with it.
BLOCK = 2**21

# Pixels of a part of it, for what goes step by step: each step leaves an array, of
# 2 MB in float64, small enough for the second-level cache of most machines.
PART = 2**18


@dataclass(frozen=True)
class Block:
    """A box of the image.

    Attributes
    ----------
    core : tuple of slice
        Its own pixels, in the image.
    grown : tuple of slice
        Core and neighbours, in the image.
    inner : tuple of slice
        The core, in the grown block.
    """

    core: Slices
    grown: Slices
    inner: Slices


def cut(
    shape: Sequence[int],
    halo: Mapping[int, int | None],
    grid: Mapping[int, int],
    whole: Sequence[int],
    size: int = BLOCK,
) -> list[Block]:
    """Blocks of about `size` pixels that cover the image.

    Parameters
    ----------
    shape : sequence of int
        Shape of the image.
    halo : mapping of axis to int or None
        Neighbours needed along an axis; None: it is never cut.
    grid : mapping of axis to int
        What a block with its neighbours begins at a multiple of.
    whole : sequence of int
        Further axes that are never cut.
    size : int
        Pixels of a block, without neighbours. An axis with a halo is cut into
        pieces of at least twice the halo, however small `size` is.
    """
    steps = list(shape)
    for axis, length in enumerate(shape):
        pixels = 1
        for step in steps:
            pixels *= step
        uncut = axis in whole or halo.get(axis, 0) is None
        if pixels <= size or uncut:
            continue
        least = max(1, 2 * (halo.get(axis, 0) or 0))
        steps[axis] = min(length, max(least, size * length // pixels))
    starts = [range(0, n, step) for n, step in zip(shape, steps, strict=True)]
    return [
        grown(
            [
                slice(start, min(start + step, n))
                for start, step, n in zip(corner, steps, shape, strict=True)
            ],
            shape,
            halo,
            grid,
        )
        for corner in product(*starts)
    ]


def parts_of(
    block: Block,
    shape: Sequence[int],
    halo: Mapping[int, int | None],
    grid: Mapping[int, int],
    whole: Sequence[int],
    size: int = PART,
) -> Iterator[tuple[Block, Slices]]:
    """Blocks of about `size` pixels that make up a block, and their place in it.

    The place is that of a part with its neighbours, among the block with its own.
    """
    lengths = [span.stop - span.start for span in block.core]
    for piece in cut(lengths, halo, grid, whole, size):
        core = [
            slice(own.start + span.start, own.start + span.stop)
            for own, span in zip(block.core, piece.core, strict=True)
        ]
        part = grown(core, shape, halo, grid)
        place = [
            slice(span.start - begin.start, span.stop - begin.start)
            for span, begin in zip(part.grown, block.grown, strict=True)
        ]
        yield part, tuple(place)


def from_chunks(
    chunks: Sequence[Sequence[int]],
    halo: Mapping[int, int | None],
    grid: Mapping[int, int],
) -> Iterator[Block]:
    """One block for each chunk of a dask array, in the order of `numpy.ndindex`."""
    shape = [sum(sizes) for sizes in chunks]
    spans = []
    for sizes in chunks:
        stops = [sum(sizes[: k + 1]) for k in range(len(sizes))]
        spans.append([slice(b - n, b) for n, b in zip(sizes, stops, strict=True)])
    for core in product(*spans):
        yield grown(core, shape, halo, grid)


def grown(
    core: Sequence[slice],
    shape: Sequence[int],
    halo: Mapping[int, int | None],
    grid: Mapping[int, int],
) -> Block:
    """The block with this core and as many neighbours as the image has."""
    bigger, inner = [], []
    for axis, (span, length) in enumerate(zip(core, shape, strict=True)):
        reach = halo.get(axis, 0) or 0
        start, stop = max(0, span.start - reach), min(length, span.stop + reach)
        start -= start % grid.get(axis, 1)
        bigger.append(slice(start, stop))
        inner.append(slice(span.start - start, span.stop - start))
    return Block(tuple(core), tuple(bigger), tuple(inner))
