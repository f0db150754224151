"""A mask in one pass there and one back, its blur on a coarser grid in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.blur import blur_between, coarse_planes
from napari_usm._filters.coarse import Grid
from napari_usm._filters.fused.bound import nbytes_of
from napari_usm._filters.fused.planes import Planes, flat, span
from napari_usm._filters.taps import spline_taps
from napari_usm._kernels.coarse_mask import reduce_plane, sharpen_plane

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.base import Layout
    from napari_usm._filters.mask import Mask


_FLOAT = np.dtype(np.float32)


@dataclass(frozen=True, eq=False)
class CoarseMaskPass:
    """A mask whose blur is on a coarser grid along its last two axes at least."""

    mask: Mask

    def fits(self, dtype: np.dtype[Any], mode: str, cval: float) -> bool:
        """Return whether the last two axes have a grid, and no constant border."""
        planes = coarse_planes(self.mask.blurs)
        last_two = len(planes) == 2 and planes == self.mask.blurred[-2:]
        return last_two and mode != "constant"

    def last_axis(self, ndim: int) -> int:
        """Return the last axis that is blurred."""
        return self.mask.blurred[-1]

    def bind(self, layout: Layout) -> BoundCoarseMask | None:
        """Return the filter with its arguments; None if a blur is beyond an axis."""
        blurs = self.mask.blurs
        if any(blur.is_beyond(layout.shape[axis]) for axis, blur in blurs.items()):
            return None
        down, across = axes = coarse_planes(blurs)
        source, to, cores = layout.planes(down, across)
        grids = [
            Grid(blurs[axis], layout.shape[axis], *span(layout.inner[axis]))
            for axis in axes
        ]
        shape = list(layout.shape)
        shape[down], shape[across] = (grid.points for grid in grids)
        points = Planes(tuple(shape), down, across)
        before = points.offset([grid.before for grid in grids], axes)
        whole = [slice(0, length) for length in layout.shape]
        taps = [spline_taps(grid.blur.factor, _FLOAT) for grid in grids]
        return BoundCoarseMask(
            lambda values: blur_between(values, blurs, layout.mode, layout.cval),
            points.shape,
            [
                (
                    source.offset(place, source.others),
                    points.offset(place, points.others),
                )
                for place in source.places(whole)
            ],
            [
                (
                    source.offset(place, source.others),
                    points.offset(place, points.others) + before,
                    begin,
                )
                for place, begin in cores
            ],
            (source.stride, source.step),
            points.stride,
            to.stride,
            (
                *(grid.index(layout.mode) for grid in grids),
                *(down_taps for down_taps, _ in taps),
            ),
            (
                *(up_taps for _, up_taps in taps),
                (*span(layout.inner[down]), *span(layout.inner[across])),
            ),
            np.finfo(_FLOAT).max if layout.dtype == _FLOAT else None,
        )


@dataclass(frozen=True, eq=False)
class BoundCoarseMask:
    """A mask on a coarser grid with its arguments for blocks of one layout.

    Attributes
    ----------
    blur : callable
        The blur between the ways to the grid and back.
    shape : tuple of int
        Shape of the grid points.
    reduced : list of (int, int)
        Where each plane begins in the block and in the grid points.
    expanded : list of (int, int, int)
        Where each plane of the core begins in the block, where the point before its
        first is, and where it begins in the results from the first pixel of the core
        on.
    apart : (int, int)
        Pixels from row to row and from column to column in the block.
    stride_between, stride_there : int
        From row to row, points in the grid and pixels in the results.
    reducing, expanding : tuple
        Arguments of both kernels: of `reduce_plane` from `rows` to the taps, of
        `sharpen_plane` from the taps to `core`.
    largest : float, optional
        Limit of the detail, as the kernel takes it.
    """

    blur: Callable[[Array], Array]
    shape: tuple[int, ...]
    reduced: list[tuple[int, int]]
    expanded: list[tuple[int, int, int]]
    apart: tuple[int, int]
    stride_between: int
    stride_there: int
    reducing: tuple[Any, ...]
    expanding: tuple[Any, ...]
    largest: Any

    @property
    def nbytes(self) -> int:
        """Bytes of the arguments."""
        rows, columns, *taps = self.reducing
        arrays = [rows, columns, *taps, *self.expanding[:-1]]
        return nbytes_of(arrays, len(self.reduced) + len(self.expanded))

    def __call__(
        self,
        block: Array,
        image: Array,
        edge_map: Array,
        begin: int,
        numbers: Array,
    ) -> bool:
        """Sharpen a block into its place; return whether all its pixels were valid."""
        pixels, image, edge_map = flat(block), image.reshape(-1), edge_map.reshape(-1)
        points = np.empty(self.shape, np.float32)
        memory = points.reshape(-1)
        for start, to in self.reduced:
            source, target = (start, *self.apart), (to, self.stride_between)
            if not reduce_plane(pixels, source, *self.reducing, memory, target):
                return False
        memory = self.blur(points).reshape(-1)
        for start, first, place in self.expanded:
            sharpen_plane(
                pixels,
                (start, *self.apart),
                memory,
                (first, self.stride_between),
                *self.expanding,
                image,
                edge_map,
                (begin + place, self.stride_there),
                numbers,
                self.largest,
            )
        return True
