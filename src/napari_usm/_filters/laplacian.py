"""The plain Laplacian: second differences along the filtered axes, weighted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.border import border_index
from napari_usm._filters.fused.bound import BoundPlanes, nbytes_of
from napari_usm._filters.fused.planes import flat, span
from napari_usm._filters.median import median
from napari_usm._filters.overflow import without_overflow
from napari_usm._kernels.laplacian import sharpen_plane
from napari_usm._kernels.median import SIZES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.base import Layout

# A Laplacian of pixels beyond the border must be finite in float32.
LARGE = 2e37

_NEIGHBOURS = np.array([1.0, 0.0, 1.0])


def negative_laplacian(
    values: Array, weights: Mapping[int, float], mode: str, cval: float
) -> Array:
    """Sum over the axes of ``weight * (2 * centre - before - after)``.

    An invalid neighbour counts as the centre, so that it adds nothing; at an
    invalid pixel itself the result is 0.
    """
    return without_overflow(
        lambda pixels, beyond: _negative_laplacian(pixels, weights, mode, beyond),
        values,
        cval,
    )


def _negative_laplacian(
    values: Array, weights: Mapping[int, float], mode: str, cval: float
) -> Array:
    """Return the negative Laplacian, not finite where sums overflow."""
    from scipy import ndimage  # late: it takes 0.07 s

    valid = np.isfinite(values)
    all_valid = bool(valid.all())
    filled = values if all_valid else np.where(valid, values, 0)
    total = np.zeros_like(filled)
    for axis, weight in weights.items():
        around = ndimage.correlate1d(filled, _NEIGHBOURS, axis, mode=mode, cval=cval)
        count = 2.0
        if not all_valid:
            count = ndimage.correlate1d(
                valid.astype(values.dtype), _NEIGHBOURS, axis, mode=mode, cval=1.0
            )
        total += weight * (count * filled - around)
    return total if all_valid else np.where(valid, total, 0)


@dataclass(frozen=True, eq=False)
class LaplacianPass:
    """Laplacian of a median, along two axes, in one pass after the median.

    Attributes
    ----------
    weights : mapping of axis to float
        Of the second differences.
    median_size : int
        Width of the median.
    """

    weights: Mapping[int, float]
    median_size: int

    def fits(self, dtype: np.dtype[Any], mode: str, cval: float) -> bool:
        """Return whether planes are filtered, with a border that float32 can hold."""
        held = mode != "constant" or (
            abs(cval) < LARGE and float(np.float32(cval)) == cval
        )
        return len(self.weights) == 2 and held

    def last_axis(self, ndim: int) -> int:
        """Return the last filtered axis."""
        return max(self.weights)

    def bind(self, layout: Layout) -> BoundLaplacian:
        """Return the filter with its arguments for a layout."""
        axes = down, across = sorted(self.weights)
        size, before = self.median_size, 1
        calming: tuple[Any, ...] | None = None
        if size in SIZES:
            calming = (size, *_border_indices(layout, axes, size // 2, "reflect"))
        elif size > 1:
            before = size  # of a whole block, which is contiguous then
            layout = replace(layout, strides=())
        source, to, cores = layout.planes(down, across)
        rows, columns = _border_indices(layout, axes, 1, layout.mode)
        given = (
            source.stride,
            rows,
            columns,
            source.step,
            calming,
            np.float32(self.weights[down]),
            np.float32(self.weights[across]),
            (*span(layout.inner[down]), *span(layout.inner[across])),
        )
        calls: list[tuple[tuple[Any, ...], int]] = [
            ((source.offset(place, source.others), *given), begin)
            for place, begin in cores
        ]
        tables = [rows, columns, *(calming or ())[1:]]
        planes = BoundPlanes(
            sharpen_plane,
            calls,
            (to.stride,),
            (np.float32(layout.cval),),
            nbytes_of(tables, len(calls)),
        )
        return BoundLaplacian(planes, before, axes)


@dataclass(frozen=True, eq=False)
class BoundLaplacian:
    """A Laplacian with its arguments for blocks of one layout.

    Attributes
    ----------
    planes : BoundPlanes
        The kernel, which takes the block and the block after the median.
    median_size, axes : int, list of int
        A median that is done first, and not by the kernel.
    """

    planes: BoundPlanes
    median_size: int
    axes: Sequence[int]

    @property
    def nbytes(self) -> int:
        """Bytes of the arguments."""
        return self.planes.nbytes

    def __call__(
        self,
        block: Array,
        image: Array,
        edge_map: Array,
        begin: int,
        numbers: Array,
    ) -> bool:
        """Sharpen a block into its place; return whether all its pixels were valid."""
        if self.median_size == 1:
            pixels = calm = flat(block)
        elif np.isfinite(block).all():
            block = np.ascontiguousarray(block)
            pixels = block.reshape(-1)
            calm = median(block, self.median_size, self.axes).reshape(-1)
        else:
            return False
        return self.planes.run((pixels, calm), image, edge_map, begin, numbers)


def _border_indices(
    layout: Layout, axes: Sequence[int], reach: int, mode: str
) -> list[NDArray[np.int64]]:
    return [border_index(layout.shape[axis], reach, mode) for axis in axes]
