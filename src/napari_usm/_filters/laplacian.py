"""The plain Laplacian: second differences along the filtered axes, weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_usm._filters.border import border_index
from napari_usm._filters.fused.planes import Planes, span
from napari_usm._filters.median import median
from napari_usm._filters.overflow import without_overflow
from napari_usm._kernels.laplacian import sharpen_plane
from napari_usm._kernels.median import SIZES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.base import Finish, Target

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


@dataclass(frozen=True)
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
        """The last filtered axis."""
        return max(self.weights)

    def sharpen_into(
        self,
        target: Target,
        core: tuple[slice, ...],
        block: Array,
        inner: tuple[slice, ...],
        finish: Finish,
    ) -> bool:
        """Sharpen a block into its place; whether all its pixels were valid."""
        axes = down, across = sorted(self.weights)
        block = np.ascontiguousarray(block)
        size, calm, calming = self.median_size, block, None
        if size in SIZES:
            calming = (size, *_border_indices(block, axes, size // 2, "reflect"))
        elif size > 1:
            if not np.isfinite(block).all():
                return False
            calm = median(block, size, axes)
        source, to = (Planes(a.shape, down, across) for a in (block, target))
        rows, columns = _border_indices(block, axes, 1, finish.mode)
        for place, begin in source.cores(inner, to, core):
            finite = sharpen_plane(
                block.reshape(-1),
                calm.reshape(-1),
                source.offset(place, source.others),
                source.stride,
                rows,
                columns,
                source.step,
                calming,
                np.float32(self.weights[down]),
                np.float32(self.weights[across]),
                (*span(inner[down]), *span(inner[across])),
                *target.flat,
                (begin, to.stride),
                finish.numbers(block.dtype),
                np.float32(finish.cval),
            )
            if not finite:
                return False
        return True


def _border_indices(
    block: Array, axes: Sequence[int], reach: int, mode: str
) -> list[NDArray[np.int64]]:
    return [border_index(block.shape[axis], reach, mode) for axis in axes]
