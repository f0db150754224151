"""A mask from the image's own pixels to the result's in one pass, on every pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm.filters.border import border_index
from napari_usm.filters.one_pass import Target
from napari_usm.filters.planes import Planes, span
from napari_usm.filters.taps import AxisBlur, half_taps
from napari_usm.kernels.mask import sharpen_plane
from napari_usm.kernels.sweeps import PAIRS

if TYPE_CHECKING:
    from napari_usm.filters.dtypes import Array
    from napari_usm.filters.mask import Mask
    from napari_usm.filters.one_pass import Finish

# A plane that is not blurred over its neighbours: its only tap, and its only plane.
_ONE = np.ones(1, np.float32)
_HERE = np.zeros(1, np.int64)


@dataclass(frozen=True)
class MaskPass:
    """A mask whose blur is on every pixel, along up to three axes."""

    mask: Mask

    def fits(self, dtype: np.dtype[Any], mode: str, cval: float) -> bool:
        """Whether it blurs up to three axes, up to a border that `dtype` can hold."""
        if mode != "constant":
            return len(self.mask.blurred) <= 3
        if dtype.kind != "f":
            info = np.iinfo(dtype)
            if not (cval.is_integer() and info.min <= cval <= info.max):
                return False
        return len(self.mask.blurred) <= 2

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
        source, to = (Planes(a.shape, down, across) for a in (block, target))
        taps = [_filled(self.mask.blurs.get(axis)) for axis in (down, across)]
        rows, columns = (
            border_index(block.shape[axis], half.size - 1, finish.mode)
            for axis, half in zip((down, across), taps, strict=True)
        )
        deep_taps, nearby, depth = _ONE, _HERE, 0
        if deep:
            (axis,) = deep
            deep_taps = _filled(self.mask.blurs[axis])
            nearby = border_index(block.shape[axis], deep_taps.size - 1, finish.mode)
            depth = source.distance(axis)
        window = (*span(inner[down]), *span(inner[across]))
        # Blurred over planes, a row is float32.
        row_type = np.dtype(np.float32) if deep else block.dtype
        outside = row_type.type(finish.cval if finish.mode == "constant" else 0)
        numbers = finish.numbers(block.dtype, self.mask.threshold, self.mask.hard)
        for place, begin in source.cores(inner, to, core):
            # Of the axis `deep`, the kernel finds the planes around this one itself.
            z = place[source.others.index(axis)] if deep else 0
            start = source.offset(place, source.others) - z * depth
            finite = sharpen_plane(
                block.reshape(-1),
                (start, depth, source.stride, source.step),
                nearby[z : z + 2 * deep_taps.size - 1],
                rows,
                columns,
                deep_taps,
                *taps,
                window,
                np.empty(0, row_type),
                *target.flat,
                (begin, to.stride),
                numbers,
                outside,
            )
            if not finite:
                return False
        return True

    def _with_one_row(
        self,
        target: Target,
        core: tuple[slice, ...],
        block: Array,
        inner: tuple[slice, ...],
        finish: Finish,
    ) -> bool:
        """The same with an axis in front of all others, of length 1."""
        moved = {axis + 1: blur for axis, blur in self.mask.blurs.items()}
        row, image, edge_map = (
            a[np.newaxis] if a.size else a
            for a in (block, target.image, target.edge_map)
        )
        one = slice(0, 1)
        return MaskPass(replace(self.mask, blurs=moved)).sharpen_into(
            Target(image, edge_map), (one, *core), row, (one, *inner), finish
        )


def _filled(blur: AxisBlur | None) -> Array:
    """Half of the taps, with zeros up to a whole number of sweeps, one at least."""
    half = _ONE if blur is None else half_taps(blur.taps, np.float32)
    sweeps = max(1, -(-(half.size - 1) // PAIRS))
    filled = np.zeros(sweeps * PAIRS + 1, np.float32)
    filled[: half.size] = half
    return filled
