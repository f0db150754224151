"""Interface of the fused filters, from pixels to the result in one pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_usm._filters.fused.planes import Planes
from napari_usm._filters.threshold import NO_THRESHOLD, Threshold

if TYPE_CHECKING:
    from napari_usm._filters.dtypes import Array
    from napari_usm._filters.fused.bound import BoundFilter

# What the kernels are compiled for: the types of nearly all images.
_DTYPES = (np.uint8, np.uint16, np.int8, np.int16, np.float32)

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Finish:
    """Parameters of the last steps, from detail to a result.

    Attributes
    ----------
    amount, limits
        As for the method.
    threshold : Threshold
        What is done to weak detail, in one way everywhere.
    """

    amount: float
    limits: tuple[float, float]
    threshold: Threshold = NO_THRESHOLD

    def numbers(self, dtype: np.dtype[Any]) -> Array:
        """Return the numbers that kernels take, for results of this type."""
        limit, *noise = self.threshold.numbers
        # Results that overflow end at the largest number.
        amount, low, high = (
            min(max(number, -_LARGEST), _LARGEST)
            for number in (self.amount, *self.limits)
        )
        rounding = 0.0 if dtype.kind == "f" else 0.5
        numbers = amount, limit, self.threshold.hard, *noise, low, high, rounding
        return np.array(numbers, np.float32)


@dataclass(frozen=True)
class Layout:
    """Shapes, places and border of a block and its results, without their pixels.

    Attributes
    ----------
    shape : tuple of int
        Shape of the block with its neighbours.
    strides : tuple of int
        Pixels from one index to the next along each axis; none if it is C-contiguous.
        See `is_in_rows` for those that kernels take.
    dtype : dtype
        Type of the pixels.
    inner : tuple of slice
        The core in the block; all of the block along the axes behind `last_axis`.
    target : tuple of int
        Shape of the arrays that results are written to, C-contiguous.
    mode, cval : str, float
        The border.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    inner: tuple[slice, ...]
    target: tuple[int, ...]
    mode: str
    cval: float

    @property
    def outside(self) -> float:
        """Return the value beyond the border, 0 if there is none."""
        return self.cval if self.mode == "constant" else 0.0

    def planes(
        self, down: int, across: int, deep: int | None = None
    ) -> tuple[Planes, Planes, list[tuple[tuple[int, ...], int]]]:
        """Return block and results as planes, and the planes that the core is in.

        The latter by their index along the other axes, and where they begin in the
        results, counted from the first pixel of the core.
        """
        to = Planes(self.target, down, across, deep)
        source = replace(to, shape=self.shape, strides=self.strides)
        core = [slice(0, span.stop - span.start) for span in self.inner]
        return source, to, list(source.cores(self.inner, to, core))

    def with_front(self) -> Layout:
        """Return the layout with an axis of length 1 in front."""
        return replace(
            self,
            shape=(1, *self.shape),
            strides=(self.shape[0], *self.strides) if self.strides else (),
            inner=(slice(0, 1), *self.inner),
            target=(1, *self.target),
        )


class OnePass(Protocol):
    """A filter that needs no edge map on its way to the result.

    Filters are equal if they are the same object: bound filters are cached by them.
    """

    def fits(self, dtype: np.dtype[Any], mode: str, cval: float) -> bool:
        """Return whether there is a kernel for it, for pixels of this type."""

    def last_axis(self, ndim: int) -> int:
        """Return the axis behind which a block must not be cut."""

    def bind(self, layout: Layout) -> BoundFilter | None:
        """Return the filter with its arguments for a layout; None if it has none."""


def stored_type(source: np.dtype[Any], result: np.dtype[Any]) -> np.dtype[Any] | None:
    """Type in which a kernel reads and writes such pixels; None if there is none."""
    if source != result:
        return None
    stored = np.dtype(np.uint8) if source.kind == "b" else source
    return stored if stored in _DTYPES else None
