"""Arrays in memory that earlier ones have left.

The system zeroes all memory that it hands out, page by page. For a large plane that
takes longer than to finish its pixels, so what changes with every move of a slider
shall not ask for more.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike

    from napari_usm._filters.dtypes import Array

# Bytes of what is worth it: less comes from memory that the process has anyway, and
# more would be too much to hold for nothing.
_WORTH = range(2**18, 2**26 + 1)

# Pieces that wait for their next use: detail, edges and two results.
_IDLE = 4

_idle: deque[Array] = deque(maxlen=_IDLE)


def empty(shape: Sequence[int], dtype: DTypeLike) -> Array:
    """A new array, as of ``numpy.empty``; its memory is used again when it is gone.

    It is gone when nothing refers to it or to a view of it.
    """
    dtype = np.dtype(dtype)
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes not in _WORTH:
        return np.empty(shape, dtype)
    memory = _taken(nbytes)
    if memory is None:
        memory = np.empty(nbytes, np.uint8)
    return np.asarray(_Lent(memory)).view(dtype).reshape(shape)


def _taken(nbytes: int) -> Array | None:
    """Return an idle piece of just that size, if there is one."""
    for _ in range(len(_idle)):
        try:
            memory = _idle.popleft()
        except IndexError:  # another thread took the last
            break
        if memory.nbytes == nbytes:
            return memory
        _idle.append(memory)
    return None


class _Lent:
    """Owner of memory, alive as long as an array uses it."""

    def __init__(self, memory: Array) -> None:
        self._memory = memory
        # Held here: when the program ends, globals of a module go before its objects.
        self._idle = _idle
        self.__array_interface__: dict[str, Any] = memory.__array_interface__

    def __del__(self) -> None:
        # Without a lock, since this may come at any time: one step of a deque is safe,
        # and when it is full the oldest piece goes.
        self._idle.append(self._memory)
