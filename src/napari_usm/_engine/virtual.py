"""An array whose pixels are computed on demand: indexing it computes nothing.

A viewer reads from it what it shows, and nothing else. Everything that computes with
it gets an ordinary array of numpy.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from operator import index as whole_number
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from numpy.typing import DTypeLike

    from napari_usm._filters.dtypes import Array

# Key of a part of an array: one index or a range for each of its axes.
Index = tuple[int | range, ...]

# Attributes of NumPy arrays that describe memory: there is none. With `data`, it
# would be taken for a wrapper of another array.
_MEMORY = {"base", "ctypes", "data", "device", "flags", "strides", "to_device"}

# Methods that write in place: on computed pixels they would change nothing.
_WRITING = {"fill", "partition", "put", "resize", "setfield", "setflags", "sort"}

_READ_ONLY = (
    "a computed array is read-only: copy its pixels with `numpy.array(...)` to write "
    "to them"
)


def _refuse(*arguments: Any, **keywords: Any) -> NoReturn:
    """Raise for a method that writes in place."""
    raise TypeError(_READ_ONLY)


class VirtualArray(NDArrayOperatorsMixin):
    """An array-like whose pixels a function computes.

    Operators, NumPy functions and methods of arrays compute the pixels
    and work on those; writing raises a TypeError.

    Parameters
    ----------
    shape, dtype
        Of the whole array.
    compute : callable
        From an `Index` to its pixels, without axes of which it takes a single index.
        Copied with the array: a copy may be of pixels that no longer change.
    chunks : tuple of int, optional
        Shape of the parts that are best read at once.

    Examples
    --------
    >>> squares = VirtualArray((4,), "int64", lambda index: np.square(index[0]))
    >>> squares[1:]
    <VirtualArray int64 (3,)>
    >>> squares + 1, squares[1:].max()
    (array([ 1,  2,  5, 10]), np.int64(9))
    """

    def __init__(
        self,
        shape: Sequence[int],
        dtype: DTypeLike,
        compute: Callable[[Index], Array],
        chunks: tuple[int, ...] | None = None,
    ) -> None:
        self.dtype = np.dtype(dtype)
        self.chunks = chunks
        self._compute = compute
        self._index: Index = tuple(range(length) for length in shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes that are left."""
        return tuple(len(span) for span in self._index if isinstance(span, range))

    @property
    def ndim(self) -> int:
        """Return the number of axes that are left."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Return the number of pixels."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels, once they are computed."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a virtual array without axes has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        """Return a view, not computed; pixels for a key that only NumPy knows."""
        keys = key if isinstance(key, tuple) else (key,)
        if not all(_is_simple(each) for each in keys):
            return np.asarray(self)[key]
        whole = iter(_for_each_axis(keys, self.ndim))
        index = tuple(
            span[next(whole)] if isinstance(span, range) else span
            for span in self._index
        )
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__, _index=index, chunks=None)
        return view

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> Array:
        pixels = np.asarray(self._compute(self._index)) if self.size else self._empty()
        if dtype is not None:
            pixels = pixels.astype(dtype, copy=False)
        return pixels.copy() if copy else pixels

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the computed pixels: a method, or such as `T`."""
        if name in _WRITING:
            return _refuse  # when it is called: `hasattr` must not raise
        if name.startswith("_") or name in _MEMORY or not hasattr(np.ndarray, name):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        if not callable(getattr(np.ndarray, name)):
            return getattr(np.asarray(self), name)

        def method(*arguments: Any, **keywords: Any) -> Any:
            return getattr(np.asarray(self), name)(*arguments, **keywords)

        return method  # it computes when it is called: `hasattr` must not

    __setitem__ = _refuse
    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ifloordiv__ = __imod__ = _refuse
    __ipow__ = __imatmul__ = __ilshift__ = __irshift__ = _refuse
    __iand__ = __ixor__ = __ior__ = _refuse

    def __contains__(self, value: Any) -> bool:
        return value in np.asarray(self)

    def __bool__(self) -> bool:
        return bool(np.asarray(self))

    def __int__(self) -> int:
        return int(np.asarray(self))

    def __float__(self) -> float:
        return float(np.asarray(self))

    def __complex__(self) -> complex:
        return complex(np.asarray(self))

    def __index__(self) -> int:
        return whole_number(np.asarray(self))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the pixels: what computes them holds locks and threads."""
        return np.array, (np.asarray(self),)

    def __dask_tokenize__(self) -> str:
        """Return a unique name for dask, which would pickle all pixels for one."""
        return uuid4().hex

    def __copy__(self) -> VirtualArray:
        return deepcopy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> VirtualArray:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, _compute=deepcopy(self._compute, memo))
        return twin

    def _empty(self) -> Array:
        return np.empty(self.shape, self.dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.dtype} {self.shape}>"


@dataclass(frozen=True)
class Window:
    """The box of an image that an index needs, and the cut that gives the index.

    Attributes
    ----------
    box : tuple of range
        Indices along each axis, forwards; without gaps along filtered axes.
    cut : tuple of int or slice
        The part of the box that the index stands for.
    """

    box: tuple[range, ...]
    cut: tuple[int | slice, ...]


def window(
    index: Index,
    shape: Sequence[int],
    filtered: Collection[int],
    whole: Collection[int],
) -> Window:
    """Return the box of an image that an index needs.

    Parameters
    ----------
    index : Index
        Key of the part; no range in it is empty.
    shape : sequence of int
        Shape of the whole array.
    filtered, whole : collection of int
        Axes that are covered without gaps, and those that are covered as a whole.
    """
    box: list[range] = []
    cut: list[int | slice] = []
    for axis, span in enumerate(index):
        wanted = range(span, span + 1) if isinstance(span, int) else span
        forwards = wanted if wanted.step > 0 else wanted[::-1]
        if not 0 <= forwards[0] <= forwards[-1] < shape[axis]:
            raise IndexError(f"{span} is beyond axis {axis} of {shape[axis]} places")
        if axis in whole:
            covered = range(shape[axis])
        elif axis in filtered or len(forwards) == 1:
            # The step of a single place does not count: equal boxes are equal.
            covered = range(forwards[0], forwards[-1] + 1)
        else:
            covered = range(forwards[0], forwards[-1] + 1, forwards.step)
        box.append(covered)
        places = [covered.index(wanted[0]), covered.index(wanted[-1])]
        cut.append(
            places[0]
            if isinstance(span, int)
            else _slice(places[0], places[1], len(wanted))
        )
    return Window(tuple(box), tuple(cut))


def _slice(first: int, last: int, count: int) -> slice:
    """So many places, evenly from the first to the last, either way."""
    step = (last - first) // (count - 1) if count > 1 else 1
    stop = last + (1 if step > 0 else -1)
    return slice(first, stop if stop >= 0 else None, step)


def _is_simple(key: Any) -> bool:
    """Return whether a key leaves a view: no masks, lists or new axes."""
    if isinstance(key, bool | np.bool_):
        return False
    return key is Ellipsis or isinstance(key, slice | int | np.integer)


def _for_each_axis(keys: tuple[Any, ...], ndim: int) -> list[Any]:
    """One key for each axis; an ellipsis, or none, stands for those not named."""
    if (named := sum(key is not Ellipsis for key in keys)) > ndim:
        raise IndexError(f"too many indices: the array has {ndim} axes, not {named}")
    if len(keys) - named > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    spread: list[Any] = []
    for key in keys if named < len(keys) else (*keys, Ellipsis):
        if key is Ellipsis:
            spread += [slice(None)] * (ndim - named)
        else:
            spread.append(key if isinstance(key, slice) else whole_number(key))
    return spread
