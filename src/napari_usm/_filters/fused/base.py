"""Interface of the fused filters, from pixels to the result in one pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_usm._filters.fused.planes import Planes
from napari_usm._filters.threshold import NO_THRESHOLD, Threshold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_usm._filters.dtypes import Array

# What the kernels are compiled for: the types of nearly all images.
_DTYPES = (np.uint8, np.uint16, np.int8, np.int16, np.float32)

# Bytes of two numbers that say where a plane begins.
_PLANE = 80


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

    def numbers(self, dtype: np.dtype[Any]) -> tuple[Any, ...]:
        """Return the numbers that `finish_row` takes, for results of this type."""
        limit, *noise = self.threshold.numbers
        # Results that overflow end at the largest number.
        largest = float(np.finfo(np.float32).max)
        amount, low, high = np.clip([self.amount, *self.limits], -largest, largest)
        return (
            np.float32(amount),
            limit,
            (self.threshold.hard, *noise),
            np.float32(low),
            np.float32(high),
            np.float32(0.0 if dtype.kind == "f" else 0.5),
        )


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


class BoundFilter(Protocol):
    """A filter with its arguments for blocks of one layout."""

    @property
    def nbytes(self) -> int:
        """Bytes of the arguments."""

    def __call__(
        self,
        block: Array,
        image: Array,
        edge_map: Array,
        begin: int,
        numbers: tuple[Any, ...],
    ) -> bool:
        """Sharpen a block into its place; return whether all its pixels were valid.

        If not, what has been written is of no use.

        Parameters
        ----------
        block : array
            The block with its neighbours, of the layout, writeable.
        image, edge_map : array
            Whole results, or of no pixels: of the image's type, and of float32.
        begin : int
            Place of the first pixel of the core in the memory of either.
        numbers : tuple
            Those of `Finish`.
        """


class NoFilter:
    """Stands for a filter that takes no block of a layout."""

    nbytes = 0

    def __call__(
        self,
        block: Array,
        image: Array,
        edge_map: Array,
        begin: int,
        numbers: tuple[Any, ...],
    ) -> bool:
        """Return False."""
        return False


NO_FILTER = NoFilter()


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


def nbytes_of(arrays: Iterable[Array | None], planes: int) -> int:
    """Return the bytes of the arguments of a bound filter, on so many planes."""
    return sum(a.nbytes for a in arrays if a is not None) + _PLANE * planes


def stored_type(source: np.dtype[Any], result: np.dtype[Any]) -> np.dtype[Any] | None:
    """Type in which a kernel reads and writes such pixels; None if there is none."""
    if source != result:
        return None
    stored = np.dtype(np.uint8) if source.kind == "b" else source
    return stored if stored in _DTYPES else None
