"""A mask from the image's own pixels to the result's in one pass, on every pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.border import border_index
from napari_usm._filters.fused.base import Target
from napari_usm._filters.fused.planes import Planes, flat, span, strides_of
from napari_usm._filters.taps import half_taps
from napari_usm._kernels.mask import sharpen_planes
from napari_usm._kernels.sweeps import PAIRS, ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.base import Finish
    from napari_usm._filters.mask import Mask
    from napari_usm._filters.taps import AxisBlur


# Sums of pixels beyond the border must be finite in float32.
LARGE = 8e37


@dataclass(frozen=True)
class _Depth:
    """Planes that are blurred together.

    Attributes
    ----------
    taps : array, optional
        Half of the weights; None if each plane is on its own.
    groups : list of tuple
        For every four planes that are sharpened at once: the planes to take, how many
        of the four there are, and how many planes of the block come before them.
    distances : (int, int)
        Pixels from plane to plane in the block and in the result.
    """

    taps: Array | None
    groups: list[tuple[Array, int, int]]
    distances: tuple[int, int]


_ALONE = _Depth(None, [(np.zeros(1, np.int64), 1, 0)], (0, 0))


@dataclass(frozen=True)
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
        """The last axis that is blurred; any will do if none is."""
        return max(self.mask.blurred, default=ndim - 1)

    def sharpen_into(
        self,
        target: Target,
        core: tuple[slice, ...],
        block: Array,
        inner: tuple[slice, ...],
        finish: Finish,
    ) -> bool:
        """Sharpen a block into its place; whether all its pixels were valid."""
        across = self.last_axis(block.ndim)
        if across == 0:
            return self._with_one_row(target, core, block, inner, finish)
        *deep, down = self.mask.blurred[:-1] or [across - 1]
        to = Planes(target.shape, down, across, deep[0] if deep else None)
        source = replace(to, shape=block.shape, strides=strides_of(block))
        row_taps, column_taps = (
            filled_taps(self.mask.blurs.get(axis), 1, block.shape[axis], finish.mode)
            for axis in (down, across)
        )
        rows, columns = (
            border_index(block.shape[axis], taps.size - 1, finish.mode)
            for axis, taps in ((down, row_taps), (across, column_taps))
        )
        depth = self._depth(source, to, inner, finish.mode)
        # Blurred over planes, a row is float32.
        row_type = np.dtype(np.float32) if deep else block.dtype
        outside = finish.cval if finish.mode == "constant" else 0
        return all(
            sharpen_planes(
                flat(block),
                (
                    source.offset(place, source.others),
                    depth.distances[0],
                    source.stride,
                    source.step,
                ),
                planes,
                rows,
                columns,
                depth.taps,
                row_taps,
                column_taps,
                (count, *span(inner[down]), *span(inner[across])),
                np.empty(0, row_type),
                *target.flat,
                (
                    begin + before * depth.distances[1],
                    depth.distances[1],
                    to.stride,
                ),
                finish.numbers(block.dtype),
                row_type.type(outside),
            )
            for place, begin in source.cores(inner, to, core)
            for planes, count, before in depth.groups
        )

    def _depth(
        self, source: Planes, to: Planes, inner: Sequence[slice], mode: str
    ) -> _Depth:
        axis = source.deep
        if axis is None:
            return _ALONE
        taps = filled_taps(self.mask.blurs[axis], 1, source.shape[axis], mode)
        start, stop = span(inner[axis])
        around = border_index(source.shape[axis], taps.size - 1 + ROWS, mode)
        groups = [
            (
                around[first + ROWS : first + 2 * (taps.size - 1) + 2 * ROWS],
                min(ROWS, stop - first),
                first - start,
            )
            for first in range(start, stop, ROWS)
        ]
        return _Depth(taps, groups, (source.distance(axis), to.distance(axis)))

    def _with_one_row(
        self,
        target: Target,
        core: tuple[slice, ...],
        block: Array,
        inner: tuple[slice, ...],
        finish: Finish,
    ) -> bool:
        """Sharpen a block of one axis, with an axis of length 1 in front."""
        moved = {axis + 1: blur for axis, blur in self.mask.blurs.items()}
        row, image, edge_map = (
            a[np.newaxis] if a.size else a
            for a in (block, target.image, target.edge_map)
        )
        one = slice(0, 1)
        return MaskPass(replace(self.mask, blurs=moved)).sharpen_into(
            Target(image, edge_map), (one, *core), row, (one, *inner), finish
        )


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
