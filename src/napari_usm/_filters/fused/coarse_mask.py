"""A mask in one pass there and one back, its blur on a coarser grid in between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.blur import blur_between, coarse_planes
from napari_usm._filters.coarse import Grid
from napari_usm._filters.fused.planes import Planes, flat, span, strides_of
from napari_usm._filters.taps import spline_taps
from napari_usm._kernels.coarse_mask import reduce_plane, sharpen_plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.base import Finish, Target
    from napari_usm._filters.mask import Mask


_FLOAT = np.dtype(np.float32)


@dataclass(frozen=True)
class CoarseMaskPass:
    """A mask whose blur is on a coarser grid along its last two axes at least."""

    mask: Mask

    def fits(self, dtype: np.dtype[Any], mode: str, cval: float) -> bool:
        """Return whether the last two axes have a grid, and no constant border."""
        planes = coarse_planes(self.mask.blurs)
        last_two = len(planes) == 2 and planes == self.mask.blurred[-2:]
        return last_two and mode != "constant"

    def last_axis(self, ndim: int) -> int:
        """The last axis that is blurred."""
        return self.mask.blurred[-1]

    def sharpen_into(
        self,
        target: Target,
        core: tuple[slice, ...],
        block: Array,
        inner: tuple[slice, ...],
        finish: Finish,
    ) -> bool:
        """Sharpen a block; False if a pixel is invalid, or a blur beyond an axis."""
        beyond = (b.is_beyond(block.shape[a]) for a, b in self.mask.blurs.items())
        if any(beyond):
            return False
        down, across = coarse_planes(self.mask.blurs)
        to = Planes(target.shape, down, across)
        source = replace(to, shape=block.shape, strides=strides_of(block))
        grids = [
            Grid(self.mask.blurs[axis], block.shape[axis], *span(inner[axis]))
            for axis in (down, across)
        ]
        shape = list(block.shape)
        shape[down], shape[across] = (grid.points for grid in grids)
        points = np.empty(shape, np.float32)
        if not _reduced(block, source, grids, finish.mode, points):
            return False
        points = blur_between(points, self.mask.blurs, finish.mode, finish.cval)
        there = Planes(points.shape, down, across)
        before = there.offset([grid.before for grid in grids], (down, across))
        for place, begin in source.cores(inner, to, core):
            sharpen_plane(
                flat(block),
                (source.offset(place, source.others), source.stride, source.step),
                points.reshape(-1),
                (there.offset(place, there.others) + before, there.stride),
                *(spline_taps(grid.blur.factor, _FLOAT)[1] for grid in grids),
                (*span(inner[down]), *span(inner[across])),
                *target.flat,
                (begin, to.stride),
                finish.numbers(block.dtype),
                np.finfo(_FLOAT).max if block.dtype == _FLOAT else None,
            )
        return True


def _reduced(
    block: Array, source: Planes, grids: Sequence[Grid], mode: str, points: Array
) -> bool:
    """All planes of a block to their grids, in `points`; whether all was valid."""
    there = Planes(points.shape, source.down, source.across)
    index = [grid.index(mode) for grid in grids]
    taps = [spline_taps(grid.blur.factor, _FLOAT)[0] for grid in grids]
    whole = [slice(0, length) for length in block.shape]
    return all(
        reduce_plane(
            flat(block),
            (source.offset(place, source.others), source.stride, source.step),
            *index,
            *taps,
            points.reshape(-1),
            (there.offset(place, there.others), there.stride),
        )
        for place in source.places(whole)
    )
