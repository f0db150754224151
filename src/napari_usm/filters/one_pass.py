"""What every filter has in common that goes from pixels to the result in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from napari_usm.filters.dtypes import Array

# What the kernels are compiled for: the types of nearly all images.
_DTYPES = (np.uint8, np.uint16, np.float32)


@dataclass(frozen=True)
class Finish:
    """What turns detail into a result.

    Attributes
    ----------
    amount, limits
        As for the method.
    mode, cval
        The border.
    """

    amount: float
    limits: tuple[float, float]
    mode: str
    cval: float

    def arguments(
        self, dtype: np.dtype[Any], threshold: float, hard: bool
    ) -> tuple[Any, ...]:
        """The last arguments of a kernel but `outside`, for results of this type."""
        with np.errstate(over="ignore"):
            return (
                np.float32(self.amount),
                np.float32(threshold),
                hard,
                np.float32(self.limits[0]),
                np.float32(self.limits[1]),
                np.float32(0.0 if dtype.kind == "f" else 0.5),
            )


class OnePass(Protocol):
    """A filter that needs no edge map on its way to the result."""

    def fits(self, dtype: np.dtype[Any], mode: str, cval: float) -> bool:
        """Whether there is a kernel for it, for pixels of this type."""

    def last_axis(self, ndim: int) -> int:
        """The axis behind which a block must not be cut."""

    def sharpen_into(
        self,
        result: Array,
        core: tuple[slice, ...],
        block: Array,
        inner: tuple[slice, ...],
        finish: Finish,
    ) -> None:
        """Sharpen a block into its place in the result.

        Parameters
        ----------
        result : array
            The whole result, C-contiguous, of the type of `block`.
        core : tuple of slice
            The block's own pixels in `result`.
        block : array
            The block with its neighbours, C-contiguous, writeable, all of it valid.
        inner : tuple of slice
            Its own pixels in `block`; all of it along the axes behind `last_axis`.
        finish : Finish
            What turns detail into the result.
        """


def has_kernel(source: np.dtype[Any], result: np.dtype[Any]) -> bool:
    """Whether images of this type are read and written directly."""
    return source == result and source in _DTYPES
