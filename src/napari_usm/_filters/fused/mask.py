"""A mask from the image's own pixels to the result's in one pass, on every pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.border import border_index
from napari_usm._filters.fused.base import nbytes_of
from napari_usm._filters.fused.planes import flat, span
from napari_usm._filters.mask import Mask
from napari_usm._filters.taps import half_taps
from napari_usm._kernels.mask import sharpen_planes
from napari_usm._kernels.sweeps import PAIRS, ROWS

if TYPE_CHECKING:
    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.base import Layout
    from napari_usm._filters.taps import AxisBlur


# Sums of pixels beyond the border must be finite in float32.
LARGE = 8e37


@dataclass(frozen=True, eq=False)
class MaskPass:
    """A mask whose blur is on every pixel, along up to three axes."""

    mask: Mask

    def fits(self, dtype: np.dtype[Any], mode: str, cval: float) -> bool:
        """Return whether it blurs three axes, or two with a border of type `dtype`."""
        if mode != "constant":
            return len(self.mask.blurred) <= 3
        if dtype.kind == "f":
            held = abs(cval) < LARGE
        else:
            info = np.iinfo(dtype)
            held = cval.is_integer() and info.min <= cval <= info.max
        return held and len(self.mask.blurred) <= 2

    def last_axis(self, ndim: int) -> int:
        """Return the last axis that is blurred; any will do if none is."""
        return max(self.mask.blurred, default=ndim - 1)

    def bind(self, layout: Layout) -> BoundMask:
        """Return the filter with its arguments for a layout."""
        blurs, across = self.mask.blurs, self.last_axis(len(layout.shape))
        if across == 0:
            moved = {axis + 1: blur for axis, blur in blurs.items()}
            return MaskPass(Mask(moved)).bind(layout.with_front())
        *deep, down = self.mask.blurred[:-1] or [across - 1]
        taps = [
            filled_taps(blurs.get(axis), 1, layout.shape[axis], layout.mode)
            for axis in (down, across)
        ]
        rows, columns = (
            border_index(layout.shape[axis], half.size - 1, layout.mode)
            for axis, half in zip((down, across), taps, strict=True)
        )
        source, to, cores = layout.planes(down, across, deep[0] if deep else None)
        groups, deep_taps, apart = [(_ALONE, 1, 0)], None, (0, 0)
        if deep:
            (axis,) = deep
            deep_taps = filled_taps(blurs[axis], 1, layout.shape[axis], layout.mode)
            groups = _groups(layout, axis, deep_taps.size - 1)
            apart = source.distance(axis), to.distance(axis)
        # Blurred over planes, a row is float32.
        row_type = np.dtype(np.float32) if deep else layout.dtype
        return BoundMask(
            [source.offset(place, source.others) for place, _ in cores],
            [begin for _, begin in cores],
            groups,
            (apart[0], source.stride, source.step),
            (rows, columns, deep_taps, *taps),
            (*span(layout.inner[down]), *span(layout.inner[across])),
            np.empty(0, row_type),
            (apart[1], to.stride),
            row_type.type(layout.outside),
        )


@dataclass(frozen=True, eq=False)
class BoundMask:
    """A mask with its arguments for blocks of one layout.

    Attributes
    ----------
    begins, places : list of int
        Where each plane, or stack of planes, begins in the block, and in the results
        from the first pixel of the core on.
    groups : list of tuple
        For every four planes of a stack that are sharpened at once: the planes to take,
        how many of the four there are, and how many of the core come before them.
    apart : tuple of int
        Pixels from plane to plane, row to row and column to column in the block.
    tables : tuple of array
        Indices of rows and columns, and taps.
    window : tuple of int
        First and last + 1 row and column of the core.
    row_type : array
        Of the type of rows in the kernel.
    apart_there : (int, int)
        Pixels from plane to plane and from row to row in the results.
    outside : number
        What is beyond a constant border.
    """

    begins: list[int]
    places: list[int]
    groups: list[tuple[Array, int, int]]
    apart: tuple[int, int, int]
    tables: tuple[Array | None, ...]
    window: tuple[int, int, int, int]
    row_type: Array
    apart_there: tuple[int, int]
    outside: Any

    @property
    def nbytes(self) -> int:
        """Bytes of the arguments."""
        arrays = [*self.tables, *(planes for planes, _, _ in self.groups)]
        return nbytes_of(arrays, len(self.begins))

    def __call__(
        self,
        block: Array,
        image: Array,
        edge_map: Array,
        begin: int,
        numbers: tuple[Any, ...],
    ) -> bool:
        """Sharpen a block into its place; return whether all its pixels were valid."""
        pixels, image, edge_map = flat(block), image.reshape(-1), edge_map.reshape(-1)
        depth, stride = self.apart_there
        for start, place in zip(self.begins, self.places, strict=True):
            for planes, count, before in self.groups:
                finite = sharpen_planes(
                    pixels,
                    (start, *self.apart),
                    planes,
                    *self.tables,
                    (count, *self.window),
                    self.row_type,
                    image,
                    edge_map,
                    (begin + place + before * depth, depth, stride),
                    numbers,
                    self.outside,
                )
                if not finite:
                    return False
        return True


# Planes to take of a plane that is not blurred over others.
_ALONE = np.zeros(1, np.int64)


def _groups(layout: Layout, axis: int, reach: int) -> list[tuple[Array, int, int]]:
    """Return every four planes of the core along an axis, see `BoundMask`."""
    start, stop = span(layout.inner[axis])
    around = border_index(layout.shape[axis], reach + ROWS, layout.mode)
    return [
        (
            around[first + ROWS : first + 2 * reach + 2 * ROWS],
            min(ROWS, stop - first),
            first - start,
        )
        for first in range(start, stop, ROWS)
    ]


@lru_cache(64)
def filled_taps(
    blur: AxisBlur | None, least: int = 1, length: int = 0, mode: str = ""
) -> Array:
    """Half of the taps, with zeros up to `least` pairs or a whole number of sweeps.

    They are those that an axis of `length` pixels needs, if that is given.
    """
    half = np.ones(1, np.float32)
    if blur is not None:
        taps = blur.within(length, mode) if length else blur.taps
        half = half_taps(taps, np.float32)
    pairs = half.size - 1
    pairs = least if pairs <= least else -(-pairs // PAIRS) * PAIRS
    filled = np.zeros(1 + pairs, np.float32)
    filled[: half.size] = half
    filled.flags.writeable = False
    return filled
