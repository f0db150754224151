"""Fused filters with the arguments of their kernels for blocks of one layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from napari_usm._filters.fused.planes import flat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_usm._filters.dtypes import Array

# Bytes of the numbers of a call.
_CALL = 320


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
        numbers: Array,
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
        numbers : array
            Those of `Finish`.
        """


@dataclass(frozen=True, eq=False)
class BoundPlanes:
    """A kernel with its arguments for each of its calls on a block.

    Attributes
    ----------
    kernel : callable
        Takes the memory of the block, the arguments of a call, both results, the place
        in them, the numbers of the finish, and what is `last`.
    calls : list of (tuple, int)
        Arguments of each call, and where it begins in the results, counted from the
        first pixel of the core.
    apart : tuple of int
        Pixels from plane to plane, where a call takes several, and from row to row in
        the results.
    last : tuple
        Arguments at the end.
    nbytes : int
        Bytes of the arguments.
    """

    kernel: Callable[..., Any]
    calls: list[tuple[tuple[Any, ...], int]]
    apart: tuple[int, ...]
    last: tuple[Any, ...]
    nbytes: int

    def __call__(
        self,
        block: Array,
        image: Array,
        edge_map: Array,
        begin: int,
        numbers: Array,
    ) -> bool:
        """Sharpen a block into its place; return whether all its pixels were valid."""
        return self.run((flat(block),), image, edge_map, begin, numbers)

    def run(
        self,
        sources: tuple[Array, ...],
        image: Array,
        edge_map: Array,
        begin: int,
        numbers: Array,
    ) -> bool:
        """Make all calls, with the memory of the block and whatever goes with it."""
        kernel, apart, last = self.kernel, self.apart, self.last
        outputs = image.reshape(-1), edge_map.reshape(-1)
        for given, place in self.calls:
            target = (begin + place, *apart)
            if not kernel(*sources, *given, *outputs, target, numbers, *last):
                return False
        return True


class NoFilter:
    """Stands for a filter that takes no block of a layout."""

    nbytes = 0

    def __call__(
        self,
        block: Array,
        image: Array,
        edge_map: Array,
        begin: int,
        numbers: Array,
    ) -> bool:
        """Return False."""
        return False


NO_FILTER = NoFilter()


def nbytes_of(arrays: Iterable[Array | None], calls: int) -> int:
    """Return the bytes of the arguments of so many calls."""
    return sum(a.nbytes for a in arrays if a is not None) + _CALL * calls
