"""Cutting an image into blocks, each with the neighbours that it needs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from napari_usm._filters.attribute import cached_attribute

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Slices = tuple[slice, ...]

# Axis to neighbours on each side; None: the whole axis.
Halo = Mapping[int, int | None]

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

    @cached_attribute
    def ends(self) -> tuple[tuple[int, int], ...]:
        """Begin and end of the core in the grown block, along each axis."""
        return tuple((span.start, span.stop) for span in self.inner)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the core."""
        return tuple(span.stop - span.start for span in self.core)


def cut(
    shape: Sequence[int],
    halo: Halo,
    grid: Mapping[int, int],
    whole: Sequence[int],
    size: int = BLOCK,
) -> list[Block]:
    """Return blocks of about `size` pixels that cover the image.

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
    image = [slice(0, length) for length in shape]
    return [grown(core, image, halo, grid) for core in _cores(shape, halo, whole, size)]


def parts_of(
    block: Block,
    halo: Halo,
    grid: Mapping[int, int],
    whole: Sequence[int],
    size: int = PART,
) -> Iterator[tuple[Block, Slices]]:
    """Yield blocks of about `size` pixels that make up a block, and their place in it.

    The place is that of a part with its neighbours, among the block with its own.
    """
    lengths = [span.stop - span.start for span in block.core]
    for piece in _cores(lengths, halo, whole, size):
        core = tuple(
            slice(span.start + begin.start, span.stop + begin.start)
            for span, begin in zip(piece, block.core, strict=True)
        )
        # A block has all the neighbours there are for its parts.
        part = grown(core, block.grown, halo, grid)
        yield part, offset(part.grown, block.grown)


def _cores(
    shape: Sequence[int], halo: Halo, whole: Sequence[int], size: int
) -> Iterator[Slices]:
    steps = list(shape)
    for axis, length in enumerate(shape):
        pixels = math.prod(steps)
        uncut = axis in whole or halo.get(axis, 0) is None
        if pixels <= size or uncut:
            continue
        least = max(1, 2 * (halo.get(axis, 0) or 0))
        steps[axis] = min(length, max(least, size * length // pixels))
    return product(
        *(
            [slice(start, min(start + step, n)) for start in range(0, n, step)]
            for n, step in zip(shape, steps, strict=True)
        )
    )


def from_chunks(
    chunks: Sequence[Sequence[int]],
    halo: Halo,
    grid: Mapping[int, int],
) -> Iterator[Block]:
    """Yield a block for each chunk of a dask array, in the order of `ndindex`."""
    image = [slice(0, sum(sizes)) for sizes in chunks]
    spans = []
    for sizes in chunks:
        stops = [sum(sizes[: k + 1]) for k in range(len(sizes))]
        spans.append([slice(b - n, b) for n, b in zip(sizes, stops, strict=True)])
    for core in product(*spans):
        yield grown(core, image, halo, grid)


def grown(
    core: Sequence[slice],
    image: Sequence[slice],
    halo: Halo,
    grid: Mapping[int, int],
) -> Block:
    """Return the block with this core and the neighbours that lie inside `image`."""
    bigger, inner = [], []
    for axis, (span, limit) in enumerate(zip(core, image, strict=True)):
        reach = halo.get(axis, 0) or 0
        start = max(limit.start, span.start - reach)
        start -= start % grid.get(axis, 1)
        stop = min(limit.stop, span.stop + reach)
        bigger.append(slice(start, stop))
        inner.append(slice(span.start - start, span.stop - start))
    return Block(tuple(core), tuple(bigger), tuple(inner))


def offset(
    spans: Sequence[slice], begins: Sequence[slice], to: Sequence[slice] | None = None
) -> Slices:
    """Return spans counted from where `begins` begin; after the begin of `to`."""
    targets = [0] * len(spans) if to is None else [span.start for span in to]
    return tuple(
        slice(span.start - begin.start + target, span.stop - begin.start + target)
        for span, begin, target in zip(spans, begins, targets, strict=True)
    )
