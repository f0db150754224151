"""Interface of the fused filters, from pixels to the result in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_usm._filters.threshold import NO_THRESHOLD, Threshold

if TYPE_CHECKING:
    from napari_usm._filters.dtypes import Array

    Slices = tuple[slice, ...]

# What the kernels are compiled for: the types of nearly all images.
_DTYPES = (np.uint8, np.uint16, np.int8, np.int16, np.float32)


@dataclass(frozen=True)
class Finish:
    """Parameters of the last steps, from detail to a result.

    Attributes
    ----------
    amount, limits
        As for the method.
    mode, cval
        The border.
    threshold : Threshold
        What is done to weak detail, in one way everywhere.
    """

    amount: float
    limits: tuple[float, float]
    mode: str
    cval: float
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
class Target:
    """Arrays that results are written to.

    Attributes
    ----------
    image : array
        The whole result, C-contiguous, of the image's type; or of no pixels.
    edge_map : array
        The whole edge map, likewise, in float32. Not both are of no pixels.
    """

    image: Array
    edge_map: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of either."""
        return self.image.shape if self.image.size else self.edge_map.shape

    @property
    def flat(self) -> tuple[Array, Array]:
        """Both in one dimension."""
        return self.image.reshape(-1), self.edge_map.reshape(-1)


class OnePass(Protocol):
    """A filter that needs no edge map on its way to the result."""

    def fits(self, dtype: np.dtype[Any], mode: str, cval: float) -> bool:
        """Return whether there is a kernel for it, for pixels of this type."""

    def last_axis(self, ndim: int) -> int:
        """The axis behind which a block must not be cut."""

    def sharpen_into(
        self, target: Target, core: Slices, block: Array, inner: Slices, finish: Finish
    ) -> bool:
        """Sharpen a block into its place; whether all its pixels were valid.

        If not, what has been written is of no use.

        Parameters
        ----------
        target : Target
            Where the results go.
        core : tuple of slice
            The block's own pixels there.
        block : array
            The block with its neighbours, writeable and in whole rows, see
            `filters.planes.is_in_rows`.
        inner : tuple of slice
            Its own pixels in `block`; all of it along the axes behind `last_axis`.
        finish : Finish
            What turns detail into the result.
        """


def stored_type(source: np.dtype[Any], result: np.dtype[Any]) -> np.dtype[Any] | None:
    """Type in which a kernel reads and writes such pixels; None if there is none."""
    if source != result:
        return None
    stored = np.dtype(np.uint8) if source.kind == "b" else source
    return stored if stored in _DTYPES else None
